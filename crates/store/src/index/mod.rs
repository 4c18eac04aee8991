//! What finds rows without scanning.

mod trace;
mod values;

pub use trace::{RowRun, TraceIndex};
pub use values::ValueIndex;
