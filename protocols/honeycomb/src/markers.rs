//! `/1/markers` and `/1/marker_settings`: moments worth a line on every graph (deploys, incidents), and the colour
//! of each type of them.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};
use tracery_intake::{Caller, Permission};
use tracery_settings::{ALL_DATASETS, Document, DocumentKind};

use crate::Honeycomb;
use crate::documents::Kind;
use crate::event_time::rfc3339_ms;
use crate::input::{self, Object};
use crate::problem::Problem;

/// The year 9999, in seconds.
const TIME_S_MAX: i64 = 253_402_300_799;
const TYPE_CHARS_MAX: usize = 255;

const MARKERS: Kind =
    Kind { stored_as: DocumentKind::Marker, name: "Marker", permission: Permission::ManageMarkers };
const SETTINGS: Kind = Kind {
    stored_as: DocumentKind::MarkerSetting,
    name: "Marker setting",
    permission: Permission::ManageMarkers,
};

/// The colour of each type of marker: a dataset's own settings before the environment's.
async fn colors(state: &Honeycomb, caller: &Caller, scope: &str) -> Result<BTreeMap<String, Value>, Problem> {
    let mut colors = BTreeMap::new();
    for scope in [ALL_DATASETS, scope] {
        for setting in SETTINGS.in_scope(state, caller, scope.to_owned())?.all().await? {
            colors.extend(setting.name.map(|kind| (kind, setting.body["color"].clone())));
        }
    }
    Ok(colors)
}

fn reply(marker: &Document, colors: &BTreeMap<String, Value>) -> Value {
    let mut reply = marker.body.clone();
    reply["id"] = marker.id.clone().into();
    reply["created_at"] = rfc3339_ms(marker.created_ms).into();
    reply["updated_at"] = rfc3339_ms(marker.updated_ms).into();
    if let Some(color) = marker.body["type"].as_str().and_then(|kind| colors.get(kind)) {
        reply["color"] = color.clone();
    }
    reply
}

/// Puts what the request says over what is there.
fn apply(body: &mut Value, object: &Object) -> Result<(), Problem> {
    for field in ["start_time", "end_time"] {
        if let Some(time_s) = input::integer(object, field, 0, TIME_S_MAX)? {
            body[field] = time_s.into();
        }
    }
    for (field, chars_max) in [("message", 2_048), ("type", TYPE_CHARS_MAX), ("url", 2_048)] {
        if let Some(text) = input::text(object, field, chars_max)? {
            body[field] = text.into();
        }
    }
    if let (Some(start), Some(end)) = (body["start_time"].as_i64(), body["end_time"].as_i64())
        && end < start
    {
        return Err(Problem::invalid("end_time", "invalid", "must not be before start_time"));
    }
    Ok(())
}

pub(crate) async fn list(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(slug): Path<String>,
) -> Result<Json<Value>, Problem> {
    let markers = MARKERS.of_dataset(&state, &caller, &slug).await?;
    let colors = colors(&state, &caller, &markers.scope).await?;
    Ok(Json(markers.all().await?.iter().map(|marker| reply(marker, &colors)).collect()))
}

pub(crate) async fn create(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(slug): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    let markers = MARKERS.of_dataset(&state, &caller, &slug).await?;
    let mut new = json!({"start_time": state.intake.clock.now_s()});
    apply(&mut new, &input::object(&body)?)?;
    let made = markers.add(None, new).await?;
    let colors = colors(&state, &caller, &markers.scope).await?;
    Ok((StatusCode::CREATED, Json(reply(&made, &colors))).into_response())
}

pub(crate) async fn read(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((slug, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let markers = MARKERS.of_dataset(&state, &caller, &slug).await?;
    let marker = markers.find(&id).await?;
    Ok(Json(reply(&marker, &colors(&state, &caller, &markers.scope).await?)))
}

pub(crate) async fn update(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((slug, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let markers = MARKERS.of_dataset(&state, &caller, &slug).await?;
    let mut marker = markers.find(&id).await?;
    apply(&mut marker.body, &input::object(&body)?)?;
    let changed = markers.replace(&id, None, &marker.body).await?;
    Ok(Json(reply(&changed, &colors(&state, &caller, &markers.scope).await?)))
}

/// Answers 200 with the marker that was: `honeymarker` takes nothing else for success.
pub(crate) async fn delete(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((slug, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let markers = MARKERS.of_dataset(&state, &caller, &slug).await?;
    let marker = markers.find(&id).await?;
    markers.remove(&id).await?;
    Ok(Json(reply(&marker, &colors(&state, &caller, &markers.scope).await?)))
}

fn setting_reply(setting: &Document) -> Value {
    json!({
        "id": setting.id,
        "type": setting.name,
        "color": setting.body["color"],
        "created_at": rfc3339_ms(setting.created_ms),
        "updated_at": rfc3339_ms(setting.updated_ms),
    })
}

fn color(object: &Object) -> Result<String, Problem> {
    let color = input::required_text(object, "color", 7)?;
    let digits = color.strip_prefix('#').unwrap_or_default();
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Problem::invalid("color", "invalid", "must be a colour such as #7b1fa2"));
    }
    Ok(color)
}

pub(crate) async fn list_settings(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(slug): Path<String>,
) -> Result<Json<Value>, Problem> {
    let settings = SETTINGS.of_dataset(&state, &caller, &slug).await?;
    Ok(Json(settings.all().await?.iter().map(setting_reply).collect()))
}

pub(crate) async fn create_setting(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(slug): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    let settings = SETTINGS.of_dataset(&state, &caller, &slug).await?;
    let object = input::object(&body)?;
    let kind = input::required_text(&object, "type", TYPE_CHARS_MAX)?;
    let made = settings.add(Some(kind), json!({"color": color(&object)?})).await?;
    Ok((StatusCode::CREATED, Json(setting_reply(&made))).into_response())
}

pub(crate) async fn read_setting(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((slug, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let settings = SETTINGS.of_dataset(&state, &caller, &slug).await?;
    Ok(Json(setting_reply(&settings.find(&id).await?)))
}

pub(crate) async fn update_setting(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((slug, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let settings = SETTINGS.of_dataset(&state, &caller, &slug).await?;
    let setting = settings.find(&id).await?;
    let object = input::object(&body)?;
    let kind = input::text(&object, "type", TYPE_CHARS_MAX)?;
    if kind.is_some() && kind != setting.name {
        return Err(Problem::invalid("type", "invalid", "cannot be changed"));
    }
    let body = json!({"color": color(&object)?});
    Ok(Json(setting_reply(&settings.replace(&id, setting.name.as_deref(), &body).await?)))
}

pub(crate) async fn delete_setting(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((slug, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    SETTINGS.of_dataset(&state, &caller, &slug).await?.remove(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}
