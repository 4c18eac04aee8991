//! The functions that DataFusion lacks: aggregates whose results can be merged further, and the scalar functions of
//! calculated fields. `session.rs` registers them; the languages call them by the constructors here.

pub mod bucket_label;
pub mod concurrency;
pub mod distinct;
pub mod first_present;
pub mod format_time;
pub mod joined_text;
pub mod json_path;
pub mod log10;
mod mergeable;
pub mod number_text;
pub mod percentiles;
pub mod regex_functions;
pub mod sketch;
pub mod time_bucket;
pub mod top_values;
pub mod unix_timestamp;

use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

/// Every aggregate, by name.
pub fn aggregate_functions() -> Vec<AggregateUDF> {
    vec![sketch::udaf(), distinct::udaf(), percentiles::udaf(), concurrency::udaf(), top_values::udaf()]
}

/// Every scalar function, by name.
pub fn scalar_functions() -> Vec<ScalarUDF> {
    let mut functions = vec![
        bucket_label::udf(),
        first_present::udf(),
        format_time::udf(),
        joined_text::udf(),
        log10::udf(),
        number_text::udf(),
        regex_functions::match_udf(),
        regex_functions::value_udf(),
        regex_functions::count_udf(),
        time_bucket::udf(),
        unix_timestamp::udf(),
    ];
    functions.extend(json_path::udfs());
    functions
}
