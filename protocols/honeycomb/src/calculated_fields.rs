//! `/1/derived_columns`: fields computed from an expression whenever a query asks, for one dataset or for all. A field
//! that a board shows cannot be deleted, as with the vendor.

use std::collections::BTreeMap;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};
use tracery_intake::{Caller, Permission};
use tracery_settings::{ALL_DATASETS, Document, DocumentKind, Place};

use crate::Honeycomb;
use crate::documents::Kind;
use crate::event_time::rfc3339_ms;
use crate::input;
use crate::problem::Problem;

const EXPRESSION_CHARS_MAX: usize = 4_095;
const ALIAS_CHARS_MAX: usize = 255;
const DESCRIPTION_CHARS_MAX: usize = 255;

const FIELDS: Kind = Kind {
    stored_as: DocumentKind::CalculatedField,
    name: "Derived column",
    permission: Permission::ManageColumns,
};

fn reply(document: &Document) -> Value {
    json!({
        "id": document.id,
        "alias": document.name,
        "expression": document.body["expression"],
        "description": document.body["description"],
        "created_at": rfc3339_ms(document.created_ms),
        "updated_at": rfc3339_ms(document.updated_ms),
    })
}

/// Alias and body of the field that a request describes.
fn parse(state: &Honeycomb, body: &Bytes) -> Result<(String, Value), Problem> {
    let object = input::object(body)?;
    let alias = input::required_text(&object, "alias", ALIAS_CHARS_MAX)?;
    let expression = match input::text(&object, "expression", EXPRESSION_CHARS_MAX)? {
        Some(expression) => expression,
        None => return Err(Problem::invalid("expression", "missing", "is required")),
    };
    let description = input::text(&object, "description", DESCRIPTION_CHARS_MAX)?.unwrap_or_default();
    state
        .queries
        .check_expression(&expression)
        .map_err(|reason| Problem::invalid("expression", "invalid", reason))?;
    Ok((alias, json!({"expression": expression, "description": description})))
}

pub(crate) async fn list(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(slug): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Json<Value>, Problem> {
    let fields = FIELDS.of_dataset(&state, &caller, &slug).await?;
    if let Some(alias) = query.get("alias") {
        return Ok(Json(reply(&fields.find_named(alias).await?)));
    }
    Ok(Json(fields.all().await?.iter().map(reply).collect()))
}

pub(crate) async fn create(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(slug): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    let fields = FIELDS.of_dataset(&state, &caller, &slug).await?;
    let (alias, body) = parse(&state, &body)?;
    let made = fields.add(Some(alias), body).await?;
    Ok((StatusCode::CREATED, Json(reply(&made))).into_response())
}

pub(crate) async fn read(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((slug, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let fields = FIELDS.of_dataset(&state, &caller, &slug).await?;
    Ok(Json(reply(&fields.find(&id).await?)))
}

pub(crate) async fn update(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((slug, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let fields = FIELDS.of_dataset(&state, &caller, &slug).await?;
    let (alias, body) = parse(&state, &body)?;
    Ok(Json(reply(&fields.replace(&id, Some(&alias), &body).await?)))
}

pub(crate) async fn delete(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((slug, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let fields = FIELDS.of_dataset(&state, &caller, &slug).await?;
    let alias = fields.find(&id).await?.name.unwrap_or_default();
    if let Some(board) = board_that_shows(&state, &caller, &fields.scope, &alias).await? {
        return Err(Problem::conflict(format!("{alias} is used by the board {board}")));
    }
    fields.remove(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The name of a board with a query that the field is part of: a query of the field's dataset, or of any when the field
/// belongs to the environment.
async fn board_that_shows(
    state: &Honeycomb,
    caller: &Caller,
    scope: &str,
    alias: &str,
) -> Result<Option<String>, Problem> {
    let settings = &state.intake.settings;
    let boards = Place { environment: caller.environment, kind: DocumentKind::Board, scope: ALL_DATASETS };
    for board in settings.documents(boards).await? {
        let panels = board.body["panels"].as_array().map_or(&[][..], Vec::as_slice);
        for query_id in panels.iter().filter_map(|panel| panel["query_panel"]["query_id"].as_str()) {
            let query = settings.document_anywhere(caller.environment, DocumentKind::Query, query_id).await?;
            let is_in_scope = |query: &Document| scope == ALL_DATASETS || query.scope == scope;
            if query.is_some_and(|query| is_in_scope(&query) && mentions(&query.body, alias)) {
                return Ok(Some(board.body["name"].as_str().unwrap_or_default().to_owned()));
            }
        }
    }
    Ok(None)
}

/// Whether a query specification names a field, by itself or in an expression.
fn mentions(spec: &Value, alias: &str) -> bool {
    match spec {
        Value::String(text) => text == alias || text.contains(&format!("${alias}")),
        Value::Array(items) => items.iter().any(|item| mentions(item, alias)),
        Value::Object(fields) => fields
            .iter()
            // What a filter compares with is no name.
            .any(|(key, value)| key != "value" && key != "op" && mentions(value, alias)),
        _ => false,
    }
}
