//! What an error is, whichever door it came through: the occurrence, how occurrences are grouped, how stack text is
//! read, and the row that the store keeps.
//!
//! **Invariant:** pure functions of their input: no I/O, no clock, no randomness. Any input gives an answer, in bounded
//! time and memory.

pub mod fingerprint;
pub mod from_rows;
pub mod fuzzing;
mod level;
mod occurrence;
pub mod payload;
pub mod row;
pub mod sentry;
pub mod stack_text;
mod summary;

pub use fingerprint::{Grouping, Rules, RulesError, group};
pub use level::Level;
pub use occurrence::{Code, Exception, Frame, Kind, Occurrence, Person, Source};
pub use summary::Summary;
