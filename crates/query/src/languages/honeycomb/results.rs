//! From rolled-up states to what the caller sees: rows in order, series, totals, and their JSON.
//!
//! A HEATMAP cell is `{"scale": "log" | "linear", "low": l, "high": h, "counts": […]}`: `counts[i]` is the weight of
//! the values between edges `i` and `i + 1`, and the edges divide `l…h` evenly, on a logarithmic scale for `log`. All
//! cells of one query share `scale`, `low` and `high`.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{self, AtomicBool};

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::calculated::{Ast, Function};
use super::plan::{Buckets, CalculationPlan};
use super::rollup::{Rollup, State, States, running};
use super::spec::{FilterOp, Spec};
use crate::QueryError;
use crate::functions::sketch::Sketch;

/// Rows of a heatmap.
/// Cells of all points of a series together: as JSON some hundred megabytes.
const SERIES_VALUES_MAX: usize = 10_000_000;
const HEATMAP_BINS: usize = 48;
/// From this ratio of largest to smallest value on, a heatmap's scale is logarithmic.
const HEATMAP_LOG_RATIO: f64 = 50.0;

/// Values at one time bucket: of one group, or of all together.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesPoint {
    /// Start of the bucket, seconds since the epoch.
    pub time_s: i64,
    pub data: Map<String, Value>,
}

/// The answer to a query.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QueryOutput {
    pub results: Vec<Map<String, Value>>,
    pub series: Vec<SeriesPoint>,
    pub total_by_aggregate: Option<Map<String, Value>>,
    pub total_by_aggregate_series: Vec<SeriesPoint>,
    pub other_by_aggregate: Option<Map<String, Value>>,
    /// Rows that left the scan.
    pub rows_examined: u64,
    pub elapsed_ms: u64,
    /// The time bucket that was used, in seconds.
    pub granularity_s: i64,
    pub start_s: i64,
    pub end_s: i64,
    /// The same question about an earlier time, when the specification compares.
    pub compare: Option<Box<QueryOutput>>,
}

impl QueryOutput {
    /// The `data` of a query result.
    pub fn to_json(&self) -> Value {
        let rows = |rows: &[Map<String, Value>]| -> Value {
            rows.iter().map(|row| json!({ "data": row })).collect()
        };
        let mut data = Map::new();
        data.insert("results".into(), rows(&self.results));
        data.insert("series".into(), series_json(&self.series));
        if let Some(total) = &self.total_by_aggregate {
            data.insert("total_by_aggregate".into(), json!(total));
            data.insert("total_by_aggregate_series".into(), series_json(&self.total_by_aggregate_series));
        }
        if let Some(other) = &self.other_by_aggregate {
            data.insert("other_by_aggregate".into(), json!(other));
        }
        if let Some(compare) = &self.compare {
            data.insert("compare_results".into(), rows(&compare.results));
            data.insert("compare_series".into(), series_json(&compare.series));
        }
        Value::Object(data)
    }
}

fn series_json(points: &[SeriesPoint]) -> Value {
    points.iter().map(|point| json!({ "time": rfc3339(point.time_s), "data": point.data })).collect()
}

fn rfc3339(seconds: i64) -> String {
    let instant = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    instant.format(&Rfc3339).unwrap_or_default()
}

/// What results are made of.
pub(crate) struct Rendering {
    pub(crate) spec: Spec,
    pub(crate) calculations: Vec<CalculationPlan>,
    pub(crate) formulas: Vec<(String, Ast)>,
    pub(crate) buckets: Buckets,
    pub(crate) limit: usize,
    pub(crate) with_series: bool,
    pub(crate) with_total: bool,
    pub(crate) with_other: bool,
}

/// The scale that all heatmap cells of a calculation share.
#[derive(Debug, Clone, Copy)]
struct HeatmapScale {
    low: f64,
    high: f64,
    log: bool,
}

/// The numbers of one row, in the order of the calculations and then of the formulas.
type Numbers = Vec<Option<f64>>;

impl Rendering {
    /// Whether something is shown that depends on all groups.
    pub(crate) fn needs_whole(&self) -> bool {
        self.with_total || self.calculations.iter().any(|plan| matches!(plan, CalculationPlan::Heatmap(_)))
    }

    /// `whole` and `rest` hold everything and what is not shown, when `rollup` has not all groups.
    /// Ends between two groups when `unwanted` says that nobody waits any more.
    pub(crate) fn render(
        &self,
        rollup: &Rollup,
        whole: Option<&Rollup>,
        rest: Option<&Rollup>,
        unwanted: &AtomicBool,
    ) -> Result<QueryOutput, QueryError> {
        let go_on = || match unwanted.load(atomic::Ordering::Relaxed) {
            true => Err(QueryError::Limit("it was given up".into())),
            false => Ok(()),
        };
        let groups = rollup.by_group()?;
        let has_rates = self.calculations.iter().any(|plan| matches!(plan, CalculationPlan::Rate(_)));
        let rates = if has_rates { rollup.by_bucket(|_| true, false)? } else { Default::default() };
        let none = BTreeMap::new();
        let numbers: Vec<Numbers> = groups
            .iter()
            .enumerate()
            .map(|(group, states)| self.numbers(states, rates.get(&group).unwrap_or(&none)))
            .collect();
        let chosen = self.choose(rollup, &numbers);
        let shown: HashSet<usize> = chosen.iter().copied().collect();
        let total = match whole {
            _ if !self.needs_whole() => rollup.empty(),
            Some(whole) => whole.together(whole.by_group()?.iter()),
            None => rollup.together(groups.iter()),
        };
        let whole = whole.unwrap_or(rollup);
        let scales: Vec<Option<HeatmapScale>> =
            self.calculations.iter().map(|plan| scale_of(plan, &total)).collect();

        let mut output = QueryOutput::default();
        for group in &chosen {
            go_on()?;
            output.results.push(self.row(Some((rollup, *group)), &groups[*group], &numbers[*group], &scales));
        }
        if self.with_series {
            let mut by_group = rollup.by_bucket(|group| shown.contains(&group), false)?;
            let mut points = Vec::new();
            let point_width = 1 + self.spec.breakdowns.len() + self.calculations.len();
            for group in &chosen {
                go_on()?;
                if points.len() * point_width > SERIES_VALUES_MAX {
                    return Err(QueryError::Limit(format!(
                        "its series has more than {SERIES_VALUES_MAX} values; ask for fewer groups or a coarser granularity"
                    )));
                }
                let series = by_group.remove(group).unwrap_or_default();
                points.extend(self.series(Some((rollup, *group)), series, &groups[*group], rollup, &scales));
            }
            points.sort_by_key(|point| point.time_s);
            output.series = points;
        }
        if self.with_total {
            let mut series = if self.with_series || has_rates {
                whole.by_bucket(|_| true, true)?.remove(&0).unwrap_or_default()
            } else {
                BTreeMap::new()
            };
            output.total_by_aggregate = Some(self.row(None, &total, &self.numbers(&total, &series), &scales));
            if self.with_series {
                let series = std::mem::take(&mut series);
                output.total_by_aggregate_series = self.series(None, series, &total, rollup, &scales);
            }
        }
        if self.with_other && (rest.is_some() || shown.len() < rollup.group_count()) {
            let is_other = |group: usize| rest.is_some() || !shown.contains(&group);
            let other = match rest {
                Some(rest) => rest.together(rest.by_group()?.iter()),
                None => {
                    let others = groups.iter().enumerate().filter(|(group, _)| is_other(*group));
                    rollup.together(others.map(|(_, states)| states))
                }
            };
            let rest = rest.unwrap_or(rollup);
            let series = if has_rates {
                rest.by_bucket(is_other, true)?.remove(&0).unwrap_or_default()
            } else {
                BTreeMap::new()
            };
            output.other_by_aggregate = Some(self.row(None, &other, &self.numbers(&other, &series), &scales));
        }
        Ok(output)
    }

    /// A rate over the whole time is the mean of its changes.
    fn numbers(&self, states: &States, series: &BTreeMap<i64, States>) -> Numbers {
        let value = |plan: &CalculationPlan| match plan {
            CalculationPlan::Rate(_) => {
                let changes: Vec<f64> =
                    series.keys().filter_map(|bucket| self.change(plan, series, *bucket)).collect();
                (!changes.is_empty()).then(|| changes.iter().sum::<f64>() / changes.len() as f64)
            }
            plan => plan.value(states, self.buckets.count),
        };
        self.with_formulas(self.calculations.iter().map(value).collect())
    }

    fn change(&self, plan: &CalculationPlan, series: &BTreeMap<i64, States>, bucket: i64) -> Option<f64> {
        let CalculationPlan::Rate(inner) = plan else { return None };
        let now = inner.value(series.get(&bucket)?, self.buckets.count)?;
        let before = inner.value(series.get(&(bucket - 1))?, self.buckets.count)?;
        Some(now - before)
    }

    fn with_formulas(&self, mut numbers: Numbers) -> Numbers {
        if self.formulas.is_empty() {
            return numbers;
        }
        let known: Vec<(String, Option<f64>)> =
            self.spec.calculations.iter().map(|known| known.key()).zip(numbers.iter().copied()).collect();
        let lookup = |name: &str| known.iter().find(|(key, _)| key == name).and_then(|(_, value)| *value);
        numbers.extend(self.formulas.iter().map(|(_, formula)| evaluate(formula, &lookup)));
        numbers
    }

    /// The groups to show, in their order.
    fn choose(&self, rollup: &Rollup, numbers: &[Numbers]) -> Vec<usize> {
        let mut groups: Vec<usize> =
            (0..rollup.group_count()).filter(|group| self.passes(&numbers[*group])).collect();
        // The cells are made once: a sort looks at each many times.
        let cells = |key: &OrderKey| match key {
            OrderKey::Breakdown(position) => (0..rollup.group_count())
                .map(|group| {
                    let (array, row) = rollup.key(group, *position);
                    cell(array, row)
                })
                .collect(),
            OrderKey::Number(_) => Vec::new(),
        };
        let keys: Vec<(OrderKey, Vec<Value>, bool)> = self
            .order_keys()
            .into_iter()
            .map(|(key, descending)| {
                let cells = cells(&key);
                (key, cells, descending)
            })
            .collect();
        groups.sort_by(|left, right| {
            for (key, cells, descending) in &keys {
                let order = match key {
                    OrderKey::Number(position) => {
                        // What has no value comes last, whichever way the rest goes.
                        match (numbers[*left][*position], numbers[*right][*position]) {
                            (None, Some(_)) => return Ordering::Greater,
                            (Some(_), None) => return Ordering::Less,
                            (Some(a), Some(b)) => a.total_cmp(&b),
                            (None, None) => Ordering::Equal,
                        }
                    }
                    OrderKey::Breakdown(_) => compare(&cells[*left], &cells[*right]),
                };
                let order = if *descending { order.reverse() } else { order };
                if order != Ordering::Equal {
                    return order;
                }
            }
            rollup.sort_keys[*left].cmp(&rollup.sort_keys[*right])
        });
        groups.truncate(self.limit);
        groups
    }

    fn passes(&self, numbers: &Numbers) -> bool {
        self.spec.havings.iter().all(|having| {
            let position = self.spec.having_calculation(having);
            let Some(number) = position.and_then(|position| numbers[position]) else { return false };
            match having.op {
                FilterOp::Equal => number == having.value,
                FilterOp::NotEqual => number != having.value,
                FilterOp::Greater => number > having.value,
                FilterOp::GreaterOrEqual => number >= having.value,
                FilterOp::Less => number < having.value,
                FilterOp::LessOrEqual => number <= having.value,
                _ => false,
            }
        })
    }

    /// Without orders, the first calculation decides, largest first.
    pub(crate) fn order_keys(&self) -> Vec<(OrderKey, bool)> {
        let spec = &self.spec;
        let keys: Vec<_> = spec
            .orders
            .iter()
            .filter_map(|order| {
                let name = order.column.as_ref();
                let key = match order.op {
                    Some(op) => spec.calculations.iter().position(|known| {
                        known.op == op
                            && (known.column.as_ref() == name
                                || known.name.is_some() && known.name.as_ref() == name)
                    }),
                    None => None,
                };
                let named = || {
                    spec.calculations
                        .iter()
                        .position(|known| known.name.is_some() && known.name.as_ref() == name)
                };
                let formula = || {
                    let position = spec.formulas.iter().position(|known| Some(&known.name) == name)?;
                    Some(spec.calculations.len() + position)
                };
                let breakdown = || spec.breakdowns.iter().position(|known| Some(known) == name);
                let key = match (order.op, key) {
                    (Some(_), key) => key.map(OrderKey::Number),
                    (None, _) => breakdown()
                        .map(OrderKey::Breakdown)
                        .or_else(|| named().or_else(formula).map(OrderKey::Number)),
                };
                Some((key?, order.descending))
            })
            .collect();
        if !keys.is_empty() {
            return keys;
        }
        let first = self.calculations.iter().position(|plan| !matches!(plan, CalculationPlan::Heatmap(_)));
        first.map(|first| vec![(OrderKey::Number(first), true)]).unwrap_or_default()
    }

    /// Keys and values. Formulas, when there are any, take the place of the calculations.
    fn row(
        &self,
        group: Option<(&Rollup, usize)>,
        states: &States,
        numbers: &Numbers,
        scales: &[Option<HeatmapScale>],
    ) -> Map<String, Value> {
        let mut row = Map::new();
        if let Some((rollup, group)) = group {
            for (position, breakdown) in self.spec.breakdowns.iter().enumerate() {
                let (array, index) = rollup.key(group, position);
                row.insert(breakdown.clone(), cell(array, index));
            }
        }
        if !self.formulas.is_empty() {
            for ((name, _), number) in self.formulas.iter().zip(&numbers[self.calculations.len()..]) {
                row.insert(name.clone(), json!(number));
            }
            return row;
        }
        for (position, (calculation, plan)) in
            self.spec.calculations.iter().zip(&self.calculations).enumerate()
        {
            let value = match (&states[plan.state()], &scales[position]) {
                (State::Sketch(sketch), Some(scale)) => heatmap_cell(sketch, *scale),
                _ => number_json(numbers[position], plan.is_whole()),
            };
            row.insert(calculation.key(), value);
        }
        row
    }

    fn series(
        &self,
        group: Option<(&Rollup, usize)>,
        mut series: BTreeMap<i64, States>,
        whole: &States,
        rollup: &Rollup,
        scales: &[Option<HeatmapScale>],
    ) -> Vec<SeriesPoint> {
        // A span runs in buckets in which none began.
        let runs: Vec<Option<BTreeMap<i64, f64>>> = self
            .calculations
            .iter()
            .map(|plan| match &whole[plan.state()] {
                State::Running(changes) => Some(running(changes, self.buckets.count)),
                _ => None,
            })
            .collect();
        for bucket in runs.iter().flatten().flat_map(BTreeMap::keys) {
            series.entry(*bucket).or_insert_with(|| rollup.empty());
        }
        if self.spec.breakdowns.is_empty() {
            (0..self.buckets.count).for_each(|bucket| {
                series.entry(bucket).or_insert_with(|| rollup.empty());
            });
        }
        series
            .iter()
            .map(|(bucket, states)| {
                let value = |(position, plan): (usize, &CalculationPlan)| match (plan, &runs[position]) {
                    (CalculationPlan::Rate(_), _) => self.change(plan, &series, *bucket),
                    (_, Some(run)) => Some(run.get(bucket).copied().unwrap_or(0.0)),
                    _ => plan.value(states, self.buckets.count),
                };
                let numbers = self.with_formulas(self.calculations.iter().enumerate().map(value).collect());
                SeriesPoint {
                    time_s: self.buckets.origin_s + bucket * self.buckets.step_s,
                    data: self.row(group, states, &numbers, scales),
                }
            })
            .collect()
    }
}

/// What rows are ordered by: a calculation or formula, or a breakdown, by position.
pub(crate) enum OrderKey {
    Number(usize),
    Breakdown(usize),
}

fn number_json(number: Option<f64>, whole: bool) -> Value {
    match number {
        Some(number) if whole && number.fract() == 0.0 && number.abs() < 9e15 => json!(number as i64),
        number => json!(number),
    }
}

/// A key as JSON.
pub(crate) fn cell(array: &ArrayRef, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Utf8View => json!(array.as_string_view().value(row)),
        DataType::Utf8 => json!(array.as_string::<i32>().value(row)),
        DataType::Int64 => json!(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => json!(array.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => json!(array.as_boolean().value(row)),
        _ => Value::Null,
    }
}

/// Null, then false and true, then numbers, then texts.
fn compare(left: &Value, right: &Value) -> Ordering {
    fn rank(value: &Value) -> u8 {
        match value {
            Value::Null => 0,
            Value::Bool(_) => 1,
            Value::Number(_) => 2,
            _ => 3,
        }
    }
    match (left, right) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => a.as_f64().unwrap_or(0.0).total_cmp(&b.as_f64().unwrap_or(0.0)),
        },
        _ => rank(left).cmp(&rank(right)),
    }
}

fn scale_of(plan: &CalculationPlan, total: &States) -> Option<HeatmapScale> {
    let CalculationPlan::Heatmap(state) = plan else { return None };
    let State::Sketch(sketch) = &total[*state] else { return None };
    let (low, high) = sketch.bounds().unwrap_or((0.0, 1.0));
    let (low, high) = (low.max(f64::MIN / 2.0), high.min(f64::MAX / 2.0));
    let log = low > 0.0 && high / low >= HEATMAP_LOG_RATIO;
    // One value alone still needs a bin with a width.
    let high = if high > low { high } else { low + low.abs().max(1.0) * 0.01 };
    Some(HeatmapScale { low, high, log })
}

fn heatmap_cell(sketch: &Sketch, scale: HeatmapScale) -> Value {
    let mut counts = [0_u64; HEATMAP_BINS];
    for (middle, weight) in sketch.buckets() {
        let position = if scale.log {
            (middle.ln() - scale.low.ln()) / (scale.high.ln() - scale.low.ln())
        } else {
            (middle - scale.low) / (scale.high - scale.low)
        };
        let bin = ((position * HEATMAP_BINS as f64).max(0.0) as usize).min(HEATMAP_BINS - 1);
        counts[bin] = counts[bin].saturating_add(weight);
    }
    let name = if scale.log { "log" } else { "linear" };
    json!({ "scale": name, "low": scale.low, "high": scale.high, "counts": counts.as_slice() })
}

/// A formula over numbers. What cannot be computed has no value.
fn evaluate(ast: &Ast, lookup: &dyn Fn(&str) -> Option<f64>) -> Option<f64> {
    let (function, arguments) = match ast {
        Ast::Null | Ast::Text(_) => return None,
        Ast::Bool(flag) => return Some(f64::from(u8::from(*flag))),
        Ast::Int(number) => return Some(*number as f64),
        Ast::Float(number) => return Some(*number),
        Ast::Column(name) => return lookup(name),
        Ast::Call(function, arguments) => (*function, arguments),
    };
    let values: Vec<Option<f64>> = arguments.iter().map(|argument| evaluate(argument, lookup)).collect();
    let truthy = |value: &Option<f64>| value.is_some_and(|value| value != 0.0);
    let truth = |flag: bool| Some(f64::from(u8::from(flag)));
    let all = || values.iter().copied().collect::<Option<Vec<f64>>>();
    let result = match function {
        Function::Sum => all()?.iter().sum(),
        Function::Mul => all()?.iter().product(),
        Function::Sub => values[0]? - values[1]?,
        Function::Div => values[0]? / values[1]?,
        Function::Mod => values[0]? % values[1]?,
        Function::Min => values.iter().copied().flatten().reduce(f64::min)?,
        Function::Max => values.iter().copied().flatten().reduce(f64::max)?,
        Function::Log10 => values[0]?.log10(),
        Function::Int => values[0]?.trunc(),
        Function::Float => values[0]?,
        Function::Coalesce => values.iter().copied().flatten().next()?,
        Function::Exists => return truth(values[0].is_some()),
        Function::Bool => return truth(truthy(&values[0])),
        Function::Not => return truth(!truthy(&values[0])),
        Function::And => return truth(values.iter().all(truthy)),
        Function::Or => return truth(values.iter().any(truthy)),
        Function::Lt => return truth(values[0]? < values[1]?),
        Function::Lte => return truth(values[0]? <= values[1]?),
        Function::Gt => return truth(values[0]? > values[1]?),
        Function::Gte => return truth(values[0]? >= values[1]?),
        Function::Equals => return truth(values[0] == values[1]),
        Function::In => return truth(values[1..].contains(&values[0])),
        Function::If | Function::Switch => {
            let rest = if function == Function::Switch { &values[1..] } else { &values[..] };
            let pairs = rest.chunks_exact(2);
            let otherwise = pairs.remainder().first().copied().flatten();
            let is_met = |test: &Option<f64>| {
                if function == Function::Switch { *test == values[0] } else { truthy(test) }
            };
            for pair in pairs {
                if is_met(&pair[0]) {
                    return pair[1];
                }
            }
            return otherwise;
        }
        _ => return None,
    };
    Some(result).filter(|value| value.is_finite())
}

/// Whether a formula can be computed: numbers, names of calculations, and functions of numbers.
///
/// # Errors
/// What it names that it cannot have.
pub(crate) fn check_formula(ast: &Ast, names: &dyn Fn(&str) -> bool) -> Result<(), String> {
    match ast {
        Ast::Text(_) => Err("text has no place in a formula".to_owned()),
        Ast::Column(name) if !names(name) => Err(format!("{name} is not a calculation of this query")),
        Ast::Call(function, arguments) => {
            use Function as F;
            let is_numeric = matches!(
                function,
                F::Sum
                    | F::Mul
                    | F::Sub
                    | F::Div
                    | F::Mod
                    | F::Min
                    | F::Max
                    | F::Log10
                    | F::Int
                    | F::Float
                    | F::Coalesce
                    | F::Exists
                    | F::Bool
                    | F::Not
                    | F::And
                    | F::Or
                    | F::Lt
                    | F::Lte
                    | F::Gt
                    | F::Gte
                    | F::Equals
                    | F::In
                    | F::If
                    | F::Switch
            );
            if !is_numeric {
                return Err(format!("{} has no place in a formula", function.name()));
            }
            arguments.iter().try_for_each(|argument| check_formula(argument, names))
        }
        _ => Ok(()),
    }
}
