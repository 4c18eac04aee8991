//! `/1/columns`: what is known of a dataset's columns. A column exists once an event had it or once somebody
//! described it; both kinds are one list here, and an id is made from names so that it needs no record.

use std::collections::BTreeMap;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tracery_intake::{Caller, Permission};
use tracery_settings::{Dataset, DocumentKind, Place};

use crate::Honeycomb;
use crate::access::require;
use crate::event_time::rfc3339_ms;
use crate::input::{self, Object};
use crate::problem::Problem;

const TYPES: [&str; 5] = ["string", "float", "integer", "boolean", "histogram"];
const NAME_CHARS_MAX: usize = 255;
const DESCRIPTION_CHARS_MAX: usize = 255;

#[derive(Debug, Clone)]
pub(crate) struct Column {
    id: String,
    pub(crate) key_name: String,
    column_type: String,
    description: String,
    hidden: bool,
    last_written_ms: Option<i64>,
    created_ms: i64,
    updated_ms: i64,
    /// Whether metadata of this column is stored.
    described: bool,
}

impl Column {
    fn reply(&self) -> Value {
        json!({
            "id": self.id,
            "key_name": self.key_name,
            "type": self.column_type,
            "description": self.description,
            "hidden": self.hidden,
            "last_written": self.last_written_ms.map(rfc3339_ms),
            "created_at": rfc3339_ms(self.created_ms),
            "updated_at": rfc3339_ms(self.updated_ms),
        })
    }

    fn body(&self) -> Value {
        json!({"type": self.column_type, "description": self.description, "hidden": self.hidden})
    }
}

fn place<'a>(caller: &Caller, dataset: &'a Dataset) -> Place<'a> {
    Place { environment: caller.environment, kind: DocumentKind::Column, scope: &dataset.slug }
}

fn column_id(caller: &Caller, dataset: &Dataset, key_name: &str) -> String {
    let text = format!("{}/{}/{key_name}", caller.environment, dataset.slug);
    hex::encode(&Sha256::digest(text.as_bytes())[..11])
}

/// Every column of a dataset, by name.
pub(crate) async fn all(
    state: &Honeycomb,
    caller: &Caller,
    dataset: &Dataset,
) -> Result<Vec<Column>, Problem> {
    let written = state.queries.columns(caller.environment, &dataset.name).await.map_err(|reason| {
        tracing::warn!(reason, "columns cannot be listed");
        Problem::unavailable()
    })?;
    let mut columns: BTreeMap<String, Column> = written
        .into_iter()
        .map(|info| {
            let column = Column {
                id: column_id(caller, dataset, &info.name),
                key_name: info.name.clone(),
                column_type: info.column_type.to_owned(),
                description: String::new(),
                hidden: false,
                last_written_ms: info.last_written_ms,
                created_ms: dataset.created_ms,
                updated_ms: info.last_written_ms.unwrap_or(dataset.created_ms),
                described: false,
            };
            (info.name, column)
        })
        .collect();
    for document in state.intake.settings.documents(place(caller, dataset)).await? {
        let Some(key_name) = document.name else { continue };
        let seen = columns.get(&key_name);
        if let Some(deleted_ms) = document.body["deleted_ms"].as_i64() {
            // A deleted column comes back when an event has it again.
            if seen.is_some_and(|column| column.last_written_ms.is_none_or(|written| written <= deleted_ms)) {
                columns.remove(&key_name);
            }
            continue;
        }
        let column = Column {
            id: column_id(caller, dataset, &key_name),
            column_type: document.body["type"].as_str().unwrap_or("string").to_owned(),
            description: document.body["description"].as_str().unwrap_or_default().to_owned(),
            hidden: document.body["hidden"].as_bool().unwrap_or(false),
            last_written_ms: seen.and_then(|column| column.last_written_ms),
            created_ms: document.created_ms,
            updated_ms: document.updated_ms,
            described: true,
            key_name: key_name.clone(),
        };
        columns.insert(key_name, column);
    }
    Ok(columns.into_values().collect())
}

async fn find(
    state: &Honeycomb,
    caller: &Caller,
    slug: &str,
    id: &str,
) -> Result<(Dataset, Column), Problem> {
    require(caller, Permission::ManageColumns)?;
    let dataset = input::dataset(state, caller, slug).await?;
    let columns = all(state, caller, &dataset).await?;
    let column = columns.into_iter().find(|column| column.id == id);
    Ok((dataset, column.ok_or_else(|| Problem::not_found("Column"))?))
}

async fn save(
    state: &Honeycomb,
    caller: &Caller,
    dataset: &Dataset,
    column: &Column,
    body: &Value,
) -> Result<(), Problem> {
    let place = place(caller, dataset);
    let settings = &state.intake.settings;
    Ok(settings.put_document(place, &column.id, Some(&column.key_name), body).await?)
}

fn apply(column: &mut Column, object: &Object) -> Result<(), Problem> {
    if let Some(column_type) = input::text(object, "type", 32)? {
        if !TYPES.contains(&column_type.as_str()) {
            return Err(Problem::invalid("type", "invalid", format!("must be one of {}", TYPES.join(", "))));
        }
        column.column_type = column_type;
    }
    if let Some(description) = input::text(object, "description", DESCRIPTION_CHARS_MAX)? {
        column.description = description;
    }
    if let Some(hidden) = input::flag(object, "hidden")? {
        column.hidden = hidden;
    }
    Ok(())
}

pub(crate) async fn list(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(slug): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Json<Value>, Problem> {
    require(&caller, Permission::ManageColumns)?;
    let dataset = input::dataset(&state, &caller, &slug).await?;
    let columns = all(&state, &caller, &dataset).await?;
    if let Some(wanted) = query.get("key_name") {
        let column = columns.iter().find(|column| column.key_name == *wanted);
        return Ok(Json(column.ok_or_else(|| Problem::not_found("Column"))?.reply()));
    }
    Ok(Json(columns.iter().map(Column::reply).collect()))
}

pub(crate) async fn create(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(slug): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    require(&caller, Permission::ManageColumns)?;
    let dataset = input::dataset(&state, &caller, &slug).await?;
    let object = input::object(&body)?;
    let key_name = input::required_text(&object, "key_name", NAME_CHARS_MAX)?;
    if all(&state, &caller, &dataset).await?.iter().any(|column| column.key_name == key_name) {
        return Err(Problem::conflict(format!("column {key_name} already exists")));
    }
    let now_ms = state.intake.clock.now_ms();
    let mut column = Column {
        id: column_id(&caller, &dataset, &key_name),
        key_name,
        column_type: "string".to_owned(),
        description: String::new(),
        hidden: false,
        last_written_ms: None,
        created_ms: now_ms,
        updated_ms: now_ms,
        described: true,
    };
    apply(&mut column, &object)?;
    save(&state, &caller, &dataset, &column, &column.body()).await?;
    Ok((StatusCode::CREATED, Json(column.reply())).into_response())
}

pub(crate) async fn read(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((slug, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(find(&state, &caller, &slug, &id).await?.1.reply()))
}

pub(crate) async fn update(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((slug, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let (dataset, mut column) = find(&state, &caller, &slug, &id).await?;
    apply(&mut column, &input::object(&body)?)?;
    save(&state, &caller, &dataset, &column, &column.body()).await?;
    column.updated_ms = state.intake.clock.now_ms();
    Ok(Json(column.reply()))
}

pub(crate) async fn delete(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((slug, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (dataset, column) = find(&state, &caller, &slug, &id).await?;
    if column.described && column.last_written_ms.is_none() {
        state.intake.settings.delete_document(place(&caller, &dataset), &column.id).await?;
    } else {
        let tombstone = json!({"deleted_ms": state.intake.clock.now_ms()});
        save(&state, &caller, &dataset, &column, &tombstone).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
