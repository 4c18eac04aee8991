//! The JSON API under `/api/v1` that the web page and `tracery query --url` talk to. `server` mounts [`routes`];
//! every answer is bounded, and no caller sees an environment other than those its credential opens.
//!
//! **Invariant:** thin: a resource reads its parameters, asks `query` or `settings`, and shapes the answer. What it
//! needs from elsewhere (Honeycomb's language, sessions, saved queries, OTLP JSON) it takes as a small trait.

mod bubble_up;
mod endpoints;
mod environments;
mod error;
mod exact;
mod extract;
mod fields;
mod identity;
mod keys;
mod login_attempts;
mod openapi;
mod ports;
mod products;
mod query;
mod query_metrics;
mod requests;
mod running;
mod saved_queries;
mod services;
mod session;
mod sql;
mod traces;
mod values;
mod xray;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::any;
use datafusion::prelude::SessionContext;
use tokio::sync::Semaphore;
use tracery_model::{EnvironmentId, Signal, TimeRange};
use tracery_query::{Scope, StoreEvents};
use tracery_settings::Settings;
use tracery_stdx::Clock;

use error::ApiError;
pub use login_attempts::PeerAddress;
pub use openapi::document;
pub use ports::{
    DaemonCounts, NewSavedQuery, Products, Rejected, SavedQueries, SavedQuery, Sessions, SpecQueries,
    TraceToOtlp, XRayLosses,
};
pub use query_metrics::{QueryCounts, QueryKind, QueryMetrics};
pub use running::RunningQueries;

/// A request body is a query or a name, never telemetry.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Questions that are answered at the same time; others wait, so that memory stays bounded.
pub const QUESTIONS_AT_ONCE: usize = 16;

/// What the API needs. Cheap to clone; made once, at start.
#[derive(Clone)]
pub struct Api {
    pub settings: Settings,
    pub context: Arc<SessionContext>,
    pub events: StoreEvents,
    pub clock: Arc<dyn Clock>,
    /// Whether credentials are verified; otherwise whoever reaches the server may read and change everything.
    pub verified: bool,
    pub questions: Arc<Semaphore>,
    pub metrics: Arc<QueryMetrics>,
    login_attempts: Arc<login_attempts::LoginAttempts>,
    pub running: Arc<RunningQueries>,
    /// `None` answers 501, as those below.
    pub specs: Option<Arc<dyn SpecQueries>>,
    pub sessions: Option<Arc<dyn Sessions>>,
    pub saved_queries: Option<Arc<dyn SavedQueries>>,
    pub trace_to_otlp: Option<TraceToOtlp>,
    pub xray_losses: Option<Arc<dyn XRayLosses>>,
    pub products: Option<Arc<dyn Products>>,
}

impl Api {
    /// An API without the optional parts.
    pub fn new(
        settings: Settings,
        context: Arc<SessionContext>,
        events: StoreEvents,
        clock: Arc<dyn Clock>,
        verified: bool,
    ) -> Self {
        Self {
            settings,
            context,
            events,
            clock,
            verified,
            questions: Arc::new(Semaphore::new(QUESTIONS_AT_ONCE)),
            metrics: Arc::default(),
            login_attempts: Arc::default(),
            running: Arc::default(),
            specs: None,
            sessions: None,
            saved_queries: None,
            trace_to_otlp: None,
            xray_losses: None,
            products: None,
        }
    }

    /// The last `seconds` (all time when `None`) of one dataset, or of all (`__all__`, empty or `None`).
    fn scope(
        &self,
        environment: EnvironmentId,
        dataset: Option<&str>,
        signals: &[Signal],
        seconds: Option<u32>,
    ) -> Scope {
        let time = match seconds {
            // Clocks of senders run ahead a little: the end stays open.
            Some(seconds) => TimeRange::new(
                self.clock.now_ns().saturating_sub(i64::from(seconds) * 1_000_000_000),
                i64::MAX,
            ),
            None => TimeRange::ALL,
        };
        Scope { environment, datasets: dataset_names(dataset), signals: signals.to_vec(), time }
    }
}

fn dataset_names(dataset: Option<&str>) -> Option<Vec<String>> {
    dataset.filter(|name| !name.is_empty() && *name != "__all__").map(|name| vec![name.to_owned()])
}

/// Everything under `/api/v1`.
pub fn routes(api: Api) -> Router {
    endpoints::list()
        .into_iter()
        .fold(Router::new(), |router, endpoint| router.route(&endpoint.full_path(), endpoint.handler))
        .route("/api/v1/products/{product}/", any(products::forward))
        .route("/api/v1/products/{product}/{*path}", any(products::forward))
        .route("/api/v1/{*path}", any(|| async { ApiError::not_found("this path") }))
        .method_not_allowed_fallback(|| async { ApiError::method_not_allowed() })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(api)
}
