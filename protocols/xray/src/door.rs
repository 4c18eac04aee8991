//! The HTTP side: finds operation and caller of a request, has it answered, and spells answer or error as the protocol
//! does. Bodies are read as real clients send them: empty, without a content type, or as JSON.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tracery_aws_wire::xray::Operation;
use tracery_aws_wire::{Error, Protocol};
use tracery_intake::{AuthMode, BodyError, Intake, Unverified};
use tracery_model::EnvironmentId;
use uuid::Uuid;

use crate::{XRay, caller, operations};

/// What a route holds.
#[derive(Clone)]
struct Door {
    xray: XRay,
    unverified: Unverified,
}

/// What SDKs ask of a daemon, which they never sign.
const DAEMONS_OPERATIONS: &[Operation] = &[
    Operation::GetSamplingRules,
    Operation::GetSamplingTargets,
    Operation::PutTelemetryRecords,
    Operation::PutTraceSegments,
];

impl Door {
    /// In required mode the daemon's port lets nobody read without a signature, though it is only reached from here.
    fn unverified_for(&self, operation: Operation) -> Unverified {
        let is_daemons = DAEMONS_OPERATIONS.contains(&operation);
        match self.xray.intake.mode {
            AuthMode::Required if !is_daemons => Unverified::AsMode,
            AuthMode::Required | AuthMode::Open => self.unverified,
        }
    }
}

/// One route for each operation: `POST /TraceSegments` and so on.
pub fn routes(state: XRay) -> Router {
    routes_for(Door { xray: state, unverified: Unverified::AsMode })
}

/// The same on the daemon's port, where SDKs do not sign: whoever has no key of ours is in `environment`. In required mode
/// that goes for what daemons are asked only.
pub fn daemon_routes(state: XRay, environment: EnvironmentId) -> Router {
    routes_for(Door { xray: state, unverified: Unverified::In(environment) })
}

fn routes_for(door: Door) -> Router {
    let mut router = Router::new();
    for operation in Operation::ALL {
        router = router.route(operation.spec().path, post(call));
    }
    router.with_state(door)
}

async fn call(State(door): State<Door>, request: Request) -> Response {
    let request_id = Uuid::new_v4().to_string();
    let answer = match answer(&door, request).await {
        Ok(body) => Protocol::RestJson.answer(body, &request_id),
        Err(error) => Protocol::RestJson.error(&error, &request_id),
    };
    answer.map(Body::from).into_response()
}

async fn answer(door: &Door, request: Request) -> Result<bytes::Bytes, Error> {
    let state = &door.xray;
    let (parts, body) = request.into_parts();
    let operation = Operation::route(&parts.method, parts.uri.path())
        .ok_or_else(|| tracery_aws_wire::unknown_operation(Protocol::RestJson))?;
    let (sent, mut permit) = state
        .intake
        .read_sent(&parts.headers, body, state.intake.limits.body_bytes_max)
        .await
        .map_err(unread)?;
    let caller = caller::find(&state.intake, &parts, &sent, door.unverified_for(operation)).await?;
    let encoding =
        parts.headers.get(http::header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("unreadable"));
    let body = state.intake.inflate(encoding, sent, &mut permit).map_err(unread)?;
    Intake::admit_json(&body, &mut permit).map_err(unread)?;
    operations::answer(state, &caller, operation, &body).await
}

fn unread(error: BodyError) -> Error {
    match error {
        BodyError::TooLarge { .. } | BodyError::TooManyValues { .. } => Error::too_large(),
        BodyError::Busy(busy) => operations::throttled(busy.to_string()),
        other => Error::serialization(other.to_string()),
    }
}
