//! Who is calling: the environment a request's telemetry belongs to, and what its key may do.

use std::collections::HashSet;
use std::sync::Arc;

use thiserror::Error;
use tracery_model::EnvironmentId;
use tracery_settings::{Environment, Key, KeyKind, slugify};

use crate::Intake;

/// Whether credentials are verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMode {
    /// Loopback only. Any credential or none is taken; what it sends belongs to the environment `default`, unless
    /// the credential is a known key of another.
    Open,
    Required,
}

/// What a request may do; the words of Honeycomb's key permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    SendEvents,
    CreateDatasets,
    ManageMarkers,
    ManageBoards,
    RunQueries,
    ManageColumns,
}

impl Permission {
    /// The scope's name in `tracery keys create --scopes`.
    pub fn scope(self) -> &'static str {
        match self {
            Permission::SendEvents => "send_events",
            Permission::CreateDatasets => "create_datasets",
            Permission::ManageMarkers => "manage_markers",
            Permission::ManageBoards => "manage_boards",
            Permission::RunQueries => "run_queries",
            Permission::ManageColumns => "manage_columns",
        }
    }
}

/// A caller whose credentials were looked at.
#[derive(Debug, Clone)]
pub struct Caller {
    pub environment: EnvironmentId,
    pub environment_name: String,
    pub environment_slug: String,
    /// `None` in open mode without a known key: such a caller may do everything in its environment.
    pub key: Option<Key>,
}

impl Caller {
    /// Somebody who may do everything in an environment.
    pub fn of_all(environment: &Environment) -> Self {
        Self {
            environment: environment.id,
            environment_name: environment.name.clone(),
            environment_slug: environment.slug.clone(),
            key: None,
        }
    }

    pub fn may(&self, permission: Permission) -> bool {
        self.key.as_ref().is_none_or(|key| key.may(permission.scope()))
    }
}

/// Who calls the team-wide API (Honeycomb's v2).
#[derive(Debug, Clone)]
pub struct ManagementCaller {
    /// `None` in open mode without a known key: such a caller may do everything.
    pub key: Option<Key>,
}

impl ManagementCaller {
    /// `scope` is one of [`KeyKind::Management`]'s, such as `api-keys:read`.
    pub fn may(&self, scope: &str) -> bool {
        self.key.as_ref().is_none_or(|key| key.may(scope))
    }
}

#[derive(Debug, Error)]
pub enum CallerError {
    #[error("no API key")]
    Missing,
    #[error("unknown API key")]
    Unknown,
    #[error("settings are unavailable: {0}")]
    Unavailable(String),
}

/// The datasets of an environment, for a caller that may not make new ones.
#[derive(Debug, Clone, Default)]
pub struct KnownDatasets(Arc<HashSet<String>>);

impl KnownDatasets {
    /// Whether there is a dataset of this name, in any spelling.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains(&slugify(name))
    }
}

impl Intake {
    /// The datasets that the caller may write to; `None` when any name will do.
    pub async fn known_datasets(&self, caller: &Caller) -> Result<Option<KnownDatasets>, CallerError> {
        if caller.may(Permission::CreateDatasets) {
            return Ok(None);
        }
        let known = self.settings.dataset_slugs(caller.environment).await;
        Ok(Some(KnownDatasets(known.map_err(|error| CallerError::Unavailable(error.to_string()))?)))
    }

    /// Finds the caller of a Honeycomb-style key (`x-honeycomb-team`): ingest or configuration.
    pub async fn caller(&self, secret: Option<&str>) -> Result<Caller, CallerError> {
        let secret = secret.map(str::trim).filter(|secret| !secret.is_empty());
        let unavailable =
            |error: tracery_settings::SettingsError| CallerError::Unavailable(error.to_string());
        let key = match secret {
            Some(secret) => self.settings.find_key(secret).await.map_err(unavailable)?,
            None => None,
        };
        let key = key.filter(|key| matches!(key.kind, KeyKind::Ingest | KeyKind::Configuration));
        let environment = match (&key, self.mode) {
            (Some(key), _) => self.settings.environment(key.environment).await.map_err(unavailable)?,
            (None, AuthMode::Open) => Some(self.settings.default_environment().await.map_err(unavailable)?),
            (None, AuthMode::Required) if secret.is_none() => return Err(CallerError::Missing),
            (None, AuthMode::Required) => return Err(CallerError::Unknown),
        };
        let environment = environment.ok_or(CallerError::Unknown)?;
        Ok(Caller {
            environment: environment.id,
            environment_name: environment.name,
            environment_slug: environment.slug,
            key,
        })
    }

    /// Finds the caller of a management key, sent as `Authorization: Bearer id:secret`.
    pub async fn management_caller(
        &self,
        authorization: Option<&str>,
    ) -> Result<ManagementCaller, CallerError> {
        let secret = authorization
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, secret)| secret.trim())
            .filter(|secret| !secret.is_empty());
        let key = match secret {
            Some(secret) => self
                .settings
                .find_key(secret)
                .await
                .map_err(|error| CallerError::Unavailable(error.to_string()))?
                .filter(|key| key.kind == KeyKind::Management),
            None => None,
        };
        match (key, self.mode) {
            (Some(key), _) => Ok(ManagementCaller { key: Some(key) }),
            (None, AuthMode::Open) => Ok(ManagementCaller { key: None }),
            (None, AuthMode::Required) if secret.is_none() => Err(CallerError::Missing),
            (None, AuthMode::Required) => Err(CallerError::Unknown),
        }
    }
}
