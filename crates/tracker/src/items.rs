//! Items: all occurrences of a fingerprint in one project and environment. Here they are read; the worker and
//! `item_changes` write them.

use sqlx::Row;
use sqlx::any::AnyRow;
use tracery_errors::Level;

use crate::lifecycle::Status;
use crate::search::{Search, Term};
use crate::statement::Statement;
use crate::{Tracker, TrackerError};

/// An item. Times are seconds since 1970, 0 is never; ids are 0 where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub id: i64,
    pub project_id: i64,
    /// The number people call it by, within its project.
    pub counter: i64,
    pub environment: String,
    /// The fingerprint that it was made for.
    pub fingerprint: String,
    pub title: String,
    pub level: Level,
    pub status: Status,
    pub platform: String,
    pub framework: String,
    /// Why its occurrences are one, as JSON.
    pub grouping: String,
    pub first_occurrence_id: i64,
    pub first_s: i64,
    pub last_occurrence_id: i64,
    pub last_s: i64,
    pub activating_occurrence_id: i64,
    pub last_activated_s: i64,
    pub last_resolved_s: i64,
    pub last_muted_s: i64,
    pub last_modified_by: i64,
    pub assigned_user_id: i64,
    pub resolved_in_version: Option<String>,
    /// Occurrences since it was activated last.
    pub total: i64,
    /// Addresses that were seen, up to 10,000.
    pub unique_ips: i64,
    pub level_lock: bool,
    pub title_lock: bool,
    pub snoozed: bool,
    /// The item that it was merged into.
    pub group_item_id: i64,
    /// Whether others were merged into it.
    pub is_group: bool,
}

/// How a list is ordered; the latest, largest or worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    #[default]
    LastSeen,
    FirstSeen,
    Activated,
    Occurrences,
    Level,
}

/// Which items are listed. Empty lists choose all.
#[derive(Debug, Clone, Default)]
pub struct ItemFilter {
    pub projects: Vec<i64>,
    pub ids: Vec<i64>,
    pub statuses: Vec<Status>,
    pub levels: Vec<Level>,
    pub environments: Vec<String>,
    pub frameworks: Vec<String>,
    /// `Some(None)` is whoever has nobody.
    pub assigned: Option<Option<i64>>,
    /// Somebody, whoever it is.
    pub is_assigned: bool,
    pub search: Search,
    pub order: Order,
}

/// A page of items, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemPage {
    pub items: Vec<Item>,
    pub total: i64,
}

pub(crate) const COLUMNS: &str = "id, project_id, counter, environment, fingerprint, title, level, status, platform, framework, grouping, \
     first_occurrence_id, first_s, last_occurrence_id, last_s, activating_occurrence_id, last_activated_s, last_resolved_s, \
     last_muted_s, last_modified_by, assigned_user_id, resolved_in_version, total, unique_ips, level_lock, title_lock, snoozed, \
     group_item_id, is_group";

pub(crate) fn from_row(row: &AnyRow) -> Result<Item, TrackerError> {
    let number = |name: &str| row.try_get::<i64, _>(name);
    let text = |name: &str| row.try_get::<String, _>(name);
    let corrupt = |what: &str| TrackerError::Corrupt(format!("an item has no {what}"));
    Ok(Item {
        id: number("id")?,
        project_id: number("project_id")?,
        counter: number("counter")?,
        environment: text("environment")?,
        fingerprint: text("fingerprint")?,
        title: text("title")?,
        level: Level::from_number(number("level")?).ok_or_else(|| corrupt("level"))?,
        status: Status::from_name(&text("status")?).ok_or_else(|| corrupt("status"))?,
        platform: text("platform")?,
        framework: text("framework")?,
        grouping: text("grouping")?,
        first_occurrence_id: number("first_occurrence_id")?,
        first_s: number("first_s")?,
        last_occurrence_id: number("last_occurrence_id")?,
        last_s: number("last_s")?,
        activating_occurrence_id: number("activating_occurrence_id")?,
        last_activated_s: number("last_activated_s")?,
        last_resolved_s: number("last_resolved_s")?,
        last_muted_s: number("last_muted_s")?,
        last_modified_by: number("last_modified_by")?,
        assigned_user_id: number("assigned_user_id")?,
        resolved_in_version: Some(text("resolved_in_version")?).filter(|version| !version.is_empty()),
        total: number("total")?,
        unique_ips: number("unique_ips")?,
        level_lock: number("level_lock")? != 0,
        title_lock: number("title_lock")? != 0,
        snoozed: number("snoozed")? != 0,
        group_item_id: number("group_item_id")?,
        is_group: number("is_group")? != 0,
    })
}

impl Order {
    fn columns(self) -> &'static str {
        match self {
            Self::LastSeen => "last_s DESC, id DESC",
            Self::FirstSeen => "first_s DESC, id DESC",
            Self::Activated => "last_activated_s DESC, id DESC",
            Self::Occurrences => "total DESC, last_s DESC, id DESC",
            Self::Level => "level DESC, last_s DESC, id DESC",
        }
    }
}

impl Tracker {
    /// # Errors
    /// When the database does not answer.
    pub async fn item(&self, id: i64) -> Result<Option<Item>, TrackerError> {
        self.item_where("id = $1", id, 0).await
    }

    /// # Errors
    /// When the database does not answer.
    pub async fn item_by_counter(&self, project_id: i64, counter: i64) -> Result<Option<Item>, TrackerError> {
        self.item_where("project_id = $1 AND counter = $2", project_id, counter).await
    }

    async fn item_where(
        &self,
        condition: &str,
        first: i64,
        second: i64,
    ) -> Result<Option<Item>, TrackerError> {
        let query = format!("SELECT {COLUMNS} FROM items WHERE {condition}");
        let mut query = sqlx::query(&query).bind(first);
        if condition.contains("$2") {
            query = query.bind(second);
        }
        query.fetch_optional(&self.pool).await?.as_ref().map(from_row).transpose()
    }

    /// The item that occurrences of a fingerprint belong to.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn item_of(
        &self,
        project_id: i64,
        environment: &str,
        fingerprint: &str,
    ) -> Result<Option<i64>, TrackerError> {
        let row = sqlx::query(
            "SELECT item_id FROM item_fingerprints WHERE project_id = $1 AND environment = $2 AND fingerprint = $3",
        )
        .bind(project_id)
        .bind(environment)
        .bind(fingerprint)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| row.try_get("item_id")).transpose()?)
    }

    /// The fingerprints whose occurrences belong to an item.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn fingerprints(&self, item_id: i64) -> Result<Vec<String>, TrackerError> {
        let rows =
            sqlx::query("SELECT fingerprint FROM item_fingerprints WHERE item_id = $1 ORDER BY fingerprint")
                .bind(item_id)
                .fetch_all(&self.pool)
                .await?;
        rows.iter().map(|row| Ok(row.try_get("fingerprint")?)).collect()
    }

    /// Items of a project by environment and fingerprint, up to `count` of them, the latest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn items_by_fingerprint(
        &self,
        project_id: i64,
        count: i64,
    ) -> Result<Vec<(String, String, Item)>, TrackerError> {
        let columns: Vec<String> = COLUMNS.split(", ").map(|name| format!("items.{}", name.trim())).collect();
        let query = format!(
            "SELECT item_fingerprints.fingerprint AS of_fingerprint, {} FROM item_fingerprints
             JOIN items ON items.id = item_id WHERE item_fingerprints.project_id = $1 ORDER BY items.last_s DESC LIMIT $2",
            columns.join(", ")
        );
        let rows = sqlx::query(&query).bind(project_id).bind(count).fetch_all(&self.pool).await?;
        let read = rows.iter().map(|row| {
            let item = from_row(row)?;
            Ok((item.environment.clone(), row.try_get("of_fingerprint")?, item))
        });
        read.collect()
    }

    /// The items that were merged into one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn members(&self, item_id: i64) -> Result<Vec<Item>, TrackerError> {
        let query = format!("SELECT {COLUMNS} FROM items WHERE group_item_id = $1 ORDER BY id");
        let rows = sqlx::query(&query).bind(item_id).fetch_all(&self.pool).await?;
        rows.iter().map(from_row).collect()
    }

    /// A page of items. Those that were merged into others are listed only where they are asked for by id or `is:member`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn items(&self, filter: &ItemFilter, skip: i64, count: i64) -> Result<ItemPage, TrackerError> {
        let mut total = Statement::new("SELECT COUNT(*) AS total FROM items");
        conditions(&mut total, filter);
        let total: i64 = total.one(&self.pool).await?.try_get("total")?;
        let mut page = Statement::new(format!("SELECT {COLUMNS} FROM items"));
        conditions(&mut page, filter);
        page.push(" ORDER BY ").push(filter.order.columns());
        page.push(" LIMIT ").value(count).push(" OFFSET ").value(skip);
        let rows = page.all(&self.pool).await?;
        let items = rows.iter().map(from_row).collect::<Result<_, _>>()?;
        Ok(ItemPage { items, total })
    }

    /// Occurrences of items by the hour, oldest first, from `from_s` on.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn hours(&self, item_id: i64, from_s: i64) -> Result<Vec<(i64, i64)>, TrackerError> {
        let rows = sqlx::query(
            "SELECT hour_s, count FROM item_hours WHERE item_id = $1 AND hour_s >= $2 ORDER BY hour_s",
        )
        .bind(item_id)
        .bind(from_s)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok((row.try_get("hour_s")?, row.try_get("count")?))).collect()
    }

    /// How often items became active (new, reactivated, reopened) on each day in UTC from `from_s` on, by the day's start.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn activations(
        &self,
        project_id: i64,
        environments: &[String],
        levels: &[Level],
        from_s: i64,
    ) -> Result<Vec<(i64, i64)>, TrackerError> {
        let mut query = Statement::new(
            "SELECT at_s / 86400 AS day, COUNT(*) AS count FROM item_changes JOIN items ON items.id = item_changes.item_id
             WHERE kind IN ('new', 'reactivated', 'reopened') AND at_s >= ",
        );
        query.value(from_s).push(" AND project_id = ").value(project_id);
        query.and_one_of("environment", environments.iter().cloned());
        query.and_one_of("level", levels.iter().map(|level| level.number()));
        query.push(" GROUP BY at_s / 86400 ORDER BY day");
        let rows = query.all(&self.pool).await?;
        rows.iter().map(|row| Ok((row.try_get::<i64, _>("day")? * 86_400, row.try_get("count")?))).collect()
    }

    /// The active items of most occurrences since `from_s`, the worst level first, with how many.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn top_items(
        &self,
        project_id: i64,
        environments: &[String],
        from_s: i64,
        count: i64,
    ) -> Result<Vec<(Item, i64)>, TrackerError> {
        let mut query = Statement::new(
            "SELECT item_id, CAST(SUM(count) AS BIGINT) AS occurrences, MAX(level) AS worst FROM item_hours JOIN items ON items.id = item_hours.item_id
             WHERE group_item_id = 0 AND status = 'active' AND hour_s >= ",
        );
        query.value(from_s).push(" AND project_id = ").value(project_id);
        query.and_one_of("environment", environments.iter().cloned());
        query.push(" GROUP BY item_id ORDER BY worst DESC, occurrences DESC, item_id LIMIT ").value(count);
        let rows = query.all(&self.pool).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            if let Some(item) = self.item(row.try_get("item_id")?).await? {
                found.push((item, row.try_get("occurrences")?));
            }
        }
        Ok(found)
    }
}

fn conditions(query: &mut Statement, filter: &ItemFilter) {
    let asks_members = filter
        .search
        .terms
        .iter()
        .any(|(is_not, term)| !is_not && matches!(term, Term::Member | Term::Counter(_)));
    query.push(match asks_members || !filter.ids.is_empty() {
        true => " WHERE 1 = 1",
        false => " WHERE group_item_id = 0",
    });
    query.and_one_of("project_id", filter.projects.iter().copied());
    query.and_one_of("id", filter.ids.iter().copied());
    query.and_one_of("status", filter.statuses.iter().map(|status| status.name().to_owned()));
    query.and_one_of("level", filter.levels.iter().map(|level| level.number()));
    query.and_one_of("environment", filter.environments.iter().cloned());
    query.and_one_of("framework", filter.frameworks.iter().cloned());
    if filter.is_assigned {
        query.push(" AND assigned_user_id <> 0");
    }
    if let Some(assigned) = filter.assigned {
        query.push(" AND assigned_user_id = ").value(assigned.unwrap_or(0));
    }
    for (is_not, term) in &filter.search.terms {
        query.push(if *is_not { " AND NOT (" } else { " AND (" });
        match term {
            Term::Title(text) => {
                let escaped = text.to_lowercase().replace('!', "!!").replace('%', "!%").replace('_', "!_");
                query.push("LOWER(title) LIKE ").value(format!("%{escaped}%")).push(" ESCAPE '!'");
            }
            Term::Counter(counter) => {
                query.push("counter = ").value(*counter);
            }
            Term::Fingerprint(text) => {
                query.push("id IN (SELECT item_id FROM item_fingerprints WHERE fingerprint = ");
                query.value(text.clone()).push(")");
            }
            Term::CodeVersion(version) => {
                query.push(
                    "id IN (SELECT item_id FROM version_items JOIN versions ON versions.id = version_id WHERE version = ",
                );
                query.value(version.clone()).push(" AND event <> 'resolved')");
            }
            Term::Ip(ip) => {
                query.push("id IN (SELECT item_id FROM item_ips WHERE ip = ").value(ip.clone()).push(")");
            }
            Term::Group => {
                query.push("is_group = 1");
            }
            Term::Member => {
                query.push("group_item_id <> 0");
            }
            Term::HasComments => {
                query.push("id IN (SELECT item_id FROM item_changes WHERE kind = 'comment')");
            }
        }
        query.push(")");
    }
}
