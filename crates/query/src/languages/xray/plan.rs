//! What some row of a trace must be for a filter to want the trace: a condition on rows that the engine and its indexes can
//! narrow a scan with. It is necessary and not sufficient: whoever scans by it holds the whole traces that it gives
//! against the expression afterwards, with the plain evaluator.

use std::collections::BTreeMap;

use serde_json::Value;

use super::ast::{
    AnnotationTest, Cause, Comparison, Expression, Flag, GroupBy, Number, Selector, Term, Text, TextTest,
};
use super::columns::{CLIENT, STATUS, fields_of, is_mixed, known_type};
use super::evaluate::Group;
use crate::questions::{identifier, literal};
use crate::{FieldInfo, FieldType};

/// A condition on rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    /// Over the fields in `columns`.
    pub(crate) sql: String,
    pub(crate) columns: Vec<String>,
    rank: Rank,
}

/// How much a condition narrows, as a rule.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Rank {
    /// No row is like this.
    Never,
    /// An index may know the rows.
    Indexed,
    Equal,
    Similar,
    Compared,
    Outcome,
}

impl Condition {
    fn never() -> Self {
        Self { sql: "false".to_owned(), columns: Vec::new(), rank: Rank::Never }
    }

    /// Whether an index may answer it, so that long stretches of time are cheap.
    pub(crate) fn is_indexed(&self) -> bool {
        self.rank <= Rank::Indexed
    }

    fn any(parts: Vec<Self>) -> Self {
        let Some(rank) = parts.iter().map(|part| part.rank).max() else { return Self::never() };
        if let [only] = parts.as_slice() {
            return only.clone();
        }
        let sql: Vec<String> = parts.iter().map(|part| format!("({})", part.sql)).collect();
        let mut columns: Vec<String> = parts.into_iter().flat_map(|part| part.columns).collect();
        columns.sort();
        columns.dedup();
        // Only one value at a time is looked up in an index.
        Self { sql: sql.join(" OR "), columns, rank: rank.max(Rank::Equal) }
    }
}

/// The fields that there are.
pub(crate) struct Planner<'a> {
    pub(crate) fields: &'a [FieldInfo],
    pub(crate) physical: &'a BTreeMap<String, i64>,
    pub(crate) groups: &'a [(Group, Expression)],
}

impl Planner<'_> {
    /// What some row must be; `None` when any trace may do.
    pub(crate) fn necessary(&self, expression: &Expression) -> Option<Condition> {
        match expression {
            Expression::All(parts) => {
                parts.iter().filter_map(|part| self.necessary(part)).min_by_key(|condition| condition.rank)
            }
            Expression::Any(parts) => {
                let parts: Option<Vec<Condition>> = parts.iter().map(|part| self.necessary(part)).collect();
                Some(Condition::any(parts?))
            }
            // What no row is says nothing of a row.
            Expression::Not(_) => None,
            Expression::Term(term) => self.term(term),
        }
    }

    fn term(&self, term: &Term) -> Option<Condition> {
        match term {
            Term::Flag { flag, is: true } => self.flag(*flag),
            Term::Flag { is: false, .. } => None,
            Term::Number { number, comparison, value } => self.number(*number, *comparison, *value),
            Term::Text { text: Text::Name | Text::Type, .. } => None,
            Term::Text { text, test, value } => {
                let fields = fields_of(*text).iter();
                Some(Condition::any(fields.filter_map(|name| self.text(name, *test, value)).collect()))
            }
            Term::Annotation { key, test } => Some(self.annotation(key, test.as_ref())),
            Term::Service { selector, inside } => self.best([Some(selector), None], inside.as_deref()),
            Term::Edge { from, to, inside } => self.best([Some(to), Some(from)], inside.as_deref()),
            Term::Group { by, value } => {
                let named = self.groups.iter().filter(|(group, _)| match by {
                    GroupBy::Name => &group.name == value,
                    GroupBy::Arn => &group.arn == value,
                });
                // A group is asked before the groups of a trace are known: none holds within another.
                let alone = Planner { groups: &[], ..*self };
                let parts: Option<Vec<Condition>> =
                    named.map(|(_, expression)| alone.necessary(expression)).collect();
                Some(Condition::any(parts?))
            }
            Term::RootCause { cause: Cause::Fault, .. } => self.flag(Flag::Fault),
            Term::RootCause { cause: Cause::Error, .. } => self.flag(Flag::Error),
            Term::RootCause { cause: Cause::ResponseTime, .. } => None,
            Term::RootCauseJson(causes) => causes.iter().find_map(service_name).map(|name| self.node(name)),
        }
    }

    fn best(&self, ends: [Option<&Selector>; 2], inside: Option<&Expression>) -> Option<Condition> {
        let names = ends.into_iter().flatten().filter_map(|selector| selector.name.as_deref());
        let conditions = names.map(|name| self.node(name));
        conditions
            .chain(inside.and_then(|inside| self.necessary(inside)))
            .min_by_key(|condition| condition.rank)
    }

    /// Rows that may stand for the node of that name.
    pub(super) fn node(&self, name: &str) -> Condition {
        let equal = |column: &str, value: &str| self.text(column, TextTest::Equal, value);
        let fold = |column: &str| {
            known_type(self.fields, column)?;
            let (text, wanted) = (text_of(self.fields, column), literal(&name.to_lowercase()));
            // `AmazonSNS` and `SNS` are one node.
            let sql = format!("strpos(lower({text}), {wanted}) > 0");
            Some(condition(sql, column, Rank::Equal))
        };
        let dataset = format!(r##""#dataset" = {}"##, literal(name));
        let mut parts = vec![condition(dataset, "#dataset", Rank::Equal)];
        parts.extend(equal("aws.xray.node", name));
        for column in CLIENT {
            parts.extend(match column {
                "rpc.service" | "db.system" | "db.system.name" => fold(column),
                "aws.queue_url" | "aws.dynamodb.table_names" => self.text(column, TextTest::Contains, name),
                "db.name" | "db.namespace" => {
                    let names = name.match_indices('@').map(|(at, _)| &name[..at]);
                    let parts: Vec<Condition> = names.filter_map(|name| equal(column, name)).collect();
                    (!parts.is_empty()).then(|| Condition::any(parts))
                }
                _ => equal(column, name),
            });
        }
        Condition::any(parts)
    }

    pub(super) fn flag(&self, flag: Flag) -> Option<Condition> {
        let (column, statuses) = match flag {
            Flag::Fault => ("aws.xray.fault", ">= 500"),
            Flag::Error => ("aws.xray.error", "BETWEEN 400 AND 499"),
            Flag::Throttle => ("aws.xray.throttle", "= 429"),
            Flag::Partial => ("aws.xray.inprogress", ""),
            _ => return None,
        };
        let mut parts = Vec::new();
        if known_type(self.fields, column).is_some() {
            let sql = format!("TRY_CAST({} AS BOOLEAN)", identifier(column));
            parts.push(condition(sql, column, Rank::Outcome));
        }
        if flag != Flag::Partial {
            for status in STATUS.iter().filter(|status| known_type(self.fields, status).is_some()) {
                let sql = format!("TRY_CAST({} AS BIGINT) {statuses}", identifier(status));
                parts.push(condition(sql, status, Rank::Outcome));
            }
        }
        if flag == Flag::Fault {
            parts.push(condition(r##""#status_code" = 2"##.to_owned(), "#status_code", Rank::Outcome));
        }
        Some(Condition::any(parts))
    }

    fn number(&self, number: Number, comparison: Comparison, value: f64) -> Option<Condition> {
        match number {
            Number::HttpStatus => {
                let known = STATUS.iter().filter(|status| known_type(self.fields, status).is_some());
                let parts = known.map(|status| {
                    let column = format!("CAST(TRY_CAST({} AS BIGINT) AS DOUBLE)", identifier(status));
                    condition(compared(&column, comparison, value), status, Rank::Compared)
                });
                Some(Condition::any(parts.collect()))
            }
            Number::ResponseTime => {
                let column = r##"CAST(greatest(coalesce("#duration_ns", 0), 0) AS DOUBLE) / 1e9"##;
                Some(condition(compared(column, comparison, value), "#duration_ns", Rank::Outcome))
            }
            // Of the whole trace, or of a root cause.
            Number::Duration | Number::Index | Number::Coverage => None,
        }
    }

    /// `None` when no row has the field.
    fn text(&self, column: &str, test: TextTest, value: &str) -> Option<Condition> {
        let field_type = known_type(self.fields, column)?;
        let text = text_of(self.fields, column);
        let rank = match test {
            TextTest::Equal if field_type == FieldType::Text => Rank::Indexed,
            TextTest::Equal => Rank::Equal,
            TextTest::NotEqual => Rank::Outcome,
            _ if value.is_empty() => Rank::Compared,
            TextTest::Contains | TextTest::BeginsWith | TextTest::EndsWith => Rank::Similar,
        };
        Some(condition(text_test(&text, test, value), column, rank))
    }

    fn annotation(&self, key: &str, test: Option<&AnnotationTest>) -> Condition {
        let Some(field_type) = known_type(self.fields, key) else { return Condition::never() };
        let is_set = || condition(format!("{} IS NOT NULL", identifier(key)), key, Rank::Compared);
        match (test, field_type) {
            (None, _) => is_set(),
            (Some(AnnotationTest::Text(test, value)), FieldType::Text) => {
                self.text(key, *test, value).unwrap_or_else(Condition::never)
            }
            (Some(AnnotationTest::Number(comparison, value)), FieldType::Integer | FieldType::Float) => {
                let column = format!("CAST({} AS DOUBLE)", identifier(key));
                condition(compared(&column, *comparison, *value), key, Rank::Compared)
            }
            (Some(AnnotationTest::Flag(value)), FieldType::Boolean) => {
                condition(format!("{} = {value}", identifier(key)), key, Rank::Compared)
            }
            // Values of several types are texts in the column; the evaluator tells them apart.
            (Some(_), FieldType::Text) if is_mixed(key, self.physical) => is_set(),
            (Some(_), _) => Condition::never(),
        }
    }
}

fn condition(sql: String, column: &str, rank: Rank) -> Condition {
    Condition { sql, columns: vec![column.to_owned()], rank }
}

/// A test of a text column, which may be null.
pub(super) fn text_test(text: &str, test: TextTest, value: &str) -> String {
    let wanted = literal(value);
    match test {
        TextTest::Equal => format!("{text} = {wanted}"),
        TextTest::NotEqual => format!("{text} <> {wanted}"),
        _ if value.is_empty() => format!("{text} IS NOT NULL"),
        TextTest::Contains => format!("strpos({text}, {wanted}) > 0"),
        TextTest::BeginsWith => format!("starts_with({text}, {wanted})"),
        TextTest::EndsWith => format!("ends_with({text}, {wanted})"),
    }
}

fn text_of(fields: &[FieldInfo], column: &str) -> String {
    match known_type(fields, column) {
        Some(FieldType::Text) => identifier(column),
        _ => format!("CAST({} AS VARCHAR)", identifier(column)),
    }
}

fn compared(column: &str, comparison: Comparison, value: f64) -> String {
    format!("{column} {} CAST({} AS DOUBLE)", comparison.as_str(), literal(&format!("{value:e}")))
}

/// A service that a root cause given as JSON names.
fn service_name(cause: &Value) -> Option<&str> {
    let services = cause.get("Services")?.as_array()?;
    services.iter().find_map(|service| service.get("Name")?.as_str())
}
