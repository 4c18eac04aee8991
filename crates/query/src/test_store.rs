//! An empty store in a folder of its own, and what queries ask it by. For the tests of this crate's modules.

use std::sync::Arc;

use datafusion::prelude::SessionContext;
use tempfile::TempDir;
use tracery_stdx::ManualClock;
use tracery_store::{Catalog, Objects, Store, StoreOptions};

use crate::{StoreEvents, session_context};

/// Memory that a query may take, in bytes.
const MEMORY_BYTES: usize = 256 << 20;

pub(crate) struct TestStore {
    _directory: TempDir,
    pub(crate) store: Store,
    pub(crate) events: StoreEvents,
    pub(crate) context: SessionContext,
}

/// Without merges: what is written stays in the parts it was written in.
pub(crate) async fn test_store() -> TestStore {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", directory.path().join("catalog.db").display());
    let store = Store::open(
        Catalog::open(&url).await.unwrap(),
        Objects::local(&directory.path().join("objects")).unwrap(),
        Arc::new(ManualClock::at_ns(0)),
        StoreOptions { maintenance: false, ..StoreOptions::default() },
    )
    .await
    .unwrap();
    let context = session_context(MEMORY_BYTES, 2).unwrap();
    let events = StoreEvents::new(store.clone(), &context);
    TestStore { _directory: directory, store, events, context }
}
