//! RQL, Rollbar's query language: a small SQL over occurrences and deploys, whose columns are paths into the payload.
//! [`run`] answers a query over the store; items and deploys come with the question, because they are not the store's.

mod ast;
mod parse;
mod plan;

use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, Float64Array, RecordBatch, StringViewArray};
use datafusion::arrow::datatypes::{DataType, Field, Float64Type, Schema};
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use serde_json::Value;

pub use ast::Query;
pub use parse::{RqlError, parse};
pub use plan::{DEPLOY_COLUMNS, ITEM_COLUMNS, ROWS_MAX};

use crate::QueryError;
use crate::questions::errors::{OccurrenceScope, condition, table};
use crate::questions::private;
use crate::tables::StoreEvents;
use ast::Table;
use plan::Type;

/// A row of a table that comes with the question: values in the order of its columns, numbers or texts.
pub type Row = Vec<Value>;

/// What a query is asked of.
pub struct Asked {
    pub scope: OccurrenceScope,
    /// Environment and fingerprint, then [`ITEM_COLUMNS`]; one for each fingerprint of an item. Empty unless the query needs
    /// them, as `deploys`.
    pub items: Vec<(String, String, Row)>,
    /// [`DEPLOY_COLUMNS`].
    pub deploys: Vec<Row>,
    /// Seconds since 1970.
    pub now_s: i64,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Value>>,
}

impl Query {
    /// Whether columns of items are asked for, or deploys.
    ///
    /// # Errors
    /// What [`run`] would refuse.
    pub fn needs(&self) -> Result<(bool, bool), RqlError> {
        Ok((plan::plan(self, 0, "true")?.needs_items, self.table == Table::Deploy))
    }
}

/// Answers a query.
///
/// # Errors
/// [`QueryError::Invalid`] for what RQL does not have; otherwise when the store cannot be read.
pub async fn run(
    context: &SessionContext,
    events: &StoreEvents,
    query: &Query,
    asked: Asked,
) -> Result<Rows, QueryError> {
    let is_deploy = query.table == Table::Deploy;
    let own = if is_deploy { "true".to_owned() } else { condition(&asked.scope) };
    let plan =
        plan::plan(query, asked.now_s, &own).map_err(|error| QueryError::Invalid(error.to_string()))?;
    let private = private(context);
    if is_deploy {
        private.register_table("deploy", Arc::new(rows_table(&[], &DEPLOY_COLUMNS, &[], asked.deploys)?))?;
    } else {
        let mut names = vec!["#received_ns", "error.occurrence_id", "error.level", "error.uuid"];
        if plan.needs_payload {
            names.push("#original");
        }
        private.register_table("item_occurrence", table(events, &asked.scope, &names).await?)?;
        if plan.needs_items {
            let (mut keys, mut rows) = (Vec::new(), Vec::new());
            for (environment, fingerprint, row) in asked.items {
                keys.push([environment, fingerprint]);
                rows.push(row);
            }
            let items = rows_table(&["of_environment", "of_fingerprint"], &ITEM_COLUMNS, &keys, rows)?;
            private.register_table("items", Arc::new(items))?;
        }
    }
    let batches = private.sql(&plan.sql).await?.collect().await?;
    let mut rows = Vec::new();
    for batch in &batches {
        for row in 0..batch.num_rows() {
            let value =
                |(idx, (_, of)): (usize, &(String, Type))| shown(batch.column(idx).as_ref(), row, *of);
            rows.push(plan.columns.iter().enumerate().map(value).collect());
        }
    }
    Ok(Rows { columns: plan.columns.into_iter().map(|(name, _)| name).collect(), rows })
}

/// A value as JSON; whole numbers have no fraction.
#[expect(clippy::cast_possible_truncation, reason = "checked before")]
fn shown(column: &dyn Array, row: usize, of: Type) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    match of {
        Type::Number => {
            let number = column.as_primitive::<Float64Type>().value(row);
            let is_whole = number.fract() == 0.0 && number.abs() < 9e15;
            if is_whole { (number as i64).into() } else { number.into() }
        }
        Type::Truth => i64::from(column.as_boolean().value(row)).into(),
        Type::Text => text_of(column, row).into(),
        Type::Json => {
            let text = text_of(column, row);
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        }
    }
}

fn text_of(column: &dyn Array, row: usize) -> String {
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(row).to_owned(),
        DataType::LargeUtf8 => column.as_string::<i64>().value(row).to_owned(),
        _ => column.as_string_view().value(row).to_owned(),
    }
}

/// Rows in memory as a table.
fn rows_table(
    keys: &[&str],
    columns: &[(&str, bool)],
    key_values: &[[String; 2]],
    rows: Vec<Row>,
) -> Result<MemTable, QueryError> {
    let mut fields: Vec<Field> =
        keys.iter().map(|name| Field::new(*name, DataType::Utf8View, true)).collect();
    let of = |is_number: bool| if is_number { DataType::Float64 } else { DataType::Utf8View };
    fields.extend(columns.iter().map(|(name, is_number)| Field::new(*name, of(*is_number), true)));
    let mut arrays: Vec<Arc<dyn Array>> = Vec::with_capacity(fields.len());
    for idx in 0..keys.len() {
        let values: StringViewArray = key_values.iter().map(|key| Some(key[idx].as_str())).collect();
        arrays.push(Arc::new(values));
    }
    for (idx, (_, is_number)) in columns.iter().enumerate() {
        let value = |row: &'_ Row| row.get(idx).cloned().unwrap_or_default();
        if *is_number {
            let values: Float64Array = rows.iter().map(|row| value(row).as_f64()).collect();
            arrays.push(Arc::new(values));
        } else {
            let values: StringViewArray =
                rows.iter().map(|row| value(row).as_str().map(str::to_owned)).collect();
            arrays.push(Arc::new(values));
        }
    }
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)
        .map_err(datafusion::error::DataFusionError::from)?;
    Ok(MemTable::try_new(schema, vec![vec![batch]])?)
}

#[cfg(test)]
mod tests;
