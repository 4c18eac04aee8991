//! `--self-trace`: what the server does itself (requests, decoding, commits, merges, questions) as spans of the
//! environment `tracery`, through the same sink as everything else. No feedback: spans about storing that environment
//! are not kept, and writing to the sink is no request.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracery_columnar::{BatchBuilder, Fixed, Sink};
use tracery_model::{EnvironmentId, Origin, Signal, Value};
use tracery_stdx::Clock;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Subscriber, debug};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Spans that may wait; more are dropped and counted.
const WAITING_MAX: usize = 4_096;
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);
const SPAN_KIND_INTERNAL: i64 = 1;
const SPAN_KIND_SERVER: i64 = 2;
const STATUS_ERROR: i64 = 2;
/// The field by which a span says what environment's rows it is about.
const ENVIRONMENT_FIELD: &str = "environment.id";
/// What the method of a request is that HTTP does not know; a name of a span says `HTTP` for it.
pub(super) const OTHER_METHOD: &str = "_OTHER";
const METHOD_FIELD: &str = "http.request.method";
const ROUTE_FIELD: &str = "http.route";
const STATUS_FIELD: &str = "http.response.status_code";

/// A value that a span was given.
#[derive(Debug, Clone, PartialEq)]
enum Noted {
    Int(i64),
    Bool(bool),
    Text(String),
}

/// A span that has begun, kept beside `tracing`'s own record of it.
struct Span {
    name: &'static str,
    trace_id: [u8; 16],
    span_id: [u8; 8],
    parent_id: Option<[u8; 8]>,
    start_ns: i64,
    started: Instant,
    duration: Duration,
    noted: Vec<(&'static str, Noted)>,
}

impl Span {
    fn get(&self, name: &str) -> Option<&Noted> {
        self.noted.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Noted::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn int(&self, name: &str) -> Option<i64> {
        match self.get(name) {
            Some(Noted::Int(value)) => Some(*value),
            _ => None,
        }
    }
}

impl Visit for Span {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.noted.push((field.name(), Noted::Int(value)));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.record_i64(field, i64::try_from(value).unwrap_or(i64::MAX));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.noted.push((field.name(), Noted::Bool(value)));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.noted.push((field.name(), Noted::Text(value.to_owned())));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.noted.push((field.name(), Noted::Text(format!("{value:?}"))));
    }
}

/// Takes spans without waiting. Part of the logging set-up; sees only spans with the target of own spans.
pub(crate) struct OwnSpans {
    spans: mpsc::Sender<Span>,
    dropped: Arc<AtomicU64>,
    clock: Arc<dyn Clock>,
    own: Arc<OnceLock<EnvironmentId>>,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for OwnSpans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(own) = context.span(id) else { return };
        let above = own.parent().and_then(|above| {
            above.extensions().get::<Span>().map(|above| (above.trace_id, Some(above.span_id)))
        });
        let (trace_id, parent_id) = above.unwrap_or_else(|| (rand::random(), None));
        let mut span = Span {
            name: attributes.metadata().name(),
            trace_id,
            span_id: rand::random(),
            parent_id,
            start_ns: self.clock.now_ns(),
            started: Instant::now(),
            duration: Duration::ZERO,
            noted: Vec::new(),
        };
        attributes.record(&mut span);
        own.extensions_mut().insert(span);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(own) = context.span(id) else { return };
        if let Some(span) = own.extensions_mut().get_mut::<Span>() {
            values.record(span);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(mut span) = context.span(&id).and_then(|own| own.extensions_mut().remove::<Span>()) else {
            return;
        };
        let about = span.int(ENVIRONMENT_FIELD);
        if about.is_some() && about == self.own.get().map(|own| own.0) {
            return;
        }
        span.duration = span.started.elapsed();
        if self.spans.try_send(span).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Spans on their way from [`OwnSpans`] to [`SelfTrace`]. Made before the store is open, so that logging can start.
pub(crate) struct Waiting {
    received: mpsc::Receiver<Span>,
    dropped: Arc<AtomicU64>,
    own: Arc<OnceLock<EnvironmentId>>,
}

pub(crate) fn layer(clock: Arc<dyn Clock>) -> (OwnSpans, Waiting) {
    let (spans, received) = mpsc::channel(WAITING_MAX);
    let (dropped, own) = (Arc::new(AtomicU64::new(0)), Arc::new(OnceLock::new()));
    let waiting = Waiting { received, dropped: Arc::clone(&dropped), own: Arc::clone(&own) };
    (OwnSpans { spans, dropped, clock, own }, waiting)
}

/// Writes the spans that wait. Cheap to clone.
#[derive(Clone)]
pub(crate) struct SelfTrace {
    dropped: Arc<AtomicU64>,
    stop: CancellationToken,
    task: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl SelfTrace {
    pub(crate) fn start(
        waiting: Waiting,
        environment: EnvironmentId,
        sink: Arc<dyn Sink>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let Waiting { received, dropped, own } = waiting;
        // Set once: a layer has one writer.
        let _ = own.set(environment);
        let stop = CancellationToken::new();
        let writer = Writer { environment, sink, clock, dropped: Arc::clone(&dropped) };
        let task = Arc::new(Mutex::new(Some(tokio::spawn(writer.run(received, stop.clone())))));
        Self { dropped, stop, task }
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
            builder.begin_row(span.start_ns, "tracery");
            builder.id(Fixed::TraceId, &span.trace_id);
            builder.id(Fixed::SpanId, &span.span_id);
            if let Some(parent_id) = &span.parent_id {
                builder.id(Fixed::ParentId, parent_id);
            }
            builder.int(Fixed::DurationNs, i64::try_from(span.duration.as_nanos()).unwrap_or(i64::MAX));
            if span.int(STATUS_FIELD).is_some_and(|status| status >= 500) {
                builder.int(Fixed::StatusCode, STATUS_ERROR);
            }
            match span.text(METHOD_FIELD) {
                Some(method) => {
                    let route = span.text(ROUTE_FIELD).unwrap_or("(no route)");
                    builder.int(Fixed::SpanKind, SPAN_KIND_SERVER);
                    let method = if method == OTHER_METHOD { "HTTP" } else { method };
                    builder.text(Fixed::Name, &format!("{method} {route}"));
                }
                None => {
                    builder.int(Fixed::SpanKind, SPAN_KIND_INTERNAL);
                    builder.text(Fixed::Name, span.name);
                }
            }
            for (name, value) in &span.noted {
                let value = match value {
                    Noted::Int(value) => Value::Int(*value),
                    Noted::Bool(value) => Value::Bool(*value),
                    Noted::Text(text) => Value::Str(text),
                };
                builder.attribute(Origin::Own, name, value);
            }
        }
        let Some(batch) = builder.finish() else { return };
        if let Err(error) = self.sink.accept(self.environment, vec![batch]).await {
            self.dropped.fetch_add(spans.len() as u64, Ordering::Relaxed);
            debug!(%error, "own spans were not taken");
        }
    }
}

#[cfg(test)]
mod tests {
    use tracery_model::OWN_SPANS;
    use tracery_stdx::ManualClock;
    use tracery_testkit::RecordingSink;
    use tracing::{info_span, subscriber};
    use tracing_subscriber::Registry;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    const OWN: EnvironmentId = EnvironmentId(9);

    /// Runs `work` with its spans kept, and gives back where they were written.
    async fn kept(sink: &Arc<RecordingSink>, work: impl FnOnce()) -> SelfTrace {
        let clock = Arc::new(ManualClock::at_ns(5_000_000_000));
        let (layer, waiting) = layer(Arc::clone(&clock) as Arc<dyn Clock>);
        let own = SelfTrace::start(waiting, OWN, Arc::clone(sink) as Arc<dyn Sink>, clock);
        subscriber::with_default(Registry::default().with(layer), work);
        own.finish().await;
        own
    }

    #[tokio::test]
    async fn spans_are_written_to_the_servers_own_environment() {
        let sink = Arc::new(RecordingSink::default());
        let own = kept(&sink, || {
            let request =
                info_span!(target: OWN_SPANS, "request", http.request.method = "GET", http.route = "/x");
            request.in_scope(|| drop(info_span!(target: OWN_SPANS, "decode", bytes = 3)));
        })
        .await;
        let batches = sink.taken();
        assert!(batches.iter().all(|(environment, _)| *environment == OWN));
        assert_eq!(batches.iter().map(|(_, batch)| batch.row_count()).sum::<usize>(), 2);
        assert_eq!(batches[0].1.time_min_ns, 5_000_000_000);
        assert_eq!(own.dropped(), 0);
    }

    #[tokio::test]
    async fn storing_own_spans_makes_no_spans() {
        let sink = Arc::new(RecordingSink::default());
        kept(&sink, || {
            for environment in [OWN.0, OWN.0, 1, 0] {
                drop(info_span!(target: OWN_SPANS, "commit", environment.id = environment));
            }
        })
        .await;
        assert_eq!(sink.taken().iter().map(|(_, batch)| batch.row_count()).sum::<usize>(), 2);
    }

    #[tokio::test]
    async fn what_the_sink_does_not_take_is_counted() {
        let sink = Arc::new(RecordingSink::default());
        sink.refuse(Some(tracery_model::SinkError::Busy { retry_after_ms: 1 }));
        let own = kept(&sink, || drop(info_span!(target: OWN_SPANS, "commit"))).await;
        assert_eq!(own.dropped(), 1);
    }
}
