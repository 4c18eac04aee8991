//! CloudWatch Logs beside the rest: what the application has to say, one JSON object a line, sent by the unmodified AWS SDK
//! to the group `cruddur` at `AWS_ENDPOINT_URL_CLOUDWATCH_LOGS`; nothing is sent when that is not set. `app` writes lines and
//! `main` ends the sender. A request is never held up or failed by it: what does not fit the queue is dropped and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_cloudwatchlogs::error::{DisplayErrorContext, SdkError};
use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// The group of the original application.
const GROUP: &str = "cruddur";
/// Lines that wait; at a few hundred bytes each this is about a megabyte.
const WAITING_MAX: usize = 4_096;
/// One request to the service.
const BATCH_MAX: usize = 500;
/// How long a line waits for company.
const INTERVAL: Duration = Duration::from_millis(500);
/// The end of the process does not wait longer than this for the service.
const LAST_SEND_MAX: Duration = Duration::from_secs(10);
const UNSET: &str = "any";

/// Where lines are written. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Logs {
    waiting: mpsc::Sender<InputLogEvent>,
    dropped: Arc<AtomicU64>,
}

/// The task behind [`Logs`].
pub(crate) struct Sender {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    dropped: Arc<AtomicU64>,
}

impl Logs {
    /// Lines for the endpoint of `AWS_ENDPOINT_URL_CLOUDWATCH_LOGS`, which is `http`: the sample application is built
    /// without TLS. Region and key come from the usual variables.
    ///
    /// # Errors
    ///
    /// The group or the stream cannot be made there.
    pub(crate) async fn from_environment(stream: &str) -> anyhow::Result<Option<(Self, Sender)>> {
        let Some(endpoint) = variable("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS") else { return Ok(None) };
        let client = client(&endpoint);
        let group = client.create_log_group().log_group_name(GROUP).send().await;
        created(group, |error| error.is_resource_already_exists_exception())
            .context("cannot make the log group")?;
        let made = client.create_log_stream().log_group_name(GROUP).log_stream_name(stream).send().await;
        created(made, |error| error.is_resource_already_exists_exception())
            .context("cannot make the log stream")?;
        let (logs, lines) = Self::queue();
        let dropped = Arc::clone(&logs.dropped);
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(send(client, stream.to_owned(), lines, stopped, Arc::clone(&dropped)));
        Ok(Some((logs, Sender { stop, task, dropped })))
    }

    fn queue() -> (Self, mpsc::Receiver<InputLogEvent>) {
        let (waiting, lines) = mpsc::channel(WAITING_MAX);
        (Self { waiting, dropped: Arc::default() }, lines)
    }

    /// Writes a line about the current trace.
    pub(crate) fn write(&self, level: &str, message: &str, more: Value) {
        let mut line = Map::new();
        line.insert("level".into(), level.into());
        line.insert("message".into(), message.into());
        let context = Context::current();
        let span = context.span();
        let span = span.span_context();
        if span.is_valid() {
            line.insert("trace_id".into(), span.trace_id().to_string().into());
            line.insert("span_id".into(), span.span_id().to_string().into());
        }
        if let Value::Object(more) = more {
            line.extend(more);
        }
        let now_ms = OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000;
        let event = InputLogEvent::builder().timestamp(i64::try_from(now_ms).unwrap_or(i64::MAX));
        let sent = event.message(Value::Object(line).to_string()).build();
        if sent.is_err() || sent.is_ok_and(|event| self.waiting.try_send(event).is_err()) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Sender {
    /// Takes no more lines and waits until the last are sent.
    pub(crate) async fn end(self) {
        // The task may have ended already.
        let _ = self.stop.send(());
        if tokio::time::timeout(LAST_SEND_MAX, self.task).await.is_err() {
            eprintln!("the last log lines could not be sent in time");
        }
        let dropped = self.dropped.load(Ordering::Relaxed);
        if dropped > 0 {
            eprintln!("{dropped} log lines were dropped");
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

fn client(endpoint: &str) -> Client {
    let key = variable("AWS_ACCESS_KEY_ID").unwrap_or_else(|| UNSET.into());
    let secret = variable("AWS_SECRET_ACCESS_KEY").unwrap_or_else(|| UNSET.into());
    let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
    let config = aws_sdk_cloudwatchlogs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new(region.unwrap_or_else(|| "us-east-1".into())))
        .credentials_provider(Credentials::new(
            key,
            secret,
            variable("AWS_SESSION_TOKEN"),
            None,
            "environment",
        ))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Client::from_conf(config)
}

/// What was there before is as good.
fn created<T, E, R>(result: Result<T, SdkError<E, R>>, was_there: impl Fn(&E) -> bool) -> anyhow::Result<()>
where
    E: std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match result {
        Err(error) if !error.as_service_error().is_some_and(was_there) => Err(error.into()),
        _ => Ok(()),
    }
}

async fn send(
    client: Client,
    stream: String,
    mut lines: mpsc::Receiver<InputLogEvent>,
    mut stopped: oneshot::Receiver<()>,
    dropped: Arc<AtomicU64>,
) {
    let mut batch = Vec::new();
    let mut open = true;
    loop {
        let first = tokio::select! {
            _ = &mut stopped, if open => {
                lines.close();
                open = false;
                continue;
            }
            line = lines.recv() => line,
        };
        let Some(first) = first else { break };
        batch.push(first);
        // More comes, the time is over, or the application ends: all of them send what there is.
        let fill = async {
            while batch.len() < BATCH_MAX {
                let Some(line) = lines.recv().await else { break };
                batch.push(line);
            }
        };
        drop(tokio::time::timeout(INTERVAL, fill).await);
        let mut events = std::mem::take(&mut batch);
        let count = events.len() as u64;
        // Requests that ran side by side may have written out of order, which the service refuses.
        events.sort_by_key(InputLogEvent::timestamp);
        let put = client.put_log_events().log_group_name(GROUP).log_stream_name(&stream);
        if let Err(error) = put.set_log_events(Some(events)).send().await {
            eprintln!("cannot send log lines: {}", DisplayErrorContext(&error));
            dropped.fetch_add(count, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_is_one_json_object_and_what_does_not_fit_is_dropped() {
        let (logs, mut lines) = Logs::queue();
        for number in 0..WAITING_MAX + 3 {
            logs.write("info", "HomeActivities", serde_json::json!({ "number": number }));
        }
        assert_eq!(logs.dropped.load(Ordering::Relaxed), 3);
        let first = lines.recv().await.unwrap();
        let line: Value = serde_json::from_str(first.message()).unwrap();
        assert_eq!(line, serde_json::json!({ "level": "info", "message": "HomeActivities", "number": 0 }));
        assert!(first.timestamp() > 1_700_000_000_000);
    }
}
