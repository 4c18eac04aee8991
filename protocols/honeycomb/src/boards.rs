//! `/1/boards` and their views: what a team keeps looking at. A board is stored as it was sent once its bounds and
//! the queries it shows have been checked.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tracery_intake::{Caller, Permission};
use tracery_settings::{ALL_DATASETS, Document, DocumentKind};

use crate::Honeycomb;
use crate::documents::{Kind, Shelf};
use crate::event_time::rfc3339_ms;
use crate::input::{self, Object};
use crate::problem::Problem;
use crate::results::base_url;

const PANELS_MAX: usize = 100;
const TAGS_MAX: usize = 10;
const PRESET_FILTERS_MAX: usize = 5;
const VIEW_FILTERS_MAX: usize = 100;
const VIEW_OPERATIONS: [&str; 16] = [
    "=",
    "!=",
    ">",
    ">=",
    "<",
    "<=",
    "starts-with",
    "does-not-start-with",
    "ends-with",
    "does-not-end-with",
    "contains",
    "does-not-contain",
    "exists",
    "does-not-exist",
    "in",
    "not-in",
];
const TEXT_CHARS_MAX: usize = 10_000;

const BOARDS: Kind =
    Kind { stored_as: DocumentKind::Board, name: "Board", permission: Permission::ManageBoards };
const VIEWS: Kind =
    Kind { stored_as: DocumentKind::BoardView, name: "Board view", permission: Permission::ManageBoards };

/// The boards of the caller's environment.
fn boards<'a>(state: &'a Honeycomb, caller: &Caller) -> Result<Shelf<'a>, Problem> {
    BOARDS.in_scope(state, caller, ALL_DATASETS.to_owned())
}

/// The views of a board, which has to be there.
async fn views<'a>(state: &'a Honeycomb, caller: &Caller, board: &str) -> Result<Shelf<'a>, Problem> {
    let board = boards(state, caller)?.find(board).await?;
    VIEWS.in_scope(state, caller, board.id)
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
    let tags = input::list(&object, "tags", TAGS_MAX)?;
    check_pairs("tags", &tags, ["key", "value"])?;
    let preset_filters = input::list(&object, "preset_filters", PRESET_FILTERS_MAX)?;
    check_pairs("preset_filters", &preset_filters, ["column", "alias"])?;
    Ok(json!({
        "name": name,
        "description": description,
        "type": board_type,
        "layout_generation": layout,
        "panels": panels,
        "tags": tags,
        "preset_filters": preset_filters,
    }))
}

/// Each item is an object of two texts.
fn check_pairs(field: &str, items: &[Value], names: [&str; 2]) -> Result<(), Problem> {
    for (idx, item) in items.iter().enumerate() {
        for name in names {
            if !item[name].is_string() {
                return Err(Problem::invalid(&format!("{field}[{idx}].{name}"), "missing", "is required"));
            }
        }
    }
    Ok(())
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
    let boards = boards(&state, &caller)?.all().await?;
    Ok(Json(boards.iter().map(|board| reply(&state, &caller, &headers, board)).collect()))
}

pub(crate) async fn create(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let boards = boards(&state, &caller)?;
    let made = boards.add(None, parse(&state, &caller, &body).await?).await?;
    Ok((StatusCode::CREATED, Json(reply(&state, &caller, &headers, &made))).into_response())
}

pub(crate) async fn read(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let board = boards(&state, &caller)?.find(&id).await?;
    Ok(Json(reply(&state, &caller, &headers, &board)))
}

pub(crate) async fn update(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let boards = boards(&state, &caller)?;
    boards.find(&id).await?;
    let changed = boards.replace(&id, None, &parse(&state, &caller, &body).await?).await?;
    Ok(Json(reply(&state, &caller, &headers, &changed)))
}

/// A board's views go with it.
pub(crate) async fn delete(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    boards(&state, &caller)?.remove(&id).await?;
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
        let operation = input::required_text(filter, "operation", 64)?;
        if !VIEW_OPERATIONS.contains(&operation.as_str()) {
            let field = format!("filters[{idx}].operation");
            return Err(Problem::invalid(&field, "invalid", format!("{operation} is no operation")));
        }
    }
    Ok(json!({"name": name, "filters": filters}))
}

pub(crate) async fn list_views(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(views(&state, &caller, &id).await?.all().await?.iter().map(view_reply).collect()))
}

pub(crate) async fn create_view(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    let views = views(&state, &caller, &id).await?;
    let new = parse_view(&body)?;
    Ok((StatusCode::CREATED, Json(view_reply(&views.add(None, new).await?))).into_response())
}

pub(crate) async fn read_view(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((id, view)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(view_reply(&views(&state, &caller, &id).await?.find(&view).await?)))
}

pub(crate) async fn update_view(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((id, view)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let views = views(&state, &caller, &id).await?;
    Ok(Json(view_reply(&views.replace(&view, None, &parse_view(&body)?).await?)))
}

pub(crate) async fn delete_view(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((id, view)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    views(&state, &caller, &id).await?.remove(&view).await?;
    Ok(StatusCode::NO_CONTENT)
}
