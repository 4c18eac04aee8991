//! Answers and errors as the clients of the two protocols read them. Doors and the other modules make an [`Error`];
//! [`Protocol`] turns it, or an encoded answer, into status, headers and body. Every answer carries a request id.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value};

/// How a service speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protocol {
    /// X-Ray: an operation a path, `Message` in errors, statuses of the model.
    RestJson,
    /// CloudWatch Logs: an operation a header, `__type` and `message` in errors, 400 for all that a client got wrong.
    Json11,
}

/// An error that a model declares.
#[derive(Debug, Eq, PartialEq)]
pub struct ErrorSpec {
    pub code: &'static str,
    pub status: u16,
}

/// An error for the client, in the vendor's words.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{code}: {message}", message = .message.as_deref().unwrap_or_default())]
pub struct Error {
    pub code: Cow<'static, str>,
    pub status: u16,
    /// Absent where the vendor's error has none.
    pub message: Option<String>,
    /// Members beyond the message, by their wire names.
    pub members: Map<String, Value>,
}

impl Error {
    /// An error that the model declares.
    pub fn new(spec: &'static ErrorSpec, message: impl Into<String>) -> Self {
        Self::common(spec.code, spec.status, message)
    }

    /// An error that no model declares but every service may answer.
    pub fn common(code: impl Into<Cow<'static, str>>, status: u16, message: impl Into<String>) -> Self {
        Self { code: code.into(), status, message: Some(message.into()), members: Map::new() }
    }

    /// The same without a message.
    pub fn bare(code: impl Into<Cow<'static, str>>, status: u16) -> Self {
        Self { code: code.into(), status, message: None, members: Map::new() }
    }

    /// With a member such as `expectedSequenceToken`.
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.members.insert(member.to_owned(), value.into());
        self
    }

    /// A request that is not what its operation takes.
    pub fn serialization(message: impl Into<String>) -> Self {
        Self::common("SerializationException", 400, message)
    }

    /// The body is larger than the service takes.
    pub fn too_large() -> Self {
        Self::bare("RequestEntityTooLargeException", 413)
    }

    /// The service failed; the reason is in its log and not in the answer.
    pub fn internal() -> Self {
        Self::common("InternalFailure", 500, "The request processing has failed because of an unknown error.")
    }
}

/// A response whose body is whole.
pub type Answer = Response<Bytes>;

impl Protocol {
    /// The content type of answers.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::RestJson => "application/json",
            Self::Json11 => "application/x-amz-json-1.1",
        }
    }

    /// A successful answer.
    pub fn answer(self, body: impl Into<Bytes>, request_id: &str) -> Answer {
        self.response(StatusCode::OK, body.into(), request_id)
    }

    /// An error's answer.
    pub fn error(self, error: &Error, request_id: &str) -> Answer {
        let mut body = Map::new();
        body.insert("__type".to_owned(), Value::from(error.code.as_ref()));
        if let Some(message) = &error.message {
            body.insert(self.message_member().to_owned(), Value::from(message.as_str()));
        }
        body.extend(error.members.clone());
        let status = match self {
            // What a client got wrong is a 400 in this protocol, whatever it was.
            Self::Json11 if error.status < 500 && error.status != 413 => StatusCode::BAD_REQUEST,
            _ => StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        };
        let mut response = self.response(status, Value::Object(body).to_string().into(), request_id);
        if let Ok(code) = HeaderValue::from_str(&error.code) {
            response.headers_mut().insert("x-amzn-errortype", code);
        }
        response
    }

    fn message_member(self) -> &'static str {
        match self {
            Self::RestJson => "Message",
            Self::Json11 => "message",
        }
    }

    fn response(self, status: StatusCode, body: Bytes, request_id: &str) -> Answer {
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type()));
        if let Ok(request_id) = HeaderValue::from_str(request_id) {
            headers.insert("x-amzn-requestid", request_id);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_reads_as_each_protocol_writes_it() {
        let missing = Error::new(&crate::xray::errors::RESOURCE_NOT_FOUND_EXCEPTION, "no such rule")
            .with("ResourceName", "arn:x");
        let cases = [
            (
                Protocol::RestJson,
                404,
                r#"{"__type":"ResourceNotFoundException","Message":"no such rule","ResourceName":"arn:x"}"#,
            ),
            (
                Protocol::Json11,
                400,
                r#"{"__type":"ResourceNotFoundException","message":"no such rule","ResourceName":"arn:x"}"#,
            ),
        ];
        for (protocol, status, body) in cases {
            let answer = protocol.error(&missing, "id-1");
            assert_eq!(answer.status(), status);
            assert_eq!(answer.headers()["x-amzn-requestid"], "id-1");
            assert_eq!(answer.headers()["x-amzn-errortype"], "ResourceNotFoundException");
            assert_eq!(answer.headers()["content-type"], protocol.content_type());
            assert_eq!(answer.body(), body);
        }
    }

    #[test]
    fn a_failure_is_the_servers_in_both() {
        for protocol in [Protocol::RestJson, Protocol::Json11] {
            assert_eq!(protocol.error(&Error::internal(), "id").status(), 500);
        }
    }
}
