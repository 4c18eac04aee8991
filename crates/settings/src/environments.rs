//! Environments: the unit that credentials belong to and that data is separated by.

use sqlx::Row;
use sqlx::any::AnyRow;
use tracery_model::EnvironmentId;

use crate::{Settings, SettingsError};

pub(crate) const DEFAULT_SLUG: &str = "default";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    pub id: EnvironmentId,
    pub slug: String,
    pub name: String,
    pub created_ms: i64,
}

fn from_row(row: &AnyRow) -> Result<Environment, sqlx::Error> {
    Ok(Environment {
        id: EnvironmentId(row.try_get("id")?),
        slug: row.try_get("slug")?,
        name: row.try_get("name")?,
        created_ms: row.try_get("created_ms")?,
    })
}

impl Settings {
    pub async fn environments(&self) -> Result<Vec<Environment>, SettingsError> {
        let rows = sqlx::query("SELECT id, slug, name, created_ms FROM environments ORDER BY id")
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.iter().map(from_row).collect::<Result<_, _>>()?)
    }

    pub async fn environment(&self, id: EnvironmentId) -> Result<Option<Environment>, SettingsError> {
        let row = sqlx::query("SELECT id, slug, name, created_ms FROM environments WHERE id = $1")
            .bind(id.0)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.as_ref().map(from_row).transpose()?)
    }

    /// The environment named `name`, made if it is new.
    pub async fn ensure_environment(&self, name: &str) -> Result<Environment, SettingsError> {
        let slug = slugify(name);
        if slug.is_empty() || name.len() > 255 {
            return Err(SettingsError::Invalid(format!("{name:?} cannot name an environment")));
        }
        sqlx::query(
            "INSERT INTO environments (id, slug, name, created_ms)
             SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3 FROM environments WHERE true
             ON CONFLICT (slug) DO NOTHING",
        )
        .bind(&slug)
        .bind(name)
        .bind(self.clock.now_ms())
        .execute(&self.pool)
        .await?;
        let row = sqlx::query("SELECT id, slug, name, created_ms FROM environments WHERE slug = $1")
            .bind(&slug)
            .fetch_one(&self.pool)
            .await?;
        Ok(from_row(&row)?)
    }

    /// The environment of open mode.
    pub async fn default_environment(&self) -> Result<Environment, SettingsError> {
        self.ensure_environment(DEFAULT_SLUG).await
    }
}

/// Lower case; every run of other characters than letters, digits, `_` and `-` becomes one `-`.
pub(crate) fn slugify(name: &str) -> String {
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
