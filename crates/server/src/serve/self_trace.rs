//! `--self-trace`: the server's own requests as spans of the environment `tracery`, through the same sink as
//! everything else. No feedback: what is written here does not come in as a request, so it makes no span.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracery_columnar::{BatchBuilder, Fixed, Sink};
use tracery_model::{EnvironmentId, Origin, Signal, Value};
use tracery_stdx::Clock;

/// Spans that may wait; more are dropped and counted.
const WAITING_MAX: usize = 4_096;
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);
const SPAN_KIND_SERVER: i64 = 2;
const STATUS_ERROR: i64 = 2;

struct Span {
    end_ns: i64,
    duration: Duration,
    method: String,
    route: Option<String>,
    status: u16,
}

/// Takes spans without waiting. Cheap to clone.
#[derive(Clone)]
pub(crate) struct SelfTrace {
    spans: mpsc::Sender<Span>,
    dropped: Arc<AtomicU64>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    task: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl SelfTrace {
    pub(crate) fn start(environment: EnvironmentId, sink: Arc<dyn Sink>, clock: Arc<dyn Clock>) -> Self {
        let (spans, received) = mpsc::channel(WAITING_MAX);
        let (dropped, stop) = (Arc::new(AtomicU64::new(0)), CancellationToken::new());
        let writer = Writer { environment, sink, clock: Arc::clone(&clock), dropped: Arc::clone(&dropped) };
        let task = Arc::new(Mutex::new(Some(tokio::spawn(writer.run(received, stop.clone())))));
        Self { spans, dropped, clock, stop, task }
    }

    /// A request that was just answered.
    pub(crate) fn request(&self, method: &str, route: Option<&str>, status: u16, duration: Duration) {
        let route = route.map(str::to_owned);
        let span = Span { end_ns: self.clock.now_ns(), duration, method: method.to_owned(), route, status };
        if self.spans.try_send(span).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Spans that found no room, or that the sink did not take.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Writes what waits and ends.
    pub(crate) async fn finish(&self) {
        self.stop.cancel();
        let task = self.task.lock().take();
        if let Some(task) = task {
            drop(task.await);
        }
    }
}

struct Writer {
    environment: EnvironmentId,
    sink: Arc<dyn Sink>,
    clock: Arc<dyn Clock>,
    dropped: Arc<AtomicU64>,
}

impl Writer {
    async fn run(self, mut received: mpsc::Receiver<Span>, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(FLUSH_INTERVAL);
        loop {
            let last = tokio::select! {
                _ = ticks.tick() => false,
                () = stop.cancelled() => true,
            };
            let mut spans = Vec::new();
            while let Ok(span) = received.try_recv() {
                spans.push(span);
            }
            self.write(&spans).await;
            if last {
                return;
            }
        }
    }

    async fn write(&self, spans: &[Span]) {
        let mut builder = BatchBuilder::new(Signal::Span, self.clock.now_ns());
        builder.begin_resource();
        builder.shared_attribute(Origin::Resource, "service.name", Value::Str("tracery"));
        builder.shared_attribute(Origin::Resource, "service.version", Value::Str(env!("CARGO_PKG_VERSION")));
        builder.begin_scope();
        for span in spans {
            let duration_ns = i64::try_from(span.duration.as_nanos()).unwrap_or(i64::MAX);
            builder.begin_row(span.end_ns.saturating_sub(duration_ns), "tracery");
            builder.id(Fixed::TraceId, &rand::random::<[u8; 16]>());
            builder.id(Fixed::SpanId, &rand::random::<[u8; 8]>());
            builder.int(Fixed::DurationNs, duration_ns);
            builder.int(Fixed::SpanKind, SPAN_KIND_SERVER);
            if span.status >= 500 {
                builder.int(Fixed::StatusCode, STATUS_ERROR);
            }
            let route = span.route.as_deref().unwrap_or("(no route)");
            builder.text(Fixed::Name, &format!("{} {route}", span.method));
            builder.attribute(Origin::Own, "http.request.method", Value::Str(&span.method));
            builder.attribute(Origin::Own, "http.route", Value::Str(route));
            builder.attribute(Origin::Own, "http.response.status_code", Value::Int(i64::from(span.status)));
        }
        let Some(batch) = builder.finish() else { return };
        if let Err(error) = self.sink.accept(self.environment, vec![batch]).await {
            self.dropped.fetch_add(spans.len() as u64, Ordering::Relaxed);
            tracing::debug!(%error, "own spans were not taken");
        }
    }
}

#[cfg(test)]
mod tests {
    use tracery_stdx::ManualClock;
    use tracery_testkit::RecordingSink;

    use super::*;

    #[tokio::test]
    async fn requests_become_spans_of_the_servers_own_environment() {
        let sink = Arc::new(RecordingSink::default());
        let clock = Arc::new(ManualClock::at_ns(5_000_000_000));
        let own = SelfTrace::start(EnvironmentId(9), Arc::clone(&sink) as Arc<dyn Sink>, clock);
        own.request("GET", Some("/healthz"), 200, Duration::from_millis(2));
        own.request("POST", None, 503, Duration::from_millis(1));
        own.finish().await;
        let batches = sink.taken();
        assert!(batches.iter().all(|(environment, _)| *environment == EnvironmentId(9)));
        assert_eq!(batches.iter().map(|(_, batch)| batch.row_count()).sum::<usize>(), 2);
        assert_eq!(batches[0].1.time_min_ns, 4_998_000_000);
        assert_eq!(own.dropped(), 0);
    }

    #[tokio::test]
    async fn what_the_sink_does_not_take_is_counted() {
        let sink = Arc::new(RecordingSink::default());
        sink.refuse(Some(tracery_model::SinkError::Busy { retry_after_ms: 1 }));
        let own = SelfTrace::start(EnvironmentId(9), sink, Arc::new(ManualClock::default()));
        own.request("GET", None, 200, Duration::ZERO);
        own.finish().await;
        assert_eq!(own.dropped(), 1);
    }
}
