//! Filter expressions as text. Groups store what this prints; it parses to the tree that was printed.

use std::fmt::{Display, Formatter, Result, Write};

use super::ast::{AnnotationTest, Expression, Selector, Term};

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::All(parts) => joined(f, parts, " AND ", |part| matches!(part, Self::All(_) | Self::Any(_))),
            Self::Any(parts) => joined(f, parts, " OR ", |part| matches!(part, Self::Any(_))),
            Self::Not(inner) => match **inner {
                Self::All(_) | Self::Any(_) => write!(f, "!({inner})"),
                Self::Not(_) | Self::Term(_) => write!(f, "!{inner}"),
            },
            Self::Term(term) => write!(f, "{term}"),
        }
    }
}

fn joined(
    f: &mut Formatter<'_>,
    parts: &[Expression],
    by: &str,
    wrap: impl Fn(&Expression) -> bool,
) -> Result {
    for (idx, part) in parts.iter().enumerate() {
        if idx > 0 {
            f.write_str(by)?;
        }
        match wrap(part) {
            true => write!(f, "({part})")?,
            false => write!(f, "{part}")?,
        }
    }
    Ok(())
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Flag { flag, is: true } => f.write_str(flag.as_str()),
            Self::Flag { flag, is: false } => write!(f, "{} = false", flag.as_str()),
            Self::Number { number, comparison, value } => {
                write!(f, "{} {} {value}", number.as_str(), comparison.as_str())
            }
            Self::Text { text, test, value } => {
                write!(f, "{} {} {}", text.as_str(), test.as_str(), Quoted(value))
            }
            Self::Annotation { key, test } => {
                annotation_key(f, key)?;
                match test {
                    None => Ok(()),
                    Some(AnnotationTest::Text(test, value)) => {
                        write!(f, " {} {}", test.as_str(), Quoted(value))
                    }
                    Some(AnnotationTest::Number(comparison, value)) => {
                        write!(f, " {} {value}", comparison.as_str())
                    }
                    Some(AnnotationTest::Flag(is)) => write!(f, " = {is}"),
                }
            }
            Self::Service { selector, inside } => {
                match selector == &Selector::default() {
                    true => f.write_str("service()")?,
                    false => write!(f, "service({selector})")?,
                }
                braces(f, inside.as_deref())
            }
            Self::Edge { from, to, inside } => {
                write!(f, "edge({from}, {to})")?;
                braces(f, inside.as_deref())
            }
            Self::Group { by, value } => write!(f, "{} = {}", by.as_str(), Quoted(value)),
            Self::RootCause { cause, of, inside } => {
                write!(f, "rootcause.{}.{}", cause.as_str(), of.as_str())?;
                braces(f, Some(inside))
            }
            Self::RootCauseJson(causes) => {
                let causes: Vec<String> = causes.iter().map(ToString::to_string).collect();
                write!(f, "rootcause.json = #[{}]", causes.join(","))
            }
        }
    }
}

impl Display for Selector {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if let Self { name: Some(name), r#type: None, account_id: None } = self {
            return write!(f, "{}", Quoted(name));
        }
        let fields = [("name", &self.name), ("type", &self.r#type), ("account.id", &self.account_id)];
        let fields = fields.into_iter().filter_map(|(field, value)| Some((field, value.as_ref()?)));
        let fields: Vec<String> =
            fields.map(|(field, value)| format!("{field}: {}", Quoted(value))).collect();
        write!(f, "id({})", fields.join(", "))
    }
}

fn braces(f: &mut Formatter<'_>, inside: Option<&Expression>) -> Result {
    match inside {
        Some(inside) => write!(f, " {{ {inside} }}"),
        None => Ok(()),
    }
}

fn annotation_key(f: &mut Formatter<'_>, key: &str) -> Result {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    match (key.chars().all(plain), key.chars().all(|letter| plain(letter) || ".-:/".contains(letter))) {
        _ if key.is_empty() => write!(f, "annotation[{}]", Quoted(key)),
        (true, _) => write!(f, "annotation.{key}"),
        (false, true) => write!(f, "annotation[{key}]"),
        (false, false) => write!(f, "annotation[{}]", Quoted(key)),
    }
}

struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_char('"')?;
        for letter in self.0.chars() {
            if matches!(letter, '"' | '\\') {
                f.write_char('\\')?;
            }
            f.write_char(letter)?;
        }
        f.write_char('"')
    }
}
