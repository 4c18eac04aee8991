//! SQL over `spans`, `logs`, `errors`, `metrics` and `events` (all of them): one read-only statement, bounded in rows
//! and time. A field is a column under its flat name (quoted where it has dots); `time`, `dataset` and `sample_rate`
//! are there as well.

use std::time::Duration;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::logical_expr::{Expr, ident};
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::{DFParser, Statement};
use datafusion::sql::sqlparser::ast::Statement as SqlStatement;
use futures::StreamExt;
use tracery_model::{OWN_SPANS, Signal};
use tracing::Instrument as _;

use super::private;
use crate::{EventSource, QueryError, Scope};

/// Fields that `*` stands for, in alphabetical order.
const WILDCARD_FIELDS_MAX: usize = 500;
const TEXT_BYTES_MAX: usize = 64 << 10;

#[derive(Debug, Clone, Copy)]
pub struct SqlLimits {
    pub row_count_max: usize,
    pub wall_time_max: Duration,
}

impl Default for SqlLimits {
    fn default() -> Self {
        Self { row_count_max: 10_000, wall_time_max: Duration::from_secs(60) }
    }
}

#[derive(Debug, Clone)]
pub struct SqlAnswer {
    pub schema: SchemaRef,
    pub batches: Vec<RecordBatch>,
    /// Whether there were more rows than the limit.
    pub truncated: bool,
}

/// Runs one statement within the scope's environment and time.
///
/// # Errors
/// [`QueryError::Invalid`] for anything but one query, [`QueryError::Limit`] when it runs too long.
pub async fn sql(
    context: &SessionContext,
    source: &dyn EventSource,
    scope: &Scope,
    text: &str,
    limits: SqlLimits,
) -> Result<SqlAnswer, QueryError> {
    check(text)?;
    let private = private(context);
    let tables = Signal::ALL.iter().map(|signal| (signal.table(), vec![*signal]));
    for (name, signals) in tables.chain([("events", Signal::ALL.to_vec())]) {
        if !text.to_ascii_lowercase().contains(name) {
            continue;
        }
        let scope = Scope { signals, ..scope.clone() };
        let named: Vec<String> = source
            .fields(&scope)
            .await?
            .into_iter()
            .map(|field| field.name)
            .filter(|field| text.contains('*') || text.contains(field.as_str()))
            .take(WILDCARD_FIELDS_MAX)
            .collect();
        let mut columns = named.clone();
        columns.extend(["#time", "#dataset", "#sample_rate"].map(str::to_owned));
        let table = private.read_table(source.events(&scope, &columns).await?)?;
        let system = [("#time", "time"), ("#dataset", "dataset"), ("#sample_rate", "sample_rate")]
            .into_iter()
            .filter(|(_, alias)| !named.iter().any(|field| field == alias))
            .map(|(column, alias)| ident(column).alias(alias));
        let fields: Vec<Expr> = system.chain(named.iter().map(|field| ident(field.as_str()))).collect();
        private.register_table(name, table.select(fields)?.into_view())?;
    }
    let run = async {
        let frame = private.sql(text).await.map_err(invalid)?.limit(0, Some(limits.row_count_max + 1))?;
        let schema: SchemaRef = frame.schema().inner().clone();
        let span = tracing::info_span!(target: OWN_SPANS, "plan query");
        let mut stream = frame.execute_stream().instrument(span).await?;
        let span = tracing::info_span!(target: OWN_SPANS, "run query");
        let (mut batches, mut row_count, mut truncated) = (Vec::new(), 0, false);
        while let Some(batch) = stream.next().instrument(span.clone()).await {
            let batch = batch?;
            let room = limits.row_count_max - row_count;
            truncated |= batch.num_rows() > room;
            let kept = batch.slice(0, batch.num_rows().min(room));
            row_count += kept.num_rows();
            batches.push(kept);
        }
        Ok(SqlAnswer { schema, batches, truncated })
    };
    tokio::time::timeout(limits.wall_time_max, run)
        .await
        .map_err(|_| QueryError::Limit(format!("it ran longer than {} s", limits.wall_time_max.as_secs())))?
}

/// Planning errors are the asker's.
fn invalid(error: datafusion::error::DataFusionError) -> QueryError {
    QueryError::Invalid(error.strip_backtrace())
}

fn check(text: &str) -> Result<(), QueryError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(QueryError::Invalid(format!("the statement is longer than {TEXT_BYTES_MAX} bytes")));
    }
    let mut statements = DFParser::parse_sql(text).map_err(invalid)?;
    match (statements.pop_front(), statements.is_empty()) {
        (Some(Statement::Statement(statement)), true) if matches!(*statement, SqlStatement::Query(_)) => {
            Ok(())
        }
        _ => Err(QueryError::Invalid("only one SELECT or WITH statement is run here".into())),
    }
}

impl SqlAnswer {
    /// (name, type) of each column.
    pub fn columns(&self) -> Vec<(String, &'static str)> {
        self.schema
            .fields()
            .iter()
            .map(|field| (field.name().clone(), type_name(field.data_type())))
            .collect()
    }

    /// A cell as JSON.
    pub fn cell(column: &ArrayRef, row: usize) -> serde_json::Value {
        use datafusion::arrow::array::{Array, AsArray};
        use datafusion::arrow::datatypes::Float64Type;
        if column.is_null(row) {
            return serde_json::Value::Null;
        }
        if column.data_type().is_integer() || *column.data_type() == DataType::Float32 {
            let text =
                datafusion::arrow::util::display::array_value_to_string(column, row).unwrap_or_default();
            return serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text));
        }
        match column.data_type() {
            DataType::Boolean => column.as_boolean().value(row).into(),
            DataType::Float64 => {
                let value = column.as_primitive::<Float64Type>().value(row);
                serde_json::Number::from_f64(value).map_or_else(|| value.to_string().into(), Into::into)
            }
            _ => datafusion::arrow::util::display::array_value_to_string(column, row)
                .unwrap_or_default()
                .into(),
        }
    }
}

fn type_name(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Boolean => "boolean",
        DataType::Timestamp(_, _) => "time",
        other if other.is_integer() => "integer",
        other if other.is_floating() => "float",
        _ => "string",
    }
}
