//! `tracery keys`: make, list and revoke keys, also while the server runs (both use the settings database).

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use tracery_settings::{KeyKind, SettingsError};

use super::{Failure, OrExit, look_at_settings, open_settings, say};
use crate::cli::{EXIT_FAILED, EXIT_UNREACHABLE, EXIT_USAGE};
use crate::config::Place;

#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Make a key, also while the server runs, and print it as one JSON object; its secret is shown this once.
    Create {
        #[command(flatten)]
        place: Place,
        /// Name of the environment; made if it is new.
        #[arg(long)]
        environment: String,
        /// What the key is for. Keys whose door is not built yet are refused.
        #[arg(long)]
        kind: Kind,
        /// What the key may do, separated by commas; everything its kind can when left out.
        #[arg(long, value_delimiter = ',')]
        scopes: Vec<String>,
        /// What the key is called in lists.
        #[arg(long, default_value = "")]
        name: String,
    },
    /// Print every key, without secrets, one JSON object a line.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// End a key.
    Revoke {
        #[command(flatten)]
        place: Place,
        /// The key's id, as `keys list` shows it.
        id: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Ingest,
    Configuration,
    Management,
    Aws,
    Rollbar,
}

pub(crate) async fn run(args: KeysArgs) -> Result<(), Failure> {
    match args.command {
        KeysCommand::Create { place, environment, kind, scopes, name } => {
            create(&place, &environment, kind, &scopes, &name).await
        }
        KeysCommand::List { place } => list(&place).await,
        KeysCommand::Revoke { place, id } => revoke(&place, &id).await,
    }
}

fn exit_code(error: &SettingsError) -> u8 {
    match error {
        SettingsError::Invalid(_) => EXIT_USAGE,
        SettingsError::NotFound(_) | SettingsError::Exists(_) => EXIT_FAILED,
        _ => EXIT_UNREACHABLE,
    }
}

async fn create(
    place: &Place,
    environment: &str,
    kind: Kind,
    scopes: &[String],
    name: &str,
) -> Result<(), Failure> {
    let kind = match kind {
        Kind::Ingest => KeyKind::Ingest,
        Kind::Configuration => KeyKind::Configuration,
        Kind::Management => KeyKind::Management,
        Kind::Aws => KeyKind::Aws,
        Kind::Rollbar => KeyKind::Rollbar,
    };
    let settings = open_settings(place).await?;
    let fail = |error: SettingsError| Failure { code: exit_code(&error), error: error.into() };
    let environment = settings.ensure_environment(environment).await.map_err(fail)?;
    let created = settings.create_key(environment.id, kind, name, scopes).await.map_err(fail)?;
    let mut shown = json!({
        "environment": environment.slug,
        "kind": created.key.kind.name(),
        "id": created.key.id,
    });
    // As the vendor's tools call the two.
    if kind == KeyKind::Aws {
        shown["access_key_id"] = created.key.id.into();
        shown["secret_access_key"] = created.secret.into();
    } else if kind == KeyKind::Rollbar {
        shown["token"] = created.secret.into();
    } else {
        shown["key"] = created.secret.into();
    }
    say(&format!("{shown}\n"))
}

async fn list(place: &Place) -> Result<(), Failure> {
    let settings = look_at_settings(place).await?;
    let mut lines = String::new();
    let environments = settings.environments().await.or_exit(EXIT_UNREACHABLE)?;
    for key in settings.keys().await.or_exit(EXIT_UNREACHABLE)? {
        let slug = environments.iter().find(|own| own.id == key.environment).map(|own| own.slug.as_str());
        let line = json!({
            "environment": slug,
            "kind": key.kind.name(),
            "id": key.id,
            "name": key.name,
            "scopes": key.scopes,
            "created_ms": key.created_ms,
            "revoked_ms": key.revoked_ms,
        });
        lines.push_str(&format!("{line}\n"));
    }
    say(&lines)
}

async fn revoke(place: &Place, id: &str) -> Result<(), Failure> {
    let settings = look_at_settings(place).await?;
    if settings.revoke_key(id).await.or_exit(EXIT_UNREACHABLE)? {
        return Ok(());
    }
    Err(Failure { code: EXIT_FAILED, error: anyhow::anyhow!("no key {id} that is not revoked yet") })
}
