//! The JSON API of our own UI, `/api/v1`: one file a resource, and the list of them below. `openapi/api.json` says the
//! same to machines; a test compares the two.
//!
//! **Invariant:** every handler asks [`caller::Asker`] first, and reads only the environment it was given.

mod caller;
mod environments;
mod error;
mod fields;
mod query;
mod services;
mod sql;
mod traces;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use datafusion::prelude::SessionContext;
use serde_json::Value;
use tracery_intake::Intake;
use tracery_query::{StoreEvents, TraceRows};

/// Rows of a trace → OTLP JSON; the protocol's crate knows how.
pub type ToOtlp = Arc<dyn Fn(&[TraceRows]) -> Result<Value, String> + Send + Sync>;

/// What the handlers work with.
#[derive(Clone)]
pub struct Api {
    pub intake: Intake,
    pub context: Arc<SessionContext>,
    pub events: StoreEvents,
    pub to_otlp: ToOtlp,
}

/// (method, path) of every endpoint; `openapi/api.json` has the same.
pub const ENDPOINTS: &[(&str, &str)] = &[
    ("get", "/api/v1/environments"),
    ("get", "/api/v1/services"),
    ("get", "/api/v1/fields"),
    ("get", "/api/v1/values"),
    ("post", "/api/v1/query"),
    ("post", "/api/v1/bubble_up"),
    ("post", "/api/v1/sql"),
    ("get", "/api/v1/traces"),
    ("get", "/api/v1/traces/{trace_id}"),
];

pub fn routes(api: Api) -> Router {
    Router::new()
        .route("/api/v1/environments", get(environments::list))
        .route("/api/v1/services", get(services::list))
        .route("/api/v1/fields", get(fields::list))
        .route("/api/v1/values", get(fields::values))
        .route("/api/v1/query", post(query::run))
        .route("/api/v1/bubble_up", post(query::bubble_up))
        .route("/api/v1/sql", post(sql::run))
        .route("/api/v1/traces", get(traces::search))
        .route("/api/v1/traces/{trace_id}", get(traces::show))
        .route("/api/v1/{*path}", get(error::not_found).post(error::not_found).delete(error::not_found))
        .with_state(Arc::new(api))
}
