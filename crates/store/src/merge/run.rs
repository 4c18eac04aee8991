//! One merge, in one blocking task. Rows are sorted by reading four columns; then one column after the other is decoded
//! from all inputs, put in order and encoded, so that memory follows the widest column and not the part.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{concat, take};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use tracery_columnar::{AttributeColumn, Fixed, TAIL_COLUMN};
use tracery_model::{Signal, ValueType};

use super::dictionary::Dictionary;
use super::fold::{self, Fold};
pub(crate) use super::inputs::Input;
use super::inputs::absent;
use super::order::{self, Order, Window};
use crate::StoreError;
use crate::index::{TraceIndex, ValueIndex};
use crate::part::{CodedText, MergedWriter, Values};

/// A finished part that is not written yet.
pub(crate) struct Output {
    pub(crate) object: Bytes,
    pub(crate) trace_index: Option<Bytes>,
    pub(crate) value_index: Option<Bytes>,
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
    let mut indexes: Vec<ValueIndex> =
        order.windows.iter().map(|window| ValueIndex::new(window.rows.len())).collect();
    for (column_idx, field) in schema.fields().iter().enumerate() {
        if field.name() == Fixed::TraceId.name() {
            let values = Values::TraceIds(&order.trace_ids);
            for (window, writer) in order.windows.iter().zip(&mut writers) {
                writer.write_coded(column_idx, values, &order.trace_codes[window.rows.clone()])?;
            }
        } else if field.data_type() == &DataType::Utf8View {
            let text = |input: &Input| {
                if field.name() == TAIL_COLUMN && !fold.is_empty() {
                    let tail = fold.tail(input)?;
                    return Ok(tail.map_or_else(
                        || CodedText::nulls(input.row_count()),
                        |tail| CodedText::from_views(tail.as_string_view()),
                    ));
                }
                input.coded_text(field.name())
            };
            let indexed = sole_text(&schema, field.name()).map(|key| (key, &mut indexes[..]));
            write_text(inputs, text, &order, column_idx, &mut writers, indexed)?;
        } else {
            let pieces: Vec<ArrayRef> = inputs
                .iter()
                .map(|input| {
                    let column = input.column(field.name())?;
                    Ok(column.unwrap_or_else(|| absent(field.name(), field.data_type(), input.row_count())))
                })
                .collect::<Result<_, StoreError>>()?;
            let pieces: Vec<&dyn Array> = pieces.iter().map(AsRef::as_ref).collect();
            let all = concat(&pieces)?;
            for (window, writer) in order.windows.iter().zip(&mut writers) {
                writer.write_column(
                    column_idx,
                    &take(&all, &order.rows.slice(window.rows.start, window.rows.len()), None)?,
                )?;
            }
        }
    }
    let parts = order.windows.into_iter().zip(writers).zip(indexes);
    parts.map(|((window, writer), values)| output(window, writer, &values)).collect()
}

fn write_text(
    inputs: &[Input],
    text: impl Fn(&Input) -> Result<CodedText, StoreError>,
    order: &Order,
    column_idx: usize,
    writers: &mut [MergedWriter],
    mut indexed: Option<(&str, &mut [ValueIndex])>,
) -> Result<(), StoreError> {
    let mut dictionary = Dictionary::default();
    let mut codes = Vec::with_capacity(order.rows.len());
    for input in inputs {
        dictionary.add(&text(input)?, &mut codes);
    }
    let mut sorted = Vec::new();
    for (idx, (window, writer)) in order.windows.iter().zip(writers).enumerate() {
        sorted.clear();
        sorted.extend(order.rows.values()[window.rows.clone()].iter().map(|row| codes[*row as usize]));
        writer.write_coded(column_idx, dictionary.values(), &sorted)?;
        if let Some((key, indexes)) = &mut indexed {
            indexes[idx].add(key, dictionary.values(), &sorted);
        }
    }
    Ok(())
}

/// The key of a text attribute that has one column and can be nowhere else: what its index says holds for the field.
fn sole_text<'a>(schema: &Schema, name: &'a str) -> Option<&'a str> {
    let attribute = AttributeColumn::parse(name).filter(|own| own.value_type == ValueType::Str)?;
    let holds = |other: &str| {
        other == TAIL_COLUMN || AttributeColumn::parse(other).is_some_and(|other| other.key == attribute.key)
    };
    (schema.fields().iter().filter(|field| holds(field.name())).count() == 1).then_some(attribute.key)
}

fn output(window: Window, writer: MergedWriter, values: &ValueIndex) -> Result<Output, StoreError> {
    let index = TraceIndex::build(window.traces.into_iter());
    Ok(Output {
        object: writer.finish()?,
        trace_index: (!index.is_empty()).then(|| index.encode()),
        value_index: values.encode(),
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
