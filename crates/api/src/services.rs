//! `GET /services`: what sent spans lately, how much, how slow and how broken.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use tracery_model::Signal;
use tracery_query::questions;

use crate::error::ApiError;
use crate::extract::Params;
use crate::identity::Identity;
use crate::{Api, QueryKind};

const SECONDS_DEFAULT: u32 = 3_600;
const SERVICES_MAX: usize = 1_000;

#[derive(Deserialize)]
pub(crate) struct Asked {
    environment: Option<String>,
    seconds: Option<u32>,
}

pub(crate) async fn list(
    State(api): State<Api>,
    identity: Identity,
    Params(asked): Params<Asked>,
) -> Result<Json<Value>, ApiError> {
    let environment = identity.environment(&api, asked.environment.as_deref()).await?;
    let seconds = asked.seconds.unwrap_or(SECONDS_DEFAULT).max(1);
    let scope = api.scope(environment.id, None, &[Signal::Span], Some(seconds));
    let _permit = api.questions.acquire().await.map_err(|_| ApiError::busy())?;
    let ask = questions::services(&api.context, &api.events, &scope, SERVICES_MAX);
    let services: Vec<Value> = api
        .metrics
        .observe(QueryKind::Services, ask)
        .await?
        .into_iter()
        .map(|service| {
            #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
            let rate_per_s = service.request_count as f64 / f64::from(seconds);
            json!({
                "name": service.name,
                "request_count": service.request_count,
                "error_count": service.error_count,
                "rate_per_s": rate_per_s,
                "duration_p50_ms": service.duration_p50_ms,
                "duration_p99_ms": service.duration_p99_ms,
                "last_seen_ms": service.last_seen_ms,
            })
        })
        .collect();
    Ok(Json(json!({ "services": services })))
}
