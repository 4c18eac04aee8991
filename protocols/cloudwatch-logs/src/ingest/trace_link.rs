//! The trace, and the span in it, that an event says it belongs to: in a field of a JSON message, or anywhere in a text in
//! one of the forms that loggers write. The row writer asks. One pass over the text, which looks at runs of hex digits only.

use tracery_model::{SpanId, TraceId, Value};

/// What an event told of its trace so far. The first of each stays.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceLink {
    pub(crate) trace_id: Option<TraceId>,
    pub(crate) span_id: Option<SpanId>,
}

const TRACE_NAMES: [&str; 10] = [
    "trace_id",
    "traceId",
    "trace.trace_id",
    "trace.id",
    "xray_trace_id",
    "AWS-XRAY-TRACE-ID",
    "otelTraceID",
    "dd.trace_id",
    "traceid",
    "traceID",
];
const SPAN_NAMES: [&str; 9] =
    ["span_id", "spanId", "trace.span_id", "span.id", "otelSpanID", "@span", "Parent", "spanid", "spanID"];

impl TraceLink {
    /// Reads a field of a JSON message.
    pub(crate) fn field(&mut self, name: &str, value: Value<'_>) {
        let Value::Str(text) = value else { return };
        if self.trace_id.is_none() && TRACE_NAMES.contains(&name) {
            let text = text.trim();
            self.trace_id = trace(text);
            if self.trace_id.is_none() {
                self.text(text);
            }
        } else if self.span_id.is_none() && SPAN_NAMES.contains(&name) {
            self.span_id = span(text.trim());
        }
    }

    /// Reads a text.
    pub(crate) fn text(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            if !bytes[at].is_ascii_hexdigit() {
                at += 1;
                continue;
            }
            let start = at;
            while at < bytes.len() && bytes[at].is_ascii_hexdigit() {
                at += 1;
            }
            if !matches!(at - start, 16 | 24 | 32) {
                continue;
            }
            // A letter beside them makes them part of a word.
            let is_alone = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
            if !is_alone(bytes.get(at)) || !is_alone(start.checked_sub(1).and_then(|at| bytes.get(at))) {
                continue;
            }
            self.run(text, start, at);
            if self.trace_id.is_some() && self.span_id.is_some() {
                return;
            }
        }
    }

    /// A run of 16, 24 or 32 hex digits that stands alone.
    fn run(&mut self, text: &str, start: usize, end: usize) {
        let (before, digits, after) = (&text.as_bytes()[..start], &text[start..end], &text.as_bytes()[end..]);
        match digits.len() {
            16 if self.span_id.is_none() && is_named(before, &SPAN_NAMES) => self.span_id = span(digits),
            24 if self.trace_id.is_none() => {
                if let Some(epoch) = xray_epoch(before) {
                    self.trace_id = trace(&format!("{epoch}{digits}"));
                }
            }
            32 if self.trace_id.is_none() => {
                if is_named(before, &TRACE_NAMES) {
                    self.trace_id = trace(digits);
                } else if let Some(span_digits) = traceparent(before, after) {
                    self.trace_id = trace(digits);
                    self.span_id = self.span_id.or_else(|| span(span_digits));
                }
            }
            _ => {}
        }
    }
}

/// The eight digits of `1-xxxxxxxx-` that a text ends with.
fn xray_epoch(before: &[u8]) -> Option<&str> {
    let tail = &before[before.len().checked_sub(11)?..];
    let (head, epoch) = (&tail[..2], &tail[2..10]);
    let word_before = before.len().checked_sub(12).map(|at| before[at]);
    let fits = head == b"1-"
        && tail[10] == b'-'
        && epoch.iter().all(u8::is_ascii_hexdigit)
        && word_before.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    fits.then(|| std::str::from_utf8(epoch).ok()).flatten()
}

/// The span of a W3C `traceparent` around a trace id: `00-` before it, `-16 digits-2 digits` after.
fn traceparent<'t>(before: &[u8], after: &'t [u8]) -> Option<&'t str> {
    let fits = before.ends_with(b"00-")
        && after.len() >= 20
        && after[0] == b'-'
        && after[17] == b'-'
        && after[1..17].iter().chain(&after[18..20]).all(u8::is_ascii_hexdigit);
    fits.then(|| std::str::from_utf8(&after[1..17]).ok()).flatten()
}

/// Whether a text ends with one of the names and `=` or `:`, as `name=`, `name: `, `"name": "`.
fn is_named(before: &[u8], names: &[&str]) -> bool {
    const BETWEEN_BYTES_MAX: usize = 8;
    let is_between = |byte: &&u8| matches!(**byte, b'=' | b':' | b' ' | b'"' | b'\'' | b'\\');
    let between = before.iter().rev().take(BETWEEN_BYTES_MAX).take_while(is_between).count();
    let (name, between) = before.split_at(before.len() - between);
    if !between.iter().any(|byte| matches!(byte, b'=' | b':')) {
        return false;
    }
    names.iter().any(|known| {
        name.strip_suffix(known.as_bytes())
            .is_some_and(|rest| rest.last().is_none_or(|byte| !byte.is_ascii_alphanumeric()))
    })
}

fn trace(digits: &str) -> Option<TraceId> {
    TraceId::from_hex(&digits.to_ascii_lowercase())
}

fn span(digits: &str) -> Option<SpanId> {
    SpanId::from_hex(&digits.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "6b032f03a10328ac9bad3041624b853e";
    const SPAN: &str = "1f3bebbaafbf83e2";

    fn link(text: &str) -> (Option<String>, Option<String>) {
        let mut link = TraceLink::default();
        link.text(text);
        (link.trace_id.map(|id| id.to_string()), link.span_id.map(|id| id.to_string()))
    }

    #[test]
    fn a_text_names_its_trace_in_the_forms_that_loggers_write() {
        let xray = "1-6b032f03-a10328ac9bad3041624b853e";
        for (text, has_trace, has_span) in [
            (format!("AWS-XRAY-TRACE-ID: {xray} done"), true, false),
            (format!("Root={xray};Parent={SPAN};Sampled=1"), true, true),
            (format!("REPORT XRAY TraceId: {xray}\tSegmentId: {SPAN}"), true, false),
            (format!("x trace_id={TRACE} span_id={SPAN} y"), true, true),
            (format!("trace_id=\"{TRACE}\""), true, false),
            (format!("{{\"traceId\": \"{TRACE}\", \"spanId\": \"{SPAN}\"}}"), true, true),
            (format!("[trace.id={TRACE}]"), true, false),
            (format!("otelTraceID={} otelSpanID={SPAN}", TRACE.to_uppercase()), true, true),
            (format!("traceparent: 00-{TRACE}-{SPAN}-01"), true, true),
            (format!("digest {TRACE}"), false, false),
            (format!("my_trace_idx={TRACE}"), false, false),
            (format!("trace_id={TRACE}ab"), false, false),
            (format!("a{xray}"), false, false),
            (format!("trace_id={}", "0".repeat(32)), false, false),
            (format!("{SPAN}"), false, false),
            ("é=é".to_owned(), false, false),
        ] {
            let found = link(&text);
            assert_eq!(found.0.as_deref(), has_trace.then_some(TRACE), "{text}");
            assert_eq!(found.1.as_deref(), has_span.then_some(SPAN), "{text}");
        }
    }

    #[test]
    fn a_field_names_its_trace() {
        let xray = "1-6b032f03-a10328ac9bad3041624b853e";
        for (name, value, found) in [
            ("trace_id", TRACE, true),
            ("AWS-XRAY-TRACE-ID", xray, true),
            ("xray_trace_id", "Root=1-6b032f03-a10328ac9bad3041624b853e;Sampled=1", true),
            ("dd.trace_id", "1234567890123456789", false),
            ("trace_id", "none", false),
            ("request_id", TRACE, false),
        ] {
            let mut link = TraceLink::default();
            link.field(name, Value::Str(value));
            assert_eq!(link.trace_id.is_some(), found, "{name} {value}");
        }
        let mut link = TraceLink::default();
        link.field("span_id", Value::Str(SPAN));
        assert_eq!(link.span_id.map(|id| id.to_string()).as_deref(), Some(SPAN));
    }
}
