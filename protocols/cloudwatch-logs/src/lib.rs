//! Amazon CloudWatch Logs: the API that agents, SDKs, the CLI and dashboards call, and the one call to STS that they make
//! beside it. `server` merges [`routes`] into its router and supplies the query engine.
//!
//! **Invariant:** what a request reads or writes lies in its caller's environment and region; what is not built is refused
//! in the vendor's words; no answer has a field that the model does not know. What is acknowledged is in the sink.

mod caller;
mod door;
mod operations;
mod sts;

use std::sync::Arc;

use datafusion::prelude::SessionContext;
use tracery_intake::Intake;
use tracery_query::StoreEvents;

pub(crate) use caller::Caller;
pub use door::routes;

/// The state of this door. Cheap to clone.
#[derive(Clone)]
pub struct CloudWatchLogs {
    pub(crate) intake: Intake,
    pub(crate) events: StoreEvents,
    pub(crate) context: Arc<SessionContext>,
}

impl CloudWatchLogs {
    pub fn new(intake: Intake, events: StoreEvents, context: Arc<SessionContext>) -> Self {
        Self { intake, events, context }
    }
}
