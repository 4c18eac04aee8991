//! Values of columns as the vendor prints them: everything is text in a result. Results, GetLogRecord and the grouping of
//! rows by the evaluator share this one way.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{
    DataType, Float64Type, Int64Type, TimeUnit, TimestampNanosecondType, UInt64Type,
};

use crate::languages::insights::value::{Value, stamp};

/// How a number or a time is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// As it is.
    Plain,
    /// A time, or nanoseconds, as milliseconds since 1970.
    Millis,
}

const NS_IN_MS: i64 = 1_000_000;

/// The text of a value; `None` for null.
pub(super) fn show(column: &ArrayRef, row: usize, shown: Shown) -> Option<String> {
    if column.is_null(row) {
        return None;
    }
    Some(match column.data_type() {
        DataType::Utf8View => column.as_string_view().value(row).to_owned(),
        DataType::Utf8 => column.as_string::<i32>().value(row).to_owned(),
        DataType::Boolean => if column.as_boolean().value(row) { "true" } else { "false" }.to_owned(),
        DataType::Int64 => {
            let value = column.as_primitive::<Int64Type>().value(row);
            match shown {
                Shown::Plain => value.to_string(),
                Shown::Millis => value.div_euclid(NS_IN_MS).to_string(),
            }
        }
        DataType::UInt64 => column.as_primitive::<UInt64Type>().value(row).to_string(),
        DataType::Float64 => {
            let value = column.as_primitive::<Float64Type>().value(row);
            number(value)?
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            let at_ms = column.as_primitive::<TimestampNanosecondType>().value(row).div_euclid(NS_IN_MS);
            if shown == Shown::Millis { at_ms.to_string() } else { stamp(at_ms) }
        }
        _ => return None,
    })
}

/// A number without a fraction it does not have; what is no number has no text.
fn number(value: f64) -> Option<String> {
    value.is_finite().then(|| Value::Number(value).to_string())
}
