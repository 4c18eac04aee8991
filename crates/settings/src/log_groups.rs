//! Log groups of CloudWatch Logs: what a group is named and how its events are kept, in an environment and a region. Its
//! door reads one for every batch, so [`Settings::log_group`] is answered from memory nearly always. A name that was
//! deleted and made again is another group: it has another id and a later time of creation.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::Row;
use sqlx::any::AnyRow;
use tracery_model::EnvironmentId;

use crate::database::CACHE_AGE_MS_MAX;
use crate::keys::random_id;
use crate::{Settings, SettingsError};

/// Groups that an environment may have in one region.
pub const LOG_GROUPS_MAX: i64 = 1_000_000;

const COLUMNS: &str =
    "id, environment, region, name, class, retention_days, kms_key_id, delete_protected, tags,
    created_ns, stream_count, byte_count";

/// Where groups live: regions are kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogRegion<'a> {
    pub environment: EnvironmentId,
    pub region: &'a str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogGroup {
    pub id: String,
    pub environment: EnvironmentId,
    pub region: String,
    pub name: String,
    /// The vendor's word for how its events are kept, `STANDARD` for most.
    pub class: String,
    /// `None` keeps events for ever.
    pub retention_days: Option<i64>,
    pub kms_key_id: Option<String>,
    pub delete_protected: bool,
    pub tags: BTreeMap<String, String>,
    /// Rows that were received before belong to a group that had the name earlier.
    pub created_ns: i64,
    pub stream_count: i64,
    /// Bytes of messages that were taken in, less those of deleted streams.
    pub byte_count: i64,
}

/// A group to be made.
#[derive(Debug, Clone, Default)]
pub struct NewLogGroup {
    pub name: String,
    pub class: String,
    pub retention_days: Option<i64>,
    pub kms_key_id: Option<String>,
    pub delete_protected: bool,
    pub tags: BTreeMap<String, String>,
    pub created_ns: i64,
}

/// What of a group is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogGroupChange {
    RetentionDays(Option<i64>),
    DeleteProtected(bool),
    Tags(BTreeMap<String, String>),
}

/// A name as it sorts: by bytes, in every database.
pub(crate) fn sort_key(name: &str) -> String {
    hex::encode(name)
}

/// The first text that sorts after everything that begins with a sort key.
pub(crate) fn end_of_prefix(sort_key: &str) -> String {
    format!("{sort_key}g")
}

fn from_row(row: &AnyRow) -> Result<LogGroup, SettingsError> {
    let id: String = row.try_get("id")?;
    let tags: String = row.try_get("tags")?;
    let retention_days: i64 = row.try_get("retention_days")?;
    Ok(LogGroup {
        environment: EnvironmentId(row.try_get("environment")?),
        region: row.try_get("region")?,
        name: row.try_get("name")?,
        class: row.try_get("class")?,
        retention_days: (retention_days > 0).then_some(retention_days),
        kms_key_id: row.try_get("kms_key_id")?,
        delete_protected: row.try_get::<i64, _>("delete_protected")? != 0,
        tags: tags_of(&tags)
            .ok_or_else(|| SettingsError::Invalid(format!("tags of log group {id} are not readable")))?,
        created_ns: row.try_get("created_ns")?,
        stream_count: row.try_get("stream_count")?,
        byte_count: row.try_get("byte_count")?,
        id,
    })
}

fn tags_of(text: &str) -> Option<BTreeMap<String, String>> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let tags = value.as_object()?.iter();
    tags.map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

fn tags_text(tags: &BTreeMap<String, String>) -> String {
    let tags: serde_json::Map<_, _> =
        tags.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect();
    serde_json::Value::Object(tags).to_string()
}

impl Settings {
    /// Makes a group. [`SettingsError::Exists`] when its name is taken in the region, [`SettingsError::Full`] when there
    /// are too many.
    pub async fn create_log_group(
        &self,
        place: LogRegion<'_>,
        new: &NewLogGroup,
    ) -> Result<(), SettingsError> {
        let done = sqlx::query(
            "INSERT INTO log_groups (id, environment, region, name, sort_key, class, retention_days, kms_key_id,
                 delete_protected, tags, created_ns)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11
             WHERE (SELECT COUNT(*) FROM log_groups WHERE environment = $12 AND region = $13) < $14",
        )
        .bind(random_id())
        .bind(place.environment.0)
        .bind(place.region)
        .bind(&new.name)
        .bind(sort_key(&new.name))
        .bind(&new.class)
        .bind(new.retention_days.unwrap_or(0))
        .bind(new.kms_key_id.clone())
        .bind(i64::from(new.delete_protected))
        .bind(tags_text(&new.tags))
        .bind(new.created_ns)
        .bind(place.environment.0)
        .bind(place.region)
        .bind(LOG_GROUPS_MAX)
        .execute(&self.pool)
        .await
        .map_err(|error| match &error {
            sqlx::Error::Database(cause) if cause.is_unique_violation() => {
                SettingsError::Exists(format!("log group {}", new.name))
            }
            _ => error.into(),
        })?;
        if done.rows_affected() == 0 {
            return Err(SettingsError::Full { kind: "log group", max: LOG_GROUPS_MAX });
        }
        Ok(())
    }

    /// The group of a name. An answer may be a second old, but for what this process changed.
    pub async fn log_group(
        &self,
        place: LogRegion<'_>,
        name: &str,
    ) -> Result<Option<Arc<LogGroup>>, SettingsError> {
        let cache = &self.caches.log_groups;
        let key = (place.environment.0, place.region.to_owned(), name.to_owned());
        if let Some(known) = cache.get(&key, self.clock.now_ms(), CACHE_AGE_MS_MAX) {
            return Ok(Some(known));
        }
        let ticket = cache.ticket();
        let row = sqlx::query(&format!(
            "SELECT {COLUMNS} FROM log_groups WHERE environment = $1 AND region = $2 AND sort_key = $3"
        ))
        .bind(place.environment.0)
        .bind(place.region)
        .bind(sort_key(name))
        .fetch_optional(&self.pool)
        .await?;
        let group = row.as_ref().map(from_row).transpose()?.map(Arc::new);
        if let Some(group) = &group {
            cache.put(ticket, key, Arc::clone(group), self.clock.now_ms());
        }
        Ok(group)
    }

    /// Groups whose names begin with `prefix` and come after `after`, by the bytes of their names.
    pub async fn log_groups(
        &self,
        place: LogRegion<'_>,
        prefix: &str,
        after: &str,
        count_max: i64,
    ) -> Result<Vec<LogGroup>, SettingsError> {
        let prefix = sort_key(prefix);
        let rows = sqlx::query(&format!(
            "SELECT {COLUMNS} FROM log_groups WHERE environment = $1 AND region = $2
             AND sort_key > $3 AND sort_key >= $4 AND sort_key < $5 ORDER BY sort_key LIMIT $6"
        ))
        .bind(place.environment.0)
        .bind(place.region)
        .bind(sort_key(after))
        .bind(prefix.clone())
        .bind(end_of_prefix(&prefix))
        .bind(count_max)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(from_row).collect()
    }

    /// The regions in which an environment has groups, by name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn log_regions(&self, environment: EnvironmentId) -> Result<Vec<String>, SettingsError> {
        let regions = sqlx::query_scalar(
            "SELECT DISTINCT region FROM log_groups WHERE environment = $1 ORDER BY region",
        );
        Ok(regions.bind(environment.0).fetch_all(&self.pool).await?)
    }

    /// Groups of all environments and regions after the one whose id is `after`, by id: what the store asks that removes
    /// rows nobody may read any more.
    pub async fn all_log_groups(&self, after: &str, count_max: i64) -> Result<Vec<LogGroup>, SettingsError> {
        let rows =
            sqlx::query(&format!("SELECT {COLUMNS} FROM log_groups WHERE id > $1 ORDER BY id LIMIT $2"))
                .bind(after)
                .bind(count_max)
                .fetch_all(&self.pool)
                .await?;
        rows.iter().map(from_row).collect()
    }

    /// Changes a group; whether there is one with this id.
    pub async fn change_log_group(&self, id: &str, change: &LogGroupChange) -> Result<bool, SettingsError> {
        let query = match change {
            LogGroupChange::RetentionDays(days) => {
                sqlx::query("UPDATE log_groups SET retention_days = $1 WHERE id = $2").bind(days.unwrap_or(0))
            }
            LogGroupChange::DeleteProtected(protected) => {
                sqlx::query("UPDATE log_groups SET delete_protected = $1 WHERE id = $2")
                    .bind(i64::from(*protected))
            }
            LogGroupChange::Tags(tags) => {
                sqlx::query("UPDATE log_groups SET tags = $1 WHERE id = $2").bind(tags_text(tags))
            }
        };
        let done = query.bind(id).execute(&self.pool).await?;
        self.caches.log_groups.invalidate();
        Ok(done.rows_affected() > 0)
    }

    /// Deletes a group with its streams, unless it is protected; whether it did.
    pub async fn delete_log_group(&self, id: &str) -> Result<bool, SettingsError> {
        let mut transaction = self.pool.begin().await?;
        let done = sqlx::query("DELETE FROM log_groups WHERE id = $1 AND delete_protected = 0")
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        if done.rows_affected() > 0 {
            for table in ["log_streams", "log_streams_deleted"] {
                sqlx::query(&format!("DELETE FROM {table} WHERE group_id = $1"))
                    .bind(id)
                    .execute(&mut *transaction)
                    .await?;
            }
        }
        transaction.commit().await?;
        self.forget_logs();
        Ok(done.rows_affected() > 0)
    }

    pub(crate) fn forget_logs(&self) {
        self.caches.log_groups.invalidate();
        self.caches.log_streams.invalidate();
        self.caches.log_streams_deleted.invalidate();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::tests::memory;

    fn new(name: &str, created_ns: i64) -> NewLogGroup {
        NewLogGroup { name: name.to_owned(), class: "STANDARD".into(), created_ns, ..Default::default() }
    }

    #[tokio::test]
    async fn a_name_is_taken_once_a_region_and_made_again_after_its_deletion() {
        let settings = memory().await;
        let environment = settings.default_environment().await.unwrap().id;
        let west = LogRegion { environment, region: "eu-west-1" };
        let east = LogRegion { environment, region: "us-east-1" };
        settings.create_log_group(west, &new("a/b", 7)).await.unwrap();
        let again = settings.create_log_group(west, &new("a/b", 8)).await;
        assert!(matches!(again, Err(SettingsError::Exists(_))), "{again:?}");
        settings.create_log_group(east, &new("a/b", 9)).await.unwrap();
        let group = settings.log_group(west, "a/b").await.unwrap().unwrap();
        assert_eq!((group.created_ns, group.retention_days), (7, None));

        let change = LogGroupChange::DeleteProtected(true);
        assert!(settings.change_log_group(&group.id, &change).await.unwrap());
        assert!(!settings.delete_log_group(&group.id).await.unwrap(), "protected");
        settings.change_log_group(&group.id, &LogGroupChange::DeleteProtected(false)).await.unwrap();
        settings.change_log_group(&group.id, &LogGroupChange::RetentionDays(Some(3))).await.unwrap();
        assert_eq!(settings.log_group(west, "a/b").await.unwrap().unwrap().retention_days, Some(3));
        assert!(settings.delete_log_group(&group.id).await.unwrap());
        assert_eq!(settings.log_group(west, "a/b").await.unwrap(), None);
        settings.create_log_group(west, &new("a/b", 10)).await.unwrap();
        assert_ne!(settings.log_group(west, "a/b").await.unwrap().unwrap().id, group.id);
        assert_eq!(settings.log_group(east, "a/b").await.unwrap().unwrap().created_ns, 9);
    }

    #[tokio::test]
    async fn groups_are_listed_by_the_bytes_of_their_names() {
        let settings = memory().await;
        let environment = settings.default_environment().await.unwrap().id;
        let place = LogRegion { environment, region: "eu-west-1" };
        for name in ["b", "B", "a/1", "a-1", "a", "_"] {
            settings.create_log_group(place, &new(name, 1)).await.unwrap();
        }
        let list = async |prefix: &str, after: &str, count_max| {
            let groups = settings.log_groups(place, prefix, after, count_max).await.unwrap();
            groups.into_iter().map(|group| group.name).collect::<Vec<_>>()
        };
        assert_eq!(list("", "", 10).await, ["B", "_", "a", "a-1", "a/1", "b"]);
        assert_eq!(list("a", "", 2).await, ["a", "a-1"]);
        assert_eq!(list("a", "a-1", 2).await, ["a/1"]);
    }
}
