//! Projects: what items, tokens and rules belong to. Each environment has a first one, named as itself; account tokens
//! make more.

use std::sync::Arc;

use sqlx::Row;
use sqlx::any::AnyRow;
use tracery_errors::Rules;
use tracery_model::EnvironmentId;

use crate::sequences::Sequence;
use crate::{Tracker, TrackerError};

/// Projects of one environment.
const PROJECTS_MAX: i64 = 1_000;
/// How long another process's change of rules may go unseen.
const RULES_AGE_MS_MAX: i64 = 5_000;
/// Projects whose rules are kept in memory.
const RULES_KEPT_MAX: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    pub id: i64,
    pub environment: EnvironmentId,
    pub name: String,
    /// Seconds since 1970.
    pub created_s: i64,
    pub modified_s: i64,
    /// The rules of grouping, as they were written; empty is none.
    pub rules: String,
}

/// What a token has beside its scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenSettings {
    pub project_id: i64,
    /// Calls that a window takes, and its seconds; 0 is no limit.
    pub window_count: i64,
    pub window_s: i64,
    /// 0 where nothing was set.
    pub modified_s: i64,
}

const COLUMNS: &str = "id, environment, name, created_s, modified_s, rules";

fn from_row(row: &AnyRow) -> Result<Project, TrackerError> {
    Ok(Project {
        id: row.try_get("id")?,
        environment: EnvironmentId(row.try_get("environment")?),
        name: row.try_get("name")?,
        created_s: row.try_get("created_s")?,
        modified_s: row.try_get("modified_s")?,
        rules: row.try_get("rules")?,
    })
}

impl Tracker {
    /// The environment's first project, which is made where there is none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn first_project(
        &self,
        environment: EnvironmentId,
        name: &str,
    ) -> Result<Project, TrackerError> {
        if let Some(known) = self.first_projects.lock().get(&environment.0) {
            return Ok(known.clone());
        }
        let first = || async {
            let query = format!("SELECT {COLUMNS} FROM projects WHERE environment = $1 ORDER BY id LIMIT 1");
            let row = sqlx::query(&query).bind(environment.0).fetch_optional(&self.pool).await?;
            row.as_ref().map(from_row).transpose()
        };
        let found = match first().await? {
            Some(found) => found,
            None => {
                self.create_project(environment, name).await?;
                // Another process may have been first.
                first()
                    .await?
                    .ok_or_else(|| TrackerError::Corrupt("a project that was made is not there".into()))?
            }
        };
        self.first_projects.lock().insert(environment.0, found.clone());
        Ok(found)
    }

    /// Makes a project; `None` when there is one of that name, or no room.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn create_project(
        &self,
        environment: EnvironmentId,
        name: &str,
    ) -> Result<Option<Project>, TrackerError> {
        let id = self.take_one(Sequence::Projects).await?;
        let now_s = self.now_s();
        let made = sqlx::query(
            "INSERT INTO projects (id, environment, name, created_s, modified_s)
             SELECT $1, $2, $3, $4, $5 WHERE (SELECT COUNT(*) FROM projects WHERE environment = $6) < $7
             ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(environment.0)
        .bind(name)
        .bind(now_s)
        .bind(now_s)
        .bind(environment.0)
        .bind(PROJECTS_MAX)
        .execute(&self.pool)
        .await?;
        if made.rows_affected() == 0 {
            return Ok(None);
        }
        self.project(id).await
    }

    /// # Errors
    /// When the database does not answer.
    pub async fn project(&self, id: i64) -> Result<Option<Project>, TrackerError> {
        let query = format!("SELECT {COLUMNS} FROM projects WHERE id = $1");
        let row = sqlx::query(&query).bind(id).fetch_optional(&self.pool).await?;
        row.as_ref().map(from_row).transpose()
    }

    /// All projects of an environment, by id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn projects(&self, environment: EnvironmentId) -> Result<Vec<Project>, TrackerError> {
        let query = format!("SELECT {COLUMNS} FROM projects WHERE environment = $1 ORDER BY id");
        let rows = sqlx::query(&query).bind(environment.0).fetch_all(&self.pool).await?;
        rows.iter().map(from_row).collect()
    }

    /// The project's rules of grouping, at most five seconds old.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn rules(&self, project_id: i64) -> Result<Arc<Rules>, TrackerError> {
        let now_ms = self.clock.now_ms();
        if let Some((read_ms, rules)) = self.rules.lock().get(&project_id)
            && (0..RULES_AGE_MS_MAX).contains(&(now_ms - read_ms))
        {
            return Ok(Arc::clone(rules));
        }
        let text = self.project(project_id).await?.map(|project| project.rules).unwrap_or_default();
        // They were checked when they were stored.
        let rules = Arc::new(Rules::parse(&text).unwrap_or_default());
        let mut kept = self.rules.lock();
        if kept.len() >= RULES_KEPT_MAX {
            kept.clear();
        }
        kept.insert(project_id, (now_ms, Arc::clone(&rules)));
        Ok(rules)
    }

    /// Replaces the project's rules of grouping. What is there keeps its item; what comes is grouped by the new ones.
    ///
    /// # Errors
    /// [`TrackerError::Invalid`] says what is wrong with the rules.
    pub async fn set_rules(&self, project_id: i64, text: &str) -> Result<(), TrackerError> {
        Rules::parse(text).map_err(|error| TrackerError::Invalid(error.to_string()))?;
        sqlx::query("UPDATE projects SET rules = $1, modified_s = $2 WHERE id = $3")
            .bind(text)
            .bind(self.now_s())
            .bind(project_id)
            .execute(&self.pool)
            .await?;
        self.rules.lock().remove(&project_id);
        Ok(())
    }

    /// What a token has beside its scopes; `None` for one that belongs to its environment's first project.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn token_settings(&self, key_id: &str) -> Result<Option<TokenSettings>, TrackerError> {
        let row = sqlx::query(
            "SELECT project_id, window_count, window_s, modified_s FROM project_tokens WHERE key_id = $1",
        )
        .bind(key_id)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(TokenSettings {
            project_id: row.try_get("project_id")?,
            window_count: row.try_get("window_count")?,
            window_s: row.try_get("window_s")?,
            modified_s: row.try_get("modified_s")?,
        }))
    }

    /// The project that a token of an environment belongs to by its `settings`; `None` where it is gone.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn project_of_token(
        &self,
        settings: Option<&TokenSettings>,
        environment: EnvironmentId,
        environment_name: &str,
    ) -> Result<Option<Project>, TrackerError> {
        match settings {
            Some(settings) => {
                let project = self.project(settings.project_id).await?;
                Ok(project.filter(|project| project.environment == environment))
            }
            None => self.first_project(environment, environment_name).await.map(Some),
        }
    }

    /// # Errors
    /// When the database does not answer.
    pub async fn set_token_settings(
        &self,
        key_id: &str,
        settings: TokenSettings,
    ) -> Result<(), TrackerError> {
        sqlx::query(
            "INSERT INTO project_tokens (key_id, project_id, window_count, window_s, modified_s) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (key_id) DO UPDATE SET project_id = excluded.project_id, window_count = excluded.window_count,
             window_s = excluded.window_s, modified_s = excluded.modified_s",
        )
        .bind(key_id)
        .bind(settings.project_id)
        .bind(settings.window_count)
        .bind(settings.window_s)
        .bind(self.now_s())
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
