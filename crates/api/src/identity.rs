//! Who asks, and which environments they may see. A handler cannot name an environment but through [`Identity`].

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Parts;
use tracery_settings::{Environment, Key, KeyKind};

use crate::Api;
use crate::error::ApiError;

pub(crate) const SESSION_COOKIE: &str = "tracery_session";
/// The environment of a request that names none.
const DEFAULT_SLUG: &str = "default";

/// Someone whose credentials were looked at.
#[derive(Debug, Clone)]
pub(crate) enum Identity {
    /// Open mode, without a known key.
    Anyone,
    /// A person who logged in.
    User(String),
    /// A configuration key: one environment.
    Configuration(Key),
    /// A management key: no telemetry, but environments and keys.
    Management(Key),
}

impl FromRequestParts<Api> for Identity {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        if let Some(secret) = secret(&parts.headers)
            && let Some(key) = api.settings.find_key(secret).await?
        {
            match key.kind {
                KeyKind::Configuration => return Ok(Self::Configuration(key)),
                KeyKind::Management => return Ok(Self::Management(key)),
                _ => return Err(ApiError::forbidden("an ingest key reads nothing; use a configuration key")),
            }
        }
        if let Some(sessions) = &api.sessions
            && let Some(token) = cookie(&parts.headers)
            && let Some(user) = sessions.user(token).await?
        {
            return Ok(Self::User(user));
        }
        if api.verified { Err(ApiError::unauthenticated()) } else { Ok(Self::Anyone) }
    }
}

impl Identity {
    /// The environment a question is about. One that the caller may not see is answered as one that is not there.
    pub(crate) async fn environment(&self, api: &Api, slug: Option<&str>) -> Result<Environment, ApiError> {
        let slug = slug.filter(|slug| !slug.is_empty());
        match self {
            Self::Configuration(key) => {
                if !key.may("run_queries") {
                    return Err(ApiError::forbidden("the key may not run queries"));
                }
                let own = api.settings.environment(key.environment).await?;
                own.filter(|own| slug.is_none_or(|slug| own.slug == slug)).ok_or_else(|| {
                    ApiError::not_found(format_args!("environment {:?}", slug.unwrap_or_default()))
                })
            }
            Self::Management(_) => Err(ApiError::forbidden("a management key reads no telemetry")),
            Self::Anyone | Self::User(_) => find(api, slug).await,
        }
    }

    /// The environment whose keys are looked at or changed; `None` when the caller may not manage keys.
    pub(crate) async fn managed_environment(
        &self,
        api: &Api,
        slug: Option<&str>,
        scope: &str,
    ) -> Result<Environment, ApiError> {
        self.manages(scope)?;
        find(api, slug.filter(|slug| !slug.is_empty())).await
    }

    /// Whether the caller may do what `scope` of a management key names.
    pub(crate) fn manages(&self, scope: &str) -> Result<(), ApiError> {
        match self {
            Self::Anyone | Self::User(_) => Ok(()),
            Self::Management(key) if key.may(scope) => Ok(()),
            Self::Management(_) | Self::Configuration(_) => {
                Err(ApiError::forbidden(format!("the key has no scope {scope}")))
            }
        }
    }

    /// The environments the caller may see.
    pub(crate) async fn environments(&self, api: &Api) -> Result<Vec<Environment>, ApiError> {
        match self {
            Self::Configuration(key) => {
                Ok(api.settings.environment(key.environment).await?.into_iter().collect())
            }
            Self::Management(_) => {
                self.manages("environments:read")?;
                Ok(api.settings.environments().await?)
            }
            Self::Anyone | Self::User(_) => {
                api.settings.default_environment().await?;
                Ok(api.settings.environments().await?)
            }
        }
    }
}

async fn find(api: &Api, slug: Option<&str>) -> Result<Environment, ApiError> {
    let slug = slug.unwrap_or(DEFAULT_SLUG);
    if slug == DEFAULT_SLUG {
        return Ok(api.settings.default_environment().await?);
    }
    let all = api.settings.environments().await?;
    all.into_iter()
        .find(|environment| environment.slug == slug)
        .ok_or_else(|| ApiError::not_found(format_args!("environment {slug:?}")))
}

/// The key of `Authorization: Bearer` or `X-Honeycomb-Team`.
fn secret(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, secret)| secret);
    let team = || headers.get("x-honeycomb-team").and_then(|value| value.to_str().ok());
    bearer.or_else(team).map(str::trim).filter(|secret| !secret.is_empty())
}

/// The token of the session cookie.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == SESSION_COOKIE)
        .map(|(_, token)| token)
}
