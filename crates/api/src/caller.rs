//! Who asks, and about which environment. In open mode a request names any environment (`?environment=slug`); in
//! required mode its key decides, and naming another is refused.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::Deserialize;
use tracery_intake::{AuthMode, CallerError, Permission};
use tracery_model::EnvironmentId;
use tracery_settings::Environment;

use crate::Api;
use crate::error::ApiError;

/// A request's environment, after its credentials were checked.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    pub(crate) environment: EnvironmentId,
    /// The only environment that may be shown; `None` in open mode.
    pub(crate) bound_to: Option<EnvironmentId>,
}

#[derive(Deserialize)]
struct Named {
    environment: Option<String>,
}

impl FromRequestParts<Arc<Api>> for Asker {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let secret = header("x-honeycomb-team")
            .or_else(|| header("authorization").and_then(|value| value.strip_prefix("Bearer ")));
        let named = Query::<Named>::try_from_uri(&parts.uri).ok().and_then(|Query(named)| named.environment);
        let caller = api.intake.caller(secret).await.map_err(|error| match error {
            CallerError::Unavailable(_) => ApiError::unavailable("the settings database does not answer"),
            CallerError::Missing | CallerError::Unknown => ApiError::unauthenticated(),
        })?;
        if !caller.may(Permission::RunQueries) {
            return Err(ApiError::forbidden("the key may not run queries"));
        }
        if api.intake.mode == AuthMode::Required {
            if named.is_some_and(|named| named != caller.environment_slug) {
                return Err(ApiError::forbidden("the key belongs to another environment"));
            }
            return Ok(Self { environment: caller.environment, bound_to: Some(caller.environment) });
        }
        let Some(named) = named else { return Ok(Self { environment: caller.environment, bound_to: None }) };
        let known = api.intake.settings.environments().await?;
        let found = known.iter().find(|environment: &&Environment| environment.slug == named);
        let environment = found.ok_or_else(|| ApiError::not_found("environment"))?.id;
        Ok(Self { environment, bound_to: None })
    }
}
