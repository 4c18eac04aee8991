//! Small things every layer needs and that know nothing of telemetry: the clock that is passed in,
//! byte sizes as people write them, and back-off.
//!
//! **Invariant:** no dependency on any other crate of the workspace, and no global state.

mod backoff;
mod bytes;
mod clock;

pub use backoff::Backoff;
pub use bytes::{ByteSize, ByteSizeError};
pub use clock::{Clock, ManualClock, SystemClock};
