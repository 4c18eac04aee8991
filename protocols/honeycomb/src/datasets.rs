//! `/1/datasets`: what an environment's events are grouped by.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};
use tracery_intake::{Caller, Permission};
use tracery_settings::{Dataset, DatasetChange};

use crate::Honeycomb;
use crate::access::require;
use crate::event_time::rfc3339_ms;
use crate::input::{self, Object};
use crate::problem::Problem;

const DESCRIPTION_CHARS_MAX: usize = 1_024;
const EXPAND_DEPTH_MAX: i64 = 10;

async fn reply(state: &Honeycomb, caller: &Caller, dataset: &Dataset) -> Result<Value, Problem> {
    let columns = crate::columns::all(state, caller, dataset).await?;
    let mut reply = json!({
        "name": dataset.name,
        "slug": dataset.slug,
        "description": dataset.description,
        "settings": {"delete_protected": dataset.delete_protected},
        "expand_json_depth": dataset.expand_json_depth,
        "regular_columns_count": if columns.is_empty() { Value::Null } else { columns.len().into() },
        "last_written_at": dataset.last_written_ms.map(rfc3339_ms),
        "created_at": rfc3339_ms(dataset.created_ms),
    });
    // The vendor says so of metrics only.
    if dataset.is_metrics {
        reply["dataset_type"] = "metrics".into();
    }
    Ok(reply)
}

/// Whether a new dataset is for metrics.
fn is_metrics(object: &Object) -> Result<bool, Problem> {
    match input::text(object, "dataset_type", 32)?.as_deref() {
        None => Ok(false),
        Some("metrics") => Ok(true),
        Some(_) => Err(Problem::invalid("dataset_type", "invalid", "must be metrics, or left out")),
    }
}

fn change(object: &Object) -> Result<DatasetChange, Problem> {
    Ok(DatasetChange {
        description: input::text(object, "description", DESCRIPTION_CHARS_MAX)?,
        expand_json_depth: input::integer(object, "expand_json_depth", 0, EXPAND_DEPTH_MAX)?,
        delete_protected: input::delete_protected(object)?,
        is_metrics: false,
    })
}

pub(crate) async fn list(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Value>, Problem> {
    let mut replies = Vec::new();
    for dataset in state.intake.settings.datasets(caller.environment).await? {
        replies.push(reply(&state, &caller, &dataset).await?);
    }
    Ok(Json(Value::Array(replies)))
}

pub(crate) async fn create(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Response, Problem> {
    require(&caller, Permission::CreateDatasets)?;
    let object = input::object(&body)?;
    let name = input::required_text(&object, "name", 255)?;
    let change = DatasetChange { is_metrics: is_metrics(&object)?, ..change(&object)? };
    let (dataset, created) = state.intake.settings.create_dataset(caller.environment, &name, &change).await?;
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(reply(&state, &caller, &dataset).await?)).into_response())
}

pub(crate) async fn read(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(slug): Path<String>,
) -> Result<Json<Value>, Problem> {
    let dataset = input::dataset(&state, &caller, &slug).await?;
    Ok(Json(reply(&state, &caller, &dataset).await?))
}

pub(crate) async fn update(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(slug): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    require(&caller, Permission::CreateDatasets)?;
    let change = change(&input::object(&body)?)?;
    let dataset = state
        .intake
        .settings
        .update_dataset(caller.environment, &slug, &change)
        .await?
        .ok_or_else(|| Problem::not_found("Dataset"))?;
    Ok(Json(reply(&state, &caller, &dataset).await?))
}

pub(crate) async fn delete(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(slug): Path<String>,
) -> Result<StatusCode, Problem> {
    require(&caller, Permission::CreateDatasets)?;
    let dataset = input::dataset(&state, &caller, &slug).await?;
    if state.intake.settings.delete_dataset(caller.environment, &dataset.slug).await? {
        return Ok(StatusCode::ACCEPTED);
    }
    Err(Problem::conflict("the dataset is protected from deletion"))
}
