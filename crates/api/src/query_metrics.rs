//! How many questions were asked, how many failed, and how long they took. `server` prints them at `/metrics`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tracery_query::QueryError;

/// Longer than the limits that queries and SQL keep by themselves, whose words say more.
const TIME_MAX: Duration = Duration::from_secs(65);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryKind {
    Spec,
    Sql,
    Trace,
    TraceSearch,
    Request,
    Services,
    Values,
}

impl QueryKind {
    pub const ALL: [QueryKind; 7] = [
        QueryKind::Spec,
        QueryKind::Sql,
        QueryKind::Trace,
        QueryKind::TraceSearch,
        QueryKind::Request,
        QueryKind::Services,
        QueryKind::Values,
    ];

    pub fn name(self) -> &'static str {
        match self {
            QueryKind::Spec => "spec",
            QueryKind::Sql => "sql",
            QueryKind::Trace => "trace",
            QueryKind::TraceSearch => "trace_search",
            QueryKind::Request => "request",
            QueryKind::Services => "services",
            QueryKind::Values => "values",
        }
    }
}

#[derive(Debug, Default)]
struct Counts {
    started: AtomicU64,
    finished: AtomicU64,
    failed: AtomicU64,
    cancelled: AtomicU64,
    elapsed_us: AtomicU64,
}

/// Counters by kind of question.
#[derive(Debug, Default)]
pub struct QueryMetrics {
    counts: [Counts; QueryKind::ALL.len()],
}

/// The counters of one kind at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryCounts {
    pub kind: QueryKind,
    pub started: u64,
    pub finished: u64,
    pub failed: u64,
    /// Stopped because nobody waited for the answer any more, or somebody said so.
    pub cancelled: u64,
    /// Microseconds that the finished ones took together.
    pub elapsed_us: u64,
}

impl QueryCounts {
    pub fn running(&self) -> u64 {
        self.started.saturating_sub(self.finished + self.failed + self.cancelled)
    }
}

/// Counts a question that is dropped before it has an answer.
struct Unanswered<'a>(Option<&'a Counts>);

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if let Some(counts) = self.0 {
            counts.cancelled.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl QueryMetrics {
    /// Runs `work` and counts it. Work that takes longer than any question may is ended.
    pub(crate) async fn observe<T, E: From<QueryError>>(
        &self,
        kind: QueryKind,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let counts = &self.counts[kind as usize];
        counts.started.fetch_add(1, Ordering::Relaxed);
        let mut unanswered = Unanswered(Some(counts));
        let started = Instant::now();
        let too_long = |_| E::from(QueryError::Limit(format!("it ran longer than {} s", TIME_MAX.as_secs())));
        let answer = tokio::time::timeout(TIME_MAX, work).await.map_err(too_long).and_then(|answer| answer);
        unanswered.0 = None;
        if answer.is_err() {
            counts.failed.fetch_add(1, Ordering::Relaxed);
            return answer;
        }
        let elapsed_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        counts.elapsed_us.fetch_add(elapsed_us, Ordering::Relaxed);
        counts.finished.fetch_add(1, Ordering::Relaxed);
        answer
    }

    pub fn snapshot(&self) -> Vec<QueryCounts> {
        QueryKind::ALL
            .into_iter()
            .map(|kind| {
                let counts = &self.counts[kind as usize];
                let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
                QueryCounts {
                    kind,
                    started: read(&counts.started),
                    finished: read(&counts.finished),
                    failed: read(&counts.failed),
                    cancelled: read(&counts.cancelled),
                    elapsed_us: read(&counts.elapsed_us),
                }
            })
            .collect()
    }
}
