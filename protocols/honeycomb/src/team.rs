//! `/2`: the team's environments and keys, in JSON:API. One server is one team, so a management key reaches every
//! environment; it reads and writes what its scopes say.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};
use tracery_intake::ManagementCaller;
use tracery_model::EnvironmentId;
use tracery_settings::{Environment, EnvironmentChange, Key, KeyKind, SettingsError};

use crate::Honeycomb;
use crate::access::require_scope;
use crate::event_time::rfc3339_ms;
use crate::input::{self, Object};
use crate::problem::{Problem, json_api};

const PAGE_SIZE: usize = 20;
const PAGE_SIZE_MAX: usize = 100;
const COLORS: [&str; 10] = [
    "blue",
    "green",
    "gold",
    "red",
    "purple",
    "lightBlue",
    "lightGreen",
    "lightGold",
    "lightRed",
    "lightPurple",
];

type Parameters = Query<BTreeMap<String, String>>;

/// A problem in JSON:API's form.
pub(crate) struct ApiProblem(Problem);

impl IntoResponse for ApiProblem {
    fn into_response(self) -> Response {
        self.0.into_json_api()
    }
}

impl From<Problem> for ApiProblem {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<SettingsError> for ApiProblem {
    fn from(error: SettingsError) -> Self {
        Self(error.into())
    }
}

pub(crate) async fn unknown() -> ApiProblem {
    Problem::not_found("Resource").into()
}

fn check_team(state: &Honeycomb, team: &str) -> Result<(), Problem> {
    if team == state.options.team_slug { Ok(()) } else { Err(Problem::not_found("Team")) }
}

/// `data` of a request.
fn data(body: &Bytes) -> Result<Object, Problem> {
    match input::object(body)?.remove("data") {
        Some(Value::Object(data)) => Ok(data),
        _ => Err(Problem::invalid("data", "missing", "is required")),
    }
}

fn attributes(data: &mut Object) -> Result<Object, Problem> {
    match data.remove("attributes") {
        Some(Value::Object(attributes)) => Ok(attributes),
        _ => Err(Problem::invalid("attributes", "missing", "is required")),
    }
}

/// One page of `resources`, which are in the order of their ids' age.
fn page(path: &str, parameters: &Parameters, resources: Vec<Value>) -> Result<Value, Problem> {
    let size = parameters
        .get("page[size]")
        .and_then(|size| size.parse::<usize>().ok())
        .unwrap_or(PAGE_SIZE)
        .clamp(1, PAGE_SIZE_MAX);
    let start = match parameters.get("page[after]") {
        Some(after) => resources
            .iter()
            .position(|resource| resource["id"] == after.as_str())
            .map(|idx| idx + 1)
            // An empty page would look like the end.
            .ok_or_else(|| Problem::invalid("page[after]", "invalid", "is not known, start again"))?,
        None => 0,
    };
    let rest = &resources[start..];
    let shown = &rest[..rest.len().min(size)];
    let next = match shown.last() {
        Some(last) if shown.len() < rest.len() => {
            let mut next =
                format!("{path}?page[size]={size}&page[after]={}", last["id"].as_str().unwrap_or_default());
            if let Some(kind) = parameters.get("filter[type]") {
                next.push_str("&filter[type]=");
                next.push_str(kind);
            }
            Value::String(next)
        }
        _ => Value::Null,
    };
    Ok(json!({"data": shown, "links": {"next": next}}))
}

pub(crate) async fn auth(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<ManagementCaller>,
) -> Response {
    let (id, name, scopes, created_ms) = match &caller.key {
        Some(key) => (key.id.clone(), key.name.clone(), key.scopes.clone(), key.created_ms),
        None => {
            let scopes = KeyKind::Management.scopes().iter().map(|scope| (*scope).to_owned()).collect();
            ("open".to_owned(), "open mode".to_owned(), scopes, 0)
        }
    };
    let team = json!({"type": "teams", "id": state.options.team_slug});
    let body = json!({
        "data": {
            "id": id,
            "type": "api-keys",
            "attributes": {
                "name": name,
                "key_type": "management",
                "disabled": false,
                "scopes": scopes,
                "timestamps": {"created": rfc3339_ms(created_ms), "updated": rfc3339_ms(created_ms)},
            },
            "relationships": {"team": {"data": team}},
        },
        "included": [{
            "type": "teams",
            "id": state.options.team_slug,
            "attributes": {"name": state.options.team_name, "slug": state.options.team_slug},
        }],
    });
    json_api(StatusCode::OK, &body)
}

fn environment_resource(state: &Honeycomb, environment: &Environment) -> Value {
    json!({
        "id": environment.id.to_string(),
        "type": "environments",
        "attributes": {
            "name": environment.name,
            "slug": environment.slug,
            "description": environment.description,
            "color": if environment.color.is_empty() { Value::Null } else { environment.color.clone().into() },
            "settings": {"delete_protected": environment.delete_protected},
        },
        "relationships": {"team": {"data": {"type": "teams", "id": state.options.team_slug}}},
        "links": {"self": format!("/2/teams/{}/environments/{}", state.options.team_slug, environment.id)},
    })
}

fn environment_change(attributes: &Object) -> Result<EnvironmentChange, Problem> {
    let color = input::text(attributes, "color", 32)?;
    if color.as_deref().is_some_and(|color| !COLORS.contains(&color)) {
        return Err(Problem::invalid("color", "invalid", format!("must be one of {}", COLORS.join(", "))));
    }
    Ok(EnvironmentChange {
        description: input::text(attributes, "description", 1_024)?,
        color,
        delete_protected: input::delete_protected(attributes)?,
    })
}

async fn environment(state: &Honeycomb, team: &str, id: &str) -> Result<Environment, Problem> {
    check_team(state, team)?;
    let id = id.parse().map_err(|_| Problem::not_found("Environment"))?;
    let found = state.intake.settings.environment(EnvironmentId(id)).await?;
    found.ok_or_else(|| Problem::not_found("Environment"))
}

pub(crate) async fn list_environments(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<ManagementCaller>,
    Path(team): Path<String>,
    parameters: Parameters,
) -> Result<Response, ApiProblem> {
    require_scope(&caller, "environments:read")?;
    check_team(&state, &team)?;
    let all = state.intake.settings.environments().await?;
    let resources = all.iter().map(|environment| environment_resource(&state, environment)).collect();
    Ok(json_api(StatusCode::OK, &page(&format!("/2/teams/{team}/environments"), &parameters, resources)?))
}

pub(crate) async fn create_environment(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<ManagementCaller>,
    Path(team): Path<String>,
    body: Bytes,
) -> Result<Response, ApiProblem> {
    require_scope(&caller, "environments:write")?;
    check_team(&state, &team)?;
    let attributes = attributes(&mut data(&body)?)?;
    let name = input::required_text(&attributes, "name", 255)?;
    let change = environment_change(&attributes)?;
    let made = state.intake.settings.create_environment(&name, &change).await?;
    Ok(json_api(StatusCode::CREATED, &json!({"data": environment_resource(&state, &made)})))
}

pub(crate) async fn read_environment(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<ManagementCaller>,
    Path((team, id)): Path<(String, String)>,
) -> Result<Response, ApiProblem> {
    require_scope(&caller, "environments:read")?;
    let found = environment(&state, &team, &id).await?;
    Ok(json_api(StatusCode::OK, &json!({"data": environment_resource(&state, &found)})))
}

pub(crate) async fn update_environment(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<ManagementCaller>,
    Path((team, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<Response, ApiProblem> {
    require_scope(&caller, "environments:write")?;
    let found = environment(&state, &team, &id).await?;
    let change = environment_change(&attributes(&mut data(&body)?)?)?;
    let changed = state.intake.settings.update_environment(found.id, &change).await?;
    let changed = changed.ok_or_else(|| Problem::not_found("Environment"))?;
    Ok(json_api(StatusCode::OK, &json!({"data": environment_resource(&state, &changed)})))
}

pub(crate) async fn delete_environment(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<ManagementCaller>,
    Path((team, id)): Path<(String, String)>,
) -> Result<Response, ApiProblem> {
    require_scope(&caller, "environments:write")?;
    let found = environment(&state, &team, &id).await?;
    if found.delete_protected {
        return Err(Problem::conflict("the environment is protected from deletion").into());
    }
    state.intake.settings.delete_environment(found.id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Permission flags of a configuration key as JSON:API spells them are its scopes' names.
fn key_resource(state: &Honeycomb, key: &Key, secret: Option<&str>) -> Value {
    let permissions: serde_json::Map<String, Value> =
        key.kind.scopes().iter().map(|scope| ((*scope).to_owned(), key.may(scope).into())).collect();
    let mut resource = json!({
        "id": key.id,
        "type": "api-keys",
        "attributes": {
            "name": key.name,
            "key_type": key.kind.name(),
            "disabled": key.disabled,
            "permissions": permissions,
            "timestamps": {"created": rfc3339_ms(key.created_ms), "updated": rfc3339_ms(key.created_ms)},
        },
        "relationships": {
            "environment": {"data": {"type": "environments", "id": key.environment.to_string()}},
        },
        "links": {"self": format!("/2/teams/{}/api-keys/{}", state.options.team_slug, key.id)},
    });
    if let Some(secret) = secret {
        // An ingest key is sent as id and secret in one; clients put the two together themselves.
        let tail = secret.strip_prefix(key.id.as_str()).unwrap_or(secret);
        resource["attributes"]["secret"] = tail.into();
    }
    resource
}

async fn key(state: &Honeycomb, team: &str, id: &str) -> Result<Key, Problem> {
    check_team(state, team)?;
    let found = state.intake.settings.key(id).await?;
    found
        .filter(|key| is_listed(key.kind) && key.revoked_ms.is_none())
        .ok_or_else(|| Problem::not_found("API key"))
}

/// The kinds that this API knows; management keys are made and revoked on the command line only.
fn is_listed(kind: KeyKind) -> bool {
    matches!(kind, KeyKind::Ingest | KeyKind::Configuration)
}

pub(crate) async fn list_keys(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<ManagementCaller>,
    Path(team): Path<String>,
    parameters: Parameters,
) -> Result<Response, ApiProblem> {
    require_scope(&caller, "api-keys:read")?;
    check_team(&state, &team)?;
    let kind = match parameters.get("filter[type]") {
        Some(name) => {
            Some(KeyKind::from_name(name).filter(|kind| is_listed(*kind)).ok_or_else(|| {
                Problem::invalid("filter[type]", "invalid", "must be ingest or configuration")
            })?)
        }
        None => None,
    };
    let keys = state.intake.settings.keys().await?;
    let resources = keys
        .iter()
        .filter(|key| key.revoked_ms.is_none() && is_listed(key.kind))
        .filter(|key| kind.is_none_or(|kind| key.kind == kind))
        .map(|key| key_resource(&state, key, None))
        .collect();
    Ok(json_api(StatusCode::OK, &page(&format!("/2/teams/{team}/api-keys"), &parameters, resources)?))
}

pub(crate) async fn create_key(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<ManagementCaller>,
    Path(team): Path<String>,
    body: Bytes,
) -> Result<Response, ApiProblem> {
    require_scope(&caller, "api-keys:write")?;
    let mut data = data(&body)?;
    let attributes = attributes(&mut data)?;
    let name = input::required_text(&attributes, "name", 255)?;
    let kind = match input::required_text(&attributes, "key_type", 32)?.as_str() {
        "ingest" => KeyKind::Ingest,
        "configuration" => KeyKind::Configuration,
        _ => return Err(Problem::invalid("key_type", "invalid", "must be ingest or configuration").into()),
    };
    let relation = Value::Object(data);
    let environment_id = relation["relationships"]["environment"]["data"]["id"].as_str().unwrap_or_default();
    let environment = environment(&state, &team, environment_id).await?;
    let mut scopes = Vec::new();
    match attributes.get("permissions") {
        None | Some(Value::Null) => {}
        Some(Value::Object(permissions)) => {
            for (scope, wanted) in permissions {
                if wanted == &Value::Bool(true) {
                    scopes.push(scope.clone());
                }
            }
            // Whoever may write events does so whatever else a key may do; an ingest key always may.
            if kind == KeyKind::Ingest && !scopes.iter().any(|scope| scope == "send_events") {
                scopes.push("send_events".to_owned());
            }
            if scopes.is_empty() {
                return Err(Problem::invalid("permissions", "invalid", "must grant something").into());
            }
        }
        Some(_) => return Err(Problem::invalid("permissions", "incorrect_type", "must be an object").into()),
    }
    let made = state.intake.settings.create_key(environment.id, kind, &name, &scopes).await?;
    Ok(json_api(StatusCode::CREATED, &json!({"data": key_resource(&state, &made.key, Some(&made.secret))})))
}

pub(crate) async fn read_key(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<ManagementCaller>,
    Path((team, id)): Path<(String, String)>,
) -> Result<Response, ApiProblem> {
    require_scope(&caller, "api-keys:read")?;
    Ok(json_api(
        StatusCode::OK,
        &json!({"data": key_resource(&state, &key(&state, &team, &id).await?, None)}),
    ))
}

pub(crate) async fn update_key(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<ManagementCaller>,
    Path((team, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<Response, ApiProblem> {
    require_scope(&caller, "api-keys:write")?;
    key(&state, &team, &id).await?;
    let attributes = attributes(&mut data(&body)?)?;
    if attributes.contains_key("permissions") {
        return Err(Problem::invalid("permissions", "invalid", "cannot be changed").into());
    }
    let name = input::text(&attributes, "name", 255)?;
    let disabled = input::flag(&attributes, "disabled")?;
    let changed = state.intake.settings.update_key(&id, name.as_deref(), disabled).await?;
    let changed = changed.ok_or_else(|| Problem::not_found("API key"))?;
    Ok(json_api(StatusCode::OK, &json!({"data": key_resource(&state, &changed, None)})))
}

pub(crate) async fn delete_key(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<ManagementCaller>,
    Path((team, id)): Path<(String, String)>,
) -> Result<Response, ApiProblem> {
    require_scope(&caller, "api-keys:write")?;
    key(&state, &team, &id).await?;
    state.intake.settings.revoke_key(&id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
