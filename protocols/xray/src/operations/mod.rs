//! The operations, one file for each family. [`answer`] is the only way in: it decodes by the model and encodes what the
//! operation gave.

mod segments;

use std::future::Future;

use bytes::Bytes;
use tracery_aws_wire::xray::{Operation, errors};
use tracery_aws_wire::{Call, Error, Protocol, decode, encode, unknown_operation};

use crate::{Caller, XRay};

/// Answers a request whose caller is known; `body` is inflated.
pub(crate) async fn answer(
    state: &XRay,
    caller: &Caller,
    operation: Operation,
    body: &[u8],
) -> Result<Bytes, Error> {
    match operation {
        Operation::PutTraceSegments => run(segments::put_trace_segments, state, caller, body).await,
        Operation::PutTelemetryRecords => run(segments::put_telemetry_records, state, caller, body).await,
        _ => Err(unknown_operation(Protocol::RestJson)),
    }
}

/// Decodes, runs and encodes one operation.
async fn run<'a, C, F>(
    handler: impl FnOnce(&'a XRay, &'a Caller, C) -> F,
    state: &'a XRay,
    caller: &'a Caller,
    body: &[u8],
) -> Result<Bytes, Error>
where
    C: Call,
    F: Future<Output = Result<C::Output, Error>> + 'a,
{
    let input = decode::<C>(body, state.intake.limits.inflated_bytes_max)?;
    encode::<C>(&handler(state, caller, input).await?)
}

/// The client is asked to come again.
pub(crate) fn throttled(message: impl Into<String>) -> Error {
    Error::new(&errors::THROTTLED_EXCEPTION, message)
}
