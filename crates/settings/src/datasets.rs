//! Datasets: Honeycomb's word for what one service sent. A dataset is known by its slug, whatever the spelling; the
//! spelling that came first stays its name. Front doors call [`Settings::ensure_dataset`] for every batch, so it is
//! answered from memory nearly always.

use std::collections::HashSet;
use std::sync::Arc;

use sqlx::Row;
use sqlx::any::AnyRow;
use tracery_model::EnvironmentId;

use crate::database::CACHE_AGE_MS_MAX;
use crate::environments::slugify;
use crate::{Settings, SettingsError};

/// Names as long as a file name can be; longer ones are refused.
pub const DATASET_NAME_BYTES_MAX: usize = 255;
/// Datasets an environment may have: a client that puts an id into the name must not fill the database.
pub const DATASETS_MAX: i64 = 10_000;
/// The slug that means the whole environment.
pub const ALL_DATASETS: &str = "__all__";
/// `last_written_ms` is written at most this often for a dataset.
const WRITE_NOTE_EVERY_MS: i64 = 5_000;

const COLUMNS: &str =
    "slug, name, description, expand_json_depth, delete_protected, is_metrics, created_ms, last_written_ms";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    pub slug: String,
    pub name: String,
    pub description: String,
    /// Levels of nested objects that become fields of their own, 0 to 10.
    pub expand_json_depth: i64,
    pub delete_protected: bool,
    /// Made for metrics. Whatever comes is kept all the same.
    pub is_metrics: bool,
    pub created_ms: i64,
    pub last_written_ms: Option<i64>,
}

/// What of a dataset is changed; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct DatasetChange {
    pub description: Option<String>,
    pub expand_json_depth: Option<i64>,
    pub delete_protected: Option<bool>,
    /// Of a new dataset only.
    pub is_metrics: bool,
}

fn from_row(row: &AnyRow) -> Result<Dataset, sqlx::Error> {
    Ok(Dataset {
        slug: row.try_get("slug")?,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        expand_json_depth: row.try_get("expand_json_depth")?,
        delete_protected: row.try_get::<i64, _>("delete_protected")? != 0,
        is_metrics: row.try_get::<i64, _>("is_metrics")? != 0,
        created_ms: row.try_get("created_ms")?,
        last_written_ms: row.try_get("last_written_ms")?,
    })
}

impl Settings {
    pub async fn datasets(&self, environment: EnvironmentId) -> Result<Vec<Dataset>, SettingsError> {
        let rows =
            sqlx::query(&format!("SELECT {COLUMNS} FROM datasets WHERE environment = $1 ORDER BY slug"))
                .bind(environment.0)
                .fetch_all(&self.pool)
                .await?;
        Ok(rows.iter().map(from_row).collect::<Result<_, _>>()?)
    }

    /// By name or slug, in any spelling.
    pub async fn dataset(
        &self,
        environment: EnvironmentId,
        name: &str,
    ) -> Result<Option<Dataset>, SettingsError> {
        let row =
            sqlx::query(&format!("SELECT {COLUMNS} FROM datasets WHERE environment = $1 AND slug = $2"))
                .bind(environment.0)
                .bind(slugify(name))
                .fetch_optional(&self.pool)
                .await?;
        Ok(row.as_ref().map(from_row).transpose()?)
    }

    /// As [`Self::dataset`], but an answer may be a second old.
    pub async fn dataset_for_ingest(
        &self,
        environment: EnvironmentId,
        name: &str,
    ) -> Result<Option<Dataset>, SettingsError> {
        let cache = &self.caches.datasets;
        let key = (environment.0, slugify(name));
        if let Some(known) = cache.get(&key, self.clock.now_ms(), CACHE_AGE_MS_MAX) {
            return Ok(Some(known));
        }
        let ticket = cache.ticket();
        let dataset = self.dataset(environment, name).await?;
        if let Some(dataset) = &dataset {
            cache.put(ticket, key, dataset.clone(), self.clock.now_ms());
        }
        Ok(dataset)
    }

    /// The slugs of all datasets; an answer may be a second old.
    pub async fn dataset_slugs(
        &self,
        environment: EnvironmentId,
    ) -> Result<Arc<HashSet<String>>, SettingsError> {
        let cache = &self.caches.dataset_slugs;
        if let Some(known) = cache.get(&environment.0, self.clock.now_ms(), CACHE_AGE_MS_MAX) {
            return Ok(known);
        }
        let ticket = cache.ticket();
        let rows = sqlx::query("SELECT slug FROM datasets WHERE environment = $1")
            .bind(environment.0)
            .fetch_all(&self.pool)
            .await?;
        let slugs = rows.iter().map(|row| row.try_get("slug")).collect::<Result<_, sqlx::Error>>()?;
        let slugs = Arc::new(slugs);
        cache.put(ticket, environment.0, Arc::clone(&slugs), self.clock.now_ms());
        Ok(slugs)
    }

    pub(crate) fn forget_datasets(&self) {
        self.caches.datasets.invalidate();
        self.caches.dataset_slugs.invalidate();
    }

    /// Makes a dataset unless one with its slug exists; whether it is new.
    pub async fn create_dataset(
        &self,
        environment: EnvironmentId,
        name: &str,
        change: &DatasetChange,
    ) -> Result<(Dataset, bool), SettingsError> {
        let name = name.trim();
        let slug = slugify(name);
        if slug.is_empty() || slug == ALL_DATASETS || name.len() > DATASET_NAME_BYTES_MAX {
            return Err(SettingsError::Invalid(format!("{name:?} cannot name a dataset")));
        }
        if let Some(dataset) = self.dataset(environment, &slug).await? {
            return Ok((dataset, false));
        }
        let done = sqlx::query(
            "INSERT INTO datasets (environment, slug, name, description, expand_json_depth, delete_protected, is_metrics, created_ms)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8
             WHERE (SELECT COUNT(*) FROM datasets WHERE environment = $9) < $10
             ON CONFLICT DO NOTHING",
        )
        .bind(environment.0)
        .bind(&slug)
        .bind(name)
        .bind(change.description.clone().unwrap_or_default())
        .bind(change.expand_json_depth.unwrap_or(0))
        .bind(i64::from(change.delete_protected.unwrap_or(true)))
        .bind(i64::from(change.is_metrics))
        .bind(self.clock.now_ms())
        .bind(environment.0)
        .bind(DATASETS_MAX)
        .execute(&self.pool)
        .await?;
        self.forget_datasets();
        match self.dataset(environment, &slug).await? {
            Some(dataset) => Ok((dataset, done.rows_affected() > 0)),
            None => Err(SettingsError::Invalid(format!(
                "an environment can have {DATASETS_MAX} datasets, delete one before making another"
            ))),
        }
    }

    /// The dataset that events named `name` belong to, made if it is new.
    pub async fn ensure_dataset(
        &self,
        environment: EnvironmentId,
        name: &str,
    ) -> Result<Dataset, SettingsError> {
        match self.dataset_for_ingest(environment, name).await? {
            Some(dataset) => Ok(dataset),
            None => Ok(self.create_dataset(environment, name, &DatasetChange::default()).await?.0),
        }
    }

    /// Remembers that events were written to a dataset just now.
    pub async fn note_written(&self, environment: EnvironmentId, slug: &str) -> Result<(), SettingsError> {
        let now_ms = self.clock.now_ms();
        let key = (environment.0, slug.to_owned());
        if self.caches.writes.get(&key, now_ms, WRITE_NOTE_EVERY_MS).is_some() {
            return Ok(());
        }
        self.caches.writes.put(self.caches.writes.ticket(), key, now_ms, now_ms);
        sqlx::query("UPDATE datasets SET last_written_ms = $1 WHERE environment = $2 AND slug = $3")
            .bind(now_ms)
            .bind(environment.0)
            .bind(slug)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// `None` when there is no such dataset.
    pub async fn update_dataset(
        &self,
        environment: EnvironmentId,
        slug: &str,
        change: &DatasetChange,
    ) -> Result<Option<Dataset>, SettingsError> {
        sqlx::query(
            "UPDATE datasets SET description = COALESCE($1, description),
             expand_json_depth = COALESCE($2, expand_json_depth), delete_protected = COALESCE($3, delete_protected)
             WHERE environment = $4 AND slug = $5",
        )
        .bind(change.description.clone())
        .bind(change.expand_json_depth)
        .bind(change.delete_protected.map(i64::from))
        .bind(environment.0)
        .bind(slugify(slug))
        .execute(&self.pool)
        .await?;
        self.forget_datasets();
        self.dataset(environment, slug).await
    }

    /// Deletes a dataset and its documents, unless it is protected; whether one was deleted.
    pub async fn delete_dataset(
        &self,
        environment: EnvironmentId,
        slug: &str,
    ) -> Result<bool, SettingsError> {
        let slug = slugify(slug);
        let mut transaction = self.pool.begin().await?;
        let done =
            sqlx::query("DELETE FROM datasets WHERE environment = $1 AND slug = $2 AND delete_protected = 0")
                .bind(environment.0)
                .bind(&slug)
                .execute(&mut *transaction)
                .await?;
        if done.rows_affected() > 0 {
            sqlx::query("DELETE FROM documents WHERE environment = $1 AND scope = $2")
                .bind(environment.0)
                .bind(&slug)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        self.forget_datasets();
        Ok(done.rows_affected() > 0)
    }
}
