//! Rows of a merged part by their positions, as they were stored: what traces and their outlines are read with. A few
//! rows are taken value by value, many through Parquet's own reader; both give the same.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::{FieldRef, Schema};
use datafusion::common::runtime::SpawnedTask;
use datafusion::datasource::physical_plan::parquet::ParquetFileReaderFactory;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::TryStreamExt;
use futures::future::BoxFuture;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, RowSelection};
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::arrow::{ParquetRecordBatchStreamBuilder, ProjectionMask};
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};
use tracery_store::{Part, PointRead, RowRun};

use super::StoreEvents;
use super::events::file;
use crate::QueryError;

/// So few columns are not worth a task of their own.
const COLUMNS_ALONE: usize = 12;
const BATCH_ROWS_MAX: usize = 8192;
/// More rows are read page by page.
const POINT_ROWS_MAX: usize = 4096;

impl StoreEvents {
    /// The footer of a merged part, with its page index.
    pub(super) async fn footer(&self, part: &Arc<Part>) -> Result<ArrowReaderMetadata, QueryError> {
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
        ArrowReaderMetadata::load_async(&mut self.open(part)?, options).await.map_err(broken)
    }

    /// The rows `ranges` (ascending, without overlaps) with the columns `columns` (ascending).
    pub(super) async fn rows_at(
        &self,
        part: &Arc<Part>,
        footer: &ArrowReaderMetadata,
        columns: &[usize],
        ranges: &[Range<usize>],
    ) -> Result<Vec<RecordBatch>, QueryError> {
        let row_count: usize = ranges.iter().map(ExactSizeIterator::len).sum();
        if row_count == 0 {
            return Ok(Vec::new());
        }
        let is_point = row_count <= POINT_ROWS_MAX;
        // Each column is a page and a dictionary to unpack, which is most of the work: two cores share it.
        let mut halves = Vec::new();
        for columns in columns.chunks(columns.len().div_ceil(2).max(COLUMNS_ALONE)) {
            let (reader, footer) = (self.open(part)?, footer.clone());
            let (columns, ranges) = (columns.to_vec(), ranges.to_vec());
            let half = async move {
                if is_point {
                    return points(reader, footer, &columns, &ranges, row_count)
                        .await
                        .map(|batch| vec![batch]);
                }
                pages(reader, footer, &columns, &ranges, row_count).await
            };
            halves.push(SpawnedTask::spawn(half));
        }
        let mut batches: Vec<RecordBatch> = Vec::new();
        for (number, half) in halves.into_iter().enumerate() {
            let half = half.join().await.map_err(|error| QueryError::Store(error.to_string()))?;
            let half = half.map_err(broken)?;
            if number == 0 {
                batches = half;
                continue;
            }
            for (batch, more) in batches.iter_mut().zip(half) {
                *batch = beside(batch, &more)?;
            }
        }
        Ok(batches)
    }

    fn open(&self, part: &Arc<Part>) -> Result<PartReader, QueryError> {
        let metrics = ExecutionPlanMetricsSet::new();
        Ok(PartReader(self.readers().create_reader(0, file(part), None, &metrics)?))
    }
}

fn broken(error: ParquetError) -> QueryError {
    QueryError::Store(error.to_string())
}

/// Whole pages, of which the rows are kept.
async fn pages(
    reader: PartReader,
    footer: ArrowReaderMetadata,
    columns: &[usize],
    ranges: &[Range<usize>],
    row_count: usize,
) -> Result<Vec<RecordBatch>, ParquetError> {
    let total = usize::try_from(footer.metadata().file_metadata().num_rows()).unwrap_or(0);
    let mask = ProjectionMask::roots(footer.parquet_schema(), columns.iter().copied());
    ParquetRecordBatchStreamBuilder::new_with_metadata(reader, footer)
        .with_projection(mask)
        .with_row_selection(RowSelection::from_consecutive_ranges(ranges.iter().cloned(), total))
        .with_batch_size(row_count.clamp(1, BATCH_ROWS_MAX))
        .build()?
        .try_collect()
        .await
}

/// Only the values of the rows, in one batch.
async fn points(
    mut reader: PartReader,
    footer: ArrowReaderMetadata,
    columns: &[usize],
    ranges: &[Range<usize>],
    row_count: usize,
) -> Result<RecordBatch, ParquetError> {
    let read = PointRead::new(&footer, columns, ranges);
    let bytes = reader.get_byte_ranges(read.byte_ranges()).await?;
    let mut arrays = read.decode(bytes);
    let left: Vec<usize> =
        columns.iter().zip(&arrays).filter(|(_, array)| array.is_none()).map(|(idx, _)| *idx).collect();
    if !left.is_empty() {
        let batches = pages(reader, footer.clone(), &left, ranges, row_count).await?;
        let schema = match batches.first() {
            Some(first) => first.schema(),
            None => return Err(ParquetError::General("rows are missing".into())),
        };
        let mut columns = concat_batches(&schema, &batches)?.columns().to_vec().into_iter();
        arrays.iter_mut().filter(|array| array.is_none()).for_each(|array| *array = columns.next());
    }
    let fields: Vec<FieldRef> =
        columns.iter().map(|idx| Arc::clone(&footer.schema().fields()[*idx])).collect();
    let arrays: Vec<ArrayRef> = arrays.into_iter().flatten().collect();
    let options = RecordBatchOptions::new().with_row_count(Some(row_count));
    Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)?)
}

/// The columns of both batches, which have the same rows.
fn beside(left: &RecordBatch, right: &RecordBatch) -> Result<RecordBatch, QueryError> {
    let fields: Vec<FieldRef> =
        left.schema_ref().fields().iter().chain(right.schema_ref().fields()).cloned().collect();
    let columns: Vec<ArrayRef> = left.columns().iter().chain(right.columns()).cloned().collect();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

/// The engine's reader in the form that Parquet's stream wants: one that may be moved.
struct PartReader(Box<dyn AsyncFileReader + Send>);

impl AsyncFileReader for PartReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, parquet::errors::Result<Bytes>> {
        self.0.get_bytes(range)
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, parquet::errors::Result<Vec<Bytes>>> {
        self.0.get_byte_ranges(ranges)
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, parquet::errors::Result<Arc<ParquetMetaData>>> {
        self.0.get_metadata(options)
    }
}

/// Runs in ascending order, without overlaps, inside the part; neighbours are joined.
pub(super) fn ranges(mut runs: Vec<RowRun>, row_count: i64) -> Vec<Range<usize>> {
    let row_count = usize::try_from(row_count).unwrap_or(0);
    runs.sort_by_key(|run| run.first_row);
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for run in runs {
        let position = ranges.last().map_or(0, |last| last.end);
        let start = run.first_row.clamp(position, row_count);
        let end = run.first_row.saturating_add(run.row_count).clamp(start, row_count);
        match ranges.last_mut() {
            Some(last) if last.end == start => last.end = end,
            _ if start < end => ranges.push(start..end),
            _ => {}
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_become_ranges_inside_the_part() {
        let run = |first_row, row_count| RowRun { first_row, row_count };
        assert_eq!(ranges(vec![run(7, 9), run(0, 2), run(2, 1), run(1, 1)], 10), vec![0..3, 7..10]);
        assert_eq!(ranges(vec![run(12, 1)], 10), Vec::<Range<usize>>::new());
    }
}
