//! The door over SQLite, a sink that remembers, and an empty store to ask.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt as _;
use tracery_cloudwatch_logs::{CloudWatchLogs, routes};
use tracery_intake::{AuthMode, Intake};
use tracery_model::EnvironmentId;
use tracery_query::StoreEvents;
use tracery_settings::{ServerKey, Settings};
use tracery_stdx::ManualClock;
use tracery_store::{Catalog, Objects, Store, StoreOptions};
use tracery_testkit::RecordingSink;

/// 2026-11-23T03:00:00Z.
pub(crate) const NOW_S: i64 = 1_795_402_800;

pub(crate) struct Bed {
    pub(crate) sink: Arc<RecordingSink>,
    pub(crate) settings: Settings,
    pub(crate) logs: CloudWatchLogs,
    pub(crate) intake: Intake,
    pub(crate) default: EnvironmentId,
    _folder: TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Bed {
    pub(crate) async fn make(mode: AuthMode) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("s.db").display());
        let clock = Arc::new(ManualClock::at_ns(NOW_S * 1_000_000_000));
        let settings = Settings::open(&url, clock.clone()).await.unwrap();
        let settings = settings.with_server_key(ServerKey::from_text(&ServerKey::random_text()).unwrap());
        let default = settings.default_environment().await.unwrap().id;
        let sink = Arc::new(RecordingSink::default());
        let intake = Intake::new(sink.clone(), settings.clone(), clock.clone(), mode);
        let catalog = Catalog::open(&url).await.unwrap();
        let objects = Objects::local(&folder.path().join("objects")).unwrap();
        let options = StoreOptions { maintenance: false, ..StoreOptions::default() };
        let store = Store::open(catalog, objects, clock, options).await.unwrap();
        let context = Arc::new(tracery_query::session_context(64 << 20, 1).unwrap());
        let events = StoreEvents::new(store, &context);
        let logs = CloudWatchLogs::new(intake.clone(), events, context);
        Self { sink, settings, logs, intake, default, _folder: folder }
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
}

pub(crate) async fn ask(router: Router, request: Request<Body>) -> Answer {
    let response = router.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 1 << 20).await.unwrap();
    let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| panic!("not JSON: {bytes:?}"));
    Answer { status: parts.status, headers: parts.headers, body }
}
