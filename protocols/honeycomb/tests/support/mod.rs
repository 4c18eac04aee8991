//! A router over SQLite, a sink that remembers, and a query engine that answers what it is told to.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tower::ServiceExt;
use tracery_honeycomb::{ColumnInfo, FieldError, Honeycomb, Options, Queries, RunOptions, routes};
use tracery_intake::{AuthMode, Intake};
use tracery_model::EnvironmentId;
use tracery_settings::{KeyKind, Settings};
use tracery_stdx::ManualClock;
use tracery_testkit::RecordingSink;

pub struct Engine {
    pub runs: AtomicUsize,
    /// Runs of a specification with `wait` take a place here first.
    pub gate: Semaphore,
}

impl Default for Engine {
    fn default() -> Self {
        Self { runs: AtomicUsize::new(0), gate: Semaphore::new(0) }
    }
}

#[async_trait]
impl Queries for Engine {
    fn check(&self, spec: &Value, _is_metrics: bool) -> Result<Value, FieldError> {
        let mut canonical = spec.clone();
        if spec.get("unknown").is_some() {
            return Err(FieldError {
                field: "unknown".into(),
                code: "invalid",
                description: "unknown key".into(),
            });
        }
        if spec.get("calculations").is_none() {
            canonical["calculations"] = json!([{"op": "COUNT"}]);
        }
        Ok(canonical)
    }

    async fn run(
        &self,
        _environment: EnvironmentId,
        dataset: Option<String>,
        spec: Value,
        _options: RunOptions,
    ) -> Result<Value, String> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        if spec.get("wait").is_some() {
            self.gate.acquire().await.expect("nobody closes it").forget();
        }
        if spec.get("fail").is_some() {
            return Err("column x does not exist".into());
        }
        Ok(json!({"results": [{"data": {"COUNT": 3, "dataset": dataset}}]}))
    }

    async fn columns(&self, _environment: EnvironmentId, dataset: &str) -> Result<Vec<ColumnInfo>, String> {
        Ok(if dataset == "Web App" {
            vec![ColumnInfo {
                name: "duration_ms".into(),
                column_type: "float",
                last_written_ms: Some(1_000),
            }]
        } else {
            vec![]
        })
    }

    fn check_expression(&self, expression: &str) -> Result<(), String> {
        if expression.is_empty() { Err("empty expression".into()) } else { Ok(()) }
    }
}

pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|_| panic!("{:?}", String::from_utf8_lossy(&self.bytes)))
    }
}

pub struct Bench {
    pub router: Router,
    pub intake: Intake,
    pub settings: Settings,
    pub sink: Arc<RecordingSink>,
    pub engine: Arc<Engine>,
    pub clock: Arc<ManualClock>,
    pub environment: EnvironmentId,
    pub key: String,
    _folder: tempfile::TempDir,
}

pub const NOW_NS: i64 = 1_700_000_000_000_000_000;

impl Bench {
    pub async fn new(mode: AuthMode) -> Self {
        Self::with_options(mode, Options::default()).await
    }

    pub async fn with_options(mode: AuthMode, options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at_ns(NOW_NS));
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("s.db").display());
        let settings = Settings::open(&url, clock.clone()).await.unwrap();
        let sink = Arc::new(RecordingSink::default());
        let engine = Arc::new(Engine::default());
        let intake = Intake::new(sink.clone(), settings.clone(), clock.clone(), mode);
        let router = routes(Honeycomb::new(intake.clone(), engine.clone(), options));
        let environment = settings.ensure_environment("prod").await.unwrap().id;
        let key = settings.create_key(environment, KeyKind::Configuration, "k", &[]).await.unwrap().secret;
        Self { router, intake, settings, sink, engine, clock, environment, key, _folder: folder }
    }

    pub async fn key(&self, environment: &str, kind: KeyKind, scopes: &[&str]) -> String {
        let environment = self.settings.ensure_environment(environment).await.unwrap().id;
        let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        self.settings.create_key(environment, kind, "k", &scopes).await.unwrap().secret
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Reply { status: parts.status, headers: parts.headers, bytes }
    }

    /// With the configuration key of `prod`.
    pub async fn call(&self, method: &str, path: &str, body: Value) -> Reply {
        self.call_as(&self.key, method, path, body).await
    }

    pub async fn call_as(&self, key: &str, method: &str, path: &str, body: Value) -> Reply {
        let body = if body.is_null() { vec![] } else { body.to_string().into_bytes() };
        let bearer = format!("Bearer {key}");
        let headers = [("x-honeycomb-team", key), ("authorization", bearer.as_str())];
        self.send(method, path, &headers, body).await
    }

    /// As [`Self::call`], with the status that has to come back.
    pub async fn expect(&self, status: u16, method: &str, path: &str, body: Value) -> Value {
        let reply = self.call(method, path, body).await;
        let text = String::from_utf8_lossy(&reply.bytes);
        assert_eq!(reply.status, status, "{method} {path}: {text}");
        if reply.bytes.is_empty() { Value::Null } else { reply.json() }
    }
}
