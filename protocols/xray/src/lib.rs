//! AWS X-Ray: the API that SDKs, the CLI and dashboards call, and the daemon's ports. `server` merges [`routes`] into its
//! router and supplies the query engine.
//!
//! **Invariant:** what a request reads or writes lies in its caller's environment; no answer has a field that the model
//! does not know, and none is null where real clients do not look.

mod door;
mod operations;

use std::sync::Arc;

use datafusion::prelude::SessionContext;
use tracery_intake::Intake;
use tracery_query::StoreEvents;

pub use door::routes;

/// The state of this door. Cheap to clone.
#[derive(Clone)]
pub struct XRay {
    pub(crate) intake: Intake,
    pub(crate) events: StoreEvents,
    pub(crate) context: Arc<SessionContext>,
}

impl XRay {
    pub fn new(intake: Intake, events: StoreEvents, context: Arc<SessionContext>) -> Self {
        Self { intake, events, context }
    }
}
