//! The tracker's tables, on SQLite and PostgreSQL with one set of queries.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::{AnyPool, Executor};
use thiserror::Error;
use tokio::sync::Notify;
use tracery_errors::Rules;
use tracery_stdx::Clock;

use crate::projects::Project;
use crate::sequences::Sequences;

/// How long a statement waits for a lock.
const WAIT_MS_MAX: u64 = 5_000;

/// Why the tracker did not do something.
#[derive(Debug, Error)]
pub enum TrackerError {
    #[error("cannot open the tracker's database")]
    Open(#[source] sqlx::Error),
    #[error("cannot migrate the tracker's tables")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    #[error("the tracker's database does not answer")]
    Database(#[from] sqlx::Error),
    /// What is stored cannot be read.
    #[error("{0}")]
    Corrupt(String),
    /// The caller can mend it.
    #[error("{0}")]
    Invalid(String),
}

/// Items, projects, people, versions and deploys. Cheap to clone.
#[derive(Clone)]
pub struct Tracker {
    pub(crate) pool: AnyPool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sequences: Arc<Sequences>,
    pub(crate) inbox: Arc<crate::inbox::Waiting>,
    /// By environment.
    pub(crate) first_projects: Arc<Mutex<HashMap<i64, Project>>>,
    /// By project, with when they were read.
    pub(crate) rules: Arc<Mutex<HashMap<i64, (i64, Arc<Rules>)>>>,
    /// Something was noted.
    pub(crate) noted: Arc<Notify>,
    /// One batch is applied at a time.
    pub(crate) applying: Arc<tokio::sync::Mutex<()>>,
}

impl std::fmt::Debug for Tracker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tracker").finish_non_exhaustive()
    }
}

impl Tracker {
    /// Opens `url` (`sqlite:///path?mode=rwc` or `postgres://…`) and brings its tables to the newest version.
    ///
    /// # Errors
    /// When the database cannot be opened or its tables not be made.
    pub async fn open(url: &str, clock: Arc<dyn Clock>) -> Result<Self, TrackerError> {
        install_default_drivers();
        let sqlite = url.starts_with("sqlite:");
        let pool = AnyPoolOptions::new()
            .max_connections(if url.starts_with("sqlite::memory:") { 1 } else { 4 })
            .acquire_timeout(Duration::from_millis(WAIT_MS_MAX))
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    // FULL: what was noted survives a power cut.
                    let setup = match sqlite {
                        true => format!(
                            "PRAGMA busy_timeout = {WAIT_MS_MAX}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                        ),
                        false => format!("SET lock_timeout = {WAIT_MS_MAX}"),
                    };
                    connection.execute(setup.as_str()).await.map(drop)
                })
            })
            .connect(url)
            .await
            .map_err(TrackerError::Open)?;
        let mut migrator = sqlx::migrate!("./migrations");
        // Catalog and settings keep their own migrations in the same database.
        migrator.set_ignore_missing(true);
        migrator.run(&pool).await?;
        Ok(Self {
            pool,
            clock,
            sequences: Arc::default(),
            inbox: Arc::default(),
            first_projects: Arc::default(),
            rules: Arc::default(),
            noted: Arc::default(),
            applying: Arc::default(),
        })
    }

    pub(crate) fn now_s(&self) -> i64 {
        self.clock.now_ms().div_euclid(1_000)
    }
}
