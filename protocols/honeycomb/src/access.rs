//! What stands before every management endpoint: the caller is named, requests are counted against a rate limit,
//! bodies are bounded, and the reply carries the rate-limit headers clients parse. Handlers find the [`Caller`] in
//! the request's extensions.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, header};
use parking_lot::Mutex;
use tracery_intake::{Caller, ManagementCaller, Permission, Vouched};
use tracery_settings::KeyKind;

use crate::Honeycomb;
use crate::ingest::team_key;
use crate::problem::Problem;

const BODY_BYTES_MAX: usize = 100_000;
const WINDOW_S: i64 = 60;

/// Requests of each caller in the current minute.
#[derive(Debug)]
pub(crate) struct RateLimit {
    requests_max: u32,
    windows: Mutex<HashMap<i64, (i64, u32)>>,
}

/// Where a caller stands after one more request.
struct Standing {
    limit: u32,
    remaining: u32,
    reset_s: i64,
    exceeded: bool,
    /// When the window ends, epoch seconds.
    ends_s: i64,
}

impl RateLimit {
    pub(crate) fn new(requests_max: u32) -> Arc<Self> {
        Arc::new(Self { requests_max, windows: Mutex::default() })
    }

    fn count(&self, caller: i64, now_s: i64) -> Standing {
        let mut windows = self.windows.lock();
        let window = now_s.div_euclid(WINDOW_S);
        if windows.len() > 10_000 {
            windows.retain(|_, (seen, _)| *seen == window);
        }
        let (seen, count) = windows.entry(caller).or_insert((window, 0));
        if *seen != window {
            (*seen, *count) = (window, 0);
        }
        *count = count.saturating_add(1);
        let ends_s = (window + 1) * WINDOW_S;
        Standing {
            limit: self.requests_max,
            remaining: self.requests_max.saturating_sub(*count),
            reset_s: ends_s - now_s,
            exceeded: *count > self.requests_max,
            ends_s,
        }
    }
}

/// As `Retry-After` of the management API is sent.
pub(crate) fn http_date(epoch_s: i64) -> HeaderValue {
    let format = time::macros::format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    time::OffsetDateTime::from_unix_timestamp(epoch_s)
        .ok()
        .and_then(|instant| instant.format(&format).ok())
        .and_then(|text| text.parse().ok())
        .unwrap_or(HeaderValue::from_static("60"))
}

fn with_headers(mut response: Response, standing: &Standing) -> Response {
    let Standing { limit, remaining, reset_s, .. } = standing;
    let texts = [
        ("ratelimit", format!("limit={limit}, remaining={remaining}, reset={reset_s}")),
        ("ratelimit-policy", format!("{limit};w={WINDOW_S}")),
    ];
    for (name, text) in texts {
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

async fn bounded(request: Request) -> Result<Request, Problem> {
    let (parts, body) = request.into_parts();
    let declared = parts
        .headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<usize>().ok());
    if declared.is_some_and(|bytes| bytes > BODY_BYTES_MAX) {
        return Err(Problem::too_large());
    }
    let bytes = axum::body::to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| Problem::too_large())?;
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// For the `/1` endpoints with a key in `X-Honeycomb-Team`.
pub(crate) async fn environment_caller(
    State(state): State<Honeycomb>,
    mut request: Request,
    next: Next,
) -> Response {
    let vouched = request.extensions().get::<Vouched>().map(|vouched| Caller::of_all(&vouched.environment));
    let caller = match vouched {
        Some(caller) => caller,
        None => match state.intake.caller(team_key(request.headers())).await {
            Ok(caller) => caller,
            Err(error) => return Problem::from(error).into_response(),
        },
    };
    // Ingest keys write events; all they may read is what they are.
    let is_ingest = caller.key.as_ref().is_some_and(|key| key.kind == KeyKind::Ingest);
    if is_ingest && request.uri().path() != "/1/auth" {
        return Problem::forbidden("configuration").into_response();
    }
    let path = request.uri().path();
    // Polling for a result is not counted, and no reply about results tells of the limit, as with the vendor.
    let is_about_results = path.starts_with("/1/query_results");
    let is_limited = request.method() != Method::GET || !is_about_results;
    let standing =
        is_limited.then(|| state.rate_limit.count(caller.environment.0, state.intake.clock.now_s()));
    if let Some(standing) = standing.as_ref().filter(|standing| standing.exceeded) {
        let problem = Problem::rate_limited("too many requests", http_date(standing.ends_s));
        return with_headers(problem.into_response(), standing);
    }
    request.extensions_mut().insert(caller);
    let response = match bounded(request).await {
        Ok(request) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    match standing {
        Some(standing) if !is_about_results => with_headers(response, &standing),
        _ => response,
    }
}

/// For the `/2` endpoints with a management key in `Authorization`.
pub(crate) async fn team_caller(
    State(state): State<Honeycomb>,
    mut request: Request,
    next: Next,
) -> Response {
    let authorization = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let caller = match state.intake.management_caller(authorization).await {
        Ok(caller) => caller,
        Err(error) => return Problem::from(error).into_json_api(),
    };
    // Environment ids are positive, so the team's requests are counted apart.
    let standing = state.rate_limit.count(-1, state.intake.clock.now_s());
    if standing.exceeded {
        let problem = Problem::rate_limited("too many requests", http_date(standing.ends_s));
        return with_headers(problem.into_json_api(), &standing);
    }
    request.extensions_mut().insert(caller);
    let response = match bounded(request).await {
        Ok(request) => next.run(request).await,
        Err(problem) => problem.into_json_api(),
    };
    with_headers(response, &standing)
}

pub(crate) fn require(caller: &Caller, permission: Permission) -> Result<(), Problem> {
    if caller.may(permission) { Ok(()) } else { Err(Problem::forbidden(permission.scope())) }
}

pub(crate) fn require_any(caller: &Caller, permissions: &[Permission]) -> Result<(), Problem> {
    if permissions.iter().any(|permission| caller.may(*permission)) {
        return Ok(());
    }
    Err(Problem::forbidden(permissions.first().map_or("", |permission| permission.scope())))
}

pub(crate) fn require_scope(caller: &ManagementCaller, scope: &str) -> Result<(), Problem> {
    if caller.may(scope) { Ok(()) } else { Err(Problem::forbidden(scope)) }
}

/// Browsers may send events, and read nothing but whether they arrived.
pub(crate) async fn cors(request: Request, next: Next) -> Response {
    let mut response = if request.method() == Method::OPTIONS {
        let mut response = StatusCode::NO_CONTENT.into_response();
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST, OPTIONS"));
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static(
                "content-type, content-encoding, x-honeycomb-team, x-hny-team, x-honeycomb-event-time, \
                 x-honeycomb-samplerate, x-honeycomb-dataset, user-agent",
            ),
        );
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        response
    } else {
        next.run(request).await
    };
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
