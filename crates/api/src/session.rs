//! `/session`: logging in and out. The cookie is out of reach of scripts and is not sent from other sites.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::State;
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Semaphore;

use crate::Api;
use crate::error::ApiError;
use crate::extract::JsonBody;
use crate::identity::{Identity, SESSION_COOKIE, cookie};
use crate::login_attempts::PeerAddress;

/// Checking a password is slow by design: guesses wait for one another.
static LOGINS: Semaphore = Semaphore::const_new(2);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    name: String,
    password: String,
}

pub(crate) async fn log_in(
    State(api): State<Api>,
    peer: Option<Extension<PeerAddress>>,
    JsonBody(login): JsonBody<Login>,
) -> Result<Response, ApiError> {
    let sessions = api.sessions.clone().ok_or_else(|| ApiError::not_available("logging in"))?;
    let address = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Extension(PeerAddress(address))| address);
    if let Err(wait_s) = api.login_attempts.begin(&login.name, address, api.clock.now_s()) {
        return Ok(([(RETRY_AFTER, wait_s.to_string())], ApiError::too_many_attempts(wait_s)).into_response());
    }
    let _turn = LOGINS.acquire().await.map_err(|_| ApiError::busy())?;
    let Some(token) = sessions.log_in(&login.name, &login.password).await? else {
        return Err(ApiError::unauthenticated());
    };
    api.login_attempts.succeeded(&login.name, address);
    let cookie = format!("{SESSION_COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict");
    Ok((StatusCode::CREATED, [(SET_COOKIE, cookie)], Json(json!({ "user": login.name }))).into_response())
}

/// Who the caller is: what a page asks before it shows a login form.
pub(crate) async fn current(identity: Identity) -> Json<serde_json::Value> {
    Json(match identity {
        Identity::Anyone => json!({ "user": null, "kind": "open" }),
        Identity::User(name) => json!({ "user": name, "kind": "session" }),
        Identity::Configuration(key) | Identity::Management(key) => {
            json!({ "user": null, "kind": key.kind.name() })
        }
    })
}

pub(crate) async fn log_out(State(api): State<Api>, headers: HeaderMap) -> Result<Response, ApiError> {
    let sessions = api.sessions.clone().ok_or_else(|| ApiError::not_available("logging in"))?;
    if let Some(token) = cookie(&headers) {
        sessions.log_out(token).await?;
    }
    let gone = format!("{SESSION_COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, gone)]).into_response())
}
