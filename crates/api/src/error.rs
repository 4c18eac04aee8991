//! Failures as the API spells them: `{"error":{"code","message"}}`. What the client cannot mend goes to the log in
//! full and to the client in general words.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tracery_query::QueryError;
use tracery_settings::SettingsError;

/// `code` is a stable word for programs, `message` is for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }

    pub(crate) fn not_found(what: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("{what} is not known"))
    }

    pub(crate) fn unauthenticated() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "log in, or send a configuration key as Authorization: Bearer or X-Honeycomb-Team",
        )
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this path has other methods")
    }

    pub(crate) fn unsupported_media_type() -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "send application/json")
    }

    pub(crate) fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the request body is larger than 1 MiB")
    }

    pub(crate) fn not_available(what: &str) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, "not_available", format!("{what} is not part of this server"))
    }

    pub(crate) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server made a mistake")
    }

    pub(crate) fn cancelled() -> Self {
        Self::new(StatusCode::CONFLICT, "cancelled", "the query was cancelled")
    }

    pub(crate) fn busy() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "the server is stopping")
    }

    pub(crate) fn too_many_attempts(wait_s: i64) -> Self {
        let message = format!("too many wrong passwords; try again in {wait_s} s");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", message)
    }

    pub(crate) fn body(&self) -> Value {
        json!({ "error": { "code": self.code, "message": self.message } })
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        match &error {
            QueryError::Invalid(message) => Self::new(StatusCode::BAD_REQUEST, "invalid_query", message),
            QueryError::Limit(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "query_limit", error.to_string())
            }
            QueryError::Engine(_) | QueryError::Store(_) => {
                tracing::error!(error = ?error, "query failed");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "query_failed",
                    "the query failed; the server's log says why",
                )
            }
        }
    }
}

impl From<SettingsError> for ApiError {
    fn from(error: SettingsError) -> Self {
        match &error {
            SettingsError::Exists(_) => Self::new(StatusCode::CONFLICT, "exists", error.to_string()),
            SettingsError::NotFound(_) => Self::new(StatusCode::NOT_FOUND, "not_found", error.to_string()),
            SettingsError::Open(_) | SettingsError::Migrate(_) | SettingsError::Database(_) => {
                tracing::error!(error = ?error, "settings failed");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "unavailable",
                    "the settings database does not answer; try again",
                )
            }
            _ => Self::invalid(error.to_string()),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(self.body())).into_response()
    }
}
