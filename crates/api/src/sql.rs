//! `POST /api/v1/sql`: one read-only statement over the environment.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use tracery_model::{Signal, TimeRange};
use tracery_query::questions::{self, SqlAnswer, SqlLimits};
use tracery_query::Scope;

use crate::Api;
use crate::caller::Asker;
use crate::error::ApiError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Body {
    sql: String,
    /// Seconds since the epoch.
    start_time: Option<i64>,
    end_time: Option<i64>,
    /// The environment's slug may stand here instead of in the address.
    #[serde(rename = "environment")]
    _environment: Option<String>,
}

pub(crate) async fn run(
    State(api): State<Arc<Api>>,
    asker: Asker,
    Json(body): Json<Body>,
) -> Result<Json<Value>, ApiError> {
    let at_ns = |seconds: i64| seconds.saturating_mul(1_000_000_000);
    let time = TimeRange::new(body.start_time.map_or(i64::MIN, at_ns), body.end_time.map_or(i64::MAX, at_ns));
    let scope =
        Scope { environment: asker.environment, datasets: None, signals: Signal::ALL.to_vec(), time };
    let answer = questions::sql(&api.context, &api.events, &scope, &body.sql, SqlLimits::default()).await?;
    let columns: Vec<Value> =
        answer.columns().into_iter().map(|(name, kind)| json!({ "name": name, "type": kind })).collect();
    let mut rows: Vec<Value> = Vec::new();
    for batch in &answer.batches {
        for row in 0..batch.num_rows() {
            rows.push(batch.columns().iter().map(|column| SqlAnswer::cell(column, row)).collect());
        }
    }
    Ok(Json(json!({ "columns": columns, "rows": rows, "truncated": answer.truncated })))
}
