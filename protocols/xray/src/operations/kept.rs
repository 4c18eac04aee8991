//! What an account keeps from one request to the next (rules, groups, policies, settings), as documents of the settings
//! database. Every family of operations reads and writes through a [`Shelf`]; changes are made one at a time, under
//! `XRay::changes`, so that none undoes another. Across processes the last one wins.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tracery_aws_wire::Error;
use tracery_settings::{DocumentKind, NewDocument, Place, Settings, SettingsError};

use crate::{Caller, XRay};

/// An environment is one account: there is one scope in it.
const SCOPE: &str = "account";

/// One thing that is kept.
#[derive(Debug, Clone)]
pub(crate) struct Kept<T> {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) value: T,
}

/// All things of a kind in the caller's account.
pub(crate) struct Shelf<'a> {
    settings: &'a Settings,
    place: Place<'a>,
}

impl<'a> Shelf<'a> {
    pub(crate) fn new(state: &'a XRay, caller: &Caller, kind: DocumentKind) -> Self {
        let place = Place { environment: caller.environment, kind, scope: SCOPE };
        Self { settings: &state.intake.settings, place }
    }

    /// Oldest first.
    pub(crate) async fn all<T: DeserializeOwned>(&self) -> Result<Vec<Kept<T>>, Error> {
        let documents = self.settings.documents(self.place).await.map_err(unavailable)?;
        documents.into_iter().map(read).collect()
    }

    pub(crate) async fn find<T: DeserializeOwned>(&self, name: &str) -> Result<Option<Kept<T>>, Error> {
        let found = self.settings.document_named(self.place, name).await.map_err(unavailable)?;
        found.map(read).transpose()
    }

    /// `None` when there is no room for one more.
    pub(crate) async fn add<T: Serialize>(&self, name: &str, value: T) -> Result<Option<Kept<T>>, Error> {
        let new = NewDocument { name: Some(name.to_owned()), body: written(&value)?, ..Default::default() };
        match self.settings.create_document(self.place, new).await {
            Ok(made) => Ok(Some(Kept { id: made.id, name: name.to_owned(), value })),
            Err(SettingsError::Full { .. }) => Ok(None),
            Err(error) => Err(unavailable(error)),
        }
    }

    pub(crate) async fn replace<T: Serialize>(&self, kept: &Kept<T>) -> Result<(), Error> {
        let body = written(&kept.value)?;
        let replaced = self.settings.replace_document(self.place, &kept.id, Some(&kept.name), &body).await;
        replaced.map_err(unavailable).map(drop)
    }

    /// Adds or replaces what has this name.
    pub(crate) async fn put<T: Serialize + DeserializeOwned>(
        &self,
        name: &str,
        value: T,
    ) -> Result<(), Error> {
        match self.find::<T>(name).await? {
            Some(kept) => self.replace(&Kept { value, ..kept }).await,
            None => match self.add(name, value).await? {
                Some(_) => Ok(()),
                None => Err(Error::internal()),
            },
        }
    }

    pub(crate) async fn remove(&self, id: &str) -> Result<(), Error> {
        self.settings.delete_document(self.place, id).await.map_err(unavailable).map(drop)
    }
}

fn read<T: DeserializeOwned>(document: tracery_settings::Document) -> Result<Kept<T>, Error> {
    let value = serde_json::from_value(document.body).map_err(|error| {
        tracing::warn!(id = document.id, %error, "a stored document cannot be read");
        Error::internal()
    })?;
    Ok(Kept { id: document.id, name: document.name.unwrap_or_default(), value })
}

fn written<T: Serialize>(value: &T) -> Result<serde_json::Value, Error> {
    serde_json::to_value(value).map_err(|_| Error::internal())
}

fn unavailable(error: SettingsError) -> Error {
    tracing::warn!(error = &error as &dyn std::error::Error, "settings are unavailable");
    Error::internal()
}

/// The name of a thing that a request names by name or by ARN, but not by both.
pub(crate) fn one_of<'a>(name: Option<&'a str>, arn: Option<&'a str>) -> Result<NameOrArn<'a>, &'static str> {
    match (name, arn) {
        (Some(name), None) => Ok(NameOrArn::Name(name)),
        (None, Some(arn)) => Ok(NameOrArn::Arn(arn)),
        (Some(_), Some(_)) => Err("give either its name or its ARN, but not both"),
        (None, None) => Err("give its name or its ARN"),
    }
}

/// How a request names a rule or a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameOrArn<'a> {
    Name(&'a str),
    Arn(&'a str),
}

/// The ARN of something in the caller's account.
pub(crate) fn arn(caller: &Caller, resource: &str) -> String {
    format!("arn:aws:xray:{}:{}:{resource}", caller.region, caller.account_id)
}

/// What an ARN of the caller's account names, such as `sampling-rule/checkout`. Region and partition are not looked at:
/// an account keeps the same things in all of them.
pub(crate) fn resource<'a>(caller: &Caller, arn: &'a str) -> Option<&'a str> {
    let mut parts = arn.splitn(6, ':');
    let (scheme, _partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (_region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    (scheme == "arn" && service == "xray" && account == caller.account_id).then_some(resource)
}

#[cfg(test)]
mod tests {
    use tracery_model::EnvironmentId;

    use super::*;

    #[test]
    fn an_arn_names_something_of_its_own_account_only() {
        let caller = Caller::new(EnvironmentId(7), "eu-west-1");
        let ours = arn(&caller, "group/a:b/c");
        assert_eq!(ours, "arn:aws:xray:eu-west-1:100000000007:group/a:b/c");
        for (arn, found) in [
            (ours.as_str(), Some("group/a:b/c")),
            ("arn:aws-cn:xray:cn-north-1:100000000007:group/Default", Some("group/Default")),
            ("arn:aws:xray:eu-west-1:100000000008:group/Default", None),
            ("arn:aws:logs:eu-west-1:100000000007:group/Default", None),
            ("arn:aws:xray:eu-west-1", None),
            ("", None),
        ] {
            assert_eq!(resource(&caller, arn), found, "{arn}");
        }
    }

    #[test]
    fn a_thing_is_named_by_one_of_two() {
        assert_eq!(one_of(Some("a"), None), Ok(NameOrArn::Name("a")));
        assert_eq!(one_of(None, Some("b")), Ok(NameOrArn::Arn("b")));
        assert!(one_of(Some("a"), Some("b")).is_err() && one_of(None, None).is_err());
    }
}
