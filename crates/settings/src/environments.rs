//! Environments: the unit that credentials belong to and that data is separated by. Ids are never used twice, so
//! that what a deleted environment left in the store stays out of reach.

use sqlx::Row;
use sqlx::any::AnyRow;
use tracery_model::EnvironmentId;

use crate::database::CACHE_AGE_MS_MAX;
use crate::{Settings, SettingsError};

pub(crate) const DEFAULT_SLUG: &str = "default";

/// Environments that are not deleted. Lists of them are read as a whole.
const ENVIRONMENTS_MAX: i64 = 1_000;

const COLUMNS: &str = "id, slug, name, description, color, delete_protected, created_ms";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    pub id: EnvironmentId,
    pub slug: String,
    pub name: String,
    pub description: String,
    /// One of Honeycomb's colour words, or empty.
    pub color: String,
    /// A protected environment cannot be deleted; new ones are.
    pub delete_protected: bool,
    pub created_ms: i64,
}

/// What of an environment is changed; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct EnvironmentChange {
    pub description: Option<String>,
    pub color: Option<String>,
    pub delete_protected: Option<bool>,
}

fn from_row(row: &AnyRow) -> Result<Environment, sqlx::Error> {
    Ok(Environment {
        id: EnvironmentId(row.try_get("id")?),
        slug: row.try_get("slug")?,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        color: row.try_get("color")?,
        delete_protected: row.try_get::<i64, _>("delete_protected")? != 0,
        created_ms: row.try_get("created_ms")?,
    })
}

impl Settings {
    pub async fn environments(&self) -> Result<Vec<Environment>, SettingsError> {
        let rows =
            sqlx::query(&format!("SELECT {COLUMNS} FROM environments WHERE deleted_ms IS NULL ORDER BY id"))
                .fetch_all(&self.pool)
                .await?;
        Ok(rows.iter().map(from_row).collect::<Result<_, _>>()?)
    }

    /// An answer may be a second old.
    pub async fn environment(&self, id: EnvironmentId) -> Result<Option<Environment>, SettingsError> {
        let cache = &self.caches.environments;
        if let Some(known) = cache.get(&id.0, self.clock.now_ms(), CACHE_AGE_MS_MAX) {
            return Ok(Some(known));
        }
        let ticket = cache.ticket();
        let row =
            sqlx::query(&format!("SELECT {COLUMNS} FROM environments WHERE id = $1 AND deleted_ms IS NULL"))
                .bind(id.0)
                .fetch_optional(&self.pool)
                .await?;
        let environment = row.as_ref().map(from_row).transpose()?;
        if let Some(environment) = &environment {
            cache.put(ticket, id.0, environment.clone(), self.clock.now_ms());
        }
        Ok(environment)
    }

    async fn environment_by_slug(&self, slug: &str) -> Result<Option<Environment>, SettingsError> {
        let row = sqlx::query(&format!("SELECT {COLUMNS} FROM environments WHERE slug = $1"))
            .bind(slug)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.as_ref().map(from_row).transpose()?)
    }

    /// The environment named `name`, made if it is new.
    pub async fn ensure_environment(&self, name: &str) -> Result<Environment, SettingsError> {
        Ok(self.create_or_find_environment(name).await?.0)
    }

    /// Makes an environment; [`SettingsError::Exists`] when its slug is taken.
    pub async fn create_environment(
        &self,
        name: &str,
        change: &EnvironmentChange,
    ) -> Result<Environment, SettingsError> {
        let (environment, created) = self.create_or_find_environment(name).await?;
        if !created {
            return Err(SettingsError::Exists(format!("environment {name:?}")));
        }
        self.update_environment(environment.id, change)
            .await?
            .ok_or_else(|| SettingsError::NotFound(format!("environment {name:?}")))
    }

    async fn create_or_find_environment(&self, name: &str) -> Result<(Environment, bool), SettingsError> {
        let slug = slugify(name);
        if slug.is_empty() || name.len() > 255 {
            return Err(SettingsError::Invalid(format!("{name:?} cannot name an environment")));
        }
        // Two writers may compute the same id; the loser inserts nothing and tries again.
        for _ in 0..20 {
            if let Some(environment) = self.environment_by_slug(&slug).await? {
                return Ok((environment, false));
            }
            let done = sqlx::query(
                "INSERT INTO environments (id, slug, name, created_ms)
                 SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3 FROM environments WHERE true
                 HAVING COUNT(CASE WHEN deleted_ms IS NULL THEN 1 END) < $4
                 ON CONFLICT DO NOTHING",
            )
            .bind(&slug)
            .bind(name)
            .bind(self.clock.now_ms())
            .bind(ENVIRONMENTS_MAX)
            .execute(&self.pool)
            .await?;
            if done.rows_affected() > 0 {
                if let Some(environment) = self.environment_by_slug(&slug).await? {
                    return Ok((environment, true));
                }
            } else if self.environment_count().await? >= ENVIRONMENTS_MAX {
                return Err(SettingsError::Full { kind: "environment", max: ENVIRONMENTS_MAX });
            }
        }
        Err(SettingsError::Invalid(format!("cannot make environment {name:?} now, try again")))
    }

    async fn environment_count(&self) -> Result<i64, SettingsError> {
        let count = sqlx::query_scalar("SELECT COUNT(*) FROM environments WHERE deleted_ms IS NULL");
        Ok(count.fetch_one(&self.pool).await?)
    }

    /// `None` when there is no such environment.
    pub async fn update_environment(
        &self,
        id: EnvironmentId,
        change: &EnvironmentChange,
    ) -> Result<Option<Environment>, SettingsError> {
        sqlx::query(
            "UPDATE environments SET description = COALESCE($1, description), color = COALESCE($2, color),
             delete_protected = COALESCE($3, delete_protected) WHERE id = $4 AND deleted_ms IS NULL",
        )
        .bind(change.description.clone())
        .bind(change.color.clone())
        .bind(change.delete_protected.map(i64::from))
        .bind(id.0)
        .execute(&self.pool)
        .await?;
        self.forget_environments();
        self.environment(id).await
    }

    /// Deletes an environment with its keys, datasets and documents. Its events stay in the store until retention
    /// drops them, unreachable. Whether there was such an environment; [`SettingsError::Invalid`] when protected.
    pub async fn delete_environment(&self, id: EnvironmentId) -> Result<bool, SettingsError> {
        self.forget_environments();
        let Some(environment) = self.environment(id).await? else { return Ok(false) };
        if environment.delete_protected {
            return Err(SettingsError::Invalid(format!(
                "environment {:?} is protected from deletion",
                environment.name
            )));
        }
        let now_ms = self.clock.now_ms();
        let mut transaction = self.pool.begin().await?;
        // No slug contains a slash, so the slug becomes free while the row stays.
        let done = sqlx::query(
            "UPDATE environments SET deleted_ms = $1, slug = $2
             WHERE id = $3 AND delete_protected = 0 AND deleted_ms IS NULL",
        )
        .bind(now_ms)
        .bind(format!("deleted/{id}"))
        .bind(id.0)
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() > 0 {
            for statement in [
                // A management key belongs to the whole team, wherever it was made.
                "DELETE FROM keys WHERE environment = $1 AND kind <> 'management'",
                "DELETE FROM datasets WHERE environment = $1",
                "DELETE FROM documents WHERE environment = $1",
                "DELETE FROM log_streams WHERE group_id IN (SELECT id FROM log_groups WHERE environment = $1)",
                "DELETE FROM log_streams_deleted
                 WHERE group_id IN (SELECT id FROM log_groups WHERE environment = $1)",
                "DELETE FROM log_groups WHERE environment = $1",
            ] {
                sqlx::query(statement).bind(id.0).execute(&mut *transaction).await?;
            }
        }
        transaction.commit().await?;
        self.forget_environments();
        self.caches.forget_keys();
        self.forget_datasets();
        self.forget_logs();
        Ok(done.rows_affected() > 0)
    }

    fn forget_environments(&self) {
        self.caches.environments.invalidate();
        self.caches.default_environment.invalidate();
    }

    /// The environment of open mode. An answer may be a second old.
    pub async fn default_environment(&self) -> Result<Environment, SettingsError> {
        let cache = &self.caches.default_environment;
        if let Some(known) = cache.get(&(), self.clock.now_ms(), CACHE_AGE_MS_MAX) {
            return Ok(known);
        }
        let ticket = cache.ticket();
        let environment = self.ensure_environment(DEFAULT_SLUG).await?;
        cache.put(ticket, (), environment.clone(), self.clock.now_ms());
        Ok(environment)
    }
}

/// Lower case; every run of other characters than letters, digits, `_` and `-` becomes one `-`.
pub fn slugify(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    for character in name.trim().chars() {
        if character.is_alphanumeric() || character == '_' || character == '-' {
            slug.extend(character.to_lowercase());
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::tests::memory;

    #[tokio::test]
    async fn environments_are_bounded_and_a_deleted_one_makes_room() {
        let settings = memory().await;
        let first = settings.ensure_environment("first").await.unwrap();
        sqlx::query(
            "INSERT INTO environments (id, slug, name, created_ms)
             WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
             SELECT i, 'e' || i, 'e', 0 FROM n",
        )
        .bind(ENVIRONMENTS_MAX)
        .execute(&settings.pool)
        .await
        .unwrap();
        let more = settings.ensure_environment("more").await;
        assert!(matches!(more, Err(SettingsError::Full { max: ENVIRONMENTS_MAX, .. })));
        assert_eq!(settings.ensure_environment("first").await.unwrap().id, first.id);
        let change = EnvironmentChange { delete_protected: Some(false), ..Default::default() };
        settings.update_environment(first.id, &change).await.unwrap();
        assert!(settings.delete_environment(first.id).await.unwrap());
        assert!(settings.ensure_environment("more").await.unwrap().id.0 > ENVIRONMENTS_MAX);
    }
}
