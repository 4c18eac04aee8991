//! The operations, one file for each family. [`answer`] is the only way in: it decodes by the model and encodes what the
//! operation gave.

mod destinations;
mod groups;
pub(crate) mod kept;
mod live_tail;
mod log_fields;
mod log_record;
mod metric_filters;
mod pages;
mod put_events;
mod queries;
mod query_definitions;
mod query_results;
mod read_events;
mod scheduled_queries;
mod streams;
mod subscription_filters;
mod tags;

use std::future::Future;

use axum::response::Response;
use bytes::Bytes;
use tracery_aws_wire::logs::{Operation, errors};
use tracery_aws_wire::{Call, Error, Protocol, decode, encode};
use tracery_query::QueryError;
use tracery_settings::SettingsError;

pub(crate) use kept::{Kept, Shelf};

use crate::{Caller, CloudWatchLogs};

/// A request whose operation is known; `body` is inflated.
pub(crate) struct Request<'a> {
    pub(crate) operation: Operation,
    pub(crate) body: &'a Bytes,
    pub(crate) request_id: &'a str,
}

/// What goes back: a whole body, or a response that goes on.
pub(crate) enum Reply {
    Body(Bytes),
    Stream(Response),
}

/// Answers a request whose caller is known.
pub(crate) async fn answer(
    state: &CloudWatchLogs,
    caller: &Caller,
    request: Request<'_>,
) -> Result<Reply, Error> {
    let body = request.body;
    match request.operation {
        Operation::CreateScheduledQuery => {
            run(scheduled_queries::create_scheduled_query, state, caller, body).await
        }
        Operation::DeleteQueryDefinition => {
            run(query_definitions::delete_query_definition, state, caller, body).await
        }
        Operation::DeleteScheduledQuery => {
            run(scheduled_queries::delete_scheduled_query, state, caller, body).await
        }
        Operation::DescribeQueries => run(queries::describe_queries, state, caller, body).await,
        Operation::DescribeQueryDefinitions => {
            run(query_definitions::describe_query_definitions, state, caller, body).await
        }
        Operation::GetLogGroupFields => run(log_fields::get_log_group_fields, state, caller, body).await,
        Operation::GetLogRecord => run(log_record::get_log_record, state, caller, body).await,
        Operation::GetQueryResults => run(query_results::get_query_results, state, caller, body).await,
        Operation::GetScheduledQuery => {
            run(scheduled_queries::get_scheduled_query, state, caller, body).await
        }
        Operation::GetScheduledQueryHistory => {
            run(scheduled_queries::get_scheduled_query_history, state, caller, body).await
        }
        Operation::ListLogGroupsForQuery => {
            run(queries::list_log_groups_for_query, state, caller, body).await
        }
        Operation::ListScheduledQueries => {
            run(scheduled_queries::list_scheduled_queries, state, caller, body).await
        }
        Operation::PutQueryDefinition => {
            run(query_definitions::put_query_definition, state, caller, body).await
        }
        Operation::StartQuery => run(queries::start_query, state, caller, body).await,
        Operation::StopQuery => run(queries::stop_query, state, caller, body).await,
        Operation::UpdateScheduledQuery => {
            run(scheduled_queries::update_scheduled_query, state, caller, body).await
        }
        Operation::CreateLogGroup => run(groups::create_log_group, state, caller, body).await,
        Operation::CreateLogStream => run(streams::create_log_stream, state, caller, body).await,
        Operation::DeleteLogGroup => run(groups::delete_log_group, state, caller, body).await,
        Operation::DeleteLogStream => run(streams::delete_log_stream, state, caller, body).await,
        Operation::DeleteMetricFilter => run(metric_filters::delete_metric_filter, state, caller, body).await,
        Operation::DeleteRetentionPolicy => run(groups::delete_retention_policy, state, caller, body).await,
        Operation::DescribeLogGroups => run(groups::describe_log_groups, state, caller, body).await,
        Operation::DescribeLogStreams => run(streams::describe_log_streams, state, caller, body).await,
        Operation::DescribeMetricFilters => {
            run(metric_filters::describe_metric_filters, state, caller, body).await
        }
        Operation::FilterLogEvents => run(read_events::filter_log_events, state, caller, body).await,
        Operation::GetLogEvents => run(read_events::get_log_events, state, caller, body).await,
        Operation::ListLogGroups => run(groups::list_log_groups, state, caller, body).await,
        Operation::ListTagsForResource => run(tags::list_tags_for_resource, state, caller, body).await,
        Operation::ListTagsLogGroup => run(tags::list_tags_log_group, state, caller, body).await,
        Operation::PutLogEvents => put_events::put_log_events(state, caller, body).await,
        Operation::PutLogGroupDeletionProtection => {
            run(groups::put_log_group_deletion_protection, state, caller, body).await
        }
        Operation::PutMetricFilter => run(metric_filters::put_metric_filter, state, caller, body).await,
        Operation::PutRetentionPolicy => run(groups::put_retention_policy, state, caller, body).await,
        Operation::StartLiveTail => live_tail::start_live_tail(state, caller, request).await,
        Operation::DeleteSubscriptionFilter => {
            run(subscription_filters::delete_subscription_filter, state, caller, body).await
        }
        Operation::DescribeSubscriptionFilters => {
            run(subscription_filters::describe_subscription_filters, state, caller, body).await
        }
        Operation::PutSubscriptionFilter => {
            run(subscription_filters::put_subscription_filter, state, caller, body).await
        }
        Operation::DeleteDestination => run(destinations::delete_destination, state, caller, body).await,
        Operation::DescribeDestinations => {
            run(destinations::describe_destinations, state, caller, body).await
        }
        Operation::PutDestination => run(destinations::put_destination, state, caller, body).await,
        Operation::PutDestinationPolicy => {
            run(destinations::put_destination_policy, state, caller, body).await
        }
        Operation::TagLogGroup => run(tags::tag_log_group, state, caller, body).await,
        Operation::TagResource => run(tags::tag_resource, state, caller, body).await,
        Operation::TestMetricFilter => run(metric_filters::test_metric_filter, state, caller, body).await,
        Operation::UntagLogGroup => run(tags::untag_log_group, state, caller, body).await,
        Operation::UntagResource => run(tags::untag_resource, state, caller, body).await,
        _ => Err(tracery_aws_wire::unknown_operation(Protocol::Json11)),
    }
}

/// Decodes, runs and encodes one operation.
async fn run<'a, C, F>(
    handler: impl FnOnce(&'a CloudWatchLogs, &'a Caller, C) -> F,
    state: &'a CloudWatchLogs,
    caller: &'a Caller,
    body: &[u8],
) -> Result<Reply, Error>
where
    C: Call,
    F: Future<Output = Result<C::Output, Error>> + 'a,
{
    let input = decode::<C>(body, state.intake.limits.inflated_bytes_max)?;
    encode::<C>(&handler(state, caller, input).await?).map(Reply::Body)
}

/// A request that the vendor's service refuses for what it says.
pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::new(&errors::INVALID_PARAMETER_EXCEPTION, message)
}

/// A request for what is not there.
pub(crate) fn not_found(message: impl Into<String>) -> Error {
    Error::new(&errors::RESOURCE_NOT_FOUND_EXCEPTION, message)
}

/// There is no room for one more.
pub(crate) fn limit_exceeded() -> Error {
    Error::new(&errors::LIMIT_EXCEEDED_EXCEPTION, "Resource limit exceeded.")
}

/// The reason is the operator's, not the caller's.
pub(crate) fn unavailable(error: SettingsError) -> Error {
    tracing::warn!(error = &error as &dyn std::error::Error, "settings are unavailable");
    Error::new(&errors::SERVICE_UNAVAILABLE_EXCEPTION, "The service cannot complete the request.")
}

/// The client hears what it can mend; the log hears the rest.
pub(crate) fn failed(error: QueryError) -> Error {
    match error {
        QueryError::Invalid(reason) => invalid(reason),
        QueryError::Limit(reason) => Error::new(&errors::SERVICE_UNAVAILABLE_EXCEPTION, reason),
        error => {
            tracing::warn!(error = &error as &dyn std::error::Error, "log events could not be read");
            Error::new(&errors::SERVICE_UNAVAILABLE_EXCEPTION, "The service cannot complete the request.")
        }
    }
}
