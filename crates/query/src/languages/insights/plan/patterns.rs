//! `pattern` on the engine: rows are grouped by the template of their text on all cores, and the miner takes the templates
//! from the most frequent on. The pipeline calls it, and goes on with the patterns as rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringViewArray,
};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::dataframe::DataFrame;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr as Engine, lit};
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::ident;
use futures::TryStreamExt as _;

use super::columns::{Column, Kind};
use super::run::matched;
use crate::QueryError;
use crate::languages::insights::ast::PATTERN_COLUMNS;
use crate::operators::patterns::{Miner, Pattern};

/// The place of a pattern among all.
pub(super) const ORDER: &str = "#pattern:order";

/// The patterns of a frame's texts, whose templates are given, and how many events were looked at.
pub(super) async fn find(
    frame: DataFrame,
    template: Engine,
) -> Result<(Vec<Pattern>, Option<u64>), QueryError> {
    let (key, number) = ("#template", "#number");
    let frame = frame
        .aggregate(vec![template.alias(key)], vec![count(lit(1_i64)).alias(number)])?
        .filter(ident(key).is_not_null())?
        .sort(vec![ident(number).sort(false, false), ident(key).sort(true, false)])?;
    let task = Arc::new(frame.task_ctx());
    let physical = frame.create_physical_plan().await?;
    let mut batches = execute_stream(Arc::clone(&physical), task)?;
    let mut miner = Miner::default();
    while let Some(batch) = batches.try_next().await? {
        let templates = batch.column(0).as_string_view();
        let counts = batch.column(1).as_primitive::<Int64Type>();
        for row in 0..batch.num_rows() {
            miner.add(templates.value(row), u64::try_from(counts.value(row)).unwrap_or(0));
        }
        // Comparing takes a while, and other queries share the thread.
        tokio::task::yield_now().await;
    }
    Ok((miner.finish(), matched(&physical)))
}

/// Patterns as rows, and what their columns are.
pub(super) fn batch(patterns: &[Pattern]) -> Result<(RecordBatch, BTreeMap<String, Column>), QueryError> {
    let total: u64 = patterns.iter().map(|pattern| pattern.count).sum();
    let texts = StringViewArray::from_iter_values(patterns.iter().map(|pattern| &pattern.text));
    let ratios = Float64Array::from_iter_values(
        patterns.iter().map(|pattern| pattern.count as f64 / total.max(1) as f64),
    );
    let counts = Int64Array::from_iter_values(patterns.iter().map(|pattern| pattern.count as i64));
    let severities: StringViewArray = patterns.iter().map(|pattern| pattern.severity).collect();
    let order = Int64Array::from_iter_values(0..patterns.len() as i64);
    let arrays: [(Kind, ArrayRef); 4] = [
        (Kind::Text, Arc::new(texts)),
        (Kind::Float, Arc::new(ratios)),
        (Kind::Int, Arc::new(counts)),
        (Kind::Text, Arc::new(severities)),
    ];
    let mut columns = BTreeMap::new();
    let mut named: Vec<(&str, ArrayRef)> = Vec::with_capacity(arrays.len() + 1);
    for (name, (kind, array)) in PATTERN_COLUMNS.into_iter().zip(arrays) {
        let data_type: DataType = array.data_type().clone();
        columns.insert(name.to_owned(), Column { expr: ident(name), kind, data_type });
        named.push((name, array));
    }
    named.push((ORDER, Arc::new(order)));
    let batch = RecordBatch::try_from_iter(named).map_err(datafusion::error::DataFusionError::from)?;
    Ok((batch, columns))
}
