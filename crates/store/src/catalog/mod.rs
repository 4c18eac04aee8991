//! The SQL list of parts. A part exists when a row here says so; every change of the list is one transaction.
//! One set of queries runs on SQLite and PostgreSQL.

mod keys;

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

/// One change of the list.
#[derive(Debug, Default)]
pub(crate) struct Change<'a> {
    pub(crate) added: Vec<&'a PartMeta>,
    /// Ids. When any of them is not listed (another node merged or dropped it), nothing changes.
    pub(crate) removed: Vec<&'a str>,
    pub(crate) keys: Vec<SeenKey>,
}

impl Catalog {
    /// Opens `url` (`sqlite:///path?mode=rwc` or `postgres://…`) and brings its tables to the newest version.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        install_default_drivers();
        let sqlite = url.starts_with("sqlite:");
        let pool = AnyPoolOptions::new()
            .max_connections(4)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if sqlite {
                        // FULL: a committed transaction survives a power cut, which the acknowledgement promises.
                        connection
                            .execute(
                                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;",
                            )
                            .await?;
                    }
                    Ok(())
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
    /// and nothing was changed.
    pub(crate) async fn apply(&self, change: &Change<'_>) -> Result<Option<i64>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        for id in &change.removed {
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
        let row =
            sqlx::query("UPDATE catalog_version SET version = version + 1 WHERE one = 1 RETURNING version")
                .fetch_one(&mut *transaction)
                .await?;
        let version = row.try_get("version")?;
        transaction.commit().await?;
        Ok(Some(version))
    }

    /// Changes whenever the list does.
    pub async fn version(&self) -> Result<i64, StoreError> {
        let row =
            sqlx::query("SELECT version FROM catalog_version WHERE one = 1").fetch_one(&self.pool).await?;
        Ok(row.try_get("version")?)
    }

    /// Every listed part, oldest first.
    pub async fn parts(&self) -> Result<Vec<PartMeta>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, environment, signal, level, path, time_min_ns, time_max_ns, row_count, byte_count, crc32,
                    datasets, created_ms
             FROM parts ORDER BY id",
        )
        .fetch_all(&self.pool)
        .await?;
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

    /// Takes a damaged part off the list and remembers why.
    pub(crate) async fn set_aside(
        &self,
        meta: &PartMeta,
        reason: &str,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("DELETE FROM parts WHERE id = $1").bind(&meta.id).execute(&mut *transaction).await?;
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
        sqlx::query("UPDATE catalog_version SET version = version + 1 WHERE one = 1")
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Paths of parts that were set aside, which the sweeper leaves alone, and why.
    pub async fn parts_set_aside(&self) -> Result<Vec<(String, String)>, StoreError> {
        let rows =
            sqlx::query("SELECT path, reason FROM parts_set_aside ORDER BY id").fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok((row.try_get("path")?, row.try_get("reason")?))).collect()
    }
}

async fn insert_part(transaction: &mut Transaction<'_, Any>, meta: &PartMeta) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO parts (id, environment, signal, level, path, time_min_ns, time_max_ns, row_count, byte_count,
                            crc32, datasets, created_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
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
        crc32: u32::try_from(row.try_get::<i64, _>("crc32")?)
            .map_err(|_| damaged("its checksum is no u32"))?,
        datasets: serde_json::from_str(&datasets).map_err(|_| damaged("its datasets are not JSON"))?,
        created_ms: row.try_get("created_ms")?,
        path,
    })
}
