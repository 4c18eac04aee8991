//! Groups what was noted: finds or makes each occurrence's item, and counts it, its person, its version and its hour. A
//! batch is applied and taken out of the inbox in one transaction, so that each occurrence counts once, whatever crashes.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use sqlx::{Any, Row, Transaction};
use tracery_errors::Summary;

use crate::items::{COLUMNS, Item, from_row};
use crate::lifecycle::{Recurrence, Status, recurs};
use crate::notifications::{notice_change, notice_item};
use crate::sequences::Sequence;
use crate::{Tracker, TrackerError};

/// Rows of the inbox that one transaction applies.
const BATCH_ROWS: i64 = 20;
/// How long the worker sleeps when nobody wakes it: another process may have noted something.
const LOOK_EVERY: Duration = Duration::from_secs(2);
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(1);
/// How often old uuids are forgotten.
const SWEEP_EVERY_S: i64 = 600;
/// Addresses of an item that are told apart.
const IPS_MAX: i64 = 10_000;
const HOUR_S: i64 = 3_600;

/// Summaries of one item-to-be: project, environment, fingerprint.
type Groups<'s> = BTreeMap<(i64, &'s str, &'s str), Vec<&'s Summary>>;

impl Tracker {
    /// Groups what is noted for as long as the process lives.
    pub async fn work(self) {
        let mut swept_s = self.now_s();
        loop {
            match self.settle().await {
                Ok(_) => drop(tokio::time::timeout(LOOK_EVERY, self.noted.notified()).await),
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "errors could not be grouped; it is tried again"
                    );
                    tokio::time::sleep(PAUSE_AFTER_ERROR).await;
                }
            }
            if self.now_s() - swept_s > SWEEP_EVERY_S {
                swept_s = self.now_s();
                if let Err(error) = self.sweep().await {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "old uuids could not be forgotten"
                    );
                }
            }
        }
    }

    /// Groups all that waits now; how many occurrences that were.
    ///
    /// # Errors
    /// When the database does not answer; what was not grouped waits on.
    pub async fn settle(&self) -> Result<usize, TrackerError> {
        let _turn = self.applying.lock().await;
        let mut count = 0;
        loop {
            match self.apply_batch().await? {
                0 => return Ok(count),
                applied => count += applied,
            }
        }
    }

    async fn apply_batch(&self) -> Result<usize, TrackerError> {
        let waiting = sqlx::query("SELECT id, summaries FROM inbox ORDER BY id LIMIT $1")
            .bind(BATCH_ROWS)
            .fetch_all(&self.pool)
            .await?;
        let mut row_ids: Vec<i64> = Vec::with_capacity(waiting.len());
        let mut summaries: Vec<Summary> = Vec::new();
        for row in &waiting {
            row_ids.push(row.try_get("id")?);
            let text: String = row.try_get("summaries")?;
            let read: Vec<Summary> =
                serde_json::from_str(&text).map_err(|error| TrackerError::Corrupt(error.to_string()))?;
            summaries.extend(read);
        }
        if row_ids.is_empty() {
            return Ok(0);
        }
        let mut groups = Groups::new();
        for summary in &summaries {
            let key = (summary.project_id, summary.environment.as_str(), summary.fingerprint.as_str());
            groups.entry(key).or_default().push(summary);
        }
        // Numbers are taken before the transaction: they come over another connection, which would wait for it.
        let mut item_ids = self.take(Sequence::Items, self.unknown(&groups).await?).await?.into_iter();
        let mut row_numbers = self.take(Sequence::Rows, summaries.len() * 4).await?.into_iter();
        let mut batch = Batch { transaction: self.pool.begin().await? };
        // Only one process applies at a time; the row is the lock.
        sqlx::query(
            "INSERT INTO tracker_sequences (name, next) VALUES ('worker', 0)
             ON CONFLICT (name) DO UPDATE SET next = tracker_sequences.next + 1",
        )
        .execute(&mut *batch.transaction)
        .await?;
        for id in &row_ids {
            let taken = sqlx::query("DELETE FROM inbox WHERE id = $1")
                .bind(*id)
                .execute(&mut *batch.transaction)
                .await?;
            if taken.rows_affected() == 0 {
                // Another process was faster; the next turn looks again.
                return Ok(1);
            }
        }
        let mut ordered: Vec<_> = groups.iter().collect();
        // What was counted by another door joins an item that may be made here.
        ordered.sort_by_key(|(_, occurrences)| occurrences.iter().all(|one| one.is_repeated));
        for ((project_id, environment, fingerprint), occurrences) in ordered {
            let item = batch.find(*project_id, environment, fingerprint, occurrences).await?;
            let counted: Vec<&Summary> = occurrences.iter().copied().filter(|one| !one.is_repeated).collect();
            let Some(first) = counted.first() else { continue };
            let item = match item {
                Some(item) => item,
                None => {
                    let Some(id) = item_ids.next() else { return Ok(1) };
                    batch.make(id, *project_id, environment, fingerprint, first).await?
                }
            };
            batch.count(item, &counted, &mut row_numbers).await?;
        }
        batch.people(&summaries).await?;
        batch.transaction.commit().await?;
        Ok(summaries.len())
    }

    /// How many groups have no item yet.
    async fn unknown(&self, groups: &Groups<'_>) -> Result<usize, TrackerError> {
        let mut count = 0;
        for (project_id, environment, fingerprint) in groups.keys() {
            if self.item_of(*project_id, environment, fingerprint).await?.is_none() {
                count += 1;
            }
        }
        Ok(count)
    }
}

/// One transaction.
struct Batch {
    transaction: Transaction<'static, Any>,
}

impl Batch {
    async fn by_fingerprint(
        &mut self,
        project_id: i64,
        environment: &str,
        fingerprint: &str,
    ) -> Result<Option<Item>, TrackerError> {
        let query = format!(
            "SELECT {COLUMNS} FROM items WHERE id =
             (SELECT item_id FROM item_fingerprints WHERE project_id = $1 AND environment = $2 AND fingerprint = $3)"
        );
        let row = sqlx::query(&query)
            .bind(project_id)
            .bind(environment)
            .bind(fingerprint)
            .fetch_optional(&mut *self.transaction)
            .await?;
        row.as_ref().map(from_row).transpose()
    }

    /// The item of a fingerprint, or of the one that the algorithm gave before.
    async fn find(
        &mut self,
        project_id: i64,
        environment: &str,
        fingerprint: &str,
        occurrences: &[&Summary],
    ) -> Result<Option<Item>, TrackerError> {
        if let Some(item) = self.by_fingerprint(project_id, environment, fingerprint).await? {
            return Ok(Some(item));
        }
        let Some(old) = occurrences.iter().find_map(|one| one.old_fingerprint.as_deref()) else {
            return Ok(None);
        };
        let Some(item) = self.by_fingerprint(project_id, environment, old).await? else { return Ok(None) };
        self.attach(project_id, environment, fingerprint, item.id).await?;
        Ok(Some(item))
    }

    async fn attach(
        &mut self,
        project_id: i64,
        environment: &str,
        fingerprint: &str,
        item_id: i64,
    ) -> Result<(), TrackerError> {
        sqlx::query("INSERT INTO item_fingerprints (project_id, environment, fingerprint, item_id) VALUES ($1, $2, $3, $4)")
            .bind(project_id)
            .bind(environment)
            .bind(fingerprint)
            .bind(item_id)
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    /// A new item, of which nothing is counted yet.
    async fn make(
        &mut self,
        id: i64,
        project_id: i64,
        environment: &str,
        fingerprint: &str,
        first: &Summary,
    ) -> Result<Item, TrackerError> {
        let row = sqlx::query(
            "UPDATE projects SET next_counter = next_counter + 1 WHERE id = $1 RETURNING next_counter",
        )
        .bind(project_id)
        .fetch_optional(&mut *self.transaction)
        .await?;
        // A project that is gone has nobody who could confuse its items.
        let counter =
            row.map(|row| row.try_get::<i64, _>("next_counter")).transpose()?.map_or(id, |next| next - 1);
        let item = Item {
            id,
            project_id,
            counter,
            environment: environment.to_owned(),
            fingerprint: fingerprint.to_owned(),
            title: first.title.clone(),
            level: first.level,
            status: Status::Active,
            platform: first.platform.clone().unwrap_or_default(),
            framework: first.framework.clone().unwrap_or_default(),
            grouping: first.grouping.clone(),
            first_occurrence_id: first.occurrence_id,
            first_s: first.received_s,
            last_occurrence_id: first.occurrence_id,
            last_s: first.received_s,
            activating_occurrence_id: first.occurrence_id,
            last_activated_s: first.received_s,
            last_resolved_s: 0,
            last_muted_s: 0,
            last_modified_by: 0,
            assigned_user_id: 0,
            resolved_in_version: None,
            total: 0,
            unique_ips: 0,
            level_lock: false,
            title_lock: false,
            snoozed: false,
            group_item_id: 0,
            is_group: false,
        };
        sqlx::query(
            "INSERT INTO items (id, project_id, counter, environment, fingerprint, title, level, status, platform, framework,
             grouping, first_occurrence_id, first_s, last_occurrence_id, last_s, activating_occurrence_id, last_activated_s, total)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 0)",
        )
        .bind(id)
        .bind(project_id)
        .bind(counter)
        .bind(environment)
        .bind(fingerprint)
        .bind(item.title.as_str())
        .bind(item.level.number())
        .bind(item.status.name())
        .bind(item.platform.as_str())
        .bind(item.framework.as_str())
        .bind(item.grouping.as_str())
        .bind(item.first_occurrence_id)
        .bind(item.first_s)
        .bind(item.last_occurrence_id)
        .bind(item.last_s)
        .bind(item.activating_occurrence_id)
        .bind(item.last_activated_s)
        .execute(&mut *self.transaction)
        .await?;
        self.attach(project_id, environment, fingerprint, id).await?;
        Ok(item)
    }

    /// Counts occurrences of one item, in the order in which they came.
    async fn count(
        &mut self,
        mut item: Item,
        occurrences: &[&Summary],
        row_numbers: &mut impl Iterator<Item = i64>,
    ) -> Result<(), TrackerError> {
        let is_new = item.total == 0 && item.last_resolved_s == 0;
        let mut before = item.total;
        let mut hours: BTreeMap<i64, i64> = BTreeMap::new();
        // By version and event: the first and last occurrence.
        let mut versions: BTreeMap<(&str, &str), (&Summary, &Summary)> = BTreeMap::new();
        for (number, one) in occurrences.iter().enumerate() {
            let recurrence =
                recurs(item.status, item.resolved_in_version.as_deref(), one.code_version.as_deref());
            let event = match recurrence {
                _ if is_new && number == 0 => "new",
                Recurrence::Reactivated => "reactivated",
                Recurrence::Repeated => "repeated",
            };
            if recurrence == Recurrence::Reactivated {
                item.status = Status::Active;
                item.activating_occurrence_id = one.occurrence_id;
                item.last_activated_s = one.received_s;
                (item.total, before) = (0, 0);
                item.snoozed = false;
                item.resolved_in_version = None;
            }
            if event != "repeated"
                && let Some(id) = row_numbers.next()
            {
                let detail = serde_json::json!({ "occurrence_id": one.occurrence_id });
                change(&mut self.transaction, id, item.id, one.received_s, event, &detail).await?;
            }
            item.total += 1;
            if one.occurrence_id >= item.last_occurrence_id {
                item.last_occurrence_id = one.occurrence_id;
            }
            item.last_s = item.last_s.max(one.received_s);
            *hours.entry(one.received_s.div_euclid(HOUR_S) * HOUR_S).or_default() += 1;
            if let Some(version) = &one.code_version {
                versions.entry((version, event)).or_insert((one, one)).1 = one;
            }
            if let Some(ip) = one.user_ip.as_deref().filter(|_| item.unique_ips < IPS_MAX) {
                let added =
                    sqlx::query("INSERT INTO item_ips (item_id, ip) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                        .bind(item.id)
                        .bind(ip)
                        .execute(&mut *self.transaction)
                        .await?;
                item.unique_ips += i64::try_from(added.rows_affected()).unwrap_or(0);
            }
        }
        for (hour_s, count) in hours {
            sqlx::query(
                "INSERT INTO item_hours (item_id, hour_s, count) VALUES ($1, $2, $3)
                 ON CONFLICT (item_id, hour_s) DO UPDATE SET count = item_hours.count + excluded.count",
            )
            .bind(item.id)
            .bind(hour_s)
            .bind(count)
            .execute(&mut *self.transaction)
            .await?;
        }
        for ((version, event), (first, last)) in versions {
            let Some(id) = row_numbers.next() else { break };
            let version_id = self.version(id, &item, version, first, last).await?;
            sqlx::query(
                "INSERT INTO version_items (version_id, item_id, event, first_occurrence_id, last_occurrence_id)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (version_id, item_id, event) DO UPDATE SET last_occurrence_id = excluded.last_occurrence_id",
            )
            .bind(version_id)
            .bind(item.id)
            .bind(event)
            .bind(first.occurrence_id)
            .bind(last.occurrence_id)
            .execute(&mut *self.transaction)
            .await?;
        }
        sqlx::query(
            "UPDATE items SET status = $1, activating_occurrence_id = $2, last_activated_s = $3, total = $4, snoozed = $5,
             resolved_in_version = $6, last_occurrence_id = $7, last_s = $8, unique_ips = $9 WHERE id = $10",
        )
        .bind(item.status.name())
        .bind(item.activating_occurrence_id)
        .bind(item.last_activated_s)
        .bind(item.total)
        .bind(i64::from(item.snoozed))
        .bind(item.resolved_in_version.as_deref().unwrap_or_default())
        .bind(item.last_occurrence_id)
        .bind(item.last_s)
        .bind(item.unique_ips)
        .bind(item.id)
        .execute(&mut *self.transaction)
        .await?;
        self.notice_repeats(&item, before, occurrences.len(), row_numbers).await
    }

    /// Tells of occurrences, those counted together in one notice, and of tens, hundreds, thousands of them.
    async fn notice_repeats(
        &mut self,
        item: &Item,
        before: i64,
        count: usize,
        row_numbers: &mut impl Iterator<Item = i64>,
    ) -> Result<(), TrackerError> {
        let passed = (1..).map_while(|power| 10_i64.checked_pow(power)).find(|tens| *tens > before);
        let events = [
            Some(("occurrence", serde_json::json!({ "count": count }))),
            passed
                .filter(|tens| *tens <= item.total)
                .map(|tens| ("exp_repeat_item", serde_json::json!({ "count": tens }))),
        ];
        for (event, detail) in events.into_iter().flatten() {
            let Some(id) = row_numbers.next() else { break };
            let of = (item.id, item.last_occurrence_id);
            notice_item(&mut self.transaction, id, of, item.last_s, event, &detail).await?;
        }
        Ok(())
    }

    async fn version(
        &mut self,
        id: i64,
        item: &Item,
        version: &str,
        first: &Summary,
        last: &Summary,
    ) -> Result<i64, TrackerError> {
        let row = sqlx::query(
            "INSERT INTO versions (id, project_id, environment, version, created_s, first_occurrence_id, first_s,
             last_occurrence_id, last_s) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (project_id, environment, version) DO UPDATE
             SET last_occurrence_id = excluded.last_occurrence_id, last_s = excluded.last_s,
                 first_occurrence_id = CASE WHEN versions.first_occurrence_id = 0 THEN excluded.first_occurrence_id
                                            ELSE versions.first_occurrence_id END,
                 first_s = CASE WHEN versions.first_s = 0 THEN excluded.first_s ELSE versions.first_s END
             RETURNING id",
        )
        .bind(id)
        .bind(item.project_id)
        .bind(item.environment.as_str())
        .bind(version)
        .bind(first.received_s)
        .bind(first.occurrence_id)
        .bind(first.received_s)
        .bind(last.occurrence_id)
        .bind(last.received_s)
        .fetch_one(&mut *self.transaction)
        .await?;
        Ok(row.try_get("id")?)
    }

    /// Whom it happened to; what was told last of a person's name wins.
    async fn people(&mut self, summaries: &[Summary]) -> Result<(), TrackerError> {
        let mut people: HashMap<(i64, &str), (&Summary, i64)> = HashMap::new();
        for summary in summaries {
            if let Some(person) = &summary.person {
                let known = people.entry((summary.project_id, &person.id)).or_insert((summary, 0));
                known.0 = summary;
                known.1 += 1;
            }
        }
        for ((project_id, person_id), (last, count)) in people {
            let person = last.person.as_ref();
            sqlx::query(
                "INSERT INTO people (project_id, person_id, username, email, last_s, last_occurrence_id, count)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)
                 ON CONFLICT (project_id, person_id) DO UPDATE
                 SET username = CASE WHEN excluded.username = '' THEN people.username ELSE excluded.username END,
                     email = CASE WHEN excluded.email = '' THEN people.email ELSE excluded.email END,
                     last_s = excluded.last_s, last_occurrence_id = excluded.last_occurrence_id,
                     count = people.count + excluded.count",
            )
            .bind(project_id)
            .bind(person_id)
            .bind(person.and_then(|person| person.username.as_deref()).unwrap_or_default())
            .bind(person.and_then(|person| person.email.as_deref()).unwrap_or_default())
            .bind(last.received_s)
            .bind(last.occurrence_id)
            .bind(count)
            .execute(&mut *self.transaction)
            .await?;
        }
        Ok(())
    }
}

/// Writes one line of an item's history.
pub(crate) async fn change(
    transaction: &mut Transaction<'static, Any>,
    id: i64,
    item_id: i64,
    at_s: i64,
    kind: &str,
    detail: &serde_json::Value,
) -> Result<(), TrackerError> {
    sqlx::query("INSERT INTO item_changes (id, item_id, at_s, kind, detail) VALUES ($1, $2, $3, $4, $5)")
        .bind(id)
        .bind(item_id)
        .bind(at_s)
        .bind(kind)
        .bind(detail.to_string())
        .execute(&mut **transaction)
        .await?;
    // One number serves both: they lie in tables of their own.
    notice_change(transaction, id, item_id, at_s, kind, detail).await
}
