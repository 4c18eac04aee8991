//! People whom errors happened to.

use sqlx::Row;

use crate::{Tracker, TrackerError};

/// A person, by the id that the application gave. Texts are empty where nothing was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonSeen {
    pub id: String,
    pub username: String,
    pub email: String,
    /// Seconds since 1970.
    pub last_s: i64,
    pub last_occurrence_id: i64,
    pub count: i64,
}

impl Tracker {
    /// People of a project, whom an error happened to last first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn people(
        &self,
        project_id: i64,
        skip: i64,
        count: i64,
    ) -> Result<Vec<PersonSeen>, TrackerError> {
        let rows = sqlx::query(
            "SELECT person_id, username, email, last_s, last_occurrence_id, count FROM people WHERE project_id = $1
             ORDER BY last_s DESC, person_id LIMIT $2 OFFSET $3",
        )
        .bind(project_id)
        .bind(count)
        .bind(skip)
        .fetch_all(&self.pool)
        .await?;
        let read = rows.iter().map(|row| {
            Ok(PersonSeen {
                id: row.try_get("person_id")?,
                username: row.try_get("username")?,
                email: row.try_get("email")?,
                last_s: row.try_get("last_s")?,
                last_occurrence_id: row.try_get("last_occurrence_id")?,
                count: row.try_get("count")?,
            })
        });
        read.collect()
    }
}
