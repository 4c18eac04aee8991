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
use tracery_settings::{Document, DocumentKind, NewDocument, Place};

use crate::Honeycomb;
use crate::access::require;
use crate::event_time::rfc3339_ms;
use crate::input::{self, Object};
use crate::problem::Problem;

/// The year 9999, in seconds.
const TIME_S_MAX: i64 = 253_402_300_799;
const TYPE_CHARS_MAX: usize = 255;

fn place<'a>(caller: &Caller, kind: DocumentKind, scope: &'a str) -> Place<'a> {
    Place { environment: caller.environment, kind, scope }
}

async fn colors(state: &Honeycomb, caller: &Caller, scope: &str) -> Result<BTreeMap<String, Value>, Problem> {
    let settings = state.intake.settings.documents(place(caller, DocumentKind::MarkerSetting, scope)).await?;
    Ok(settings
        .into_iter()
        .filter_map(|setting| Some((setting.name?, setting.body["color"].clone())))
        .collect())
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
    require(&caller, Permission::ManageMarkers)?;
    let scope = input::scope(&state, &caller, &slug).await?;
    let colors = colors(&state, &caller, &scope).await?;
    let markers = state.intake.settings.documents(place(&caller, DocumentKind::Marker, &scope)).await?;
    Ok(Json(markers.iter().map(|marker| reply(marker, &colors)).collect()))
}

pub(crate) async fn create(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(slug): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    require(&caller, Permission::ManageMarkers)?;
    let scope = input::scope(&state, &caller, &slug).await?;
    let mut body_new = json!({"start_time": state.intake.clock.now_s()});
    apply(&mut body_new, &input::object(&body)?)?;
    let new = NewDocument { body: body_new, ..Default::default() };
    let made =
        state.intake.settings.create_document(place(&caller, DocumentKind::Marker, &scope), new).await?;
    let colors = colors(&state, &caller, &scope).await?;
    Ok((StatusCode::CREATED, Json(reply(&made, &colors))).into_response())
}

async fn marker(
    state: &Honeycomb,
    caller: &Caller,
    slug: &str,
    id: &str,
) -> Result<(String, Document), Problem> {
    require(caller, Permission::ManageMarkers)?;
    let scope = input::scope(state, caller, slug).await?;
    let found = state.intake.settings.document(place(caller, DocumentKind::Marker, &scope), id).await?;
    Ok((scope, found.ok_or_else(|| Problem::not_found("Marker"))?))
}

pub(crate) async fn read(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((slug, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let (scope, marker) = marker(&state, &caller, &slug, &id).await?;
    Ok(Json(reply(&marker, &colors(&state, &caller, &scope).await?)))
}

pub(crate) async fn update(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((slug, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let (scope, mut marker) = marker(&state, &caller, &slug, &id).await?;
    apply(&mut marker.body, &input::object(&body)?)?;
    let place = place(&caller, DocumentKind::Marker, &scope);
    let changed = state.intake.settings.replace_document(place, &id, None, &marker.body).await?;
    let changed = changed.ok_or_else(|| Problem::not_found("Marker"))?;
    Ok(Json(reply(&changed, &colors(&state, &caller, &scope).await?)))
}

/// Answers 200 with the marker that was: `honeymarker` takes nothing else for success.
pub(crate) async fn delete(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((slug, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let (scope, marker) = marker(&state, &caller, &slug, &id).await?;
    let colors = colors(&state, &caller, &scope).await?;
    state.intake.settings.delete_document(place(&caller, DocumentKind::Marker, &scope), &id).await?;
    Ok(Json(reply(&marker, &colors)))
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
    require(&caller, Permission::ManageMarkers)?;
    let scope = input::scope(&state, &caller, &slug).await?;
    let place = place(&caller, DocumentKind::MarkerSetting, &scope);
    Ok(Json(state.intake.settings.documents(place).await?.iter().map(setting_reply).collect()))
}

pub(crate) async fn create_setting(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(slug): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    require(&caller, Permission::ManageMarkers)?;
    let scope = input::scope(&state, &caller, &slug).await?;
    let object = input::object(&body)?;
    let kind = input::required_text(&object, "type", TYPE_CHARS_MAX)?;
    let new = NewDocument { name: Some(kind), body: json!({"color": color(&object)?}), ..Default::default() };
    let place = place(&caller, DocumentKind::MarkerSetting, &scope);
    let made = state.intake.settings.create_document(place, new).await?;
    Ok((StatusCode::CREATED, Json(setting_reply(&made))).into_response())
}

async fn setting(
    state: &Honeycomb,
    caller: &Caller,
    slug: &str,
    id: &str,
) -> Result<(String, Document), Problem> {
    require(caller, Permission::ManageMarkers)?;
    let scope = input::scope(state, caller, slug).await?;
    let place = place(caller, DocumentKind::MarkerSetting, &scope);
    let found = state.intake.settings.document(place, id).await?;
    Ok((scope.clone(), found.ok_or_else(|| Problem::not_found("Marker setting"))?))
}

pub(crate) async fn read_setting(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((slug, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(setting_reply(&setting(&state, &caller, &slug, &id).await?.1)))
}

pub(crate) async fn update_setting(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((slug, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let (scope, setting) = setting(&state, &caller, &slug, &id).await?;
    let object = input::object(&body)?;
    let kind = input::text(&object, "type", TYPE_CHARS_MAX)?;
    if kind.is_some() && kind != setting.name {
        return Err(Problem::invalid("type", "invalid", "cannot be changed"));
    }
    let body = json!({"color": color(&object)?});
    let place = place(&caller, DocumentKind::MarkerSetting, &scope);
    let changed = state.intake.settings.replace_document(place, &id, setting.name.as_deref(), &body).await?;
    Ok(Json(setting_reply(&changed.ok_or_else(|| Problem::not_found("Marker setting"))?)))
}

pub(crate) async fn delete_setting(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((slug, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (scope, _) = setting(&state, &caller, &slug, &id).await?;
    let place = place(&caller, DocumentKind::MarkerSetting, &scope);
    state.intake.settings.delete_document(place, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
