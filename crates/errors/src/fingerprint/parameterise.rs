//! Texts without what changes from one time to the next: numbers, ids, addresses, dates. Two messages that say the same of
//! different things become one.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Longer texts are cut before they are looked at; what is the same in the beginning is the same.
const TEXT_BYTES_MAX: usize = 4_096;

/// What is replaced, by the name that stands for it; the first that fits at a place wins.
const KINDS: [(&str, &str); 13] = [
    ("email", r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    ("url", r#"\b(?:https?|wss?|ftp|file|[a-z]+\+[a-z]+)://[^\s"'<>)\]]+"#),
    ("traceparent", r"\b[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\b"),
    ("uuid", r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b"),
    ("ip", r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?\b|\b(?:[0-9a-fA-F]{1,4}:){3,7}:?[0-9a-fA-F]{1,4}\b"),
    ("date", r"\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?\b"),
    ("time", r"\b\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\b"),
    (
        "duration",
        r"\b\d+(?:\.\d+)?(?:ns|us|µs|ms|s|sec|secs|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)\b",
    ),
    ("hex", r"\b0[xX][0-9a-fA-F]+\b"),
    ("hash", r"\b(?:[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{32})\b"),
    ("id", r"\b(?:[a-f]*[0-9][0-9a-f]*[a-f][0-9a-f]*|[a-f][0-9a-f]*[0-9][0-9a-f]*)\b"),
    ("float", r"[-+]?\b\d+\.\d+(?:[eE][-+]?\d+)?\b"),
    ("int", r"\b\d+\b"),
];

static PATTERN: LazyLock<Regex> = LazyLock::new(|| {
    let kinds = KINDS.map(|(name, pattern)| format!("(?P<{name}>{pattern})"));
    Regex::new(&kinds.join("|")).expect("a constant")
});

/// Shorter runs of letters and digits are words as often as ids.
const ID_CHARS_MIN: usize = 7;

/// The text with placeholders such as `<uuid>` for what changes, cut to 4 KiB.
pub(crate) fn parameterised(text: &str) -> String {
    let text = cut(text, TEXT_BYTES_MAX);
    let replaced = PATTERN.replace_all(text, |found: &Captures<'_>| {
        let kind = KINDS.iter().find(|(name, _)| found.name(name).is_some()).map_or("", |(name, _)| *name);
        if kind == "id" && found[0].len() < ID_CHARS_MIN {
            return found[0].to_owned();
        }
        format!("<{kind}>")
    });
    replaced.into_owned()
}

/// The beginning of a text, of whole characters.
pub(crate) fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_becomes_a_placeholder() {
        for (text, wanted) in [
            ("Hello World!", "Hello World!"),
            ("user 42 not found", "user <int> not found"),
            ("Order #10023 failed after 1.5s", "Order #<int> failed after <duration>"),
            ("no route to 10.0.0.7:8080", "no route to <ip>"),
            ("mail to anna.b@example.co.uk bounced", "mail to <email> bounced"),
            ("GET https://example.com/a?b=1 gave 502", "GET <url> gave <int>"),
            ("row 6ba7b810-9dad-11d1-80b4-00c04fd430c8 is locked", "row <uuid> is locked"),
            ("at 2026-11-23T09:41:00.123Z and 09:41", "at <date> and <time>"),
            ("object at 0x7fa491c4dd00", "object at <hex>"),
            ("commit da39a3ee5e6b4b0d3255bfef95601890afd80709 is bad", "commit <hash> is bad"),
            ("build 3f2a1b9c is stale", "build <id> is stale"),
            ("decade facade a1 b2c", "decade facade a1 b2c"),
            ("ratio 0.25 of 3", "ratio <float> of <int>"),
            ("'NoneType' object is not subscriptable", "'NoneType' object is not subscriptable"),
            ("list index 5 out of range", "list index <int> out of range"),
            ("", ""),
        ] {
            assert_eq!(parameterised(text), wanted);
        }
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let text = "é".repeat(TEXT_BYTES_MAX);
        assert_eq!(parameterised(&text).len(), TEXT_BYTES_MAX);
    }
}
