//! `FORMAT_TIME(format, seconds)` of calculated fields: an instant as text, in UTC, with strftime's letters. The
//! format is a constant; letters that are not known stay as they are written.

use std::fmt::Write;
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarUDF, Volatility, create_udf};
use time::OffsetDateTime;

/// A letter can become two dozen characters, in every row.
pub const FORMAT_BYTES_MAX: usize = 256;

static UDF: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    Arc::new(create_udf(
        "tracery_format_time",
        vec![DataType::Utf8View, DataType::Float64],
        DataType::Utf8View,
        Volatility::Immutable,
        Arc::new(|arguments| {
            let arrays = ColumnarValue::values_to_arrays(arguments)?;
            let (formats, seconds) = (arrays[0].as_string_view(), arrays[1].as_primitive::<Float64Type>());
            let texts: StringViewArray = (0..seconds.len())
                .map(|row| {
                    let known = formats.is_valid(row) && seconds.is_valid(row);
                    known.then(|| format_time(formats.value(row), seconds.value(row))).flatten()
                })
                .collect();
            Ok(ColumnarValue::Array(Arc::new(texts) as ArrayRef))
        }),
    ))
});

pub fn udf() -> ScalarUDF {
    UDF.as_ref().clone()
}

pub fn format_time_expr(format: Expr, seconds: Expr) -> Expr {
    UDF.call(vec![format, seconds])
}

fn format_time(format: &str, seconds: f64) -> Option<String> {
    let at = OffsetDateTime::from_unix_timestamp_nanos((seconds * 1e9) as i128).ok()?;
    let mut text = String::with_capacity(format.len() + 16);
    write_time(&mut text, format, at).ok()?;
    Some(text)
}

fn write_time(out: &mut String, format: &str, at: OffsetDateTime) -> std::fmt::Result {
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        let hour12 = match at.hour() % 12 {
            0 => 12,
            hour => hour,
        };
        match letters.next() {
            Some('Y') => write!(out, "{:04}", at.year())?,
            Some('y') => write!(out, "{:02}", at.year().rem_euclid(100))?,
            Some('m') => write!(out, "{:02}", u8::from(at.month()))?,
            Some('d') => write!(out, "{:02}", at.day())?,
            Some('e') => write!(out, "{:2}", at.day())?,
            Some('H') => write!(out, "{:02}", at.hour())?,
            Some('I') => write!(out, "{hour12:02}")?,
            Some('M') => write!(out, "{:02}", at.minute())?,
            Some('S') => write!(out, "{:02}", at.second())?,
            Some('L') => write!(out, "{:03}", at.millisecond())?,
            Some('f') => write!(out, "{:06}", at.microsecond())?,
            Some('p') => out.push_str(if at.hour() < 12 { "AM" } else { "PM" }),
            Some('j') => write!(out, "{:03}", at.ordinal())?,
            Some('A') => write!(out, "{}", at.weekday())?,
            Some('a') => out.push_str(&at.weekday().to_string()[..3]),
            Some('B') => write!(out, "{}", at.month())?,
            Some('b' | 'h') => out.push_str(&at.month().to_string()[..3]),
            Some('u') => write!(out, "{}", at.weekday().number_from_monday())?,
            Some('w') => write!(out, "{}", at.weekday().number_days_from_sunday())?,
            Some('U') => write!(out, "{:02}", at.sunday_based_week())?,
            Some('W') => write!(out, "{:02}", at.monday_based_week())?,
            Some('V') => write!(out, "{:02}", at.iso_week())?,
            Some('s') => write!(out, "{}", at.unix_timestamp())?,
            Some('F') => write_time(out, "%Y-%m-%d", at)?,
            Some('T') => write_time(out, "%H:%M:%S", at)?,
            Some('R') => write_time(out, "%H:%M", at)?,
            Some('D') => write_time(out, "%m/%d/%y", at)?,
            Some('c') => write_time(out, "%a %b %e %H:%M:%S %Y", at)?,
            Some('z') => out.push_str("+0000"),
            Some('Z') => out.push_str("UTC"),
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('%') => out.push('%'),
            Some(other) => {
                out.push('%');
                out.push(other);
            }
            None => out.push('%'),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::format_time;

    #[test]
    fn formats() {
        for (format, expected) in [
            ("%Y-%m-%dT%H:%M:%SZ", "2024-02-29T13:04:05Z"),
            ("%A %a %I %p %j", "Thursday Thu 01 PM 060"),
            ("100%% %q %", "100% %q %"),
        ] {
            assert_eq!(format_time(format, 1_709_211_845.0).as_deref(), Some(expected));
        }
        assert_eq!(format_time("%Y", f64::MAX), None);
    }
}
