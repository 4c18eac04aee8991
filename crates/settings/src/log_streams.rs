//! Log streams: the sequences of events within a log group. Whether a stream exists is asked for every batch and answered
//! from memory nearly always; what streams hold (times, bytes) is noted here by their door some time after the events
//! were stored, in one transaction for many streams.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::database::CACHE_AGE_MS_MAX;
use crate::log_groups::{end_of_prefix, sort_key};
use crate::{Settings, SettingsError};

/// Streams of one group: a client that puts an id into every name must not fill the database.
pub const LOG_STREAMS_MAX: i64 = 1_000_000;
/// Deleted streams of one group that are remembered.
pub const LOG_STREAMS_DELETED_MAX: i64 = 10_000;

const COLUMNS: &str = "name, created_ns, first_event_ms, last_event_ms, last_ingestion_ms, byte_count";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogStream {
    pub name: String,
    /// Rows that were received before belong to a stream that had the name earlier.
    pub created_ns: i64,
    /// What its events are; all 0 as long as it has none.
    pub figures: LogStreamFigures,
}

/// What a stream holds, or what came to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogStreamFigures {
    pub first_event_ms: i64,
    pub last_event_ms: i64,
    pub last_ingestion_ms: i64,
    pub byte_count: i64,
}

impl LogStreamFigures {
    /// Adds what came later.
    pub fn add(&mut self, other: Self) {
        let first = [self.first_event_ms, other.first_event_ms].into_iter().filter(|ms| *ms > 0).min();
        self.first_event_ms = first.unwrap_or(0);
        self.last_event_ms = self.last_event_ms.max(other.last_event_ms);
        self.last_ingestion_ms = self.last_ingestion_ms.max(other.last_ingestion_ms);
        self.byte_count = self.byte_count.saturating_add(other.byte_count);
    }
}

/// The order of a list of streams, with the place after which it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogStreamOrder {
    /// By the bytes of the name.
    Name { after: Option<String> },
    /// By the time of the last event, then the name.
    LastEvent { after: Option<(i64, String)> },
}

fn from_row(row: &AnyRow) -> Result<LogStream, sqlx::Error> {
    Ok(LogStream {
        name: row.try_get("name")?,
        created_ns: row.try_get("created_ns")?,
        figures: LogStreamFigures {
            first_event_ms: row.try_get("first_event_ms")?,
            last_event_ms: row.try_get("last_event_ms")?,
            last_ingestion_ms: row.try_get("last_ingestion_ms")?,
            byte_count: row.try_get("byte_count")?,
        },
    })
}

impl Settings {
    /// Makes a stream. [`SettingsError::Exists`] when the group has one of that name, [`SettingsError::NotFound`] when
    /// there is no such group, [`SettingsError::Full`] when it has too many.
    pub async fn create_log_stream(
        &self,
        group_id: &str,
        name: &str,
        created_ns: i64,
    ) -> Result<(), SettingsError> {
        let mut transaction = self.pool.begin().await?;
        let counted = sqlx::query(
            "UPDATE log_groups SET stream_count = stream_count + 1 WHERE id = $1 AND stream_count < $2",
        )
        .bind(group_id)
        .bind(LOG_STREAMS_MAX)
        .execute(&mut *transaction)
        .await?;
        if counted.rows_affected() == 0 {
            let known: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM log_groups WHERE id = $1")
                .bind(group_id)
                .fetch_one(&mut *transaction)
                .await?;
            return Err(match known {
                0 => SettingsError::NotFound(format!("log group {group_id}")),
                _ => SettingsError::Full { kind: "log stream", max: LOG_STREAMS_MAX },
            });
        }
        sqlx::query("INSERT INTO log_streams (group_id, sort_key, name, created_ns) VALUES ($1, $2, $3, $4)")
            .bind(group_id)
            .bind(sort_key(name))
            .bind(name)
            .bind(created_ns)
            .execute(&mut *transaction)
            .await
            .map_err(|error| match &error {
                sqlx::Error::Database(cause) if cause.is_unique_violation() => {
                    SettingsError::Exists(format!("log stream {name}"))
                }
                _ => error.into(),
            })?;
        transaction.commit().await?;
        Ok(())
    }

    /// The stream of a name, whose figures may be old. So may the answer, by a second, but for what this process changed.
    pub async fn log_stream(
        &self,
        group_id: &str,
        name: &str,
    ) -> Result<Option<Arc<LogStream>>, SettingsError> {
        let cache = &self.caches.log_streams;
        let key = (group_id.to_owned(), name.to_owned());
        if let Some(known) = cache.get(&key, self.clock.now_ms(), CACHE_AGE_MS_MAX) {
            return Ok(Some(known));
        }
        let ticket = cache.ticket();
        let row =
            sqlx::query(&format!("SELECT {COLUMNS} FROM log_streams WHERE group_id = $1 AND sort_key = $2"))
                .bind(group_id)
                .bind(sort_key(name))
                .fetch_optional(&self.pool)
                .await?;
        let stream = row.as_ref().map(from_row).transpose()?.map(Arc::new);
        if let Some(stream) = &stream {
            cache.put(ticket, key, Arc::clone(stream), self.clock.now_ms());
        }
        Ok(stream)
    }

    /// Streams of a group whose names begin with `prefix`.
    pub async fn log_streams(
        &self,
        group_id: &str,
        prefix: &str,
        order: &LogStreamOrder,
        descending: bool,
        count_max: i64,
    ) -> Result<Vec<LogStream>, SettingsError> {
        let (beyond, direction) = if descending { ("<", "DESC") } else { (">", "ASC") };
        let (condition, columns) = match order {
            LogStreamOrder::Name { after: None } | LogStreamOrder::LastEvent { after: None } => {
                (String::new(), matches!(order, LogStreamOrder::LastEvent { .. }))
            }
            LogStreamOrder::Name { after: Some(_) } => (format!("AND sort_key {beyond} $4"), false),
            LogStreamOrder::LastEvent { after: Some(_) } => (
                format!("AND (last_event_ms {beyond} $4 OR (last_event_ms = $5 AND sort_key {beyond} $6))"),
                true,
            ),
        };
        let by = match columns {
            true => format!("last_event_ms {direction}, sort_key {direction}"),
            false => format!("sort_key {direction}"),
        };
        let prefix = sort_key(prefix);
        let text = format!(
            "SELECT {COLUMNS} FROM log_streams WHERE group_id = $1 AND sort_key >= $2 AND sort_key < $3
             {condition} ORDER BY {by} LIMIT {count_max}"
        );
        let end = end_of_prefix(&prefix);
        let mut query = sqlx::query(&text).bind(group_id).bind(prefix).bind(end);
        match order {
            LogStreamOrder::Name { after: Some(name) } => query = query.bind(sort_key(name)),
            LogStreamOrder::LastEvent { after: Some((ms, name)) } => {
                query = query.bind(*ms).bind(*ms).bind(sort_key(name));
            }
            _ => {}
        }
        let rows = query.fetch_all(&self.pool).await?;
        Ok(rows.iter().map(from_row).collect::<Result<_, _>>()?)
    }

    /// Deletes a stream; whether there was one. Its name and the time are remembered, so that its rows are not read when
    /// the name is used again. [`SettingsError::Full`] when too many are remembered.
    pub async fn delete_log_stream(
        &self,
        group_id: &str,
        name: &str,
        deleted_ns: i64,
    ) -> Result<bool, SettingsError> {
        let mut transaction = self.pool.begin().await?;
        // Reading first would let another writer in between, which the database refuses.
        let bytes: Option<i64> = sqlx::query_scalar(
            "DELETE FROM log_streams WHERE group_id = $1 AND sort_key = $2 RETURNING byte_count",
        )
        .bind(group_id)
        .bind(sort_key(name))
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(bytes) = bytes else { return Ok(false) };
        sqlx::query(
            "UPDATE log_groups SET stream_count = stream_count - 1, byte_count = byte_count - $1 WHERE id = $2",
        )
        .bind(bytes)
        .bind(group_id)
        .execute(&mut *transaction)
        .await?;
        let remembered = sqlx::query(
            "INSERT INTO log_streams_deleted (group_id, sort_key, name, deleted_ns)
             SELECT $1, $2, $3, $4
             WHERE (SELECT COUNT(*) FROM log_streams_deleted WHERE group_id = $5) < $6
             ON CONFLICT (group_id, sort_key) DO UPDATE SET deleted_ns = excluded.deleted_ns",
        )
        .bind(group_id)
        .bind(sort_key(name))
        .bind(name)
        .bind(deleted_ns)
        .bind(group_id)
        .bind(LOG_STREAMS_DELETED_MAX)
        .execute(&mut *transaction)
        .await?;
        if remembered.rows_affected() == 0 {
            return Err(SettingsError::Full { kind: "deleted log stream", max: LOG_STREAMS_DELETED_MAX });
        }
        transaction.commit().await?;
        self.forget_logs();
        Ok(true)
    }

    /// Names of a group's deleted streams, and when each was deleted last: rows received until then are not read. An answer
    /// may be a second old, but for what this process changed.
    pub async fn deleted_log_streams(
        &self,
        group_id: &str,
    ) -> Result<Arc<HashMap<String, i64>>, SettingsError> {
        let cache = &self.caches.log_streams_deleted;
        if let Some(known) = cache.get(group_id, self.clock.now_ms(), CACHE_AGE_MS_MAX) {
            return Ok(known);
        }
        let ticket = cache.ticket();
        let rows = sqlx::query("SELECT name, deleted_ns FROM log_streams_deleted WHERE group_id = $1")
            .bind(group_id)
            .fetch_all(&self.pool)
            .await?;
        let deleted = rows.iter().map(|row| Ok((row.try_get("name")?, row.try_get("deleted_ns")?)));
        let deleted = Arc::new(deleted.collect::<Result<HashMap<_, _>, sqlx::Error>>()?);
        cache.put(ticket, group_id.to_owned(), Arc::clone(&deleted), self.clock.now_ms());
        Ok(deleted)
    }

    /// Adds what came to streams, by group and name. What came to a stream that is gone is left out.
    pub async fn note_log_streams(
        &self,
        came: &HashMap<(String, String), LogStreamFigures>,
    ) -> Result<(), SettingsError> {
        // Always in the same order, so that two writers wait for each other and never in a circle.
        let mut came: Vec<_> = came.iter().collect();
        came.sort_unstable_by_key(|(key, _)| *key);
        let mut transaction = self.pool.begin().await?;
        let mut group_bytes: Vec<(&str, i64)> = Vec::new();
        for ((group_id, name), figures) in came {
            let done = sqlx::query(
                "UPDATE log_streams SET
                     first_event_ms = CASE WHEN first_event_ms = 0 OR first_event_ms > $1 THEN $2
                                      ELSE first_event_ms END,
                     last_event_ms = CASE WHEN last_event_ms < $3 THEN $4 ELSE last_event_ms END,
                     last_ingestion_ms = CASE WHEN last_ingestion_ms < $5 THEN $6 ELSE last_ingestion_ms END,
                     byte_count = byte_count + $7
                 WHERE group_id = $8 AND sort_key = $9",
            )
            .bind(figures.first_event_ms)
            .bind(figures.first_event_ms)
            .bind(figures.last_event_ms)
            .bind(figures.last_event_ms)
            .bind(figures.last_ingestion_ms)
            .bind(figures.last_ingestion_ms)
            .bind(figures.byte_count)
            .bind(group_id)
            .bind(sort_key(name))
            .execute(&mut *transaction)
            .await?;
            if done.rows_affected() == 0 {
                continue;
            }
            match group_bytes.last_mut().filter(|(last, _)| *last == group_id) {
                Some((_, bytes)) => *bytes += figures.byte_count,
                None => group_bytes.push((group_id, figures.byte_count)),
            }
        }
        for (group_id, bytes) in group_bytes {
            sqlx::query("UPDATE log_groups SET byte_count = byte_count + $1 WHERE id = $2")
                .bind(bytes)
                .bind(group_id)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::tests::memory;
    use crate::{LogGroup, LogRegion, NewLogGroup};

    async fn group(settings: &Settings) -> Arc<LogGroup> {
        let environment = settings.default_environment().await.unwrap().id;
        let place = LogRegion { environment, region: "eu-west-1" };
        let new = NewLogGroup { name: "g".into(), class: "STANDARD".into(), ..Default::default() };
        settings.create_log_group(place, &new).await.ok();
        settings.forget_logs();
        settings.log_group(place, "g").await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn streams_are_listed_by_name_and_by_their_last_event() {
        let settings = memory().await;
        let id = group(&settings).await.id.clone();
        for (name, last_event_ms) in [("b", 30), ("a", 10), ("c/d", 0), ("é", 30)] {
            settings.create_log_stream(&id, name, 5).await.unwrap();
            let figures = LogStreamFigures {
                first_event_ms: last_event_ms,
                last_event_ms,
                last_ingestion_ms: last_event_ms + 1,
                byte_count: 7,
            };
            let came = HashMap::from([((id.clone(), name.to_owned()), figures)]);
            settings.note_log_streams(&came).await.unwrap();
        }
        let again = settings.create_log_stream(&id, "a", 6).await;
        assert!(matches!(again, Err(SettingsError::Exists(_))));
        let list = async |prefix: &str, order, descending| {
            let streams = settings.log_streams(&id, prefix, &order, descending, 10).await.unwrap();
            streams.into_iter().map(|stream| stream.name).collect::<Vec<_>>()
        };
        let by_name = |after: Option<&str>| LogStreamOrder::Name { after: after.map(str::to_owned) };
        let by_time = |after: Option<(i64, &str)>| LogStreamOrder::LastEvent {
            after: after.map(|(ms, name)| (ms, name.to_owned())),
        };
        assert_eq!(list("", by_name(None), false).await, ["a", "b", "c/d", "é"]);
        assert_eq!(list("", by_name(Some("b")), true).await, ["a"]);
        assert_eq!(list("c", by_name(None), false).await, ["c/d"]);
        assert_eq!(list("", by_time(None), true).await, ["é", "b", "a", "c/d"]);
        assert_eq!(list("", by_time(Some((30, "é"))), true).await, ["b", "a", "c/d"]);
        assert_eq!(list("", by_time(Some((10, "a"))), false).await, ["b", "é"]);
        let group = group(&settings).await;
        assert_eq!((group.stream_count, group.byte_count), (4, 28));
    }

    #[tokio::test]
    async fn a_deleted_stream_is_remembered_and_its_name_is_free() {
        let settings = memory().await;
        let id = group(&settings).await.id.clone();
        settings.create_log_stream(&id, "s", 5).await.unwrap();
        let figures =
            LogStreamFigures { first_event_ms: 1, last_event_ms: 2, byte_count: 9, ..Default::default() };
        let came = HashMap::from([((id.clone(), "s".to_owned()), figures)]);
        settings.note_log_streams(&came).await.unwrap();
        assert!(settings.deleted_log_streams(&id).await.unwrap().is_empty());
        assert!(settings.delete_log_stream(&id, "s", 8).await.unwrap());
        assert!(!settings.delete_log_stream(&id, "s", 8).await.unwrap());
        assert_eq!(settings.log_stream(&id, "s").await.unwrap(), None);
        settings.note_log_streams(&came).await.unwrap();
        settings.create_log_stream(&id, "s", 9).await.unwrap();
        let stream = settings.log_stream(&id, "s").await.unwrap().unwrap();
        assert_eq!((stream.created_ns, stream.figures), (9, LogStreamFigures::default()));
        assert_eq!(settings.deleted_log_streams(&id).await.unwrap()["s"], 8);
        let group = group(&settings).await;
        assert_eq!((group.stream_count, group.byte_count), (1, 0));
        let nowhere = settings.create_log_stream("nowhere", "s", 1).await;
        assert!(matches!(nowhere, Err(SettingsError::NotFound(_))));
    }
}
