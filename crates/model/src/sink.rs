//! What a front door is told about the records it handed over.

use thiserror::Error;

/// The answer of a sink. Having it means: durable, listed and queryable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Receipt {
    pub row_count: usize,
}

/// Why a sink took nothing. Each protocol spells these its own way; both invite the client to come again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SinkError {
    /// The commit queue is full by bytes, or the memory budget is spent.
    #[error("busy, try again in {retry_after_ms} ms")]
    Busy { retry_after_ms: u64 },
    /// The object store or the catalog does not answer, or the disk is full.
    #[error("storage is unavailable: {reason}")]
    Unavailable { reason: String, retry_after_ms: u64 },
}

impl SinkError {
    pub fn retry_after_ms(&self) -> u64 {
        match self {
            Self::Busy { retry_after_ms } | Self::Unavailable { retry_after_ms, .. } => *retry_after_ms,
        }
    }
}
