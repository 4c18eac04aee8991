//! BubbleUp: in which fields do selected events differ from the rest of a query's events? Every field's distribution
//! is taken for both sides in one scan per few dozen fields, and fields are ranked by how far the two lie apart.
//!
//! The score of a field is the total variation distance of the two distributions (0 the same, 1 disjoint), with a
//! missing value counted as a value. For texts it is lowered by the share of values that occur only once, since
//! identifiers differ always and tell nothing.

use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::functions_aggregate::expr_fn::sum;
use datafusion::logical_expr::{Expr, cast, lit};
use datafusion::prelude::SessionContext;
use serde_json::{Value, json};

use super::filter::filter_expr;
use super::plan::Buckets;
use super::relational::Related;
use super::run::{
    DatasetFields, Limits, RunScope, calculated_asts, collect, field_types, filtered_events, within,
};
use super::spec::{FilterOp, Spec};
use super::translate::{Names, combine};
use crate::functions::sketch::{Sketch, sketch};
use crate::functions::top_values::{TopValues, top_values};
use crate::{EventSource, FieldType, QueryError};

/// Fields read in one scan.
const FIELDS_PER_SCAN: usize = 32;
/// An integer field with at most this many values (status codes) is compared value by value.
const INTEGER_VALUES_MAX: usize = 50;
const HISTOGRAM_BINS: usize = 20;

/// Which events are selected: those that pass everything that is given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Selection {
    /// Start (included) and end (excluded), seconds since the epoch.
    pub time_s: Option<(i64, i64)>,
    /// A column and its smallest and largest value: the box of a heatmap.
    pub range: Option<(String, f64, f64)>,
    /// One value for each breakdown of the specification, null where the event has none: a group.
    pub group: Option<Vec<Value>>,
}

#[derive(Debug, Clone, Copy)]
pub struct BubbleUpLimits {
    /// Fields compared; those written last come first.
    pub fields_max: usize,
    /// Values listed for a field.
    pub values_max: usize,
    pub query: Limits,
}

impl Default for BubbleUpLimits {
    fn default() -> Self {
        Self { fields_max: 256, values_max: 20, query: Limits::default() }
    }
}

/// The comparison, most different fields first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BubbleUp {
    /// Events on either side, by weight.
    pub selection_count: u64,
    pub baseline_count: u64,
    pub fields: Vec<FieldDifference>,
    /// Fields that were not compared because there were too many.
    pub fields_skipped: usize,
    pub rows_examined: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct FieldDifference {
    pub name: String,
    pub field_type: FieldType,
    pub score: f64,
    /// Fraction of events without the field.
    pub selection_missing: f64,
    pub baseline_missing: f64,
    pub distribution: Distribution,
}

/// Fractions are of all events of their side.
#[derive(Debug, Clone, PartialEq)]
pub enum Distribution {
    /// Value, fraction of the selection, fraction of the baseline; most different first.
    Dimension(Vec<(String, f64, f64)>),
    /// A histogram from `low` to `high` in even steps, or in even ratios if `log`.
    Measure { low: f64, high: f64, log: bool, selection: Vec<f64>, baseline: Vec<f64> },
}

impl BubbleUp {
    pub fn to_json(&self) -> Value {
        let fields = self.fields.iter().map(|field| {
            let mut out = json!({
                "name": field.name,
                "score": field.score,
                "selection_missing": field.selection_missing,
                "baseline_missing": field.baseline_missing,
            });
            match &field.distribution {
                Distribution::Dimension(values) => {
                    out["kind"] = json!("dimension");
                    let each = values.iter().map(|(value, selection, baseline)| {
                        json!({ "value": value, "selection": selection, "baseline": baseline })
                    });
                    out["values"] = each.collect();
                }
                Distribution::Measure { low, high, log, selection, baseline } => {
                    out["kind"] = json!("measure");
                    out["low"] = json!(low);
                    out["high"] = json!(high);
                    out["scale"] = json!(if *log { "log" } else { "linear" });
                    out["selection"] = json!(selection);
                    out["baseline"] = json!(baseline);
                }
            }
            out
        });
        json!({
            "selection_count": self.selection_count,
            "baseline_count": self.baseline_count,
            "fields_skipped": self.fields_skipped,
            "fields": fields.collect::<Value>(),
        })
    }
}

/// Compares the selected events of a query with its other events.
///
/// # Errors
/// As [`super::run()`]; also when the selection's group does not fit the breakdowns, or nothing is selected by.
#[allow(clippy::too_many_arguments)]
pub async fn bubble_up(
    context: &Arc<SessionContext>,
    source: &dyn EventSource,
    scope: &RunScope,
    spec: &Spec,
    dataset_fields: &DatasetFields,
    selection: &Selection,
    now_s: i64,
    limits: &BubbleUpLimits,
) -> Result<BubbleUp, QueryError> {
    let ask = compare(context, source, scope, spec, dataset_fields, selection, now_s, limits);
    let mut output = within(&limits.query, ask).await?;
    if let Some(progress) = source.progress() {
        output.rows_examined = progress.figures().rows_scanned;
    }
    Ok(output)
}

#[allow(clippy::too_many_arguments)]
async fn compare(
    context: &SessionContext,
    source: &dyn EventSource,
    scope: &RunScope,
    spec: &Spec,
    dataset_fields: &DatasetFields,
    selection: &Selection,
    now_s: i64,
    limits: &BubbleUpLimits,
) -> Result<BubbleUp, QueryError> {
    let (start_s, end_s) = spec.time_window_s(now_s);
    let buckets = Buckets::new(start_s, end_s, spec.granularity);
    let scope = scope.at(start_s, end_s);
    let types = field_types(source, &scope).await?;
    let calculated = calculated_asts(dataset_fields, &spec.calculated_fields)?;
    let mut fields = source.fields(&scope).await?;
    // What defines the selection differs by definition.
    fields.retain(|field| {
        let is_range = selection.range.as_ref().is_some_and(|(column, ..)| *column == field.name);
        let is_group = selection.group.is_some() && spec.breakdowns.contains(&field.name);
        !is_range && !is_group
    });
    fields.sort_by(|a, b| b.last_written_ms.cmp(&a.last_written_ms).then_with(|| a.name.cmp(&b.name)));
    let mut output =
        BubbleUp { fields_skipped: fields.len().saturating_sub(limits.fields_max), ..Default::default() };
    fields.truncate(limits.fields_max);

    for chunk in fields.chunks(FIELDS_PER_SCAN) {
        let mut names = Names::new(&types, &calculated);
        let selected = selected_expr(&mut names, spec, selection)?;
        let weight = if spec.usage_mode { lit(1_i64) } else { names.system("#sample_rate") };
        let mut states = vec![sum(weight.clone()).alias("weight")];
        for field in chunk {
            // The plain column, whatever calculated field may hide it.
            let column = super::translate::Typed::new(names.column(&field.name), field.field_type);
            if field.field_type != FieldType::Float {
                states
                    .push(top_values(column.text(), weight.clone()).alias(format!("values {}", field.name)));
            }
            if column.is_number() {
                states.push(sketch(column.number(), weight.clone()).alias(format!("sketch {}", field.name)));
            }
        }
        let related = Related { context, source, scope: &scope, fields: &types, calculated: &calculated };
        let frame = filtered_events(&related, buckets, names, &spec.filters, spec.filter_combination)
            .await?
            .aggregate(vec![selected.alias("selected")], states)?;
        let (batches, rows_examined) = collect(frame, 2).await?;
        output.rows_examined += rows_examined;
        let (selected, rest) = (Side::of(&batches, true), Side::of(&batches, false));
        (output.selection_count, output.baseline_count) = (selected.weight(), rest.weight());
        for field in chunk {
            output.fields.extend(difference(field, &selected, &rest, limits.values_max));
        }
    }
    output.fields.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.name.cmp(&b.name)));
    Ok(output)
}

fn selected_expr(names: &mut Names<'_>, spec: &Spec, selection: &Selection) -> Result<Expr, QueryError> {
    let mut tests = Vec::new();
    if let Some((start_s, end_s)) = selection.time_s {
        let ns = cast(names.system("#time"), DataType::Int64);
        tests.push(ns.clone().gt_eq(lit(start_s.saturating_mul(1_000_000_000))));
        tests.push(ns.lt(lit(end_s.saturating_mul(1_000_000_000))));
    }
    if let Some((column, low, high)) = &selection.range {
        // Rows that such a relation finds nothing for have no column of it.
        if column.starts_with("none.") {
            return Err(QueryError::Invalid(
                "selection: a column of none. has no values to select".to_owned(),
            ));
        }
        tests.push(names.resolve(column)?.number().between(lit(*low), lit(*high)));
    }
    if let Some(values) = &selection.group {
        if values.len() != spec.breakdowns.len() {
            return Err(QueryError::Invalid(
                "selection: a group needs one value for each breakdown".to_owned(),
            ));
        }
        for (breakdown, value) in spec.breakdowns.iter().zip(values) {
            let op = if value.is_null() { FilterOp::DoesNotExist } else { FilterOp::Equal };
            tests.push(filter_expr(&names.resolve(breakdown)?, op, Some(value)));
        }
    }
    match combine(tests, Expr::and) {
        Some(test) => Ok(test.is_true()),
        None => Err(QueryError::Invalid("selection: give a time, a range or a group".to_owned())),
    }
}

/// The states of the selection or of the baseline; absent when it has no events.
struct Side<'a>(Option<(&'a RecordBatch, usize)>);

impl<'a> Side<'a> {
    fn of(batches: &'a [RecordBatch], selected: bool) -> Self {
        let rows = batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
        Self(rows.into_iter().find(|(batch, row)| {
            batch.column(0).as_boolean_opt().is_some_and(|flags| flags.value(*row) == selected)
        }))
    }

    fn weight(&self) -> u64 {
        let weight = self.0.and_then(|(batch, row)| {
            let weights = batch.column_by_name("weight")?.as_primitive_opt::<Int64Type>()?;
            weights.is_valid(row).then(|| weights.value(row).max(0) as u64)
        });
        weight.unwrap_or(0)
    }

    fn state(&self, name: &str) -> Option<&'a [u8]> {
        let (batch, row) = self.0?;
        let states = batch.column_by_name(name)?.as_binary_opt::<i32>()?;
        states.is_valid(row).then(|| states.value(row))
    }

    fn values(&self, field: &str) -> TopValues {
        self.state(&format!("values {field}")).and_then(TopValues::decode).unwrap_or_default()
    }

    fn sketch(&self, field: &str) -> Sketch {
        self.state(&format!("sketch {field}")).and_then(Sketch::decode).unwrap_or_default()
    }
}

fn fraction(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// `None` for a field that neither side has.
fn difference(
    field: &crate::FieldInfo,
    selected: &Side,
    rest: &Side,
    values_max: usize,
) -> Option<FieldDifference> {
    let name = &field.name;
    let (selected_weight, rest_weight) = (selected.weight(), rest.weight());
    let as_values = match field.field_type {
        FieldType::Float => false,
        FieldType::Integer => {
            let (values, others) = (selected.values(name), rest.values(name));
            let more = others.weights.keys().filter(|value| !values.weights.contains_key(*value)).count();
            values.forgotten + others.forgotten == 0 && values.weights.len() + more <= INTEGER_VALUES_MAX
        }
        FieldType::Text | FieldType::Boolean => true,
    };
    let (score, missing, distribution) = if as_values {
        let (values, others) = (selected.values(name), rest.values(name));
        if values.weights.is_empty() && others.weights.is_empty() {
            return None;
        }
        let missing = (fraction(values.missing, selected_weight), fraction(others.missing, rest_weight));
        let (distance, list) = compare_values(&values, selected_weight, &others, rest_weight, values_max);
        let score =
            if field.field_type == FieldType::Text { distance * repetition(&values) } else { distance };
        ((score + (missing.0 - missing.1).abs()) / 2.0, missing, Distribution::Dimension(list))
    } else {
        let (sketch, other) = (selected.sketch(name), rest.sketch(name));
        let bounds = [sketch.bounds(), other.bounds()];
        let (low, high) = bounds.into_iter().flatten().reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
        let missing = (
            1.0 - fraction(sketch.weight(), selected_weight).min(1.0),
            1.0 - fraction(other.weight(), rest_weight).min(1.0),
        );
        let log = low > 0.0 && high / low >= 50.0;
        let selection = histogram(&sketch, selected_weight, low, high, log);
        let baseline = histogram(&other, rest_weight, low, high, log);
        let distance: f64 = selection.iter().zip(&baseline).map(|(a, b)| (a - b).abs()).sum();
        let score = (distance + (missing.0 - missing.1).abs()) / 2.0;
        (score, missing, Distribution::Measure { low, high, log, selection, baseline })
    };
    Some(FieldDifference {
        name: name.clone(),
        field_type: field.field_type,
        score,
        selection_missing: missing.0,
        baseline_missing: missing.1,
        distribution,
    })
}

/// The sum of the differences of fractions, and the values that differ most.
fn compare_values(
    values: &TopValues,
    values_weight: u64,
    others: &TopValues,
    others_weight: u64,
    values_max: usize,
) -> (f64, Vec<(String, f64, f64)>) {
    let only_others = others.weights.keys().filter(|value| !values.weights.contains_key(*value));
    let mut list: Vec<(String, f64, f64)> = values
        .weights
        .keys()
        .chain(only_others)
        .map(|value| {
            let of =
                |side: &TopValues, weight| fraction(side.weights.get(value).copied().unwrap_or(0), weight);
            (value.clone(), of(values, values_weight), of(others, others_weight))
        })
        .collect();
    let distance = list.iter().map(|(_, a, b)| (a - b).abs()).sum();
    list.sort_by(|x, y| (y.1 - y.2).abs().total_cmp(&(x.1 - x.2).abs()).then_with(|| x.0.cmp(&y.0)));
    list.truncate(values_max);
    (distance, list)
}

/// How much of the selection repeats a value: near 0 for identifiers, near 1 for categories.
fn repetition(values: &TopValues) -> f64 {
    let present = values.total() - values.missing;
    let distinct = (values.weights.len() as u64).saturating_add(values.forgotten);
    if present == 0 { 1.0 } else { 1.0 - fraction(distinct.saturating_sub(1), present).min(1.0) }
}

fn histogram(sketch: &Sketch, total: u64, low: f64, high: f64, log: bool) -> Vec<f64> {
    let mut bins = vec![0.0; HISTOGRAM_BINS];
    for (middle, weight) in sketch.buckets() {
        let position = match (high > low, log) {
            (false, _) => 0.0,
            (true, true) => (middle.ln() - low.ln()) / (high.ln() - low.ln()),
            (true, false) => (middle - low) / (high - low),
        };
        let bin = ((position * HISTOGRAM_BINS as f64).max(0.0) as usize).min(HISTOGRAM_BINS - 1);
        bins[bin] += fraction(weight, total);
    }
    bins
}
