//! `GET /api/v1/services`: services of the last `seconds` with rate, errors and duration.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};
use tracery_model::{Signal, TimeRange};
use tracery_query::{Scope, questions};

use crate::Api;
use crate::caller::Asker;
use crate::error::ApiError;

const SERVICES_MAX: usize = 1_000;
const SECONDS_DEFAULT: i64 = 3_600;
const SECONDS_MAX: i64 = 60 * 86_400;

#[derive(Deserialize)]
pub(crate) struct Parameters {
    seconds: Option<i64>,
}

/// The last `seconds` (an hour unless said), and how many they are.
pub(crate) fn recent(api: &Api, seconds: Option<i64>) -> (TimeRange, i64) {
    let seconds = seconds.unwrap_or(SECONDS_DEFAULT).clamp(1, SECONDS_MAX);
    let now_ns = api.intake.clock.now_ns();
    // A client's clock may run ahead of ours.
    let end_ns = now_ns.saturating_add(60_000_000_000);
    (TimeRange::new(now_ns.saturating_sub(seconds * 1_000_000_000), end_ns), seconds)
}

pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    asker: Asker,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Value>, ApiError> {
    let (time, seconds) = recent(&api, parameters.seconds);
    let scope = Scope { environment: asker.environment, datasets: None, signals: vec![Signal::Span], time };
    let services = questions::services(&api.context, &api.events, &scope, SERVICES_MAX).await?;
    let services: Vec<Value> = services
        .into_iter()
        .map(|service| {
            #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
            let rate_per_s = service.request_count as f64 / seconds as f64;
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
