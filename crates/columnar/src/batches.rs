//! Rows in, batches out: a builder that is closed when it is full and followed by the next. The doors write records
//! into [`Batches::builder`]; no batch is much larger than its bounds, however sparse the attributes of its rows are.

use tracery_model::Signal;

use crate::{BatchBuilder, EventBatch};

/// Rows of one batch. Records with more become several batches, so that one column of a rare attribute never has to
/// be padded over millions of rows.
const BATCH_ROWS_MAX: usize = 16_384;
/// The same, by memory. Checked every so many rows, since adding it up takes longer than writing a row.
const BATCH_BYTES_MAX: usize = 64 << 20;
const BATCH_BYTES_CHECK_ROWS: usize = 256;

/// The rows of one signal.
#[derive(Debug)]
pub struct Batches {
    /// Where the next row is written.
    pub builder: BatchBuilder,
    signal: Signal,
    received_ns: i64,
    closed: Vec<EventBatch>,
    closed_bytes: usize,
}

impl Batches {
    /// As [`BatchBuilder::new`].
    pub fn new(signal: Signal, received_ns: i64) -> Self {
        let builder = BatchBuilder::new(signal, received_ns);
        Self { builder, signal, received_ns, closed: Vec::new(), closed_bytes: 0 }
    }

    /// Whether the next row belongs to another batch. To be asked before each row.
    #[inline]
    pub fn is_full(&self) -> bool {
        let row_count = self.builder.row_count();
        row_count >= BATCH_ROWS_MAX
            || (row_count % BATCH_BYTES_CHECK_ROWS == BATCH_BYTES_CHECK_ROWS - 1
                && self.builder.byte_count() >= BATCH_BYTES_MAX)
    }

    /// Whether rows that get this many bytes from what they share fill a batch.
    #[inline]
    pub fn are_full_by(shared_bytes_of_rows: usize) -> bool {
        shared_bytes_of_rows >= BATCH_BYTES_MAX
    }

    /// Closes the batch and begins the next one; the closed one's memory in bytes, 0 when it had no row.
    pub fn close(&mut self) -> usize {
        let next = BatchBuilder::new(self.signal, self.received_ns);
        let Some(batch) = std::mem::replace(&mut self.builder, next).finish() else { return 0 };
        let bytes = batch.byte_count();
        self.closed_bytes += bytes;
        self.closed.push(batch);
        bytes
    }

    /// Memory of the closed batches.
    pub fn closed_bytes(&self) -> usize {
        self.closed_bytes
    }

    /// The closed batches. Rows since the last [`Self::close`] are not among them.
    pub fn into_closed(self) -> Vec<EventBatch> {
        self.closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracery_model::{Origin, Value};

    #[test]
    fn one_row_of_many_attributes_does_not_widen_thousands_of_others() {
        let mut batches = Batches::new(Signal::Log, 0);
        for row in 0..BATCH_ROWS_MAX {
            if batches.is_full() {
                batches.close();
            }
            batches.builder.begin_row(1, "d");
            for idx in 0..if row == 0 { 2_000 } else { 0 } {
                batches.builder.attribute(Origin::Own, &format!("k{idx}"), Value::Str("v"));
            }
        }
        batches.close();
        assert!(batches.closed_bytes() < 2 * BATCH_BYTES_MAX, "{}", batches.closed_bytes());
        let closed = batches.into_closed();
        assert_eq!(closed.iter().map(EventBatch::row_count).sum::<usize>(), BATCH_ROWS_MAX);
        assert!(closed.len() > 1);
    }

    #[test]
    fn a_batch_is_as_large_as_its_builder_said() {
        let mut builder = BatchBuilder::new(Signal::Log, 0);
        for row in 0..1_000_u32 {
            builder.begin_row(1, "d");
            let long = "x".repeat(100);
            let key = format!("k{}", row % 100);
            let value = match row % 4 {
                0 => Value::Str(&long),
                1 => Value::Int(1),
                2 => Value::Float(0.5),
                _ => Value::Bool(true),
            };
            builder.attribute(Origin::Own, &key, value);
        }
        let said = builder.byte_count();
        let is = builder.finish().unwrap().byte_count();
        assert!(said >= is / 2 && said <= is * 2, "{said} said, {is} held");
    }
}
