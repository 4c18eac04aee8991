//! What daemons, collectors and SDKs send: segment documents and the daemon's counts of its own work. Documents that
//! cannot be kept are named in the answer, which is given when the others are durable.

use tracery_aws_wire::Error;
use tracery_aws_wire::xray::{
    PutTelemetryRecordsRequest, PutTelemetryRecordsResult, PutTraceSegmentsRequest, PutTraceSegmentsResult,
    UnprocessedTraceSegment,
};
use tracery_model::SinkError;

use super::throttled;
use crate::ingest::{Sent, Written};
use crate::segment::Refusal;
use crate::{Caller, XRay};

/// The word of `/metrics` for documents.
pub(crate) const DOOR: &str = "xray_segments";
/// The same for the daemon's counts.
const TELEMETRY_DOOR: &str = "xray_telemetry";
/// Fewer bytes are read where they arrive: handing them to another thread takes longer than reading them.
const READ_IN_PLACE_BYTES_MAX: usize = 16 << 10;
/// Rows may take this many times the bound on inflated bodies.
const ROW_BYTES_PER_BODY_BYTE_MAX: usize = 8;

pub(super) async fn put_trace_segments(
    state: &XRay,
    caller: &Caller,
    call: PutTraceSegmentsRequest,
) -> Result<PutTraceSegmentsResult, Error> {
    let sent = Sent {
        environment: caller.environment,
        received_ns: state.intake.clock.now_ns(),
        door: DOOR,
        row_bytes_max: state.intake.limits.inflated_bytes_max.saturating_mul(ROW_BYTES_PER_BODY_BYTE_MAX),
    };
    let texts = call.trace_segment_documents;
    let byte_count: usize = texts.iter().map(String::len).sum();
    let reader = state.clone();
    let read = move || {
        let mut written = Written::new(sent);
        reader.ingest.write(&mut written, &reader.intake.metrics, texts.iter().map(String::as_str));
        written
    };
    let mut written = match byte_count <= READ_IN_PLACE_BYTES_MAX {
        true => read(),
        false => tokio::task::spawn_blocking(read).await.map_err(|_| Error::internal())?,
    };
    let refusals = std::mem::take(&mut written.refusals);
    let document_count = written.document_count;
    let batches = written.finish(&state.intake.metrics);
    if !batches.is_empty()
        && let Err(error) = state.intake.sink.accept(caller.environment, batches).await
    {
        let (word, answer) = match &error {
            SinkError::Busy { .. } => ("busy", throttled(error.to_string())),
            SinkError::Unavailable { reason, .. } => {
                tracing::warn!(reason, "segments were not stored");
                ("storage_unavailable", Error::common("ServiceUnavailable", 503, "Storage is unavailable."))
            }
        };
        state.intake.metrics.rejected(DOOR, word, document_count);
        return Err(answer);
    }
    state.intake.metrics.accepted(DOOR, document_count);
    Ok(PutTraceSegmentsResult {
        unprocessed_trace_segments: Some(refusals.into_iter().map(unprocessed).collect()),
    })
}

fn unprocessed(refusal: Refusal) -> UnprocessedTraceSegment {
    let message = refusal.message();
    UnprocessedTraceSegment {
        id: refusal.id,
        error_code: Some(refusal.code.vendor().to_owned()),
        message: Some(message),
    }
}

/// The counts that a daemon kept of its own work: what it lost on the way is counted as dropped here, too, and listed.
pub(super) async fn put_telemetry_records(
    state: &XRay,
    caller: &Caller,
    call: PutTelemetryRecordsRequest,
) -> Result<PutTelemetryRecordsResult, Error> {
    state.telemetry.add(caller.environment, state.intake.clock.now_ms(), &call);
    let metrics = &state.intake.metrics;
    let count = |number: Option<i32>| usize::try_from(number.unwrap_or(0)).unwrap_or(0);
    metrics.accepted(TELEMETRY_DOOR, call.telemetry_records.len());
    for record in &call.telemetry_records {
        metrics.dropped(TELEMETRY_DOOR, "daemon_spillover", count(record.segments_spillover_count));
        metrics.dropped(TELEMETRY_DOOR, "daemon_rejected", count(record.segments_rejected_count));
    }
    Ok(PutTelemetryRecordsResult {})
}
