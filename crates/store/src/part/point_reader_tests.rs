//! The point reader against Parquet's own reader, on parts of every form: both must give the same rows. Damaged bytes
//! may give anything but a panic.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, FixedSizeBinaryArray, Float64Array, Int64Array, RecordBatch,
    StringViewArray, TimestampNanosecondArray, UInt8Array,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReaderBuilder, RowSelection};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use proptest::prelude::*;

use super::{MergedFooter, MergedWriter, PointRead, Values};

/// How a part of the general writer is cut.
#[derive(Debug, Clone)]
struct Form {
    group_rows: usize,
    page_rows: usize,
    dictionary: bool,
    /// Small ones overflow, so that plain pages follow pages of codes.
    dictionary_bytes: usize,
    delta: bool,
}

fn forms() -> impl Strategy<Value = Form> {
    (1..200_usize, 1..40_usize, any::<bool>(), 1..400_usize, any::<bool>()).prop_map(
        |(group_rows, page_rows, dictionary, dictionary_bytes, delta)| Form {
            group_rows,
            page_rows,
            dictionary,
            dictionary_bytes,
            delta,
        },
    )
}

/// A number for each row; the columns are made of it.
fn seeds() -> impl Strategy<Value = Vec<Option<u64>>> {
    let value =
        prop_oneof![3 => (0..9_u64).prop_map(Some), 1 => any::<u64>().prop_map(Some), 2 => Just(None)];
    // Runs of one value, as sorted rows have them.
    prop::collection::vec((value, 1..20_usize), 1..40).prop_map(|runs| {
        runs.into_iter().flat_map(|(value, count)| std::iter::repeat_n(value, count)).collect()
    })
}

fn all_types(seeds: &[Option<u64>]) -> RecordBatch {
    let rows = || seeds.iter().copied();
    let id = |len: usize| -> ArrayRef {
        let ids = rows().map(|seed| seed.map(|seed| seed.to_le_bytes().repeat(2)[..len].to_vec()));
        let len = i32::try_from(len).unwrap();
        Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(ids, len).unwrap())
    };
    let text = |seed: u64| "é".repeat(usize::try_from(seed % 30).unwrap()) + &seed.to_string();
    let columns: Vec<(&str, bool, ArrayRef)> = vec![
        ("text", true, Arc::new(rows().map(|seed| seed.map(text)).collect::<StringViewArray>())),
        ("int", true, Arc::new(rows().map(|seed| seed.map(u64::cast_signed)).collect::<Int64Array>())),
        (
            "time",
            false,
            Arc::new(TimestampNanosecondArray::from_iter_values(
                rows().map(|seed| seed.unwrap_or(5).cast_signed()),
            )),
        ),
        (
            "byte",
            true,
            Arc::new(rows().map(|seed| seed.map(|seed| seed.to_le_bytes()[0])).collect::<UInt8Array>()),
        ),
        ("float", true, Arc::new(rows().map(|seed| seed.map(f64::from_bits)).collect::<Float64Array>())),
        ("flag", true, Arc::new(rows().map(|seed| seed.map(|seed| seed % 2 == 1)).collect::<BooleanArray>())),
        ("id", true, id(16)),
        ("short_id", true, id(8)),
        (
            "rare",
            true,
            Arc::new(
                rows().map(|seed| seed.filter(|seed| *seed == 8).map(text)).collect::<StringViewArray>(),
            ),
        ),
        ("never", true, Arc::new(rows().map(|_| None::<bool>).collect::<BooleanArray>())),
        ("always", false, Arc::new(UInt8Array::from_iter_values(rows().map(|_| 3)))),
    ];
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, nullable, array)| Field::new(*name, array.data_type().clone(), *nullable))
        .collect();
    let arrays = columns.into_iter().map(|(_, _, array)| array).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}

fn written(batch: &RecordBatch, form: &Form) -> Bytes {
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).unwrap()))
        .set_max_row_group_row_count(Some(form.group_rows))
        .set_data_page_row_count_limit(form.page_rows)
        .set_write_batch_size(form.page_rows)
        .set_dictionary_enabled(form.dictionary)
        .set_dictionary_page_size_limit(form.dictionary_bytes)
        .set_statistics_enabled(EnabledStatistics::Page);
    if form.delta {
        for name in ["int", "time"] {
            let path = ColumnPath::new(vec![name.into()]);
            builder = builder
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        }
    }
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(builder.build())).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes.into()
}

fn points(part: &Bytes, footer: &MergedFooter, ranges: &[Range<usize>]) -> Vec<Option<ArrayRef>> {
    let columns: Vec<usize> = (0..footer.metadata.schema().fields().len()).collect();
    let read = PointRead::new(&footer.metadata, &columns, ranges);
    let bytes = read
        .byte_ranges()
        .into_iter()
        .map(|range| part.slice(usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()));
    let bytes = bytes.collect();
    read.decode(bytes)
}

fn same_as_general(part: &Bytes, row_count: usize, ranges: &[Range<usize>]) {
    let footer = MergedFooter::read(part).unwrap();
    let selection = RowSelection::from_consecutive_ranges(ranges.iter().cloned(), row_count);
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(part.clone(), footer.metadata.clone())
        .with_row_selection(selection)
        .build()
        .unwrap();
    let batches: Vec<RecordBatch> = reader.collect::<Result<_, _>>().unwrap();
    let expected = concat_batches(footer.metadata.schema(), &batches).unwrap();
    for (idx, found) in points(part, &footer, ranges).into_iter().enumerate() {
        let name = footer.metadata.schema().field(idx).name();
        let found = found.unwrap_or_else(|| panic!("{name} was left to the general reader"));
        assert_eq!(found.as_ref(), expected.column(idx).as_ref(), "{name}");
    }
}

/// Ascending ranges within the rows; every one has a row.
fn ranges_in(row_count: usize, cuts: &[usize]) -> Vec<Range<usize>> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (row_count + 1)).collect();
    cuts.sort_unstable();
    cuts.dedup();
    cuts.chunks_exact(2).map(|pair| pair[0]..pair[1]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_few_rows_are_what_the_general_reader_finds(
        seeds in seeds(),
        form in forms(),
        cuts in prop::collection::vec(any::<usize>(), 2..12),
    ) {
        let batch = all_types(&seeds);
        let ranges = ranges_in(seeds.len(), &cuts);
        same_as_general(&written(&batch, &form), seeds.len(), &ranges);
    }

    #[test]
    fn damaged_pages_end_no_reader(
        seeds in seeds(),
        form in forms(),
        flips in prop::collection::vec((any::<usize>(), any::<u8>()), 1..40),
    ) {
        let batch = all_types(&seeds);
        let part = written(&batch, &form);
        let footer = MergedFooter::read(&part).unwrap();
        let mut damaged = part.to_vec();
        for (place, byte) in flips {
            let len = damaged.len();
            damaged[place % len] = byte;
        }
        let damaged = Bytes::from(damaged);
        for array in points(&damaged, &footer, &[0..seeds.len()]).into_iter().flatten() {
            assert_eq!(array.len(), seeds.len());
        }
    }
}

/// Columns of codes, as merges write them: their dictionaries take several steps to unpack.
#[test]
fn rows_of_coded_columns_are_found() {
    const ROWS: usize = 230_000;
    let field = |name: &str, data_type| Field::new(name, data_type, true);
    let schema: SchemaRef = Arc::new(Schema::new(vec![
        field("trace_id", DataType::FixedSizeBinary(16)),
        field("name", DataType::Utf8View),
        field("user", DataType::Utf8View),
        field("rare", DataType::Utf8View),
        Field::new("time", DataType::Timestamp(TimeUnit::Nanosecond, None), false),
    ]));
    let value = |idx: usize| format!("{idx:07}-{:x}", idx.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let (mut ends, mut bytes) = (Vec::new(), Vec::new());
    for idx in 0..60_000 {
        bytes.extend_from_slice(value(idx).as_bytes());
        ends.push(bytes.len());
    }
    let texts = Values::Text { ends: &ends, bytes: &bytes };
    let ids: Vec<[u8; 16]> = (0..ROWS as u128 / 10).map(|idx| (idx << 64 | 7).to_be_bytes()).collect();
    let code = |idx: usize| u32::try_from(idx).unwrap();
    let mut writer = MergedWriter::new(ROWS);
    let rows = || 0..ROWS;
    let column = |idx: usize| Arc::new(schema.field(idx).clone());
    writer
        .write_coded(
            &column(0),
            Values::TraceIds(&ids),
            &rows().map(|row| code(row / 10) + 1).collect::<Vec<_>>(),
        )
        .unwrap();
    writer.write_coded(&column(1), texts, &rows().map(|row| code(row % 7 + 1)).collect::<Vec<_>>()).unwrap();
    writer
        .write_coded(&column(2), texts, &rows().map(|row| code(row * 31 % 60_001)).collect::<Vec<_>>())
        .unwrap();
    let rare = |row: usize| if row % 9_000 < 3 { row % 50 + 1 } else { 0 };
    writer.write_coded(&column(3), texts, &rows().map(|row| code(rare(row))).collect::<Vec<_>>()).unwrap();
    let times: ArrayRef = Arc::new(TimestampNanosecondArray::from_iter_values(
        rows().map(|row| 1_700_000_000_000_000_000 + i64::try_from(row * row % 1_000_003).unwrap()),
    ));
    writer.write_column(&column(4), &times).unwrap();
    let part = writer.finish().unwrap();
    for ranges in [
        vec![0..1],
        vec![8_190..8_194],
        vec![45_000..45_012, 99_990..100_010, 199_999..200_000],
        vec![ROWS - 1..ROWS],
        vec![17..18, 40_000..40_100, 229_000..230_000],
    ] {
        same_as_general(&part, ROWS, &ranges);
    }
}
