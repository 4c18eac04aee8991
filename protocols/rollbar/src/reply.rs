//! Answers in Rollbar's form: an envelope of JSON, the headers that browsers ask for, and what is left of the caller's rate.
//! No answer is without them: a browser that does not find them shows an error of its own.

use axum::Json;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};
use tracery_model::SinkError;
use tracery_query::QueryError;
use tracery_tracker::TrackerError;

use crate::Rollbar;
use crate::limits::Left;

/// What browsers may send.
const ALLOWED_HEADERS: &str = "X-Rollbar-Access-Token, X-Rollbar-Replay-Id, Content-Type, Accept";
const EXPOSED_HEADERS: &str = "Rollbar-Replay-Enabled, Rollbar-Replay-RateLimit-Remaining, Rollbar-Replay-RateLimit-Reset, \
                               X-Rate-Limit-Limit, X-Rate-Limit-Remaining, X-Rate-Limit-Reset, X-Rate-Limit-Remaining-Seconds";

/// Why a request is not answered with a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not found")
    }

    /// The schema says no.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "err": 1, "message": self.message }))).into_response()
    }
}

impl From<TrackerError> for Refusal {
    fn from(error: TrackerError) -> Self {
        match error {
            TrackerError::Invalid(message) => Self::invalid(message),
            error => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the tracker is unavailable");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the server could not complete the request")
            }
        }
    }
}

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Invalid(message) | QueryError::Limit(message) => Self::invalid(message),
            error => {
                tracing::warn!(error = &error as &dyn std::error::Error, "occurrences could not be read");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the server could not complete the request")
            }
        }
    }
}

impl From<SinkError> for Refusal {
    fn from(error: SinkError) -> Self {
        match error {
            SinkError::Busy { .. } => Self::new(StatusCode::TOO_MANY_REQUESTS, error.to_string()),
            SinkError::Unavailable { reason, .. } => {
                tracing::warn!(reason, "an item was not stored");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "storage is unavailable")
            }
        }
    }
}

/// `{"err": 0, "result": …}`.
pub(crate) fn result(value: Value) -> Response {
    Json(json!({ "err": 0, "result": value })).into_response()
}

/// The answer to what a browser asks before it posts.
pub(crate) async fn preflight() -> Response {
    StatusCode::OK.into_response()
}

/// Puts the headers on every answer. Rates are those of the token that the handler found.
pub(crate) async fn headers(State(state): State<Rollbar>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let left = response.extensions_mut().remove::<Left>().unwrap_or_else(|| state.limits.unknown());
    let headers = response.headers_mut();
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (ACCESS_CONTROL_ALLOW_CREDENTIALS, "true"),
        (ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS),
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, PATCH, DELETE, OPTIONS"),
        (ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS),
        (ACCESS_CONTROL_MAX_AGE, "600"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    for (name, value) in [
        ("x-rate-limit-limit", left.limit),
        ("x-rate-limit-remaining", left.remaining),
        ("x-rate-limit-remaining-seconds", left.seconds),
        ("x-rate-limit-reset", left.reset_s),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
    }
    response
}
