//! What this door needs of the query engine. `server` implements it over `tracery_query`; tests implement it over
//! nothing.

use async_trait::async_trait;
use serde_json::Value;
use tracery_model::EnvironmentId;

use crate::FieldError;

/// A column that events have been seen with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnInfo {
    pub name: String,
    /// `string`, `float`, `integer`, `boolean` or `histogram`.
    pub column_type: &'static str,
    pub last_written_ms: Option<i64>,
}

/// What the request for a result asked for beside the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunOptions {
    pub disable_series: bool,
    pub disable_total_by_aggregate: bool,
    pub disable_other_by_aggregate: bool,
    pub limit: Option<u64>,
}

#[async_trait]
pub trait Queries: Send + Sync + 'static {
    /// The canonical form of a query specification, or the first thing wrong with it.
    fn check(&self, spec: &Value, is_metrics: bool) -> Result<Value, FieldError>;

    /// Runs a checked specification; `dataset` is a dataset's name, `None` the whole environment. The answer has
    /// `results`, `series` and the other keys of Honeycomb's `data`; the error is for the person who asked.
    async fn run(
        &self,
        environment: EnvironmentId,
        dataset: Option<String>,
        spec: Value,
        options: RunOptions,
    ) -> Result<Value, String>;

    /// The columns of a dataset, by its name.
    async fn columns(&self, environment: EnvironmentId, dataset: &str) -> Result<Vec<ColumnInfo>, String>;

    /// Whether a calculated field's expression can be read; the error is the vendor's text.
    fn check_expression(&self, expression: &str) -> Result<(), String>;
}
