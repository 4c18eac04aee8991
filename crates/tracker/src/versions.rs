//! Versions of the code that errors came from, and what items did in each.

use std::collections::BTreeMap;

use sqlx::Row;
use tracery_errors::Level;

use crate::{Tracker, TrackerError};

/// Items of a version that are listed.
const ITEMS_MAX: i64 = 5_000;

/// A version in an environment. Times are seconds since 1970, ids and times 0 where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    pub id: i64,
    pub environment: String,
    pub version: String,
    pub created_s: i64,
    pub first_occurrence_id: i64,
    pub first_s: i64,
    pub last_occurrence_id: i64,
    pub last_s: i64,
}

/// What an item was in a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum VersionEvent {
    New,
    Reactivated,
    Repeated,
    Resolved,
}

impl VersionEvent {
    pub const ALL: [Self; 4] = [Self::New, Self::Reactivated, Self::Repeated, Self::Resolved];

    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Reactivated => "reactivated",
            Self::Repeated => "repeated",
            Self::Resolved => "resolved",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == name)
    }
}

/// How many items were what, by level.
pub type VersionStats = BTreeMap<(VersionEvent, Level), i64>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionItem {
    pub item_id: i64,
    pub level: Level,
    pub first_occurrence_id: i64,
    pub last_occurrence_id: i64,
}

impl Tracker {
    /// # Errors
    /// When the database does not answer.
    pub async fn version(
        &self,
        project_id: i64,
        environment: &str,
        version: &str,
    ) -> Result<Option<Version>, TrackerError> {
        let row = sqlx::query(
            "SELECT id, environment, version, created_s, first_occurrence_id, first_s, last_occurrence_id, last_s FROM versions
             WHERE project_id = $1 AND environment = $2 AND version = $3",
        )
        .bind(project_id)
        .bind(environment)
        .bind(version)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Version {
            id: row.try_get("id")?,
            environment: row.try_get("environment")?,
            version: row.try_get("version")?,
            created_s: row.try_get("created_s")?,
            first_occurrence_id: row.try_get("first_occurrence_id")?,
            first_s: row.try_get("first_s")?,
            last_occurrence_id: row.try_get("last_occurrence_id")?,
            last_s: row.try_get("last_s")?,
        }))
    }

    /// # Errors
    /// When the database does not answer.
    pub async fn version_stats(&self, version_id: i64) -> Result<VersionStats, TrackerError> {
        let rows = sqlx::query(
            "SELECT event, level, COUNT(*) AS count FROM version_items JOIN items ON items.id = item_id
             WHERE version_id = $1 GROUP BY event, level",
        )
        .bind(version_id)
        .fetch_all(&self.pool)
        .await?;
        let mut stats = VersionStats::new();
        for row in rows {
            let event: String = row.try_get("event")?;
            let (event, level) = (VersionEvent::from_name(&event), Level::from_number(row.try_get("level")?));
            if let (Some(event), Some(level)) = (event, level) {
                stats.insert((event, level), row.try_get("count")?);
            }
        }
        Ok(stats)
    }

    /// Items that were something in a version, by id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn version_items(
        &self,
        version_id: i64,
        event: VersionEvent,
        levels: &[Level],
    ) -> Result<Vec<VersionItem>, TrackerError> {
        let rows = sqlx::query(
            "SELECT item_id, level, version_items.first_occurrence_id AS first_id, version_items.last_occurrence_id AS last_id
             FROM version_items JOIN items ON items.id = item_id WHERE version_id = $1 AND event = $2 ORDER BY item_id LIMIT $3",
        )
        .bind(version_id)
        .bind(event.name())
        .bind(ITEMS_MAX)
        .fetch_all(&self.pool)
        .await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(level) = Level::from_number(row.try_get("level")?) else { continue };
            if levels.is_empty() || levels.contains(&level) {
                found.push(VersionItem {
                    item_id: row.try_get("item_id")?,
                    level,
                    first_occurrence_id: row.try_get("first_id")?,
                    last_occurrence_id: row.try_get("last_id")?,
                });
            }
        }
        Ok(found)
    }

    /// The environments of a project that errors or deploys came from, by name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn environments(&self, project_id: i64) -> Result<Vec<String>, TrackerError> {
        let rows = sqlx::query(
            "SELECT environment FROM items WHERE project_id = $1 UNION SELECT environment FROM deploys WHERE project_id = $2
             ORDER BY environment",
        )
        .bind(project_id)
        .bind(project_id)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok(row.try_get("environment")?)).collect()
    }
}
