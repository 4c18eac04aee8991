//! `/1/dataset_definitions`: which column of a dataset plays which of sixteen roles. A role that nobody set is
//! played by the first of its usual columns that the dataset has.

use std::collections::BTreeSet;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use tracery_intake::{Caller, Permission};
use tracery_settings::{ALL_DATASETS, Dataset, DocumentKind, Place};

use crate::Honeycomb;
use crate::access::require;
use crate::input;
use crate::problem::Problem;

const ROLES: [(&str, &[&str]); 16] = [
    ("span_id", &["id", "trace.span_id"]),
    ("trace_id", &["trace.trace_id", "traceId"]),
    ("parent_id", &["trace.parent_id", "parentId"]),
    ("name", &["name"]),
    ("service_name", &["service_name", "service.name", "serviceName"]),
    ("duration_ms", &["duration_ms", "durationMs", "request_processing_time"]),
    ("span_kind", &["meta.span_type", "span.kind"]),
    ("annotation_type", &["meta.annotation_type"]),
    ("link_span_id", &["trace.link.span_id"]),
    ("link_trace_id", &["trace.link.trace_id"]),
    ("error", &["error"]),
    ("status", &["response.status_code", "http.status_code", "elb_status_code"]),
    ("route", &["route", "http.route", "request_path"]),
    ("user", &["user.id", "user.email", "request.user.id", "request.user.username"]),
    ("log_severity", &["severity"]),
    ("log_message", &["body"]),
];

const DOCUMENT_ID: &str = "definition";

struct Names {
    columns: BTreeSet<String>,
    calculated: BTreeSet<String>,
}

async fn names(state: &Honeycomb, caller: &Caller, dataset: &Dataset) -> Result<Names, Problem> {
    let columns = crate::columns::all(state, caller, dataset).await?;
    let mut calculated = BTreeSet::new();
    for scope in [dataset.slug.as_str(), ALL_DATASETS] {
        let place = Place { environment: caller.environment, kind: DocumentKind::CalculatedField, scope };
        let documents = state.intake.settings.documents(place).await?;
        calculated.extend(documents.into_iter().filter_map(|document| document.name));
    }
    Ok(Names { columns: columns.into_iter().map(|column| column.key_name).collect(), calculated })
}

fn place<'a>(caller: &Caller, dataset: &'a Dataset) -> Place<'a> {
    Place { environment: caller.environment, kind: DocumentKind::DatasetDefinition, scope: &dataset.slug }
}

async fn chosen(
    state: &Honeycomb,
    caller: &Caller,
    dataset: &Dataset,
) -> Result<Map<String, Value>, Problem> {
    let stored = state.intake.settings.document(place(caller, dataset), DOCUMENT_ID).await?;
    Ok(match stored.map(|document| document.body) {
        Some(Value::Object(roles)) => roles,
        _ => Map::new(),
    })
}

fn reply(chosen: &Map<String, Value>, names: &Names) -> Value {
    ROLES
        .iter()
        .map(|(role, usual)| {
            let played_by = chosen.get(*role).cloned().or_else(|| {
                let name = usual.iter().find(|name| names.columns.contains(**name))?;
                Some(json!({"name": name, "column_type": "column"}))
            });
            ((*role).to_owned(), played_by.unwrap_or(Value::Null))
        })
        .collect::<Map<_, _>>()
        .into()
}

pub(crate) async fn read(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(slug): Path<String>,
) -> Result<Json<Value>, Problem> {
    require(&caller, Permission::ManageColumns)?;
    let dataset = input::dataset(&state, &caller, &slug).await?;
    let names = names(&state, &caller, &dataset).await?;
    Ok(Json(reply(&chosen(&state, &caller, &dataset).await?, &names)))
}

pub(crate) async fn update(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(slug): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    require(&caller, Permission::ManageColumns)?;
    let dataset = input::dataset(&state, &caller, &slug).await?;
    let names = names(&state, &caller, &dataset).await?;
    let mut roles = chosen(&state, &caller, &dataset).await?;
    for (role, value) in input::object(&body)? {
        if !ROLES.iter().any(|(known, _)| *known == role) {
            return Err(Problem::invalid(&role, "invalid", "is not a role of a dataset definition"));
        }
        let name = match &value {
            Value::Null => "",
            Value::Object(object) => match object.get("name") {
                Some(Value::String(name)) => name,
                _ => return Err(Problem::invalid(&role, "incorrect_type", "name must be a string")),
            },
            _ => return Err(Problem::invalid(&role, "incorrect_type", "must be an object")),
        };
        if name.is_empty() {
            roles.remove(&role);
        } else if names.columns.contains(name) {
            roles.insert(role, json!({"name": name, "column_type": "column"}));
        } else if names.calculated.contains(name) {
            roles.insert(role, json!({"name": name, "column_type": "derived_column"}));
        } else {
            return Err(Problem::invalid(&role, "invalid", format!("column {name} does not exist")));
        }
    }
    let settings = &state.intake.settings;
    let body = Value::Object(roles.clone());
    settings.put_document(place(&caller, &dataset), DOCUMENT_ID, None, &body).await?;
    Ok(Json(reply(&roles, &names)))
}
