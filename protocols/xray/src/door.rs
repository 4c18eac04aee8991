//! The HTTP side: finds operation and caller of a request, has it answered, and spells answer or error as the protocol
//! does. Bodies are read as real clients send them: empty, without a content type, or as JSON.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tracery_aws_wire::xray::Operation;
use tracery_aws_wire::{Error, Protocol};
use tracery_intake::{BodyError, Caller, CallerError};
use uuid::Uuid;

use crate::{XRay, operations};

/// One route for each operation: `POST /TraceSegments` and so on.
pub fn routes(state: XRay) -> Router {
    let mut router = Router::new();
    for operation in Operation::ALL {
        router = router.route(operation.spec().path, post(call));
    }
    router.with_state(state)
}

async fn call(State(state): State<XRay>, request: Request) -> Response {
    let request_id = Uuid::new_v4().to_string();
    let answer = match answer(&state, request).await {
        Ok(body) => Protocol::RestJson.answer(body, &request_id),
        Err(error) => Protocol::RestJson.error(&error, &request_id),
    };
    answer.map(Body::from).into_response()
}

async fn answer(state: &XRay, request: Request) -> Result<bytes::Bytes, Error> {
    let (parts, body) = request.into_parts();
    let operation = Operation::route(&parts.method, parts.uri.path())
        .ok_or_else(|| tracery_aws_wire::unknown_operation(Protocol::RestJson))?;
    let (sent, mut permit) = state
        .intake
        .read_sent(&parts.headers, body, state.intake.limits.body_bytes_max)
        .await
        .map_err(unread)?;
    let caller = caller(state).await?;
    let encoding =
        parts.headers.get(http::header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("unreadable"));
    let body = state.intake.inflate(encoding, sent, &mut permit).map_err(unread)?;
    operations::answer(state, &caller, operation, &body).await
}

async fn caller(state: &XRay) -> Result<Caller, Error> {
    state.intake.caller(None).await.map_err(|error| match error {
        CallerError::Missing | CallerError::Unknown => {
            Error::common("MissingAuthenticationTokenException", 403, "Missing Authentication Token")
        }
        CallerError::Unavailable(reason) => {
            tracing::warn!(reason, "settings are unavailable");
            Error::internal()
        }
    })
}

fn unread(error: BodyError) -> Error {
    match error {
        BodyError::TooLarge { .. } => Error::too_large(),
        other => Error::serialization(other.to_string()),
    }
}
