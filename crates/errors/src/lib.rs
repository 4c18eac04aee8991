//! What an error is, whichever door it came through: the occurrence, how occurrences are grouped, how stack text is
//! read, and the row that the store keeps.
//!
//! **Invariant:** pure functions of their input: no I/O, no clock, no randomness. Any input gives an answer, in bounded
//! time and memory.

mod level;
mod occurrence;
mod summary;

pub use level::Level;
pub use occurrence::{Code, Exception, Frame, Kind, Occurrence, Person, Source};
pub use summary::Summary;
