//! The framing of `application/vnd.amazon.eventstream`, in which Live Tail answers. Doors encode one message at a time into
//! the body; the decoder serves tests and tools. A decoded message's lengths and checksums are right.

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;
use thiserror::Error;

/// The content type of a body of such messages.
pub const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";

const PRELUDE_BYTES: usize = 12;
const CHECKSUM_BYTES: usize = 4;
/// The format's own bounds: 24 MiB of payload, 128 KiB of headers.
const PAYLOAD_BYTES_MAX: usize = 24 << 20;
const HEADERS_BYTES_MAX: usize = 128 << 10;
/// A header's name has one byte of length, its value two.
const NAME_BYTES_MAX: usize = u8::MAX as usize;
const VALUE_BYTES_MAX: usize = i16::MAX as usize;
const TYPE_TEXT: u8 = 7;

/// The kind of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MessageType {
    Event,
    Exception,
}

/// A message whose headers are texts, which is all that services send here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    pub headers: Vec<(String, String)>,
    pub payload: Bytes,
}

/// Why bytes are not a message, or a message cannot be written.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum EventStreamError {
    #[error("the message is cut off")]
    Incomplete,
    #[error("the lengths in the prelude do not fit")]
    Lengths,
    #[error("a checksum does not match")]
    Checksum,
    #[error("a header cannot be read")]
    Header,
    #[error("the message is larger than the format allows")]
    TooLarge,
}

/// The message that opens every stream over AWS JSON: clients wait for it.
pub fn initial_response() -> Message {
    let headers = [(":event-type", "initial-response"), (":content-type", "application/x-amz-json-1.1")];
    Message::with(&headers, MessageType::Event, Bytes::from_static(b"{}"))
}

/// A message of the generated event types: `message` is what their method of that name says.
pub fn event(
    (kind, name): (MessageType, &str),
    event: &impl Serialize,
) -> Result<Message, serde_json::Error> {
    let name_header = match kind {
        MessageType::Event => ":event-type",
        MessageType::Exception => ":exception-type",
    };
    let headers = [(name_header, name), (":content-type", "application/json")];
    Ok(Message::with(&headers, kind, serde_json::to_vec(event)?.into()))
}

impl Message {
    fn with(headers: &[(&str, &str)], kind: MessageType, payload: Bytes) -> Self {
        let kind = match kind {
            MessageType::Event => "event",
            MessageType::Exception => "exception",
        };
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let headers = headers.iter().chain([&(":message-type", kind)]).map(owned).collect();
        Self { headers, payload }
    }

    /// The bytes on the wire.
    pub fn encode(&self) -> Result<Bytes, EventStreamError> {
        let mut headers = BytesMut::new();
        for (name, value) in &self.headers {
            if name.is_empty() || name.len() > NAME_BYTES_MAX || value.len() > VALUE_BYTES_MAX {
                return Err(EventStreamError::Header);
            }
            headers.put_u8(name.len() as u8);
            headers.put_slice(name.as_bytes());
            headers.put_u8(TYPE_TEXT);
            headers.put_u16(value.len() as u16);
            headers.put_slice(value.as_bytes());
        }
        if headers.len() > HEADERS_BYTES_MAX || self.payload.len() > PAYLOAD_BYTES_MAX {
            return Err(EventStreamError::TooLarge);
        }
        let total = PRELUDE_BYTES + headers.len() + self.payload.len() + CHECKSUM_BYTES;
        let mut message = BytesMut::with_capacity(total);
        message.put_u32(total as u32);
        message.put_u32(headers.len() as u32);
        message.put_u32(crc32fast::hash(&message));
        message.put_slice(&headers);
        message.put_slice(&self.payload);
        message.put_u32(crc32fast::hash(&message));
        Ok(message.freeze())
    }

    /// The first message of `bytes` and how many bytes it took. [`EventStreamError::Incomplete`] means that more
    /// bytes may make it whole.
    pub fn decode(bytes: &[u8]) -> Result<(Self, usize), EventStreamError> {
        let word = |at: usize| -> Result<u32, EventStreamError> {
            let word = bytes.get(at..at + 4).and_then(|word| word.try_into().ok());
            word.map(u32::from_be_bytes).ok_or(EventStreamError::Incomplete)
        };
        let (total, headers_len) = (word(0)? as usize, word(4)? as usize);
        if word(8)? != crc32fast::hash(&bytes[..8]) {
            return Err(EventStreamError::Checksum);
        }
        let around = PRELUDE_BYTES + CHECKSUM_BYTES;
        if headers_len > HEADERS_BYTES_MAX || total > around + HEADERS_BYTES_MAX + PAYLOAD_BYTES_MAX {
            return Err(EventStreamError::TooLarge);
        }
        if total < around + headers_len {
            return Err(EventStreamError::Lengths);
        }
        let message = bytes.get(..total).ok_or(EventStreamError::Incomplete)?;
        let (content, _) = message.split_at(total - CHECKSUM_BYTES);
        if word(total - CHECKSUM_BYTES)? != crc32fast::hash(content) {
            return Err(EventStreamError::Checksum);
        }
        let (headers, payload) = content[PRELUDE_BYTES..].split_at(headers_len);
        let headers = decode_headers(headers).ok_or(EventStreamError::Header)?;
        Ok((Self { headers, payload: Bytes::copy_from_slice(payload) }, total))
    }
}

fn decode_headers(mut bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let mut headers = Vec::new();
    while let Some((&name_len, rest)) = bytes.split_first() {
        let (name, rest) = rest.split_at_checked(name_len.into())?;
        let (kind, rest) = rest.split_first()?;
        let (value_len, rest) = rest.split_first_chunk::<2>()?;
        let (value, rest) = rest.split_at_checked(u16::from_be_bytes(*value_len).into())?;
        if *kind != TYPE_TEXT {
            return None;
        }
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        headers.push((text(name)?, text(value)?));
        bytes = rest;
    }
    Some(headers)
}
