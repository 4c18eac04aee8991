//! One merge, in one blocking task. Rows are sorted by reading four columns; then a few columns at a time are decoded
//! from all inputs, put in order and encoded, so that memory follows the widest group of columns and not the part.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::compute::interleave;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use tracery_columnar::{Fixed, TAIL_COLUMN};
use tracery_model::Signal;

use super::fold::{self, Fold};
pub(crate) use super::inputs::Input;
use super::inputs::absent;
use super::order::{self, Window};
use crate::StoreError;
use crate::index::TraceIndex;
use crate::part::MergedWriter;

/// Columns decoded at once: more save passes over the inputs' headers, fewer save memory.
const COLUMNS_AT_ONCE: usize = 8;

/// A finished part that is not written yet.
pub(crate) struct Output {
    pub(crate) object: Bytes,
    pub(crate) trace_index: Option<Bytes>,
    pub(crate) time_min_ns: i64,
    pub(crate) time_max_ns: i64,
    pub(crate) row_count: usize,
    pub(crate) datasets: Vec<String>,
}

/// Merges `inputs` into one part a window.
pub(crate) fn merge(inputs: &[Input], signal: Signal) -> Result<Vec<Output>, StoreError> {
    let fold = fold::within_bound(inputs)?;
    let schema = union(inputs, &fold);
    let order = order::sort(inputs, signal)?;
    let mut writers = Vec::with_capacity(order.windows.len());
    for window in &order.windows {
        writers.push(MergedWriter::new(&schema, window.rows.len())?);
    }
    let fields: Vec<(usize, &str, &DataType)> = schema
        .fields()
        .iter()
        .enumerate()
        .map(|(idx, field)| (idx, field.name().as_str(), field.data_type()))
        .collect();
    for group in fields.chunks(COLUMNS_AT_ONCE) {
        let names: Vec<&str> = group.iter().map(|(_, name, _)| *name).collect();
        let mut decoded = Vec::with_capacity(inputs.len());
        for input in inputs {
            decoded.push(input.read(&names)?);
        }
        if !fold.is_empty() && names.contains(&TAIL_COLUMN) {
            for (columns, input) in decoded.iter_mut().zip(inputs) {
                columns.extend(fold.tail(input)?.map(|tail| (TAIL_COLUMN.to_owned(), tail)));
            }
        }
        for (column_idx, name, data_type) in group {
            let pieces: Vec<ArrayRef> = decoded
                .iter_mut()
                .zip(inputs)
                .map(|(columns, input)| {
                    columns.remove(*name).unwrap_or_else(|| absent(name, data_type, input.row_count()))
                })
                .collect();
            let pieces: Vec<&dyn Array> = pieces.iter().map(AsRef::as_ref).collect();
            for (window, writer) in order.windows.iter().zip(&mut writers) {
                let column = interleave(&pieces, &order.addresses[window.rows.clone()])?;
                writer.write_column(*column_idx, &column)?;
            }
        }
    }
    order.windows.into_iter().zip(writers).map(|(window, writer)| output(window, writer)).collect()
}

fn output(window: Window, writer: MergedWriter) -> Result<Output, StoreError> {
    let index = TraceIndex::build(window.traces.into_iter());
    Ok(Output {
        object: writer.finish()?,
        trace_index: (!index.is_empty()).then(|| index.encode()),
        time_min_ns: window.time_min_ns,
        time_max_ns: window.time_max_ns,
        row_count: window.rows.len(),
        datasets: window.datasets.into_iter().collect(),
    })
}

/// Every column of any input that is not folded: the fixed ones in their order, then attributes by name.
fn union(inputs: &[Input], fold: &Fold) -> SchemaRef {
    let mut columns: BTreeMap<(usize, String), DataType> = BTreeMap::new();
    for input in inputs {
        for field in input.schema().fields().iter().filter(|field| !fold.takes(field.name())) {
            let rank = Fixed::from_name(field.name()).map_or(usize::MAX, |column| column.fixed as usize);
            columns.entry((rank, field.name().clone())).or_insert_with(|| field.data_type().clone());
        }
    }
    if let Some((name, data_type)) = fold.tail_field() {
        columns.insert((usize::MAX, name), data_type);
    }
    let fields: Vec<Field> = columns
        .into_iter()
        .map(|((_, name), data_type)| {
            let default = Fixed::from_name(&name).is_some_and(|column| column.default.is_some());
            let required = default || name == Fixed::Time.name() || name == Fixed::Dataset.name();
            Field::new(name, data_type, !required)
        })
        .collect();
    Arc::new(Schema::new(fields))
}
