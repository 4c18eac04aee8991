//! One merge, in one blocking task. Rows are sorted by reading four columns; then one column after the other is decoded
//! from all inputs, put in order and encoded, so that memory follows the widest column and not the part.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{concat, take};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
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
    /// What the next merge holds of these rows at once.
    pub(crate) raw_byte_count: usize,
    pub(crate) datasets: Vec<String>,
}

/// Encoded columns that one merge may hold, over all of its windows. Each takes about a kilobyte besides its pages, and
/// a small request can bring thousands of attributes on rows of many hours.
const COLUMNS_HELD_MAX: usize = 32_768;

/// Merges `inputs` into one part a window. A part has the columns that say something of its own rows.
pub(crate) fn merge(inputs: &[Input], signal: Signal) -> Result<Vec<Output>, StoreError> {
    let fold = fold::within_bound(inputs)?;
    let schema = union(inputs, &fold);
    let order = order::sort(inputs, signal, COLUMNS_HELD_MAX / schema.fields().len().max(1))?;
    let mut writers: Vec<MergedWriter> =
        order.windows.iter().map(|window| MergedWriter::new(window.rows.len())).collect();
    let mut indexes: Vec<ValueIndex> =
        order.windows.iter().map(|window| ValueIndex::new(window.rows.len())).collect();
    for field in schema.fields() {
        if field.name() == Fixed::TraceId.name() {
            let values = Values::TraceIds(&order.trace_ids);
            for (window, writer) in order.windows.iter().zip(&mut writers) {
                writer.write_coded(field, values, &order.trace_codes[window.rows.clone()])?;
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
            write_text(inputs, text, &order, field, &mut writers, indexed)?;
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
                    field,
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
    field: &FieldRef,
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
        writer.write_coded(field, dictionary.values(), &sorted)?;
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
        raw_byte_count: writer.raw_byte_count(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::part::{FreshChunk, MergedFooter, encode_chunk};
    use tracery_columnar::{ATTRIBUTE_COLUMNS_MAX, BatchBuilder};
    use tracery_model::{Origin, Value};

    const HOUR_NS: i64 = 3_600_000_000_000;

    fn fresh(builder: BatchBuilder) -> Input {
        Input::Fresh(FreshChunk::open(encode_chunk(&builder.finish().unwrap().records).unwrap()).unwrap())
    }

    fn read_back(output: &Output) -> Input {
        Input::Merged { bytes: output.object.clone(), footer: MergedFooter::read(&output.object).unwrap() }
    }

    /// A small request can ask for every column in every window.
    #[test]
    fn wide_rows_over_many_hours_do_not_multiply() {
        let mut builder = BatchBuilder::new(Signal::Log, 1);
        for hour in 0..48 {
            builder.begin_row(hour * HOUR_NS, "a");
            for key in 0..ATTRIBUTE_COLUMNS_MAX {
                builder.attribute(Origin::Own, &format!("k{key}"), Value::Int(hour));
            }
        }
        let outputs = merge(&[fresh(builder)], Signal::Log).unwrap();
        let columns: usize = outputs.iter().map(|output| read_back(output).schema().fields().len()).sum();
        assert!(columns <= COLUMNS_HELD_MAX, "{columns}");
        assert_eq!(outputs.iter().map(|output| output.row_count).sum::<usize>(), 48);

        let mut builder = BatchBuilder::new(Signal::Log, 1);
        for hour in 0..48 {
            builder.begin_row(hour * HOUR_NS, "a");
            builder.attribute(Origin::Own, "k", Value::Int(hour));
        }
        assert_eq!(
            merge(&[fresh(builder)], Signal::Log).unwrap().len(),
            48,
            "narrow ones are cut by the hour"
        );
    }

    #[test]
    fn a_part_has_the_columns_of_its_own_rows_and_knows_what_they_hold() {
        let long = "x".repeat(1_000);
        let mut builder = BatchBuilder::new(Signal::Span, 1);
        for row in 0..100_i64 {
            builder.begin_row(row % 2 * HOUR_NS + row, "a");
            match row % 2 {
                0 => builder.attribute(Origin::Own, "even", Value::Str(&format!("{row}{long}"))),
                _ => {
                    builder.attribute(Origin::Own, "odd", Value::Str(&long));
                    builder.int(Fixed::SampleRate, 5);
                    builder.id(Fixed::TraceId, &[7; 16]);
                }
            }
        }
        let outputs = merge(&[fresh(builder)], Signal::Span).unwrap();
        let names = |output: &Output| -> Vec<String> {
            read_back(output).schema().fields().iter().map(|field| field.name().clone()).collect()
        };
        assert_eq!(names(&outputs[0]), ["time", "dataset", "received_ns", "os:even"]);
        assert_eq!(
            names(&outputs[1]),
            ["time", "dataset", "trace_id", "sample_rate", "received_ns", "os:odd"]
        );
        // Fifty texts of a kilobyte against one.
        let (even, odd) = (outputs[0].raw_byte_count, outputs[1].raw_byte_count);
        assert!((50_000..60_000).contains(&even) && (1_000..10_000).contains(&odd), "{even} {odd}");
        let even = read_back(&outputs[0]).column("os:even").unwrap().unwrap();
        assert!(even.as_string_view().iter().all(|text| text.is_some_and(|text| text.ends_with(&long))));
    }

    /// More text than a dictionary may have: the rows are written as they are.
    #[test]
    fn wide_text_beyond_a_dictionary_is_read_back() {
        let wide = "w".repeat(60_000);
        let mut builder = BatchBuilder::new(Signal::Log, 1);
        for row in 0..1_300_i64 {
            builder.begin_row(row, "a");
            if row % 13 != 0 {
                builder.attribute(Origin::Own, "wide", Value::Str(&format!("{row} {wide}")));
            }
        }
        let outputs = merge(&[fresh(builder)], Signal::Log).unwrap();
        let column = read_back(&outputs[0]).column("os:wide").unwrap().unwrap();
        for (row, text) in column.as_string_view().iter().enumerate() {
            assert_eq!(text.map(|text| text.len()), (row % 13 != 0).then(|| row.to_string().len() + 60_001));
        }
    }
}
