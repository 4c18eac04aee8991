//! The words in which constraints of requests are written down: generated statics use them, the checker walks them.
//! They say what a member must be and within which limits, as the vendor's model does.

use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};

/// What a value must be.
#[derive(Debug)]
pub enum Shape {
    Text(&'static Text),
    Integer { min: Option<i64>, max: Option<i64> },
    Long { min: Option<i64>, max: Option<i64> },
    Double { min: Option<f64>, max: Option<f64> },
    Boolean,
    Timestamp,
    List(&'static List),
    Map(&'static Map),
    Structure(&'static Structure),
}

/// A text; lengths count characters.
#[derive(Debug)]
pub struct Text {
    pub min: Option<u64>,
    pub max: Option<u64>,
    pub pattern: Option<Pattern>,
    /// The words of which it must be one; empty for any.
    pub one_of: &'static [&'static str],
    /// The whole message of the error for a longer text, where the vendor has one of its own.
    pub too_long: Option<&'static str>,
}

/// A text without limits.
pub static ANY_TEXT: Text = Text { min: None, max: None, pattern: None, one_of: &[], too_long: None };

#[derive(Debug)]
pub struct List {
    pub min: Option<u64>,
    pub max: Option<u64>,
    pub member: Shape,
}

#[derive(Debug)]
pub struct Map {
    pub min: Option<u64>,
    pub max: Option<u64>,
    pub key: Shape,
    pub value: Shape,
}

#[derive(Debug)]
pub struct Structure {
    pub name: &'static str,
    pub members: &'static [Member],
}

#[derive(Debug)]
pub struct Member {
    pub name: &'static str,
    /// Another name under which real clients send it.
    pub alias: Option<&'static str>,
    pub required: bool,
    pub shape: Shape,
}

/// A regular expression that a whole text must match, compiled when it is first asked for.
#[derive(Debug)]
pub struct Pattern {
    /// As the model writes it, and as errors cite it.
    pub text: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

/// The vendor's patterns compile to a few kilobytes; repetition counts make the largest.
const COMPILED_BYTES_MAX: usize = 1 << 20;

impl Pattern {
    /// A pattern in the dialect of the models, which is Java's.
    pub const fn new(text: &'static str) -> Self {
        Self { text, compiled: OnceLock::new() }
    }

    /// Whether the whole of `value` matches; a pattern that does not compile matches nothing.
    pub fn matches(&self, value: &str) -> bool {
        self.regex().is_some_and(|regex| regex.is_match(value))
    }

    fn regex(&self) -> Option<&Regex> {
        let compile = || {
            // In Java's dialect these classes are ASCII.
            let ascii = self.text.replace(r"\w", "[0-9A-Za-z_]").replace(r"\d", "[0-9]");
            RegexBuilder::new(&format!("^(?:{ascii})$")).size_limit(COMPILED_BYTES_MAX).build().ok()
        };
        self.compiled.get_or_init(compile).as_ref()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn patterns(shape: &'static Shape, seen: &mut BTreeSet<&'static str>, found: &mut Vec<&'static Pattern>) {
        match shape {
            Shape::Text(text) => found.extend(&text.pattern),
            Shape::List(list) => patterns(&list.member, seen, found),
            Shape::Map(map) => {
                [&map.key, &map.value].into_iter().for_each(|part| patterns(part, seen, found))
            }
            Shape::Structure(structure) => {
                if seen.insert(structure.name) {
                    structure.members.iter().for_each(|member| patterns(&member.shape, seen, found));
                }
            }
            _ => {}
        }
    }

    #[test]
    fn every_pattern_of_the_models_compiles() {
        let xray = crate::xray::Operation::ALL.iter().map(|operation| operation.spec());
        let logs = crate::logs::Operation::ALL.iter().map(|operation| operation.spec());
        let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
        for spec in xray.chain(logs) {
            spec.input.members.iter().for_each(|member| patterns(&member.shape, &mut seen, &mut found));
        }
        assert!(found.len() > 20);
        for pattern in found {
            assert!(pattern.regex().is_some(), "{}", pattern.text);
        }
    }

    #[test]
    fn a_pattern_takes_the_whole_text() {
        let cases = [
            (r"[\.\-_/#A-Za-z0-9]+", "a/b", true),
            (r"[\.\-_/#A-Za-z0-9]+", "a b", false),
            (r"[\.\-_/#A-Za-z0-9]+", "a\n", false),
            (r"[^:*]*", "é", true),
            (r"[\w+=/:,.@-]*", "é", false),
            (r"[\w-_]*", "a-b", true),
            (r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]+)$", "é 1", true),
        ];
        for (pattern, value, matches) in cases {
            assert_eq!(Pattern::new(pattern).matches(value), matches, "{pattern} {value:?}");
        }
    }
}
