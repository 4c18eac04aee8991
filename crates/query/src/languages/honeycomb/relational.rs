//! Relational fields: `root.`, `parent.`, `child.`, `any.`, `any2.`, `any3.` and `none.` before a column name mean a
//! column of another span of the trace. Each prefix becomes one join, so that all its filters hold for one span.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use datafusion::common::JoinType;
use datafusion::dataframe::DataFrame;
use datafusion::functions_aggregate::expr_fn::first_value;
use datafusion::logical_expr::expr_fn::binary_expr;
use datafusion::logical_expr::{Expr, Operator, ident, lit, when};
use datafusion::prelude::SessionContext;

use super::calculated::Ast;
use super::filter::filter_expr;
pub(crate) use super::relation::{Relation, split};
use super::spec::Filter;
use super::translate::{Names, combine};
use crate::{EventSource, FieldType, QueryError, Scope};

/// Related spans are looked for this far outside the time range, since a trace does not end with it.
const SLACK_NS: i64 = 15 * 60 * 1_000_000_000;

/// System columns that a frame needs for its joins.
pub(crate) const KEY_COLUMNS: [&str; 3] = ["#trace_id", "#span_id", "#parent_id"];

/// What is asked of the span behind one prefix.
#[derive(Default)]
pub(crate) struct Wanted {
    filters: Vec<Filter>,
    /// Relational names that the frame must have as columns.
    outputs: BTreeSet<String>,
}

/// Sorts filters and used names by relation.
pub(crate) fn wanted(filters: &[Filter], used: &BTreeSet<String>) -> BTreeMap<Relation, Wanted> {
    let mut all: BTreeMap<Relation, Wanted> = BTreeMap::new();
    for filter in filters {
        if let Some((relation, column)) = split(&filter.column) {
            let filter = Filter { column: column.to_owned(), ..filter.clone() };
            all.entry(relation).or_default().filters.push(filter);
        }
    }
    for name in used {
        if let Some((relation, _)) = split(name) {
            all.entry(relation).or_default().outputs.insert(name.clone());
        }
    }
    all
}

/// What joins need to read the related spans.
pub(crate) struct Related<'a> {
    pub(crate) context: &'a SessionContext,
    pub(crate) source: &'a dyn EventSource,
    pub(crate) scope: &'a Scope,
    pub(crate) fields: &'a HashMap<String, FieldType>,
    pub(crate) calculated: &'a HashMap<String, Ast>,
}

impl Related<'_> {
    /// The frame with only the events whose related spans fit, and with the related columns.
    pub(crate) async fn join(
        &self,
        frame: DataFrame,
        wanted: BTreeMap<Relation, Wanted>,
    ) -> Result<DataFrame, QueryError> {
        let mut frame = frame;
        for (relation, wanted) in wanted {
            frame = self.join_one(frame, relation, &wanted).await?;
        }
        Ok(frame)
    }

    async fn join_one(
        &self,
        frame: DataFrame,
        relation: Relation,
        wanted: &Wanted,
    ) -> Result<DataFrame, QueryError> {
        let side = self.side(relation, wanted).await?;
        let on = |left: &str, right: &str| ident(left).eq(ident(right));
        let trace = on("#trace_id", "#other.trace_id");
        let on = match relation {
            Relation::Root | Relation::None => vec![trace],
            Relation::Parent => vec![trace, on("#parent_id", "#other.span_id")],
            Relation::Child => vec![trace, on("#span_id", "#other.parent_id")],
            Relation::Any | Relation::Any2 | Relation::Any3 => vec![trace],
        };
        let any = matches!(relation, Relation::Any | Relation::Any2 | Relation::Any3);
        if relation == Relation::None {
            return Ok(frame.join_on(side, JoinType::LeftAnti, on)?);
        }
        if wanted.outputs.is_empty() {
            let other = any.then(|| differs(ident("#span_id"), ident("#other.span_id")));
            return Ok(frame.join_on(side, JoinType::LeftSemi, on.into_iter().chain(other))?);
        }
        let kept: Vec<Expr> = frame.schema().columns().into_iter().map(Expr::Column).collect();
        let side = one_per_key(side, relation, wanted)?;
        let join_type = if wanted.filters.is_empty() { JoinType::Left } else { JoinType::Inner };
        let mut joined = frame.join_on(side, join_type, on)?;
        let mut columns = kept;
        if any {
            if join_type == JoinType::Inner {
                let other_first = differs(ident("#span_id"), ident("#other.first"));
                let other_last = differs(ident("#span_id"), ident("#other.last"));
                joined = joined.filter(other_first.or(other_last))?;
            }
            for name in &wanted.outputs {
                let first = ident(format!("#first.{name}"));
                let last = ident(format!("#last.{name}"));
                let from_first = differs(ident("#span_id"), ident("#other.first"));
                let from_last = differs(ident("#span_id"), ident("#other.last"));
                columns.push(when(from_first, first).when(from_last, last).end()?.alias(name));
            }
        } else {
            columns.extend(wanted.outputs.iter().map(ident));
        }
        Ok(joined.select(columns)?)
    }

    /// The spans that fit a prefix's filters: their ids as `#other.…`, and the wanted columns under their full names.
    async fn side(&self, relation: Relation, wanted: &Wanted) -> Result<DataFrame, QueryError> {
        let mut names = Names::new(self.fields, self.calculated);
        // Log records are of the same kind, but have no span id of their own.
        let is_span = names.system("#kind").eq(lit(0_u8)).and(names.system("#span_id").is_not_null());
        let mut tests = vec![is_span, names.system("#trace_id").is_not_null()];
        let parent = names.system("#parent_id");
        if relation == Relation::Root {
            tests.push(parent.is_null());
        }
        for filter in &wanted.filters {
            tests.push(filter_expr(&names.resolve(&filter.column)?, filter.op, filter.value.as_ref()));
        }
        let mut columns = vec![
            ident("#trace_id").alias("#other.trace_id"),
            ident("#span_id").alias("#other.span_id"),
            ident("#parent_id").alias("#other.parent_id"),
        ];
        for name in &wanted.outputs {
            let Some((_, column)) = split(name) else { continue };
            columns.push(names.resolve(column)?.expr.alias(name));
        }
        if !names.relational.is_empty() {
            return Err(QueryError::Invalid("a relational field cannot refer to another one".to_owned()));
        }
        let mut scope = self.scope.clone();
        scope.time.start_ns = scope.time.start_ns.saturating_sub(SLACK_NS);
        scope.time.end_ns = scope.time.end_ns.saturating_add(SLACK_NS);
        let read: Vec<String> = names.columns.into_iter().collect();
        let mut side = self.context.read_table(self.source.events(&scope, &read).await?)?;
        if let Some(test) = combine(tests, Expr::and) {
            side = side.filter(test)?;
        }
        Ok(side.select(columns)?)
    }
}

/// Several spans may fit where one is meant: the first by span id is taken, and for `any.` the last one too, since
/// one of them may be the reported span itself.
fn one_per_key(side: DataFrame, relation: Relation, wanted: &Wanted) -> Result<DataFrame, QueryError> {
    let keys = match relation {
        Relation::Parent => vec![ident("#other.trace_id"), ident("#other.span_id")],
        Relation::Child => vec![ident("#other.trace_id"), ident("#other.parent_id")],
        _ => vec![ident("#other.trace_id")],
    };
    let by_id = |ascending: bool| vec![ident("#other.span_id").sort(ascending, false)];
    let mut columns = Vec::new();
    if matches!(relation, Relation::Any | Relation::Any2 | Relation::Any3) {
        columns.push(first_value(ident("#other.span_id"), by_id(true)).alias("#other.first"));
        columns.push(first_value(ident("#other.span_id"), by_id(false)).alias("#other.last"));
        for name in &wanted.outputs {
            columns.push(first_value(ident(name), by_id(true)).alias(format!("#first.{name}")));
            columns.push(first_value(ident(name), by_id(false)).alias(format!("#last.{name}")));
        }
    } else {
        columns.extend(wanted.outputs.iter().map(|name| first_value(ident(name), by_id(true)).alias(name)));
    }
    Ok(side.aggregate(keys, columns)?)
}

/// Whether two ids differ; a missing one differs from any.
fn differs(left: Expr, right: Expr) -> Expr {
    binary_expr(left, Operator::IsDistinctFrom, right)
}
