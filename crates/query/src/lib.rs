//! Questions to answers: five query languages, one logical plan, one table of events.
//!
//! **Invariant:** no HTTP here, and no file is opened but through `store`. Every query has a [`Scope`] that names
//! its environment, and nothing outside that scope is read.

mod error;
pub mod questions;
pub mod tables;

pub use error::QueryError;
pub use tables::{EventSource, FieldInfo, FieldType, STORE_URL, SYSTEM_COLUMNS, Scope, StoreEvents, TraceRows};
