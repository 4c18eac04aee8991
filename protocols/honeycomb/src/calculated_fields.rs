//! `/1/derived_columns`: fields computed from an expression whenever a query asks, for one dataset or for all.

use std::collections::BTreeMap;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};
use tracery_intake::{Caller, Permission};
use tracery_settings::{Document, DocumentKind, NewDocument, Place, SettingsError};

use crate::Honeycomb;
use crate::access::require;
use crate::event_time::rfc3339_ms;
use crate::input;
use crate::problem::Problem;

const EXPRESSION_CHARS_MAX: usize = 4_095;
const ALIAS_CHARS_MAX: usize = 255;
const DESCRIPTION_CHARS_MAX: usize = 255;

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

fn place<'a>(caller: &Caller, scope: &'a str) -> Place<'a> {
    Place { environment: caller.environment, kind: DocumentKind::CalculatedField, scope }
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

fn conflict(error: SettingsError) -> Problem {
    match error {
        SettingsError::Exists(alias) => {
            Problem::conflict(format!("a calculated field with the alias {alias} already exists"))
        }
        other => other.into(),
    }
}

pub(crate) async fn list(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(slug): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Json<Value>, Problem> {
    require(&caller, Permission::ManageColumns)?;
    let scope = input::scope(&state, &caller, &slug).await?;
    if let Some(alias) = query.get("alias") {
        let found = state.intake.settings.document_named(place(&caller, &scope), alias).await?;
        return Ok(Json(reply(&found.ok_or_else(|| Problem::not_found("Derived column"))?)));
    }
    let documents = state.intake.settings.documents(place(&caller, &scope)).await?;
    Ok(Json(documents.iter().map(reply).collect()))
}

pub(crate) async fn create(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(slug): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    require(&caller, Permission::ManageColumns)?;
    let scope = input::scope(&state, &caller, &slug).await?;
    let (alias, body) = parse(&state, &body)?;
    let new = NewDocument { name: Some(alias), body, ..Default::default() };
    let made = state.intake.settings.create_document(place(&caller, &scope), new).await.map_err(conflict)?;
    Ok((StatusCode::CREATED, Json(reply(&made))).into_response())
}

pub(crate) async fn read(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((slug, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    require(&caller, Permission::ManageColumns)?;
    let scope = input::scope(&state, &caller, &slug).await?;
    let found = state.intake.settings.document(place(&caller, &scope), &id).await?;
    Ok(Json(reply(&found.ok_or_else(|| Problem::not_found("Derived column"))?)))
}

pub(crate) async fn update(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((slug, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    require(&caller, Permission::ManageColumns)?;
    let scope = input::scope(&state, &caller, &slug).await?;
    let (alias, body) = parse(&state, &body)?;
    let settings = &state.intake.settings;
    let changed = settings
        .replace_document(place(&caller, &scope), &id, Some(&alias), &body)
        .await
        .map_err(conflict)?;
    Ok(Json(reply(&changed.ok_or_else(|| Problem::not_found("Derived column"))?)))
}

pub(crate) async fn delete(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((slug, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    require(&caller, Permission::ManageColumns)?;
    let scope = input::scope(&state, &caller, &slug).await?;
    if state.intake.settings.delete_document(place(&caller, &scope), &id).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::not_found("Derived column"))
}
