//! The databases that a test of SQL runs on: SQLite in a folder of its own, and PostgreSQL where one is at hand. Called
//! by the tests of the crates that keep tables.

use tempfile::TempDir;

/// One database to open. SQLite's folder goes when this is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    pub url: String,
    _folder: Option<TempDir>,
}

impl TestDatabase {
    /// A new, empty SQLite database.
    ///
    /// # Panics
    /// When no temporary folder can be made.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("test.db").display());
        Self { url, _folder: Some(folder) }
    }

    /// SQLite, and the PostgreSQL of `TRACERY_TEST_POSTGRES_URL`, which may have been used before: a test makes names of
    /// its own in it.
    pub fn every() -> Vec<Self> {
        let mut databases = vec![Self::sqlite()];
        match std::env::var("TRACERY_TEST_POSTGRES_URL") {
            Ok(url) => databases.push(Self { url, _folder: None }),
            Err(_) => eprintln!("TRACERY_TEST_POSTGRES_URL is not set: PostgreSQL is not tested"),
        }
        databases
    }
}
