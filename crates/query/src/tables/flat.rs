//! Physical rows → every field they have, under its flat name: the same resolution that scans use, on a batch in hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{Field, Schema};
use tracery_model::Signal;

use super::fields::fields;
use super::resolve::resolve;
use crate::QueryError;

/// One column for each field of the batch.
pub(crate) fn flat(signal: Signal, records: &RecordBatch) -> Result<RecordBatch, QueryError> {
    let physical = records.schema();
    let names: BTreeMap<String, i64> =
        physical.fields().iter().map(|field| (field.name().clone(), 0)).collect();
    let mut shown: Vec<Field> = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for field in fields(&names, &[signal]) {
        let data_type = field.field_type.data_type();
        let value = resolve(&field.name, &data_type, signal, &physical)?;
        arrays.push(value.evaluate(records)?.into_array(records.num_rows())?);
        shown.push(Field::new(field.name, data_type, true));
    }
    let options = RecordBatchOptions::new().with_row_count(Some(records.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(shown)), arrays, &options)?)
}
