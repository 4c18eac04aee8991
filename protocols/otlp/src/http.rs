//! OTLP over HTTP. Browsers may post here from any page, as the specification's web SDKs do: they can write telemetry
//! and read nothing but the reply to it.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER,
    VARY,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use tracery_model::{Signal, SinkError};

use crate::decode::Format;
use crate::export::{Door, Failure};
use crate::notes::Notes;
use crate::reply;

pub(crate) async fn traces(State(door): State<Door>, request: Request) -> Response {
    answer(&door, Signal::Span, request).await
}

pub(crate) async fn logs(State(door): State<Door>, request: Request) -> Response {
    answer(&door, Signal::Log, request).await
}

pub(crate) async fn metrics(State(door): State<Door>, request: Request) -> Response {
    answer(&door, Signal::Metric, request).await
}

/// The question a browser asks before it posts from another origin.
pub(crate) async fn preflight(headers: HeaderMap) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let allowed = headers.get(ACCESS_CONTROL_REQUEST_HEADERS).cloned().unwrap_or(HeaderValue::from_static(
        "content-type,content-encoding,x-honeycomb-team,x-honeycomb-dataset",
    ));
    let reply = response.headers_mut();
    reply.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    reply.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    reply.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    reply.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("7200"));
    reply.insert(VARY, HeaderValue::from_static("access-control-request-headers"));
    response
}

async fn answer(door: &Door, signal: Signal, request: Request) -> Response {
    let mut response = match content_format(request.headers()) {
        Err(unsupported) => {
            let mut response = Response::new(Body::from(format!(
                "content type {unsupported:?} is not supported; \
                 send application/x-protobuf, application/protobuf or application/json\n"
            )));
            *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
            door.intake.metrics.rejected(crate::export::door_name(signal), "unsupported_content_type", 1);
            response
        }
        Ok(format) => {
            let reply_format = format.unwrap_or(Format::Protobuf);
            match take(door, signal, format, request).await {
                Ok(notes) => {
                    with_body(StatusCode::OK, reply_format, reply::success(signal, reply_format, &notes))
                }
                Err(failure) => {
                    door.count(signal, &failure);
                    failed(reply_format, &failure)
                }
            }
        }
    };
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

async fn take(
    door: &Door,
    signal: Signal,
    format: Option<Format>,
    request: Request,
) -> Result<Notes, Failure> {
    let (parts, body) = request.into_parts();
    let caller = door.caller(&parts.headers).await?;
    let body = door.read(&parts.headers, body, door.intake.limits.body_bytes_max).await?;
    let encoding = match parts.headers.get(CONTENT_ENCODING).map(HeaderValue::to_str) {
        None => None,
        Some(Ok(encoding)) => Some(encoding),
        Some(Err(_)) => return Err(Failure::UnknownEncoding("content encoding is not text".to_owned())),
    };
    door.export(&caller, signal, format, encoding, &parts.headers, body).await
}

/// The request's form; `None` when it does not say, the type when it is neither.
fn content_format(headers: &HeaderMap) -> Result<Option<Format>, String> {
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(None) };
    let text = String::from_utf8_lossy(value.as_bytes());
    match text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "" => Ok(None),
        "application/x-protobuf" | "application/protobuf" => Ok(Some(Format::Protobuf)),
        "application/json" => Ok(Some(Format::Json)),
        other => Err(other.to_owned()),
    }
}

fn failed(format: Format, failure: &Failure) -> Response {
    // The second number is gRPC's code for the same thing, which the status message carries.
    let (status, code) = match failure {
        Failure::KeyMissing | Failure::KeyUnknown => (StatusCode::UNAUTHORIZED, 16),
        Failure::KeyMayNot | Failure::DatasetUnknown => (StatusCode::FORBIDDEN, 7),
        Failure::Malformed(_) => (StatusCode::BAD_REQUEST, 3),
        Failure::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, 8),
        Failure::UnknownEncoding(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, 12),
        Failure::Busy { .. } | Failure::Sink(SinkError::Busy { .. }) => (StatusCode::TOO_MANY_REQUESTS, 8),
        Failure::Sink(SinkError::Unavailable { .. }) | Failure::SettingsUnavailable => {
            (StatusCode::SERVICE_UNAVAILABLE, 14)
        }
    };
    let body = reply::status(format, code, &failure.to_string(), failure.retry_after_ms());
    let mut response = with_body(status, format, body);
    if let Some(retry_after_ms) = failure.retry_after_ms() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after_ms.div_ceil(1000).max(1)));
    }
    response
}

fn with_body(status: StatusCode, format: Format, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let content_type = match format {
        Format::Protobuf => "application/x-protobuf",
        Format::Json => "application/json",
    };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
