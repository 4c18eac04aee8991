//! The states of aggregates → what a query shows of them, while the rows are still in the engine.

use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, Float64Array, Int64Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{ColumnarValue, Expr, Volatility, create_udf};

use crate::functions::distinct::Distinct;
use crate::functions::percentiles::Percentiles;

/// How many values a state of `distinct` has seen.
pub(super) fn distinct_count(state: Expr) -> Expr {
    let invoke = |arguments: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let states = arrays[0].as_binary::<i32>();
        let counts: Int64Array = (0..states.len())
            .map(|row| match states.is_null(row) {
                true => Some(0),
                false => {
                    Some(i64::try_from(Distinct::decode(states.value(row))?.count()).unwrap_or(i64::MAX))
                }
            })
            .collect();
        Ok(ColumnarValue::Array(Arc::new(counts)))
    };
    let name = "tracery_insights_distinct_count";
    create_udf(name, vec![DataType::Binary], DataType::Int64, Volatility::Immutable, Arc::new(invoke))
        .call(vec![state])
}

/// A percentile, 0 to 100, of what a state of `percentiles` has seen.
pub(super) fn percentile(state: Expr, percent: f64) -> Expr {
    let invoke = move |arguments: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let states = arrays[0].as_binary::<i32>();
        let found: Float64Array = (0..states.len())
            .map(|row| match states.is_null(row) {
                true => None,
                false => Percentiles::decode(states.value(row))?.at(percent),
            })
            .collect();
        Ok(ColumnarValue::Array(Arc::new(found)))
    };
    let name = format!("tracery_insights_percentile {percent}");
    create_udf(&name, vec![DataType::Binary], DataType::Float64, Volatility::Immutable, Arc::new(invoke))
        .call(vec![state])
}
