//! `tracery keys`: made, listed and revoked straight in the settings database, also while a server runs on it.

use std::process::ExitCode;

use anyhow::bail;
use serde_json::json;
use tracery_settings::KeyKind;

use crate::cli::{KeysArguments, KeysCommand, PlaceArguments};
use crate::config::Place;
use crate::state;

pub(crate) fn place(arguments: PlaceArguments) -> Place {
    Place::new(&arguments.data_dir, arguments.catalog, arguments.store)
}

pub(crate) async fn run(arguments: KeysArguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        KeysCommand::Create { place: at, environment, kind, scopes, name } => {
            let kind = match (KeyKind::from_name(&kind), kind.as_str()) {
                (Some(kind), _) => kind,
                (None, "aws" | "rollbar") => bail!("keys of kind {kind:?} come with their door, which is not built yet"),
                _ => bail!("there is no kind {kind:?}; there are ingest, configuration and management"),
            };
            let settings = state::settings(&place(at)).await?;
            let environment = settings.ensure_environment(&environment).await?;
            let created = settings.create_key(environment.id, kind, &name, &scopes).await?;
            let shown = json!({
                "environment": environment.slug,
                "kind": kind.name(),
                "id": created.key.id,
                "key": created.secret,
            });
            println!("{shown}");
        }
        KeysCommand::List { place: at } => {
            let settings = state::settings(&place(at)).await?;
            let environments = settings.environments().await?;
            for key in settings.keys().await? {
                let environment = environments.iter().find(|environment| environment.id == key.environment);
                let shown = json!({
                    "environment": environment.map(|environment| environment.slug.as_str()),
                    "kind": key.kind.name(),
                    "id": key.id,
                    "name": key.name,
                    "scopes": key.scopes,
                    "created_ms": key.created_ms,
                    "revoked_ms": key.revoked_ms,
                });
                println!("{shown}");
            }
        }
        KeysCommand::Revoke { place: at, id } => {
            if !state::settings(&place(at)).await?.revoke_key(&id).await? {
                bail!("there is no key {id:?} that is not revoked already");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
