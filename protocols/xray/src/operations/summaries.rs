//! `GetTraceSummaries`: the traces that a filter wants, the newest first, in pages.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use tracery_aws_wire::xray::{
    GetTraceSummariesRequest, GetTraceSummariesResult, Http, ServiceId, TimeRangeType, TraceSummary,
};
use tracery_aws_wire::{EpochSeconds, Error};
use tracery_model::TraceId;
use tracery_query::QueryError;
use tracery_query::languages::xray::RootCause;
use tracery_query::questions::xray::{
    DocumentLimits, Filter, Find, Found, Node, RangeBy, RootCauses, documents, find,
};

use super::invalid;
use super::selection::{self, failed};
use crate::assembly::{CompiledTrace, compile, facts, summarize};
use crate::{Caller, XRay};

/// Summaries of one page.
const PAGE_TRACES: usize = 50;
/// What the traces of a page, or those that are held against root causes, may have stored.
const DOCUMENTS: DocumentLimits = DocumentLimits { row_count_max: 200_000, byte_count_max: 8 << 20 };

pub(crate) async fn get_trace_summaries(
    state: &XRay,
    caller: &Caller,
    call: GetTraceSummariesRequest,
) -> Result<GetTraceSummariesResult, Error> {
    let time = selection::time(call.start_time, call.end_time)?;
    let expression = selection::expression(call.filter_expression.as_deref())?;
    let by = match call.time_range_type {
        None | Some(TimeRangeType::TraceId) => RangeBy::TraceId,
        Some(TimeRangeType::Event) => RangeBy::Event,
        Some(TimeRangeType::Service) => RangeBy::Service,
    };
    let share = match (call.sampling, &call.sampling_strategy) {
        (Some(true), Some(strategy)) => strategy.value.unwrap_or(1.0),
        _ => 1.0,
    };
    if !(0.0..=1.0).contains(&share) {
        return Err(invalid("SamplingStrategy.Value must lie between 0 and 1"));
    }
    let after = match &call.next_token {
        None => None,
        Some(token) => Some(token.parse().map_err(|()| selection::bad_token())?),
    };
    let assembled = Assembled { state, caller };
    let groups = selection::named_groups(state, caller, expression.as_ref()).await?;
    let filter = Filter { expression, groups, account_id: caller.account_id.clone() };
    let question = Find { time, by, filter, share, after, limit: PAGE_TRACES };
    let page = find(&state.context, &state.events, caller.environment, &question, Some(&assembled));
    let page = page.await.map_err(failed)?;
    let ids: Vec<TraceId> = page.traces.iter().map(|found| found.trace_id).collect();
    let compiled = assembled.compiled(&ids).await.map_err(failed)?;
    let mut summaries: HashMap<TraceId, TraceSummary> =
        compiled.iter().map(|trace| (trace.trace_id, summarize(trace, &caller.account_id))).collect();
    let summaries = page.traces.iter().map(|found| TraceSummary {
        matched_event_time: Some(EpochSeconds::from_ns(found.matched_ns)),
        ..summaries.remove(&found.trace_id).unwrap_or_else(|| summary(found))
    });
    let summaries = summaries.collect();
    Ok(GetTraceSummariesResult {
        trace_summaries: Some(summaries),
        approximate_time: Some(EpochSeconds::from_ns(page.scanned_to_ns)),
        traces_processed_count: Some(i64::try_from(page.processed).unwrap_or(i64::MAX)),
        next_token: page.next.map(|next| next.to_string()),
    })
}

/// Assembles traces for summaries, and for filters and groups that ask for root causes.
pub(crate) struct Assembled<'a> {
    pub(crate) state: &'a XRay,
    pub(crate) caller: &'a Caller,
}

impl Assembled<'_> {
    async fn compiled(&self, traces: &[TraceId]) -> Result<Vec<CompiledTrace>, QueryError> {
        let stored = documents(&self.state.events, self.caller.environment, traces, DOCUMENTS).await?;
        Ok(stored.iter().map(compile).collect())
    }
}

#[async_trait]
impl RootCauses for Assembled<'_> {
    async fn of(&self, traces: &[TraceId]) -> Result<HashMap<TraceId, Vec<RootCause>>, QueryError> {
        let compiled = self.compiled(traces).await?;
        let causes = |trace: &CompiledTrace| facts(trace, &self.caller.account_id).root_causes;
        Ok(compiled.iter().map(|trace| (trace.trace_id, causes(trace))).collect())
    }
}

/// A summary of a trace that could not be assembled: what its rows say of it, with nothing missing that real clients look at without asking.
fn summary(found: &Found) -> TraceSummary {
    let seconds = |ns: i64| (ns / 1_000) as f64 / 1e6;
    TraceSummary {
        id: Some(selection::trace_id_text(found.trace_id)),
        start_time: Some(EpochSeconds::from_ns(found.start_ns)),
        duration: Some(seconds(found.duration_ns)),
        response_time: Some(found.response_ns.map_or(0.0, seconds)),
        has_fault: Some(found.has_fault),
        has_error: Some(found.has_error),
        has_throttle: Some(found.has_throttle),
        is_partial: Some(found.is_partial),
        http: Some(Http::default()),
        annotations: Some(BTreeMap::new()),
        users: Some(Vec::new()),
        service_ids: Some(found.services.iter().map(service_id).collect()),
        resource_ar_ns: Some(Vec::new()),
        instance_ids: Some(Vec::new()),
        availability_zones: Some(Vec::new()),
        entry_point: found.entry.as_ref().map(service_id),
        fault_root_causes: Some(Vec::new()),
        error_root_causes: Some(Vec::new()),
        response_time_root_causes: Some(Vec::new()),
        matched_event_time: Some(EpochSeconds::from_ns(found.matched_ns)),
        ..TraceSummary::default()
    }
}

fn service_id(node: &Node) -> ServiceId {
    ServiceId {
        name: Some(node.name.clone()),
        names: Some(vec![node.name.clone()]),
        account_id: Some(node.account_id.clone()).filter(|account| !account.is_empty()),
        r#type: Some(node.r#type.clone()),
    }
}
