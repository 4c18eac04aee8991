//! The connection, and the tables at their newest version.

use std::sync::Arc;

use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::{AnyPool, Executor};
use tracery_stdx::Clock;

use crate::SettingsError;

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// The settings database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) pool: AnyPool,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Settings {
    /// Opens `url` (`sqlite:///path?mode=rwc` or `postgres://…`) and brings its tables to the newest version.
    pub async fn open(url: &str, clock: Arc<dyn Clock>) -> Result<Self, SettingsError> {
        install_default_drivers();
        let sqlite = url.starts_with("sqlite:");
        let pool = AnyPoolOptions::new()
            .max_connections(8)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if sqlite {
                        connection
                            .execute("PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON;")
                            .await?;
                    }
                    Ok(())
                })
            })
            .connect(url)
            .await
            .map_err(SettingsError::Open)?;
        MIGRATOR.run(&pool).await.map_err(SettingsError::Migrate)?;
        Ok(Self { pool, clock })
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), SettingsError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }
}
