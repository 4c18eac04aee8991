//! OTLP over gRPC: three unary calls, spoken by hand. A call is an HTTP/2 POST whose body is one frame (a flag, four
//! bytes of length, the message); the outcome is in the trailers. Served by the same router as HTTP, since clients
//! of Honeycomb use one port for both.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::{Buf, Bytes};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body_util::{BodyExt, Full};
use tracery_model::{Signal, SinkError};

use crate::decode::Format;
use crate::export::{Door, Failure};
use crate::reply;

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const GRPC_STATUS_DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
/// Where OpenTelemetry's Python exporter looks for the delay.
const RETRY_INFO: HeaderName = HeaderName::from_static("google.rpc.retryinfo-bin");
const GRPC_ENCODING: &str = "grpc-encoding";
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
pub(crate) const FRAME_HEAD_BYTES: usize = 5;
/// A longer message is cut: header lists are bounded on the client's side.
const MESSAGE_BYTES_MAX: usize = 1_000;

pub(crate) async fn traces(State(door): State<Door>, request: Request) -> Response {
    answer(&door, Signal::Span, request).await
}

pub(crate) async fn logs(State(door): State<Door>, request: Request) -> Response {
    answer(&door, Signal::Log, request).await
}

pub(crate) async fn metrics(State(door): State<Door>, request: Request) -> Response {
    answer(&door, Signal::Metric, request).await
}

async fn answer(door: &Door, signal: Signal, request: Request) -> Response {
    let is_grpc = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value == "application/grpc" || value.starts_with("application/grpc+proto"));
    if !is_grpc {
        let mut response = Response::new(Body::from("send application/grpc\n"));
        *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return response;
    }
    match take(door, signal, request).await {
        Ok(message) => succeeded(&message),
        Err(failure) => {
            door.count(signal, &failure);
            failed(&failure)
        }
    }
}

async fn take(door: &Door, signal: Signal, request: Request) -> Result<Vec<u8>, Failure> {
    let (parts, body) = request.into_parts();
    let caller = door.caller(&parts.headers).await?;
    let bytes_max = door.intake.limits.body_bytes_max + FRAME_HEAD_BYTES;
    let (body, room) = door.read(&parts.headers, body, bytes_max).await?;
    let (compressed, message) = unframe(body)?;
    let encoding = if compressed {
        let encoding = parts.headers.get(GRPC_ENCODING).and_then(|value| value.to_str().ok());
        // A compressed frame without the name of its compression breaks the protocol.
        Some(
            encoding
                .ok_or_else(|| Failure::Malformed("frame is compressed, grpc-encoding is missing".into()))?,
        )
    } else {
        None
    };
    let notes = door
        .export(&caller, signal, Some(Format::Protobuf), encoding, &parts.headers, (message, room))
        .await?;
    Ok(reply::success(signal, Format::Protobuf, &notes))
}

/// The one message of a unary call, and whether it is compressed.
pub(crate) fn unframe(mut body: Bytes) -> Result<(bool, Bytes), Failure> {
    let malformed = |reason: &str| Failure::Malformed(reason.to_owned());
    if body.len() < FRAME_HEAD_BYTES {
        return Err(malformed("call has no message"));
    }
    let flag = body.get_u8();
    let len = body.get_u32() as usize;
    if body.len() != len {
        return Err(malformed("length of the frame differs from that of the body"));
    }
    match flag {
        0 => Ok((false, body)),
        1 => Ok((true, body)),
        _ => Err(malformed("flags of the frame are not known")),
    }
}

fn succeeded(message: &[u8]) -> Response {
    let mut frame = Vec::with_capacity(FRAME_HEAD_BYTES + message.len());
    frame.push(0);
    // Replies have a few hundred bytes.
    frame.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    frame.extend_from_slice(message);
    let mut trailers = HeaderMap::new();
    trailers.insert(GRPC_STATUS, HeaderValue::from_static("0"));
    let body = Full::new(Bytes::from(frame)).with_trailers(std::future::ready(Some(Ok(trailers))));
    let mut response = Response::new(Body::new(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

/// A reply without a message: its only header block is the trailer.
fn failed(failure: &Failure) -> Response {
    let code = match failure {
        Failure::KeyMissing | Failure::KeyUnknown => 16,
        Failure::KeyMayNot | Failure::DatasetUnknown => 7,
        Failure::Malformed(_) => 3,
        // Both are RESOURCE_EXHAUSTED; clients try again only when told how long to wait.
        Failure::TooLarge(_) | Failure::Busy { .. } | Failure::Sink(SinkError::Busy { .. }) => 8,
        Failure::UnknownEncoding(_) => 12,
        Failure::Sink(SinkError::Unavailable { .. }) | Failure::SettingsUnavailable => 14,
    };
    let message = failure.to_string();
    let message = &message[..message.floor_char_boundary(MESSAGE_BYTES_MAX)];
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(GRPC_STATUS, HeaderValue::from(code));
    if let Ok(message) = HeaderValue::from_str(&percent_encode(message)) {
        headers.insert(GRPC_MESSAGE, message);
    }
    if matches!(failure, Failure::UnknownEncoding(_)) {
        headers.insert(GRPC_ACCEPT_ENCODING, HeaderValue::from_static("identity,gzip,deflate,zstd"));
    }
    if let Some(retry_after_ms) = failure.retry_after_ms() {
        let details = reply::status(Format::Protobuf, code, message, Some(retry_after_ms));
        for (name, bytes) in [(GRPC_STATUS_DETAILS, details), (RETRY_INFO, reply::retry_info(retry_after_ms))]
        {
            if let Ok(value) = HeaderValue::from_str(&STANDARD_NO_PAD.encode(bytes)) {
                headers.insert(name, value);
            }
        }
    }
    response
}

/// As gRPC wants `grpc-message`: printable ASCII but for the percent sign, the rest as `%XX`.
fn percent_encode(message: &str) -> String {
    let mut encoded = String::with_capacity(message.len());
    for byte in message.bytes() {
        if (0x20..=0x7e).contains(&byte) && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_checked() {
        assert!(
            matches!(unframe(Bytes::from_static(&[0, 0, 0, 0, 2, 7, 8])), Ok((false, message)) if message[..] == [7, 8])
        );
        assert!(matches!(unframe(Bytes::from_static(&[1, 0, 0, 0, 0])), Ok((true, _))));
        for bad in [
            &[][..],
            &[0, 0, 0, 0],
            &[0, 0, 0, 0, 1],
            &[0, 0, 0, 0, 0, 9],
            &[2, 0, 0, 0, 0],
            &[0, 255, 255, 255, 255],
        ] {
            assert!(unframe(Bytes::from_static(bad)).is_err(), "{bad:?}");
        }
        assert_eq!(percent_encode("50% é\n"), "50%25 %C3%A9%0A");
    }
}
