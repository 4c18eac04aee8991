//! How severe an event says it is: a field of a JSON message, or a word at the start of a text. The row writer asks; the
//! answer is the word as it stands there and OpenTelemetry's number.

use tracery_model::Value;

/// The start of a text in which a level is looked for: a time, a name and the level fit.
const TEXT_BYTES_MAX: usize = 160;
const TOKENS_MAX: usize = 8;

/// Fields that tell a level.
const FIELDS: [&str; 4] = ["level", "severity", "levelname", "log.level"];

/// The level that a field of a JSON message tells.
pub(crate) fn of_field<'m>(name: &str, value: Value<'m>) -> Option<(&'m str, i64)> {
    if !FIELDS.contains(&name) {
        return None;
    }
    match value {
        Value::Str(word) => Some((word, number(word.trim())?)),
        // Loggers of Node.js write numbers.
        Value::Int(level) => match level {
            10 => Some(("trace", 1)),
            20 => Some(("debug", 5)),
            30 => Some(("info", 9)),
            40 => Some(("warn", 13)),
            50 => Some(("error", 17)),
            60 => Some(("fatal", 21)),
            _ => None,
        },
        _ => None,
    }
}

/// The level at the start of a text: in brackets, in capitals, or before a colon.
pub(crate) fn of_text(text: &str) -> Option<(&str, i64)> {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let line = text[..end].lines().next().unwrap_or_default();
    for token in line.split_ascii_whitespace().take(TOKENS_MAX) {
        let bare = token.trim_start_matches(['[', '(', '<', '{', '|', '"']);
        let word_end = bare.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(bare.len());
        let (word, rest) = bare.split_at(word_end);
        let is_marked = bare.len() < token.len() && rest.starts_with([']', ')', '>', '}', '|', '"', ':'])
            || rest.starts_with(':')
            || word.bytes().all(|byte| byte.is_ascii_uppercase())
                && !rest.starts_with(['-', '_', '/', '=', '.']);
        if is_marked && let Some(number) = number(word) {
            return Some((word, number));
        }
    }
    None
}

/// OpenTelemetry's number of a word, in any case of letters.
fn number(word: &str) -> Option<i64> {
    const WORDS: &[(&str, i64)] = &[
        ("TRACE", 1),
        ("VERBOSE", 3),
        ("DEBUG", 5),
        ("INFO", 9),
        ("INFORMATION", 9),
        ("NOTICE", 10),
        ("WARN", 13),
        ("WARNING", 13),
        ("ERROR", 17),
        ("ERR", 17),
        ("SEVERE", 17),
        ("CRITICAL", 21),
        ("CRIT", 21),
        ("FATAL", 21),
        ("ALERT", 22),
        ("PANIC", 23),
        ("EMERG", 24),
        ("EMERGENCY", 24),
    ];
    WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, number)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_tells_its_level_at_its_start() {
        for (text, level) in [
            ("ERROR timeout", Some(("ERROR", 17))),
            ("Error: no such file", Some(("Error", 17))),
            ("[WARN] slow", Some(("WARN", 13))),
            ("[info] started", Some(("info", 9))),
            ("INFO:werkzeug:127.0.0.1", Some(("INFO", 9))),
            ("2026-11-23T03:00:00.123Z DEBUG x", Some(("DEBUG", 5))),
            ("[2026-11-23 03:00:00 +0000] [17] [CRITICAL] x", Some(("CRITICAL", 21))),
            ("[INFO]\t2026-11-23T03:00:00Z\tid\tmessage", Some(("INFO", 9))),
            ("2026/11/23 03:00:00 [error] 7#7: *1 open()", Some(("error", 17))),
            ("no error here", None),
            ("the ERROR_CODE was 5", None),
            ("first line\nERROR second", None),
            ("", None),
            ("é[", None),
        ] {
            assert_eq!(of_text(text), level, "{text}");
        }
    }

    #[test]
    fn a_field_tells_a_level_as_a_word_or_a_number() {
        for (name, value, level) in [
            ("level", Value::Str("warning"), Some(("warning", 13))),
            ("levelname", Value::Str("INFO"), Some(("INFO", 9))),
            ("level", Value::Int(50), Some(("error", 17))),
            ("level", Value::Int(3), None),
            ("severity", Value::Str("high"), None),
            ("user.level", Value::Str("INFO"), None),
        ] {
            assert_eq!(of_field(name, value), level, "{name} {value:?}");
        }
    }
}
