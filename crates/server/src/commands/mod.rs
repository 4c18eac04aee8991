//! One file a command. Each opens what it needs, does one thing, and fails with an exit code that says what kind of
//! failure it was.

pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod keys;
pub(crate) mod parts;
pub(crate) mod query;
pub(crate) mod users;
pub(crate) mod verify;

use std::sync::Arc;

use anyhow::Context as _;
use tracery_settings::Settings;
use tracery_stdx::SystemClock;
use tracery_store::{Store, StoreOptions};

use crate::cli::{Command, EXIT_FAILED, EXIT_UNREACHABLE, EXIT_USAGE};
use crate::config::Place;
use crate::secret_key;
use crate::serve;

/// Why a command did not do its work.
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) error: anyhow::Error,
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { code: EXIT_FAILED, error }
    }
}

/// Gives an error an exit code.
pub(crate) trait OrExit<T> {
    fn or_exit(self, code: u8) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> OrExit<T> for Result<T, E> {
    fn or_exit(self, code: u8) -> Result<T, Failure> {
        self.map_err(|error| Failure { code, error: error.into() })
    }
}

pub(crate) async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(args) => {
            let config = args.resolve().or_exit(EXIT_USAGE)?;
            serve::run(config).await
        }
        Command::Demo(args) => demo::run(args).await,
        Command::Query(args) => query::run(args).await,
        Command::Keys(args) => keys::run(args).await,
        Command::Users(args) => users::run(args).await,
        Command::Parts(args) => parts::run(args).await,
        Command::Verify(args) => verify::run(args).await,
        Command::Completions(args) => completions::run(&args),
    }
}

async fn open_settings(place: &Place) -> Result<Settings, Failure> {
    let url = place.catalog_url().or_exit(EXIT_USAGE)?;
    let settings = Settings::open(&url, Arc::new(SystemClock))
        .await
        .context("cannot open the settings")
        .or_exit(EXIT_UNREACHABLE)?;
    secret_key::unlock(settings, place).or_exit(EXIT_USAGE)
}

/// The store, for looking: this process merges and expires nothing.
async fn open_store(place: &Place) -> Result<Store, Failure> {
    let options = StoreOptions { maintenance: false, ..StoreOptions::default() };
    serve::open_store(place, options).await.or_exit(EXIT_UNREACHABLE)
}
