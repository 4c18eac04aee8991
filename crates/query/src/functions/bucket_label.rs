//! `BUCKET(x, size[, min, max])` of calculated fields: the range a number falls into, as a label that can be grouped
//! by. Called through the expression translator with all four arguments.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewBuilder};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarUDF, Volatility, create_udf};

static UDF: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    let number = DataType::Float64;
    Arc::new(create_udf(
        "tracery_bucket_label",
        vec![number.clone(), number.clone(), number.clone(), number],
        DataType::Utf8View,
        Volatility::Immutable,
        Arc::new(|arguments| {
            let arrays = ColumnarValue::values_to_arrays(arguments)?;
            let columns: Vec<_> = arrays.iter().map(|array| array.as_primitive::<Float64Type>()).collect();
            let mut labels = StringViewBuilder::new();
            for row in 0..columns[0].len() {
                let value = |column: usize| columns[column].is_valid(row).then(|| columns[column].value(row));
                labels.append_option(value(0).and_then(|x| label(x, value(1)?, value(2), value(3))));
            }
            Ok(ColumnarValue::Array(Arc::new(labels.finish()) as ArrayRef))
        }),
    ))
});

pub fn udf() -> ScalarUDF {
    UDF.as_ref().clone()
}

pub fn bucket_label(arguments: Vec<Expr>) -> Expr {
    UDF.call(arguments)
}

/// `< min`, `>= max`, or `low - high` with the lower bound included; `None` for a size that is not positive.
fn label(x: f64, size: f64, min: Option<f64>, max: Option<f64>) -> Option<String> {
    if size.is_nan() || size <= 0.0 || x.is_nan() {
        return None;
    }
    if let Some(min) = min
        && x < min
    {
        return Some(format!("< {min}"));
    }
    if let Some(max) = max
        && x >= max
    {
        return Some(format!(">= {max}"));
    }
    let origin = min.unwrap_or(0.0);
    let low = ((x - origin) / size).floor() * size + origin;
    let high = max.map_or(low + size, |max| max.min(low + size));
    Some(format!("{low} - {high}"))
}

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn labels() {
        for (x, size, min, max, expected) in [
            (5.0, 10.0, None, None, Some("0 - 10")),
            (10.0, 10.0, None, None, Some("10 - 20")),
            (-0.5, 1.0, None, None, Some("-1 - 0")),
            (1.0, 10.0, Some(5.0), None, Some("< 5")),
            (16.0, 10.0, Some(5.0), Some(20.0), Some("15 - 20")),
            (20.0, 10.0, Some(5.0), Some(20.0), Some(">= 20")),
            (20.0, 0.0, None, None, None),
            (f64::NAN, 1.0, None, None, None),
        ] {
            assert_eq!(label(x, size, min, max).as_deref(), expected, "{x} {size} {min:?} {max:?}");
        }
    }
}
