//! `LOG10(x)` of calculated fields: null for what has no logarithm.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarUDF, Volatility, create_udf};

static UDF: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    Arc::new(create_udf(
        "tracery_log10",
        vec![DataType::Float64],
        DataType::Float64,
        Volatility::Immutable,
        Arc::new(|arguments| {
            let arrays = ColumnarValue::values_to_arrays(arguments)?;
            let numbers = arrays[0].as_primitive::<Float64Type>().iter();
            let logarithms: Float64Array = numbers.map(|x| x.filter(|x| *x > 0.0).map(f64::log10)).collect();
            Ok(ColumnarValue::Array(Arc::new(logarithms) as ArrayRef))
        }),
    ))
});

pub fn udf() -> ScalarUDF {
    UDF.as_ref().clone()
}

pub fn log10(x: Expr) -> Expr {
    UDF.call(vec![x])
}
