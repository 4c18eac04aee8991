//! What people do to items: states, levels, titles, assignment, comments, merging and taking apart; and the history of it.

use serde_json::{Value, json};
use sqlx::Row;
use tracery_errors::Level;

use crate::items::{Item, from_row};
use crate::lifecycle::Status;
use crate::sequences::Sequence;
use crate::worker::change;
use crate::{Tracker, TrackerError};

/// Entries of a history that are shown.
const CHANGES_MAX: i64 = 500;
const COMMENT_BYTES_MAX: usize = 64 << 10;
/// Items that one may be merged of.
const MEMBERS_MAX: usize = 1_000;

/// What is to be changed of an item; `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ItemUpdate {
    pub status: Option<Status>,
    /// Together with [`Status::Resolved`].
    pub resolved_in_version: Option<String>,
    /// Locks it: later occurrences do not change it.
    pub level: Option<Level>,
    /// Locks it.
    pub title: Option<String>,
    /// 0 is nobody.
    pub assigned_user_id: Option<i64>,
    pub snoozed: Option<bool>,
    /// Who does it; 0 where that is not known.
    pub by: i64,
}

/// One line of an item's history.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemChange {
    pub id: i64,
    pub at_s: i64,
    /// `new`, `reactivated`, `reopened`, `resolved`, `muted`, `archived`, `level`, `title`, `assigned`, `snoozed`, `comment`,
    /// `merged`, `unmerged`.
    pub kind: String,
    pub detail: Value,
}

impl Tracker {
    /// Changes an item; the item as it is then, or `None` where there is none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn update_item(&self, id: i64, update: &ItemUpdate) -> Result<Option<Item>, TrackerError> {
        let mut ids = self.take(Sequence::Rows, 8).await?.into_iter();
        let now_s = self.now_s();
        // What waits in the inbox came before.
        self.settle().await?;
        let _turn = self.applying.lock().await;
        let Some(mut item) = self.item(id).await? else { return Ok(None) };
        let mut changes: Vec<(&str, Value)> = Vec::new();
        if let Some(status) = update.status
            && (status != item.status || update.resolved_in_version.is_some())
        {
            let kind = match (item.status, status) {
                (Status::Resolved | Status::Archived, Status::Active) => "reopened",
                (_, status) => status.name(),
            };
            match status {
                Status::Active => {
                    item.last_activated_s = now_s;
                    item.resolved_in_version = None;
                }
                Status::Resolved => {
                    item.last_resolved_s = now_s;
                    item.resolved_in_version = update.resolved_in_version.clone();
                }
                Status::Muted => item.last_muted_s = now_s,
                Status::Archived => {}
            }
            item.status = status;
            changes.push((kind, json!({ "by": update.by, "version": item.resolved_in_version })));
        }
        if let Some(level) = update.level {
            changes
                .push(("level", json!({ "by": update.by, "from": item.level.name(), "to": level.name() })));
            (item.level, item.level_lock) = (level, true);
        }
        if let Some(title) = &update.title {
            changes.push(("title", json!({ "by": update.by, "from": item.title, "to": title })));
            (item.title, item.title_lock) = (title.clone(), true);
        }
        if let Some(user) = update.assigned_user_id {
            changes.push(("assigned", json!({ "by": update.by, "from": item.assigned_user_id, "to": user })));
            item.assigned_user_id = user;
        }
        if let Some(snoozed) = update.snoozed {
            changes.push(("snoozed", json!({ "by": update.by, "to": snoozed })));
            item.snoozed = snoozed;
        }
        if changes.is_empty() {
            return Ok(Some(item));
        }
        item.last_modified_by = update.by;
        let version_row = ids.next().unwrap_or_default();
        let mut transaction = self.pool.begin().await?;
        sqlx::query(
            "UPDATE items SET status = $1, last_activated_s = $2, last_resolved_s = $3, last_muted_s = $4,
             resolved_in_version = $5, level = $6, level_lock = $7, title = $8, title_lock = $9, assigned_user_id = $10,
             snoozed = $11, last_modified_by = $12 WHERE id = $13",
        )
        .bind(item.status.name())
        .bind(item.last_activated_s)
        .bind(item.last_resolved_s)
        .bind(item.last_muted_s)
        .bind(item.resolved_in_version.as_deref().unwrap_or_default())
        .bind(item.level.number())
        .bind(i64::from(item.level_lock))
        .bind(item.title.as_str())
        .bind(i64::from(item.title_lock))
        .bind(item.assigned_user_id)
        .bind(i64::from(item.snoozed))
        .bind(item.last_modified_by)
        .bind(id)
        .execute(&mut *transaction)
        .await?;
        for ((kind, detail), row_id) in changes.iter().zip(ids) {
            change(&mut transaction, row_id, id, now_s, kind, detail).await?;
        }
        if let Some(version) = item.resolved_in_version.as_deref().filter(|_| item.status == Status::Resolved)
        {
            let row = sqlx::query(
                "INSERT INTO versions (id, project_id, environment, version, created_s, first_occurrence_id, first_s,
                 last_occurrence_id, last_s) VALUES ($1, $2, $3, $4, $5, 0, 0, 0, 0)
                 ON CONFLICT (project_id, environment, version) DO UPDATE SET last_s = versions.last_s RETURNING id",
            )
            .bind(version_row)
            .bind(item.project_id)
            .bind(item.environment.as_str())
            .bind(version)
            .bind(now_s)
            .fetch_one(&mut *transaction)
            .await?;
            sqlx::query(
                "INSERT INTO version_items (version_id, item_id, event, first_occurrence_id, last_occurrence_id)
                 VALUES ($1, $2, 'resolved', $3, $4) ON CONFLICT DO NOTHING",
            )
            .bind(row.try_get::<i64, _>("id")?)
            .bind(id)
            .bind(item.first_occurrence_id)
            .bind(item.last_occurrence_id)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(Some(item))
    }

    /// Adds a comment; whether there is such an item.
    ///
    /// # Errors
    /// [`TrackerError::Invalid`] when it is empty or too long.
    pub async fn comment(&self, item_id: i64, by: i64, text: &str) -> Result<bool, TrackerError> {
        if text.trim().is_empty() || text.len() > COMMENT_BYTES_MAX {
            return Err(TrackerError::Invalid("a comment has between 1 byte and 64 KiB".into()));
        }
        if self.item(item_id).await?.is_none() {
            return Ok(false);
        }
        let id = self.take_one(Sequence::Rows).await?;
        let mut transaction = self.pool.begin().await?;
        change(&mut transaction, id, item_id, self.now_s(), "comment", &json!({ "by": by, "text": text }))
            .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// An item's history, the newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn changes(&self, item_id: i64) -> Result<Vec<ItemChange>, TrackerError> {
        let rows = sqlx::query(
            "SELECT id, at_s, kind, detail FROM item_changes WHERE item_id = $1 ORDER BY id DESC LIMIT $2",
        )
        .bind(item_id)
        .bind(CHANGES_MAX)
        .fetch_all(&self.pool)
        .await?;
        let read = rows.iter().map(|row| {
            let detail: String = row.try_get("detail")?;
            Ok(ItemChange {
                id: row.try_get("id")?,
                at_s: row.try_get("at_s")?,
                kind: row.try_get("kind")?,
                detail: serde_json::from_str(&detail).unwrap_or_default(),
            })
        });
        read.collect()
    }

    /// Merges items of one project and environment into the first: their occurrences are its from now on.
    ///
    /// # Errors
    /// [`TrackerError::Invalid`] says why they cannot be merged.
    pub async fn merge(&self, into: i64, others: &[i64], by: i64) -> Result<Option<Item>, TrackerError> {
        let invalid = |text: &str| Err(TrackerError::Invalid(text.to_owned()));
        if others.is_empty() || others.len() > MEMBERS_MAX || others.contains(&into) {
            return invalid("between one and a thousand other items are merged into one");
        }
        self.settle().await?;
        let _turn = self.applying.lock().await;
        let Some(target) = self.item(into).await? else { return Ok(None) };
        let mut members = Vec::with_capacity(others.len());
        for id in others {
            let Some(member) = self.item(*id).await? else { return Ok(None) };
            if (member.project_id, &member.environment) != (target.project_id, &target.environment) {
                return invalid("items of one project and one environment are merged");
            }
            if member.group_item_id != 0 || member.is_group || target.group_item_id != 0 {
                return invalid("an item that is merged already must be taken out first");
            }
            members.push(member);
        }
        let ids = self.take(Sequence::Rows, members.len()).await?;
        let mut transaction = self.pool.begin().await?;
        for (member, row_id) in members.iter().zip(ids) {
            sqlx::query("UPDATE items SET group_item_id = $1 WHERE id = $2")
                .bind(into)
                .bind(member.id)
                .execute(&mut *transaction)
                .await?;
            sqlx::query("UPDATE item_fingerprints SET item_id = $1 WHERE item_id = $2")
                .bind(into)
                .bind(member.id)
                .execute(&mut *transaction)
                .await?;
            let detail = json!({ "by": by, "item_id": member.id, "counter": member.counter });
            change(&mut transaction, row_id, into, self.now_s(), "merged", &detail).await?;
            sqlx::query(
                "UPDATE items SET is_group = 1, total = total + $1, last_s = CASE WHEN last_s < $2 THEN $3 ELSE last_s END,
                 last_occurrence_id = CASE WHEN last_occurrence_id < $4 THEN $5 ELSE last_occurrence_id END,
                 first_s = CASE WHEN first_s > $6 THEN $7 ELSE first_s END,
                 first_occurrence_id = CASE WHEN first_occurrence_id > $8 THEN $9 ELSE first_occurrence_id END WHERE id = $10",
            )
            .bind(member.total)
            .bind(member.last_s)
            .bind(member.last_s)
            .bind(member.last_occurrence_id)
            .bind(member.last_occurrence_id)
            .bind(member.first_s)
            .bind(member.first_s)
            .bind(member.first_occurrence_id)
            .bind(member.first_occurrence_id)
            .bind(into)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        self.item(into).await
    }

    /// Takes an item out of the one that it was merged into: its fingerprint is its own again, and what came meanwhile with
    /// it is found with it. Counts that were added to the other stay there.
    ///
    /// # Errors
    /// [`TrackerError::Invalid`] when it was not merged.
    pub async fn unmerge(&self, id: i64, by: i64) -> Result<Option<Item>, TrackerError> {
        self.settle().await?;
        let _turn = self.applying.lock().await;
        let Some(item) = self.item(id).await? else { return Ok(None) };
        if item.group_item_id == 0 {
            return Err(TrackerError::Invalid("the item is not merged into another".into()));
        }
        let row_id = self.take_one(Sequence::Rows).await?;
        let mut transaction = self.pool.begin().await?;
        sqlx::query("UPDATE items SET group_item_id = 0 WHERE id = $1")
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "UPDATE item_fingerprints SET item_id = $1 WHERE project_id = $2 AND environment = $3 AND fingerprint = $4",
        )
        .bind(id)
        .bind(item.project_id)
        .bind(item.environment.as_str())
        .bind(item.fingerprint.as_str())
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "UPDATE items SET is_group = 0 WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM items AS other WHERE other.group_item_id = $2)",
        )
        .bind(item.group_item_id)
        .bind(item.group_item_id)
        .execute(&mut *transaction)
        .await?;
        let detail = json!({ "by": by, "item_id": id, "counter": item.counter });
        change(&mut transaction, row_id, item.group_item_id, self.now_s(), "unmerged", &detail).await?;
        let query = format!("SELECT {} FROM items WHERE id = $1", crate::items::COLUMNS);
        let row = sqlx::query(&query).bind(id).fetch_one(&mut *transaction).await?;
        transaction.commit().await?;
        from_row(&row).map(Some)
    }
}
