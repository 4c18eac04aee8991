//! Who calls, in Rollbar's terms: a token of a project with scopes, or of an account. Where a token stands is the door's
//! business; what it may do is here.

use http::StatusCode;
use tracery_intake::{AuthMode, Vouched};
use tracery_model::EnvironmentId;
use tracery_settings::{Key, KeyKind, SettingsError};
use tracery_tracker::{Project, TokenSettings};

use crate::Rollbar;
use crate::limits::Left;
use crate::reply::Refusal;

pub(crate) const POST_SERVER_ITEM: &str = "post_server_item";
pub(crate) const POST_CLIENT_ITEM: &str = "post_client_item";
pub(crate) const READ: &str = "read";
pub(crate) const WRITE: &str = "write";
pub(crate) const ACCOUNT_READ: &str = "account:read";
pub(crate) const ACCOUNT_WRITE: &str = "account:write";

/// Platforms whose code is in everybody's hands, and its tokens too.
const CLIENT_PLATFORMS: [&str; 5] = ["browser", "android", "ios", "flash", "client"];

/// A caller whose token was looked at.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) environment: EnvironmentId,
    pub(crate) environment_name: String,
    /// `None` in open mode without a known token: such a caller may do everything in the project.
    pub(crate) key: Option<Key>,
    /// `None` for a token of an account.
    pub(crate) project: Option<Project>,
    pub(crate) left: Left,
}

impl Caller {
    /// Somebody who may do all in an environment, and has no one project.
    pub(crate) fn vouched(vouched: &Vouched) -> Self {
        let environment = &vouched.environment;
        Self {
            environment: environment.id,
            environment_name: environment.slug.clone(),
            key: None,
            project: None,
            left: Left::default(),
        }
    }

    pub(crate) fn needs(&self, scope: &str) -> Result<(), Refusal> {
        let Some(key) = &self.key else { return Ok(()) };
        let is_account = self.project.is_none();
        let has = |scope: &str| key.may(scope);
        let may = match (is_account, scope) {
            (true, READ) => has(ACCOUNT_READ) || has(ACCOUNT_WRITE),
            (true, WRITE) => has(ACCOUNT_WRITE),
            (_, scope) => has(scope),
        };
        if may {
            return Ok(());
        }
        let scopes = key.scopes.join(", ");
        let message = format!(
            "insufficient privileges: {scope} scope is required but the access token only has {scopes}."
        );
        Err(Refusal::new(StatusCode::FORBIDDEN, message))
    }

    /// Whether it may post items of a platform.
    pub(crate) fn may_post(&self, platform: Option<&str>) -> Result<(), Refusal> {
        if platform.is_some_and(|platform| CLIENT_PLATFORMS.contains(&platform))
            && self.needs(POST_CLIENT_ITEM).is_ok()
        {
            return Ok(());
        }
        self.needs(POST_SERVER_ITEM)
    }

    /// For calls about the account: only its own tokens make them.
    pub(crate) fn needs_account(&self, scope: &str) -> Result<(), Refusal> {
        if self.project.is_some() {
            return Err(Refusal::new(StatusCode::FORBIDDEN, "insufficient privileges"));
        }
        self.needs(scope)
    }
}

impl Rollbar {
    /// Finds the caller of a token, and counts the call.
    pub(crate) async fn caller(&self, token: Option<&str>) -> Result<Caller, Refusal> {
        let token = token.map(str::trim).filter(|token| !token.is_empty());
        let key = match token {
            Some(token) => self.intake.settings.find_key(token).await.map_err(|error| unavailable(&error))?,
            None => None,
        };
        let key = key.filter(|key| key.kind == KeyKind::Rollbar);
        let found = match (&key, self.intake.mode) {
            (Some(key), _) => self.intake.settings.environment(key.environment).await,
            (None, AuthMode::Open) => self.intake.settings.default_environment().await.map(Some),
            (None, AuthMode::Required) => {
                return Err(match token {
                    None => Refusal::new(StatusCode::UNAUTHORIZED, "invalid access token"),
                    Some(token) => {
                        let shown: String = token.chars().take(40).collect();
                        Refusal::new(StatusCode::FORBIDDEN, format!("access token not found: {shown}"))
                    }
                });
            }
        };
        let environment = found
            .map_err(|error| unavailable(&error))?
            .ok_or_else(|| Refusal::new(StatusCode::FORBIDDEN, "the access token's environment is gone"))?;
        let is_account = key.as_ref().is_some_and(|key| key.may(ACCOUNT_READ) || key.may(ACCOUNT_WRITE));
        let settings = match &key {
            Some(key) => self.tracker.token_settings(&key.id).await?,
            None => None,
        };
        let project = if is_account {
            None
        } else {
            let of =
                self.tracker.project_of_token(settings.as_ref(), environment.id, &environment.slug).await?;
            let gone = || Refusal::new(StatusCode::FORBIDDEN, "the access token's project is gone");
            Some(of.ok_or_else(gone)?)
        };
        let now_s = self.intake.clock.now_ms().div_euclid(1_000);
        let counted = key.as_ref().map_or("", |key| key.id.as_str());
        let settings = settings.unwrap_or_else(TokenSettings::default);
        let (left, may) = self.limits.call(counted, settings, now_s);
        if !may {
            self.intake.metrics.rejected(crate::ingest::DOOR, "rate_limit", 1);
            return Err(Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                "the access token's rate limit is reached",
            ));
        }
        Ok(Caller { environment: environment.id, environment_name: environment.slug, key, project, left })
    }
}

pub(crate) fn unavailable(error: &SettingsError) -> Refusal {
    tracing::warn!(error = error as &dyn std::error::Error, "settings are unavailable");
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the server could not complete the request")
}
