//! What finds rows without scanning.

mod trace;
mod values;

pub use trace::{RowRun, TraceIndex, trace_hash};
pub use values::ValueIndex;
