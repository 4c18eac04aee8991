//! `GET /xray/rejected`: the newest datagrams and documents that were not kept, with their reasons. UDP has no answer, so
//! this is where a sender finds out.

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
    let documents = api.rejected.as_ref().ok_or_else(|| ApiError::not_available("the X-Ray door"))?;
    let rejected: Vec<Value> = documents
        .list(environment.id)
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
