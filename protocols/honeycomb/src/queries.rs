//! `/1/queries` and `/1/query_annotations`: questions that can be asked again, and their names. A query never
//! changes, so its id is a hash of what it asks and the same question is stored once.

use std::collections::BTreeMap;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tracery_intake::{Caller, Permission};
use tracery_settings::{Document, DocumentKind, NewDocument, Place, SettingsError};

use crate::Honeycomb;
use crate::access::require_any;
use crate::documents::Kind;
use crate::event_time::rfc3339_ms;
use crate::input;
use crate::problem::Problem;

const ANNOTATION_NAME_CHARS_MAX: usize = 320;
const ANNOTATION_DESCRIPTION_CHARS_MAX: usize = 1_023;

pub(crate) fn query_place<'a>(caller: &Caller, scope: &'a str) -> Place<'a> {
    Place { environment: caller.environment, kind: DocumentKind::Query, scope }
}

/// A stored query as it is read back: the specification with its id.
pub(crate) fn with_id(document: &Document) -> Value {
    let mut reply = document.body.clone();
    if let Value::Object(spec) = &mut reply {
        spec.insert("id".to_owned(), document.id.clone().into());
    }
    reply
}

pub(crate) async fn create(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(slug): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    require_any(&caller, &[Permission::ManageColumns, Permission::RunQueries])?;
    let scope = input::scope(&state, &caller, &slug).await?;
    let spec = Value::Object(input::object(&body)?);
    let dataset = state.intake.settings.dataset(caller.environment, &scope).await?;
    let is_metrics = dataset.is_some_and(|dataset| dataset.is_metrics);
    let canonical =
        state.queries.check(&spec, is_metrics).map_err(|error| Problem::invalid_fields(vec![error]))?;
    let id = hex::encode(&Sha256::digest(canonical.to_string().as_bytes())[..11]);
    let settings = &state.intake.settings;
    let place = query_place(&caller, &scope);
    if let Some(known) = settings.document(place, &id).await? {
        return Ok(Json(with_id(&known)));
    }
    let new = NewDocument { id: Some(id.clone()), body: canonical, ..Default::default() };
    match settings.create_document(place, new).await {
        Ok(made) => Ok(Json(with_id(&made))),
        // The same question, asked twice at the same moment.
        Err(SettingsError::Exists(_)) => {
            let known = settings.document(place, &id).await?;
            Ok(Json(with_id(&known.ok_or_else(|| Problem::not_found("Query"))?)))
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn read(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((slug, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    require_any(&caller, &[Permission::ManageColumns, Permission::RunQueries])?;
    let scope = input::scope(&state, &caller, &slug).await?;
    let found = state.intake.settings.document(query_place(&caller, &scope), &id).await?;
    Ok(Json(with_id(&found.ok_or_else(|| Problem::not_found("Query"))?)))
}

const ANNOTATIONS: Kind = Kind {
    stored_as: DocumentKind::QueryAnnotation,
    name: "Query annotation",
    permission: Permission::ManageColumns,
};

fn annotation_reply(document: &Document) -> Value {
    json!({
        "id": document.id,
        "name": document.body["name"],
        "description": document.body["description"],
        "query_id": document.body["query_id"],
        "source": document.body["source"],
        "created_at": rfc3339_ms(document.created_ms),
        "updated_at": rfc3339_ms(document.updated_ms),
    })
}

async fn annotation_body(
    state: &Honeycomb,
    caller: &Caller,
    scope: &str,
    body: &Bytes,
) -> Result<Value, Problem> {
    let object = input::object(body)?;
    let name = input::required_text(&object, "name", ANNOTATION_NAME_CHARS_MAX)?;
    let description =
        input::text(&object, "description", ANNOTATION_DESCRIPTION_CHARS_MAX)?.unwrap_or_default();
    let query_id = input::required_text(&object, "query_id", 255)?;
    let source = input::text(&object, "source", 16)?.unwrap_or_else(|| "query".to_owned());
    if source != "query" && source != "board" {
        return Err(Problem::invalid("source", "invalid", "must be query or board"));
    }
    if state.intake.settings.document(query_place(caller, scope), &query_id).await?.is_none() {
        return Err(Problem::invalid("query_id", "invalid", format!("query {query_id} does not exist")));
    }
    Ok(json!({"name": name, "description": description, "query_id": query_id, "source": source}))
}

pub(crate) async fn list_annotations(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(slug): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Json<Value>, Problem> {
    let annotations = ANNOTATIONS.of_dataset(&state, &caller, &slug).await?.all().await?;
    let with_boards = query.get("include_board_annotations").is_some_and(|value| value == "true");
    let shown = annotations.iter().filter(|document| with_boards || document.body["source"] != "board");
    Ok(Json(shown.map(annotation_reply).collect()))
}

pub(crate) async fn create_annotation(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(slug): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    let annotations = ANNOTATIONS.of_dataset(&state, &caller, &slug).await?;
    let body = annotation_body(&state, &caller, &annotations.scope, &body).await?;
    let made = annotations.add(None, body).await?;
    Ok((StatusCode::CREATED, Json(annotation_reply(&made))).into_response())
}

pub(crate) async fn read_annotation(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((slug, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let annotations = ANNOTATIONS.of_dataset(&state, &caller, &slug).await?;
    Ok(Json(annotation_reply(&annotations.find(&id).await?)))
}

pub(crate) async fn update_annotation(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((slug, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let annotations = ANNOTATIONS.of_dataset(&state, &caller, &slug).await?;
    let body = annotation_body(&state, &caller, &annotations.scope, &body).await?;
    Ok(Json(annotation_reply(&annotations.replace(&id, None, &body).await?)))
}

pub(crate) async fn delete_annotation(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((slug, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    ANNOTATIONS.of_dataset(&state, &caller, &slug).await?.remove(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}
