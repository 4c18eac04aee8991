//! AWS X-Ray: the API that SDKs, the CLI and dashboards call, and the daemon's ports. `server` merges [`routes`] into its
//! router, serves [`daemon_routes`] and [`Daemon`] on the daemon's port, and supplies the query engine.
//!
//! **Invariant:** what a request reads or writes lies in its caller's environment; no answer has a field that the model
//! does not know, and none is null where real clients do not look. What is acknowledged is in the sink.

mod assembly;
mod caller;
mod daemon;
mod door;
mod ingest;
mod operations;
mod rejected;
mod retrievals;
mod sampling;
mod segment;
mod telemetry;

use std::sync::Arc;

use datafusion::prelude::SessionContext;
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tracery_intake::Intake;
use tracery_query::StoreEvents;
// What a subsegment stands for on the map is decided with the questions about it.
use tracery_query::questions::xray as node;
use tracery_query::questions::xray::KeptMaps;

pub(crate) use caller::Caller;
pub use daemon::{Daemon, DaemonFigures, DecodedOtlp, OtlpDecoder, bind_udp};
pub use door::{daemon_routes, routes};
pub use rejected::{RejectedDocument, RejectedDocuments};
pub use telemetry::DaemonRecord;

/// Requests that may hold whole traces in memory at a time: five traces of 8 MiB take ten times that in the worst case.
const READS_MAX: usize = 4;

/// The state of this door. Cheap to clone.
#[derive(Clone)]
pub struct XRay {
    pub(crate) intake: Intake,
    pub(crate) events: StoreEvents,
    pub(crate) context: Arc<SessionContext>,
    pub(crate) ingest: Arc<ingest::Ingest>,
    pub(crate) retrievals: Arc<retrievals::Retrievals>,
    /// Requests that hold whole traces in memory.
    pub(crate) reads: Arc<Semaphore>,
    pub(crate) telemetry: Arc<telemetry::DaemonRecords>,
    pub(crate) sampling: Arc<Mutex<sampling::Sampling>>,
    /// What merged parts add to the service map.
    pub(crate) maps: Arc<KeptMaps>,
    /// Held over a change of what an account keeps, so that two changes do not undo each other.
    pub(crate) changes: Arc<tokio::sync::Mutex<()>>,
}

impl XRay {
    /// Sums of the service map are kept in at most `map_bytes_max` bytes.
    pub fn new(
        intake: Intake,
        events: StoreEvents,
        context: Arc<SessionContext>,
        map_bytes_max: usize,
    ) -> Self {
        Self {
            intake,
            events,
            context,
            ingest: Arc::default(),
            telemetry: Arc::default(),
            sampling: Arc::default(),
            maps: Arc::new(KeptMaps::new(map_bytes_max)),
            changes: Arc::default(),
            retrievals: Arc::default(),
            reads: Arc::new(Semaphore::new(READS_MAX)),
        }
    }

    /// The newest documents of an environment that were not kept, newest first.
    pub fn rejected(&self, environment: tracery_model::EnvironmentId) -> Vec<RejectedDocument> {
        self.ingest.rejected.list(environment)
    }

    /// What daemons said of their work lately, newest first; at most 200.
    pub fn daemon_records(&self, environment: tracery_model::EnvironmentId) -> Vec<DaemonRecord> {
        self.telemetry.list(environment)
    }
}
