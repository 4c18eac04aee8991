//! What every request passes before a door sees it: counting, the Host and Origin checks that keep web pages out,
//! and a deadline for bodies. The order is the list in [`around`].

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    CONNECTION, CONTENT_TYPE, HOST, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use hyper::body::{Frame, SizeHint};
use tokio::time::Sleep;
use tracery_model::OWN_SPANS;
use tracery_store::Store;
use tracing::Instrument as _;

use super::metrics::Requests;
use super::self_trace::OTHER_METHOD;

/// Names under which unmodified clients know their vendor: they come through a proxy setting or a hosts file.
const VENDOR_HOSTS: &[&str] = &["api.honeycomb.io", "api.eu1.honeycomb.io", "api.rollbar.com"];

/// AWS SDKs put these before the host that they were given for Live Tail. What comes of a loopback's name or address is no
/// name that a domain could have.
const LIVE_PREFIXES: &[&str] = &["stream-", "streaming-"];

/// Paths that browsers rightly send telemetry to from pages of other origins. Everything else, which can be read or
/// changes settings, is for pages of our own.
const TELEMETRY_PATHS: &[&str] = &["/v1/traces", "/v1/logs", "/v1/metrics", "/1/events/", "/1/batch/"];

/// The same for posting only: reading what lies there is for pages of our own.
const ITEM_PATHS: &[&str] = &["/api/1/item", "/api/item"];

#[derive(Clone)]
pub(crate) struct Guard {
    /// Whether credentials are verified: then any host name may lead here.
    pub(crate) verified: bool,
    pub(crate) requests: Arc<Requests>,
    /// How long a client may take to send a body.
    pub(crate) body_patience: Duration,
    /// Told when a request failed inside, which may be because of a damaged part.
    pub(crate) store: Option<Store>,
}

/// Puts the checks around a router. A request passes them from the last line to the first, an answer the other way.
pub(crate) fn around(router: Router, guard: Guard) -> Router {
    router
        // 6. A panic, which is a defect here or below, ends one request and not its connection.
        .layer(from_fn(answer_panic))
        // 5. A slow body does not hold a door for ever.
        .layer(from_fn_with_state(guard.clone(), deadline))
        // 4. A page of another origin neither reads nor changes anything.
        .layer(from_fn(check_origin))
        // 3. In open mode no name but a loopback's leads here (DNS rebinding).
        .layer(from_fn_with_state(guard.clone(), check_host))
        // 2. Browsers are told to take answers for what they say they are.
        .layer(from_fn(security_headers))
        // 1. Everything is counted, refusals too.
        .layer(from_fn_with_state(guard, count))
}

async fn count(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    // The pattern, not the path: paths are as many as there are clients' ideas.
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let span = tracing::info_span!(
        target: OWN_SPANS,
        "request",
        http.request.method = known_method(&method),
        http.route = route.as_deref().unwrap_or("(no route)"),
        http.response.status_code = tracing::field::Empty,
    );
    let response = next.run(request).instrument(span.clone()).await;
    let status = response.status();
    span.record("http.response.status_code", status.as_u16());
    guard.requests.count(status.as_u16(), started.elapsed());
    if let Some(store) = guard.store.as_ref().filter(|_| status == StatusCode::INTERNAL_SERVER_ERROR) {
        store.suspect();
    }
    response
}

/// Methods are as many as there are clients' ideas; OpenTelemetry has one word for those that are none of HTTP's.
fn known_method(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or(OTHER_METHOD)
}

async fn answer_panic(request: Request, next: Next) -> Response {
    let answer = std::panic::AssertUnwindSafe(next.run(request)).catch_unwind().await;
    answer.unwrap_or_else(|_| {
        // What it said and where was printed when it happened.
        tracing::error!("a request ended in a panic: a defect of the server");
        let body =
            serde_json::json!({ "error": { "code": "internal", "message": "the server made a mistake" } });
        (StatusCode::INTERNAL_SERVER_ERROR, axum::Json(body)).into_response()
    })
}

async fn security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in
        [(X_CONTENT_TYPE_OPTIONS, "nosniff"), (X_FRAME_OPTIONS, "DENY"), (REFERRER_POLICY, "no-referrer")]
    {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

async fn check_host(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    if guard.verified || host_is_ours(&request) {
        return next.run(request).await;
    }
    refuse("without --auth required only loopback names lead here; this request names another host")
}

async fn check_origin(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_write = matches!(*request.method(), Method::POST | Method::OPTIONS);
    let telemetry = TELEMETRY_PATHS.iter().any(|prefix| path.starts_with(prefix))
        || is_write && is_error_path(path.trim_end_matches('/'));
    if telemetry || origin_is_ours(&request) {
        return next.run(request).await;
    }
    refuse("a page of another origin may not ask this")
}

/// Where SDKs in browsers post errors: Rollbar's items, Sentry's envelopes.
fn is_error_path(path: &str) -> bool {
    let of_sentry = |rest: &str| matches!(rest.split_once('/'), Some((_, "envelope" | "store")));
    ITEM_PATHS.contains(&path) || path.strip_prefix("/api/").is_some_and(of_sentry)
}

fn refuse(reason: &'static str) -> Response {
    let body = serde_json::json!({ "error": { "code": "forbidden", "message": reason } });
    (StatusCode::FORBIDDEN, axum::Json(body)).into_response()
}

/// Where the request says it goes: `Host`, and the authority of an absolute-form target or of HTTP/2.
fn hosts(request: &Request) -> Option<Vec<Authority>> {
    let mut hosts = Vec::new();
    if let Some(authority) = request.uri().authority() {
        hosts.push(authority.clone());
    }
    for value in request.headers().get_all(HOST) {
        hosts.push(value.to_str().ok()?.parse().ok()?);
    }
    (!hosts.is_empty()).then_some(hosts)
}

fn host_is_ours(request: &Request) -> bool {
    hosts(request).is_some_and(|hosts| hosts.iter().all(|authority| is_loopback(authority.host())))
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let host = LIVE_PREFIXES.iter().find_map(|prefix| host.strip_prefix(prefix)).unwrap_or(&host);
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || VENDOR_HOSTS.contains(&host)
        || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// No origin (no page asked), or the one this request goes to.
fn origin_is_ours(request: &Request) -> bool {
    let mut origins = request.headers().get_all(ORIGIN).iter();
    let Some(origin) = origins.next() else { return !is_cross_site(request.headers()) };
    let Some(authority) = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")))
    else {
        return false;
    };
    origins.next().is_none()
        && hosts(request)
            .is_some_and(|hosts| hosts.iter().all(|host| host.as_str().eq_ignore_ascii_case(authority)))
}

/// What a browser says of a request without an origin (an image, a script). Following a link to us is fine.
fn is_cross_site(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    text("sec-fetch-site") == Some("cross-site") && text("sec-fetch-mode") != Some("navigate")
}

async fn deadline(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    if body.is_end_stream() {
        return next.run(Request::from_parts(parts, body)).await;
    }
    // gRPC has statuses of its own.
    let is_grpc =
        text_of(&parts.headers, CONTENT_TYPE).is_some_and(|text| text.starts_with("application/grpc"));
    let is_late = Arc::new(AtomicBool::new(false));
    let patience = guard.body_patience;
    let body = Body::new(Deadlined { body, sleep: None, patience, is_late: Arc::clone(&is_late) });
    let response = next.run(Request::from_parts(parts, body)).await;
    if is_grpc || !is_late.load(Ordering::Relaxed) {
        return response;
    }
    let reason = format!("the body did not arrive within {} s", patience.as_secs());
    let body = axum::Json(serde_json::json!({ "error": reason }));
    // The rest of the body is not waited for, so nothing more can be said on this connection.
    (StatusCode::REQUEST_TIMEOUT, [(CONNECTION, "close")], body).into_response()
}

fn text_of(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// A body that fails when it takes too long. The timer starts when the body is first waited for.
struct Deadlined {
    body: Body,
    sleep: Option<Pin<Box<Sleep>>>,
    patience: Duration,
    is_late: Arc<AtomicBool>,
}

impl HttpBody for Deadlined {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            return Poll::Ready(frame);
        }
        let patience = self.patience;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        ready!(sleep.as_mut().poll(context));
        self.is_late.store(true, Ordering::Relaxed);
        Poll::Ready(Some(Err(axum::Error::new(std::io::Error::other("the body did not arrive in time")))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::any;
    use tower::ServiceExt as _;

    use super::*;

    fn guard(verified: bool) -> Guard {
        Guard { verified, requests: Arc::default(), body_patience: Duration::from_secs(60), store: None }
    }

    async fn status(verified: bool, uri: &str, headers: &[(&str, &str)]) -> u16 {
        let guard = guard(verified);
        let router = around(Router::new().fallback(any(|| async { "in" })), guard);
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status().as_u16()
    }

    #[test]
    fn unknown_methods_are_one() {
        for (sent, kept) in [("GET", "GET"), ("PATCH", "PATCH"), ("get", "_OTHER"), ("SURPRISE", "_OTHER")] {
            assert_eq!(known_method(&Method::from_bytes(sent.as_bytes()).unwrap()), kept);
        }
    }

    #[tokio::test]
    async fn a_panic_is_an_answer() {
        let guard = guard(true);
        let handler = || async {
            if std::hint::black_box(true) {
                panic!("on purpose")
            }
        };
        let router = around(Router::new().fallback(any(handler)), guard);
        let request = Request::builder().uri("/").body(Body::empty()).unwrap();
        assert_eq!(router.oneshot(request).await.unwrap().status(), 500);
    }

    #[tokio::test]
    async fn in_open_mode_only_loopback_names_lead_here() {
        for host in
            ["localhost:8080", "127.0.0.1", "127.9.9.9:1", "[::1]:8080", "api.honeycomb.io", "LOCALHOST."]
        {
            assert_eq!(status(false, "/", &[("host", host)]).await, 200, "{host}");
        }
        for host in
            ["evil.example", "localhost.evil.example", "192.168.1.2", "127.0.0.1.evil.example", "a b", ""]
        {
            assert_eq!(status(false, "/", &[("host", host)]).await, 403, "{host}");
        }
        assert_eq!(status(false, "/", &[]).await, 403);
        assert_eq!(
            status(false, "http://api.honeycomb.io/1/auth", &[("host", "api.honeycomb.io")]).await,
            200
        );
        assert_eq!(status(false, "http://evil.example/", &[("host", "localhost")]).await, 403);
        assert_eq!(status(true, "/", &[("host", "tracery.example")]).await, 200);
    }

    #[tokio::test]
    async fn pages_of_other_origins_only_send_telemetry() {
        let host = ("host", "localhost:8080");
        for (path, origin, expected) in [
            ("/api/v1/keys", "http://localhost:8080", 200),
            ("/api/v1/keys", "http://localhost:9999", 403),
            ("/api/v1/keys", "https://evil.example", 403),
            ("/api/v1/keys", "null", 403),
            ("/metrics", "https://evil.example", 403),
            ("/1/boards", "https://evil.example", 403),
            ("/1/events/shop", "https://evil.example", 200),
            ("/v1/traces", "https://evil.example", 200),
        ] {
            for verified in [false, true] {
                assert_eq!(
                    status(verified, path, &[host, ("origin", origin)]).await,
                    expected,
                    "{path} {origin}"
                );
            }
        }
        let cross = ("sec-fetch-site", "cross-site");
        assert_eq!(status(false, "/", &[host, cross]).await, 403);
        assert_eq!(status(false, "/", &[host, cross, ("sec-fetch-mode", "navigate")]).await, 200);
    }
}
