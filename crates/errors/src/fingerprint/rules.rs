//! A project's own rules of grouping: conditions over the payload, and a fingerprint and title with templates. The first
//! that holds wins. Rules are checked when they are stored; over any payload they take bounded time.

use regex::Regex;
use serde_json::Value;
use thiserror::Error;

use super::cut;

const RULES_MAX: usize = 100;
const RULES_BYTES_MAX: usize = 64 << 10;
const CONDITIONS_MAX: usize = 200;
const DEPTH_MAX: usize = 8;
const TEMPLATE_CHARS_MAX: usize = 512;
/// Values that one path with `*` may lead to.
const VALUES_MAX: usize = 1_000;
/// What one value adds to a fingerprint or title.
const VALUE_BYTES_MAX: usize = 256;

/// What is wrong with rules.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct RulesError(String);

/// Rules in their order. The default is none.
#[derive(Debug, Clone, Default)]
pub struct Rules(Vec<Rule>);

#[derive(Debug, Clone)]
struct Rule {
    condition: Condition,
    fingerprint: Template,
    title: Option<Template>,
}

#[derive(Debug, Clone)]
enum Condition {
    Any(Vec<Condition>),
    All(Vec<Condition>),
    None(Vec<Condition>),
    Is { path: Vec<String>, test: Test },
}

#[derive(Debug, Clone)]
enum Test {
    Eq(Value),
    Neq(Value),
    In(Vec<Value>),
    Nin(Vec<Value>),
    Contains(String),
    Ncontains(String),
    Gt(f64),
    Gte(f64),
    Lt(f64),
    Lte(f64),
    Matches(Regex),
}

/// Text with places for values.
#[derive(Debug, Clone)]
struct Template(Vec<Piece>);

#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    DefaultFingerprint,
    DefaultTitle,
    Path(Vec<String>),
}

/// What a rule that held says.
pub(super) struct Found {
    /// From 1.
    pub(super) number: usize,
    pub(super) fingerprint: String,
    pub(super) title: Option<String>,
}

impl Rules {
    /// Reads rules from their JSON: a list of `{condition, fingerprint, title}`.
    ///
    /// # Errors
    /// When they are not such a list, or too many or too deep.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        if text.len() > RULES_BYTES_MAX {
            return Err(fails("rules take at most 64 KiB"));
        }
        let value: Value =
            serde_json::from_str(text).map_err(|error| fails(&format!("rules are no JSON: {error}")))?;
        let Value::Array(list) = value else { return Err(fails("rules are a list")) };
        if list.len() > RULES_MAX {
            return Err(fails("a project has at most 100 rules"));
        }
        let mut left = CONDITIONS_MAX;
        let rules = list.iter().enumerate().map(|(idx, rule)| {
            rule_of(rule, &mut left).map_err(|error| fails(&format!("rule {}: {error}", idx + 1)))
        });
        rules.collect::<Result<_, _>>().map(Self)
    }

    /// What the first rule that holds says.
    pub(super) fn apply(&self, payload: &Value, fingerprint: &str, title: &str) -> Option<Found> {
        let (idx, rule) = self.0.iter().enumerate().find(|(_, rule)| rule.condition.holds(payload))?;
        let fill = |template: &Template| template.fill(payload, fingerprint, title);
        let found = Found {
            number: idx + 1,
            fingerprint: fill(&rule.fingerprint),
            title: rule.title.as_ref().map(fill).filter(|title| !title.is_empty()),
        };
        // A template whose values are all missing groups nothing.
        (!found.fingerprint.is_empty()).then_some(found)
    }
}

fn fails(text: &str) -> RulesError {
    RulesError(text.to_owned())
}

fn rule_of(value: &Value, left: &mut usize) -> Result<Rule, RulesError> {
    let condition = value.get("condition").ok_or_else(|| fails("condition is missing"))?;
    let fingerprint = value.get("fingerprint").and_then(Value::as_str);
    let fingerprint =
        fingerprint.filter(|text| !text.is_empty()).ok_or_else(|| fails("fingerprint is missing"))?;
    let title = match value.get("title") {
        None | Some(Value::Null) => None,
        Some(Value::String(title)) => Some(Template::parse(title)?),
        Some(_) => return Err(fails("title is no text")),
    };
    Ok(Rule {
        condition: condition_of(condition, left, 0)?,
        fingerprint: Template::parse(fingerprint)?,
        title,
    })
}

fn condition_of(value: &Value, left: &mut usize, depth: usize) -> Result<Condition, RulesError> {
    if depth > DEPTH_MAX {
        return Err(fails("conditions are too deep"));
    }
    *left = left.checked_sub(1).ok_or_else(|| fails("there are too many conditions"))?;
    let Value::Object(members) = value else { return Err(fails("a condition is an object")) };
    for (word, make) in [
        ("any", Condition::Any as fn(Vec<Condition>) -> Condition),
        ("all", Condition::All),
        ("none", Condition::None),
    ] {
        if let Some(list) = members.get(word) {
            let Value::Array(list) = list else { return Err(fails(&format!("{word} is a list"))) };
            let inner = list.iter().map(|one| condition_of(one, left, depth + 1));
            return inner.collect::<Result<_, _>>().map(make);
        }
    }
    let path = members.get("path").and_then(Value::as_str).ok_or_else(|| fails("a condition has a path"))?;
    let mut tests = members.iter().filter(|(name, _)| *name != "path");
    let (Some((word, operand)), None) = (tests.next(), tests.next()) else {
        return Err(fails("a condition has one test beside its path"));
    };
    let list = || operand.as_array().cloned().ok_or_else(|| fails(&format!("{word} wants a list")));
    let text = || operand.as_str().map(str::to_owned).ok_or_else(|| fails(&format!("{word} wants a text")));
    let number = || operand.as_f64().ok_or_else(|| fails(&format!("{word} wants a number")));
    let test = match word.as_str() {
        "eq" => Test::Eq(operand.clone()),
        "neq" => Test::Neq(operand.clone()),
        "in" => Test::In(list()?),
        "nin" => Test::Nin(list()?),
        "contains" => Test::Contains(text()?),
        "ncontains" => Test::Ncontains(text()?),
        "gt" => Test::Gt(number()?),
        "gte" => Test::Gte(number()?),
        "lt" => Test::Lt(number()?),
        "lte" => Test::Lte(number()?),
        "regex_match" => {
            let pattern = text()?;
            let built = regex::RegexBuilder::new(&pattern).size_limit(1 << 20).build();
            Test::Matches(built.map_err(|_| fails("regex_match is no regular expression that can be used"))?)
        }
        other => return Err(fails(&format!("there is no test {other}"))),
    };
    Ok(Condition::Is { path: path_of(path), test })
}

fn path_of(text: &str) -> Vec<String> {
    text.split('.').map(str::to_owned).collect()
}

/// The values that a path leads to: names of members, indexes of lists from either end, `*` for all of them.
fn values<'v>(value: &'v Value, path: &[String], found: &mut Vec<&'v Value>) {
    if found.len() >= VALUES_MAX {
        return;
    }
    let Some((step, rest)) = path.split_first() else {
        found.push(value);
        return;
    };
    match value {
        Value::Object(members) if step == "*" => members.values().for_each(|one| values(one, rest, found)),
        Value::Object(members) => {
            if let Some(one) = members.get(step) {
                values(one, rest, found);
            }
        }
        Value::Array(list) if step == "*" => list.iter().for_each(|one| values(one, rest, found)),
        Value::Array(list) => {
            let idx = step.parse::<i64>().ok().and_then(|idx| match idx < 0 {
                true => list.len().checked_sub(usize::try_from(idx.unsigned_abs()).ok()?),
                false => usize::try_from(idx).ok(),
            });
            if let Some(one) = idx.and_then(|idx| list.get(idx)) {
                values(one, rest, found);
            }
        }
        _ => {}
    }
}

impl Condition {
    fn holds(&self, payload: &Value) -> bool {
        match self {
            Self::Any(inner) => inner.iter().any(|one| one.holds(payload)),
            Self::All(inner) => inner.iter().all(|one| one.holds(payload)),
            Self::None(inner) => !inner.iter().any(|one| one.holds(payload)),
            Self::Is { path, test } => {
                let mut found = Vec::new();
                values(payload, path, &mut found);
                match test {
                    // What says no of a value says it of all of them, and of none.
                    Test::Neq(_) | Test::Nin(_) | Test::Ncontains(_) => {
                        found.iter().all(|value| test.holds(value))
                    }
                    _ => found.iter().any(|value| test.holds(value)),
                }
            }
        }
    }
}

impl Test {
    fn holds(&self, value: &Value) -> bool {
        let number = || match value {
            Value::Number(number) => number.as_f64().unwrap_or(0.0),
            Value::String(text) => text.trim().parse().unwrap_or(0.0),
            _ => 0.0,
        };
        let contains = |wanted: &str| match value {
            Value::String(text) => text.contains(wanted),
            Value::Array(list) => list.iter().any(|one| one.as_str() == Some(wanted)),
            _ => false,
        };
        match self {
            Self::Eq(wanted) => value == wanted,
            Self::Neq(wanted) => value != wanted,
            Self::In(wanted) => wanted.contains(value),
            Self::Nin(wanted) => !wanted.contains(value),
            Self::Contains(wanted) => contains(wanted),
            Self::Ncontains(wanted) => !contains(wanted),
            Self::Gt(wanted) => number() > *wanted,
            Self::Gte(wanted) => number() >= *wanted,
            Self::Lt(wanted) => number() < *wanted,
            Self::Lte(wanted) => number() <= *wanted,
            Self::Matches(pattern) => value.as_str().is_some_and(|text| pattern.is_match(text)),
        }
    }
}

impl Template {
    fn parse(text: &str) -> Result<Self, RulesError> {
        if text.chars().count() > TEMPLATE_CHARS_MAX {
            return Err(fails("a template has at most 512 characters"));
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("{{") {
            let Some(length) = rest[start..].find("}}") else {
                return Err(fails("a template's {{ is not closed"));
            };
            if start > 0 {
                pieces.push(Piece::Text(rest[..start].to_owned()));
            }
            pieces.push(match rest[start + 2..start + length].trim() {
                "default_fingerprint" => Piece::DefaultFingerprint,
                "default_title" => Piece::DefaultTitle,
                path => Piece::Path(path_of(path)),
            });
            rest = &rest[start + length + 2..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    fn fill(&self, payload: &Value, fingerprint: &str, title: &str) -> String {
        let mut filled = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::DefaultFingerprint => filled.push_str(fingerprint),
                Piece::DefaultTitle => filled.push_str(title),
                Piece::Path(path) => {
                    let mut found = Vec::new();
                    values(payload, path, &mut found);
                    match found.first() {
                        Some(Value::String(text)) => filled.push_str(cut(text, VALUE_BYTES_MAX)),
                        Some(Value::Null) | None => {}
                        Some(other) => filled.push_str(cut(&other.to_string(), VALUE_BYTES_MAX)),
                    }
                }
            }
        }
        filled
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_rule_that_holds_wins() {
        let payload = json!({
            "environment": "prod", "custom": {"tenant": 7},
            "body": {"trace": {"frames": [{"filename": "a.py"}, {"filename": "b.py"}], "exception": {"class": "KeyError"}}},
        });
        for (condition, wanted) in [
            (json!({"path": "environment", "eq": "prod"}), true),
            (json!({"path": "environment", "neq": "prod"}), false),
            (json!({"path": "nothing", "neq": "x"}), true),
            (json!({"path": "nothing", "eq": "x"}), false),
            (json!({"path": "body.trace.frames.*.filename", "eq": "b.py"}), true),
            (json!({"path": "body.trace.frames.*.filename", "ncontains": "b"}), false),
            (json!({"path": "body.trace.frames.-1.filename", "eq": "b.py"}), true),
            (json!({"path": "body.trace.frames.0.filename", "eq": "b.py"}), false),
            (json!({"path": "body.trace.frames.-3.filename", "eq": "b.py"}), false),
            (json!({"path": "environment", "in": ["dev", "prod"]}), true),
            (json!({"path": "environment", "nin": ["dev", "prod"]}), false),
            (json!({"path": "custom.tenant", "gte": 7}), true),
            (json!({"path": "custom.tenant", "lt": 7}), false),
            (json!({"path": "environment", "gt": -1}), true),
            (json!({"path": "body.trace.exception.class", "regex_match": "^Key"}), true),
            (json!({"any": [{"path": "environment", "eq": "x"}, {"path": "custom.tenant", "eq": 7}]}), true),
            (json!({"all": [{"path": "environment", "eq": "x"}, {"path": "custom.tenant", "eq": 7}]}), false),
            (json!({"none": [{"path": "environment", "eq": "x"}]}), true),
            (json!({"all": []}), true),
        ] {
            let text = json!([{"condition": condition, "fingerprint": "f"}]).to_string();
            assert_eq!(
                Rules::parse(&text).unwrap().apply(&payload, "d", "t").is_some(),
                wanted,
                "{condition}"
            );
        }
    }

    #[test]
    fn templates_take_values_of_the_payload() {
        let payload = json!({"custom": {"tenant": 7, "name": "shop"}});
        for (fingerprint, title, wanted) in [
            ("f", "", Some(("f", None))),
            (
                "{{default_fingerprint}}-{{ custom.tenant }}",
                "{{custom.name}}: {{ default_title }}",
                Some(("d-7", Some("shop: t"))),
            ),
            ("{{nothing}}", "", None),
        ] {
            let text =
                json!([{"condition": {"all": []}, "fingerprint": fingerprint, "title": title}]).to_string();
            let found = Rules::parse(&text).unwrap().apply(&payload, "d", "t");
            let found = found.as_ref().map(|found| (found.fingerprint.as_str(), found.title.as_deref()));
            assert_eq!(found, wanted, "{fingerprint}");
        }
    }

    #[test]
    fn bad_rules_are_refused_with_the_place() {
        for (text, wanted) in [
            ("{}", "rules are a list"),
            ("[", "rules are no JSON: EOF while parsing a list at line 1 column 1"),
            ("[{}]", "rule 1: condition is missing"),
            (r#"[{"condition": {"all": []}}]"#, "rule 1: fingerprint is missing"),
            (
                r#"[{"condition": {"path": "a"}, "fingerprint": "f"}]"#,
                "rule 1: a condition has one test beside its path",
            ),
            (r#"[{"condition": {"path": "a", "is": 1}, "fingerprint": "f"}]"#, "rule 1: there is no test is"),
            (r#"[{"condition": {"path": "a", "gt": "x"}, "fingerprint": "f"}]"#, "rule 1: gt wants a number"),
            (
                r#"[{"condition": {"path": "a", "regex_match": "("}, "fingerprint": "f"}]"#,
                "rule 1: regex_match is no regular expression that can be used",
            ),
            (
                r#"[{"condition": {"all": []}, "fingerprint": "{{a"}]"#,
                "rule 1: a template's {{ is not closed",
            ),
        ] {
            assert_eq!(Rules::parse(text).unwrap_err().to_string(), wanted, "{text}");
        }
        let deep = format!(
            "{}{}{}",
            r#"[{"fingerprint":"f","condition":"#,
            r#"{"all":["#.repeat(20),
            "]}".repeat(20)
        ) + "}]";
        assert_eq!(Rules::parse(&deep).unwrap_err().to_string(), "rule 1: conditions are too deep");
    }
}
