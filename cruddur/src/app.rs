//! The web application: its routes, the span around each request, and the spans inside. `main` serves the router and
//! tests call it directly. Every request becomes exactly one server span, whatever its handler does.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, MatchedPath, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{FutureExt, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracer;
use rand::Rng;
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::errors::Errors;
use crate::logs::Logs;
use crate::telemetry::HeaderReader;
use crate::{activities, xray};

/// Who is signed in; a sample application needs no passwords.
pub(crate) const USER_HEADER: &str = "x-cruddur-user";

#[derive(Clone)]
struct App {
    tracer: Arc<SdkTracer>,
    address: SocketAddr,
    daemon: Option<xray::Daemon>,
    logs: Option<Logs>,
    errors: Option<Errors>,
}

impl App {
    fn log(&self, level: &str, message: &str, more: serde_json::Value) {
        if let Some(logs) = &self.logs {
            logs.write(level, message, more);
        }
    }
}

/// What goes wrong in a handler: recorded on its span as an exception and answered as a 500.
#[derive(Debug, Clone)]
struct Failure {
    kind: &'static str,
    message: String,
    stacktrace: &'static str,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        record_exception(&Context::current(), &self);
        let mut response =
            (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": self.message }))).into_response();
        // Reported where the request is known.
        response.extensions_mut().insert(self);
        response
    }
}

fn record_exception(context: &Context, failure: &Failure) {
    context.span().add_event(
        "exception",
        vec![
            KeyValue::new("exception.type", failure.kind),
            KeyValue::new("exception.message", failure.message.clone()),
            KeyValue::new("exception.stacktrace", failure.stacktrace),
        ],
    );
    context.span().set_status(Status::error(failure.message.clone()));
    xray::failed(failure.kind, &failure.message);
}

/// The application; `address` is where it listens, for `server.*` attributes. Segments go to `daemon`, lines to `logs` and
/// errors to `errors`, if any.
pub(crate) fn router(
    tracer: SdkTracer,
    address: SocketAddr,
    daemon: Option<xray::Daemon>,
    logs: Option<Logs>,
    errors: Option<Errors>,
) -> Router {
    let app = App { tracer: Arc::new(tracer), address, daemon, logs, errors };
    Router::new()
        .route("/api/activities/home", get(home))
        .route("/api/activities/@{handle}", get(user_activities))
        .route("/api/activities/{uuid}", get(activity))
        .route("/rollbar/test", get(rollbar_test))
        .route("/healthz", get(|| async { "ok\n" }))
        .layer(from_fn_with_state(app.clone(), trace_request))
        .layer(from_fn_with_state(app.clone(), record_segment))
        .with_state(app)
}

/// One server span a request, by the HTTP semantic conventions.
async fn trace_request(State(app): State<App>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let parent = TraceContextPropagator::new().extract(&HeaderReader(request.headers()));
    let path = request.uri().path().to_owned();
    let visitor =
        request.extensions().get::<ConnectInfo<SocketAddr>>().map(|visitor| visitor.0.ip().to_string());
    let method = request.method().to_string();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let mut attributes = vec![
        KeyValue::new("http.request.method", method.clone()),
        KeyValue::new("url.path", request.uri().path().to_owned()),
        KeyValue::new("url.scheme", "http"),
        KeyValue::new("server.address", app.address.ip().to_string()),
        KeyValue::new("server.port", i64::from(app.address.port())),
        KeyValue::new("network.protocol.version", "1.1"),
    ];
    if let Some(query) = request.uri().query() {
        attributes.push(KeyValue::new("url.query", query.to_owned()));
    }
    if let Some(route) = &route {
        attributes.push(KeyValue::new("http.route", route.clone()));
    }
    let from_headers = [("user-agent", "user_agent.original"), (USER_HEADER, "user.id")];
    for (header, attribute) in from_headers {
        if let Some(value) = request.headers().get(header).and_then(|value| value.to_str().ok()) {
            attributes.push(KeyValue::new(attribute, value.to_owned()));
        }
    }
    let name = route.clone().map_or_else(|| method.clone(), |route| format!("{method} {route}"));
    let span = app
        .tracer
        .span_builder(name)
        .with_kind(SpanKind::Server)
        .with_attributes(attributes)
        .start_with_context(&*app.tracer, &parent);
    let context = parent.with_span(span);
    let mut response = next.run(request).with_context(context.clone()).await;
    let span = context.span();
    span.set_attribute(KeyValue::new("http.response.status_code", i64::from(response.status().as_u16())));
    if response.status().is_server_error() {
        span.set_attribute(KeyValue::new("error.type", response.status().as_u16().to_string()));
    }
    // Lets a visitor look up the trace of what it just saw.
    if let Ok(value) = HeaderValue::from_str(&span.span_context().trace_id().to_string()) {
        response.headers_mut().insert("x-trace-id", value);
    }
    // The line that the original application writes after each request.
    let status = response.status();
    let line = json!({
        "address": visitor, "method": method, "scheme": "http", "path": path, "status": status.as_u16(),
        "duration_ms": began.elapsed().as_secs_f64() * 1_000.0,
    });
    let level = if status.is_server_error() { "error" } else { "info" };
    let _attached = context.clone().attach();
    app.log(level, &format!("{method} {path} {}", status.as_u16()), line);
    if let (Some(errors), Some(failure)) = (&app.errors, response.extensions_mut().remove::<Failure>()) {
        let request = json!({
            "url": format!("http://{}{path}", app.address), "method": method, "user_ip": visitor, "route": route,
        });
        errors.report_exception(failure.kind, &failure.message, failure.stacktrace, &request);
    }
    span.end();
    response
}

/// One X-Ray segment a request.
async fn record_segment(State(app): State<App>, request: Request, next: Next) -> Response {
    let header = |headers: &HeaderMap, name: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let host = header(request.headers(), "host").unwrap_or_default();
    let user_agent = header(request.headers(), "user-agent");
    let user = header(request.headers(), USER_HEADER);
    let method = request.method().to_string();
    let url = format!("http://{host}{}", request.uri());
    let about = xray::Request {
        method: &method,
        url: &url,
        host: &host,
        user_agent: user_agent.as_deref(),
        user: user.as_deref(),
    };
    let status = |response: &Response| response.status().as_u16();
    xray::in_segment(app.daemon.as_ref(), about, next.run(request), status).await
}

/// What a view found, kept with its subsegment as the X-Ray SDKs do it.
async fn mock_data(length: usize) {
    xray::captured("mock-data", async {
        let now = activities::spelled(OffsetDateTime::now_utc());
        xray::put_metadata("cruddur", "result", json!({ "now": now, "length": length }));
    })
    .await;
}

/// A piece of work in a span of its own, child of the current one.
async fn in_span<T>(
    app: &App,
    name: &'static str,
    kind: SpanKind,
    attributes: Vec<KeyValue>,
    work: impl Future<Output = T>,
) -> T {
    let span = app.tracer.span_builder(name).with_kind(kind).with_attributes(attributes).start(&*app.tracer);
    let context = Context::current_with_span(span);
    let result = work.with_context(context.clone()).await;
    context.span().end();
    result
}

/// As long as a database would take: mostly a few milliseconds, seldom a hundred.
async fn database_time(slowness: f64) {
    let uniform: f64 = rand::rng().random_range(0.001..1.0);
    let milliseconds = (slowness * -uniform.ln()).powf(1.3).clamp(0.3, 250.0);
    tokio::time::sleep(Duration::from_secs_f64(milliseconds / 1_000.0)).await;
}

fn select(table: &'static str, text: &'static str) -> Vec<KeyValue> {
    vec![
        KeyValue::new("db.system.name", "postgresql"),
        KeyValue::new("db.namespace", "cruddur"),
        KeyValue::new("db.operation.name", "SELECT"),
        KeyValue::new("db.collection.name", table),
        KeyValue::new("db.query.text", text),
    ]
}

fn signed_in_user(headers: &HeaderMap) -> Option<String> {
    headers.get(USER_HEADER)?.to_str().ok().map(str::to_owned)
}

async fn home(State(app): State<App>, headers: HeaderMap) -> Response {
    xray::captured("activities_home", show_home(&app, signed_in_user(&headers))).await
}

async fn show_home(app: &App, user: Option<String>) -> Response {
    let activities = in_span(app, "home-activities-mock-data", SpanKind::Internal, Vec::new(), async {
        let now = OffsetDateTime::now_utc();
        let context = Context::current();
        let span = context.span();
        span.set_attribute(KeyValue::new("app.now", activities::spelled(now)));
        if let Some(user) = &user {
            span.set_attribute(KeyValue::new("user.id", user.clone()));
        }
        let sql = "SELECT * FROM activities ORDER BY created_at DESC LIMIT $1";
        in_span(app, "SELECT activities", SpanKind::Client, select("activities", sql), database_time(4.0))
            .await;
        let activities = activities::home(now, user.is_some());
        mock_data(activities.len()).await;
        app.log("info", "HomeActivities", json!({ "length": activities.len() }));
        span.set_attribute(KeyValue::new("app.result_length", activities.len() as i64));
        activities
    })
    .await;
    Json(activities).into_response()
}

async fn user_activities(
    State(app): State<App>,
    Path(handle): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    xray::captured("activities_users", show_user(&app, handle, &headers)).await
}

async fn show_user(app: &App, handle: String, headers: &HeaderMap) -> Result<Response, Failure> {
    let now = OffsetDateTime::now_utc();
    let attributes = vec![
        KeyValue::new("app.now", activities::spelled(now)),
        KeyValue::new("app.handle", handle.clone()),
        KeyValue::new("user.id", signed_in_user(headers).unwrap_or_default()),
    ];
    let found = in_span(app, "user-activities", SpanKind::Internal, attributes, async {
        let sql = "SELECT * FROM users WHERE handle = $1";
        in_span(app, "SELECT users", SpanKind::Client, select("users", sql), database_time(1.5)).await;
        // One profile is broken on purpose, so that there is an error to find.
        if handle == "quark" {
            let failure = Failure {
                kind: "cruddur::LedgerError",
                message: "ledger of @quark does not balance: 17 slips missing".into(),
                stacktrace: "LedgerError: ledger of @quark does not balance: 17 slips missing\n   \
                             at cruddur::ledger::balance (ledger.rs:42)\n   \
                             at cruddur::app::user_activities (app.rs:171)\n   \
                             at cruddur::app::router (app.rs:73)",
            };
            record_exception(&Context::current(), &failure);
            app.log("error", &failure.message, json!({ "exception": failure.kind, "handle": handle }));
            return Err(failure);
        }
        let sql = "SELECT * FROM activities WHERE user_id = $1 ORDER BY created_at DESC";
        in_span(app, "SELECT activities", SpanKind::Client, select("activities", sql), database_time(3.0))
            .await;
        let found = activities::of_user(&handle, now);
        let length = found.as_ref().map_or(0, Vec::len);
        mock_data(length).await;
        Context::current().span().set_attribute(KeyValue::new("app.result_length", length as i64));
        Ok(found)
    })
    .await?;
    Ok(match found {
        Some(activities) => Json(activities).into_response(),
        None => (StatusCode::NOT_FOUND, Json(json!({ "error": "no such user" }))).into_response(),
    })
}

async fn activity(State(app): State<App>, Path(text): Path<String>, headers: HeaderMap) -> Response {
    xray::captured("activities_show", show_activity(&app, &text, &headers)).await
}

async fn show_activity(app: &App, text: &str, headers: &HeaderMap) -> Response {
    let Ok(id) = Uuid::parse_str(text) else {
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "error": "not a UUID" }))).into_response();
    };
    let attributes = vec![
        KeyValue::new("app.activity_id", id.to_string()),
        KeyValue::new("user.id", signed_in_user(headers).unwrap_or_default()),
    ];
    let found = in_span(app, "show-activity", SpanKind::Internal, attributes, async {
        let sql = "SELECT * FROM activities WHERE uuid = $1";
        in_span(app, "SELECT activities", SpanKind::Client, select("activities", sql), database_time(2.0))
            .await;
        let sql = "SELECT * FROM activities WHERE reply_to = $1";
        in_span(app, "SELECT replies", SpanKind::Client, select("activities", sql), database_time(2.5)).await;
        let found = activities::by_id(id, OffsetDateTime::now_utc());
        mock_data(usize::from(found.is_some())).await;
        found
    })
    .await;
    match found {
        Some(activity) => Json(activity).into_response(),
        None => (StatusCode::NOT_FOUND, Json(json!({ "error": "no such activity" }))).into_response(),
    }
}

/// Whoever sets up error reporting wants to see something arrive.
async fn rollbar_test(State(app): State<App>) -> &'static str {
    if let Some(errors) = &app.errors {
        errors.report_message("warning", "Hello World!");
    }
    "Hello World!\n"
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
    use tower::ServiceExt as _;

    use super::*;
    use crate::telemetry;

    /// Sends one request and gives back the status and the finished spans by name.
    async fn spans_of(path: &str, headers: &[(&str, &str)]) -> (StatusCode, HashMap<String, SpanData>) {
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
        let router =
            router(telemetry::tracer(&provider), "127.0.0.1:4567".parse().unwrap(), None, None, None);
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = router.oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap();
        let spans = exporter.get_finished_spans().unwrap();
        (response.status(), spans.into_iter().map(|span| (span.name.to_string(), span)).collect())
    }

    fn attribute(span: &SpanData, key: &str) -> Option<String> {
        let found = span.attributes.iter().find(|attribute| attribute.key.as_str() == key)?;
        Some(found.value.to_string())
    }

    #[tokio::test]
    async fn home_has_the_mock_data_span_with_its_attributes() {
        let trace_id = "0af7651916cd43dd8448eb211c80319c";
        let parent = format!("00-{trace_id}-b7ad6b7169203331-01");
        let (status, spans) =
            spans_of("/api/activities/home", &[(USER_HEADER, "u-1"), ("traceparent", &parent)]).await;
        assert_eq!(status, StatusCode::OK);
        let server = &spans["GET /api/activities/home"];
        assert_eq!(server.span_kind, SpanKind::Server);
        assert_eq!(server.span_context.trace_id().to_string(), trace_id);
        assert_eq!(server.parent_span_id.to_string(), "b7ad6b7169203331");
        for (key, value) in [
            ("http.request.method", "GET"),
            ("http.route", "/api/activities/home"),
            ("http.response.status_code", "200"),
            ("user.id", "u-1"),
        ] {
            assert_eq!(attribute(server, key).as_deref(), Some(value), "{key}");
        }
        let mock = &spans["home-activities-mock-data"];
        assert_eq!(mock.parent_span_id, server.span_context.span_id());
        assert_eq!(attribute(mock, "app.result_length").as_deref(), Some("12"));
        assert_eq!(attribute(mock, "user.id").as_deref(), Some("u-1"));
        assert!(attribute(mock, "app.now").unwrap().starts_with("20"));
        assert_eq!(spans["SELECT activities"].parent_span_id, mock.span_context.span_id());
    }

    #[tokio::test]
    async fn every_route_answers_as_it_should() {
        let known = format!("/api/activities/{}", activities::activity_id(3));
        let unknown = format!("/api/activities/{}", Uuid::nil());
        for (path, status, span) in [
            ("/api/activities/@worf", 200, "GET /api/activities/@{handle}"),
            ("/api/activities/@nobody", 404, "GET /api/activities/@{handle}"),
            ("/api/activities/@quark", 500, "GET /api/activities/@{handle}"),
            (known.as_str(), 200, "GET /api/activities/{uuid}"),
            (unknown.as_str(), 404, "GET /api/activities/{uuid}"),
            ("/api/activities/seven", 422, "GET /api/activities/{uuid}"),
            ("/rollbar/test", 200, "GET /rollbar/test"),
            ("/healthz", 200, "GET /healthz"),
            ("/nowhere", 404, "GET"),
        ] {
            let (found, spans) = spans_of(path, &[]).await;
            assert_eq!(found.as_u16(), status, "{path}");
            assert!(spans.contains_key(span), "{path}: {:?}", spans.keys());
        }
    }

    #[tokio::test]
    async fn a_failing_view_records_its_exception() {
        for (path, span, kind) in [("/api/activities/@quark", "user-activities", "cruddur::LedgerError")] {
            let (_, spans) = spans_of(path, &[]).await;
            let event = spans[span].events.iter().find(|event| event.name == "exception").expect(path);
            let recorded =
                event.attributes.iter().find(|attribute| attribute.key.as_str() == "exception.type");
            assert_eq!(recorded.unwrap().value.to_string(), kind);
            assert!(matches!(spans[span].status, Status::Error { .. }), "{path}");
        }
    }
}
