//! What doors tell the tracker: summaries of occurrences that are in the store, kept until the worker has grouped them. The
//! door answers its client when they are kept; concurrent calls share a transaction.

use parking_lot::Mutex;
use sqlx::Row;
use tokio::sync::oneshot;
use tracery_errors::{Source, Summary};

use crate::sequences::Sequence;
use crate::{Tracker, TrackerError};

/// How long a uuid is remembered, and how many: clients send again within minutes.
const UUID_AGE_S: i64 = 2 * 24 * 60 * 60;
const UUIDS_MAX: i64 = 2_000_000;
/// Rejected payloads that a project keeps.
const REJECTED_MAX: i64 = 100;
/// Of a rejected payload.
const REJECTED_BYTES_MAX: usize = 4_096;
/// Summaries of one row of the inbox.
const ROW_SUMMARIES_MAX: usize = 500;

type Told = oneshot::Sender<Result<(), String>>;

/// Calls whose summaries wait for the next transaction.
#[derive(Default)]
pub(crate) struct Waiting {
    calls: Mutex<Vec<(Vec<Summary>, Told)>>,
    writing: tokio::sync::Mutex<()>,
}

/// An exception by trace, type and message.
pub(crate) struct KnownException {
    /// The word of the door that reported it last.
    pub(crate) source: String,
    pub(crate) environment: String,
    pub(crate) fingerprint: String,
}

/// A payload that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    pub at_s: i64,
    pub reason: String,
    /// Its first 4 KiB.
    pub payload: String,
}

impl Tracker {
    /// Ids for occurrences, ascending.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn occurrence_ids(&self, count: usize) -> Result<Vec<i64>, TrackerError> {
        self.take(Sequence::Occurrences, count).await
    }

    /// Whether an occurrence of that uuid was noted in the last two days.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn is_known(&self, project_id: i64, uuid: &str) -> Result<bool, TrackerError> {
        let row = sqlx::query("SELECT 1 AS one FROM known_uuids WHERE project_id = $1 AND uuid = $2")
            .bind(project_id)
            .bind(uuid)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.is_some())
    }

    /// Who reported an exception first, in the last two days.
    pub(crate) async fn known_exception(
        &self,
        project_id: i64,
        identity: &str,
    ) -> Result<Option<KnownException>, TrackerError> {
        let row = sqlx::query(
            "SELECT source, environment, fingerprint FROM known_exceptions WHERE project_id = $1 AND identity = $2",
        )
        .bind(project_id)
        .bind(identity)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(KnownException {
            source: row.try_get("source")?,
            environment: row.try_get("environment")?,
            fingerprint: row.try_get("fingerprint")?,
        }))
    }

    /// Whether another door than `source` reported an exception of this shape since a time in seconds.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn is_told_elsewhere(
        &self,
        project_id: i64,
        shape: &str,
        source: Source,
        since_s: i64,
    ) -> Result<bool, TrackerError> {
        let row = sqlx::query(
            "SELECT 1 AS one FROM known_exceptions WHERE project_id = $1 AND shape = $2 AND noted_s >= $3 AND source <> $4 LIMIT 1",
        )
        .bind(project_id)
        .bind(shape)
        .bind(since_s)
        .bind(source.name())
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.is_some())
    }

    /// Keeps summaries for the worker; they survive a crash once this has answered.
    ///
    /// # Errors
    /// When the database does not answer: then nothing was kept.
    pub async fn note(&self, summaries: Vec<Summary>) -> Result<(), TrackerError> {
        if summaries.is_empty() {
            return Ok(());
        }
        let (told, mut heard) = oneshot::channel();
        self.inbox.calls.lock().push((summaries, told));
        // Whoever gets the turn writes what waits, also for those behind.
        let _turn = self.inbox.writing.lock().await;
        if let Ok(answer) = heard.try_recv() {
            return answer.map_err(TrackerError::Corrupt);
        }
        let calls = std::mem::take(&mut *self.inbox.calls.lock());
        let written = self.write(&calls).await;
        let said = written.as_ref().map(drop).map_err(ToString::to_string);
        for (_, told) in calls {
            // Nobody listens any more where the client has left.
            drop(told.send(said.clone()));
        }
        self.noted.notify_one();
        written
    }

    async fn write(&self, calls: &[(Vec<Summary>, Told)]) -> Result<(), TrackerError> {
        let all: Vec<&Summary> = calls.iter().flat_map(|(summaries, _)| summaries).collect();
        let ids = self.take(Sequence::Rows, all.len().div_ceil(ROW_SUMMARIES_MAX)).await?;
        let mut transaction = self.pool.begin().await?;
        // Of two that came at the same moment, one is kept.
        let mut kept: Vec<&Summary> = Vec::with_capacity(all.len());
        for summary in all {
            let made = sqlx::query(
                "INSERT INTO known_uuids (project_id, uuid, noted_s) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            )
            .bind(summary.project_id)
            .bind(summary.uuid.as_str())
            .bind(summary.received_s)
            .execute(&mut *transaction)
            .await?;
            if made.rows_affected() > 0 {
                kept.push(summary);
            }
        }
        for summary in &kept {
            // What is in no trace is known by what it is alone.
            let of_shape = || summary.shape.as_ref().map(|shape| format!("shape {shape}"));
            let Some(identity) = summary.identity.clone().or_else(of_shape) else { continue };
            sqlx::query(
                "INSERT INTO known_exceptions (project_id, identity, source, environment, fingerprint, noted_s, shape)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)
                 ON CONFLICT (project_id, identity) DO UPDATE SET source = excluded.source, noted_s = excluded.noted_s",
            )
            .bind(summary.project_id)
            .bind(identity.as_str())
            .bind(summary.source.name())
            .bind(summary.environment.as_str())
            .bind(summary.fingerprint.as_str())
            .bind(summary.received_s)
            .bind(summary.shape.as_deref().unwrap_or_default())
            .execute(&mut *transaction)
            .await?;
        }
        for (id, row) in ids.iter().zip(kept.chunks(ROW_SUMMARIES_MAX)) {
            let text =
                serde_json::to_string(row).map_err(|error| TrackerError::Corrupt(error.to_string()))?;
            sqlx::query("INSERT INTO inbox (id, summaries) VALUES ($1, $2)")
                .bind(*id)
                .bind(text)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Keeps a payload that was refused, so that its sender's owner can see why.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn reject(&self, project_id: i64, reason: &str, payload: &[u8]) -> Result<(), TrackerError> {
        let id = self.take_one(Sequence::Rows).await?;
        let payload = String::from_utf8_lossy(&payload[..payload.len().min(REJECTED_BYTES_MAX)])
            .replace('\0', "\u{fffd}");
        let mut transaction = self.pool.begin().await?;
        sqlx::query("INSERT INTO rejected_payloads (id, project_id, at_s, reason, payload) VALUES ($1, $2, $3, $4, $5)")
            .bind(id)
            .bind(project_id)
            .bind(self.now_s())
            .bind(reason)
            .bind(payload)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "DELETE FROM rejected_payloads WHERE project_id = $1 AND id NOT IN
             (SELECT id FROM rejected_payloads WHERE project_id = $2 ORDER BY id DESC LIMIT $3)",
        )
        .bind(project_id)
        .bind(project_id)
        .bind(REJECTED_MAX)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The latest refused payloads of a project, the newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn rejected(&self, project_id: i64) -> Result<Vec<Rejected>, TrackerError> {
        let rows = sqlx::query(
            "SELECT at_s, reason, payload FROM rejected_payloads WHERE project_id = $1 ORDER BY id DESC",
        )
        .bind(project_id)
        .fetch_all(&self.pool)
        .await?;
        let read = rows.iter().map(|row| {
            Ok(Rejected {
                at_s: row.try_get("at_s")?,
                reason: row.try_get("reason")?,
                payload: row.try_get("payload")?,
            })
        });
        read.collect()
    }

    /// Forgets uuids and exceptions that are old, or too many.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sweep(&self) -> Result<(), TrackerError> {
        for table in ["known_uuids", "known_exceptions"] {
            sqlx::query(&format!("DELETE FROM {table} WHERE noted_s < $1"))
                .bind(self.now_s() - UUID_AGE_S)
                .execute(&self.pool)
                .await?;
            let newest = format!("(SELECT noted_s FROM {table} ORDER BY noted_s DESC LIMIT 1 OFFSET $1)");
            sqlx::query(&format!("DELETE FROM {table} WHERE noted_s <= {newest}"))
                .bind(UUIDS_MAX)
                .execute(&self.pool)
                .await?;
        }
        Ok(())
    }
}
