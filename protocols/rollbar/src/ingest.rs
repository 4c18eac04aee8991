//! `POST /api/1/item/`: one error in, answered when it is in the store and in the tracker's inbox. What is refused is told
//! in the vendor's words, counted, and kept where its owner can see it.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri};
use serde_json::{Map, Value, json};
use tracery_errors::{Grouping, Occurrence, Rules, payload};
use tracery_tracker::{TakeError, Taken};

use crate::Rollbar;
use crate::body::{self, Parameters};
use crate::reply::{self, Refusal};
use crate::token::Caller;
use crate::truncate::truncate;

/// The word of `/metrics`.
pub(crate) const DOOR: &str = "rollbar";
/// As sent; what is larger than an occurrence may be is cut, not refused.
const BODY_BYTES_MAX: usize = 8 << 20;
/// Of a refused body: a little more than is kept.
const REJECTED_BYTES_MAX: usize = 8 << 10;
/// Smaller bodies are read where they arrive: handing them to another thread takes longer.
const READ_IN_PLACE_BYTES_MAX: usize = 16 << 10;

pub(crate) async fn post_item(
    State(state): State<Rollbar>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match take(&state, &uri, &headers, body).await {
        Ok((caller, uuid)) => {
            let mut answer = reply::result(json!({ "id": null, "uuid": uuid }));
            answer.extensions_mut().insert(caller.left);
            answer
        }
        Err(refusal) => refusal.into_response(),
    }
}

async fn take(
    state: &Rollbar,
    uri: &Uri,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Caller, String), Refusal> {
    let metrics = &state.intake.metrics;
    let (sent, mut permit) = match body::read(&state.intake, headers, body, BODY_BYTES_MAX).await {
        Ok(read) => read,
        Err(refusal) => {
            metrics.rejected(DOOR, word(&refusal), 1);
            return Err(refusal);
        }
    };
    let parameters = Parameters::of(uri.query());
    let parsed = match body::json(&sent, &mut permit) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Refusal::new(StatusCode::BAD_REQUEST, "the body is no JSON object")),
        Err(refusal) => Err(refusal),
    };
    // A body that cannot be read still has an owner, when its token is a header.
    let of_body = parsed.as_ref().ok().and_then(|members| members.get("access_token"));
    let token = body::token(headers, &parameters, of_body);
    let caller = state.caller(token.as_deref()).await?;
    let Some(project) = caller.project.clone() else {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "insufficient privileges: an account token posts no items.",
        ));
    };
    let refuse = async |refusal: Refusal, sent: &Bytes| {
        metrics.rejected(DOOR, word(&refusal), 1);
        // Whoever may read the list may not know the token.
        let shown = String::from_utf8_lossy(&sent[..sent.len().min(REJECTED_BYTES_MAX)]);
        let shown = match &token {
            Some(token) => shown.replace(token.as_str(), "***"),
            None => shown.into_owned(),
        };
        if let Err(error) = state.tracker.reject(project.id, &refusal.message, shown.as_bytes()).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "a refused item could not be kept");
        }
        Err(refusal)
    };
    let mut members = match parsed {
        Ok(members) => members,
        Err(refusal) => return refuse(refusal, &sent).await,
    };
    let data = match members.remove("data") {
        Some(Value::Object(data)) => data,
        // Old clients send the data as text.
        Some(Value::String(text)) => match serde_json::from_str(&text) {
            Ok(data) => data,
            Err(_) => return refuse(Refusal::invalid("Invalid format. data should be object."), &sent).await,
        },
        _ => {
            return refuse(Refusal::invalid("Invalid format. data is missing and it is required."), &sent)
                .await;
        }
    };
    let platform = data.get("platform").and_then(Value::as_str).map(str::to_owned);
    if let Err(refusal) = caller.may_post(platform.as_deref()) {
        return refuse(refusal, &sent).await;
    }
    let rules = state.tracker.rules(project.id).await?;
    let received_ns = state.intake.clock.now_ns();
    let uuid = uuid::Uuid::new_v4().to_string();
    let work = move || read(data, received_ns, &uuid, &rules);
    let read = match sent.len() <= READ_IN_PLACE_BYTES_MAX {
        true => work(),
        false => state
            .intake
            .decode(sent.len(), false, work)
            .await
            .map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "the item could not be read"))?,
    };
    let (occurrence, grouping) = match read {
        Ok(read) => read,
        Err(refusal) => return refuse(refusal, &sent).await,
    };
    match state.tracker.take_in(state.intake.sink.as_ref(), &project, &occurrence, grouping).await {
        Ok(Taken::New(_)) => metrics.accepted(DOOR, 1),
        Ok(Taken::Known) => metrics.dropped(DOOR, "known_uuid", 1),
        Err(error) => {
            metrics.rejected(DOOR, "storage", 1);
            return Err(match error {
                TakeError::Sink(error) => error.into(),
                TakeError::Tracker(error) => error.into(),
            });
        }
    }
    drop(permit);
    Ok((caller, occurrence.uuid))
}

/// The word of `/metrics` for a refusal.
fn word(refusal: &Refusal) -> &'static str {
    match refusal.status {
        StatusCode::PAYLOAD_TOO_LARGE => "too_large",
        StatusCode::TOO_MANY_REQUESTS => "busy",
        StatusCode::UNPROCESSABLE_ENTITY => "invalid",
        StatusCode::FORBIDDEN => "forbidden",
        _ => "malformed",
    }
}

/// The part of a request that takes time on a processor.
fn read(
    mut data: Map<String, Value>,
    received_ns: i64,
    uuid: &str,
    rules: &Rules,
) -> Result<(Occurrence, Grouping), Refusal> {
    truncate(&mut data);
    let arrival = payload::Arrival { received_ns, uuid, peer: None };
    let occurrence = payload::read(&data, arrival)
        .map_err(|problems| Refusal::invalid(format!("Invalid format. {}", problems.join(" "))))?;
    let grouping = tracery_errors::group(&occurrence, rules, &Value::Object(data));
    Ok((occurrence, grouping))
}
