//! What the client reads: `Export…ServiceResponse` with its partial success, and `google.rpc.Status` for requests
//! that failed as a whole, both in the form the client spoke.

use serde_json::json;
use tracery_model::Signal;

use crate::decode::Format;
use crate::notes::Notes;
use crate::wire::Writer;

/// The response to a request that was taken. Without rejected records and remarks it is the empty message.
pub(crate) fn success(signal: Signal, format: Format, notes: &Notes) -> Vec<u8> {
    let rejected = i64::try_from(notes.rejected()).unwrap_or(i64::MAX);
    let message = notes.message();
    match format {
        Format::Protobuf => {
            let Some(message) = message else { return Vec::new() };
            let mut partial_success = Writer::default();
            if rejected > 0 {
                partial_success.int64(1, rejected);
            }
            partial_success.bytes(2, message.as_bytes());
            let mut response = Writer::default();
            response.bytes(1, &partial_success.bytes);
            response.bytes
        }
        Format::Json => {
            let Some(message) = message else { return b"{}".to_vec() };
            let field = match signal {
                Signal::Log => "rejectedLogRecords",
                Signal::Metric => "rejectedDataPoints",
                Signal::Span | Signal::Error => "rejectedSpans",
            };
            let mut partial_success = json!({ "errorMessage": message });
            if rejected > 0 {
                partial_success[field] = json!(rejected.to_string());
            }
            json!({ "partialSuccess": partial_success }).to_string().into_bytes()
        }
    }
}

/// A `google.rpc.Status`; `code` is gRPC's number. A delay is added as `google.rpc.RetryInfo`.
pub(crate) fn status(format: Format, code: u32, message: &str, retry_after_ms: Option<u64>) -> Vec<u8> {
    match format {
        Format::Protobuf => {
            let mut status = Writer::default();
            status.varint(1, u64::from(code));
            status.bytes(2, message.as_bytes());
            if let Some(retry_after_ms) = retry_after_ms {
                let mut any = Writer::default();
                any.bytes(1, b"type.googleapis.com/google.rpc.RetryInfo");
                any.bytes(2, &retry_info(retry_after_ms));
                status.bytes(3, &any.bytes);
            }
            status.bytes
        }
        Format::Json => {
            let mut status = json!({ "code": code, "message": message });
            if let Some(retry_after_ms) = retry_after_ms {
                let delay = format!("{}.{:03}s", retry_after_ms / 1000, retry_after_ms % 1000);
                status["details"] =
                    json!([{ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay }]);
            }
            status.to_string().into_bytes()
        }
    }
}

/// A `google.rpc.RetryInfo`.
pub(crate) fn retry_info(retry_after_ms: u64) -> Vec<u8> {
    let mut duration = Writer::default();
    duration.varint(1, retry_after_ms / 1000);
    duration.varint(2, retry_after_ms % 1000 * 1_000_000);
    let mut retry_info = Writer::default();
    retry_info.bytes(1, &duration.bytes);
    retry_info.bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notes::Note;

    #[test]
    fn replies_have_the_form_of_the_request() {
        let mut notes = Notes::default();
        assert_eq!(success(Signal::Span, Format::Protobuf, &notes), b"");
        assert_eq!(success(Signal::Log, Format::Json, &notes), b"{}");
        notes.add_many(Note::TraceId, 3);
        let protobuf = success(Signal::Span, Format::Protobuf, &notes);
        assert_eq!(&protobuf[..6], &[0x0a, 65, 0x08, 3, 0x12, 61], "{protobuf:?}");
        let json: serde_json::Value =
            serde_json::from_slice(&success(Signal::Metric, Format::Json, &notes)).unwrap();
        assert_eq!(json["partialSuccess"]["rejectedDataPoints"], "3");
        assert_eq!(
            String::from_utf8(status(Format::Json, 14, "later", Some(1500))).unwrap(),
            r#"{"code":14,"message":"later","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.500s"}]}"#
        );
        assert_eq!(status(Format::Protobuf, 3, "no", None), [8, 3, 0x12, 2, b'n', b'o']);
    }
}
