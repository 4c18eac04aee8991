//! The commands of a query, one after the other, onto a frame of the engine: rows stay in the engine until they are the
//! answer. Sorting with a limit is the engine's TopK, and every core aggregates.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::UnnestOptions;
use datafusion::dataframe::DataFrame;
use datafusion::functions::core::expr_fn::get_field;
use datafusion::functions_aggregate::expr_fn::{
    avg, count, first_value, last_value, max, min, stddev_pop, sum,
};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Expr as Engine, ExprFunctionExt as _, cast, lit};
use datafusion::prelude::{SessionContext, ident};

use super::columns::{Column, Kind};
use super::finish::{distinct_count, percentile};
use super::patterns;
use super::place::{BODY, DATASET, ORDINAL, Place, RECEIVED, TIME, own, stream};
use super::translate::{Names, fields_of};
use crate::functions::distinct::distinct;
use crate::functions::percentiles::percentiles;
use crate::languages::insights::Query;
use crate::languages::insights::ast::{
    Aggregate, AggregateFunction, Command, Expr, Named, PATTERN_COLUMNS, ParsePattern, slot,
};
use crate::languages::insights::functions::Shared;
use crate::{QueryError, StoreEvents};

/// Rows when nobody says how many.
pub(super) const LIMIT_DEFAULT: usize = 10_000;

/// What a frame's columns are in the answer.
pub(super) struct Planned {
    pub(super) frame: DataFrame,
    /// Name and kind, in the order of the frame's columns.
    pub(super) columns: Vec<(String, Kind)>,
    /// Whether rows are events, with the columns of [`pointer_columns`] at their end.
    pub(super) is_raw: bool,
    /// Events that the filters before a `pattern` kept, where there was one.
    pub(super) matched: Option<u64>,
}

/// What a pointer is made of.
pub(super) fn pointer_columns() -> [String; 5] {
    [DATASET.to_owned(), TIME.to_owned(), RECEIVED.to_owned(), ORDINAL.to_owned(), stream()]
}

pub(super) async fn plan(
    context: &SessionContext,
    events: &StoreEvents,
    place: &Place,
    query: &Query,
    limit: Option<usize>,
    shared: &Arc<Shared>,
) -> Result<Planned, QueryError> {
    let wanted = names_of(query);
    let mut read: Vec<String> = wanted.iter().filter_map(|name| physical(name)).collect();
    read.extend(pointer_columns());
    // Without filters of its own a query keeps all events, which are counted apart and without their messages.
    let counts = query.commands.iter().any(|command| matches!(command, Command::Filter(_)));
    let frame = place.scan(context, events, read, counts).await?;
    let mut columns = BTreeMap::new();
    for name in wanted {
        let Some(physical) = physical(&name) else { continue };
        let data_type = frame.schema().field_with_unqualified_name(&physical)?.data_type().clone();
        let kind = match (physical.as_str(), &data_type) {
            (TIME | RECEIVED, _) => Kind::Time,
            (DATASET, _) => Kind::Log,
            (_, DataType::Int64) => Kind::Int,
            (_, DataType::Float64) => Kind::Float,
            (_, DataType::Boolean) => Kind::Flag,
            _ => Kind::Text,
        };
        columns.insert(name, Column { expr: ident(&physical), kind, data_type });
    }
    let names = Names { columns, account_id: place.account_id.as_str().into(), shared: Arc::clone(shared) };
    let mut pipeline = Pipeline {
        frame,
        names,
        shown: Vec::new(),
        displayed: None,
        is_raw: true,
        next: 0,
        order: Vec::new(),
        keys: Vec::new(),
        matched: None,
    };
    for command in &query.commands {
        match command {
            Command::Pattern(source) => pipeline.mine(context, source).await?,
            command => pipeline.add(command)?,
        }
    }
    let written = query.commands.iter().any(|command| matches!(command, Command::Limit(_)));
    let rows = if written { super::ROWS_MAX } else { limit.unwrap_or(LIMIT_DEFAULT) };
    pipeline.finish(rows)
}

/// The column of the store that a field is; `None` for what no event has.
fn physical(name: &str) -> Option<String> {
    Some(match name {
        "@timestamp" => TIME.to_owned(),
        "@ingestionTime" => RECEIVED.to_owned(),
        "@message" => BODY.to_owned(),
        "@logStream" => stream(),
        "@log" => DATASET.to_owned(),
        name => match name.strip_prefix('@') {
            // One more `@` stands before those of discovered fields.
            Some(rest) => own(rest.starts_with('@').then_some(rest)?),
            None => own(name),
        },
    })
}

/// All fields that a query reads.
fn names_of(query: &Query) -> Vec<String> {
    let mut names = vec!["@timestamp".to_owned(), "@message".to_owned()];
    for command in &query.commands {
        command.expressions().into_iter().for_each(|expr| fields_of(expr, &mut names));
    }
    names.sort();
    names.dedup();
    names
}

struct Pipeline {
    frame: DataFrame,
    names: Names,
    /// What `fields` named, in order.
    shown: Vec<String>,
    /// What the last `display` named.
    displayed: Option<Vec<String>>,
    is_raw: bool,
    /// Numbers the columns that are made.
    next: usize,
    order: Vec<Sort>,
    /// The columns by which the last `stats` grouped.
    keys: Vec<String>,
    matched: Option<u64>,
}

impl Pipeline {
    fn add(&mut self, command: &Command) -> Result<(), QueryError> {
        match command {
            Command::Fields(list) => {
                for name in self.define_all(list)? {
                    if !self.shown.contains(&name) {
                        self.shown.push(name);
                    }
                }
            }
            Command::Display(list) => self.displayed = Some(self.define_all(list)?),
            Command::Filter(expr) => {
                let condition = self.names.test(expr);
                self.change(|frame| frame.filter(condition))?;
            }
            Command::Stats { results, by } => self.stats(results, by)?,
            Command::Sort(keys) => {
                let sorts =
                    keys.iter().map(|key| self.names.sort_key(&key.expr).sort(!key.descending, false));
                self.order = sorts.collect();
            }
            Command::Limit(count) => {
                let order = self.whole_order();
                self.change(|frame| frame.sort(order)?.limit(0, Some(*count)))?;
            }
            Command::Parse { source, pattern } => {
                let Some(inputs) = self.names.inputs(source) else { return Ok(()) };
                let kind =
                    if matches!(pattern, ParsePattern::Logfmt { .. }) { Kind::Value } else { Kind::Text };
                let found = self.materialize(inputs.extract(source, pattern))?;
                for (idx, name) in pattern.names().into_iter().enumerate() {
                    let expr = get_field(found.clone(), format!("f{idx}"));
                    let expr = self.materialize(expr)?;
                    let column = Column { expr, kind, data_type: DataType::Utf8View };
                    self.names.columns.insert(name.to_owned(), column);
                }
            }
            Command::Dedup(fields) => self.dedup(fields)?,
            Command::Unnest { source, name } => self.unnest(source, name)?,
            // It runs the query up to itself, which only `plan` can wait for.
            Command::Pattern(_) => {}
        }
        Ok(())
    }

    fn change(
        &mut self,
        change: impl FnOnce(DataFrame) -> datafusion::error::Result<DataFrame>,
    ) -> Result<(), QueryError> {
        self.frame = change(self.frame.clone())?;
        Ok(())
    }

    /// A column of its own for an expression, so that what follows names it rather than repeats it.
    fn materialize(&mut self, expr: Engine) -> Result<Engine, QueryError> {
        if matches!(expr, Engine::Column(_)) {
            return Ok(expr);
        }
        let name = format!("#made:{}", self.next);
        self.next += 1;
        self.change(|frame| frame.with_column(&name, expr))?;
        Ok(ident(&name))
    }

    fn define_all(&mut self, list: &[Named]) -> Result<Vec<String>, QueryError> {
        let mut names = Vec::with_capacity(list.len());
        for Named { expr, name } in list {
            let is_itself = matches!(expr, Expr::Field(field) if field == name);
            if !is_itself {
                let column = self.names.column(expr);
                let expr = self.materialize(column.expr)?;
                self.names.columns.insert(name.clone(), Column { expr, ..column });
            }
            names.push(name.clone());
        }
        Ok(names)
    }

    /// The order so far, and below it the newest first, or the rows of stats by their keys.
    fn whole_order(&self) -> Vec<Sort> {
        let mut order = self.order.clone();
        if self.is_raw {
            order.extend([TIME, RECEIVED, ORDINAL].map(|name| ident(name).sort(false, false)));
        } else {
            let keys = self.keys.iter().map(|key| self.names.sort_key(&Expr::Field(key.clone())));
            order.extend(keys.map(|key| key.sort(true, false)));
        }
        if order.is_empty() {
            order.push(lit(0_i64).sort(true, false));
        }
        order
    }

    fn stats(&mut self, results: &[Named], by: &[Named]) -> Result<(), QueryError> {
        let mut columns = BTreeMap::new();
        let mut keys = Vec::with_capacity(by.len());
        for (idx, Named { expr, name }) in by.iter().enumerate() {
            let mut column = self.names.column(expr);
            if column.kind == Kind::Test {
                column = Column {
                    expr: cast(column.expr.is_true(), DataType::Int64),
                    kind: Kind::Int,
                    data_type: DataType::Int64,
                };
            }
            let key = format!("#key:{}:{idx}", self.next);
            keys.push(column.expr.alias(&key));
            columns.insert(name.clone(), Column { expr: ident(&key), ..column });
        }
        let mut aggregates = Vec::new();
        let mut lifted = results.to_vec();
        lifted.iter_mut().for_each(|named| named.expr.lift(&mut aggregates));
        let mut computed = Vec::with_capacity(aggregates.len());
        let mut outputs = Vec::with_capacity(aggregates.len());
        for (idx, aggregate) in aggregates.iter().enumerate() {
            let made = format!("#stat:{}:{idx}", self.next);
            let (expr, finished) = self.aggregate(aggregate)?;
            computed.push(expr.alias(&made));
            outputs.push((slot(idx), made, finished, aggregate.percent));
        }
        self.next += 1;
        self.change(|frame| frame.aggregate(keys, computed))?;
        let mut slots = BTreeMap::new();
        for (slot, made, finished, percent) in outputs {
            let ready = |kind, data_type| Column { expr: ident(&made), kind, data_type };
            let column = match finished {
                Finished::Count => ready(Kind::Int, DataType::Int64),
                Finished::Number => ready(Kind::Float, DataType::Float64),
                Finished::Text => ready(Kind::Text, DataType::Utf8View),
                Finished::Encoded => ready(Kind::Value, DataType::Utf8View),
                Finished::SortKey => ready(Kind::Value, DataType::Binary),
                Finished::Distinct => {
                    let expr = self.materialize(distinct_count(ident(&made)))?;
                    Column { expr, kind: Kind::Int, data_type: DataType::Int64 }
                }
                Finished::Percentile => {
                    let expr = self.materialize(percentile(ident(&made), percent))?;
                    Column { expr, kind: Kind::Float, data_type: DataType::Float64 }
                }
            };
            slots.insert(slot, column);
        }
        self.names.columns = slots;
        for Named { expr, name } in &lifted {
            let column = self.names.column(expr);
            let expr = self.materialize(column.expr)?;
            columns.insert(name.clone(), Column { expr, ..column });
        }
        self.keys = by.iter().map(|named| named.name.clone()).collect();
        self.shown =
            self.keys.iter().cloned().chain(results.iter().map(|named| named.name.clone())).collect();
        self.displayed = None;
        self.names.columns = columns;
        self.is_raw = false;
        self.order.clear();
        Ok(())
    }

    /// Runs the query so far, and goes on with the patterns of its rows: the engine counts equal templates, the miner joins
    /// them from the most frequent on.
    async fn mine(&mut self, context: &SessionContext, source: &Expr) -> Result<(), QueryError> {
        let (patterns, matched) = patterns::find(self.frame.clone(), self.names.template(source)).await?;
        self.matched = self.matched.or(matched);
        let (batch, columns) = patterns::batch(&patterns)?;
        self.frame = context.read_batch(batch)?;
        self.names.columns = columns;
        self.shown = PATTERN_COLUMNS.map(str::to_owned).to_vec();
        self.displayed = None;
        self.keys.clear();
        self.is_raw = false;
        self.order = vec![ident(patterns::ORDER).sort(true, false)];
        Ok(())
    }

    /// A row for each item of a list; rows without one are gone.
    fn unnest(&mut self, source: &Expr, name: &str) -> Result<(), QueryError> {
        let Some(inputs) = self.names.inputs(source) else {
            return self.change(|frame| frame.filter(lit(false)));
        };
        // The engine reads the name as it reads SQL.
        let made = format!("tracery_item_{}", self.next);
        self.next += 1;
        let options = UnnestOptions::new().with_preserve_nulls(false);
        let items = inputs.items(source);
        self.change(|frame| {
            frame.with_column(&made, items)?.unnest_columns_with_options(&[made.as_str()], options)
        })?;
        let column = Column { expr: ident(&made), kind: Kind::Value, data_type: DataType::Utf8View };
        self.names.columns.insert(name.to_owned(), column);
        Ok(())
    }

    fn aggregate(&self, aggregate: &Aggregate) -> Result<(Engine, Finished), QueryError> {
        use AggregateFunction as F;
        let Some(argument) = &aggregate.argument else { return Ok((count(lit(1_i64)), Finished::Count)) };
        let number = || self.names.number(argument);
        // The rows of an earlier `stats` have no time any more.
        let by_time = || match self.is_raw {
            true => Ok([TIME, RECEIVED, ORDINAL].map(|name| ident(name).sort(true, false)).to_vec()),
            false => {
                let message = "earliest and latest need events, not the rows of an earlier stats";
                Err(QueryError::Invalid(message.to_owned()))
            }
        };
        Ok(match aggregate.function {
            F::Count => {
                let column = self.names.column(argument);
                match column.kind {
                    Kind::Test => (count(lit(1_i64)), Finished::Count),
                    _ => (count(column.expr), Finished::Count),
                }
            }
            F::CountDistinct => {
                let column = self.names.column(argument);
                let value = match (&column.data_type, column.kind) {
                    (_, Kind::Test) => column.expr.is_true(),
                    (DataType::Timestamp(TimeUnit::Nanosecond, _), _) => cast(column.expr, DataType::Int64),
                    (DataType::Binary, _) => cast(column.expr, DataType::Utf8View),
                    _ => column.expr,
                };
                (distinct(value), Finished::Distinct)
            }
            F::Sum => (sum(number()), Finished::Number),
            F::Avg => (avg(number()), Finished::Number),
            F::Min => (min(number()), Finished::Number),
            F::Max => (max(number()), Finished::Number),
            F::Stddev => (stddev_pop(number()), Finished::Number),
            F::Pct => (percentiles(number()), Finished::Percentile),
            F::Earliest | F::Latest => {
                let column = self.encoded(argument);
                let kind = if column.kind == Kind::Text { Finished::Text } else { Finished::Encoded };
                let value = match aggregate.function {
                    F::Earliest => first_value(column.expr.clone(), Vec::new()),
                    _ => last_value(column.expr.clone(), Vec::new()),
                };
                // The builder replaces what the function was made with.
                (value.order_by(by_time()?).filter(column.expr.is_not_null()).build()?, kind)
            }
            F::SortsFirst | F::SortsLast => {
                let Some(inputs) = self.names.inputs(argument) else {
                    return Ok((count(lit(1_i64)), Finished::Count));
                };
                let key = inputs.sort_key(argument);
                match aggregate.function {
                    F::SortsFirst => (min(key), Finished::SortKey),
                    _ => (max(key), Finished::SortKey),
                }
            }
        })
    }

    /// A column of texts or of encoded values.
    fn encoded(&self, expr: &Expr) -> Column {
        let column = self.names.column(expr);
        if matches!(column.kind, Kind::Text | Kind::Value) && column.data_type == DataType::Utf8View {
            return column;
        }
        match self.names.inputs(expr) {
            Some(inputs) => {
                Column { expr: inputs.value(expr), kind: Kind::Value, data_type: DataType::Utf8View }
            }
            None => column,
        }
    }

    /// Of rows with the same values the first one; rows that lack one of them are all kept.
    fn dedup(&mut self, fields: &[Expr]) -> Result<(), QueryError> {
        let mut keys = Vec::with_capacity(fields.len());
        let mut lacks = lit(false);
        for field in fields {
            let column = self.names.column(field);
            let expr = self.materialize(column.expr)?;
            lacks = lacks.or(expr.clone().is_null());
            keys.push(expr);
        }
        let place = row_number().partition_by(keys).order_by(self.whole_order()).build()?;
        let name = format!("#made:{}", self.next);
        self.next += 1;
        self.change(|frame| {
            frame.window(vec![place.alias(&name)])?.filter(ident(&name).eq(lit(1_u64)).or(lacks))
        })
    }

    fn finish(mut self, rows: usize) -> Result<Planned, QueryError> {
        let order = self.whole_order();
        self.change(|frame| frame.sort(order)?.limit(0, Some(rows)))?;
        let mut shown = match self.displayed.take() {
            Some(displayed) => displayed,
            None if self.shown.is_empty() => vec!["@timestamp".to_owned(), "@message".to_owned()],
            None => std::mem::take(&mut self.shown),
        };
        shown.retain(|name| name != "@ptr");
        let mut outputs = Vec::with_capacity(shown.len() + 5);
        let mut columns = Vec::with_capacity(shown.len());
        for (idx, name) in shown.into_iter().enumerate() {
            let Column { expr, kind, .. } = self.names.column(&Expr::Field(name.clone()));
            outputs.push(expr.alias(format!("#out:{idx}")));
            columns.push((name, kind));
        }
        if self.is_raw {
            outputs.extend(
                pointer_columns()
                    .iter()
                    .enumerate()
                    .map(|(idx, name)| ident(name).alias(format!("#ptr:{idx}"))),
            );
        }
        self.change(|frame| frame.select(outputs))?;
        Ok(Planned { frame: self.frame, columns, is_raw: self.is_raw, matched: self.matched })
    }
}

/// What an aggregate's column holds.
#[derive(Clone, Copy)]
enum Finished {
    Count,
    Number,
    Text,
    Encoded,
    SortKey,
    Distinct,
    Percentile,
}
