//! The form of an envelope: a header of one line of JSON, then items, each a header of one line and a payload that is as
//! long as the header says, or a line. What is damaged ends the reading; the items before it are kept.

use serde_json::{Map, Value};

/// Items of one envelope.
const ITEMS_MAX: usize = 1_000;

/// An envelope. Payloads are parts of what was sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Envelope<'b> {
    pub(crate) header: Map<String, Value>,
    pub(crate) items: Vec<Item<'b>>,
    /// Whether everything could be read.
    pub(crate) is_whole: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item<'b> {
    pub(crate) kind: String,
    pub(crate) payload: &'b [u8],
}

impl<'b> Envelope<'b> {
    /// `None` when there is no header.
    pub(crate) fn read(body: &'b [u8]) -> Option<Self> {
        let (first, mut rest) = line(body);
        let header: Map<String, Value> = serde_json::from_slice(first).ok()?;
        let mut envelope = Self { header, items: Vec::new(), is_whole: true };
        while !rest.trim_ascii().is_empty() {
            // Some SDKs put empty lines between items.
            if rest.first() == Some(&b'\n') {
                rest = &rest[1..];
                continue;
            }
            let (head, after) = line(rest);
            let Ok(head) = serde_json::from_slice::<Map<String, Value>>(head) else {
                envelope.is_whole = false;
                break;
            };
            let length =
                head.get("length").and_then(Value::as_u64).and_then(|length| usize::try_from(length).ok());
            let payload = match length {
                Some(length) if length > after.len() => {
                    envelope.is_whole = false;
                    break;
                }
                Some(length) => {
                    rest = &after[length..];
                    &after[..length]
                }
                None => {
                    let (payload, behind) = line(after);
                    rest = behind;
                    payload
                }
            };
            if envelope.items.len() == ITEMS_MAX {
                envelope.is_whole = false;
                break;
            }
            let kind = head.get("type").and_then(Value::as_str).unwrap_or("unknown").to_owned();
            envelope.items.push(Item { kind, payload });
        }
        Some(envelope)
    }
}

/// The first line, and what follows it.
fn line(text: &[u8]) -> (&[u8], &[u8]) {
    match text.iter().position(|byte| *byte == b'\n') {
        Some(end) => (text[..end].strip_suffix(b"\r").unwrap_or(&text[..end]), &text[end + 1..]),
        None => (text, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(body: &[u8]) -> (Vec<(String, String)>, bool) {
        let read = Envelope::read(body).unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (read.items.iter().map(|item| (item.kind.clone(), text(item.payload))).collect(), read.is_whole)
    }

    #[test]
    fn items_are_as_long_as_they_say_or_a_line() {
        let own = |kind: &str, payload: &str| (kind.to_owned(), payload.to_owned());
        for (body, items, is_whole) in [
            ("{}", vec![], true),
            ("{}\n", vec![], true),
            ("{}\n{\"type\":\"event\",\"length\":5}\n{\n\n }\n", vec![own("event", "{\n\n }")], true),
            (
                "{}\r\n{\"type\":\"event\"}\n{}\n\n{\"type\":\"session\",\"length\":2}\n{}",
                vec![own("event", "{}"), own("session", "{}")],
                true,
            ),
            ("{}\n{\"type\":\"event\"}", vec![own("event", "")], true),
            (
                "{}\n{\"type\":\"event\"}\n{}\n{\"type\":\"a\",\"length\":9}\n{}",
                vec![own("event", "{}")],
                false,
            ),
            ("{}\n{\"type\":\"event\"}\n{}\nodd", vec![own("event", "{}")], false),
            ("{}\n{\"length\":0}\n\n{\"type\":\"b\"}\nx", vec![own("unknown", ""), own("b", "x")], true),
        ] {
            assert_eq!(kinds(body.as_bytes()), (items, is_whole), "{body}");
        }
        for body in ["", "\n", "x", "[]", "{"] {
            assert_eq!(Envelope::read(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn damaged_envelopes_never_panic() {
        let seeds = tracery_testkit::seeds("sentry_envelope");
        assert!(seeds.iter().all(|seed| Envelope::read(seed).is_some_and(|read| !read.items.is_empty())));
        tracery_testkit::each_mutation(&seeds, 5_000, |body| {
            let Some(read) = Envelope::read(body) else { return };
            assert!(read.items.iter().map(|item| item.payload.len()).sum::<usize>() <= body.len());
        });
    }
}
