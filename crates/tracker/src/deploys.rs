//! Deploys: what was put where and when, and the one that an item may come from.

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::notifications::notice_project;
use crate::sequences::Sequence;
use crate::{Tracker, TrackerError};

/// Deploys that a project remembers.
const DEPLOYS_MAX: i64 = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeployStatus {
    Started,
    Succeeded,
    Failed,
    TimedOut,
}

impl DeployStatus {
    pub fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Started, Self::Succeeded, Self::Failed, Self::TimedOut]
            .into_iter()
            .find(|status| status.name() == name)
    }
}

/// A deploy. Times are seconds since 1970, 0 is not yet; texts are empty where nothing was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deploy {
    pub id: i64,
    pub project_id: i64,
    pub environment: String,
    pub revision: String,
    pub local_username: String,
    pub rollbar_username: String,
    pub comment: String,
    pub status: DeployStatus,
    pub started_s: i64,
    pub finished_s: i64,
}

const COLUMNS: &str = "id, project_id, environment, revision, local_username, rollbar_username, comment, status, started_s, finished_s";

fn from_row(row: &AnyRow) -> Result<Deploy, TrackerError> {
    let status: String = row.try_get("status")?;
    Ok(Deploy {
        id: row.try_get("id")?,
        project_id: row.try_get("project_id")?,
        environment: row.try_get("environment")?,
        revision: row.try_get("revision")?,
        local_username: row.try_get("local_username")?,
        rollbar_username: row.try_get("rollbar_username")?,
        comment: row.try_get("comment")?,
        status: DeployStatus::from_name(&status)
            .ok_or_else(|| TrackerError::Corrupt(format!("a deploy's status is {status}")))?,
        started_s: row.try_get("started_s")?,
        finished_s: row.try_get("finished_s")?,
    })
}

impl Tracker {
    /// Writes down a deploy; its id and times are made here.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn create_deploy(&self, deploy: Deploy) -> Result<Deploy, TrackerError> {
        let now_s = self.now_s();
        let id = self.take_one(Sequence::Deploys).await?;
        let notice_id = self.take_one(Sequence::Rows).await?;
        let finished_s = if deploy.status == DeployStatus::Started { 0 } else { now_s };
        let deploy = Deploy { id, started_s: now_s, finished_s, ..deploy };
        let insert =
            format!("INSERT INTO deploys ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");
        let mut transaction = self.pool.begin().await?;
        sqlx::query(&insert)
            .bind(deploy.id)
            .bind(deploy.project_id)
            .bind(deploy.environment.as_str())
            .bind(deploy.revision.as_str())
            .bind(deploy.local_username.as_str())
            .bind(deploy.rollbar_username.as_str())
            .bind(deploy.comment.as_str())
            .bind(deploy.status.name())
            .bind(deploy.started_s)
            .bind(deploy.finished_s)
            .execute(&mut *transaction)
            .await?;
        let detail = serde_json::json!({ "deploy_id": deploy.id });
        notice_project(&mut transaction, notice_id, deploy.project_id, now_s, "deploy", &detail).await?;
        transaction.commit().await?;
        sqlx::query(
            "DELETE FROM deploys WHERE project_id = $1 AND id <=
             (SELECT id FROM deploys WHERE project_id = $2 ORDER BY id DESC LIMIT 1 OFFSET $3)",
        )
        .bind(deploy.project_id)
        .bind(deploy.project_id)
        .bind(DEPLOYS_MAX)
        .execute(&self.pool)
        .await?;
        Ok(deploy)
    }

    /// Says how a deploy ended, or more about it; `None` where there is none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn update_deploy(
        &self,
        project_id: i64,
        id: i64,
        status: Option<DeployStatus>,
        comment: Option<&str>,
    ) -> Result<Option<Deploy>, TrackerError> {
        let Some(mut deploy) = self.deploy(project_id, id).await? else { return Ok(None) };
        if let Some(status) = status {
            deploy.status = status;
            deploy.finished_s = if status == DeployStatus::Started { 0 } else { self.now_s() };
        }
        if let Some(comment) = comment {
            comment.clone_into(&mut deploy.comment);
        }
        sqlx::query("UPDATE deploys SET status = $1, finished_s = $2, comment = $3 WHERE id = $4")
            .bind(deploy.status.name())
            .bind(deploy.finished_s)
            .bind(deploy.comment.as_str())
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(Some(deploy))
    }

    /// # Errors
    /// When the database does not answer.
    pub async fn deploy(&self, project_id: i64, id: i64) -> Result<Option<Deploy>, TrackerError> {
        let query = format!("SELECT {COLUMNS} FROM deploys WHERE project_id = $1 AND id = $2");
        let row = sqlx::query(&query).bind(project_id).bind(id).fetch_optional(&self.pool).await?;
        row.as_ref().map(from_row).transpose()
    }

    /// A page of deploys, the newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn deploys(&self, project_id: i64, skip: i64, count: i64) -> Result<Vec<Deploy>, TrackerError> {
        let query = format!(
            "SELECT {COLUMNS} FROM deploys WHERE project_id = $1 ORDER BY id DESC LIMIT $2 OFFSET $3"
        );
        let rows = sqlx::query(&query).bind(project_id).bind(count).bind(skip).fetch_all(&self.pool).await?;
        rows.iter().map(from_row).collect()
    }

    /// The last deploy to an environment at or before a time: what an item that was activated then may come from.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn deploy_before(
        &self,
        project_id: i64,
        environment: &str,
        at_s: i64,
    ) -> Result<Option<Deploy>, TrackerError> {
        let query = format!(
            "SELECT {COLUMNS} FROM deploys WHERE project_id = $1 AND environment = $2 AND started_s <= $3 ORDER BY id DESC LIMIT 1"
        );
        let row = sqlx::query(&query)
            .bind(project_id)
            .bind(environment)
            .bind(at_s)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(from_row).transpose()
    }
}
