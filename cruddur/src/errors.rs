//! Errors beside the rest: what goes wrong in a handler and what somebody wants to be told, posted in the form of Rollbar's
//! SDKs to the item URL `ROLLBAR_ENDPOINT`; nothing is sent when that is not set. `app` reports and `main` ends the sender. A
//! request is never held up or failed by it: what does not fit the queue is dropped and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, TraceId};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Errors that wait.
const WAITING_MAX: usize = 256;
/// One post, and the last ones together.
const PATIENCE: Duration = Duration::from_secs(10);
const UNSET_TOKEN: &str = "00000000000000000000000000000000";

/// Where errors are reported. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Errors {
    waiting: mpsc::Sender<Value>,
    dropped: Arc<AtomicU64>,
}

/// The task behind [`Errors`]: it ends when all of them are gone and what waited is sent.
pub(crate) struct Sender {
    task: JoinHandle<()>,
    dropped: Arc<AtomicU64>,
}

impl Errors {
    /// Errors for the item URL `ROLLBAR_ENDPOINT`, with the token `ROLLBAR_ACCESS_TOKEN`.
    pub(crate) fn from_environment() -> Option<(Self, Sender)> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        let endpoint = variable("ROLLBAR_ENDPOINT")?;
        let token = variable("ROLLBAR_ACCESS_TOKEN").unwrap_or_else(|| UNSET_TOKEN.to_owned());
        let (waiting, errors) = mpsc::channel(WAITING_MAX);
        let dropped = Arc::new(AtomicU64::new(0));
        let task = tokio::spawn(send(endpoint, token, errors));
        Some((Self { waiting, dropped: Arc::clone(&dropped) }, Sender { task, dropped }))
    }

    /// An exception of a handler: its class, message, and frames as `method (file:line)`, the innermost first.
    pub(crate) fn report_exception(&self, class: &str, message: &str, stacktrace: &str, request: &Value) {
        let frames: Vec<Value> = stacktrace.lines().rev().filter_map(frame).collect();
        let body =
            json!({ "trace": { "frames": frames, "exception": { "class": class, "message": message } } });
        self.report("error", &body, request);
    }

    pub(crate) fn report_message(&self, level: &str, message: &str) {
        self.report(level, &json!({ "message": { "body": message } }), &Value::Null);
    }

    fn report(&self, level: &str, body: &Value, request: &Value) {
        let context = Context::current();
        let span = context.span();
        let span = span.span_context();
        let mut data = json!({
            "environment": "demo",
            "level": level,
            "timestamp": OffsetDateTime::now_utc().unix_timestamp(),
            "uuid": uuid::Uuid::new_v4().to_string(),
            "language": "rust",
            "framework": "axum",
            "code_version": env!("CARGO_PKG_VERSION"),
            "notifier": { "name": "cruddur", "version": env!("CARGO_PKG_VERSION") },
            "server": { "host": "cruddur", "root": "cruddur" },
            "body": body,
        });
        if !request.is_null() {
            data["context"] = request["route"].clone();
            data["request"] = request.clone();
        }
        if span.trace_id() != TraceId::INVALID {
            data["custom"] = json!({
                "trace_id": span.trace_id().to_string(), "span_id": span.span_id().to_string(),
            });
        }
        if self.waiting.try_send(data).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// `at module::method (file.rs:7)`
fn frame(line: &str) -> Option<Value> {
    let (method, place) = line.trim().strip_prefix("at ")?.split_once(" (")?;
    let (file, number) = place.trim_end_matches(')').rsplit_once(':')?;
    Some(
        json!({ "filename": format!("cruddur/src/{file}"), "lineno": number.parse::<u32>().ok()?, "method": method }),
    )
}

impl Sender {
    /// Waits until the last errors are sent. All [`Errors`] must be gone by then.
    pub(crate) async fn end(self) {
        if tokio::time::timeout(PATIENCE, self.task).await.is_err() {
            eprintln!("the last errors could not be reported in time");
        }
        let dropped = self.dropped.load(Ordering::Relaxed);
        if dropped > 0 {
            eprintln!("{dropped} errors were dropped");
        }
    }
}

async fn send(endpoint: String, token: String, mut errors: mpsc::Receiver<Value>) {
    let client = reqwest::Client::new();
    while let Some(data) = errors.recv().await {
        let post = client.post(&endpoint).header("X-Rollbar-Access-Token", &token).timeout(PATIENCE);
        let sent =
            post.json(&json!({ "data": data })).send().await.and_then(reqwest::Response::error_for_status);
        if let Err(error) = sent {
            eprintln!("an error could not be reported: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_frames_with_the_last_call_last() {
        let stack = "LedgerError: 17\n   at cruddur::ledger::balance (ledger.rs:42)\n   at cruddur::app::router (app.rs:73)";
        let frames: Vec<Value> = stack.lines().rev().filter_map(frame).collect();
        let wanted = json!([
            { "filename": "cruddur/src/app.rs", "lineno": 73, "method": "cruddur::app::router" },
            { "filename": "cruddur/src/ledger.rs", "lineno": 42, "method": "cruddur::ledger::balance" },
        ]);
        assert_eq!(Value::from(frames), wanted);
    }
}
