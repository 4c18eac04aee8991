//! Durable columns on an object store. Accepts batches ([`tracery_columnar::Sink`]), keeps the list of parts, merges,
//! indexes and expires them, and hands parts to `query`.
//!
//! **Invariant:** an accepted record is durable, listed and queryable when [`Receipt`](tracery_model::Receipt) is
//! returned, and an object that the catalog does not list does not exist. The store knows no query language.

mod catalog;
mod commit;
mod error;
mod identity;
mod index;
mod keys;
mod maintenance;
mod merge;
mod objects;
mod part;
mod paths;
mod scrub;
mod snapshot;
mod stats;
mod verify;

#[doc(hidden)]
pub mod fuzzing;

pub use catalog::{Catalog, SeenKey};
pub use error::StoreError;
pub use index::{RowRun, TraceIndex, ValueIndex};
pub use merge::plan::MergePolicy;
pub use objects::Objects;
pub use part::{FreshChunk, FreshPart, Part, PartMeta};
pub use snapshot::Snapshot;
pub use stats::StoreStats;
pub use verify::VerifyReport;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracery_model::{EnvironmentId, Signal};
use tracery_stdx::Clock;

use crate::keys::KeyCatalogue;

/// How a store behaves; defaults suit one small machine.
#[derive(Debug, Clone, Copy)]
pub struct StoreOptions {
    /// Encoded bytes that may wait for a commit; more is answered with *busy*.
    pub queue_bytes_max: usize,
    /// Bytes of fresh parts held in memory; more is answered with *busy* until merges catch up.
    pub fresh_bytes_max: usize,
    pub merge: MergePolicy,
    /// Rows older than this are dropped, a whole part at a time. `None` keeps everything.
    pub retention: Option<Duration>,
    /// Unlisted objects younger than this may belong to a commit of another node, so the sweeper leaves them.
    pub orphan_age: Duration,
    /// How long other processes on the same catalog may go on reading a part that was merged away or expired.
    pub removed_age: Duration,
    /// Whether this process merges, expires and sweeps.
    pub maintenance: bool,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            queue_bytes_max: 64 << 20,
            fresh_bytes_max: 384 << 20,
            merge: MergePolicy::default(),
            retention: None,
            orphan_age: Duration::from_secs(3600),
            removed_age: Duration::from_secs(600),
            maintenance: true,
        }
    }
}

/// The open store. Cheap to clone; [`Store::close`] ends its background work.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    catalog: Catalog,
    objects: Objects,
    /// What catalog and object store know each other by.
    identity: String,
    clock: Arc<dyn Clock>,
    options: StoreOptions,
    parts: RwLock<Arc<Snapshot>>,
    /// Held while the catalog and the snapshot change together.
    list: tokio::sync::Mutex<()>,
    /// Parts that were taken off the list, for the sweeper to leave what is still read.
    retired: Mutex<Vec<Weak<Part>>>,
    /// Held while a lost trace index is made from its part, so that only one part is in memory for it.
    index_making: tokio::sync::Mutex<()>,
    /// Parts whose merge failed by itself → until when (ms since the epoch) they are left alone.
    unmergeable: Mutex<HashMap<String, i64>>,
    keys: KeyCatalogue,
    stats: Arc<StoreStats>,
    commits: mpsc::UnboundedSender<commit::Request>,
    queue: Arc<Semaphore>,
    graveyard: mpsc::UnboundedSender<String>,
    merge_wanted: Notify,
    scrub_wanted: AtomicBool,
    stop: CancellationToken,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Store {
    /// Loads the list of parts and starts the background work. A damaged fresh part is set aside and reported.
    pub async fn open(
        catalog: Catalog,
        objects: Objects,
        clock: Arc<dyn Clock>,
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        let (commits, requests) = mpsc::unbounded_channel();
        let (graveyard, graves) = mpsc::unbounded_channel();
        let stats = Arc::new(StoreStats::default());
        let keys = KeyCatalogue::default();
        keys.load(catalog.keys().await?);
        let identity = identity::establish(&catalog, &objects).await?;
        let version = catalog.version().await?;
        let listed = catalog.parts().await?;
        let mut parts = Vec::with_capacity(listed.len());
        for meta in listed {
            match snapshot::open_part(&objects, &identity, meta.clone(), &graveyard).await {
                Ok(part) => parts.push(Arc::new(part)),
                Err(StoreError::Damaged { reason, .. }) => {
                    maintenance::set_aside(&catalog, &stats, &meta, &reason, clock.now_ms()).await?;
                }
                Err(error) => return Err(error),
            }
        }
        let inner = Arc::new(Inner {
            catalog,
            objects,
            identity,
            clock,
            queue: Arc::new(Semaphore::new(options.queue_bytes_max.min(Semaphore::MAX_PERMITS))),
            options,
            parts: RwLock::new(Arc::new(Snapshot::new(version, parts))),
            list: tokio::sync::Mutex::new(()),
            retired: Mutex::default(),
            index_making: tokio::sync::Mutex::default(),
            unmergeable: Mutex::default(),
            keys,
            stats,
            commits,
            graveyard,
            merge_wanted: Notify::new(),
            scrub_wanted: AtomicBool::new(false),
            stop: CancellationToken::new(),
            tasks: Mutex::new(Vec::new()),
        });
        let mut tasks = vec![
            tokio::spawn(commit::run(Arc::clone(&inner), requests)),
            tokio::spawn(maintenance::bury(Arc::clone(&inner), graves)),
        ];
        if inner.options.maintenance {
            tasks.push(tokio::spawn(maintenance::run(Arc::clone(&inner))));
        }
        *inner.tasks.lock() = tasks;
        Ok(Self { inner })
    }

    /// The parts as they are listed now. Holding it keeps their objects.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.inner.parts.read())
    }

    /// Reads the list again when another process changed it.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        if !self.inner.catalog.is_shared() {
            return Ok(());
        }
        let _list = self.inner.list.lock().await;
        snapshot::refresh(&self.inner).await
    }

    /// Physical columns of the wanted datasets (`None`: all) and when each was last written (ms since the epoch).
    pub fn columns(
        &self,
        environment: EnvironmentId,
        datasets: Option<&[String]>,
        signals: &[Signal],
    ) -> std::collections::BTreeMap<String, i64> {
        self.inner.keys.columns(environment, datasets, signals)
    }

    /// Datasets and when each was last written (ms since the epoch).
    pub fn datasets(&self, environment: EnvironmentId) -> std::collections::BTreeMap<String, i64> {
        self.inner.keys.datasets(environment)
    }

    pub fn stats(&self) -> &StoreStats {
        &self.inner.stats
    }

    /// Encoded bytes that wait for a commit.
    pub fn queued_bytes(&self) -> usize {
        self.inner.options.queue_bytes_max.saturating_sub(self.inner.queue.available_permits())
    }

    pub fn objects(&self) -> &Objects {
        &self.inner.objects
    }

    pub fn catalog(&self) -> &Catalog {
        &self.inner.catalog
    }

    /// The trace-id index of a merged part: a trace that it does not find has no row there.
    pub async fn trace_index(&self, part: &Part) -> Result<Arc<TraceIndex>, StoreError> {
        snapshot::trace_index(&self.inner, part).await
    }

    /// The value index of a merged part; `None` when there is none to use, so that rows are found by looking.
    pub async fn value_index(&self, part: &Part) -> Result<Option<Arc<ValueIndex>>, StoreError> {
        snapshot::value_index(&self.inner.objects, part).await
    }

    /// Merges until nothing is due: what tests and benchmarks call.
    pub async fn merge_all(&self, everything: bool) -> Result<usize, StoreError> {
        maintenance::merge_due(&self.inner, everything).await
    }

    /// Drops what retention no longer covers and removes orphans; done in the background as well.
    pub async fn expire_and_sweep(&self) -> Result<(), StoreError> {
        maintenance::expire(&self.inner).await?;
        maintenance::sweep(&self.inner).await
    }

    /// Whether the catalog and the object store answer.
    pub async fn ready(&self) -> Result<(), StoreError> {
        self.inner.catalog.ping().await?;
        identity::check(&self.inner.objects, &self.inner.identity).await
    }

    /// Reads every merged part whole and sets those aside whose checksum differs. Returns how many did.
    pub async fn scrub(&self) -> Result<usize, StoreError> {
        scrub::all(&self.inner).await
    }

    /// Puts back on the list what was set aside and reads well again, for example because a directory was not mounted
    /// for a while. Returns their paths. Another process on SQLite sees them when it opens the store again.
    pub async fn restore(&self) -> Result<Vec<String>, StoreError> {
        scrub::restore(&self.inner).await
    }

    /// Something that was read made no sense. The background work looks soon at every merged part.
    pub fn suspect(&self) {
        self.inner.scrub_wanted.store(true, Ordering::Relaxed);
        self.inner.merge_wanted.notify_one();
    }

    /// Commits what waits and ends the background work.
    pub async fn close(&self) {
        self.inner.stop.cancel();
        let tasks = std::mem::take(&mut *self.inner.tasks.lock());
        for task in tasks {
            drop(task.await);
        }
    }
}
