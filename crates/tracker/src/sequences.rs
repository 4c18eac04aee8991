//! Numbers that are given once, whatever processes share the database. Each takes a block at a time; what is left of it
//! when the process ends is never used.

use std::collections::HashMap;
use std::ops::Range;

use sqlx::Row;
use tokio::sync::Mutex;

use crate::{Tracker, TrackerError};

/// What is numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Sequence {
    Projects,
    Items,
    Occurrences,
    Deploys,
    /// Rows that nobody outside sees a number of.
    Rows,
}

impl Sequence {
    /// Name, first number, numbers of a block.
    fn form(self) -> (&'static str, i64, i64) {
        match self {
            Self::Projects => ("projects", 100_001, 1),
            Self::Items => ("items", 1_000_000_001, 20),
            Self::Occurrences => ("occurrences", 400_000_000_001, 1_000),
            Self::Deploys => ("deploys", 10_001, 1),
            Self::Rows => ("rows", 1, 1_000),
        }
    }
}

/// What is left of the blocks.
#[derive(Debug, Default)]
pub(crate) struct Sequences {
    left: Mutex<HashMap<Sequence, Range<i64>>>,
}

impl Tracker {
    /// The next numbers, ascending.
    pub(crate) async fn take(&self, sequence: Sequence, count: usize) -> Result<Vec<i64>, TrackerError> {
        let mut left = self.sequences.left.lock().await;
        let left = left.entry(sequence).or_insert(0..0);
        let mut taken = Vec::with_capacity(count);
        while taken.len() < count {
            if left.is_empty() {
                let wanted = i64::try_from(count - taken.len()).unwrap_or(i64::MAX);
                *left = self.block(sequence, wanted).await?;
            }
            taken.extend(left.by_ref().take(count - taken.len()));
        }
        Ok(taken)
    }

    pub(crate) async fn take_one(&self, sequence: Sequence) -> Result<i64, TrackerError> {
        Ok(self.take(sequence, 1).await?.first().copied().unwrap_or_default())
    }

    async fn block(&self, sequence: Sequence, count_min: i64) -> Result<Range<i64>, TrackerError> {
        let (name, first, size) = sequence.form();
        let size = size.max(count_min);
        let row = sqlx::query(
            "INSERT INTO tracker_sequences (name, next) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET next = tracker_sequences.next + $3 RETURNING next",
        )
        .bind(name)
        .bind(first + size)
        .bind(size)
        .fetch_one(&self.pool)
        .await?;
        let end: i64 = row.try_get("next")?;
        Ok(end - size..end)
    }
}
