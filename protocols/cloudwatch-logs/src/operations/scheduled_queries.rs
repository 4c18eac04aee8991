//! Scheduled queries: Create, Get, List, Update and DeleteScheduledQuery, and GetScheduledQueryHistory. They are kept as
//! documents of the region; [`schedule`](crate::queries::schedule) runs them. Results are read by GetQueryResults;
//! delivery to somewhere else is refused.

use tracery_aws_wire::Error;
use tracery_aws_wire::logs::{
    CreateScheduledQueryRequest, CreateScheduledQueryResponse, DeleteScheduledQueryRequest,
    DeleteScheduledQueryResponse, DestinationConfiguration, GetScheduledQueryHistoryRequest,
    GetScheduledQueryHistoryResponse, GetScheduledQueryRequest, GetScheduledQueryResponse,
    ListScheduledQueriesRequest, ListScheduledQueriesResponse, QueryLanguage, ScheduleType,
    ScheduledQueryState, ScheduledQuerySummary, TriggerHistoryRecord, UpdateScheduledQueryRequest,
    UpdateScheduledQueryResponse, errors,
};
use tracery_aws_wire::pages::place_of_token;

use super::kept::{Added, Kept};
use super::pages::page;
use super::queries::{cited, compile, size};
use crate::queries::schedule::{self, Scheduled};
use crate::queries::{Schedule, scope};
use crate::{Caller, CloudWatchLogs};

const PAGE_MAX: usize = 1_000;
const PAGE_DEFAULT: usize = 50;
/// How far back a scheduled query may look, as one that is started by hand.
const OFFSET_SECONDS_MAX: i64 = 10 * 366 * 24 * 60 * 60;

pub(super) async fn create_scheduled_query(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: CreateScheduledQueryRequest,
) -> Result<CreateScheduledQueryResponse, Error> {
    let name = call.name;
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./#".contains(&byte)) {
        return Err(invalid("A scheduled query's name consists of letters, digits and - _ . / #"));
    }
    let scheduled = Scheduled {
        description: call.description,
        query: call.query_string,
        groups: call.log_group_identifiers.unwrap_or_default(),
        expression: call.schedule_expression,
        timezone: call.timezone,
        start_offset_s: call.start_time_offset,
        end_offset_s: call.end_time_offset,
        starts_s: call.schedule_start_time,
        ends_s: call.schedule_end_time,
        role_arn: call.execution_role_arn,
        enabled: call.state != Some(ScheduledQueryState::Disabled),
        tags: call.tags.unwrap_or_default(),
        last_run_ms: None,
        runs: Vec::new(),
    };
    check(call.query_language, call.destination_configuration.as_ref(), &scheduled)?;
    let shelf = schedule::shelf(state, caller.environment, &caller.region);
    match shelf.add(None, Some(name.clone()), &scheduled).await? {
        Added::Made(_) => {
            state.queries_changed.notify_one();
            Ok(CreateScheduledQueryResponse {
                scheduled_query_arn: Some(arn(caller, &name)),
                state: Some(scheduled.state()),
            })
        }
        Added::Exists => {
            let message = format!("A scheduled query named {} exists already.", cited(&name));
            Err(Error::new(&errors::CONFLICT_EXCEPTION, message))
        }
        Added::Full => Err(Error::new(
            &errors::SERVICE_QUOTA_EXCEEDED_EXCEPTION,
            "The number of scheduled queries exceeds the limit.",
        )),
    }
}

/// What can be run, and only that, is scheduled.
fn check(
    language: QueryLanguage,
    destination: Option<&DestinationConfiguration>,
    scheduled: &Scheduled,
) -> Result<(), Error> {
    if language != QueryLanguage::Cwli {
        return Err(invalid(format!("Queries in {} are not supported.", language.as_str())));
    }
    if destination.is_some_and(|to| to.s3_configuration.is_some() || to.lookup_table_configuration.is_some())
    {
        return Err(invalid(
            "Delivery of results to S3 or a lookup table is not supported: read them by GetQueryResults.",
        ));
    }
    let parsed = compile(&scheduled.query).map_err(|error| {
        invalid(format!("The query cannot be run: {}", error.message.unwrap_or_default()))
    })?;
    match (scheduled.groups.len(), scope::has_source(&parsed)) {
        (0, false) => return Err(invalid("At least one log group is required.")),
        (1.., true) => {
            return Err(invalid("Log groups are named in the request or by SOURCE, but not by both."));
        }
        (count, _) if count > scope::GROUPS_MAX => {
            let message = format!("A query can look into at most {} log groups.", scope::GROUPS_MAX);
            return Err(invalid(message));
        }
        _ => {}
    }
    Schedule::parse(&scheduled.expression, scheduled.timezone.as_deref()).map_err(invalid)?;
    let offsets = [scheduled.start_offset_s, scheduled.end_offset_s];
    if offsets.into_iter().flatten().any(|offset_s| !(0..=OFFSET_SECONDS_MAX).contains(&offset_s)) {
        return Err(invalid("Offsets are seconds before the time of the run, none of them negative."));
    }
    let (start_s, end_s) = scheduled.offsets_s();
    if start_s <= end_s {
        return Err(invalid("startTimeOffset must reach further back than endTimeOffset."));
    }
    if let (Some(starts_s), Some(ends_s)) = (scheduled.starts_s, scheduled.ends_s)
        && starts_s >= ends_s
    {
        return Err(invalid("scheduleStartTime must be before scheduleEndTime."));
    }
    Ok(())
}

pub(super) async fn get_scheduled_query(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: GetScheduledQueryRequest,
) -> Result<GetScheduledQueryResponse, Error> {
    let kept = find(state, caller, &call.identifier).await?;
    let last = schedule::runs(state, caller, &kept.value).pop();
    let value = kept.value;
    Ok(GetScheduledQueryResponse {
        scheduled_query_arn: Some(arn(caller, &kept.name)),
        name: Some(kept.name),
        description: value.description.clone(),
        query_language: Some(QueryLanguage::Cwli),
        query_string: Some(value.query.clone()),
        log_group_identifiers: Some(value.groups.clone()),
        schedule_expression: Some(value.expression.clone()),
        timezone: value.timezone.clone(),
        start_time_offset: value.start_offset_s,
        end_time_offset: value.end_offset_s,
        destination_configuration: None,
        state: Some(value.state()),
        schedule_type: Some(ScheduleType::CustomerManaged),
        last_triggered_time: last.as_ref().map(|run| run.triggered_ms),
        last_execution_status: last.as_ref().map(|run| run.status),
        schedule_start_time: value.starts_s,
        schedule_end_time: value.ends_s,
        execution_role_arn: Some(value.role_arn),
        creation_time: Some(kept.created_ms),
        last_updated_time: Some(kept.updated_ms),
    })
}

pub(super) async fn list_scheduled_queries(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: ListScheduledQueriesRequest,
) -> Result<ListScheduledQueriesResponse, Error> {
    let mut found = schedule::shelf(state, caller.environment, &caller.region).all::<Scheduled>().await?;
    found.retain(|kept| call.state.is_none_or(|wanted| kept.value.state() == wanted));
    found.retain(|_| call.schedule_type.is_none_or(|wanted| wanted == ScheduleType::CustomerManaged));
    found.sort_by(|left, right| left.name.cmp(&right.name));
    let list = "scheduled-queries";
    if call.next_token.as_deref().is_some_and(|token| place_of_token(list, token).is_err()) {
        return Err(invalid("The specified nextToken is invalid."));
    }
    let max = call.max_results.map_or(PAGE_DEFAULT, |wanted| size(Some(wanted), PAGE_MAX));
    let (found, next_token) = page(list, found, call.next_token.as_deref(), max)?;
    let shown = found.into_iter().map(|kept| {
        let last = schedule::runs(state, caller, &kept.value).pop();
        ScheduledQuerySummary {
            scheduled_query_arn: Some(arn(caller, &kept.name)),
            name: Some(kept.name),
            state: Some(kept.value.state()),
            schedule_type: Some(ScheduleType::CustomerManaged),
            last_triggered_time: last.as_ref().map(|run| run.triggered_ms),
            last_execution_status: last.as_ref().map(|run| run.status),
            schedule_expression: Some(kept.value.expression),
            timezone: kept.value.timezone,
            destination_configuration: None,
            creation_time: Some(kept.created_ms),
            last_updated_time: Some(kept.updated_ms),
        }
    });
    Ok(ListScheduledQueriesResponse { scheduled_queries: Some(shown.collect()), next_token })
}

pub(super) async fn update_scheduled_query(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: UpdateScheduledQueryRequest,
) -> Result<UpdateScheduledQueryResponse, Error> {
    let _change = state.schedule_changes.lock().await;
    let kept = find(state, caller, &call.identifier).await?;
    let enabled = call.state.map_or(kept.value.enabled, |state| state == ScheduledQueryState::Enabled);
    let scheduled = Scheduled {
        description: call.description,
        query: call.query_string,
        groups: call.log_group_identifiers.unwrap_or_default(),
        expression: call.schedule_expression,
        timezone: call.timezone,
        start_offset_s: call.start_time_offset,
        end_offset_s: call.end_time_offset,
        starts_s: call.schedule_start_time,
        ends_s: call.schedule_end_time,
        role_arn: call.execution_role_arn,
        enabled,
        tags: kept.value.tags,
        last_run_ms: kept.value.last_run_ms,
        runs: kept.value.runs,
    };
    check(call.query_language, call.destination_configuration.as_ref(), &scheduled)?;
    let shelf = schedule::shelf(state, caller.environment, &caller.region);
    if !shelf.replace(&kept.id, Some(&kept.name), &scheduled).await? {
        return Err(unknown(&call.identifier));
    }
    state.queries_changed.notify_one();
    let got = get_scheduled_query(state, caller, GetScheduledQueryRequest { identifier: kept.name }).await?;
    Ok(UpdateScheduledQueryResponse {
        scheduled_query_arn: got.scheduled_query_arn,
        name: got.name,
        description: got.description,
        query_language: got.query_language,
        query_string: got.query_string,
        log_group_identifiers: got.log_group_identifiers,
        schedule_expression: got.schedule_expression,
        timezone: got.timezone,
        start_time_offset: got.start_time_offset,
        end_time_offset: got.end_time_offset,
        destination_configuration: got.destination_configuration,
        state: got.state,
        schedule_type: got.schedule_type,
        last_triggered_time: got.last_triggered_time,
        last_execution_status: got.last_execution_status,
        schedule_start_time: got.schedule_start_time,
        schedule_end_time: got.schedule_end_time,
        execution_role_arn: got.execution_role_arn,
        creation_time: got.creation_time,
        last_updated_time: got.last_updated_time,
    })
}

pub(super) async fn delete_scheduled_query(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: DeleteScheduledQueryRequest,
) -> Result<DeleteScheduledQueryResponse, Error> {
    let _change = state.schedule_changes.lock().await;
    let kept = find(state, caller, &call.identifier).await?;
    schedule::shelf(state, caller.environment, &caller.region).remove(&kept.id).await?;
    Ok(DeleteScheduledQueryResponse {})
}

pub(super) async fn get_scheduled_query_history(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: GetScheduledQueryHistoryRequest,
) -> Result<GetScheduledQueryHistoryResponse, Error> {
    if call.end_time < call.start_time {
        return Err(invalid("endTime must not be before startTime."));
    }
    let kept = find(state, caller, &call.identifier).await?;
    let mut runs = schedule::runs(state, caller, &kept.value);
    runs.retain(|run| (call.start_time..=call.end_time).contains(&run.triggered_ms.div_euclid(1_000)));
    runs.retain(|run| {
        call.execution_statuses
            .as_ref()
            .is_none_or(|wanted| wanted.is_empty() || wanted.contains(&run.status))
    });
    runs.reverse();
    let list = format!("history-{}", kept.id);
    if call.next_token.as_deref().is_some_and(|token| place_of_token(&list, token).is_err()) {
        return Err(invalid("The specified nextToken is invalid."));
    }
    let max = call.max_results.map_or(PAGE_DEFAULT, |wanted| size(Some(wanted), PAGE_MAX));
    let (runs, next_token) = page(&list, runs, call.next_token.as_deref(), max)?;
    let shown = runs.into_iter().map(|run| TriggerHistoryRecord {
        query_id: run.query_id,
        execution_status: Some(run.status),
        triggered_timestamp: Some(run.triggered_ms),
        error_message: run.error,
        destinations: Some(Vec::new()),
    });
    Ok(GetScheduledQueryHistoryResponse {
        scheduled_query_arn: Some(arn(caller, &kept.name)),
        name: Some(kept.name),
        trigger_history: Some(shown.collect()),
        next_token,
    })
}

/// What an identifier names: a name or an ARN.
async fn find(state: &CloudWatchLogs, caller: &Caller, identifier: &str) -> Result<Kept<Scheduled>, Error> {
    let prefix = arn(caller, "");
    let name = match identifier.strip_prefix(&prefix) {
        Some(name) => name,
        None if identifier.starts_with("arn:") => return Err(unknown(identifier)),
        None => identifier,
    };
    let found = schedule::shelf(state, caller.environment, &caller.region).find(name).await?;
    found.ok_or_else(|| unknown(identifier))
}

fn arn(caller: &Caller, name: &str) -> String {
    format!("arn:aws:logs:{}:{}:scheduled-query:{name}", caller.region, caller.account_id)
}

fn unknown(identifier: &str) -> Error {
    let message = format!("The scheduled query {} does not exist.", cited(identifier));
    Error::new(&errors::RESOURCE_NOT_FOUND_EXCEPTION, message)
}

/// These operations declare their own error for a request that is wrong.
fn invalid(message: impl Into<String>) -> Error {
    Error::new(&errors::VALIDATION_EXCEPTION, message)
}
