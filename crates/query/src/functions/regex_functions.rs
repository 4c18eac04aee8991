//! `REG_MATCH`, `REG_VALUE` and `REG_COUNT` of calculated fields. The pattern is a constant (the translator sees to
//! it and to its size) and is compiled once a batch.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, StringViewArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarUDF, Volatility, create_udf};
use regex::{Regex, RegexBuilder};

/// Memory a compiled pattern may take.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// Compiles a pattern within bounds.
pub fn compile(pattern: &str) -> std::result::Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(COMPILED_BYTES_MAX).dfa_size_limit(COMPILED_BYTES_MAX).build()
}

fn function(
    name: &str,
    returns: DataType,
    apply: fn(&Regex, &StringViewArray) -> ArrayRef,
) -> Arc<ScalarUDF> {
    Arc::new(create_udf(
        name,
        vec![DataType::Utf8View, DataType::Utf8View],
        returns,
        Volatility::Immutable,
        Arc::new(move |arguments: &[ColumnarValue]| -> Result<ColumnarValue> {
            let arrays = ColumnarValue::values_to_arrays(arguments)?;
            let patterns = arrays[1].as_string_view();
            let pattern = if patterns.is_empty() || patterns.is_null(0) { "" } else { patterns.value(0) };
            match compile(pattern) {
                Ok(regex) => Ok(ColumnarValue::Array(apply(&regex, arrays[0].as_string_view()))),
                Err(error) => exec_err!("bad regular expression: {error}"),
            }
        }),
    ))
}

static MATCH: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    function("tracery_reg_match", DataType::Boolean, |regex, texts| {
        Arc::new(
            texts
                .iter()
                .map(|text| Some(text.is_some_and(|text| regex.is_match(text))))
                .collect::<BooleanArray>(),
        )
    })
});

static VALUE: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    function("tracery_reg_value", DataType::Utf8View, |regex, texts| {
        let values = texts.iter().map(|text| {
            let captures = regex.captures(text?)?;
            captures.get(1).or_else(|| captures.get(0)).map(|found| found.as_str())
        });
        Arc::new(values.collect::<StringViewArray>())
    })
});

static COUNT: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    function("tracery_reg_count", DataType::Int64, |regex, texts| {
        let counts = texts.iter().map(|text| text.map(|text| regex.find_iter(text).count() as i64));
        Arc::new(counts.collect::<Int64Array>())
    })
});

pub fn match_udf() -> ScalarUDF {
    MATCH.as_ref().clone()
}

pub fn value_udf() -> ScalarUDF {
    VALUE.as_ref().clone()
}

pub fn count_udf() -> ScalarUDF {
    COUNT.as_ref().clone()
}

/// Whether the text matches anywhere; false for null.
pub fn reg_match(text: Expr, pattern: Expr) -> Expr {
    MATCH.call(vec![text, pattern])
}

/// The first match, or its first group when the pattern has one.
pub fn reg_value(text: Expr, pattern: Expr) -> Expr {
    VALUE.call(vec![text, pattern])
}

/// How many matches there are.
pub fn reg_count(text: Expr, pattern: Expr) -> Expr {
    COUNT.call(vec![text, pattern])
}
