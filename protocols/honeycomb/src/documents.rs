//! What all stored resources share: who may reach them, where they lie, and the 404 that names them. A resource
//! declares its [`Kind`] once; its handlers open a [`Shelf`] and say in their own words what they read and answer.

use serde_json::Value;
use tracery_intake::{Caller, Permission};
use tracery_model::EnvironmentId;
use tracery_settings::{Document, DocumentKind, NewDocument, Place, Settings};

use crate::access::require;
use crate::problem::Problem;
use crate::{Honeycomb, input};

/// A kind of resource.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) stored_as: DocumentKind,
    /// As an error calls it.
    pub(crate) name: &'static str,
    /// What a key needs to read it as well as to write it.
    pub(crate) permission: Permission,
}

/// The documents of one kind in one scope, which the caller may reach.
pub(crate) struct Shelf<'a> {
    settings: &'a Settings,
    environment: EnvironmentId,
    kind: Kind,
    pub(crate) scope: String,
}

impl Kind {
    /// The documents of the dataset (or `__all__`) that a path names.
    pub(crate) async fn of_dataset<'a>(
        self,
        state: &'a Honeycomb,
        caller: &Caller,
        slug: &str,
    ) -> Result<Shelf<'a>, Problem> {
        require(caller, self.permission)?;
        let scope = input::scope(state, caller, slug).await?;
        self.in_scope(state, caller, scope)
    }

    /// The documents of a scope that is known to exist.
    pub(crate) fn in_scope<'a>(
        self,
        state: &'a Honeycomb,
        caller: &Caller,
        scope: String,
    ) -> Result<Shelf<'a>, Problem> {
        require(caller, self.permission)?;
        Ok(Shelf { settings: &state.intake.settings, environment: caller.environment, kind: self, scope })
    }
}

impl Shelf<'_> {
    fn place(&self) -> Place<'_> {
        Place { environment: self.environment, kind: self.kind.stored_as, scope: &self.scope }
    }

    fn missing(&self) -> Problem {
        Problem::not_found(self.kind.name)
    }

    /// Oldest first.
    pub(crate) async fn all(&self) -> Result<Vec<Document>, Problem> {
        Ok(self.settings.documents(self.place()).await?)
    }

    pub(crate) async fn find(&self, id: &str) -> Result<Document, Problem> {
        self.settings.document(self.place(), id).await?.ok_or_else(|| self.missing())
    }

    pub(crate) async fn find_named(&self, name: &str) -> Result<Document, Problem> {
        self.settings.document_named(self.place(), name).await?.ok_or_else(|| self.missing())
    }

    /// 409 when another has the name.
    pub(crate) async fn add(&self, name: Option<String>, body: Value) -> Result<Document, Problem> {
        let new = NewDocument { name, body, ..Default::default() };
        Ok(self.settings.create_document(self.place(), new).await?)
    }

    /// 404 when there is none, 409 when another has the name.
    pub(crate) async fn replace(
        &self,
        id: &str,
        name: Option<&str>,
        body: &Value,
    ) -> Result<Document, Problem> {
        let replaced = self.settings.replace_document(self.place(), id, name, body).await?;
        replaced.ok_or_else(|| self.missing())
    }

    /// 404 when there is none.
    pub(crate) async fn remove(&self, id: &str) -> Result<(), Problem> {
        if self.settings.delete_document(self.place(), id).await? { Ok(()) } else { Err(self.missing()) }
    }
}
