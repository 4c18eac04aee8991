//! From events as they were sent to rows: what `PutLogEvents` does with a batch, and any other way in will. A message is
//! kept byte for byte; beside it stand what it says of itself: fields of a JSON object, the trace it belongs to, how
//! severe it is.

mod json_fields;
pub(crate) mod metrics;
pub(crate) mod request;
pub(crate) mod rows;
mod severity;
mod trace_link;
