//! Whether a pattern matches a message, and which values it takes out of one. Everything is linear in the message.

use serde_json::Value;

use super::ast::{Comparison, Condition, Pattern, Selector, Slot, Term, Terms, Test};
use super::json::document;

impl Pattern {
    /// Whether the message matches.
    pub fn matches(&self, message: &str) -> bool {
        match self {
            Self::All => true,
            Self::Terms(terms) => terms.matches(message),
            Self::Json(condition) => document(message).is_some_and(|document| {
                holds(condition, &|selector: &Selector, test| of_value(test, selector.of(&document)))
            }),
            Self::Fields(slots) => slots
                .assign(message)
                .is_some_and(|(assigned, _)| assigned.iter().all(|(slot, field)| fits(slot, field))),
        }
    }

    /// What a matching message gives: `$.path` and value for each selector of a JSON pattern, `$name` and field for each
    /// field of one with fields, by number where `...` stands for it.
    pub fn extract(&self, message: &str) -> Vec<(String, String)> {
        match self {
            Self::All | Self::Terms(_) => Vec::new(),
            Self::Json(condition) => {
                let Some(document) = document(message) else { return Vec::new() };
                let mut selectors = Vec::new();
                collect(condition, &mut selectors);
                let found = selectors.into_iter().filter_map(|selector| {
                    Some((selector.to_string(), Selector::text(selector.of(&document)?)))
                });
                found.collect()
            }
            Self::Fields(slots) => {
                let Some((assigned, middle)) = slots.assign(message) else { return Vec::new() };
                let (front, back) = assigned.split_at(slots.before.len());
                let named = |(slot, field): &(&Slot, &str)| (format!("${}", slot.name), (*field).to_owned());
                let numbered = middle.iter().enumerate();
                let numbered =
                    numbered.map(|(idx, field)| (format!("${}", front.len() + idx + 1), (*field).to_owned()));
                front.iter().map(named).chain(numbered).chain(back.iter().map(named)).collect()
            }
        }
    }

    /// The value of a selector (`$.latency`) or field (`$latency`) of a message.
    pub fn value(&self, message: &str, name: &str) -> Option<String> {
        if let (Self::Json(_), Ok(Self::Json(Condition::Test { subject, .. }))) =
            (self, Self::parse(&format!("{{ {name} NOT EXISTS }}")))
        {
            return Some(Selector::text(subject.of(&document(message)?)?));
        }
        self.extract(message).into_iter().find_map(|(known, value)| (known == name).then_some(value))
    }
}

impl Terms {
    fn matches(&self, message: &str) -> bool {
        let is_in = |term: &Term| match term {
            Term::Text(text) => message.contains(text.as_str()),
            Term::Regex(expression) => expression.regex.is_match(message),
        };
        let needs_one = self.required.is_empty() && self.excluded.is_empty() && !self.optional.is_empty();
        self.required.iter().all(is_in)
            && !self.excluded.iter().any(is_in)
            && (!needs_one || self.optional.iter().any(is_in))
    }
}

fn holds<S>(condition: &Condition<S>, test: &dyn Fn(&S, &Test) -> bool) -> bool {
    match condition {
        Condition::All(parts) => parts.iter().all(|part| holds(part, test)),
        Condition::Any(parts) => parts.iter().any(|part| holds(part, test)),
        Condition::Test { subject, test: of } => test(subject, of),
    }
}

fn collect<'p>(condition: &'p Condition<Selector>, selectors: &mut Vec<&'p Selector>) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().for_each(|part| collect(part, selectors))
        }
        Condition::Test { subject, .. } => {
            if !selectors.contains(&subject) {
                selectors.push(subject);
            }
        }
    }
}

fn fits(slot: &Slot, field: &str) -> bool {
    slot.condition.as_ref().is_none_or(|condition| holds(condition, &|(), test| of_text(test, field)))
}

/// A value that is missing is only unequal to something in the sense of `NOT EXISTS`.
fn of_value(test: &Test, value: Option<&Value>) -> bool {
    let Some(value) = value else { return *test == Test::NotExists };
    match (test, value) {
        (Test::IsNull, value) => value.is_null(),
        (Test::IsTrue, value) => *value == Value::Bool(true),
        (Test::IsFalse, value) => *value == Value::Bool(false),
        (Test::NotExists, _) => false,
        (Test::Number { comparison, number, .. }, Value::Number(value)) => {
            value.as_f64().is_some_and(|value| comparison.holds(value, *number))
        }
        (_, Value::String(text)) => of_text(test, text),
        // `4*` is held against the digits.
        (Test::Text { .. } | Test::Regex { .. }, Value::Number(number)) => of_text(test, &number.to_string()),
        (Test::Text { negated, .. } | Test::Regex { negated, .. }, _) => *negated,
        (Test::Number { comparison, .. }, _) => *comparison == Comparison::NotEqual,
    }
}

fn of_text(test: &Test, text: &str) -> bool {
    match test {
        Test::Text { negated, glob, .. } => is_glob(glob, text) != *negated,
        Test::Regex { negated, expression } => expression.regex.is_match(text) != *negated,
        Test::Number { comparison, number, text: written } => match text.trim().parse::<f64>() {
            Ok(value) => comparison.holds(value, *number),
            Err(_) => match comparison {
                Comparison::Equal => text == written,
                Comparison::NotEqual => text != written,
                _ => false,
            },
        },
        Test::IsNull | Test::IsTrue | Test::IsFalse | Test::NotExists => false,
    }
}

/// Whether the text is what the glob says; only `*` is special. Each piece is looked for once, from left to right.
fn is_glob(glob: &str, text: &str) -> bool {
    let Some((head, rest)) = glob.split_once('*') else { return glob == text };
    let Some(mut left) = text.strip_prefix(head) else { return false };
    let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    for piece in middle.split('*').filter(|piece| !piece.is_empty()) {
        match left.find(piece) {
            Some(at) => left = &left[at + piece.len()..],
            None => return false,
        }
    }
    left.ends_with(tail)
}
