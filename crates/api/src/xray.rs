//! `GET /xray/rejected`: the newest datagrams and documents that were not kept, with their reasons. UDP has no answer, so
//! this is where a sender finds out. `GET /xray/telemetry`: what daemons counted, and lost, before anything came here.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Api;
use crate::error::ApiError;
use crate::extract::Params;
use crate::identity::Identity;

#[derive(Deserialize)]
pub(crate) struct Asked {
    environment: Option<String>,
}

pub(crate) async fn rejected(
    State(api): State<Api>,
    identity: Identity,
    Params(asked): Params<Asked>,
) -> Result<Json<Value>, ApiError> {
    let environment = identity.environment(&api, asked.environment.as_deref()).await?;
    let losses = api.xray_losses.as_ref().ok_or_else(|| ApiError::not_available("the X-Ray door"))?;
    let rejected: Vec<Value> = losses
        .rejected(environment.id)
        .into_iter()
        .map(|rejected| {
            json!({
                "received_ms": rejected.received_ms,
                "door": rejected.door,
                "reason": rejected.reason,
                "message": rejected.message,
                "byte_count": rejected.byte_count,
                "text": rejected.text,
            })
        })
        .collect();
    Ok(Json(json!({ "rejected": rejected })))
}

pub(crate) async fn telemetry(
    State(api): State<Api>,
    identity: Identity,
    Params(asked): Params<Asked>,
) -> Result<Json<Value>, ApiError> {
    let environment = identity.environment(&api, asked.environment.as_deref()).await?;
    let losses = api.xray_losses.as_ref().ok_or_else(|| ApiError::not_available("the X-Ray door"))?;
    let records: Vec<Value> = losses
        .daemons(environment.id)
        .into_iter()
        .map(|counts| {
            json!({
                "received_ms": counts.received_ms,
                "counted_ms": counts.counted_ms,
                "hostname": counts.hostname,
                "instance_id": counts.instance_id,
                "resource_arn": counts.resource_arn,
                "received_count": counts.received_count,
                "sent_count": counts.sent_count,
                "spillover_count": counts.spillover_count,
                "rejected_count": counts.rejected_count,
                "connection_error_count": counts.connection_error_count,
            })
        })
        .collect();
    Ok(Json(json!({ "records": records })))
}
