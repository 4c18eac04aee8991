//! What a filter expression means, said plainly over one trace in memory. Tests compare every plan of the query engine
//! with it. A condition on what a trace does not have is false, also for `!=`; its negation is true.

use serde_json::Value;

use super::ast::{
    AnnotationTest, Cause, CauseOf, Comparison, Expression, Flag, GroupBy, Number, Selector, Term, Text,
    TextTest,
};

/// A trace as filters see it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// Of the entry point: a downstream error that was handled is not among them.
    pub facts: Facts,
    pub services: Vec<Service>,
    pub edges: Vec<Edge>,
    pub groups: Vec<Group>,
    pub root_causes: Vec<RootCause>,
}

/// What plain keywords look at, of a trace, a node, an edge or a part of a root cause.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The flags that are set.
    pub flags: Vec<Flag>,
    pub numbers: Vec<(Number, f64)>,
    /// A keyword may have several values: a trace has many users.
    pub texts: Vec<(Text, String)>,
    pub annotations: Vec<(String, AnnotationValue)>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum AnnotationValue {
    Text(String),
    Number(f64),
    Flag(bool),
}

/// A node of the trace's map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Service {
    pub name: String,
    pub r#type: String,
    pub account_id: String,
    pub facts: Facts,
}

/// A connection, by the positions of its ends in `services`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edge {
    pub from_idx: usize,
    pub to_idx: usize,
    pub facts: Facts,
}

/// A group that the trace fell into.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    pub name: String,
    pub arn: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RootCause {
    pub cause: Cause,
    pub services: Vec<RootCauseService>,
    /// As the trace's summary gives it.
    pub json: Value,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct RootCauseService {
    pub facts: Facts,
    pub entities: Vec<Facts>,
    pub exceptions: Vec<Facts>,
}

/// Whether the trace is one that the expression asks for.
pub fn matches(expression: &Expression, trace: &Trace) -> bool {
    holds(expression, &|term| trace_term(term, trace))
}

/// Whether what stands in braces holds of a node of which nothing is known.
pub(super) fn holds_of_nothing(inside: &Expression) -> bool {
    holds(inside, &|term| fact_term(term, &Facts::default()))
}

fn holds(expression: &Expression, term_holds: &dyn Fn(&Term) -> bool) -> bool {
    match expression {
        Expression::All(parts) => parts.iter().all(|part| holds(part, term_holds)),
        Expression::Any(parts) => parts.iter().any(|part| holds(part, term_holds)),
        Expression::Not(inner) => !holds(inner, term_holds),
        Expression::Term(term) => term_holds(term),
    }
}

fn trace_term(term: &Term, trace: &Trace) -> bool {
    let within = |inside: &Option<Box<Expression>>, facts: &Facts| {
        inside.as_deref().is_none_or(|inside| holds(inside, &|term| fact_term(term, facts)))
    };
    match term {
        Term::Service { selector, inside } => {
            let mut selected = trace.services.iter().filter(|service| selects(selector, service));
            selected.any(|service| within(inside, &service.facts))
        }
        Term::Edge { from, to, inside } => trace.edges.iter().any(|edge| {
            let end = |idx: usize, selector: &Selector| {
                trace.services.get(idx).is_some_and(|service| selects(selector, service))
            };
            end(edge.from_idx, from) && end(edge.to_idx, to) && within(inside, &edge.facts)
        }),
        Term::Group { by, value } => trace.groups.iter().any(|group| match by {
            GroupBy::Name => &group.name == value,
            GroupBy::Arn => &group.arn == value,
        }),
        Term::RootCause { cause, of, inside } => {
            let causes = trace.root_causes.iter().filter(|known| known.cause == *cause);
            let mut parts = causes.flat_map(|cause| &cause.services).flat_map(|service| match of {
                CauseOf::Service => std::slice::from_ref(&service.facts),
                CauseOf::Entity => &service.entities,
                CauseOf::Exception => &service.exceptions,
            });
            parts.any(|facts| holds(inside, &|term| fact_term(term, facts)))
        }
        Term::RootCauseJson(wanted) => {
            wanted.iter().all(|wanted| trace.root_causes.iter().any(|cause| fits(wanted, &cause.json)))
        }
        plain => fact_term(plain, &trace.facts),
    }
}

fn selects(selector: &Selector, service: &Service) -> bool {
    let fits =
        |wanted: &Option<String>, actual: &String| wanted.as_ref().is_none_or(|wanted| wanted == actual);
    fits(&selector.name, &service.name)
        && fits(&selector.r#type, &service.r#type)
        && fits(&selector.account_id, &service.account_id)
}

fn fact_term(term: &Term, facts: &Facts) -> bool {
    match term {
        Term::Flag { flag, is } => facts.flags.contains(flag) == *is,
        Term::Number { number, comparison, value } => facts
            .numbers
            .iter()
            .any(|(known, actual)| known == number && compares(*comparison, *actual, *value)),
        Term::Text { text, test, value } => {
            facts.texts.iter().any(|(known, actual)| known == text && reads(*test, actual, value))
        }
        Term::Annotation { key, test } => facts.annotations.iter().any(|(known, actual)| {
            known == key
                && match (test, actual) {
                    (None, _) => true,
                    (Some(AnnotationTest::Text(test, value)), AnnotationValue::Text(actual)) => {
                        reads(*test, actual, value)
                    }
                    (Some(AnnotationTest::Number(comparison, value)), AnnotationValue::Number(actual)) => {
                        compares(*comparison, *actual, *value)
                    }
                    (Some(AnnotationTest::Flag(value)), AnnotationValue::Flag(actual)) => value == actual,
                    _ => false,
                }
        }),
        // The parser lets none of these stand inside braces.
        Term::Service { .. }
        | Term::Edge { .. }
        | Term::Group { .. }
        | Term::RootCause { .. }
        | Term::RootCauseJson(_) => false,
    }
}

fn compares(comparison: Comparison, actual: f64, value: f64) -> bool {
    match comparison {
        Comparison::Equal => actual == value,
        Comparison::NotEqual => actual != value,
        Comparison::LessOrEqual => actual <= value,
        Comparison::Less => actual < value,
        Comparison::MoreOrEqual => actual >= value,
        Comparison::More => actual > value,
    }
}

fn reads(test: TextTest, actual: &str, value: &str) -> bool {
    match test {
        TextTest::Equal => actual == value,
        TextTest::NotEqual => actual != value,
        TextTest::Contains => actual.contains(value),
        TextTest::BeginsWith => actual.starts_with(value),
        TextTest::EndsWith => actual.ends_with(value),
    }
}

/// Whether all that `wanted` says is so in `actual`; lists are paths, so their lengths count.
fn fits(wanted: &Value, actual: &Value) -> bool {
    match (wanted, actual) {
        (Value::Object(wanted), Value::Object(actual)) => {
            wanted.iter().all(|(name, wanted)| actual.get(name).is_some_and(|actual| fits(wanted, actual)))
        }
        (Value::Array(wanted), Value::Array(actual)) => {
            wanted.len() == actual.len()
                && wanted.iter().zip(actual).all(|(wanted, actual)| fits(wanted, actual))
        }
        _ => wanted == actual,
    }
}
