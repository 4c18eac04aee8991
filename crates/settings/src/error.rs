//! What can go wrong with the settings database.

use thiserror::Error;

#[derive(Debug, Error)]
pub enum SettingsError {
    #[error("cannot open the settings database")]
    Open(#[source] sqlx::Error),
    #[error("cannot migrate the settings database")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    #[error("settings database does not answer: {0}")]
    Database(#[from] sqlx::Error),
    #[error("there can be {max} of {kind}, delete one before making another")]
    Full { kind: &'static str, max: i64 },
    #[error("{0} already exists")]
    Exists(String),
    #[error("{0} is not known")]
    NotFound(String),
    #[error("{0}")]
    Invalid(String),
}
