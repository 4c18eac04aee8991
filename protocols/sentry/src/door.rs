//! The two endpoints: who sends, what they sent, and the answer in Sentry's form. Browsers send from anywhere, so every answer
//! says that they may.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, RETRY_AFTER,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use serde_json::{Value, json};
use tracery_errors::{Source, payload, sentry};
use tracery_intake::{AuthMode, BodyError, Intake, Permit};
use tracery_settings::{KeyKind, SettingsError};
use tracery_tracker::{Project, TakeError, Taken, TrackerError};

use crate::Sentry;
use crate::envelope::Envelope;

/// The word of `/metrics`.
const DOOR: &str = "sentry";
/// As sent, and inflated.
const BODY_BYTES_MAX: usize = 20 << 20;
const INFLATED_BYTES_MAX: usize = 40 << 20;
/// One event.
const EVENT_BYTES_MAX: usize = 1 << 20;
const RETRY_S: u16 = 30;

/// Why nothing was taken.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    /// The word of `/metrics`.
    word: &'static str,
    detail: String,
}

impl Refusal {
    fn new(status: StatusCode, word: &'static str, detail: impl Into<String>) -> Self {
        Self { status, word, detail: detail.into() }
    }

    fn busy(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "busy", detail)
    }

    fn unavailable(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::warn!(error, "an event was not stored");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "storage", "the server could not complete the request")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut answer = (self.status, Json(json!({ "detail": self.detail }))).into_response();
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            let headers = answer.headers_mut();
            headers.insert(RETRY_AFTER, RETRY_S.into());
            let limits = HeaderValue::from_static("30::organization");
            headers.insert(HeaderName::from_static("x-sentry-rate-limits"), limits);
        }
        answer
    }
}

impl From<TrackerError> for Refusal {
    fn from(error: TrackerError) -> Self {
        Self::unavailable(&error)
    }
}

impl From<SettingsError> for Refusal {
    fn from(error: SettingsError) -> Self {
        Self::unavailable(&error)
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Busy(busy) => Self::busy(busy.to_string()),
            BodyError::TooLarge { .. } | BodyError::TooManyValues { .. } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "envelope exceeded size limits")
            }
            error => Self::new(StatusCode::BAD_REQUEST, "malformed", error.to_string()),
        }
    }
}

/// What a browser asks before it posts.
pub(crate) async fn preflight() -> Response {
    open(StatusCode::OK.into_response())
}

/// Lets any page send.
fn open(mut answer: Response) -> Response {
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (ACCESS_CONTROL_ALLOW_METHODS, "POST, OPTIONS"),
        (
            ACCESS_CONTROL_ALLOW_HEADERS,
            "x-sentry-auth, x-requested-with, x-forwarded-for, origin, accept, content-type, content-encoding",
        ),
        (ACCESS_CONTROL_EXPOSE_HEADERS, "x-sentry-error, x-sentry-rate-limits, retry-after"),
        (ACCESS_CONTROL_MAX_AGE, "600"),
    ] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

/// The project of the path; of those paths that name one, only the first has no place for it.
fn named(project: Option<&Path<String>>) -> &str {
    project.map_or("1", |Path(project)| project)
}

pub(crate) async fn envelope(
    State(state): State<Sentry>,
    project: Option<Path<String>>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    answered(&state, take_envelope(&state, named(project.as_ref()), &uri, &headers, body).await)
}

pub(crate) async fn store(
    State(state): State<Sentry>,
    project: Option<Path<String>>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    answered(&state, take_store(&state, named(project.as_ref()), &uri, &headers, body).await)
}

fn answered(state: &Sentry, taken: Result<Option<String>, Refusal>) -> Response {
    open(match taken {
        Ok(id) => Json(json!({ "id": id })).into_response(),
        Err(refusal) => {
            state.intake.metrics.rejected(DOOR, refusal.word, 1);
            refusal.into_response()
        }
    })
}

async fn take_envelope(
    state: &Sentry,
    project: &str,
    uri: &Uri,
    headers: &HeaderMap,
    body: Body,
) -> Result<Option<String>, Refusal> {
    let (body, mut permit) = read(&state.intake, headers, body).await?;
    let malformed = || Refusal::new(StatusCode::BAD_REQUEST, "malformed", "invalid event envelope");
    let envelope = Envelope::read(&body).ok_or_else(malformed)?;
    let key = key(headers, uri).or_else(|| {
        let dsn = url::Url::parse(envelope.header.get("dsn")?.as_str()?).ok()?;
        Some(dsn.username().to_owned())
    });
    let project = find_project(state, project, key.as_deref()).await?;
    let mut id = envelope.header.get("event_id").and_then(Value::as_str).map(str::to_owned);
    let metrics = &state.intake.metrics;
    for item in &envelope.items {
        match item.kind.as_str() {
            "event" => match event(state, &project, item.payload, &mut permit).await {
                Ok(taken) => id = Some(taken),
                // One that cannot be read does not hold up the others; one that cannot be stored is sent again.
                Err(refusal)
                    if refusal.status.is_client_error()
                        && refusal.status != StatusCode::TOO_MANY_REQUESTS =>
                {
                    metrics.rejected(DOOR, refusal.word, 1);
                    state.tracker.reject(project.id, &refusal.detail, item.payload).await?;
                }
                Err(refusal) => return Err(refusal),
            },
            kind => metrics.dropped(DOOR, dropped(kind), 1),
        }
    }
    if !envelope.is_whole {
        metrics.rejected(DOOR, "malformed", 1);
        state.tracker.reject(project.id, "the envelope could not be read to its end", &body).await?;
        if envelope.items.is_empty() {
            return Err(malformed());
        }
    }
    Ok(id)
}

/// The word of `/metrics` for what is not kept.
fn dropped(kind: &str) -> &'static str {
    const KINDS: [&str; 14] = [
        "session",
        "sessions",
        "client_report",
        "transaction",
        "attachment",
        "user_report",
        "feedback",
        "profile",
        "profile_chunk",
        "replay_event",
        "replay_recording",
        "check_in",
        "statsd",
        "log",
    ];
    KINDS.into_iter().find(|known| *known == kind).unwrap_or("other")
}

async fn take_store(
    state: &Sentry,
    project: &str,
    uri: &Uri,
    headers: &HeaderMap,
    body: Body,
) -> Result<Option<String>, Refusal> {
    let (body, mut permit) = read(&state.intake, headers, body).await?;
    let project = find_project(state, project, key(headers, uri).as_deref()).await?;
    match event(state, &project, &body, &mut permit).await {
        Ok(id) => Ok(Some(id)),
        Err(refusal) => {
            if refusal.status.is_client_error() {
                state.tracker.reject(project.id, &refusal.detail, &body).await?;
            }
            Err(refusal)
        }
    }
}

async fn read(intake: &Intake, headers: &HeaderMap, body: Body) -> Result<(Bytes, Permit), Refusal> {
    let (body, permit) = intake.read_body(headers, body, BODY_BYTES_MAX).await?;
    if body.len() > INFLATED_BYTES_MAX {
        return Err(BodyError::TooLarge { max: INFLATED_BYTES_MAX }.into());
    }
    Ok((body, permit))
}

/// `X-Sentry-Auth: Sentry sentry_key=…, …`, or a parameter of the address.
fn key(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    for name in ["x-sentry-auth", "authorization"] {
        let Some(text) = headers.get(name).and_then(|value| value.to_str().ok()) else { continue };
        let Some(list) = text.trim().strip_prefix("Sentry ") else { continue };
        let mut pairs = list.split(',').filter_map(|pair| pair.trim().split_once('='));
        if let Some((_, key)) = pairs.find(|(name, _)| *name == "sentry_key") {
            return Some(key.trim().to_owned());
        }
    }
    let mut pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    pairs.find(|(name, _)| name == "sentry_key").map(|(_, key)| key.into_owned())
}

/// The project that a key may send to.
async fn find_project(state: &Sentry, named: &str, key: Option<&str>) -> Result<Project, Refusal> {
    let Intake { settings, mode, .. } = &state.intake;
    let key = key.map(str::trim).filter(|key| !key.is_empty());
    let found = match key {
        Some(key) => settings.find_key(key).await?,
        None => None,
    };
    let found = found.filter(|key| key.kind == KeyKind::Rollbar);
    let named: Option<i64> = named.parse().ok();
    let Some(own) = found else {
        if *mode == AuthMode::Required {
            let reason =
                if key.is_none() { "missing authorization information" } else { "bad sentry DSN public key" };
            return Err(Refusal::new(StatusCode::FORBIDDEN, "forbidden", reason));
        }
        let environment = settings.default_environment().await?;
        let project = match named {
            Some(id) => {
                state.tracker.project(id).await?.filter(|project| project.environment == environment.id)
            }
            None => None,
        };
        return match project {
            Some(project) => Ok(project),
            // Any number will do where any key does.
            None => Ok(state.tracker.first_project(environment.id, &environment.slug).await?),
        };
    };
    let refuse = |reason: &str| Refusal::new(StatusCode::FORBIDDEN, "forbidden", reason);
    if !own.may("post_server_item") && !own.may("post_client_item") {
        return Err(refuse("the key may not post"));
    }
    let environment =
        settings.environment(own.environment).await?.ok_or_else(|| refuse("bad sentry DSN public key"))?;
    let settings = state.tracker.token_settings(&own.id).await?;
    let project =
        state.tracker.project_of_token(settings.as_ref(), environment.id, &environment.slug).await?;
    project
        .filter(|project| named == Some(project.id))
        .ok_or_else(|| refuse("event submission rejected with_reason: ProjectId"))
}

/// Takes one event; its id.
async fn event(
    state: &Sentry,
    project: &Project,
    payload: &[u8],
    permit: &mut Permit,
) -> Result<String, Refusal> {
    if payload.len() > EVENT_BYTES_MAX {
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "event exceeded size limits"));
    }
    Intake::admit_json(payload, permit)?;
    let event: Value = serde_json::from_slice(payload).map_err(|error| {
        Refusal::new(StatusCode::BAD_REQUEST, "malformed", format!("invalid JSON: {error}"))
    })?;
    let data = sentry::data(&event);
    let uuid = uuid::Uuid::new_v4().simple().to_string();
    let arrival = payload::Arrival { received_ns: state.intake.clock.now_ns(), uuid: &uuid, peer: None };
    let mut occurrence = payload::read(&data, arrival)
        .map_err(|problems| Refusal::new(StatusCode::BAD_REQUEST, "invalid", problems.join(" ")))?;
    occurrence.source = Source::Sentry;
    let rules = state.tracker.rules(project.id).await?;
    let grouping = tracery_errors::group(&occurrence, &rules, &Value::Object(data));
    match state.tracker.take_in(state.intake.sink.as_ref(), project, &occurrence, grouping).await {
        Ok(Taken::New(_)) => state.intake.metrics.accepted(DOOR, 1),
        Ok(Taken::Known) => state.intake.metrics.dropped(DOOR, "known_uuid", 1),
        Err(TakeError::Sink(error @ tracery_model::SinkError::Busy { .. })) => {
            return Err(Refusal::busy(error.to_string()));
        }
        Err(error) => return Err(Refusal::unavailable(&error)),
    }
    Ok(occurrence.uuid)
}
