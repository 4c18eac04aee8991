//! `UNIX_TIMESTAMP(text)` of calculated fields: seconds since the Unix epoch of an RFC 3339 date, or of a text that
//! is a number already. Null for anything else.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarUDF, Volatility, create_udf};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

static UDF: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    Arc::new(create_udf(
        "tracery_unix_timestamp",
        vec![DataType::Utf8View],
        DataType::Float64,
        Volatility::Immutable,
        Arc::new(|arguments| {
            let arrays = ColumnarValue::values_to_arrays(arguments)?;
            let seconds: Float64Array =
                arrays[0].as_string_view().iter().map(|text| seconds_of(text?)).collect();
            Ok(ColumnarValue::Array(Arc::new(seconds) as ArrayRef))
        }),
    ))
});

pub fn udf() -> ScalarUDF {
    UDF.as_ref().clone()
}

pub fn unix_timestamp(text: Expr) -> Expr {
    UDF.call(vec![text])
}

fn seconds_of(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Ok(instant) = OffsetDateTime::parse(text, &Rfc3339) {
        return Some(instant.unix_timestamp_nanos() as f64 / 1e9);
    }
    text.parse::<f64>().ok().filter(|seconds| seconds.is_finite())
}

#[cfg(test)]
mod tests {
    use super::seconds_of;

    #[test]
    fn dates_and_numbers() {
        for (text, expected) in [
            ("1970-01-01T00:01:00Z", Some(60.0)),
            ("1970-01-01T01:00:00.5+01:00", Some(0.5)),
            ("17", Some(17.0)),
            ("inf", None),
            ("yesterday", None),
        ] {
            assert_eq!(seconds_of(text), expected, "{text}");
        }
    }
}
