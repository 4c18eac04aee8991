//! The key catalogue: which columns each dataset has, and when each was last written.

use sqlx::{Any, Row, Transaction};
use tracery_model::{EnvironmentId, Signal};

use super::Catalog;
use crate::StoreError;

/// A column that some row of a dataset set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenKey {
    pub environment: EnvironmentId,
    pub dataset: String,
    pub signal: Signal,
    /// Physical name (`os:user.id`, `duration_ns`).
    pub column: String,
    pub last_written_ms: i64,
}

pub(super) async fn upsert(transaction: &mut Transaction<'_, Any>, key: &SeenKey) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO keys_seen (environment, dataset, signal, column_name, last_written_ms)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (environment, dataset, signal, column_name) DO UPDATE SET last_written_ms = $5",
    )
    .bind(key.environment.0)
    .bind(&key.dataset)
    .bind(key.signal.table())
    .bind(&key.column)
    .bind(key.last_written_ms)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

impl Catalog {
    pub(crate) async fn keys(&self) -> Result<Vec<SeenKey>, StoreError> {
        let rows =
            sqlx::query("SELECT environment, dataset, signal, column_name, last_written_ms FROM keys_seen")
                .fetch_all(&self.pool)
                .await?;
        let mut keys = Vec::with_capacity(rows.len());
        for row in &rows {
            let signal: String = row.try_get("signal")?;
            let Some(signal) = Signal::from_table(&signal) else { continue };
            keys.push(SeenKey {
                environment: EnvironmentId(row.try_get("environment")?),
                dataset: row.try_get("dataset")?,
                signal,
                column: row.try_get("column_name")?,
                last_written_ms: row.try_get("last_written_ms")?,
            });
        }
        Ok(keys)
    }
}
