//! Sentry's SDKs: envelopes and the older store, whose events become occurrences of errors. The key of a DSN is an access
//! token of the kind `rollbar`, its project the number of a project: `http://TOKEN@HOST/PROJECT`.
//!
//! **Invariant:** an event that was answered with 200 is in the store and in the tracker's inbox; what else an envelope holds
//! is counted as dropped, with its kind.

mod door;
mod envelope;

use axum::Router;
use axum::routing::post;
use tracery_intake::Intake;
use tracery_tracker::Tracker;

/// The state of this door. Cheap to clone.
#[derive(Clone)]
pub struct Sentry {
    pub(crate) intake: Intake,
    pub(crate) tracker: Tracker,
}

impl Sentry {
    pub fn new(intake: Intake, tracker: Tracker) -> Self {
        Self { intake, tracker }
    }
}

/// `/api/<project>/envelope/` and `/api/<project>/store/`, with and without the last slash.
pub fn routes(state: Sentry) -> Router {
    let mut router = Router::new();
    // Everything else below `/api/1/` is Rollbar's, so that project needs paths of its own.
    for project in ["{project}", "1"] {
        for slash in ["", "/"] {
            let envelope = post(door::envelope).options(door::preflight);
            let store = post(door::store).options(door::preflight);
            router = router
                .route(&format!("/api/{project}/envelope{slash}"), envelope)
                .route(&format!("/api/{project}/store{slash}"), store);
        }
    }
    router.with_state(state)
}
