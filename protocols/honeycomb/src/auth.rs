//! Who a key is (`/1/auth`), and whether the server lives (`/x/alive`, which proxies poll).

use axum::extract::State;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use http::StatusCode;
use serde_json::{Value, json};
use tracery_intake::{Caller, Permission};
use tracery_settings::KeyKind;

use crate::Honeycomb;
use crate::problem::Problem;

pub(crate) async fn environment(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
) -> Json<Value> {
    let creates = caller.may(Permission::CreateDatasets);
    let (id, kind) = match &caller.key {
        Some(key) => (key.id.as_str(), key.kind),
        None => ("open", KeyKind::Configuration),
    };
    Json(json!({
        "id": id,
        "type": kind.name(),
        "api_key_access": {
            "events": caller.may(Permission::SendEvents),
            "markers": caller.may(Permission::ManageMarkers),
            "triggers": false,
            "boards": caller.may(Permission::ManageBoards),
            "queries": caller.may(Permission::RunQueries),
            "columns": caller.may(Permission::ManageColumns),
            // The specification has the first spelling, the Terraform provider reads the second.
            "createDatasets": creates,
            "create_datasets": creates,
            "slos": false,
            "recipients": false,
            "privateBoards": false,
        },
        "environment": {"name": caller.environment_name, "slug": caller.environment_slug},
        "team": {"name": state.options.team_name, "slug": state.options.team_slug},
    }))
}

pub(crate) async fn alive() -> impl IntoResponse {
    Json(json!({"source": "tracery", "alive": true}))
}

/// A preflight request, which the CORS layer answers.
pub(crate) async fn nothing() -> StatusCode {
    StatusCode::NO_CONTENT
}

pub(crate) async fn unknown() -> Problem {
    Problem::not_found("Resource")
}
