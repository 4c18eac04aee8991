//! `GetTraceSummaries`: the traces that a filter wants, the newest first, in pages.

use tracery_aws_wire::xray::{
    GetTraceSummariesRequest, GetTraceSummariesResult, Http, TimeRangeType, TraceSummary,
};
use tracery_aws_wire::{EpochSeconds, Error};
use tracery_query::questions::xray::{Filter, Find, Found, RangeBy, find};

use super::selection::{self, failed, invalid};
use crate::{Caller, XRay};

/// Summaries of one page.
const PAGE_TRACES: usize = 50;

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
    let filter = Filter { expression, groups: Vec::new(), account_id: caller.account_id.clone() };
    let question = Find { time, by, filter, share, after, limit: PAGE_TRACES };
    let page = find(&state.context, &state.events, caller.environment, &question, None);
    let page = page.await.map_err(failed)?;
    Ok(GetTraceSummariesResult {
        trace_summaries: Some(page.traces.iter().map(summary).collect()),
        approximate_time: Some(EpochSeconds::from_ns(page.scanned_to_ns)),
        traces_processed_count: Some(i64::try_from(page.processed).unwrap_or(i64::MAX)),
        next_token: page.next.map(|next| next.to_string()),
    })
}

fn summary(found: &Found) -> TraceSummary {
    TraceSummary {
        id: Some(selection::trace_id_text(found.trace_id)),
        start_time: Some(EpochSeconds::from_ns(found.start_ns)),
        http: Some(Http::default()),
        matched_event_time: Some(EpochSeconds::from_ns(found.matched_ns)),
        ..TraceSummary::default()
    }
}
