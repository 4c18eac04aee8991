//! Texts to checked documents. A text holds one document or an array of them; each is checked alone, and one that does
//! not do is a [`Refusal`] with the vendor's code while the others are kept. `segment::rows` writes what passes.

use serde_json::Value;
use tracery_model::{SpanId, TraceId};

use super::fields::{Members, instant, object, text};

/// The service's limit on names, in characters.
const NAME_CHARS_MAX: usize = 200;

/// Why a document is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    Json,
    NotAnObject,
    MissingTraceId,
    InvalidTraceId,
    MissingId,
    InvalidId,
    MissingParentId,
    InvalidName,
    InvalidTime,
    TooLarge,
}

impl Code {
    /// The service's code.
    pub(crate) fn vendor(self) -> &'static str {
        match self {
            Self::Json | Self::NotAnObject | Self::InvalidTime | Self::TooLarge => "InvalidSegment",
            Self::MissingTraceId => "MissingTraceId",
            Self::InvalidTraceId => "InvalidTraceId",
            Self::MissingId => "MissingId",
            Self::InvalidId => "InvalidId",
            Self::MissingParentId => "MissingParentId",
            Self::InvalidName => "InvalidName",
        }
    }

    /// The stable word of `/metrics`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Json => "json_malformed",
            Self::NotAnObject => "not_an_object",
            Self::MissingTraceId => "trace_id_missing",
            Self::InvalidTraceId => "trace_id_invalid",
            Self::MissingId => "id_missing",
            Self::InvalidId => "id_invalid",
            Self::MissingParentId => "parent_id_missing",
            Self::InvalidName => "name_invalid",
            Self::InvalidTime => "time_invalid",
            Self::TooLarge => "too_large",
        }
    }

    /// For people.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::Json => "the document is not JSON",
            Self::NotAnObject => "the document is not a JSON object",
            Self::MissingTraceId => "trace_id is missing",
            Self::InvalidTraceId => "trace_id is neither 1-8hex-24hex nor 32 hex digits, or it is all zero",
            Self::MissingId => "id is missing",
            Self::InvalidId => "id is not 16 hex digits, or it is all zero",
            Self::MissingParentId => "an independent subsegment has no parent_id of 16 hex digits",
            Self::InvalidName => "name is missing, empty or longer than 200 characters",
            Self::InvalidTime => "start_time is missing or is not a time in seconds since 1970",
            Self::TooLarge => "the request's documents take too much memory; send fewer at a time",
        }
    }
}

/// A document that is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The document's id as far as it could be read.
    pub(crate) id: Option<String>,
    pub(crate) code: Code,
    pub(crate) is_subsegment: bool,
}

impl Refusal {
    fn of(code: Code) -> Self {
        Self { id: None, code, is_subsegment: false }
    }

    /// As the service words it.
    pub(crate) fn message(&self) -> String {
        let code = self.code.vendor();
        match self.is_subsegment {
            true => format!("Invalid subsegment. ErrorCode: {code}, Cause: null"),
            false => format!("Invalid segment. ErrorCode: {code}"),
        }
    }
}

/// A document whose outermost entity was checked.
#[derive(Debug)]
pub(crate) struct Document<'t> {
    /// As it was uploaded.
    pub(crate) original: &'t str,
    pub(crate) members: Members,
    pub(crate) trace_id: TraceId,
    pub(crate) head: Head,
    /// A subsegment that was sent on its own.
    pub(crate) is_subsegment: bool,
}

/// What every segment and subsegment has.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) id: SpanId,
    pub(crate) parent_id: Option<SpanId>,
    pub(crate) name: String,
    pub(crate) start_ns: i64,
    /// `None` while it is in progress: clients send the flag with an end time, so only the end time counts.
    pub(crate) end_ns: Option<i64>,
}

/// Reads a text and gives each document, good or bad, to `each`, with its own text.
pub(crate) fn for_each_document<'t>(
    text: &'t str,
    mut each: impl FnMut(&'t str, Result<Document<'t>, Refusal>),
) {
    let trimmed = text.trim_start();
    if !trimmed.starts_with('[') {
        let value = serde_json::from_str(text);
        return each(text, value.map_err(|_| Refusal::of(Code::Json)).and_then(|value| check(text, value)));
    }
    let mut rest = &trimmed[1..];
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        if rest.is_empty() || rest.starts_with(']') {
            return;
        }
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let Some(Ok(value)) = values.next() else {
            // What follows cannot be told apart any more.
            return each(rest, Err(Refusal::of(Code::Json)));
        };
        let (original, next) = rest.split_at(values.byte_offset());
        each(original, check(original, value));
        rest = next;
    }
}

fn check(original: &str, value: Value) -> Result<Document<'_>, Refusal> {
    let Value::Object(members) = value else { return Err(Refusal::of(Code::NotAnObject)) };
    let is_subsegment = text(&members, "type") == Some("subsegment");
    let refuse = |code| Refusal {
        id: text(&members, "id").map(|id| id.chars().take(64).collect()),
        code,
        is_subsegment,
    };
    let trace_id = match text(&members, "trace_id") {
        None => return Err(refuse(Code::MissingTraceId)),
        Some(id) => trace_id(id).ok_or_else(|| refuse(Code::InvalidTraceId))?,
    };
    let head = head(&members).map_err(refuse)?;
    if is_subsegment && head.parent_id.is_none() {
        return Err(refuse(Code::MissingParentId));
    }
    Ok(Document { original, trace_id, head, is_subsegment, members })
}

/// The head of a segment or subsegment, wherever it stands.
pub(super) fn head(members: &Members) -> Result<Head, Code> {
    let id = match text(members, "id") {
        None => return Err(Code::MissingId),
        Some(id) => span_id(id).ok_or(Code::InvalidId)?,
    };
    let name = text(members, "name").map(str::trim).filter(|name| !name.is_empty());
    let name = name.filter(|name| name.chars().nth(NAME_CHARS_MAX).is_none()).ok_or(Code::InvalidName)?;
    Ok(Head {
        id,
        parent_id: text(members, "parent_id").and_then(span_id),
        name: name.to_owned(),
        start_ns: instant(members, "start_time").ok_or(Code::InvalidTime)?,
        end_ns: instant(members, "end_time"),
    })
}

/// `1-` and 8, `-` and 24 digits, or the 32 digits of W3C Trace Context. The epoch in it is not looked at.
pub(crate) fn trace_id(text: &str) -> Option<TraceId> {
    let digits = match text.strip_prefix("1-") {
        Some(rest) => match rest.split_once('-')? {
            (epoch, unique) if epoch.len() == 8 && unique.len() == 24 => format!("{epoch}{unique}"),
            _ => return None,
        },
        None => text.to_owned(),
    };
    TraceId::from_hex(&digits.to_ascii_lowercase())
}

fn span_id(text: &str) -> Option<SpanId> {
    SpanId::from_hex(&text.to_ascii_lowercase())
}

/// The subsegments within an entity.
pub(super) fn subsegments(members: &Members) -> impl Iterator<Item = &Members> {
    super::fields::objects(members, "subsegments")
}

/// Status of the response, where there is one.
pub(super) fn response(members: &Members) -> Option<&Members> {
    object(object(members, "http")?, "response")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Result<String, (&'static str, Option<String>)>> {
        let mut read = Vec::new();
        for_each_document(text, |original, document| {
            read.push(match document {
                Ok(document) => {
                    assert_eq!(document.original, original);
                    Ok(original.to_owned())
                }
                Err(refusal) => Err((refusal.code.vendor(), refusal.id)),
            });
        });
        read
    }

    const GOOD: &str = r#"{"id":"1f3bebbaafbf83e2","name":"shop","trace_id":"1-6b032f03-a10328ac9bad3041624b853e","start_time":1.5,"Dummy":false}"#;

    #[test]
    fn each_mistake_has_the_services_code() {
        for (from, to, code) in [
            ("1-6b032f03-a10328ac9bad3041624b853e", "1-6b03-a1", "InvalidTraceId"),
            ("1-6b032f03-a10328ac9bad3041624b853e", "00000000000000000000000000000000", "InvalidTraceId"),
            ("\"trace_id\"", "\"tracé_id\"", "MissingTraceId"),
            ("\"id\"", "\"Id\"", "MissingId"),
            ("1f3bebbaafbf83e2", "xyz", "InvalidId"),
            ("\"shop\"", "\"  \"", "InvalidName"),
            ("\"shop\"", "7", "InvalidName"),
            ("\"start_time\"", "\"started\"", "InvalidSegment"),
            ("1.5", "\"now\"", "InvalidSegment"),
            ("1.5", "-1", "InvalidSegment"),
            ("1.5", "1e300", "InvalidSegment"),
            ("}", "", "InvalidSegment"),
            ("}", ",\"type\":\"subsegment\"}", "MissingParentId"),
        ] {
            let text = GOOD.replacen(from, to, 1);
            let read = read(&text);
            assert!(matches!(&read[..], [Err((found, _))] if *found == code), "{text}: {read:?}");
        }
        let long = GOOD.replace("shop", &"é".repeat(201));
        assert_eq!(read(&long), [Err(("InvalidName", Some("1f3bebbaafbf83e2".to_owned())))]);
        assert!(read(&GOOD.replace("shop", &"é".repeat(200)))[0].is_ok());
        assert_eq!(read(""), [Err(("InvalidSegment", None))]);
        assert_eq!(read("7"), [Err(("InvalidSegment", None))]);
    }

    #[test]
    fn both_forms_of_trace_ids_are_one() {
        let wanted = "6b032f03a10328ac9bad3041624b853e";
        for form in ["1-6b032f03-a10328ac9bad3041624b853e", wanted, "1-6B032F03-A10328AC9BAD3041624B853E"] {
            assert_eq!(trace_id(form).unwrap().to_string(), wanted);
        }
        for bad in
            ["", "1-", "1--", "2-6b032f03-a10328ac9bad3041624b853e", "1-6b032f03a-10328ac9bad3041624b853e"]
        {
            assert_eq!(trace_id(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_array_is_read_to_its_first_damage() {
        let both = format!("  [ {GOOD} ,\n7,{GOOD}] trailing");
        let found = read(&both);
        assert_eq!((found[0].clone(), found.len()), (Ok(GOOD.to_owned()), 3));
        assert_eq!(found[1], Err(("InvalidSegment", None)));
        assert_eq!(read("[]"), []);
        assert_eq!(read(&format!("[{GOOD},{{"))[1], Err(("InvalidSegment", None)));
    }
}
