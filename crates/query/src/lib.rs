//! Questions to answers: five query languages, one logical plan, one table of events.
//!
//! **Invariant:** no HTTP here, and no file is opened but through `store`. Every query has a [`Scope`] that names
//! its environment, and nothing outside that scope is read.

mod error;
pub mod functions;
pub mod languages;
mod progress;
pub mod questions;
mod session;
pub mod tables;

pub use error::QueryError;
pub use progress::{ScanFigures, ScanProgress};
pub use session::session_context;
pub use tables::{
    EventSource, FieldInfo, FieldType, STORE_URL, SYSTEM_COLUMNS, Scope, StoreEvents, TraceRows,
};
