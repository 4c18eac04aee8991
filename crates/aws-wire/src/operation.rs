//! From a request's bytes to the type of its operation, and from an answer's type to bytes. Doors call `decode` once
//! they know the operation; what comes out has every required member and keeps to every limit of the model.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::answer::{Error, ErrorSpec, Protocol};
use crate::check;
use crate::shape::Structure;

/// An operation as the model describes it.
#[derive(Debug)]
pub struct Spec {
    pub name: &'static str,
    pub path: &'static str,
    pub input: &'static Structure,
    /// The code of the error that a broken constraint gives.
    pub invalid: &'static str,
    /// The errors it declares.
    pub errors: &'static [&'static ErrorSpec],
}

/// A request type: it knows its operation and the type of its answer.
pub trait Call: DeserializeOwned {
    type Output: Serialize;
    const SPEC: &'static Spec;
}

/// The request in an (inflated) body of at most `bytes_max`. An empty body, or `null`, is a request without members.
/// Unknown members are ignored and a null member is an absent one.
///
/// Fails with `SerializationException` for what is not JSON of the right types, and with the operation's own error for
/// a broken constraint; the latter names no more than 32 of them.
pub fn decode<C: Call>(body: &[u8], bytes_max: usize) -> Result<C, Error> {
    let value = checked(C::SPEC, body, bytes_max)?;
    // What passed the check fits the type; should generator and checker ever disagree, the client hears of it.
    serde_json::from_value(value).map_err(|error| Error::serialization(error.to_string()))
}

/// The checked request as JSON: the wire's own names, numbers made whole where the model wants whole ones.
pub fn checked(spec: &'static Spec, body: &[u8], bytes_max: usize) -> Result<Value, Error> {
    if body.len() > bytes_max {
        return Err(Error::too_large());
    }
    let mut value = match body.iter().all(u8::is_ascii_whitespace) {
        true => Value::Null,
        // The parser stops at a depth of 128.
        false => serde_json::from_slice(body)
            .map_err(|error| Error::serialization(format!("the request body is not JSON: {error}")))?,
    };
    if value.is_null() {
        value = Value::Object(Map::new());
    }
    check::check(spec, &mut value)?;
    Ok(value)
}

/// The body of a successful answer.
pub fn encode<C: Call>(output: &C::Output) -> Result<Bytes, Error> {
    let body = serde_json::to_vec(output).map_err(|_| Error::internal())?;
    // An operation without an answer has an empty object: both protocols' clients read it.
    Ok(if body == b"null" { Bytes::from_static(b"{}") } else { body.into() })
}

/// What a request for an operation that does not exist, or is not built, gets.
pub fn unknown_operation(protocol: Protocol) -> Error {
    match protocol {
        Protocol::RestJson => Error::bare("UnknownOperationException", 404),
        Protocol::Json11 => Error::bare("UnknownOperationException", 400),
    }
}
