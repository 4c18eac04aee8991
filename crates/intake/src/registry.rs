//! A sink that writes down which datasets were written to, so that a dataset exists for readers whichever door its
//! events came through. `server` wraps the store with it once; front doors need not know.

use std::sync::Arc;

use async_trait::async_trait;
use tracery_columnar::{EventBatch, Sink};
use tracery_model::{EnvironmentId, Receipt, SinkError};
use tracery_settings::Settings;

/// Passes batches on, then registers their datasets. A failure to register is not a failure to accept: the next
/// batch of the dataset tries again.
pub struct DatasetRegistry {
    inner: Arc<dyn Sink>,
    settings: Settings,
}

impl DatasetRegistry {
    pub fn new(inner: Arc<dyn Sink>, settings: Settings) -> Self {
        Self { inner, settings }
    }
}

#[async_trait]
impl Sink for DatasetRegistry {
    async fn accept(
        &self,
        environment: EnvironmentId,
        batches: Vec<EventBatch>,
    ) -> Result<Receipt, SinkError> {
        let mut names: Vec<String> = batches
            .iter()
            .flat_map(|batch| batch.datasets.iter().map(|summary| summary.dataset.clone()))
            .collect();
        names.sort_unstable();
        names.dedup();
        let receipt = self.inner.accept(environment, batches).await?;
        for name in names {
            if let Ok(dataset) = self.settings.ensure_dataset(environment, &name).await {
                self.settings.note_written(environment, &dataset.slug).await.ok();
            }
        }
        Ok(receipt)
    }
}
