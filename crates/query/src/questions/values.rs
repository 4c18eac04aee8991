//! The most frequent values of a field: what autocomplete shows.

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Int64Type;
use datafusion::prelude::SessionContext;

use super::{ask, identifier, literal};
use crate::{EventSource, QueryError, Scope};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldValue {
    pub value: String,
    pub count: i64,
}

/// Values that start with `prefix`, the most frequent first, at most `limit`.
pub async fn values(
    context: &SessionContext,
    source: &dyn EventSource,
    scope: &Scope,
    field: &str,
    prefix: &str,
    limit: usize,
) -> Result<Vec<FieldValue>, QueryError> {
    if field.is_empty() || field.starts_with('#') {
        return Err(QueryError::Invalid(format!("{field:?} is no field")));
    }
    let table = source.events(scope, &[field.to_owned()]).await?;
    let name = identifier(field);
    let text = format!(
        "SELECT CAST({name} AS VARCHAR) AS value, count(*) AS n FROM events
         WHERE {name} IS NOT NULL AND starts_with(CAST({name} AS VARCHAR), {})
         GROUP BY {name} ORDER BY n DESC, value LIMIT {limit}",
        literal(prefix)
    );
    let mut found = Vec::new();
    for batch in ask(context, table, &text).await? {
        let texts = datafusion::arrow::compute::cast(
            batch.column(0),
            &datafusion::arrow::datatypes::DataType::Utf8View,
        )?;
        let (texts, counts) = (texts.as_string_view(), batch.column(1).as_primitive::<Int64Type>());
        for row in 0..batch.num_rows() {
            found.push(FieldValue { value: texts.value(row).to_owned(), count: counts.value(row) });
        }
    }
    Ok(found)
}
