//! The connection, the tables at their newest version, and the small caches that keep SQL out of the way of ingest.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::{AnyPool, Executor};
use tracery_stdx::Clock;

use crate::SettingsError;
use crate::cache::Cache;
use crate::datasets::Dataset;
use crate::environments::Environment;
use crate::keys::{AwsKey, Key};
use crate::log_groups::LogGroup;
use crate::log_streams::LogStream;
use crate::sealed::ServerKey;

/// How long an answer of the database may be reused, in milliseconds: what another process changed (a revoked key)
/// takes effect here after at most this long.
pub(crate) const CACHE_AGE_MS_MAX: i64 = 1_000;

pub(crate) struct Caches {
    /// By hash of the secret; unknown secrets too, since open mode lets anything in.
    pub(crate) keys: Cache<String, Option<Key>>,
    /// By access key id.
    pub(crate) aws_keys: Cache<String, Option<AwsKey>>,
    pub(crate) environments: Cache<i64, Environment>,
    /// By environment and slug.
    pub(crate) datasets: Cache<(i64, String), Dataset>,
    /// The slugs of an environment's datasets.
    pub(crate) dataset_slugs: Cache<i64, Arc<HashSet<String>>>,
    /// By environment and slug: when `last_written_ms` was last written.
    pub(crate) writes: Cache<(i64, String), i64>,
    pub(crate) default_environment: Cache<(), Environment>,
    /// By environment, region and name.
    pub(crate) log_groups: Cache<(i64, String, String), Arc<LogGroup>>,
    /// By group and name.
    pub(crate) log_streams: Cache<(String, String), Arc<LogStream>>,
    /// By group: when streams of a name were deleted last.
    pub(crate) log_streams_deleted: Cache<String, Arc<HashMap<String, i64>>>,
}

/// The settings database. Cheap to clone.
#[derive(Clone)]
pub struct Settings {
    pub(crate) pool: AnyPool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) caches: Arc<Caches>,
    server_key: Option<Arc<ServerKey>>,
}

impl Caches {
    pub(crate) fn forget_keys(&self) {
        self.keys.invalidate();
        self.aws_keys.invalidate();
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").finish_non_exhaustive()
    }
}

impl Settings {
    /// Opens `url` (`sqlite:///path?mode=rwc` or `postgres://…`) and brings its tables to the newest version.
    pub async fn open(url: &str, clock: Arc<dyn Clock>) -> Result<Self, SettingsError> {
        install_default_drivers();
        let sqlite = url.starts_with("sqlite:");
        let pool = AnyPoolOptions::new()
            // Every connection to SQLite's memory is a database of its own.
            .max_connections(if url.starts_with("sqlite::memory:") { 1 } else { 8 })
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if sqlite {
                        connection
                            .execute("PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;")
                            .await?;
                    }
                    Ok(())
                })
            })
            .connect(url)
            .await
            .map_err(SettingsError::Open)?;
        let mut migrator = sqlx::migrate!("./migrations");
        migrator.set_ignore_missing(true);
        migrator.run(&pool).await.map_err(SettingsError::Migrate)?;
        let caches = Caches {
            keys: Cache::new(10_000),
            aws_keys: Cache::new(10_000),
            environments: Cache::new(1_000),
            datasets: Cache::new(10_000),
            dataset_slugs: Cache::new(100),
            writes: Cache::new(10_000),
            default_environment: Cache::new(1),
            log_groups: Cache::new(10_000),
            log_streams: Cache::new(20_000),
            log_streams_deleted: Cache::new(100),
        };
        Ok(Self { pool, clock, caches: Arc::new(caches), server_key: None })
    }

    /// The same with the key that secrets are encrypted with. Without it there are no keys of the kind `aws`.
    pub fn with_server_key(mut self, key: ServerKey) -> Self {
        self.server_key = Some(Arc::new(key));
        self
    }

    pub(crate) fn server_key(&self) -> Result<&ServerKey, SettingsError> {
        self.server_key.as_deref().ok_or_else(|| {
            SettingsError::Invalid("access keys need the server's secret key, and there is none".into())
        })
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), SettingsError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use tracery_stdx::ManualClock;

    /// Settings that nobody else sees.
    pub(crate) async fn memory() -> Settings {
        let settings = Settings::open("sqlite::memory:", Arc::new(ManualClock::at_ns(0))).await;
        settings.unwrap()
    }
}
