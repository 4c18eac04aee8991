//! Counters of the store; `server` prints them at `/metrics`.

use std::sync::atomic::{AtomicU64, Ordering};

/// Monotonic counters, except the gauges, which say so.
#[derive(Debug, Default)]
pub struct StoreStats {
    pub rows_committed: AtomicU64,
    pub commits: AtomicU64,
    pub commit_failures: AtomicU64,
    pub commit_us: AtomicU64,
    pub busy: AtomicU64,
    pub merges: AtomicU64,
    pub merge_failures: AtomicU64,
    pub merge_us: AtomicU64,
    pub rows_merged: AtomicU64,
    pub rows_expired: AtomicU64,
    pub parts_set_aside: AtomicU64,
    pub orphans_removed: AtomicU64,
    pub values_cut: AtomicU64,
    pub values_in_tail: AtomicU64,
}

impl StoreStats {
    pub(crate) fn add(counter: &AtomicU64, amount: usize) {
        counter.fetch_add(amount as u64, Ordering::Relaxed);
    }
}
