//! What the engine can say of a trace by itself: a filter as two conditions over all rows of a trace, one that makes it surely
//! wanted and one without which it surely is not. What lies between is for the plain evaluator. The search of traces asks
//! the engine with it; both conditions are sound, so that plan and evaluator never disagree.

use std::collections::BTreeSet;

use super::ast::{
    AnnotationTest, Cause, Comparison, Expression, Flag, GroupBy, Number, Selector, Term, Text,
};
use super::columns::{ACCOUNT, STATUS, fields_of, is_mixed, known_type, of_every_row, typed};
use super::evaluate::holds_of_nothing;
use super::plan::{Condition, Planner, text_test};
use crate::FieldType;
use crate::questions::{identifier, literal};

/// Conditions over the rows of one trace. `leaves` are aggregations, `l0` and on; the two conditions name them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Decision {
    /// Fields that the leaves read.
    pub(crate) columns: Vec<String>,
    pub(crate) leaves: Vec<String>,
    /// The trace is wanted.
    pub(crate) sure: String,
    /// Without it the trace is not wanted.
    pub(crate) possible: String,
}

/// Aggregations of one question; what further terms say is left to the evaluator.
const LEAVES_MAX: usize = 48;
/// Bounds of one condition's text: its bytes, and how deep its parentheses nest.
const TEXT_BYTES_MAX: usize = 8_000;
const NESTING_MAX: usize = 14;

impl Planner<'_> {
    /// `None` when rows can neither confirm nor exclude any trace. Nodes whose rows name no account have `account_id`.
    pub(crate) fn decision(&self, expression: &Expression, account_id: &str) -> Option<Decision> {
        let mut decider = Decider {
            planner: self,
            account_id,
            in_group: false,
            columns: BTreeSet::new(),
            leaves: Vec::new(),
        };
        let verdict = decider.trace(expression);
        if verdict == Verdict::unknown() {
            return None;
        }
        Some(Decision {
            columns: decider.columns.into_iter().collect(),
            leaves: decider.leaves,
            sure: verdict.sure.sql(),
            possible: verdict.possible.sql(),
        })
    }
}

/// A condition that is never null.
#[derive(Clone, Debug, PartialEq)]
enum Cond {
    False,
    True,
    /// With how deep it nests.
    Sql(String, usize),
}

impl Cond {
    fn of(is: bool) -> Self {
        if is { Self::True } else { Self::False }
    }

    /// Of a text that may be null, which counts as false.
    fn not_null(sql: &str) -> Self {
        Self::Sql(format!("coalesce({sql}, false)"), 1)
    }

    fn sql(self) -> String {
        match self {
            Self::False => "false".to_owned(),
            Self::True => "true".to_owned(),
            Self::Sql(sql, _) => sql,
        }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::True, other) | (other, Self::True) => other,
            (Self::Sql(left, a), Self::Sql(right, b)) => {
                Self::Sql(format!("({left} AND {right})"), a.max(b) + 1)
            }
        }
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::True, _) | (_, Self::True) => Self::True,
            (Self::False, other) | (other, Self::False) => other,
            (Self::Sql(left, a), Self::Sql(right, b)) => {
                Self::Sql(format!("({left} OR {right})"), a.max(b) + 1)
            }
        }
    }

    fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::True => Self::False,
            Self::Sql(sql, depth) => Self::Sql(format!("(NOT {sql})"), depth + 1),
        }
    }

    fn is_large(&self) -> bool {
        matches!(self, Self::Sql(sql, depth) if sql.len() > TEXT_BYTES_MAX || *depth > NESTING_MAX)
    }
}

/// What is known of a term: it holds where `sure` does, and nowhere that `possible` does not.
#[derive(Clone, Debug, PartialEq)]
struct Verdict {
    sure: Cond,
    possible: Cond,
}

impl Verdict {
    fn exact(cond: Cond) -> Self {
        Self { sure: cond.clone(), possible: cond }
    }

    fn unknown() -> Self {
        Self { sure: Cond::False, possible: Cond::True }
    }

    fn at_most(possible: Cond) -> Self {
        Self { sure: Cond::False, possible }
    }

    fn and(self, other: Self) -> Self {
        Self { sure: self.sure.and(other.sure), possible: self.possible.and(other.possible) }.bounded()
    }

    fn or(self, other: Self) -> Self {
        Self { sure: self.sure.or(other.sure), possible: self.possible.or(other.possible) }.bounded()
    }

    fn not(self) -> Self {
        Self { sure: self.possible.not(), possible: self.sure.not() }.bounded()
    }

    /// A condition that has become too large says nothing any more.
    fn bounded(self) -> Self {
        Self {
            sure: if self.sure.is_large() { Cond::False } else { self.sure },
            possible: if self.possible.is_large() { Cond::True } else { self.possible },
        }
    }
}

/// Builds conditions, and notes what they read.
struct Decider<'a> {
    planner: &'a Planner<'a>,
    account_id: &'a str,
    /// A group's own expression is held against the trace before its groups are known.
    in_group: bool,
    columns: BTreeSet<String>,
    leaves: Vec<String>,
}

impl Decider<'_> {
    fn combined(&mut self, expression: &Expression, term: fn(&mut Self, &Term) -> Verdict) -> Verdict {
        match expression {
            Expression::All(parts) => parts
                .iter()
                .fold(Verdict::exact(Cond::True), |known, part| known.and(self.combined(part, term))),
            Expression::Any(parts) => parts
                .iter()
                .fold(Verdict::exact(Cond::False), |known, part| known.or(self.combined(part, term))),
            Expression::Not(inner) => self.combined(inner, term).not(),
            Expression::Term(one) => term(self, one),
        }
    }

    fn trace(&mut self, expression: &Expression) -> Verdict {
        self.combined(expression, Self::trace_term)
    }

    fn trace_term(&mut self, term: &Term) -> Verdict {
        match term {
            Term::Flag { flag, is } => {
                let found = match flag {
                    Flag::Ok | Flag::Error | Flag::Fault => {
                        let row = self.flag(*flag);
                        self.root(row)
                    }
                    Flag::Throttle | Flag::Partial => {
                        let row = self.flag(*flag);
                        self.any(Verdict::exact(row))
                    }
                    // Of nodes and root causes only.
                    Flag::Inferred | Flag::First | Flag::Last | Flag::Remote | Flag::Root => {
                        Verdict::exact(Cond::False)
                    }
                };
                if *is { found } else { found.not() }
            }
            Term::Number { number: Number::Duration, comparison, value } => {
                let time = self.row_time();
                let ns =
                    format!(r##"(max(CAST("#time" AS BIGINT) + {time}) - min(CAST("#time" AS BIGINT)))"##);
                self.leaf(&compared(&seconds(&ns), *comparison, *value))
                    .map_or_else(Verdict::unknown, Verdict::exact)
            }
            Term::Number { .. } => {
                let row = self.row_term(term);
                self.root(row.sure)
            }
            Term::Text { text: Text::Name | Text::Type, .. } => Verdict::exact(Cond::False),
            Term::Text { text, .. } => {
                let row = self.row_term(term);
                if of_every_row(*text) { self.any(row) } else { self.root(row.sure) }
            }
            Term::Annotation { key, test } => {
                let row = self.annotation(key, test.as_ref());
                self.any(row)
            }
            Term::Service { selector, inside } => self.service(selector, inside.as_deref()),
            Term::Edge { from, to, inside } => self.edge([from, to], inside.as_deref()),
            Term::Group { by, value } => self.group(*by, value),
            Term::RootCause { cause: Cause::Fault, .. } => self.necessary(self.planner.flag(Flag::Fault)),
            Term::RootCause { cause: Cause::Error, .. } => self.necessary(self.planner.flag(Flag::Error)),
            Term::RootCause { cause: Cause::ResponseTime, .. } => Verdict::unknown(),
            Term::RootCauseJson(_) => self.necessary(self.planner.necessary(&Expression::Term(term.clone()))),
        }
    }

    /// What one row says, where it alone is looked at: as the row of a visit to a node, or of a call.
    fn row_term(&mut self, term: &Term) -> Verdict {
        match term {
            Term::Flag { flag, is } => {
                let found = match flag {
                    Flag::Ok | Flag::Error | Flag::Fault | Flag::Throttle | Flag::Partial => {
                        Verdict::exact(self.flag(*flag))
                    }
                    // The shape of the trace says.
                    Flag::Inferred | Flag::Root => Verdict::unknown(),
                    Flag::First | Flag::Last | Flag::Remote => Verdict::exact(Cond::False),
                };
                if *is { found } else { found.not() }
            }
            Term::Number { number: Number::ResponseTime | Number::Duration, comparison, value } => {
                let time = self.row_time();
                let took = Cond::not_null(&compared(&seconds(&time), *comparison, *value));
                Verdict::exact(took.and(self.flag(Flag::Partial).not()))
            }
            Term::Number { number: Number::HttpStatus, comparison, value } => {
                let Some(status) = self.status() else { return Verdict::exact(Cond::False) };
                let status = format!("CAST({status} AS DOUBLE)");
                Verdict::exact(Cond::not_null(&compared(&status, *comparison, *value)))
            }
            Term::Number { number: Number::Index | Number::Coverage, .. } => Verdict::exact(Cond::False),
            // The node's.
            Term::Text { text: Text::Name | Text::Type, .. } => Verdict::unknown(),
            Term::Text { text, test, value } => {
                let fields = fields_of(*text);
                let found: Vec<String> =
                    fields.iter().filter_map(|name| self.field(name, FieldType::Text)).collect();
                if found.is_empty() {
                    return Verdict::exact(Cond::False);
                }
                let first = format!("coalesce({})", found.join(", "));
                Verdict::exact(Cond::not_null(&text_test(&first, *test, value)))
            }
            Term::Annotation { key, test } => {
                // The rows within the service may have it, too.
                let own = self.annotation(key, test.as_ref());
                let possible = if own.possible == Cond::False { Cond::False } else { Cond::True };
                Verdict { sure: own.sure, possible }
            }
            // The parser lets none of these stand inside braces.
            Term::Service { .. }
            | Term::Edge { .. }
            | Term::Group { .. }
            | Term::RootCause { .. }
            | Term::RootCauseJson(_) => Verdict::exact(Cond::False),
        }
    }

    /// That some row is like this.
    fn any(&mut self, row: Verdict) -> Verdict {
        Verdict {
            sure: self.any_row(row.sure).unwrap_or(Cond::False),
            possible: self.any_row(row.possible).unwrap_or(Cond::True),
        }
    }

    fn any_row(&mut self, row: Cond) -> Option<Cond> {
        match row {
            Cond::Sql(sql, _) => self.leaf(&format!("coalesce(bool_or({sql}), false)")),
            constant => Some(constant),
        }
    }

    /// That the entry point's row is like this. It is known where one row only has no parent; else the shape of the trace
    /// says which it is.
    fn root(&mut self, row: Cond) -> Verdict {
        if row == Cond::False {
            return Verdict::exact(Cond::False);
        }
        let first = self.first_row();
        let one = format!("count(*) FILTER (WHERE {}) = 1", first.clone().sql());
        let is_known = self.leaf(&one);
        let known = self.any_row(first.and(row.clone()));
        let (Some(is_known), Some(known)) = (is_known, known) else { return Verdict::unknown() };
        let some = self.any_row(row).unwrap_or(Cond::True);
        let sure = is_known.clone().and(known.clone());
        Verdict { possible: sure.clone().or(is_known.not().and(some)), sure }
    }

    /// Rows without a parent that enter a service: one that is alone is the entry point.
    fn first_row(&mut self) -> Cond {
        let inner = match self.field("aws.xray.type", FieldType::Text) {
            Some(written) => Cond::Sql(format!("({written} IS NULL OR {written} = 'segment')"), 1),
            None => Cond::True,
        };
        Cond::Sql(r##"("#parent_id" IS NULL)"##.to_owned(), 1).and(inner)
    }

    fn service(&mut self, selector: &Selector, inside: Option<&Expression>) -> Verdict {
        let inner = inside.map_or(Verdict::exact(Cond::True), |inside| self.combined(inside, Self::row_term));
        let enters = self.enters().and(self.selected(selector));
        let stands = self.may_stand_for(selector);
        let mut possible = stands.clone().and(inner.possible);
        if inside.is_some_and(holds_of_nothing) {
            // An end of a call of which nothing else is known.
            possible = possible.or(stands);
        }
        let called = self.called(selector).and(inner.sure.clone());
        let row = Verdict { sure: enters.and(inner.sure), possible }.bounded();
        let mut found = self.any(row);
        if called != Cond::False && !called.is_large() {
            let alone = self.no_callees();
            let called = self.any_row(called);
            if let (Some(alone), Some(called)) = (alone, called) {
                found.sure = found.sure.or(alone.and(called));
            }
        }
        found.bounded()
    }

    /// That no row of the trace was called by another: then whatever its documents call is a node that only they know.
    fn no_callees(&mut self) -> Option<Cond> {
        let written = self.field("aws.xray.type", FieldType::Text)?;
        let called =
            format!(r##"({written} IS NULL OR {written} = 'segment') AND "#parent_id" IS NOT NULL"##);
        self.leaf(&format!("count(*) FILTER (WHERE {called}) = 0"))
    }

    /// That what the subsegment calls is selected.
    fn called(&mut self, selector: &Selector) -> Cond {
        let (Some(written), Some(node)) =
            (self.field("aws.xray.type", FieldType::Text), self.field("aws.xray.node", FieldType::Text))
        else {
            return Cond::False;
        };
        let mut cond = Cond::not_null(&format!("{written} <> 'segment'"));
        cond = cond.and(match &selector.name {
            Some(wanted) => Cond::not_null(&format!("{node} = {}", literal(wanted))),
            None => Cond::Sql(format!("({node} IS NOT NULL)"), 1),
        });
        if let Some(wanted) = &selector.r#type {
            cond = cond.and(match self.field("aws.xray.node_type", FieldType::Text) {
                Some(node_type) => Cond::Sql(format!("(coalesce({node_type}, '') = {})", literal(wanted)), 1),
                None => Cond::of(wanted.is_empty()),
            });
        }
        // A subsegment says nothing of its callee's account.
        match &selector.account_id {
            Some(wanted) if wanted != self.account_id => Cond::False,
            _ => cond,
        }
    }

    fn edge(&mut self, ends: [&Selector; 2], inside: Option<&Expression>) -> Verdict {
        let inner = inside.map_or(Verdict::exact(Cond::True), |inside| self.combined(inside, Self::row_term));
        let mut found = self.any(Verdict::at_most(inner.possible));
        for end in ends {
            let stands = self.may_stand_for(end);
            found = found.and(self.any(Verdict::at_most(stands)));
        }
        Verdict::at_most(found.possible)
    }

    fn group(&mut self, by: GroupBy, value: &str) -> Verdict {
        if self.in_group {
            return Verdict::exact(Cond::False);
        }
        let groups = self.planner.groups;
        self.in_group = true;
        let named = groups.iter().filter(|(group, _)| match by {
            GroupBy::Name => group.name == value,
            GroupBy::Arn => group.arn == value,
        });
        let found =
            named.fold(Verdict::exact(Cond::False), |known, (_, wanted)| known.or(self.trace(wanted)));
        self.in_group = false;
        found
    }

    /// Of a row's condition that some row of every wanted trace meets.
    fn necessary(&mut self, condition: Option<Condition>) -> Verdict {
        let Some(condition) = condition else { return Verdict::unknown() };
        let row = self.condition(condition);
        self.any(Verdict::at_most(row))
    }

    fn condition(&mut self, condition: Condition) -> Cond {
        self.columns.extend(condition.columns);
        Cond::not_null(&format!("({})", condition.sql))
    }

    /// Rows that surely enter a service.
    fn enters(&mut self) -> Cond {
        let first = Cond::not_null(r##"("#parent_id" IS NULL OR "#span_kind" IN (2, 5))"##);
        match self.field("aws.xray.type", FieldType::Text) {
            Some(written) => {
                let segment = Cond::not_null(&format!("{written} = 'segment'"));
                segment.or(Cond::Sql(format!("({written} IS NULL)"), 1).and(first))
            }
            None => first,
        }
    }

    /// That the service which the row enters is selected.
    fn selected(&mut self, selector: &Selector) -> Cond {
        let segment =
            self.field("aws.xray.type", FieldType::Text).map(|written| format!("{written} = 'segment'"));
        let of_segment = |text: String, otherwise: &str| match &segment {
            Some(segment) => format!("CASE WHEN {segment} THEN {text} ELSE {otherwise} END"),
            None => otherwise.to_owned(),
        };
        let dataset = r##""#dataset""##;
        let name = match self.field("aws.xray.node", FieldType::Text) {
            Some(node) => of_segment(format!("coalesce({node}, {dataset})"), dataset),
            None => dataset.to_owned(),
        };
        let mut cond = match &selector.name {
            Some(wanted) => Cond::not_null(&format!("({name}) = {}", literal(wanted))),
            None => Cond::Sql(format!("({name}) IS NOT NULL"), 1),
        };
        if let Some(wanted) = &selector.r#type {
            cond = cond.and(match self.field("aws.xray.node_type", FieldType::Text) {
                Some(node_type) => {
                    let own = of_segment(format!("coalesce({node_type}, '')"), "''");
                    Cond::not_null(&format!("({own}) = {}", literal(wanted)))
                }
                None => Cond::of(wanted.is_empty()),
            });
        }
        if let Some(wanted) = &selector.account_id {
            cond = cond.and(match self.field(ACCOUNT, FieldType::Text) {
                Some(account) => Cond::not_null(&format!(
                    "CASE WHEN coalesce({account}, '') = '' THEN {} ELSE {account} END = {}",
                    literal(self.account_id),
                    literal(wanted)
                )),
                None => Cond::of(wanted == self.account_id),
            });
        }
        cond
    }

    /// Rows of which the selected node may be known.
    fn may_stand_for(&mut self, selector: &Selector) -> Cond {
        let name = match &selector.name {
            Some(name) => {
                let condition = self.planner.node(name);
                self.condition(condition)
            }
            None => Cond::True,
        };
        let r#type = match selector.r#type.as_deref() {
            // Spans have none, and the callers of entry points have no rows.
            None | Some("" | "client") => Cond::True,
            Some(wanted) => {
                let written = self.field("aws.xray.type", FieldType::Text);
                let span = written.map_or(Cond::True, |written| Cond::Sql(format!("({written} IS NULL)"), 1));
                let derived = span.and(Cond::not_null(r##""#span_kind" IN (3, 4)"##));
                match self.field("aws.xray.node_type", FieldType::Text) {
                    Some(node_type) => {
                        derived.or(Cond::not_null(&format!("{node_type} = {}", literal(wanted))))
                    }
                    None => derived,
                }
            }
        };
        name.and(r#type)
    }

    fn annotation(&mut self, key: &str, test: Option<&AnnotationTest>) -> Verdict {
        let Some(field_type) = known_type(self.planner.fields, key) else {
            return Verdict::exact(Cond::False);
        };
        self.columns.insert(key.to_owned());
        let column = identifier(key);
        let is_set = Cond::Sql(format!("({column} IS NOT NULL)"), 1);
        match (test, field_type) {
            (None, _) => Verdict::exact(is_set),
            (Some(AnnotationTest::Text(test, value)), FieldType::Text) => {
                Verdict::exact(Cond::not_null(&text_test(&column, *test, value)))
            }
            (Some(AnnotationTest::Number(comparison, value)), FieldType::Integer) => Verdict::exact(
                Cond::not_null(&compared(&format!("CAST({column} AS DOUBLE)"), *comparison, *value)),
            ),
            (Some(AnnotationTest::Number(comparison, value)), FieldType::Float) => {
                Verdict::exact(Cond::not_null(&compared_float(&column, *comparison, *value)))
            }
            (Some(AnnotationTest::Flag(value)), FieldType::Boolean) => {
                Verdict::exact(Cond::not_null(&format!("{column} = {value}")))
            }
            // Values of several types are texts in the column; the evaluator tells them apart.
            (Some(_), FieldType::Text) if is_mixed(key, self.planner.physical) => Verdict::at_most(is_set),
            (Some(_), _) => Verdict::exact(Cond::False),
        }
    }

    fn flag(&mut self, flag: Flag) -> Cond {
        let (name, of_span) = match flag {
            Flag::Ok => {
                return [Flag::Fault, Flag::Error, Flag::Throttle, Flag::Partial]
                    .into_iter()
                    .fold(Cond::True, |ok, flag| ok.and(self.flag(flag).not()));
            }
            Flag::Fault => {
                let error = Cond::not_null(r##""#status_code" = 2"##);
                let of_span = match self.status() {
                    Some(status) => Cond::not_null(&format!(
                        "CASE WHEN {status} IS NOT NULL THEN {status} >= 500 ELSE {} END",
                        error.sql()
                    )),
                    None => error,
                };
                ("aws.xray.fault", of_span)
            }
            Flag::Error => ("aws.xray.error", self.status_is("BETWEEN 400 AND 499")),
            Flag::Throttle => ("aws.xray.throttle", self.status_is("= 429")),
            Flag::Partial => ("aws.xray.inprogress", Cond::False),
            _ => return Cond::False,
        };
        let Some(written) = self.field("aws.xray.type", FieldType::Text) else { return of_span };
        let of_document = match self.field(name, FieldType::Boolean) {
            Some(column) => Cond::not_null(&column),
            None => Cond::False,
        };
        let is_span = Cond::Sql(format!("({written} IS NULL)"), 1);
        is_span.clone().not().and(of_document).or(is_span.and(of_span))
    }

    fn status_is(&mut self, test: &str) -> Cond {
        self.status().map_or(Cond::False, |status| Cond::not_null(&format!("{status} {test}")))
    }

    fn status(&mut self) -> Option<String> {
        let found: Vec<String> =
            STATUS.iter().filter_map(|name| self.field(name, FieldType::Integer)).collect();
        (!found.is_empty()).then(|| format!("coalesce({})", found.join(", ")))
    }

    fn row_time(&mut self) -> String {
        let time = r##"greatest(coalesce("#duration_ns", 0), 0)"##;
        match self.flag(Flag::Partial) {
            Cond::Sql(running, _) => format!("(CASE WHEN {running} THEN 0 ELSE {time} END)"),
            _ => time.to_owned(),
        }
    }

    /// A field as the readers of rows see it.
    fn field(&mut self, name: &str, wanted: FieldType) -> Option<String> {
        let (sql, _) = typed(self.planner.fields, name, Some(wanted))?;
        self.columns.insert(name.to_owned());
        Some(sql)
    }

    /// An aggregation, by its name; `None` when there are too many.
    fn leaf(&mut self, sql: &str) -> Option<Cond> {
        let known = self.leaves.iter().position(|known| known == sql);
        let number = match known {
            Some(number) => number,
            None if self.leaves.len() >= LEAVES_MAX || sql.len() > TEXT_BYTES_MAX => return None,
            None => {
                self.leaves.push(sql.to_owned());
                self.leaves.len() - 1
            }
        };
        Some(Cond::Sql(format!("l{number}"), 0))
    }
}

fn seconds(ns: &str) -> String {
    format!("CAST({ns} AS DOUBLE) / 1e9")
}

fn compared(column: &str, comparison: Comparison, value: f64) -> String {
    let value = literal(&format!("{:e}", value + 0.0));
    format!("{column} {} CAST({value} AS DOUBLE)", comparison.as_str())
}

/// The engine orders what is no number, and tells zeros apart.
fn compared_float(column: &str, comparison: Comparison, value: f64) -> String {
    let whole =
        format!("CASE WHEN {column} = CAST('-0' AS DOUBLE) THEN CAST('0' AS DOUBLE) ELSE {column} END");
    let test = compared(&format!("({whole})"), comparison, value);
    match comparison {
        Comparison::NotEqual => format!("(isnan({column}) OR {test})"),
        _ => format!("(NOT isnan({column}) AND {test})"),
    }
}
