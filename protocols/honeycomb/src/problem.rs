//! Failures as Honeycomb's clients read them: RFC 7807 problems that also carry the older `error` text, and JSON:API
//! errors for `/2`. Handlers return [`Problem`]; nothing of the server's insides is told.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use tracery_intake::CallerError;
use tracery_settings::SettingsError;

pub(crate) const UNKNOWN_KEY: &str = "unknown API key - check your credentials";

/// One field that did not pass.
#[derive(Debug, Clone)]
pub struct FieldError {
    pub field: String,
    /// `invalid`, `missing`, `incorrect_type` or `already_exists`.
    pub code: &'static str,
    pub description: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: String,
    fields: Vec<FieldError>,
    retry_after: Option<HeaderValue>,
}

impl Problem {
    fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, kind, title, detail: detail.into(), fields: Vec::new(), retry_after: None }
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "The requested resource cannot be found.",
            format!("{what} not found"),
        )
    }

    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "conflict",
            "The request conflicts with an existing resource.",
            detail,
        )
    }

    pub(crate) fn unparseable() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "unparseable",
            "The request body could not be parsed.",
            "Request body is malformed and cannot be read.",
        )
    }

    pub(crate) fn too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "payload-too-large",
            "The request body is too large.",
            "Request body is too large.",
        )
    }

    pub(crate) fn unknown_key() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "unauthorized", UNKNOWN_KEY)
    }

    pub(crate) fn forbidden(permission: &str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            "forbidden",
            format!("the API key lacks the permission {permission}"),
        )
    }

    pub(crate) fn rate_limited(detail: impl Into<String>, retry_after: HeaderValue) -> Self {
        let mut problem = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "rate-limited",
            "You have exceeded your rate limit.",
            detail,
        );
        problem.retry_after = Some(retry_after);
        problem
    }

    pub(crate) fn unavailable() -> Self {
        let mut problem = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "The server cannot answer now.",
            "storage is unavailable, try again",
        );
        problem.retry_after = Some(HeaderValue::from_static("1"));
        problem
    }

    pub(crate) fn invalid(field: &str, code: &'static str, description: impl Into<String>) -> Self {
        Self::invalid_fields(vec![FieldError {
            field: field.to_owned(),
            code,
            description: description.into(),
        }])
    }

    pub(crate) fn invalid_fields(fields: Vec<FieldError>) -> Self {
        let mut problem = Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "validation-failed",
            "The provided input is invalid.",
            "The provided input is invalid.",
        );
        problem.fields = fields;
        problem
    }

    fn error_text(&self) -> String {
        match self.fields.first() {
            Some(first) if first.field.is_empty() => first.description.clone(),
            Some(first) => format!("{}: {}", first.field, first.description),
            None => self.detail.clone(),
        }
    }

    /// The JSON:API form, for `/2`.
    pub(crate) fn into_json_api(self) -> Response {
        let (code, title, source) = match self.status {
            StatusCode::UNAUTHORIZED => {
                ("unauthenticated/invalid-key", "invalid API key", Some(json!({"header": "Authorization"})))
            }
            _ => (self.kind, self.title, None),
        };
        let details = if self.fields.is_empty() {
            vec![(self.detail.clone(), source)]
        } else {
            let pointer = |field: &str| Some(json!({"pointer": format!("/data/attributes/{field}")}));
            self.fields.iter().map(|field| (field.description.clone(), pointer(&field.field))).collect()
        };
        let errors: Vec<Value> = details
            .into_iter()
            .map(|(detail, source)| {
                let mut error = json!({
                    "id": format!("{:032x}", rand::random::<u128>()),
                    "status": self.status.as_u16().to_string(),
                    "code": code,
                    "title": title,
                    "detail": detail,
                });
                if let Some(source) = source {
                    error["source"] = source;
                }
                error
            })
            .collect();
        let mut response = json_api(self.status, &json!({ "errors": errors }));
        if let Some(retry_after) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, retry_after);
        }
        response
    }
}

pub(crate) fn json_api(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/vnd.api+json")], body.to_string()).into_response()
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "status": self.status.as_u16(),
            "type": format!("https://api.honeycomb.io/problems/{}", self.kind),
            "title": self.title,
            "error": self.error_text(),
            "detail": self.detail,
        });
        if !self.fields.is_empty() {
            body["type_detail"] = self
                .fields
                .iter()
                .map(|field| {
                    json!({"field": field.field, "code": field.code, "description": field.description})
                })
                .collect();
        }
        let mut response =
            (self.status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string())
                .into_response();
        if let Some(retry_after) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, retry_after);
        }
        response
    }
}

impl From<SettingsError> for Problem {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::Exists(what) => Self::conflict(format!("{what} already exists")),
            SettingsError::NotFound(what) => Self::not_found(&what),
            SettingsError::Invalid(reason) => Self::invalid("", "invalid", reason),
            SettingsError::Full { .. } => Self::conflict(error.to_string()),
            SettingsError::Open(_) | SettingsError::Migrate(_) | SettingsError::Database(_) => {
                tracing::warn!(%error, "settings do not answer");
                Self::unavailable()
            }
        }
    }
}

impl From<CallerError> for Problem {
    fn from(error: CallerError) -> Self {
        match error {
            CallerError::Missing | CallerError::Unknown => Self::unknown_key(),
            CallerError::Unavailable(reason) => {
                tracing::warn!(reason, "settings do not answer");
                Self::unavailable()
            }
        }
    }
}

/// `{"error": text}`, the form of the ingest endpoints.
pub(crate) fn plain(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}
