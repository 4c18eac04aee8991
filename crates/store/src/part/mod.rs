//! A part: one immutable object of rows of one environment and signal.

mod chunk;
mod coded_text;
mod dictionary_pages;
mod fresh;
mod merged;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{OnceCell, mpsc};
use tracery_model::{EnvironmentId, Signal};

use crate::index::{TraceIndex, ValueIndex};

pub use chunk::FreshChunk;
pub(crate) use chunk::encode_chunk;
pub(crate) use coded_text::CodedText;
pub(crate) use dictionary_pages::Values;
pub use fresh::FreshPart;
pub(crate) use fresh::seal;
pub(crate) use merged::{MergedFooter, MergedWriter};

/// Columns that a merge may hold decoded at the same time.
const MERGE_COLUMNS: usize = 8;

/// What a merge may hold at once of rows whose decoded columns have these sizes in bytes: the widest columns.
pub(crate) fn held_by_merge(mut column_sizes: Vec<usize>) -> usize {
    column_sizes.sort_unstable_by(|left, right| right.cmp(left));
    column_sizes.iter().take(MERGE_COLUMNS).sum()
}

/// What the catalog knows of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartMeta {
    /// UUID v7: ids sort by when the part was made.
    pub id: String,
    pub environment: EnvironmentId,
    pub signal: Signal,
    /// 0 fresh (chunks), 1 and more merged (Parquet).
    pub level: i64,
    pub path: String,
    pub time_min_ns: i64,
    pub time_max_ns: i64,
    pub row_count: i64,
    /// Of the object; its indexes are not counted.
    pub byte_count: i64,
    /// What a merge holds of its rows at once: its widest columns, decoded. 0 when it is not known.
    pub raw_byte_count: i64,
    /// Of the whole object.
    pub crc32: u32,
    pub datasets: Vec<String>,
    pub created_ms: i64,
}

/// A listed part. Its object is removed when the part is doomed and the last query that reads it has let go.
#[derive(Debug)]
pub struct Part {
    pub meta: PartMeta,
    fresh: Option<FreshPart>,
    trace_index: OnceCell<Arc<TraceIndex>>,
    value_index: OnceCell<Option<Arc<ValueIndex>>>,
    doomed: AtomicBool,
    graveyard: mpsc::UnboundedSender<String>,
}

impl Part {
    pub(crate) fn new(
        meta: PartMeta,
        fresh: Option<FreshPart>,
        graveyard: mpsc::UnboundedSender<String>,
    ) -> Self {
        Self {
            meta,
            fresh,
            trace_index: OnceCell::new(),
            value_index: OnceCell::new(),
            doomed: AtomicBool::new(false),
            graveyard,
        }
    }

    /// The rows of a fresh part, which stay in memory in their compressed form.
    pub fn fresh(&self) -> Option<&FreshPart> {
        self.fresh.as_ref()
    }

    pub(crate) fn trace_index_cell(&self) -> &OnceCell<Arc<TraceIndex>> {
        &self.trace_index
    }

    pub(crate) fn value_index_cell(&self) -> &OnceCell<Option<Arc<ValueIndex>>> {
        &self.value_index
    }

    pub(crate) fn doom(&self) {
        self.doomed.store(true, Ordering::Release);
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.doomed.load(Ordering::Acquire) {
            // Without a receiver the store is closing; the sweeper removes the object at the next start.
            drop(self.graveyard.send(std::mem::take(&mut self.meta.path)));
        }
    }
}
