//! What finds rows without scanning.

mod trace;

pub use trace::{RowRun, TraceIndex};
