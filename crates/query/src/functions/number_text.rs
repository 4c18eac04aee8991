//! A float as text, without a fraction when it has none: `5`, not `5.0`.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, AsArray, StringViewArray};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarUDF, Volatility, create_udf};

static UDF: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    Arc::new(create_udf(
        "tracery_number_text",
        vec![DataType::Float64],
        DataType::Utf8View,
        Volatility::Immutable,
        Arc::new(|arguments| {
            let arrays = ColumnarValue::values_to_arrays(arguments)?;
            let numbers = arrays[0].as_primitive::<Float64Type>().iter();
            let texts: StringViewArray =
                numbers.map(|number| number.map(|number| number.to_string())).collect();
            Ok(ColumnarValue::Array(Arc::new(texts) as ArrayRef))
        }),
    ))
});

pub fn udf() -> ScalarUDF {
    UDF.as_ref().clone()
}

pub fn number_text(number: Expr) -> Expr {
    UDF.call(vec![number])
}
