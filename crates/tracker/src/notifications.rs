//! Who is told of what: channels and rules of projects, notices of what happened, and the deliveries that come of them. A
//! notice is written in the transaction of what it tells of, and turned into deliveries in one of its own, so that each is
//! made once. Who delivers claims a delivery by its number of attempts: two processes never send the same attempt.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

use crate::sequences::Sequence;
use crate::{Tracker, TrackerError};

/// Rules that a channel of a project may have.
pub const RULES_MAX: usize = 100;
/// Attempts after which a delivery is given up.
pub const ATTEMPTS_MAX: i64 = 10;
/// The longest pause between two of them.
const PAUSE_S_MAX: i64 = 6 * 3_600;
/// Notices that are read at once.
const BATCH: i64 = 50;
/// Deliveries that are claimed at once, and for how long: whoever claims makes them one after the other.
const CLAIMED: i64 = 10;
const CLAIM_S: i64 = 120;
/// Lines of a rule's history that are kept.
const LOG_MAX: i64 = 100;
/// Deliveries that may wait; more are not made, which the log of the rule says.
const WAITING_MAX: i64 = 10_000;

/// What is told of: the words of the vendor's webhooks.
pub const EVENTS: [&str; 7] = [
    "new_item",
    "reactivated_item",
    "reopened_item",
    "resolved_item",
    "exp_repeat_item",
    "occurrence",
    "deploy",
];

/// A rule of a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct NotificationRule {
    pub id: i64,
    pub project_id: i64,
    /// `webhook` or `slack`.
    pub channel: String,
    /// One of [`EVENTS`].
    pub event: String,
    pub enabled: bool,
    /// `filters` and `config`.
    pub rule: Value,
}

/// Something happened that a rule may want told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    pub id: i64,
    pub project_id: i64,
    pub event: String,
    /// 0 for a deploy.
    pub item_id: i64,
    pub occurrence_id: i64,
    pub at_s: i64,
    pub detail: Value,
}

/// A notice on its way to one rule's receiver.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    pub id: i64,
    pub rule_id: i64,
    pub notice: Notice,
    /// Those that were made.
    pub attempts: i64,
}

/// One line of a rule's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryLine {
    pub at_s: i64,
    pub event: String,
    /// `delivered`, `failed` (and tried again) or `given_up`.
    pub outcome: String,
    pub detail: String,
}

/// The event of a line of an item's history, if it is one.
fn event_of(change: &str) -> Option<&'static str> {
    match change {
        "new" => Some("new_item"),
        "reactivated" => Some("reactivated_item"),
        "reopened" => Some("reopened_item"),
        "resolved" => Some("resolved_item"),
        _ => None,
    }
}

/// Writes the notice of a change to an item, when a rule of its project wants such.
pub(crate) async fn notice_change(
    transaction: &mut Transaction<'static, Any>,
    id: i64,
    item_id: i64,
    at_s: i64,
    kind: &str,
    detail: &Value,
) -> Result<(), TrackerError> {
    let Some(event) = event_of(kind) else { return Ok(()) };
    let occurrence_id = detail["occurrence_id"].as_i64().unwrap_or_default();
    notice_item(transaction, id, (item_id, occurrence_id), at_s, event, detail).await
}

/// The same for any event of an item.
pub(crate) async fn notice_item(
    transaction: &mut Transaction<'static, Any>,
    id: i64,
    (item_id, occurrence_id): (i64, i64),
    at_s: i64,
    event: &str,
    detail: &Value,
) -> Result<(), TrackerError> {
    sqlx::query(
        "INSERT INTO notices (id, project_id, event, item_id, occurrence_id, at_s, detail)
         SELECT CAST($1 AS BIGINT), items.project_id, CAST($2 AS TEXT), items.id, CAST($3 AS BIGINT), CAST($4 AS BIGINT),
         CAST($5 AS TEXT) FROM items WHERE items.id = $6 AND EXISTS (SELECT 1 FROM notification_rules r
         WHERE r.project_id = items.project_id AND r.event = $7 AND r.enabled = 1)",
    )
    .bind(id)
    .bind(event)
    .bind(occurrence_id)
    .bind(at_s)
    .bind(detail.to_string())
    .bind(item_id)
    .bind(event)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// The same for what is no item's.
pub(crate) async fn notice_project(
    transaction: &mut Transaction<'static, Any>,
    id: i64,
    project_id: i64,
    at_s: i64,
    event: &str,
    detail: &Value,
) -> Result<(), TrackerError> {
    let wanted = sqlx::query(
        "SELECT id FROM notification_rules WHERE project_id = $1 AND event = $2 AND enabled = 1 LIMIT 1",
    )
    .bind(project_id)
    .bind(event)
    .fetch_optional(&mut **transaction)
    .await?;
    if wanted.is_none() {
        return Ok(());
    }
    sqlx::query("INSERT INTO notices (id, project_id, event, item_id, occurrence_id, at_s, detail) VALUES ($1, $2, $3, 0, 0, $4, $5)")
        .bind(id)
        .bind(project_id)
        .bind(event)
        .bind(at_s)
        .bind(detail.to_string())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

fn json(text: &str) -> Result<Value, TrackerError> {
    serde_json::from_str(text).map_err(|error| TrackerError::Corrupt(error.to_string()))
}

fn rule_of(row: &AnyRow) -> Result<NotificationRule, TrackerError> {
    Ok(NotificationRule {
        id: row.try_get("id")?,
        project_id: row.try_get("project_id")?,
        channel: row.try_get("channel")?,
        event: row.try_get("event")?,
        enabled: row.try_get::<i64, _>("enabled")? != 0,
        rule: json(&row.try_get::<String, _>("rule")?)?,
    })
}

const RULE: &str = "id, project_id, channel, event, enabled, rule";

impl Tracker {
    /// What a channel of a project is set to.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn channel(&self, project_id: i64, channel: &str) -> Result<Option<Value>, TrackerError> {
        let row =
            sqlx::query("SELECT config FROM notification_channels WHERE project_id = $1 AND channel = $2")
                .bind(project_id)
                .bind(channel)
                .fetch_optional(&self.pool)
                .await?;
        row.map(|row| json(&row.try_get::<String, _>("config")?)).transpose()
    }

    /// # Errors
    /// When the database does not answer.
    pub async fn set_channel(
        &self,
        project_id: i64,
        channel: &str,
        config: &Value,
    ) -> Result<(), TrackerError> {
        sqlx::query(
            "INSERT INTO notification_channels (project_id, channel, config) VALUES ($1, $2, $3)
             ON CONFLICT (project_id, channel) DO UPDATE SET config = excluded.config",
        )
        .bind(project_id)
        .bind(channel)
        .bind(config.to_string())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The rules of a channel, oldest first; of all channels when `channel` is `None`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn notification_rules(
        &self,
        project_id: i64,
        channel: Option<&str>,
    ) -> Result<Vec<NotificationRule>, TrackerError> {
        let query = format!("SELECT {RULE} FROM notification_rules WHERE project_id = $1 ORDER BY id");
        let rows = sqlx::query(&query).bind(project_id).fetch_all(&self.pool).await?;
        let rules = rows.iter().map(rule_of).collect::<Result<Vec<_>, _>>()?;
        Ok(rules.into_iter().filter(|rule| channel.is_none_or(|channel| rule.channel == channel)).collect())
    }

    /// Adds rules to a channel, in place of those it has when `replace` says so; the ids are made here.
    ///
    /// # Errors
    /// [`TrackerError::Invalid`] when there would be too many; otherwise when the database does not answer.
    pub async fn add_notification_rules(
        &self,
        project_id: i64,
        channel: &str,
        mut rules: Vec<NotificationRule>,
        replace: bool,
    ) -> Result<Vec<NotificationRule>, TrackerError> {
        let known = match replace {
            true => 0,
            false => self.notification_rules(project_id, Some(channel)).await?.len(),
        };
        if known + rules.len() > RULES_MAX {
            return Err(TrackerError::Invalid(format!("a channel has at most {RULES_MAX} rules")));
        }
        let ids = self.take(Sequence::Rows, rules.len()).await?;
        let mut transaction = self.pool.begin().await?;
        if replace {
            for table in ["deliveries", "delivery_log"] {
                let of = "SELECT id FROM notification_rules WHERE project_id = $1 AND channel = $2";
                sqlx::query(&format!("DELETE FROM {table} WHERE rule_id IN ({of})"))
                    .bind(project_id)
                    .bind(channel)
                    .execute(&mut *transaction)
                    .await?;
            }
            sqlx::query("DELETE FROM notification_rules WHERE project_id = $1 AND channel = $2")
                .bind(project_id)
                .bind(channel)
                .execute(&mut *transaction)
                .await?;
        }
        for (rule, id) in rules.iter_mut().zip(ids) {
            rule.id = id;
            sqlx::query("INSERT INTO notification_rules (id, project_id, channel, event, enabled, rule) VALUES ($1, $2, $3, $4, $5, $6)")
                .bind(id)
                .bind(project_id)
                .bind(channel)
                .bind(rule.event.as_str())
                .bind(i64::from(rule.enabled))
                .bind(rule.rule.to_string())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(rules)
    }

    /// Whether there was such a rule to be changed.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn change_notification_rule(&self, rule: &NotificationRule) -> Result<bool, TrackerError> {
        let changed = sqlx::query(
            "UPDATE notification_rules SET event = $1, enabled = $2, rule = $3 WHERE id = $4 AND project_id = $5 AND channel = $6",
        )
        .bind(rule.event.as_str())
        .bind(i64::from(rule.enabled))
        .bind(rule.rule.to_string())
        .bind(rule.id)
        .bind(rule.project_id)
        .bind(rule.channel.as_str())
        .execute(&self.pool)
        .await?;
        Ok(changed.rows_affected() > 0)
    }

    /// Whether there was one. What is on its way to it is dropped.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn delete_notification_rule(
        &self,
        project_id: i64,
        channel: &str,
        id: i64,
    ) -> Result<bool, TrackerError> {
        let mut transaction = self.pool.begin().await?;
        let gone =
            sqlx::query("DELETE FROM notification_rules WHERE id = $1 AND project_id = $2 AND channel = $3")
                .bind(id)
                .bind(project_id)
                .bind(channel)
                .execute(&mut *transaction)
                .await?;
        if gone.rows_affected() > 0 {
            for table in ["deliveries", "delivery_log"] {
                sqlx::query(&format!("DELETE FROM {table} WHERE rule_id = $1"))
                    .bind(id)
                    .execute(&mut *transaction)
                    .await?;
            }
        }
        transaction.commit().await?;
        Ok(gone.rows_affected() > 0)
    }

    /// What waits to be turned into deliveries, oldest first; a bounded number.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn notices(&self) -> Result<Vec<Notice>, TrackerError> {
        let rows = sqlx::query("SELECT id, project_id, event, item_id, occurrence_id, at_s, detail FROM notices ORDER BY at_s, id LIMIT $1")
            .bind(BATCH)
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Notice {
                    id: row.try_get("id")?,
                    project_id: row.try_get("project_id")?,
                    event: row.try_get("event")?,
                    item_id: row.try_get("item_id")?,
                    occurrence_id: row.try_get("occurrence_id")?,
                    at_s: row.try_get("at_s")?,
                    detail: json(&row.try_get::<String, _>("detail")?)?,
                })
            })
            .collect()
    }

    /// Turns a notice into deliveries to these rules. Where another process did it already, nothing happens.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn dispatch(&self, notice: &Notice, rule_ids: &[i64]) -> Result<(), TrackerError> {
        let ids = self.take(Sequence::Rows, rule_ids.len()).await?;
        let text = serde_json::to_string(notice).map_err(|error| TrackerError::Corrupt(error.to_string()))?;
        let waiting: i64 = sqlx::query("SELECT count(*) AS waiting FROM deliveries")
            .fetch_one(&self.pool)
            .await?
            .try_get("waiting")?;
        let mut transaction = self.pool.begin().await?;
        let taken = sqlx::query("DELETE FROM notices WHERE id = $1")
            .bind(notice.id)
            .execute(&mut *transaction)
            .await?;
        if taken.rows_affected() == 0 {
            return Ok(());
        }
        for (id, rule_id) in ids.into_iter().zip(rule_ids) {
            if waiting >= WAITING_MAX {
                let line = (*rule_id, notice.event.as_str(), "given_up", "too many deliveries wait");
                log(&mut transaction, id, self.now_s(), line).await?;
                continue;
            }
            sqlx::query("INSERT INTO deliveries (id, project_id, rule_id, notice, attempts, next_s) VALUES ($1, $2, $3, $4, 0, $5)")
                .bind(id)
                .bind(notice.project_id)
                .bind(*rule_id)
                .bind(text.as_str())
                .bind(self.now_s())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Deliveries whose time has come, each claimed for one attempt: if nobody says how it went, it is made again later.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn claim_deliveries(&self) -> Result<Vec<Delivery>, TrackerError> {
        let now_s = self.now_s();
        let rows = sqlx::query("SELECT id, rule_id, notice, attempts FROM deliveries WHERE next_s <= $1 ORDER BY next_s, id LIMIT $2")
            .bind(now_s)
            .bind(CLAIMED)
            .fetch_all(&self.pool)
            .await?;
        let mut claimed = Vec::new();
        for row in &rows {
            let (id, attempts): (i64, i64) = (row.try_get("id")?, row.try_get("attempts")?);
            let won = sqlx::query(
                "UPDATE deliveries SET attempts = attempts + 1, next_s = $1 WHERE id = $2 AND attempts = $3",
            )
            .bind(now_s + CLAIM_S)
            .bind(id)
            .bind(attempts)
            .execute(&self.pool)
            .await?;
            if won.rows_affected() > 0 {
                let notice: String = row.try_get("notice")?;
                let notice = serde_json::from_str(&notice)
                    .map_err(|error| TrackerError::Corrupt(error.to_string()))?;
                claimed.push(Delivery {
                    id,
                    rule_id: row.try_get("rule_id")?,
                    notice,
                    attempts: attempts + 1,
                });
            }
        }
        Ok(claimed)
    }

    /// Says how an attempt went. A delivery that was made, or failed for the last time, is gone.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn settle_delivery(
        &self,
        delivery: &Delivery,
        outcome: Result<(), &str>,
    ) -> Result<(), TrackerError> {
        let id = self.take_one(Sequence::Rows).await?;
        let is_last = delivery.attempts >= ATTEMPTS_MAX;
        let (word, detail) = match outcome {
            Ok(()) => ("delivered", ""),
            Err(reason) => (if is_last { "given_up" } else { "failed" }, reason),
        };
        let mut transaction = self.pool.begin().await?;
        if outcome.is_ok() || is_last {
            sqlx::query("DELETE FROM deliveries WHERE id = $1")
                .bind(delivery.id)
                .execute(&mut *transaction)
                .await?;
        } else {
            sqlx::query("UPDATE deliveries SET next_s = $1 WHERE id = $2 AND attempts = $3")
                .bind(self.now_s() + pause_s(delivery.attempts - 1))
                .bind(delivery.id)
                .bind(delivery.attempts)
                .execute(&mut *transaction)
                .await?;
        }
        let line = (delivery.rule_id, delivery.notice.event.as_str(), word, detail);
        log(&mut transaction, id, self.now_s(), line).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// What became of a rule's deliveries, newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn delivery_log(&self, rule_id: i64) -> Result<Vec<DeliveryLine>, TrackerError> {
        let rows = sqlx::query("SELECT at_s, event, outcome, detail FROM delivery_log WHERE rule_id = $1 ORDER BY at_s DESC, id DESC LIMIT $2")
            .bind(rule_id)
            .bind(LOG_MAX)
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(DeliveryLine {
                    at_s: row.try_get("at_s")?,
                    event: row.try_get("event")?,
                    outcome: row.try_get("outcome")?,
                    detail: row.try_get("detail")?,
                })
            })
            .collect()
    }
}

/// The pause after an attempt: four times as long each time, from a second on.
fn pause_s(attempts: i64) -> i64 {
    4_i64.saturating_pow(u32::try_from(attempts).unwrap_or(0)).min(PAUSE_S_MAX)
}

/// Adds a line to a rule's history, of which only the newest are kept.
async fn log(
    transaction: &mut Transaction<'static, Any>,
    id: i64,
    at_s: i64,
    (rule_id, event, outcome, detail): (i64, &str, &str, &str),
) -> Result<(), TrackerError> {
    sqlx::query("INSERT INTO delivery_log (id, rule_id, at_s, event, outcome, detail) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(id)
        .bind(rule_id)
        .bind(at_s)
        .bind(event)
        .bind(outcome)
        .bind(detail)
        .execute(&mut **transaction)
        .await?;
    sqlx::query(
        "DELETE FROM delivery_log WHERE rule_id = $1 AND id <=
         (SELECT id FROM delivery_log WHERE rule_id = $2 ORDER BY id DESC LIMIT 1 OFFSET $3)",
    )
    .bind(rule_id)
    .bind(rule_id)
    .bind(LOG_MAX)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_hours_and_no_further() {
        let pauses: Vec<i64> = (0..10).map(pause_s).collect();
        assert_eq!(pauses, [1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 21_600, 21_600]);
    }
}
