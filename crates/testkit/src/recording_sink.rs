//! A sink that keeps what it was given, or refuses as it was told.

use async_trait::async_trait;
use parking_lot::Mutex;
use tracery_columnar::{EventBatch, Sink};
use tracery_model::{EnvironmentId, Receipt, SinkError};

#[derive(Debug, Default)]
pub struct RecordingSink {
    taken: Mutex<Vec<(EnvironmentId, EventBatch)>>,
    refusal: Mutex<Option<SinkError>>,
}

impl RecordingSink {
    /// Everything taken so far, in order.
    pub fn taken(&self) -> Vec<(EnvironmentId, EventBatch)> {
        self.taken.lock().clone()
    }

    pub fn row_count(&self) -> usize {
        self.taken.lock().iter().map(|(_, batch)| batch.row_count()).sum()
    }

    /// Answers this from now on; `None` takes again.
    pub fn refuse(&self, refusal: Option<SinkError>) {
        *self.refusal.lock() = refusal;
    }
}

#[async_trait]
impl Sink for RecordingSink {
    async fn accept(
        &self,
        environment: EnvironmentId,
        batches: Vec<EventBatch>,
    ) -> Result<Receipt, SinkError> {
        if let Some(refusal) = self.refusal.lock().clone() {
            return Err(refusal);
        }
        let row_count = batches.iter().map(EventBatch::row_count).sum();
        self.taken.lock().extend(batches.into_iter().map(|batch| (environment, batch)));
        Ok(Receipt { row_count })
    }
}
