//! Questions to answers: query languages on one side, one logical plan, one table of events on the other.
//!
//! **Invariant:** no HTTP here, and no file is opened but through `store`. Every query has a [`Scope`] that names
//! its environment, and nothing outside that scope is read.

mod error;
pub mod functions;
pub mod languages;
mod operators;
mod progress;
pub mod questions;
mod session;
pub mod tables;
#[cfg(test)]
mod test_store;

pub use error::QueryError;
pub use progress::{ScanFigures, ScanProgress};
pub use session::session_context;
pub use tables::{
    EventSource, FieldInfo, FieldType, OWN, RESOURCE, STORE_URL, SYSTEM_COLUMNS, Scope, StoreEvents,
    TraceRows,
};

/// Stack of a thread that plans and runs queries. The planner recurses through expressions, in frames that are large
/// in a build without optimisation: 64 levels do not fit into the usual 2 MiB. Only what is used becomes memory.
pub const STACK_BYTES: usize = 16 << 20;
