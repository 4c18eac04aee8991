//! Insights on the engine: a query over log groups becomes one plan, whose rows are printed as the vendor prints them. The
//! CloudWatch Logs door asks. Rows and bytes of an answer are bounded; groups and sorts by the session's memory.

mod columns;
mod finish;
mod patterns;
mod pipeline;
mod place;
mod pointer;
mod record;
mod run;
mod show;
#[cfg(test)]
mod tests;
mod translate;

pub use place::{Group, Place};
pub use pointer::Pointer;
pub use record::{field_shares, record};
pub use run::{Answer, Question, run};

use super::Query;
use super::parse::ParseError;

/// Rows of an answer.
pub const ROWS_MAX: usize = 100_000;

/// The log groups that a query names itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceGroups {
    pub names: Vec<String>,
    pub prefixes: Vec<String>,
    /// Only groups of these classes, where there are any.
    pub classes: Vec<String>,
}

/// What a query's SOURCE says; `None` when it has none.
pub fn source_groups(query: &Query) -> Option<SourceGroups> {
    let source = query.source.clone()?;
    Some(SourceGroups { names: source.names, prefixes: source.prefixes, classes: source.classes })
}

/// Whether a query that was parsed can be run.
///
/// # Errors
/// What of it cannot be.
pub fn check(_query: &Query) -> Result<(), ParseError> {
    Ok(())
}
