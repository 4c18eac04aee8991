//! The door over SQLite and a store, or a sink that remembers in the store's place.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt as _;
use tracery_cloudwatch_logs::{CloudWatchLogs, routes};
use tracery_columnar::Sink;
use tracery_intake::{AuthMode, Intake};
use tracery_outbound::Outbound;
use tracery_query::StoreEvents;
use tracery_settings::{ServerKey, Settings};
use tracery_stdx::ManualClock;
use tracery_store::{Catalog, Objects, Store, StoreOptions};
use tracery_testkit::RecordingSink;

/// 2026-11-23T03:00:00Z.
pub(crate) const NOW_S: i64 = 1_795_402_800;
pub(crate) const NOW_MS: i64 = NOW_S * 1_000;
pub(crate) const DAY_MS: i64 = 24 * 3_600_000;

pub(crate) struct Bed {
    pub(crate) sink: Arc<RecordingSink>,
    pub(crate) settings: Settings,
    pub(crate) logs: CloudWatchLogs,
    pub(crate) clock: Arc<ManualClock>,
    _folder: TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// The error's code and message.
    pub(crate) fn error(&self) -> (&str, &str) {
        assert_eq!(self.status, 400, "{}", self.body);
        assert_eq!(self.headers["x-amzn-errortype"].to_str().unwrap(), self.body["__type"]);
        (self.body["__type"].as_str().unwrap(), self.body["message"].as_str().unwrap_or_default())
    }
}

impl Bed {
    /// What is acknowledged is stored and can be read.
    pub(crate) async fn make(mode: AuthMode) -> Self {
        Self::build(mode, true).await
    }

    /// What is acknowledged is remembered in `sink`.
    pub(crate) async fn recording(mode: AuthMode) -> Self {
        Self::build(mode, false).await
    }

    async fn build(mode: AuthMode, is_stored: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("s.db").display());
        let clock = Arc::new(ManualClock::at_ns(NOW_S * 1_000_000_000));
        let settings = Settings::open(&url, clock.clone()).await.unwrap();
        let settings = settings.with_server_key(ServerKey::from_text(&ServerKey::random_text()).unwrap());
        let recording = Arc::new(RecordingSink::default());
        let catalog = Catalog::open(&url).await.unwrap();
        let objects = Objects::local(&folder.path().join("objects")).unwrap();
        let options = StoreOptions { maintenance: false, ..StoreOptions::default() };
        let store = Store::open(catalog, objects, clock.clone(), options).await.unwrap();
        let sink: Arc<dyn Sink> =
            if is_stored { Arc::new(store.clone()) } else { Arc::clone(&recording) as _ };
        let intake = Intake::new(sink, settings.clone(), clock.clone(), mode);
        let context = Arc::new(tracery_query::session_context(64 << 20, 1).unwrap());
        let events = StoreEvents::new(store, &context);
        let logs = CloudWatchLogs::new(intake, events, context, Outbound::new(true).unwrap());
        Self { sink: recording, settings, logs, clock, _folder: folder }
    }

    pub(crate) fn api(&self) -> Router {
        routes(self.logs.clone())
    }

    /// Calls an operation without a signature.
    pub(crate) async fn call(&self, operation: &str, input: &Value) -> Answer {
        let request = Request::post("/")
            .header("x-amz-target", format!("Logs_20140328.{operation}"))
            .header("content-type", "application/x-amz-json-1.1")
            .body(input.to_string().into());
        ask(self.api(), request.unwrap()).await
    }

    /// As [`Self::call`], in a region and for what succeeds.
    pub(crate) async fn in_region(&self, region: &str, operation: &str, input: &Value) -> Answer {
        let credential = format!("AKIDEXAMPLE/20261123/{region}/logs/aws4_request");
        let request = Request::post("/")
            .header("x-amz-target", format!("Logs_20140328.{operation}"))
            .header("x-amz-date", "20261123T030000Z")
            .header(
                "authorization",
                format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=00"),
            )
            .body(input.to_string().into());
        ask(self.api(), request.unwrap()).await
    }

    /// Calls an operation that must succeed.
    pub(crate) async fn ok(&self, operation: &str, input: Value) -> Value {
        let answer = self.call(operation, &input).await;
        assert_eq!(answer.status, 200, "{operation} {input}: {}", answer.body);
        answer.body
    }

    /// A group with a stream.
    pub(crate) async fn stream(&self, group: &str, stream: &str) {
        self.call("CreateLogGroup", &serde_json::json!({ "logGroupName": group })).await;
        self.ok("CreateLogStream", serde_json::json!({ "logGroupName": group, "logStreamName": stream }))
            .await;
    }

    /// Puts events, given by time in milliseconds and message.
    pub(crate) async fn put(&self, group: &str, stream: &str, events: &[(i64, &str)]) -> Value {
        let events: Vec<Value> = events
            .iter()
            .map(|(time_ms, message)| serde_json::json!({"timestamp": time_ms, "message": message}))
            .collect();
        let input = serde_json::json!({"logGroupName": group, "logStreamName": stream, "logEvents": events});
        self.ok("PutLogEvents", input).await
    }
}

pub(crate) async fn ask(router: Router, request: Request<Body>) -> Answer {
    let response = router.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 64 << 20).await.unwrap();
    let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| panic!("not JSON: {bytes:?}"));
    Answer { status: parts.status, headers: parts.headers, body }
}
