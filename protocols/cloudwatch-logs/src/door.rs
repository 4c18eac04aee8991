//! The HTTP side: everything comes as `POST /`. A request that names an operation in `X-Amz-Target` is CloudWatch's; a form
//! that asks for the caller's identity is for STS, because clients with one endpoint for all services ask it there. Bodies
//! may be compressed; a signature covers them as sent.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use http::header::CONTENT_ENCODING;
use tracery_aws_wire::logs::{Operation, errors};
use tracery_aws_wire::{Error, Protocol};
use tracery_intake::{BodyError, Intake};
use uuid::Uuid;

use crate::operations::{self, Reply};
use crate::{CloudWatchLogs, caller, sts};

const TARGET: &str = "x-amz-target";

/// The one route of this door.
pub fn routes(state: CloudWatchLogs) -> Router {
    Router::new().route("/", post(call)).with_state(state)
}

async fn call(State(state): State<CloudWatchLogs>, request: Request) -> Response {
    let request_id = Uuid::new_v4().to_string();
    let (parts, body) = request.into_parts();
    if !parts.headers.contains_key(TARGET) && sts::is_asked(&parts.headers) {
        return sts::answer(&state, parts, body, &request_id).await;
    }
    match answer(&state, parts, body, &request_id).await {
        Ok(Reply::Body(body)) => Protocol::Json11.answer(body, &request_id).map(Body::from).into_response(),
        Ok(Reply::Stream(response)) => response,
        Err(error) => Protocol::Json11.error(&error, &request_id).map(Body::from).into_response(),
    }
}

async fn answer(state: &CloudWatchLogs, parts: Parts, body: Body, request_id: &str) -> Result<Reply, Error> {
    let target = parts.headers.get(TARGET).and_then(|target| target.to_str().ok());
    let operation = target
        .and_then(Operation::route)
        .ok_or_else(|| tracery_aws_wire::unknown_operation(Protocol::Json11))?;
    let (sent, mut permit) = read(&state.intake, &parts, body).await.map_err(unread)?;
    let caller = caller::find(&state.intake, caller::LOGS, &parts, &sent).await?;
    state.throttle.take(operation, &caller, state.intake.clock.now_ns())?;
    let encoding = parts.headers.get(CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("unreadable"));
    let body = state.intake.inflate(encoding, sent, &mut permit).map_err(unread)?;
    Intake::admit_json(&body, &mut permit).map_err(unread)?;
    let request = operations::Request { operation, body: &body, request_id };
    operations::answer(state, &caller, request).await
}

/// The body as it was sent.
pub(crate) async fn read(
    intake: &Intake,
    parts: &Parts,
    body: Body,
) -> Result<(Bytes, tracery_intake::Permit), BodyError> {
    intake.read_sent(&parts.headers, body, intake.limits.body_bytes_max).await
}

pub(crate) fn unread(error: BodyError) -> Error {
    match error {
        BodyError::TooLarge { .. } | BodyError::TooManyValues { .. } => Error::too_large(),
        BodyError::Busy(busy) => Error::new(&errors::SERVICE_UNAVAILABLE_EXCEPTION, busy.to_string()),
        other => Error::serialization(other.to_string()),
    }
}
