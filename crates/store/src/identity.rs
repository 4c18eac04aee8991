//! Catalog and object store know each other by an id that both hold. [`crate::Store::open`] checks it, and so does all
//! that would believe the store when it says that an object is not there: a directory that is not mounted, or a bucket
//! of another catalog, is an error and not a list of missing parts or a bucket of orphans to sweep.

use uuid::Uuid;

use crate::objects::is_not_found;
use crate::{Catalog, Objects, StoreError};

/// Outside of what the sweeper looks at.
pub(crate) const PATH: &str = "identity";

/// The id of both. Fails unless `objects` is what the catalog lists; the first time, it becomes so.
pub(crate) async fn establish(catalog: &Catalog, objects: &Objects) -> Result<String, StoreError> {
    let id = catalog.identity(&Uuid::now_v7().simple().to_string()).await?;
    match read(objects).await? {
        Some(found) if found == id.as_bytes() => {}
        None if catalog.is_empty().await? => objects.put(PATH, vec![id.clone().into()]).await?,
        found => return Err(stranger(found.is_some())),
    }
    Ok(id)
}

/// Fails when the object store does not answer, or is gone and nothing or something else is in its place.
pub(crate) async fn check(objects: &Objects, id: &str) -> Result<(), StoreError> {
    match read(objects).await? {
        Some(found) if found == id.as_bytes() => Ok(()),
        found => Err(stranger(found.is_some())),
    }
}

/// What it means that the object of a part was not found: damage where the store is there and still lacks it, and
/// otherwise that the store is not there. Any other `error` stays what it is.
pub(crate) async fn explain(objects: &Objects, id: &str, error: StoreError) -> StoreError {
    let StoreError::Object { path, .. } = &error else { return error };
    if !is_not_found(&error) {
        return error;
    }
    if let Err(error) = check(objects, id).await {
        return error;
    }
    // It may have come back between the two looks.
    match objects.exists(path).await {
        Ok(false) => StoreError::Damaged { path: path.clone(), reason: "the object is missing".into() },
        Ok(true) => error,
        Err(error) => error,
    }
}

pub(crate) fn stranger(other: bool) -> StoreError {
    StoreError::Stranger(if other {
        "it belongs to another catalog"
    } else {
        "it lacks the mark of this catalog"
    })
}

async fn read(objects: &Objects) -> Result<Option<bytes::Bytes>, StoreError> {
    match objects.get(PATH).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(error),
    }
}
