//! The small transactional state: environments, keys, datasets and their definitions, saved queries, boards,
//! markers. One SQL database, SQLite or PostgreSQL, and one set of queries that both run.
//!
//! **Invariant:** secrets are stored as SHA-256 hashes and compared in constant time; no function returns one after
//! the call that made it.

mod database;
mod environments;
mod error;
mod keys;

pub use database::Settings;
pub use environments::Environment;
pub use error::SettingsError;
pub use keys::{CreatedKey, Key, KeyKind};
