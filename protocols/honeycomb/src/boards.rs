//! `/1/boards` and their views: what a team keeps looking at. A board is stored as it was sent once its bounds and
//! the queries it shows have been checked.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tracery_intake::{Caller, Permission};
use tracery_settings::{ALL_DATASETS, Document, DocumentKind, NewDocument, Place};

use crate::Honeycomb;
use crate::access::require;
use crate::event_time::rfc3339_ms;
use crate::input::{self, Object};
use crate::problem::Problem;
use crate::results::base_url;

const PANELS_MAX: usize = 100;
const TAGS_MAX: usize = 10;
const PRESET_FILTERS_MAX: usize = 5;
const VIEW_FILTERS_MAX: usize = 100;
const TEXT_CHARS_MAX: usize = 10_000;

fn board_place(caller: &Caller) -> Place<'static> {
    Place { environment: caller.environment, kind: DocumentKind::Board, scope: ALL_DATASETS }
}

fn view_place<'a>(caller: &Caller, board: &'a str) -> Place<'a> {
    Place { environment: caller.environment, kind: DocumentKind::BoardView, scope: board }
}

fn reply(state: &Honeycomb, caller: &Caller, headers: &HeaderMap, board: &Document) -> Value {
    let mut reply = board.body.clone();
    reply["id"] = board.id.clone().into();
    reply["links"] = json!({"board_url": format!(
        "{}/{}/environments/{}/board/{}",
        base_url(state, headers),
        state.options.team_slug,
        caller.environment_slug,
        board.id
    )});
    reply["created_at"] = rfc3339_ms(board.created_ms).into();
    reply["updated_at"] = rfc3339_ms(board.updated_ms).into();
    reply
}

async fn parse(state: &Honeycomb, caller: &Caller, body: &Bytes) -> Result<Value, Problem> {
    let object = input::object(body)?;
    let name = input::required_text(&object, "name", 255)?;
    let description = input::text(&object, "description", 1_024)?.unwrap_or_default();
    let board_type = input::text(&object, "type", 32)?.unwrap_or_else(|| "flexible".to_owned());
    if board_type != "flexible" {
        return Err(Problem::invalid("type", "invalid", "must be flexible"));
    }
    let layout = input::text(&object, "layout_generation", 16)?.unwrap_or_else(|| "manual".to_owned());
    if layout != "auto" && layout != "manual" {
        return Err(Problem::invalid("layout_generation", "invalid", "must be auto or manual"));
    }
    let panels = input::list(&object, "panels", PANELS_MAX)?;
    for (idx, panel) in panels.iter().enumerate() {
        check_panel(state, caller, &format!("panels[{idx}]"), panel).await?;
    }
    Ok(json!({
        "name": name,
        "description": description,
        "type": board_type,
        "layout_generation": layout,
        "panels": panels,
        "tags": input::list(&object, "tags", TAGS_MAX)?,
        "preset_filters": input::list(&object, "preset_filters", PRESET_FILTERS_MAX)?,
    }))
}

async fn check_panel(state: &Honeycomb, caller: &Caller, field: &str, panel: &Value) -> Result<(), Problem> {
    let Value::Object(panel) = panel else {
        return Err(Problem::invalid(field, "incorrect_type", "must be an object"));
    };
    let inner = |name: &str| -> Result<Object, Problem> {
        match panel.get(name) {
            Some(Value::Object(inner)) => Ok(inner.clone()),
            _ => Err(Problem::invalid(&format!("{field}.{name}"), "missing", "is required")),
        }
    };
    match panel.get("type").and_then(Value::as_str) {
        Some("query") => {
            let query_panel = inner("query_panel")?;
            let query_id = input::required_text(&query_panel, "query_id", 255)?;
            let settings = &state.intake.settings;
            let query =
                settings.document_anywhere(caller.environment, DocumentKind::Query, &query_id).await?;
            if query.is_none() {
                let field = format!("{field}.query_panel.query_id");
                return Err(Problem::invalid(&field, "invalid", format!("query {query_id} does not exist")));
            }
        }
        Some("text") => {
            input::text(&inner("text_panel")?, "content", TEXT_CHARS_MAX)?;
        }
        Some("slo") => {
            let field = format!("{field}.slo_panel");
            return Err(Problem::invalid(&field, "invalid", "SLOs are not available on this server"));
        }
        _ => return Err(Problem::invalid(&format!("{field}.type"), "invalid", "must be query or text")),
    }
    Ok(())
}

pub(crate) async fn list(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    require(&caller, Permission::ManageBoards)?;
    let boards = state.intake.settings.documents(board_place(&caller)).await?;
    Ok(Json(boards.iter().map(|board| reply(&state, &caller, &headers, board)).collect()))
}

pub(crate) async fn create(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    require(&caller, Permission::ManageBoards)?;
    let body = parse(&state, &caller, &body).await?;
    let new = NewDocument { body, ..Default::default() };
    let made = state.intake.settings.create_document(board_place(&caller), new).await?;
    Ok((StatusCode::CREATED, Json(reply(&state, &caller, &headers, &made))).into_response())
}

async fn board(state: &Honeycomb, caller: &Caller, id: &str) -> Result<Document, Problem> {
    require(caller, Permission::ManageBoards)?;
    let found = state.intake.settings.document(board_place(caller), id).await?;
    found.ok_or_else(|| Problem::not_found("Board"))
}

pub(crate) async fn read(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let board = board(&state, &caller, &id).await?;
    Ok(Json(reply(&state, &caller, &headers, &board)))
}

pub(crate) async fn update(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    board(&state, &caller, &id).await?;
    let body = parse(&state, &caller, &body).await?;
    let changed = state.intake.settings.replace_document(board_place(&caller), &id, None, &body).await?;
    let changed = changed.ok_or_else(|| Problem::not_found("Board"))?;
    Ok(Json(reply(&state, &caller, &headers, &changed)))
}

pub(crate) async fn delete(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    board(&state, &caller, &id).await?;
    state.intake.settings.delete_document(board_place(&caller), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn view_reply(view: &Document) -> Value {
    json!({"id": view.id, "name": view.body["name"], "filters": view.body["filters"]})
}

fn parse_view(body: &Bytes) -> Result<Value, Problem> {
    let object = input::object(body)?;
    let name = input::required_text(&object, "name", 255)?;
    let filters = input::list(&object, "filters", VIEW_FILTERS_MAX)?;
    for (idx, filter) in filters.iter().enumerate() {
        let Value::Object(filter) = filter else {
            return Err(Problem::invalid(&format!("filters[{idx}]"), "incorrect_type", "must be an object"));
        };
        input::required_text(filter, "column", 255)?;
        input::required_text(filter, "operation", 64)?;
    }
    Ok(json!({"name": name, "filters": filters}))
}

pub(crate) async fn list_views(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    board(&state, &caller, &id).await?;
    let views = state.intake.settings.documents(view_place(&caller, &id)).await?;
    Ok(Json(views.iter().map(view_reply).collect()))
}

pub(crate) async fn create_view(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    board(&state, &caller, &id).await?;
    let new = NewDocument { body: parse_view(&body)?, ..Default::default() };
    let made = state.intake.settings.create_document(view_place(&caller, &id), new).await?;
    Ok((StatusCode::CREATED, Json(view_reply(&made))).into_response())
}

pub(crate) async fn read_view(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((id, view)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    board(&state, &caller, &id).await?;
    let found = state.intake.settings.document(view_place(&caller, &id), &view).await?;
    Ok(Json(view_reply(&found.ok_or_else(|| Problem::not_found("Board view"))?)))
}

pub(crate) async fn update_view(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((id, view)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    board(&state, &caller, &id).await?;
    let body = parse_view(&body)?;
    let changed =
        state.intake.settings.replace_document(view_place(&caller, &id), &view, None, &body).await?;
    Ok(Json(view_reply(&changed.ok_or_else(|| Problem::not_found("Board view"))?)))
}

pub(crate) async fn delete_view(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((id, view)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    board(&state, &caller, &id).await?;
    if state.intake.settings.delete_document(view_place(&caller, &id), &view).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::not_found("Board view"))
}
