//! The small transactional state: environments, keys, datasets and their definitions, saved queries, boards,
//! markers, log groups and streams. One SQL database, SQLite or PostgreSQL, and one set of queries that both run.
//!
//! **Invariant:** keys and session tokens are stored as SHA-256 hashes and looked up by them, passwords as Argon2id
//! hashes; no function returns a secret after the call that made it. Secrets that signatures are verified with are stored
//! encrypted instead, under a key that is not in the database.

mod cache;
mod database;
mod datasets;
mod documents;
mod environments;
mod error;
mod keys;
mod log_groups;
mod log_streams;
mod sealed;
mod users;

pub use database::Settings;
pub use datasets::{ALL_DATASETS, DATASET_NAME_BYTES_MAX, DATASETS_MAX, Dataset, DatasetChange};
pub use documents::{Document, DocumentKind, NewDocument, Place};
pub use environments::{Environment, EnvironmentChange, slugify};
pub use error::SettingsError;
pub use keys::{AwsKey, CreatedKey, Key, KeyKind};
pub use log_groups::{LOG_GROUPS_MAX, LogGroup, LogGroupChange, LogRegion, NewLogGroup};
pub use log_streams::{
    LOG_STREAMS_DELETED_MAX, LOG_STREAMS_MAX, LogStream, LogStreamFigures, LogStreamOrder,
};
pub use sealed::ServerKey;
pub use users::{SESSION_AGE_MS_MAX, User};
