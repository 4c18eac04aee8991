//! Amazon CloudWatch Logs: the API that agents, SDKs, the CLI and dashboards call, and the one call to STS that they make
//! beside it. `server` merges [`routes`] into its router and supplies the query engine.
//!
//! **Invariant:** what a request reads or writes lies in its caller's environment and region; what is not built is refused
//! in the vendor's words; no answer has a field that the model does not know. What is acknowledged is in the sink.

mod caller;
mod door;
mod event_id;
mod figures;
mod filters;
mod ingest;
mod live;
mod names;
mod operations;
mod queries;
mod sts;
mod subscriptions;
mod throttle;

use std::sync::Arc;

use datafusion::prelude::SessionContext;
use tracery_intake::Intake;
use tracery_outbound::Outbound;
use tracery_query::StoreEvents;
// Where the files of `ingest` look for the names.
use tracery_query::questions::logs as log_place;

pub(crate) use caller::Caller;
pub use door::routes;
pub use throttle::Rates;

/// The state of this door. Cheap to clone.
#[derive(Clone)]
pub struct CloudWatchLogs {
    pub(crate) intake: Intake,
    pub(crate) events: StoreEvents,
    pub(crate) context: Arc<SessionContext>,
    /// Queries that were started.
    pub(crate) queries: Arc<queries::Queries>,
    /// A query was scheduled, or its schedule changed.
    pub(crate) queries_changed: Arc<tokio::sync::Notify>,
    /// Held over a change of a scheduled query, so that a run and a request do not undo each other.
    pub(crate) schedule_changes: Arc<tokio::sync::Mutex<()>>,
    /// Times of requests, of which no two are the same.
    pub(crate) stamps: Arc<event_id::Stamps>,
    /// What came to streams and waits to be noted.
    pub(crate) figures: Arc<figures::StreamFigures>,
    /// Live Tail's sessions.
    pub(crate) live: Arc<live::Hub>,
    /// What is done with events as they arrive.
    pub(crate) filters: Arc<filters::Filters>,
    pub(crate) defaults: Arc<ingest::metrics::Defaults>,
    /// One change of a group at a time, so that none undoes another.
    pub(crate) changes: Arc<tokio::sync::Mutex<()>>,
    pub(crate) throttle: Arc<throttle::Throttle>,
    /// The tasks that deliver what subscription filters match.
    pub(crate) subscriptions: Arc<subscriptions::Subscriptions>,
    pub(crate) outbound: Outbound,
}

impl CloudWatchLogs {
    pub fn new(
        intake: Intake,
        events: StoreEvents,
        context: Arc<SessionContext>,
        outbound: Outbound,
    ) -> Self {
        Self {
            intake,
            events,
            context,
            queries: Arc::default(),
            queries_changed: Arc::default(),
            schedule_changes: Arc::default(),
            stamps: Arc::default(),
            figures: Arc::default(),
            live: Arc::default(),
            filters: Arc::default(),
            defaults: Arc::default(),
            changes: Arc::default(),
            throttle: Arc::default(),
            subscriptions: Arc::default(),
            outbound,
        }
    }

    /// Starts the scheduled queries that came due after a time in milliseconds.
    ///
    /// # Errors
    /// When the settings cannot be read or written.
    pub async fn start_due_queries(&self, after_ms: i64) -> Result<(), tracery_aws_wire::Error> {
        queries::schedule::turn(self, after_ms, self.intake.clock.now_ms()).await.map(drop)
    }

    /// Runs scheduled queries; never ends.
    pub async fn run_scheduled(self) {
        queries::schedule::work(self).await;
    }

    /// Delivers what subscription filters match; never ends.
    pub async fn run_subscriptions(self) {
        subscriptions::run(self).await;
    }

    /// The same with rates that calls are held to.
    #[must_use]
    pub fn with_rates(self, rates: Rates) -> Self {
        Self { throttle: Arc::new(throttle::Throttle::new(rates)), ..self }
    }

    /// The time of a request, later than that of any before.
    pub(crate) fn stamp_ns(&self) -> i64 {
        self.stamps.next_ns(self.intake.clock.now_ns())
    }
}
