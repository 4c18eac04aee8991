//! `@ptr`: what names one event. A query writes it into raw rows, GetLogRecord reads it back. It is opaque to clients:
//! base64 of the group's name, a zero byte, and 56 digits that are the event's place in the order of all events.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Longer pointers are not ours: a group's name has at most 512 bytes.
const POINTER_BYTES_MAX: usize = 1_024;
const TIME_DIGITS: usize = 13;
const RECEIVED_DIGITS: usize = 19;
const ORDINAL_DIGITS: usize = 5;
const STREAM_DIGITS: usize = 19;
const ID_DIGITS: usize = TIME_DIGITS + RECEIVED_DIGITS + ORDINAL_DIGITS + STREAM_DIGITS;

/// What a pointer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    pub group: String,
    /// Milliseconds.
    pub time_ms: i64,
    pub received_ns: i64,
    pub ordinal: i64,
    /// Of the group's and the stream's names.
    pub(super) stream_hash: u64,
}

impl Pointer {
    pub(super) fn new(group: &str, time_ms: i64, received_ns: i64, ordinal: i64, stream: &str) -> Self {
        Self { group: group.to_owned(), time_ms, received_ns, ordinal, stream_hash: hash(group, stream) }
    }

    /// `None` for what no query gave.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > POINTER_BYTES_MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
        let text = std::str::from_utf8(&bytes).ok()?;
        let (group, id) = text.split_once('\0')?;
        if id.len() != ID_DIGITS || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (time, id) = id.split_at(TIME_DIGITS);
        let (received, id) = id.split_at(RECEIVED_DIGITS);
        let (ordinal, stream) = id.split_at(ORDINAL_DIGITS);
        Some(Self {
            group: group.to_owned(),
            time_ms: time.parse().ok()?,
            received_ns: received.parse().ok()?,
            ordinal: ordinal.parse().ok()?,
            stream_hash: stream.parse().ok()?,
        })
    }

    pub(super) fn print(&self) -> String {
        let Self { group, time_ms, received_ns, ordinal, stream_hash } = self;
        URL_SAFE_NO_PAD.encode(format!(
            "{group}\0{:0TIME_DIGITS$}{:0RECEIVED_DIGITS$}{:0ORDINAL_DIGITS$}{stream_hash:0STREAM_DIGITS$}",
            time_ms.max(&0),
            received_ns.max(&0),
            ordinal.max(&0),
        ))
    }
}

/// The hash of a stream in event ids (FNV-1a), the same on every machine and day.
pub(super) fn hash(group: &str, stream: &str) -> u64 {
    let bytes = group.bytes().chain([0]).chain(stream.bytes());
    let mixed = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    mixed % 10_000_000_000_000_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_reads_back_and_nothing_else_is_one() {
        let pointer = Pointer::new("/aws/lambda/ä", 1_795_402_800_123, 1_795_402_801_000_000_000, 7, "a/b");
        let text = pointer.print();
        assert_eq!(Pointer::parse(&text), Some(pointer));
        let other = URL_SAFE_NO_PAD.encode("group\0123");
        for wrong in ["", "x", "!!", other.as_str(), &text[..text.len() - 2], &"A".repeat(2_000)] {
            assert_eq!(Pointer::parse(wrong), None, "{wrong}");
        }
    }
}
