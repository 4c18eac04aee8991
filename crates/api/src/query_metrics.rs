//! How many questions were asked, how many failed, and how long they took. `server` prints them at `/metrics`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryKind {
    Spec,
    Sql,
    Trace,
    TraceSearch,
    Services,
    Values,
}

impl QueryKind {
    pub const ALL: [QueryKind; 6] = [
        QueryKind::Spec,
        QueryKind::Sql,
        QueryKind::Trace,
        QueryKind::TraceSearch,
        QueryKind::Services,
        QueryKind::Values,
    ];

    pub fn name(self) -> &'static str {
        match self {
            QueryKind::Spec => "spec",
            QueryKind::Sql => "sql",
            QueryKind::Trace => "trace",
            QueryKind::TraceSearch => "trace_search",
            QueryKind::Services => "services",
            QueryKind::Values => "values",
        }
    }
}

#[derive(Debug, Default)]
struct Counts {
    started: AtomicU64,
    finished: AtomicU64,
    elapsed_us: AtomicU64,
}

/// Counters by kind of question. One that was started and did not finish failed, was cancelled, or still runs.
#[derive(Debug, Default)]
pub struct QueryMetrics {
    counts: [Counts; QueryKind::ALL.len()],
}

impl QueryMetrics {
    /// Runs `work` and counts it.
    pub(crate) async fn observe<T, E>(
        &self,
        kind: QueryKind,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let counts = &self.counts[kind as usize];
        counts.started.fetch_add(1, Ordering::Relaxed);
        let started = Instant::now();
        let answer = work.await?;
        let elapsed_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        counts.elapsed_us.fetch_add(elapsed_us, Ordering::Relaxed);
        counts.finished.fetch_add(1, Ordering::Relaxed);
        Ok(answer)
    }

    /// (kind, started, finished, microseconds that the finished ones took together).
    pub fn snapshot(&self) -> Vec<(QueryKind, u64, u64, u64)> {
        QueryKind::ALL
            .into_iter()
            .map(|kind| {
                let counts = &self.counts[kind as usize];
                let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
                (kind, read(&counts.started), read(&counts.finished), read(&counts.elapsed_us))
            })
            .collect()
    }
}
