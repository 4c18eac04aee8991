//! Where front doors hand over their batches.

use async_trait::async_trait;
use tracery_model::{EnvironmentId, Receipt, SinkError};

use crate::EventBatch;

/// Takes batches and answers once they are durable, listed and queryable. `store` implements it; tests record.
#[async_trait]
pub trait Sink: Send + Sync + 'static {
    /// All batches of one call become visible together, or none does.
    async fn accept(
        &self,
        environment: EnvironmentId,
        batches: Vec<EventBatch>,
    ) -> Result<Receipt, SinkError>;
}
