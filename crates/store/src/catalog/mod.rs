//! The SQL list of parts. A part exists when a row here says so; every change of the list is one transaction.
//! One set of queries runs on SQLite and PostgreSQL.

mod keys;

use std::time::Duration;

use sqlx::any::{AnyPoolOptions, AnyRow, install_default_drivers};
use sqlx::{Any, AnyPool, Executor, Row, Transaction};
use tracery_model::{EnvironmentId, Signal};

use crate::StoreError;
use crate::part::PartMeta;

pub use keys::SeenKey;

static MIGRATOR: sqlx::migrate::Migrator = {
    let mut migrator = sqlx::migrate!("./migrations");
    // The settings keep their own migrations in the same database.
    migrator.ignore_missing = true;
    migrator
};

/// The catalog database.
#[derive(Debug)]
pub struct Catalog {
    pool: AnyPool,
    shared: bool,
}

/// How long a caller waits for a connection, a lock of SQLite or a lock of PostgreSQL: a commit that cannot be listed
/// is answered before common clients give up.
const WAIT_MS_MAX: u64 = 5_000;

/// What is written down of a part, in `parts` and in `parts_set_aside_rows`.
const COLUMNS: &str = "id, environment, signal, level, path, time_min_ns, time_max_ns, row_count, byte_count, \
                       raw_byte_count, crc32, datasets, created_ms";

/// One change of the list.
#[derive(Debug, Default)]
pub(crate) struct Change<'a> {
    pub(crate) added: Vec<&'a PartMeta>,
    /// Ids. When any of them is not listed (another node merged or dropped it), nothing changes.
    pub(crate) removed: Vec<&'a str>,
    pub(crate) keys: Vec<SeenKey>,
    pub(crate) now_ms: i64,
}

impl Catalog {
    /// Opens `url` (`sqlite:///path?mode=rwc` or `postgres://…`) and brings its tables to the newest version.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        install_default_drivers();
        let sqlite = url.starts_with("sqlite:");
        let pool = AnyPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_millis(WAIT_MS_MAX))
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    // FULL: a committed transaction survives a power cut, which the acknowledgement promises.
                    let setup = if sqlite {
                        format!(
                            "PRAGMA busy_timeout = {WAIT_MS_MAX}; PRAGMA journal_mode = WAL; \
                             PRAGMA synchronous = FULL;"
                        )
                    } else {
                        format!("SET lock_timeout = {WAIT_MS_MAX}")
                    };
                    connection.execute(setup.as_str()).await.map(drop)
                })
            })
            .connect(url)
            .await
            .map_err(StoreError::CatalogOpen)?;
        MIGRATOR.run(&pool).await?;
        Ok(Self { pool, shared: !sqlite })
    }

    /// Whether the catalog answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Whether other processes may change the list.
    pub fn is_shared(&self) -> bool {
        self.shared
    }

    /// Applies a change as a whole and returns the list's new version. `None`: a part to be removed was not listed,
    /// and nothing was changed. [`StoreError::Unsure`] is the only error after which the change may have been made.
    pub(crate) async fn apply(&self, change: &Change<'_>) -> Result<Option<i64>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let version = next_version(&mut transaction).await?;
        for id in &change.removed {
            if self.shared {
                sqlx::query(
                    "INSERT INTO parts_removed (path, removed_ms) SELECT path, $2 FROM parts WHERE id = $1
                     ON CONFLICT (path) DO NOTHING",
                )
                .bind(*id)
                .bind(change.now_ms)
                .execute(&mut *transaction)
                .await?;
            }
            let done =
                sqlx::query("DELETE FROM parts WHERE id = $1").bind(*id).execute(&mut *transaction).await?;
            if done.rows_affected() != 1 {
                transaction.rollback().await?;
                return Ok(None);
            }
        }
        for meta in &change.added {
            insert_part(&mut transaction, meta).await?;
        }
        for key in &change.keys {
            keys::upsert(&mut transaction, key).await?;
        }
        match transaction.commit().await {
            Ok(()) => Ok(Some(version)),
            // SQLite is in this process: it made the change or said that it did not.
            Err(error) if self.shared => Err(StoreError::Unsure(error)),
            Err(error) => Err(error.into()),
        }
    }

    /// The id of this catalog: `proposed` when it has none yet.
    pub(crate) async fn identity(&self, proposed: &str) -> Result<String, StoreError> {
        sqlx::query("INSERT INTO catalog_identity (one, id) VALUES (1, $1) ON CONFLICT (one) DO NOTHING")
            .bind(proposed)
            .execute(&self.pool)
            .await?;
        let row = sqlx::query("SELECT id FROM catalog_identity WHERE one = 1").fetch_one(&self.pool).await?;
        Ok(row.try_get("id")?)
    }

    /// Whether no part was ever listed and kept.
    pub(crate) async fn is_empty(&self) -> Result<bool, StoreError> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM parts) + (SELECT COUNT(*) FROM parts_set_aside) AS known",
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(row.try_get::<i64, _>("known")? == 0)
    }

    /// Changes whenever the list does.
    pub async fn version(&self) -> Result<i64, StoreError> {
        let row =
            sqlx::query("SELECT version FROM catalog_version WHERE one = 1").fetch_one(&self.pool).await?;
        Ok(row.try_get("version")?)
    }

    /// Every listed part, oldest first.
    pub async fn parts(&self) -> Result<Vec<PartMeta>, StoreError> {
        self.parts_of("parts").await
    }

    async fn parts_of(&self, table: &str) -> Result<Vec<PartMeta>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM {table} ORDER BY id");
        let rows = sqlx::query(&sql).fetch_all(&self.pool).await?;
        rows.iter().map(part_from_row).collect()
    }

    /// Whether a part is listed: what a commit asks when the answer to its transaction was lost.
    pub(crate) async fn is_listed(&self, id: &str) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT 1 AS one FROM parts WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.is_some())
    }

    /// Takes a damaged part off the list and remembers why. `false`: it was not listed any more, so that nothing was
    /// lost.
    pub(crate) async fn set_aside(
        &self,
        meta: &PartMeta,
        reason: &str,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        next_version(&mut transaction).await?;
        let keep = format!(
            "INSERT INTO parts_set_aside_rows ({COLUMNS}) SELECT {COLUMNS} FROM parts WHERE id = $1
             ON CONFLICT (id) DO NOTHING"
        );
        sqlx::query(&keep).bind(&meta.id).execute(&mut *transaction).await?;
        let done =
            sqlx::query("DELETE FROM parts WHERE id = $1").bind(&meta.id).execute(&mut *transaction).await?;
        if done.rows_affected() != 1 {
            transaction.rollback().await?;
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO parts_set_aside (id, path, reason, row_count, set_aside_ms) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(&meta.id)
        .bind(&meta.path)
        .bind(reason)
        .bind(meta.row_count)
        .bind(now_ms)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// What was set aside and could be listed again.
    pub(crate) async fn restorable(&self) -> Result<Vec<PartMeta>, StoreError> {
        self.parts_of("parts_set_aside_rows").await
    }

    /// Lists a part again that was set aside. `false`: it is not set aside any more.
    pub(crate) async fn restore(&self, id: &str) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        next_version(&mut transaction).await?;
        let list =
            format!("INSERT INTO parts ({COLUMNS}) SELECT {COLUMNS} FROM parts_set_aside_rows WHERE id = $1");
        let done = sqlx::query(&list).bind(id).execute(&mut *transaction).await?;
        if done.rows_affected() != 1 {
            transaction.rollback().await?;
            return Ok(false);
        }
        for table in ["parts_set_aside", "parts_set_aside_rows"] {
            let forget = format!("DELETE FROM {table} WHERE id = $1");
            sqlx::query(&forget).bind(id).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// Objects that other processes may still read, and when they were taken off the list.
    pub(crate) async fn parts_removed(&self) -> Result<Vec<(String, i64)>, StoreError> {
        let rows = sqlx::query("SELECT path, removed_ms FROM parts_removed").fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok((row.try_get("path")?, row.try_get("removed_ms")?))).collect()
    }

    /// The object is gone.
    pub(crate) async fn forget_removed(&self, path: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM parts_removed WHERE path = $1").bind(path).execute(&self.pool).await?;
        Ok(())
    }

    /// Paths of parts that were set aside, which the sweeper leaves alone, and why.
    pub async fn parts_set_aside(&self) -> Result<Vec<(String, String)>, StoreError> {
        let rows =
            sqlx::query("SELECT path, reason FROM parts_set_aside ORDER BY id").fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok((row.try_get("path")?, row.try_get("reason")?))).collect()
    }
}

/// Counts a change of the list. It is the first statement of every change: its row is the one lock that changes by
/// several servers wait for, whatever rows they touch after it and in which order.
async fn next_version(transaction: &mut Transaction<'_, Any>) -> Result<i64, StoreError> {
    let row = sqlx::query("UPDATE catalog_version SET version = version + 1 WHERE one = 1 RETURNING version")
        .fetch_one(&mut **transaction)
        .await?;
    Ok(row.try_get("version")?)
}

async fn insert_part(transaction: &mut Transaction<'_, Any>, meta: &PartMeta) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO parts (id, environment, signal, level, path, time_min_ns, time_max_ns, row_count, byte_count,
                            raw_byte_count, crc32, datasets, created_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(&meta.id)
    .bind(meta.environment.0)
    .bind(meta.signal.table())
    .bind(meta.level)
    .bind(&meta.path)
    .bind(meta.time_min_ns)
    .bind(meta.time_max_ns)
    .bind(meta.row_count)
    .bind(meta.byte_count)
    .bind(meta.raw_byte_count)
    .bind(i64::from(meta.crc32))
    .bind(serde_json::to_string(&meta.datasets).expect("text is always JSON"))
    .bind(meta.created_ms)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

fn part_from_row(row: &AnyRow) -> Result<PartMeta, StoreError> {
    let path: String = row.try_get("path")?;
    let damaged = |reason: &str| StoreError::Damaged { path: path.clone(), reason: reason.to_owned() };
    let signal: String = row.try_get("signal")?;
    let datasets: String = row.try_get("datasets")?;
    Ok(PartMeta {
        id: row.try_get("id")?,
        environment: EnvironmentId(row.try_get("environment")?),
        signal: Signal::from_table(&signal).ok_or_else(|| damaged("its signal is not known"))?,
        level: row.try_get("level")?,
        time_min_ns: row.try_get("time_min_ns")?,
        time_max_ns: row.try_get("time_max_ns")?,
        row_count: row.try_get("row_count")?,
        byte_count: row.try_get("byte_count")?,
        raw_byte_count: row.try_get("raw_byte_count")?,
        crc32: u32::try_from(row.try_get::<i64, _>("crc32")?)
            .map_err(|_| damaged("its checksum is no u32"))?,
        datasets: serde_json::from_str(&datasets).map_err(|_| damaged("its datasets are not JSON"))?,
        created_ms: row.try_get("created_ms")?,
        path,
    })
}
