//! One file a command. Each opens what it needs, does one thing, and fails with an exit code that says what kind of
//! failure it was.

pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod keys;
pub(crate) mod parts;
pub(crate) mod query;
pub(crate) mod users;
pub(crate) mod verify;

use std::io::Write as _;
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

/// The settings, for changing them: what is not there yet is made.
async fn open_settings(place: &Place) -> Result<Settings, Failure> {
    let url = place.catalog_url().or_exit(EXIT_USAGE)?;
    let settings = open_settings_at(&url).await?;
    secret_key::unlock(settings, place).or_exit(EXIT_USAGE)
}

/// The settings, for looking: a directory that no server was given is a mistake, and stays as it is.
async fn look_at_settings(place: &Place) -> Result<Settings, Failure> {
    open_settings_at(&place.existing_catalog_url().or_exit(EXIT_USAGE)?).await
}

async fn open_settings_at(url: &str) -> Result<Settings, Failure> {
    let settings = Settings::open(url, Arc::new(SystemClock)).await;
    settings.context("cannot open the settings").or_exit(EXIT_UNREACHABLE)
}

/// The store, for looking: this process merges and expires nothing.
async fn look_at_store(place: &Place) -> Result<Store, Failure> {
    let options = StoreOptions { maintenance: false, ..StoreOptions::default() };
    let url = place.existing_catalog_url().or_exit(EXIT_USAGE)?;
    serve::open_store(place, &url, options).await.or_exit(EXIT_UNREACHABLE)
}

/// Writes to standard output. Whoever reads a pipe may have seen enough: then the rest is not written, and that is no
/// failure.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    let mut output = std::io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(anyhow::Error::from(error).context("cannot write the answer").into())
        }
        _ => Ok(()),
    }
}
