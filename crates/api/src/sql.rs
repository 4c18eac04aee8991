//! `POST /sql`: one read-only statement over `spans`, `logs`, `errors`, `metrics` and `events`, answered at once or as
//! events (see [`crate::running`]).

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use tracery_model::Signal;
use tracery_query::questions::{self, SqlAnswer, SqlLimits};

use crate::error::ApiError;
use crate::extract::{JsonBody, Params};
use crate::identity::Identity;
use crate::{Api, QueryKind, exact, running};

#[derive(Deserialize)]
pub(crate) struct Place {
    environment: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    sql: String,
}

pub(crate) async fn run(
    State(api): State<Api>,
    identity: Identity,
    headers: HeaderMap,
    Params(place): Params<Place>,
    JsonBody(asked): JsonBody<Asked>,
) -> Result<Response, ApiError> {
    let environment = identity.environment(&api, place.environment.as_deref()).await?;
    let scope = api.scope(environment.id, None, &Signal::ALL, None);
    let (context, metrics, events) = (api.context.clone(), api.metrics.clone(), api.events.clone());
    running::answer(&api, (environment.id, QueryKind::Sql), &headers, |progress| async move {
        let events = events.watched(&progress);
        let ask = questions::sql(&context, &events, &scope, &asked.sql, SqlLimits::default());
        Ok(shape(&metrics.observe(QueryKind::Sql, ask).await?))
    })
    .await
}

fn shape(answer: &SqlAnswer) -> Value {
    let columns: Vec<Value> = answer
        .columns()
        .into_iter()
        .map(|(name, type_name)| json!({ "name": name, "type": type_name }))
        .collect();
    let mut rows = Vec::new();
    for batch in &answer.batches {
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter().map(|column| exact::value(SqlAnswer::cell(column, row)));
            rows.push(Value::Array(cells.collect()));
        }
    }
    json!({ "columns": columns, "rows": rows, "truncated": answer.truncated })
}
