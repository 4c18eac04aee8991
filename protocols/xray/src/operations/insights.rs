//! Insights, as an account answers in which none was ever found: lists are empty and every id is unknown. What a request
//! says is checked all the same, so that a client's mistakes are told as the vendor tells them.

use tracery_aws_wire::xray::{
    GetInsightEventsRequest, GetInsightEventsResult, GetInsightImpactGraphRequest,
    GetInsightImpactGraphResult, GetInsightRequest, GetInsightResult, GetInsightSummariesRequest,
    GetInsightSummariesResult,
};
use tracery_aws_wire::{EpochSeconds, Error};

use super::pages::page;
use super::{group, invalid};
use crate::{Caller, XRay};

const SUMMARIES_PER_PAGE: usize = 100;
/// The longest time that an impact graph covers.
const GRAPH_SECONDS_MAX: f64 = 6.0 * 3_600.0;

pub(super) async fn get_insight_summaries(
    state: &XRay,
    caller: &Caller,
    call: GetInsightSummariesRequest,
) -> Result<GetInsightSummariesResult, Error> {
    check_range(call.start_time, call.end_time)?;
    let of = group(state, caller, call.group_name.as_deref(), call.group_arn.as_deref()).await?;
    of.ok_or_else(|| invalid("Insights are listed of a group: give its name or its ARN."))?;
    let (none, next_token) = page("insights", Vec::new(), call.next_token.as_deref(), SUMMARIES_PER_PAGE)?;
    Ok(GetInsightSummariesResult { insight_summaries: Some(none), next_token })
}

pub(super) async fn get_insight(
    _state: &XRay,
    _caller: &Caller,
    call: GetInsightRequest,
) -> Result<GetInsightResult, Error> {
    Err(unknown(&call.insight_id))
}

pub(super) async fn get_insight_events(
    _state: &XRay,
    _caller: &Caller,
    call: GetInsightEventsRequest,
) -> Result<GetInsightEventsResult, Error> {
    Err(unknown(&call.insight_id))
}

pub(super) async fn get_insight_impact_graph(
    _state: &XRay,
    _caller: &Caller,
    call: GetInsightImpactGraphRequest,
) -> Result<GetInsightImpactGraphResult, Error> {
    check_range(call.start_time, call.end_time)?;
    if call.end_time.0 - call.start_time.0 > GRAPH_SECONDS_MAX {
        return Err(invalid("An impact graph covers six hours at most."));
    }
    Err(unknown(&call.insight_id))
}

fn check_range(start: EpochSeconds, end: EpochSeconds) -> Result<(), Error> {
    match start < end {
        true => Ok(()),
        false => Err(invalid("StartTime must be before EndTime.")),
    }
}

fn unknown(insight_id: &str) -> Error {
    invalid(format!("Insight {insight_id} does not exist."))
}
