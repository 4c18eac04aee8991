//! Trace retrieval: the service fetches traces from its archive and is asked for them later. Here nothing needs fetching,
//! so that a retrieval is complete when it has been started, and its traces are read when they are listed.

use tracery_aws_wire::Error;
use tracery_aws_wire::xray::{
    CancelTraceRetrievalRequest, CancelTraceRetrievalResult, GetRetrievedTracesGraphRequest,
    GetRetrievedTracesGraphResult, ListRetrievedTracesRequest, ListRetrievedTracesResult, RetrievalStatus,
    RetrievedTrace, Span, StartTraceRetrievalRequest, StartTraceRetrievalResult, TraceFormatType, errors,
};
use tracery_model::TraceId;
use uuid::Uuid;

use super::throttled;
use super::traces::{bad_token, compiled, invalid, reading, stored};
use crate::assembly::{CompiledTrace, Graph, spans};
use crate::retrievals::Retrieval;
use crate::segment::trace_id;
use crate::{Caller, XRay};

/// Traces on a page.
const PAGE_TRACES: usize = 5;
/// Spans of one trace on a page; a longer trace goes on on the next.
const PAGE_SPANS: usize = 100;
/// Services on a page of the graph.
const PAGE_SERVICES: usize = 100;
/// Services of one retrieval.
const SERVICES_MAX: usize = 1_000;

pub(super) async fn start(
    state: &XRay,
    caller: &Caller,
    call: StartTraceRetrievalRequest,
) -> Result<StartTraceRetrievalResult, Error> {
    let (start_s, end_s) = (call.start_time.0, call.end_time.0);
    if start_s > end_s {
        return Err(invalid("StartTime is after EndTime"));
    }
    let mut trace_ids: Vec<TraceId> = Vec::new();
    for id in &call.trace_ids {
        let id = trace_id(id).ok_or_else(|| invalid(format!("invalid trace id: {id:?}")))?;
        if !trace_ids.contains(&id) {
            trace_ids.push(id);
        }
    }
    let token = Uuid::new_v4();
    let retrieval = Retrieval { trace_ids, start_s, end_s, is_cancelled: false };
    state.retrievals.add(caller.environment, state.intake.clock.now_ns(), token, retrieval).ok_or_else(
        || throttled("too many trace retrievals; cancelling one does not make room, an hour does"),
    )?;
    Ok(StartTraceRetrievalResult { retrieval_token: Some(token.to_string()) })
}

pub(super) async fn cancel(
    state: &XRay,
    caller: &Caller,
    call: CancelTraceRetrievalRequest,
) -> Result<CancelTraceRetrievalResult, Error> {
    let now_ns = state.intake.clock.now_ns();
    let found = state.retrievals.cancel(caller.environment, now_ns, &call.retrieval_token);
    found.ok_or_else(unknown_token)?;
    Ok(CancelTraceRetrievalResult {})
}

pub(super) async fn list(
    state: &XRay,
    caller: &Caller,
    call: ListRetrievedTracesRequest,
) -> Result<ListRetrievedTracesResult, Error> {
    let retrieval = find(state, caller, &call.retrieval_token)?;
    let format = call.trace_format.unwrap_or(TraceFormatType::Xray);
    let mut place = Place::parse(call.next_token.as_deref(), retrieval.trace_ids.len())?;
    let page = &retrieval.trace_ids[place.trace..retrieval.trace_ids.len().min(place.trace + PAGE_TRACES)];
    let _permit = reading(state).await?;
    let found = compiled(stored(state, caller.environment, page).await?).await?;
    let mut traces = Vec::new();
    let mut next = Place { trace: place.trace + page.len(), span: 0 };
    for (idx, id) in page.iter().enumerate() {
        let offset = std::mem::take(&mut place.span);
        let Some((stored, trace)) = found.iter().find(|(stored, _)| stored.trace_id == *id) else { continue };
        if !is_within(trace, &retrieval) {
            continue;
        }
        let all: Vec<(String, String)> = match format {
            TraceFormatType::Xray => {
                let documents = trace.documents().into_iter();
                documents.map(|(id, document)| (id.to_string(), document.to_string())).collect()
            }
            TraceFormatType::Otel => {
                spans(stored, trace).into_iter().map(|(id, document)| (id, document.to_string())).collect()
            }
        };
        let end = all.len().min(offset.saturating_add(PAGE_SPANS));
        let shown = all.get(offset..end).unwrap_or_default();
        let shown =
            shown.iter().cloned().map(|(id, document)| Span { id: Some(id), document: Some(document) });
        traces.push(RetrievedTrace {
            id: Some(trace.id()),
            duration: Some(trace.duration_s()),
            spans: Some(shown.collect()),
        });
        if end < all.len() {
            next = Place { trace: place.trace + idx, span: end };
            break;
        }
    }
    Ok(ListRetrievedTracesResult {
        retrieval_status: Some(status(&retrieval)),
        trace_format: Some(format),
        traces: Some(traces),
        next_token: (next.trace < retrieval.trace_ids.len()).then(|| next.to_string()),
    })
}

pub(super) async fn get_graph(
    state: &XRay,
    caller: &Caller,
    call: GetRetrievedTracesGraphRequest,
) -> Result<GetRetrievedTracesGraphResult, Error> {
    let retrieval = find(state, caller, &call.retrieval_token)?;
    let mut graph = Graph::default();
    for ids in retrieval.trace_ids.chunks(PAGE_TRACES) {
        let _permit = reading(state).await?;
        let found = compiled(stored(state, caller.environment, ids).await?).await?;
        let traces = found.iter().map(|(_, trace)| trace);
        traces.filter(|trace| is_within(trace, &retrieval)).for_each(|trace| graph.add(trace));
    }
    let services = graph.services(&caller.account_id, SERVICES_MAX);
    let start = match call.next_token.as_deref().filter(|token| !token.is_empty()) {
        None => 0,
        Some(token) => token.parse().ok().filter(|start| *start < services.len()).ok_or_else(bad_token)?,
    };
    let next = start + PAGE_SERVICES;
    let is_last = next >= services.len();
    Ok(GetRetrievedTracesGraphResult {
        retrieval_status: Some(status(&retrieval)),
        services: Some(services.into_iter().skip(start).take(PAGE_SERVICES).collect()),
        next_token: (!is_last).then(|| next.to_string()),
    })
}

fn find(state: &XRay, caller: &Caller, token: &str) -> Result<Retrieval, Error> {
    let now_ns = state.intake.clock.now_ns();
    state.retrievals.find(caller.environment, now_ns, token).ok_or_else(unknown_token)
}

fn unknown_token() -> Error {
    Error::new(&errors::RESOURCE_NOT_FOUND_EXCEPTION, "There is no such trace retrieval, or it has expired.")
}

fn status(retrieval: &Retrieval) -> RetrievalStatus {
    if retrieval.is_cancelled { RetrievalStatus::Cancelled } else { RetrievalStatus::Complete }
}

/// Whether something of the trace lies in the range that was asked for.
fn is_within(trace: &CompiledTrace, retrieval: &Retrieval) -> bool {
    trace.start_s().is_some_and(|start_s| {
        start_s <= retrieval.end_s && start_s + trace.duration_s() >= retrieval.start_s
    })
}

/// Where a page begins: at a span of a trace.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Place {
    trace: usize,
    span: usize,
}

impl Place {
    fn parse(token: Option<&str>, trace_count: usize) -> Result<Self, Error> {
        let Some(token) = token.filter(|token| !token.is_empty()) else {
            return Ok(Self { trace: 0, span: 0 });
        };
        let parse = || {
            let (trace, span) = token.split_once('.')?;
            Some(Self { trace: trace.parse().ok()?, span: span.parse().ok()? })
        };
        parse().filter(|place| place.trace < trace_count).ok_or_else(bad_token)
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.trace, self.span)
    }
}
