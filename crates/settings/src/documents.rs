//! Documents: every small resource that is one JSON object to its reader, from column metadata to boards. They are
//! reached only through an environment, a kind and a scope, so that no environment sees another's.

use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;
use tracery_model::EnvironmentId;

use crate::keys::random_id;
use crate::{Settings, SettingsError};

macro_rules! document_kinds {
    ($($(#[$doc:meta])* $variant:ident $name:literal $max:literal,)*) => {
        /// What a document is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum DocumentKind {
            $($(#[$doc])* $variant,)*
        }

        impl DocumentKind {
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Documents of this kind that one scope may have.
            pub fn documents_max(self) -> i64 {
                match self { $(Self::$variant => $max,)* }
            }
        }
    };
}

document_kinds! {
    /// Description, visibility and explicit type of a column; its name is the column's.
    Column "column" 50_000,
    /// A calculated field of a dataset or of `__all__`; its name is the alias.
    CalculatedField "calculated_field" 10_000,
    /// The column that plays each role in a dataset; one document a dataset.
    DatasetDefinition "dataset_definition" 1,
    /// A query, which never changes.
    Query "query" 1_000_000,
    QueryAnnotation "query_annotation" 50_000,
    /// A run of a query, with its result once it is complete; expires.
    QueryResult "query_result" 10_000,
    Board "board" 10_000,
    /// Scope is the board's id.
    BoardView "board_view" 50,
    Marker "marker" 100_000,
    MarkerSetting "marker_setting" 1_000,
    /// A sampling rule of X-Ray; its name is the rule's. One of them is the default rule, once it was changed.
    XRaySamplingRule "xray_sampling_rule" 26,
    /// A group of X-Ray; its name is the group's. One of them is the default group, once it was changed.
    XRayGroup "xray_group" 26,
    /// A resource policy of X-Ray; its name is the policy's.
    XRayPolicy "xray_policy" 5,
    /// What an X-Ray account has once: encryption, destination, indexing; its name says which.
    XRaySetting "xray_setting" 16,
    /// A metric filter of CloudWatch Logs; scope is the region, the name begins with the group's.
    LogsMetricFilter "logs_metric_filter" 100_000,
    /// A subscription filter of CloudWatch Logs; scope is the region, the name begins with the group's.
    LogsSubscription "logs_subscription" 1_000,
    /// How far a subscription filter delivered; scope and id are the filter's id.
    LogsSubscriptionPlace "logs_subscription_place" 1,
    /// A destination of CloudWatch Logs; scope is the region.
    LogsDestination "logs_destination" 1_000,
    /// A saved query of CloudWatch Logs; scope is the region.
    LogsQueryDefinition "logs_query_definition" 1_000,
    /// A scheduled query of CloudWatch Logs with its last runs; its name is the query's, scope is the region.
    LogsScheduledQuery "logs_scheduled_query" 1_000,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    pub id: String,
    /// A dataset's slug, `__all__`, or the parent document's id.
    pub scope: String,
    /// Unique within kind and scope.
    pub name: Option<String>,
    pub body: Value,
    pub created_ms: i64,
    pub updated_ms: i64,
}

/// A document to be made.
#[derive(Debug, Clone, Default)]
pub struct NewDocument {
    /// Random when `None`.
    pub id: Option<String>,
    pub name: Option<String>,
    pub body: Value,
    pub expires_ms: Option<i64>,
}

/// Where a document lives.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub environment: EnvironmentId,
    pub kind: DocumentKind,
    pub scope: &'a str,
}

const COLUMNS: &str = "id, scope, name, body, created_ms, updated_ms";

fn from_row(row: &AnyRow) -> Result<Document, SettingsError> {
    let body: String = row.try_get("body")?;
    let id: String = row.try_get("id")?;
    Ok(Document {
        body: serde_json::from_str(&body)
            .map_err(|_| SettingsError::Invalid(format!("document {id} is not JSON")))?,
        id,
        scope: row.try_get("scope")?,
        name: row.try_get("name")?,
        created_ms: row.try_get("created_ms")?,
        updated_ms: row.try_get("updated_ms")?,
    })
}

fn taken(error: sqlx::Error, what: &str) -> SettingsError {
    match &error {
        sqlx::Error::Database(cause) if cause.is_unique_violation() => SettingsError::Exists(what.to_owned()),
        _ => error.into(),
    }
}

impl Settings {
    /// [`SettingsError::Exists`] when the name or id is taken.
    pub async fn create_document(
        &self,
        place: Place<'_>,
        new: NewDocument,
    ) -> Result<Document, SettingsError> {
        let now_ms = self.clock.now_ms();
        let id = new.id.unwrap_or_else(random_id);
        let what = new.name.clone().unwrap_or_else(|| id.clone());
        let done = sqlx::query(
            "INSERT INTO documents (environment, kind, scope, id, name, body, created_ms, updated_ms, expires_ms)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9
             WHERE (SELECT COUNT(*) FROM documents WHERE environment = $10 AND kind = $11 AND scope = $12) < $13",
        )
        .bind(place.environment.0)
        .bind(place.kind.name())
        .bind(place.scope)
        .bind(&id)
        .bind(new.name.clone())
        .bind(new.body.to_string())
        .bind(now_ms)
        .bind(now_ms)
        .bind(new.expires_ms)
        .bind(place.environment.0)
        .bind(place.kind.name())
        .bind(place.scope)
        .bind(place.kind.documents_max())
        .execute(&self.pool)
        .await
        .map_err(|error| taken(error, &what))?;
        if done.rows_affected() == 0 {
            return Err(SettingsError::Full { kind: place.kind.name(), max: place.kind.documents_max() });
        }
        Ok(Document {
            id,
            scope: place.scope.to_owned(),
            name: new.name,
            body: new.body,
            created_ms: now_ms,
            updated_ms: now_ms,
        })
    }

    /// Makes a document or gives the one with its id another name and body. [`SettingsError::Exists`] when the name is
    /// another's.
    pub async fn put_document(
        &self,
        place: Place<'_>,
        id: &str,
        name: Option<&str>,
        body: &Value,
    ) -> Result<(), SettingsError> {
        let now_ms = self.clock.now_ms();
        let done = sqlx::query(
            "INSERT INTO documents (environment, kind, scope, id, name, body, created_ms, updated_ms)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8
             WHERE (SELECT COUNT(*) FROM documents WHERE environment = $9 AND kind = $10 AND scope = $11) < $12
             OR EXISTS (SELECT 1 FROM documents WHERE environment = $13 AND kind = $14 AND scope = $15 AND id = $16)
             ON CONFLICT (environment, kind, scope, id) DO UPDATE
             SET name = excluded.name, body = excluded.body, updated_ms = excluded.updated_ms",
        )
        .bind(place.environment.0)
        .bind(place.kind.name())
        .bind(place.scope)
        .bind(id)
        .bind(name.map(str::to_owned))
        .bind(body.to_string())
        .bind(now_ms)
        .bind(now_ms)
        .bind(place.environment.0)
        .bind(place.kind.name())
        .bind(place.scope)
        .bind(place.kind.documents_max())
        .bind(place.environment.0)
        .bind(place.kind.name())
        .bind(place.scope)
        .bind(id)
        .execute(&self.pool)
        .await
        .map_err(|error| taken(error, name.unwrap_or(id)))?;
        if done.rows_affected() == 0 {
            return Err(SettingsError::Full { kind: place.kind.name(), max: place.kind.documents_max() });
        }
        Ok(())
    }

    /// An expired document is not found.
    pub async fn document(&self, place: Place<'_>, id: &str) -> Result<Option<Document>, SettingsError> {
        self.find_document(place, "id", id).await
    }

    pub async fn document_named(
        &self,
        place: Place<'_>,
        name: &str,
    ) -> Result<Option<Document>, SettingsError> {
        self.find_document(place, "name", name).await
    }

    async fn find_document(
        &self,
        place: Place<'_>,
        by: &str,
        value: &str,
    ) -> Result<Option<Document>, SettingsError> {
        let row = sqlx::query(&format!(
            "SELECT {COLUMNS} FROM documents WHERE environment = $1 AND kind = $2 AND scope = $3 AND {by} = $4
             AND (expires_ms IS NULL OR expires_ms > $5)"
        ))
        .bind(place.environment.0)
        .bind(place.kind.name())
        .bind(place.scope)
        .bind(value)
        .bind(self.clock.now_ms())
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(from_row).transpose()
    }

    /// A document of any scope of the environment.
    pub async fn document_anywhere(
        &self,
        environment: EnvironmentId,
        kind: DocumentKind,
        id: &str,
    ) -> Result<Option<Document>, SettingsError> {
        let row = sqlx::query(&format!(
            "SELECT {COLUMNS} FROM documents WHERE environment = $1 AND kind = $2 AND id = $3
             AND (expires_ms IS NULL OR expires_ms > $4) ORDER BY scope LIMIT 1"
        ))
        .bind(environment.0)
        .bind(kind.name())
        .bind(id)
        .bind(self.clock.now_ms())
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(from_row).transpose()
    }

    /// All of them, oldest first: at most [`DocumentKind::documents_max`].
    pub async fn documents(&self, place: Place<'_>) -> Result<Vec<Document>, SettingsError> {
        let rows = sqlx::query(&format!(
            "SELECT {COLUMNS} FROM documents WHERE environment = $1 AND kind = $2 AND scope = $3
             AND (expires_ms IS NULL OR expires_ms > $4) ORDER BY created_ms, id LIMIT $5"
        ))
        .bind(place.environment.0)
        .bind(place.kind.name())
        .bind(place.scope)
        .bind(self.clock.now_ms())
        .bind(place.kind.documents_max())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(from_row).collect()
    }

    /// All of a kind, in every environment and scope, with the environment of each: for work that nobody's request starts.
    pub async fn documents_of_kind(
        &self,
        kind: DocumentKind,
    ) -> Result<Vec<(EnvironmentId, Document)>, SettingsError> {
        let rows = sqlx::query(&format!(
            "SELECT environment, {COLUMNS} FROM documents WHERE kind = $1
             AND (expires_ms IS NULL OR expires_ms > $2) ORDER BY environment, created_ms, id"
        ))
        .bind(kind.name())
        .bind(self.clock.now_ms())
        .fetch_all(&self.pool)
        .await?;
        let found = rows.iter().map(|row| Ok((EnvironmentId(row.try_get("environment")?), from_row(row)?)));
        found.collect()
    }

    /// At most `limit` of them, the newest first, beginning after the place `after` in that order: when one was made, and its
    /// id.
    pub async fn documents_newest(
        &self,
        place: Place<'_>,
        after: Option<(i64, &str)>,
        limit: usize,
    ) -> Result<Vec<Document>, SettingsError> {
        let (before_ms, before_id) = after.unwrap_or((i64::MAX, ""));
        let rows = sqlx::query(&format!(
            "SELECT {COLUMNS} FROM documents WHERE environment = $1 AND kind = $2 AND scope = $3
             AND (expires_ms IS NULL OR expires_ms > $4)
             AND (created_ms < $5 OR (created_ms = $6 AND id < $7))
             ORDER BY created_ms DESC, id DESC LIMIT $8"
        ))
        .bind(place.environment.0)
        .bind(place.kind.name())
        .bind(place.scope)
        .bind(self.clock.now_ms())
        .bind(before_ms)
        .bind(before_ms)
        .bind(before_id.to_owned())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(from_row).collect()
    }

    /// Gives a document another name and body. `None` when there is none; [`SettingsError::Exists`] when the name
    /// is another's.
    pub async fn replace_document(
        &self,
        place: Place<'_>,
        id: &str,
        name: Option<&str>,
        body: &Value,
    ) -> Result<Option<Document>, SettingsError> {
        sqlx::query(
            "UPDATE documents SET name = $1, body = $2, updated_ms = $3
             WHERE environment = $4 AND kind = $5 AND scope = $6 AND id = $7",
        )
        .bind(name.map(str::to_owned))
        .bind(body.to_string())
        .bind(self.clock.now_ms())
        .bind(place.environment.0)
        .bind(place.kind.name())
        .bind(place.scope)
        .bind(id)
        .execute(&self.pool)
        .await
        .map_err(|error| taken(error, name.unwrap_or(id)))?;
        self.document(place, id).await
    }

    /// Whether there was such a document. What lies in its scope (a board's views) goes with it.
    pub async fn delete_document(&self, place: Place<'_>, id: &str) -> Result<bool, SettingsError> {
        let mut transaction = self.pool.begin().await?;
        let done = sqlx::query(
            "DELETE FROM documents WHERE environment = $1 AND kind = $2 AND scope = $3 AND id = $4",
        )
        .bind(place.environment.0)
        .bind(place.kind.name())
        .bind(place.scope)
        .bind(id)
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() > 0 && place.kind == DocumentKind::Board {
            sqlx::query("DELETE FROM documents WHERE environment = $1 AND kind = $2 AND scope = $3")
                .bind(place.environment.0)
                .bind(DocumentKind::BoardView.name())
                .bind(id)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(done.rows_affected() > 0)
    }

    /// Keeps the newest documents of a kind in all scopes of an environment, up to `bytes_max` bytes of their bodies,
    /// and removes the rest; how many.
    pub async fn trim_documents(
        &self,
        environment: EnvironmentId,
        kind: DocumentKind,
        bytes_max: i64,
    ) -> Result<u64, SettingsError> {
        let done = sqlx::query(
            "DELETE FROM documents WHERE environment = $1 AND kind = $2 AND (scope, id) IN (
                 SELECT scope, id FROM (
                     SELECT scope, id, SUM(octet_length(body)) OVER (ORDER BY created_ms DESC, id DESC) AS bytes
                     FROM documents WHERE environment = $3 AND kind = $4
                 ) AS newest WHERE bytes > $5
             )",
        )
        .bind(environment.0)
        .bind(kind.name())
        .bind(environment.0)
        .bind(kind.name())
        .bind(bytes_max)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }

    /// Removes expired documents and sessions; how many. Called from time to time by `server`.
    pub async fn sweep_expired(&self) -> Result<u64, SettingsError> {
        let mut count = 0;
        for table in ["documents", "sessions"] {
            let done = sqlx::query(&format!("DELETE FROM {table} WHERE expires_ms <= $1"))
                .bind(self.clock.now_ms())
                .execute(&self.pool)
                .await?;
            count += done.rows_affected();
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::tests::memory;

    #[tokio::test]
    async fn all_documents_of_a_kind_are_listed() {
        let settings = memory().await;
        let environment = settings.default_environment().await.unwrap().id;
        sqlx::query(
            "INSERT INTO documents (environment, kind, scope, id, body, created_ms, updated_ms)
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10001)
             SELECT $1, 'marker', 'web', 'm' || i, '{}', i, i FROM n",
        )
        .bind(environment.0)
        .execute(&settings.pool)
        .await
        .unwrap();
        let place = Place { environment, kind: DocumentKind::Marker, scope: "web" };
        let listed = settings.documents(place).await.unwrap();
        assert_eq!((listed.len(), listed.last().unwrap().id.as_str()), (10_001, "m10001"));
        let newest = settings.documents_newest(place, None, 2).await.unwrap();
        let ids = |page: &[Document]| page.iter().map(|document| document.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&newest), ["m10001", "m10000"]);
        let after = Some((newest[1].created_ms, newest[1].id.as_str()));
        assert_eq!(ids(&settings.documents_newest(place, after, 1).await.unwrap()), ["m9999"]);
        let first = settings.documents_newest(place, Some((2, "m2")), 9).await.unwrap();
        assert_eq!(ids(&first), ["m1"]);
    }
}
