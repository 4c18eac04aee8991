//! How far a question has come: rows and bytes read from parts, against those of all parts that its scans listed.
//! `api` shows it while a question runs; the scans of [`crate::StoreEvents::watched`] feed it.

use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricValue};
use parking_lot::Mutex;

/// Fed by all scans of one question. Every figure only grows; the totals grow when the question needs another pass.
#[derive(Debug, Default)]
pub struct ScanProgress {
    rows_total: AtomicU64,
    bytes_total: AtomicU64,
    fresh_rows: AtomicU64,
    fresh_bytes: AtomicU64,
    /// What the readers of merged parts count while they read.
    merged: Mutex<Vec<ExecutionPlanMetricsSet>>,
}

/// [`ScanProgress`] at one instant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScanFigures {
    /// Rows read from parts, also those that a filter then left out.
    pub rows_scanned: u64,
    /// Rows of the parts that were listed. A scan that skips rows by statistics or stops at a limit ends before it.
    pub rows_total: u64,
    /// Stored bytes read: of a merged part only the columns that are needed.
    pub bytes_scanned: u64,
    /// Stored bytes of the parts that were listed, with all their columns.
    pub bytes_total: u64,
}

impl ScanProgress {
    /// A part will be scanned.
    pub(crate) fn plan(&self, rows: u64, bytes: u64) {
        self.rows_total.fetch_add(rows, Ordering::Relaxed);
        self.bytes_total.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A scan of merged parts begins, which counts here.
    pub(crate) fn watch(&self, metrics: ExecutionPlanMetricsSet) {
        self.merged.lock().push(metrics);
    }

    /// A chunk of a fresh part was read.
    pub(crate) fn read_fresh(&self, rows: usize, bytes: usize) {
        self.fresh_rows.fetch_add(rows as u64, Ordering::Relaxed);
        self.fresh_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub fn figures(&self) -> ScanFigures {
        let mut figures = ScanFigures {
            rows_scanned: self.fresh_rows.load(Ordering::Relaxed),
            rows_total: self.rows_total.load(Ordering::Relaxed),
            bytes_scanned: self.fresh_bytes.load(Ordering::Relaxed),
            bytes_total: self.bytes_total.load(Ordering::Relaxed),
        };
        for metrics in self.merged.lock().iter() {
            for metric in metrics.clone_inner().iter() {
                match metric.value() {
                    MetricValue::OutputRows(count) => figures.rows_scanned += count.value() as u64,
                    MetricValue::Count { name, count } if name == "pushdown_rows_pruned" => {
                        figures.rows_scanned += count.value() as u64;
                    }
                    MetricValue::Count { name, count } if name == "bytes_scanned" => {
                        figures.bytes_scanned += count.value() as u64;
                    }
                    _ => {}
                }
            }
        }
        figures
    }
}
