//! One folder per query language. Each turns its text or JSON into plans over the one table of events.

pub mod honeycomb;
pub mod insights;
pub mod log_pattern;
pub mod rql;
pub mod xray;
