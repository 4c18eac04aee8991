//! Whole traces by their ids: `BatchGetTraces`, and the read of stored documents that all operations on traces share.

use tokio::sync::OwnedSemaphorePermit;
use tracery_aws_wire::Error;
use tracery_aws_wire::xray::{BatchGetTracesRequest, BatchGetTracesResult, Segment, Trace, errors};
use tracery_model::{EnvironmentId, TraceId};
use tracery_query::QueryError;
use tracery_query::questions::xray::{DocumentLimits, TraceDocuments, documents};

use crate::assembly::{CompiledTrace, compile};
use crate::segment::trace_id;
use crate::{Caller, XRay};

/// Ids of one request. The service documents five; what comes beyond is answered on further pages.
const IDS_MAX: usize = 100;
/// Traces on a page, which are read together.
const PAGE_TRACES: usize = 5;
const LIMITS: DocumentLimits = DocumentLimits { row_count_max: 200_000, byte_count_max: 8 << 20 };

pub(super) async fn batch_get_traces(
    state: &XRay,
    caller: &Caller,
    call: BatchGetTracesRequest,
) -> Result<BatchGetTracesResult, Error> {
    let mut ids: Vec<&String> = Vec::new();
    for id in &call.trace_ids {
        if !ids.contains(&id) {
            ids.push(id);
        }
        if ids.len() > IDS_MAX {
            return Err(invalid(format!("at most {IDS_MAX} trace ids are read at a time")));
        }
    }
    let start = match call.next_token.as_deref().filter(|token| !token.is_empty()) {
        None => 0,
        Some(token) => token.parse().ok().filter(|start| *start < ids.len()).ok_or_else(bad_token)?,
    };
    let page = &ids[start..ids.len().min(start + PAGE_TRACES)];
    let mut wanted: Vec<TraceId> = Vec::new();
    for id in page.iter().filter_map(|id| trace_id(id)) {
        if !wanted.contains(&id) {
            wanted.push(id);
        }
    }
    let _permit = reading(state).await?;
    let stored = stored(state, caller.environment, &wanted).await?;
    let unknown = |id: &&&String| {
        trace_id(id).is_none_or(|wanted| stored.iter().all(|stored| stored.trace_id != wanted))
    };
    let unprocessed: Vec<String> = page.iter().filter(unknown).map(|id| (*id).clone()).collect();
    let traces = compiled(stored).await?.iter().map(|(_, trace)| shown(trace)).collect();
    let next = start + PAGE_TRACES;
    Ok(BatchGetTracesResult {
        traces: Some(traces),
        unprocessed_trace_ids: Some(unprocessed),
        next_token: (next < ids.len()).then(|| next.to_string()),
    })
}

fn shown(trace: &CompiledTrace) -> Trace {
    let segments = trace
        .documents()
        .into_iter()
        .map(|(id, document)| Segment { id: Some(id.to_string()), document: Some(document.to_string()) });
    Trace {
        id: Some(trace.id()),
        duration: Some(trace.duration_s()),
        limit_exceeded: Some(trace.is_cut),
        segments: Some(segments.collect()),
    }
}

/// Waits until fewer requests than may hold whole traces in memory do so.
pub(crate) async fn reading(state: &XRay) -> Result<OwnedSemaphorePermit, Error> {
    state.reads.clone().acquire_owned().await.map_err(|_| Error::internal())
}

/// What is stored of some traces, in the order of their ids.
pub(crate) async fn stored(
    state: &XRay,
    environment: EnvironmentId,
    trace_ids: &[TraceId],
) -> Result<Vec<TraceDocuments>, Error> {
    if trace_ids.is_empty() {
        return Ok(Vec::new());
    }
    documents(&state.events, environment, trace_ids, LIMITS).await.map_err(failed)
}

/// So many bytes are put together where they are asked for: handing them to another thread takes longer.
const COMPILE_IN_PLACE_BYTES_MAX: usize = 64 << 10;

/// Puts traces together, each beside what it was made of.
pub(crate) async fn compiled(
    stored: Vec<TraceDocuments>,
) -> Result<Vec<(TraceDocuments, CompiledTrace)>, Error> {
    let documents = stored.iter().flat_map(|trace| &trace.documents);
    let byte_count: usize = documents.map(|document| document.text.len()).sum();
    let span_count: usize = stored.iter().map(|trace| trace.spans.len()).sum();
    let compile_all = move || {
        let compiled = stored.into_iter().map(|stored| {
            let trace = compile(&stored);
            (stored, trace)
        });
        compiled.collect()
    };
    if byte_count + span_count * 1_000 <= COMPILE_IN_PLACE_BYTES_MAX {
        return Ok(compile_all());
    }
    tokio::task::spawn_blocking(compile_all).await.map_err(|_| Error::internal())
}

pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::new(&errors::INVALID_REQUEST_EXCEPTION, message)
}

pub(crate) fn bad_token() -> Error {
    invalid("NextToken is not one that an answer to this request had")
}

/// The client hears what it can mend; the log hears the rest.
fn failed(error: QueryError) -> Error {
    match error {
        QueryError::Invalid(reason) => invalid(reason),
        QueryError::Limit(reason) => invalid(reason),
        error => {
            tracing::warn!(error = &error as &dyn std::error::Error, "traces could not be read");
            Error::internal()
        }
    }
}
