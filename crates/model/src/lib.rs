//! Tracery's vocabulary, which is OpenTelemetry's: signals, ids, attribute values and time ranges.
//! Protocols translate into it at their edge, once; everything inside speaks it.
//!
//! **Invariant:** no serialisation, no Arrow, no I/O. A type here says what a thing is, not how it travels.

mod ids;
mod own_spans;
mod signal;
mod sink;
mod time_range;
mod value;

pub use ids::{EnvironmentId, SpanId, TraceId};
pub use own_spans::OWN_SPANS;
pub use signal::{RowKind, Signal};
pub use sink::{Receipt, SinkError};
pub use time_range::TimeRange;
pub use value::{Origin, Value, ValueType};
