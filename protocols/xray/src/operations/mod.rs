//! The operations, one file for each family. [`answer`] is the only way in: it decodes by the model and encodes what the
//! operation gave.

mod destination;
mod encryption;
mod graphs;
mod groups;
mod indexing;
mod insights;
mod kept;
mod pages;
mod policies;
mod retrieval;
mod sampling;
mod segments;
mod selection;
mod summaries;
mod tags;
mod traces;

use std::future::Future;

use bytes::Bytes;
use tracery_aws_wire::xray::{Operation, errors};
use tracery_aws_wire::{Call, Error, decode, encode};

pub(crate) use groups::group;

use crate::{Caller, XRay};

/// Answers a request whose caller is known; `body` is inflated.
pub(crate) async fn answer(
    state: &XRay,
    caller: &Caller,
    operation: Operation,
    body: &[u8],
) -> Result<Bytes, Error> {
    match operation {
        Operation::GetServiceGraph => run(graphs::get_service_graph, state, caller, body).await,
        Operation::GetTimeSeriesServiceStatistics => {
            run(graphs::get_time_series_service_statistics, state, caller, body).await
        }
        Operation::GetTraceGraph => run(graphs::get_trace_graph, state, caller, body).await,
        Operation::GetTraceSummaries => run(summaries::get_trace_summaries, state, caller, body).await,
        Operation::PutTraceSegments => run(segments::put_trace_segments, state, caller, body).await,
        Operation::PutTelemetryRecords => run(segments::put_telemetry_records, state, caller, body).await,
        Operation::BatchGetTraces => run(traces::batch_get_traces, state, caller, body).await,
        Operation::StartTraceRetrieval => run(retrieval::start, state, caller, body).await,
        Operation::ListRetrievedTraces => run(retrieval::list, state, caller, body).await,
        Operation::GetRetrievedTracesGraph => run(retrieval::get_graph, state, caller, body).await,
        Operation::CancelTraceRetrieval => run(retrieval::cancel, state, caller, body).await,
        Operation::CreateGroup => run(groups::create_group, state, caller, body).await,
        Operation::CreateSamplingRule => run(sampling::create_sampling_rule, state, caller, body).await,
        Operation::DeleteGroup => run(groups::delete_group, state, caller, body).await,
        Operation::DeleteResourcePolicy => run(policies::delete_resource_policy, state, caller, body).await,
        Operation::DeleteSamplingRule => run(sampling::delete_sampling_rule, state, caller, body).await,
        Operation::GetEncryptionConfig => run(encryption::get_encryption_config, state, caller, body).await,
        Operation::GetGroup => run(groups::get_group, state, caller, body).await,
        Operation::GetGroups => run(groups::get_groups, state, caller, body).await,
        Operation::GetIndexingRules => run(indexing::get_indexing_rules, state, caller, body).await,
        Operation::GetInsight => run(insights::get_insight, state, caller, body).await,
        Operation::GetInsightEvents => run(insights::get_insight_events, state, caller, body).await,
        Operation::GetInsightImpactGraph => {
            run(insights::get_insight_impact_graph, state, caller, body).await
        }
        Operation::GetInsightSummaries => run(insights::get_insight_summaries, state, caller, body).await,
        Operation::GetSamplingRules => run(sampling::get_sampling_rules, state, caller, body).await,
        Operation::GetSamplingStatisticSummaries => {
            run(sampling::get_sampling_statistic_summaries, state, caller, body).await
        }
        Operation::GetSamplingTargets => run(sampling::get_sampling_targets, state, caller, body).await,
        Operation::GetTraceSegmentDestination => {
            run(destination::get_trace_segment_destination, state, caller, body).await
        }
        Operation::ListResourcePolicies => run(policies::list_resource_policies, state, caller, body).await,
        Operation::ListTagsForResource => run(tags::list_tags_for_resource, state, caller, body).await,
        Operation::PutEncryptionConfig => run(encryption::put_encryption_config, state, caller, body).await,
        Operation::PutResourcePolicy => run(policies::put_resource_policy, state, caller, body).await,
        Operation::TagResource => run(tags::tag_resource, state, caller, body).await,
        Operation::UntagResource => run(tags::untag_resource, state, caller, body).await,
        Operation::UpdateGroup => run(groups::update_group, state, caller, body).await,
        Operation::UpdateIndexingRule => run(indexing::update_indexing_rule, state, caller, body).await,
        Operation::UpdateSamplingRule => run(sampling::update_sampling_rule, state, caller, body).await,
        Operation::UpdateTraceSegmentDestination => {
            run(destination::update_trace_segment_destination, state, caller, body).await
        }
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

/// A request that the vendor's service refuses for what it says.
pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::new(&errors::INVALID_REQUEST_EXCEPTION, message)
}

/// What a client sent, as an error names it: cut, because not all of the model's texts are bounded.
pub(crate) fn cited(text: &str) -> &str {
    const CHARS_MAX: usize = 200;
    text.char_indices().nth(CHARS_MAX).map_or(text, |(end, _)| &text[..end])
}

/// The client is asked to come again.
pub(crate) fn throttled(message: impl Into<String>) -> Error {
    Error::new(&errors::THROTTLED_EXCEPTION, message)
}
