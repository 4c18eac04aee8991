//! Log streams: made, listed, deleted. What a stream holds is noted a moment after its events were stored; lists wait for
//! that, so that they show what was acknowledged.

use tracery_aws_wire::Error;
use tracery_aws_wire::logs::{
    CreateLogStreamRequest, DeleteLogStreamRequest, DescribeLogStreamsRequest, DescribeLogStreamsResponse,
    LogStream as WireStream, OrderBy, errors,
};
use tracery_settings::{LogGroup, LogStream, LogStreamOrder, SettingsError};

use super::{groups, invalid, limit_exceeded, not_found, pages, unavailable};
use crate::names::{find_group, one_group, stream_arn};
use crate::{Caller, CloudWatchLogs};

const PAGE_DEFAULT: i32 = 50;
/// The lists' names in tokens, by order.
const BY_NAME: &str = "streams";
const BY_TIME: &str = "streams-by-time";

pub(super) async fn create_log_stream(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: CreateLogStreamRequest,
) -> Result<(), Error> {
    let group = find_group(state, caller, &call.log_group_name).await?;
    let created_ns = state.stamp_ns();
    match state.intake.settings.create_log_stream(&group.id, &call.log_stream_name, created_ns).await {
        Ok(()) => Ok(()),
        Err(SettingsError::Exists(_)) => {
            let message = "The specified log stream already exists";
            Err(Error::new(&errors::RESOURCE_ALREADY_EXISTS_EXCEPTION, message))
        }
        Err(SettingsError::NotFound(_)) => Err(not_found("The specified log group does not exist.")),
        Err(SettingsError::Full { .. }) => Err(limit_exceeded()),
        Err(error) => Err(unavailable(error)),
    }
}

pub(super) async fn delete_log_stream(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: DeleteLogStreamRequest,
) -> Result<(), Error> {
    let group = find_group(state, caller, &call.log_group_name).await?;
    if group.delete_protected {
        return Err(groups::is_protected());
    }
    // Bytes that still wait to be noted are the group's, too.
    state.figures.write(&state.intake.settings).await.map_err(unavailable)?;
    let deleted_ns = state.stamp_ns();
    match state.intake.settings.delete_log_stream(&group.id, &call.log_stream_name, deleted_ns).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(not_found("The specified log stream does not exist.")),
        Err(SettingsError::Full { .. }) => Err(limit_exceeded()),
        Err(error) => Err(unavailable(error)),
    }
}

pub(super) async fn describe_log_streams(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: DescribeLogStreamsRequest,
) -> Result<DescribeLogStreamsResponse, Error> {
    let order_by = call.order_by.unwrap_or(OrderBy::LogStreamName);
    if order_by == OrderBy::LastEventTime && call.log_stream_name_prefix.is_some() {
        return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
    }
    let (name, identifier) = (call.log_group_name.as_deref(), call.log_group_identifier.as_deref());
    let group = one_group(state, caller, name, identifier).await?;
    state.figures.write(&state.intake.settings).await.map_err(unavailable)?;
    let count_max = call.limit.unwrap_or(PAGE_DEFAULT);
    let descending = call.descending.unwrap_or(false);
    let order = order(order_by, call.next_token.as_deref(), &group, descending)?;
    let prefix = call.log_stream_name_prefix.as_deref().unwrap_or_default();
    let settings = &state.intake.settings;
    let streams = settings.log_streams(&group.id, prefix, &order, descending, i64::from(count_max) + 1).await;
    let mut streams = streams.map_err(unavailable)?;
    let has_more = streams.len() > usize::try_from(count_max).unwrap_or(1);
    streams.truncate(usize::try_from(count_max).unwrap_or(1));
    let next_token = streams.last().filter(|_| has_more).map(|last| {
        let direction = if descending { "d" } else { "a" };
        match order_by {
            OrderBy::LogStreamName => pages::token(BY_NAME, &[&group.id, direction, &last.name]),
            OrderBy::LastEventTime => {
                let ms = last.figures.last_event_ms.to_string();
                pages::token(BY_TIME, &[&group.id, direction, &ms, &last.name])
            }
        }
    });
    let log_streams = streams.into_iter().map(|stream| shown(caller, &group, stream)).collect();
    Ok(DescribeLogStreamsResponse { log_streams: Some(log_streams), next_token })
}

/// The order of a list, from where its token says.
fn order(
    order_by: OrderBy,
    token: Option<&str>,
    group: &LogGroup,
    descending: bool,
) -> Result<LogStreamOrder, Error> {
    let is_ours = |id: &str, direction: &str| id == group.id && (direction == "d") == descending;
    match (order_by, token) {
        (OrderBy::LogStreamName, None) => Ok(LogStreamOrder::Name { after: None }),
        (OrderBy::LastEventTime, None) => Ok(LogStreamOrder::LastEvent { after: None }),
        (OrderBy::LogStreamName, Some(token)) => match pages::parts(BY_NAME, token)? {
            [id, direction, name] if is_ours(&id, &direction) => {
                Ok(LogStreamOrder::Name { after: Some(name) })
            }
            _ => Err(pages::bad_token()),
        },
        (OrderBy::LastEventTime, Some(token)) => match pages::parts(BY_TIME, token)? {
            [id, direction, ms, name] if is_ours(&id, &direction) => {
                let ms = ms.parse().map_err(|_| pages::bad_token())?;
                Ok(LogStreamOrder::LastEvent { after: Some((ms, name)) })
            }
            _ => Err(pages::bad_token()),
        },
    }
}

fn shown(caller: &Caller, group: &LogGroup, stream: LogStream) -> WireStream {
    let figures = stream.figures;
    // A stream that nobody wrote to has none of them.
    let some = |ms: i64| (figures.last_ingestion_ms > 0).then_some(ms);
    WireStream {
        creation_time: Some(stream.created_ns / 1_000_000),
        first_event_timestamp: some(figures.first_event_ms),
        last_event_timestamp: some(figures.last_event_ms),
        last_ingestion_time: some(figures.last_ingestion_ms),
        upload_sequence_token: some(figures.last_ingestion_ms).map(sequence_token),
        arn: Some(stream_arn(caller, &group.name, &stream.name)),
        // The vendor tells it of groups only.
        stored_bytes: Some(0),
        log_stream_name: Some(stream.name),
    }
}

/// What stands for the token that uploads once needed: nobody looks at it, but old clients want one.
pub(super) fn sequence_token(ingestion_ms: i64) -> String {
    format!("49{ingestion_ms:054}")
}
