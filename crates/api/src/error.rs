//! The one shape of an error: `{"error": {"code", "message"}}`. The message is for the person who asked; what only the
//! operator may know goes to the log.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tracery_query::QueryError;
use tracery_settings::SettingsError;

#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl ApiError {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "invalid", message: message.into() }
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self { status: StatusCode::NOT_FOUND, code: "not_found", message: format!("there is no such {what}") }
    }

    pub(crate) fn unauthenticated() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            code: "unauthenticated",
            message: "a configuration key in X-Honeycomb-Team is needed".into(),
        }
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self { status: StatusCode::FORBIDDEN, code: "forbidden", message: message.into() }
    }

    pub(crate) fn body(&self) -> Value {
        json!({ "error": { "code": self.code, "message": self.message } })
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self { status: StatusCode::SERVICE_UNAVAILABLE, code: "unavailable", message: message.into() }
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Invalid(message) => Self::invalid(message),
            QueryError::Limit(message) => {
                Self { status: StatusCode::UNPROCESSABLE_ENTITY, code: "limit", message }
            }
            QueryError::Store(message) => Self::unavailable(message),
            QueryError::Engine(source) => Self {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                code: "engine",
                message: format!("the query failed: {}", source.strip_backtrace()),
            },
        }
    }
}

impl From<SettingsError> for ApiError {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::NotFound(what) => Self::not_found(&what),
            SettingsError::Invalid(message) => Self::invalid(message),
            SettingsError::Exists(what) => Self::invalid(format!("{what} already exists")),
            _ => Self::unavailable("the settings database does not answer"),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(self.body())).into_response()
    }
}

pub(crate) async fn not_found() -> ApiError {
    ApiError::not_found("endpoint")
}
