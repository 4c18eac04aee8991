//! `tracery users`: the first administrator is made here, since nobody could log in to do it.

use std::io::Read as _;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use rand::Rng as _;
use rand::distr::Alphanumeric;
use serde_json::json;
use tracery_settings::SettingsError;

use super::{Failure, open_settings, say};
use crate::cli::{EXIT_FAILED, EXIT_UNREACHABLE, EXIT_USAGE};
use crate::config::Place;

const GENERATED_CHARS: usize = 24;

#[derive(Debug, Args)]
pub(crate) struct UsersArgs {
    #[command(subcommand)]
    command: UsersCommand,
}

#[derive(Debug, Subcommand)]
enum UsersCommand {
    /// Make an administrator and print one JSON object with the password, which is shown this once.
    CreateAdmin {
        #[command(flatten)]
        place: Place,
        /// What the person types to log in.
        #[arg(long)]
        name: String,
        /// Read the password from standard input instead of making one up.
        #[arg(long)]
        password_stdin: bool,
    },
}

pub(crate) async fn run(args: UsersArgs) -> Result<(), Failure> {
    let UsersCommand::CreateAdmin { place, name, password_stdin } = args.command;
    let password = if password_stdin { read_password()? } else { made_up() };
    let settings = open_settings(&place).await?;
    let user = settings.create_admin(&name, &password).await.map_err(|error| Failure {
        code: match &error {
            SettingsError::Invalid(_) => EXIT_USAGE,
            SettingsError::Exists(_) => EXIT_FAILED,
            _ => EXIT_UNREACHABLE,
        },
        error: error.into(),
    })?;
    let mut shown = json!({ "name": user.name, "role": user.role });
    if !password_stdin {
        shown["password"] = password.into();
    }
    say(&format!("{shown}\n"))
}

fn made_up() -> String {
    rand::rng().sample_iter(Alphanumeric).take(GENERATED_CHARS).map(char::from).collect()
}

fn read_password() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin().take(4_096).read_to_string(&mut text).context("cannot read the password")?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
