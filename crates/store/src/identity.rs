//! Catalog and object store know each other by an id that both hold. [`crate::Store::open`] checks it, so that a
//! directory that is not mounted, or a bucket of another catalog, is an error and not a list of missing parts or a
//! bucket of orphans to sweep.

use uuid::Uuid;

use crate::{Catalog, Objects, StoreError};

/// Outside of what the sweeper looks at.
const PATH: &str = "identity";

/// Fails unless `objects` is what the catalog lists. The first time, it becomes so.
pub(crate) async fn establish(catalog: &Catalog, objects: &Objects) -> Result<(), StoreError> {
    let id = catalog.identity(&Uuid::now_v7().simple().to_string()).await?;
    match read(objects).await? {
        Some(found) if found == id.as_bytes() => Ok(()),
        None if catalog.is_empty().await? => objects.put(PATH, vec![id.into()]).await,
        found => Err(stranger(found.is_some())),
    }
}

/// Fails when the object store does not answer, or is gone and something else is in its place.
pub(crate) async fn check(objects: &Objects) -> Result<(), StoreError> {
    read(objects).await?.map(drop).ok_or_else(|| stranger(false))
}

fn stranger(other: bool) -> StoreError {
    StoreError::Stranger(if other {
        "it belongs to another catalog"
    } else {
        "it lacks the mark of this catalog"
    })
}

async fn read(objects: &Objects) -> Result<Option<bytes::Bytes>, StoreError> {
    match objects.get(PATH).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(StoreError::Object { source: object_store::Error::NotFound { .. }, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
