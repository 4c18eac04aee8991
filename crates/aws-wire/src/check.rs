//! Holds a request against its operation's constraints. `operation::decode` calls it on parsed JSON; it makes the JSON
//! fit the operation's type (aliases, whole numbers, nulls) and says what is wrong in the vendor's words.

use std::fmt::Write as _;

use serde_json::{Map as Object, Value};

use crate::answer::Error;
use crate::operation::Spec;
use crate::shape::{List, Map, Shape, Structure, Text};

/// How many broken constraints an error names: a batch of thousands of bad records must not give an answer of megabytes.
pub(crate) const VIOLATIONS_MAX: usize = 32;
/// How much of a rejected value an error repeats.
const CITED_CHARS_MAX: usize = 1_024;

/// Checks `value`, an operation's request, and brings it into the form that its type reads.
pub(crate) fn check(spec: &'static Spec, value: &mut Value) -> Result<(), Error> {
    let mut checker = Checker { spec, violations: Vec::new(), path: Vec::new() };
    checker.structure(spec.input, value)?;
    match checker.violations.as_slice() {
        [] => Ok(()),
        [one] => {
            let message = format!("1 validation error detected: {one}");
            Err(Error::common(spec.invalid, 400, message))
        }
        many => {
            let message = format!("{} validation errors detected: {}", many.len(), many.join("; "));
            Err(Error::common(spec.invalid, 400, message))
        }
    }
}

struct Checker {
    spec: &'static Spec,
    violations: Vec<String>,
    /// Where the walk is; put into words only when something is wrong there.
    path: Vec<Step>,
}

enum Step {
    Member(&'static str),
    /// Counted from 1.
    Item(usize),
    Entry(String),
}

impl Checker {
    fn violation(&mut self, value: &str, must: &str) {
        if self.violations.len() < VIOLATIONS_MAX {
            let steps = self.path.iter().map(|step| match step {
                Step::Member(name) => lower_first(name),
                Step::Item(position) => format!("{position}.member"),
                Step::Entry(key) => format!("{key}.member"),
            });
            let path = steps.collect::<Vec<_>>().join(".");
            self.violations.push(format!("Value {value} at '{path}' failed to satisfy constraint: {must}"));
        }
    }

    /// Runs `inside` one step further down.
    fn at<T>(&mut self, step: Step, inside: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step);
        let result = inside(self);
        self.path.pop();
        result
    }

    fn value(&mut self, shape: &'static Shape, value: &mut Value) -> Result<(), Error> {
        match shape {
            Shape::Text(text) => self.text(text, value),
            Shape::Integer { min, max } => {
                self.whole(("an Integer", i32::MIN.into(), i32::MAX.into()), (*min, *max), value)
            }
            Shape::Long { min, max } => self.whole(("a Long", i64::MIN, i64::MAX), (*min, *max), value),
            Shape::Double { min, max } => self.double(*min, *max, value),
            Shape::Boolean if value.is_boolean() => Ok(()),
            Shape::Boolean => Err(cannot_be(value, "a Boolean")),
            Shape::Timestamp if value.is_number() => Ok(()),
            Shape::Timestamp => Err(cannot_be(value, "a Timestamp")),
            Shape::List(list) => self.list(list, value),
            Shape::Map(map) => self.map(map, value),
            Shape::Structure(structure) => self.structure(structure, value),
        }
    }

    fn structure(&mut self, structure: &'static Structure, value: &mut Value) -> Result<(), Error> {
        let members = object(value, "Expected null")?;
        for member in structure.members {
            if let Some(alias) = member.alias
                && !members.contains_key(member.name)
                && let Some(value) = members.remove(alias)
            {
                members.insert(member.name.to_owned(), value);
            }
            self.at(Step::Member(member.name), |checker| {
                match members.get_mut(member.name).filter(|value| !value.is_null()) {
                    Some(value) => checker.value(&member.shape, value)?,
                    None if member.required => checker.violation("null", "Member must not be null"),
                    None => {}
                }
                Ok::<(), Error>(())
            })?;
        }
        Ok(())
    }

    fn list(&mut self, list: &'static List, value: &mut Value) -> Result<(), Error> {
        let Value::Array(items) = value else {
            return Err(Error::serialization("Expected list or null"));
        };
        for (idx, item) in items.iter_mut().enumerate() {
            self.at(Step::Item(idx + 1), |checker| checker.value(&list.member, item))?;
        }
        self.length(items.len() as u64, list.min, list.max, value);
        Ok(())
    }

    fn map(&mut self, map: &'static Map, value: &mut Value) -> Result<(), Error> {
        let entries = object(value, "Expected map or null")?;
        let Shape::Text(key_text) = &map.key else { return Ok(()) };
        for (key, value) in entries.iter_mut() {
            if let Some(must) = broken(key_text, key) {
                let cited = cite(&Value::from(key.as_str()));
                self.violation(&cited, &format!("Map keys must satisfy constraint: [{must}]"));
            }
            self.at(Step::Entry(cut(key).to_owned()), |checker| checker.value(&map.value, value))?;
        }
        self.length(entries.len() as u64, map.min, map.max, value);
        Ok(())
    }

    fn text(&mut self, text: &'static Text, value: &Value) -> Result<(), Error> {
        let Value::String(content) = value else { return Err(cannot_be(value, "a String")) };
        if let Some(must) = broken(text, content) {
            if let Some(message) = text.too_long
                && wrong_length(content.chars().count() as u64, None, text.max).is_some()
            {
                return Err(Error::common(self.spec.invalid, 400, message));
            }
            self.violation(&cite(value), &must);
        }
        Ok(())
    }

    fn whole(
        &mut self,
        (what, least, most): (&str, i64, i64),
        (min, max): (Option<i64>, Option<i64>),
        value: &mut Value,
    ) -> Result<(), Error> {
        // A fraction is cut off and what the type cannot hold becomes its bound, as the vendor's reader does.
        let number = match (value.as_i64(), value.as_f64()) {
            (Some(whole), _) => whole,
            (None, Some(number)) => number as i64,
            (None, None) => return Err(cannot_be(value, what)),
        };
        let number = number.clamp(least, most);
        *value = Value::from(number);
        let cited = format!("'{number}'");
        match (min, max) {
            (Some(min), _) if number < min => self.violation(&cited, &not_less(min)),
            (_, Some(max)) if number > max => self.violation(&cited, &not_more(max)),
            _ => {}
        }
        Ok(())
    }

    fn double(&mut self, min: Option<f64>, max: Option<f64>, value: &Value) -> Result<(), Error> {
        let Some(number) = value.as_f64() else { return Err(cannot_be(value, "a Double")) };
        let cited = format!("'{number:?}'");
        match (min, max) {
            (Some(min), _) if number < min => self.violation(&cited, &not_less(min)),
            (_, Some(max)) if number > max => self.violation(&cited, &not_more(max)),
            _ => {}
        }
        Ok(())
    }

    fn length(&mut self, length: u64, min: Option<u64>, max: Option<u64>, value: &Value) {
        if let Some(must) = wrong_length(length, min, max) {
            self.violation(&cite(value), &must);
        }
    }
}

/// What `content` must satisfy and does not.
fn broken(text: &Text, content: &str) -> Option<String> {
    if !text.one_of.is_empty() {
        let known = text.one_of.contains(&content);
        return (!known).then(|| format!("Member must satisfy enum value set: [{}]", text.one_of.join(", ")));
    }
    // Bytes are an upper bound of characters: most texts need no count.
    let length = match text.max {
        Some(max) if content.len() as u64 > max => content.chars().count() as u64,
        _ => content.len() as u64,
    };
    let unmatched = |pattern: &&crate::shape::Pattern| !pattern.matches(content);
    wrong_length(length, text.min, text.max).or_else(|| {
        let pattern = text.pattern.as_ref().filter(unmatched)?;
        Some(format!("Member must satisfy regular expression pattern: {}", pattern.text))
    })
}

fn wrong_length(length: u64, min: Option<u64>, max: Option<u64>) -> Option<String> {
    match (min, max) {
        (Some(min), _) if length < min => {
            Some(format!("Member must have length greater than or equal to {min}"))
        }
        (_, Some(max)) if length > max => {
            Some(format!("Member must have length less than or equal to {max}"))
        }
        _ => None,
    }
}

fn not_less(min: impl std::fmt::Display) -> String {
    format!("Member must have value greater than or equal to {min}")
}

fn not_more(max: impl std::fmt::Display) -> String {
    format!("Member must have value less than or equal to {max}")
}

fn object<'a>(value: &'a mut Value, expected: &str) -> Result<&'a mut Object<String, Value>, Error> {
    match value {
        Value::Object(members) => {
            members.retain(|_, value| !value.is_null());
            Ok(members)
        }
        Value::Array(_) => Err(Error::serialization("Start of list found where not expected")),
        _ => Err(Error::serialization(expected)),
    }
}

/// The vendor's words for a value of a wrong type.
fn cannot_be(value: &Value, what: &str) -> Error {
    let found = match value {
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(number) if number.is_f64() => "DECIMAL_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => return Error::serialization("Start of list found where not expected"),
        Value::Object(_) => {
            return Error::serialization("Start of structure or map found where not expected.");
        }
    };
    Error::serialization(format!("{found} can not be converted to {what}"))
}

/// A rejected value between quotes, printed as the vendor's Java does and cut where it is long.
fn cite(value: &Value) -> String {
    let mut printed = String::new();
    print(value, &mut printed);
    format!("'{}'", cut(&printed))
}

fn print(value: &Value, printed: &mut String) {
    // Four bytes are the most a character takes: what is printed beyond would be cut.
    if printed.len() > 4 * CITED_CHARS_MAX {
        return;
    }
    match value {
        Value::String(text) => printed.push_str(text),
        Value::Array(items) => {
            printed.push('[');
            for (idx, item) in items.iter().take(CITED_CHARS_MAX).enumerate() {
                printed.push_str(if idx > 0 { ", " } else { "" });
                print(item, printed);
            }
            printed.push(']');
        }
        Value::Object(members) => {
            printed.push('{');
            for (idx, (name, member)) in members.iter().take(CITED_CHARS_MAX).enumerate() {
                printed.push_str(if idx > 0 { ", " } else { "" });
                printed.push_str(name);
                printed.push('=');
                print(member, printed);
            }
            printed.push('}');
        }
        other => {
            let _ = write!(printed, "{other}");
        }
    }
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(CITED_CHARS_MAX).map_or(text, |(end, _)| &text[..end])
}

/// Errors name members as the vendor's own code does, which begins them in lower case.
fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::operation::{Call, checked, decode};
    use crate::{Error, logs, xray};

    fn error<C: Call>(body: &str) -> (String, String) {
        let error: Error = checked(C::SPEC, body.as_bytes(), 1 << 20).unwrap_err();
        (error.code.into_owned(), error.message.unwrap_or_default())
    }

    fn invalid<C: Call>(code: &str, body: &str, message: &str) {
        assert_eq!(error::<C>(body), (code.to_owned(), message.to_owned()), "{body}");
    }

    #[test]
    fn a_broken_constraint_is_told_as_the_vendor_tells_it() {
        const IP: &str = "InvalidParameterException";
        invalid::<logs::FilterLogEventsRequest>(
            IP,
            r#"{"logGroupName": "g", "limit": 10001}"#,
            "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: \
             Member must have value less than or equal to 10000",
        );
        invalid::<logs::CreateLogGroupRequest>(
            IP,
            "",
            "1 validation error detected: Value null at 'logGroupName' failed to satisfy constraint: \
             Member must not be null",
        );
        invalid::<logs::CreateLogStreamRequest>(
            IP,
            r#"{"logGroupName": "a b", "logStreamName": "x:y"}"#,
            "2 validation errors detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: \
             Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+; \
             Value 'x:y' at 'logStreamName' failed to satisfy constraint: \
             Member must satisfy regular expression pattern: [^:*]*",
        );
        invalid::<logs::PutLogEventsRequest>(
            IP,
            r#"{"logGroupName":"g","logStreamName":"s","logEvents":[{"timestamp":1,"message":"m"},{"timestamp":-1,"message":""}]}"#,
            "2 validation errors detected: Value '-1' at 'logEvents.2.member.timestamp' failed to satisfy \
             constraint: Member must have value greater than or equal to 0; Value '' at \
             'logEvents.2.member.message' failed to satisfy constraint: \
             Member must have length greater than or equal to 1",
        );
        invalid::<logs::DescribeLogStreamsRequest>(
            IP,
            r#"{"orderBy": "Age"}"#,
            "1 validation error detected: Value 'Age' at 'orderBy' failed to satisfy constraint: \
             Member must satisfy enum value set: [LogStreamName, LastEventTime]",
        );
        invalid::<xray::PutTraceSegmentsRequest>(
            "InvalidRequestException",
            r#"{"TraceSegmentDocuments": null}"#,
            "1 validation error detected: Value null at 'traceSegmentDocuments' failed to satisfy constraint: \
             Member must not be null",
        );
    }

    #[test]
    fn names_that_are_too_long_have_an_error_of_their_own() {
        let long = "é".repeat(513);
        for body in [
            format!(r#"{{"logGroupName": "g", "logStreamName": "{long}"}}"#),
            format!(r#"{{"logGroupName": "{long}", "logStreamName": "s"}}"#),
        ] {
            let message = "Invalid LogGroup or LogStream, both must have length less than or equal to 512.";
            invalid::<logs::CreateLogStreamRequest>("InvalidParameterException", &body, message);
        }
        let fits = format!(r#"{{"logGroupName": "g", "logStreamName": "{}"}}"#, "é".repeat(512));
        assert!(decode::<logs::CreateLogStreamRequest>(fits.as_bytes(), 1 << 20).is_ok());
    }

    #[test]
    fn a_wrong_type_is_told_as_the_vendor_tells_it() {
        for (body, message) in [
            (r#"{"logGroupName": 1}"#, "NUMBER_VALUE can not be converted to a String"),
            (r#"{"logGroupName": true}"#, "TRUE_VALUE can not be converted to a String"),
            (r#"{"logGroupName": ["a"]}"#, "Start of list found where not expected"),
            (r#"{"logGroupName": {}}"#, "Start of structure or map found where not expected."),
            (r#"{"limit": "1"}"#, "STRING_VALUE can not be converted to an Integer"),
            (r#"{"startTime": "1"}"#, "STRING_VALUE can not be converted to a Long"),
            (r#"{"logStreamNames": "a"}"#, "Expected list or null"),
            (r#"{"logStreamNames": [null]}"#, "NULL_VALUE can not be converted to a String"),
            ("[]", "Start of list found where not expected"),
            ("1", "Expected null"),
        ] {
            invalid::<logs::FilterLogEventsRequest>("SerializationException", body, message);
        }
        assert_eq!(error::<logs::FilterLogEventsRequest>("{").0, "SerializationException");
        let deep = format!("{{\"a\": {}", "[".repeat(100_000));
        assert_eq!(error::<logs::FilterLogEventsRequest>(&deep).0, "SerializationException");
    }

    #[test]
    fn an_error_stays_small_whatever_is_sent() {
        let tags: Vec<String> =
            (0..200).map(|idx| format!("\"{idx}{}\": \"v\"", "k".repeat(5_000))).collect();
        let body = format!(r#"{{"logGroupName": "g", "tags": {{{}}}}}"#, tags.join(","));
        let (_, message) = error::<logs::TagLogGroupRequest>(&body);
        assert!(message.len() < 100_000, "{}", message.len());
        let too_large = checked(<logs::TagLogGroupRequest as Call>::SPEC, body.as_bytes(), 10).unwrap_err();
        assert_eq!((too_large.code.as_ref(), too_large.status), ("RequestEntityTooLargeException", 413));
    }

    #[test]
    fn unknown_members_nulls_and_fractions_are_taken_as_the_vendor_takes_them() {
        let body = br#"{"logGroupName": "g", "limit": 5.9, "nextToken": null, "colour": {"a": [1]}}"#;
        let request: logs::FilterLogEventsRequest = decode(body, 1 << 20).unwrap();
        assert_eq!(
            (request.log_group_name.as_deref(), request.limit, request.next_token),
            (Some("g"), Some(5), None)
        );
        let none: xray::GetEncryptionConfigRequest = decode(b"", 1 << 20).unwrap();
        assert_eq!(none, xray::GetEncryptionConfigRequest {});
    }

    #[test]
    fn samplers_of_all_sdks_are_understood() {
        for (member, timestamp) in [("SampledCount", "1795370765"), ("SampleCount", "1795370973.308458")] {
            let body = format!(
                r#"{{"SamplingStatisticsDocuments": [{{"ClientID": "0dc7b971e84a2829f779cf79",
                "RuleName": "Default", "Timestamp": {timestamp}, "RequestCount": 1, "BorrowCount": 1,
                "{member}": 1}}], "SamplingBoostStatisticsDocuments": []}}"#
            );
            let request: xray::GetSamplingTargetsRequest = decode(body.as_bytes(), 1 << 20).unwrap();
            let document = &request.sampling_statistics_documents[0];
            assert_eq!(document.sampled_count, 1);
            assert_eq!(document.timestamp.0, timestamp.parse::<f64>().unwrap());
        }
    }
}
