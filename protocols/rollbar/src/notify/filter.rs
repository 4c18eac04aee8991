//! What a rule wants told: its filters, read strictly when the rule is written, decided when something happened. All of a
//! rule's filters must hold.

use regex::Regex;
use serde_json::Value;
use tracery_errors::Level;

const FILTERS_MAX: usize = 20;
const TEXT_CHARS_MAX: usize = 1_000;
/// A regular expression of a rule compiles to so much at the most.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// What filters look at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    pub(crate) environment: String,
    pub(crate) level: Option<Level>,
    pub(crate) title: String,
    pub(crate) framework: String,
    pub(crate) unique: i64,
    /// What a deploy was said to be.
    pub(crate) comment: String,
    /// The newest occurrence's; null where there is none.
    pub(crate) payload: Value,
}

#[derive(Debug)]
pub(crate) struct Filter {
    of: Of,
    operation: Operation,
}

#[derive(Debug)]
enum Of {
    Environment,
    Level,
    Title,
    Framework,
    Context,
    Filename,
    Method,
    Unique,
    Comment,
    Path(Vec<String>),
}

#[derive(Debug)]
enum Operation {
    Equals(String),
    Differs(String),
    AtLeast(f64),
    AtMost(f64),
    Contains(String),
    Lacks(String),
    StartsWith(String),
    Matches(Regex),
    MatchesNot(Regex),
    Exists,
    Missing,
}

/// Reads the filters of a rule; the text says what is wrong.
pub(crate) fn read(filters: &Value) -> Result<Vec<Filter>, String> {
    let list = match filters {
        Value::Null => return Ok(Vec::new()),
        Value::Array(list) => list,
        _ => return Err("filters should be an array.".to_owned()),
    };
    if list.len() > FILTERS_MAX {
        return Err(format!("a rule has at most {FILTERS_MAX} filters"));
    }
    list.iter().map(Filter::read).collect()
}

impl Filter {
    fn read(filter: &Value) -> Result<Self, String> {
        let name = filter["type"].as_str().unwrap_or_default();
        let of = match name {
            "environment" => Of::Environment,
            "level" => Of::Level,
            "title" => Of::Title,
            "framework" => Of::Framework,
            "context" => Of::Context,
            "filename" => Of::Filename,
            "method" => Of::Method,
            "unique_occurrences" | "unique_ips" => Of::Unique,
            "comment" => Of::Comment,
            "path" => {
                let path = filter["path"].as_str().filter(|path| !path.is_empty());
                let path = path.ok_or("a filter of the type path needs a path")?;
                Of::Path(path.split('.').take(20).map(str::to_owned).collect())
            }
            other => return Err(format!("{other:?} is not a type of filters here")),
        };
        let text = || -> Result<String, String> {
            let text = match &filter["value"] {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                Value::Bool(truth) => truth.to_string(),
                _ => return Err(format!("a filter of the type {name} needs a value")),
            };
            if text.chars().count() > TEXT_CHARS_MAX {
                return Err(format!("the value of a filter has at most {TEXT_CHARS_MAX} characters"));
            }
            Ok(text)
        };
        let number = |of: &Of| -> Result<f64, String> {
            let text = text()?;
            if matches!(of, Of::Level) {
                return level_number(&text).ok_or_else(|| format!("{text} is no level"));
            }
            text.parse().map_err(|_| format!("{text} is no number"))
        };
        let regex = || -> Result<Regex, String> {
            let text = text()?;
            let built = regex::RegexBuilder::new(&text).size_limit(REGEX_BYTES_MAX).build();
            built.map_err(|_| format!("{text} is no regular expression"))
        };
        let operation = match filter["operation"].as_str().unwrap_or("eq") {
            "eq" | "=" => Operation::Equals(text()?),
            "neq" | "!=" => Operation::Differs(text()?),
            "gte" | ">=" => Operation::AtLeast(number(&of)?),
            "lte" | "<=" => Operation::AtMost(number(&of)?),
            "contains" | "within" => Operation::Contains(text()?),
            "ncontains" | "not-contains" | "nwithin" => Operation::Lacks(text()?),
            "startswith" | "starts-with" => Operation::StartsWith(text()?),
            "regex" => Operation::Matches(regex()?),
            "nregex" | "not-regex" => Operation::MatchesNot(regex()?),
            "exists" => Operation::Exists,
            "nexists" | "not-exists" => Operation::Missing,
            other => return Err(format!("{other:?} is not an operation of filters here")),
        };
        Ok(Self { of, operation })
    }

    pub(crate) fn holds(&self, facts: &Facts) -> bool {
        let found = self.values(facts);
        let any = |is: &dyn Fn(&str) -> bool| found.iter().any(|value| is(value));
        let number = |value: &str| match self.of {
            Of::Level => level_number(value),
            _ => value.parse::<f64>().ok(),
        };
        match &self.operation {
            Operation::Equals(wanted) => any(&|value| self.same(value, wanted)),
            Operation::Differs(wanted) => !any(&|value| self.same(value, wanted)),
            Operation::AtLeast(least) => any(&|value| number(value).is_some_and(|number| number >= *least)),
            Operation::AtMost(most) => any(&|value| number(value).is_some_and(|number| number <= *most)),
            Operation::Contains(part) => any(&|value| value.contains(part.as_str())),
            Operation::Lacks(part) => !any(&|value| value.contains(part.as_str())),
            Operation::StartsWith(start) => any(&|value| value.starts_with(start.as_str())),
            Operation::Matches(regex) => any(&|value| regex.is_match(value)),
            Operation::MatchesNot(regex) => !any(&|value| regex.is_match(value)),
            Operation::Exists => !found.is_empty(),
            Operation::Missing => found.is_empty(),
        }
    }

    fn same(&self, value: &str, wanted: &str) -> bool {
        match self.of {
            Of::Level => level_number(value) == level_number(wanted),
            _ => value == wanted,
        }
    }

    /// What the filter looks at, as texts; several for what an occurrence has several of.
    fn values(&self, facts: &Facts) -> Vec<String> {
        let one = |text: &str| (!text.is_empty()).then(|| text.to_owned()).into_iter().collect();
        match &self.of {
            Of::Environment => one(&facts.environment),
            Of::Level => facts.level.map(|level| level.name().to_owned()).into_iter().collect(),
            Of::Title => one(&facts.title),
            Of::Framework => one(&facts.framework),
            Of::Comment => one(&facts.comment),
            Of::Unique => vec![facts.unique.to_string()],
            Of::Context => one(facts.payload["context"].as_str().unwrap_or_default()),
            Of::Filename => frames(&facts.payload, "filename"),
            Of::Method => frames(&facts.payload, "method"),
            Of::Path(path) => at(&facts.payload, path).and_then(text_of).into_iter().collect(),
        }
    }
}

/// Numbers as the API has them, or names.
fn level_number(text: &str) -> Option<f64> {
    if let Some(level) = Level::from_name(text) {
        return Some(f64::from(u32::try_from(level.number()).unwrap_or_default()));
    }
    text.parse().ok()
}

/// A member of every frame of the exceptions.
fn frames(payload: &Value, member: &str) -> Vec<String> {
    let body = &payload["body"];
    let chain = body["trace_chain"].as_array().cloned().unwrap_or_else(|| vec![body["trace"].clone()]);
    let frames = chain.iter().flat_map(|trace| trace["frames"].as_array().into_iter().flatten());
    frames.filter_map(|frame| frame[member].as_str()).map(str::to_owned).collect()
}

/// What lies at a path of names and positions.
pub(crate) fn at<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, step| match value {
        Value::Object(members) => members.get(step),
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

pub(crate) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn filters_hold_or_do_not() {
        let facts = Facts {
            environment: "production".into(),
            level: Some(Level::Error),
            title: "KeyError: 'x'".into(),
            framework: "flask".into(),
            unique: 7,
            comment: String::new(),
            payload: json!({
                "context": "home#index", "person": { "id": 5 }, "tags": ["a", "b"],
                "body": { "trace": { "frames": [{ "filename": "app/views.py", "method": "show" }] } },
            }),
        };
        for (filter, holds) in [
            (json!({ "type": "environment", "operation": "eq", "value": "production" }), true),
            (json!({ "type": "environment", "operation": "neq", "value": "production" }), false),
            (json!({ "type": "level", "operation": "gte", "value": "error" }), true),
            (json!({ "type": "level", "operation": "gte", "value": 50 }), false),
            (json!({ "type": "level", "operation": "eq", "value": 40 }), true),
            (json!({ "type": "title", "operation": "contains", "value": "KeyError" }), true),
            (json!({ "type": "title", "operation": "nregex", "value": "^Type" }), true),
            (json!({ "type": "filename", "operation": "startswith", "value": "app/" }), true),
            (json!({ "type": "method", "operation": "eq", "value": "hide" }), false),
            (json!({ "type": "context", "operation": "regex", "value": "#index$" }), true),
            (json!({ "type": "unique_occurrences", "operation": "gte", "value": 10 }), false),
            (json!({ "type": "path", "path": "person.id", "operation": "eq", "value": 5 }), true),
            (json!({ "type": "path", "path": "tags.1", "operation": "eq", "value": "b" }), true),
            (json!({ "type": "path", "path": "person.email", "operation": "nexists" }), true),
            (json!({ "type": "comment", "operation": "exists" }), false),
        ] {
            let read = read(&json!([filter])).unwrap();
            assert_eq!(read[0].holds(&facts), holds, "{filter}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused_with_the_reason() {
        for (filter, reason) in [
            (json!([{ "type": "moon" }]), "not a type"),
            (json!([{ "type": "title", "operation": "near", "value": "x" }]), "not an operation"),
            (json!([{ "type": "title", "operation": "eq" }]), "needs a value"),
            (json!([{ "type": "title", "operation": "regex", "value": "(" }]), "no regular expression"),
            (json!([{ "type": "level", "operation": "gte", "value": "loud" }]), "no level"),
            (json!([{ "type": "path", "operation": "exists" }]), "needs a path"),
            (json!({ "type": "title" }), "an array"),
            (json!(vec![json!({ "type": "title", "operation": "exists" }); 21]), "at most 20"),
        ] {
            assert!(read(&filter).unwrap_err().contains(reason), "{filter}");
        }
    }
}
