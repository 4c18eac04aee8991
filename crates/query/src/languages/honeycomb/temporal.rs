//! Functions over time: LAST, SUMMARIZE, INCREASE and RATE give one number for each series and time step, on the row of
//! the series' last data point in the step, and null on every other row. What a query calculates of them thus goes over
//! series, as `SUM` of an `INCREASE` does. `run.rs` calls [`Steps::events`] when a query names one of them.
//!
//! A series is what OTLP's front door says it is (`meta.series`); in a dataset that came through another door, rows
//! that agree in every text and boolean field.

use std::collections::{BTreeMap, HashMap};

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::dataframe::DataFrame;
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::functions_window::expr_fn::{lag, row_number};
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, WindowFrame, WindowFrameBound, WindowFrameUnits, cast, ident, lit, when,
};

use super::calculated::Function;
use super::plan::Buckets;
use crate::functions::time_bucket::time_bucket;
use crate::{FieldType, QueryError};

/// The longest window that INCREASE and RATE look back.
pub(crate) const WINDOW_S_MAX: i64 = 7 * 86_400;
/// The data point before the first of the time range is looked for this long: exporters send at least every five
/// minutes.
const POINT_BEFORE_S: i64 = 600;
/// Text and boolean fields that tell series apart where nothing else does.
const SERIES_FIELDS_MAX: usize = 64;
const SERIES_FIELD: &str = "meta.series";
const PREFIX: &str = "#temporal";

/// One use of a function over time; its value is the column [`Temporal::column`] of its position.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Temporal {
    pub(crate) function: Function,
    /// The metric, as a float.
    pub(crate) value: Expr,
    /// How far INCREASE and RATE look back; a time step unless given.
    pub(crate) window_s: Option<i64>,
}

impl Temporal {
    pub(crate) fn column(position: usize) -> String {
        format!("{PREFIX}{position}")
    }
}

/// Whether an expression needs the value of a function over time.
pub(crate) fn is_used_in(expr: &Expr) -> bool {
    expr.column_refs().iter().any(|column| column.name.starts_with(PREFIX))
}

/// The fields that tell series apart.
pub(crate) fn series_fields(fields: &HashMap<String, FieldType>) -> Vec<String> {
    if fields.contains_key(SERIES_FIELD) {
        return vec![SERIES_FIELD.to_owned()];
    }
    let sorted: BTreeMap<&String, &FieldType> = fields.iter().collect();
    let tells_apart = |kind: &FieldType| matches!(kind, FieldType::Text | FieldType::Boolean);
    let named = sorted.into_iter().filter(|(_, kind)| tells_apart(kind)).map(|(name, _)| name.clone());
    named.take(SERIES_FIELDS_MAX).collect()
}

/// How far before the time range data points are read, in seconds.
pub(crate) fn look_back_s(all: &[Temporal]) -> i64 {
    POINT_BEFORE_S + all.iter().filter_map(|temporal| temporal.window_s).max().unwrap_or(0)
}

/// The time steps of a query, from `start_ns` on.
pub(crate) struct Steps {
    pub(crate) buckets: Buckets,
    pub(crate) start_ns: i64,
}

impl Steps {
    /// Adds to `frame`, which reaches back by [`look_back_s`], the values of the functions, and drops what lies before
    /// the time range.
    pub(crate) fn events(
        &self,
        frame: DataFrame,
        all: &[Temporal],
        series: &[String],
    ) -> Result<DataFrame, QueryError> {
        let (origin_ns, step_ns) = self.buckets.ns();
        let back = look_back_s(all).saturating_mul(1_000_000_000).div_euclid(step_ns) + 1;
        let step =
            time_bucket(ident("#time"), origin_ns.saturating_sub(back.saturating_mul(step_ns)), step_ns);
        let values =
            all.iter().enumerate().map(|(i, temporal)| temporal.value.clone().alias(part("value", i)));
        let clock = [step.alias(part("step", 0)), cast(ident("#time"), DataType::Int64).alias(part("ns", 0))];
        let mut frame = and_also(frame, values.chain(clock).collect())?;

        let series: Vec<Expr> = series.iter().map(ident).chain([ident("#dataset")]).collect();
        let before = all.iter().enumerate().filter(|(_, temporal)| temporal.is_a_change()).map(|(i, _)| {
            let before = lag(ident(part("value", i)), Some(1), None);
            let before = before.partition_by(of_metric(&series, i)).order_by(vec![ns().sort(true, true)]);
            Ok(before.build()?.alias(part("before", i)))
        });
        let before: Vec<Expr> = before.collect::<Result<_, QueryError>>()?;
        frame = and_also(frame, before)?;

        let in_range = ns().gt_eq(lit(self.start_ns));
        let mut amounts = Vec::new();
        for (i, temporal) in all.iter().enumerate() {
            let (value, before) = (ident(part("value", i)), ident(part("before", i)));
            let amount = if temporal.is_a_change() {
                // A counter that is lower than it was began anew from zero.
                let mut change = when(value.clone().gt_eq(before.clone()), value.clone() - before.clone());
                when(before.is_not_null(), change.otherwise(value)?).end()?
            } else {
                value
            };
            // A window of its own may begin before the range; a step does not.
            let counts = if temporal.window_s.is_some() { lit(true) } else { in_range.clone() };
            amounts.push(when(counts, amount).end()?.alias(part("amount", i)));
        }
        frame = and_also(frame, amounts)?;

        let mut windows = Vec::new();
        for (i, temporal) in all.iter().enumerate() {
            let mut in_step = of_metric(&series, i);
            in_step.push(ident(part("step", 0)));
            let newest_first =
                row_number().partition_by(in_step.clone()).order_by(vec![ns().sort(false, false)]);
            windows.push(newest_first.build()?.alias(part("rank", i)));
            let sum = Expr::from(WindowFunction::new(sum_udaf(), vec![ident(part("amount", i))]));
            let sum = match temporal.window_s {
                None => sum.partition_by(in_step).build()?,
                Some(window_s) => {
                    let back_ns = ScalarValue::Int64(Some(window_s.saturating_mul(1_000_000_000) - 1));
                    let window = WindowFrame::new_bounds(
                        WindowFrameUnits::Range,
                        WindowFrameBound::Preceding(back_ns),
                        WindowFrameBound::CurrentRow,
                    );
                    let of_metric = sum.partition_by(of_metric(&series, i));
                    of_metric.order_by(vec![ns().sort(true, true)]).window_frame(window).build()?
                }
            };
            windows.push(sum.alias(part("sum", i)));
        }
        frame = and_also(frame, windows)?.filter(in_range)?;

        let results = all.iter().enumerate().map(|(i, temporal)| {
            let seconds = temporal.window_s.unwrap_or(self.buckets.step_s).max(1);
            let result = match temporal.function {
                Function::Last => ident(part("value", i)),
                Function::Rate => ident(part("sum", i)) / lit(seconds as f64),
                _ => ident(part("sum", i)),
            };
            let is_last = ident(part("rank", i)).eq(lit(1_u64)).and(ident(part("value", i)).is_not_null());
            Ok(when(is_last, result).end()?.alias(Temporal::column(i)))
        });
        let results: Vec<Expr> = results.collect::<Result<_, QueryError>>()?;
        and_also(frame, results)
    }
}

impl Temporal {
    fn is_a_change(&self) -> bool {
        matches!(self.function, Function::Increase | Function::Rate)
    }
}

/// The name of a column on the way to the value of the function at a position.
fn part(name: &str, position: usize) -> String {
    format!("#{name}.{position}")
}

fn ns() -> Expr {
    ident(part("ns", 0))
}

/// Data points of one metric in one series. Rows without the metric are kept apart, so that they stand between none.
fn of_metric(series: &[Expr], position: usize) -> Vec<Expr> {
    series.iter().cloned().chain([ident(part("value", position)).is_not_null()]).collect()
}

fn and_also(frame: DataFrame, more: Vec<Expr>) -> Result<DataFrame, QueryError> {
    let kept = frame.schema().columns().into_iter().map(Expr::Column);
    let all: Vec<Expr> = kept.chain(more).collect();
    Ok(frame.select(all)?)
}
