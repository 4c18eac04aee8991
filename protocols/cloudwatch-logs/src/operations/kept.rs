//! What an account keeps in a region from one request to the next (saved and scheduled queries, filters), as documents of
//! the settings database. A family of operations reads and writes through a [`Shelf`]. Across processes the last change
//! wins.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tracery_aws_wire::Error;
use tracery_model::EnvironmentId;
use tracery_settings::{Document, DocumentKind, NewDocument, Place, Settings, SettingsError};

use super::{limit_exceeded, unavailable};

/// One thing that is kept.
#[derive(Debug, Clone)]
pub(crate) struct Kept<T> {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) value: T,
    pub(crate) created_ms: i64,
    pub(crate) updated_ms: i64,
}

/// All things of a kind in one place: a region, or something in it.
pub(crate) struct Shelf<'a> {
    settings: &'a Settings,
    environment: EnvironmentId,
    kind: DocumentKind,
    scope: String,
}

impl<'a> Shelf<'a> {
    pub(crate) fn new(
        settings: &'a Settings,
        environment: EnvironmentId,
        kind: DocumentKind,
        scope: impl Into<String>,
    ) -> Self {
        Self { settings, environment, kind, scope: scope.into() }
    }

    fn place(&self) -> Place<'_> {
        Place { environment: self.environment, kind: self.kind, scope: &self.scope }
    }

    /// Oldest first.
    pub(crate) async fn all<T: DeserializeOwned>(&self) -> Result<Vec<Kept<T>>, Error> {
        let documents = self.settings.documents(self.place()).await.map_err(unavailable)?;
        documents.into_iter().map(read).collect()
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, id: &str) -> Result<Option<Kept<T>>, Error> {
        let found = self.settings.document(self.place(), id).await.map_err(unavailable)?;
        found.map(read).transpose()
    }

    pub(crate) async fn find<T: DeserializeOwned>(&self, name: &str) -> Result<Option<Kept<T>>, Error> {
        let found = self.settings.document_named(self.place(), name).await.map_err(unavailable)?;
        found.map(read).transpose()
    }

    /// Adds something new, whose id is random when none is given.
    pub(crate) async fn add<T: Serialize>(
        &self,
        id: Option<String>,
        name: Option<String>,
        value: &T,
    ) -> Result<Added, Error> {
        let new = NewDocument { id, name, body: written(value)?, expires_ms: None };
        match self.settings.create_document(self.place(), new).await {
            Ok(made) => Ok(Added::Made(made.id)),
            Err(SettingsError::Full { .. }) => Ok(Added::Full),
            Err(SettingsError::Exists(_)) => Ok(Added::Exists),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Whether it was there to be replaced.
    pub(crate) async fn replace<T: Serialize>(
        &self,
        id: &str,
        name: Option<&str>,
        value: &T,
    ) -> Result<bool, Error> {
        let body = written(value)?;
        let replaced = self.settings.replace_document(self.place(), id, name, &body).await;
        replaced.map_err(unavailable).map(|found| found.is_some())
    }

    /// Puts `value` in the place of what is known by this name, or beside it.
    pub(crate) async fn put<T: Serialize>(
        &self,
        known: Option<&Kept<T>>,
        name: &str,
        value: &T,
    ) -> Result<(), Error> {
        if let Some(known) = known {
            self.replace(&known.id, Some(name), value).await?;
            return Ok(());
        }
        match self.add(None, Some(name.to_owned()), value).await? {
            Added::Made(_) => Ok(()),
            Added::Exists | Added::Full => Err(limit_exceeded()),
        }
    }

    /// Removes all that `is_gone` says it of.
    pub(crate) async fn remove_all<T: DeserializeOwned>(
        &self,
        is_gone: impl Fn(&T) -> bool,
    ) -> Result<(), Error> {
        for kept in self.all::<T>().await? {
            if is_gone(&kept.value) {
                self.remove(&kept.id).await?;
            }
        }
        Ok(())
    }

    /// Whether there was such a thing.
    pub(crate) async fn remove(&self, id: &str) -> Result<bool, Error> {
        self.settings.delete_document(self.place(), id).await.map_err(unavailable)
    }
}

/// What became of something new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Added {
    /// Its id.
    Made(String),
    /// The name is another's.
    Exists,
    /// There is no room for one more.
    Full,
}

fn read<T: DeserializeOwned>(document: Document) -> Result<Kept<T>, Error> {
    let value = serde_json::from_value(document.body).map_err(|error| {
        tracing::warn!(id = document.id, %error, "a stored document cannot be read");
        Error::internal()
    })?;
    Ok(Kept {
        id: document.id,
        name: document.name.unwrap_or_default(),
        value,
        created_ms: document.created_ms,
        updated_ms: document.updated_ms,
    })
}

fn written<T: Serialize>(value: &T) -> Result<serde_json::Value, Error> {
    serde_json::to_value(value).map_err(|_| Error::internal())
}
