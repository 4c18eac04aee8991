//! StartQuery, StopQuery, DescribeQueries and ListLogGroupsForQuery: a query is checked whole before it starts, so that
//! what cannot be run is refused where it is asked for.

use serde_json::json;
use tracery_aws_wire::Error;
use tracery_aws_wire::logs::{
    DescribeQueriesRequest, DescribeQueriesResponse, ListLogGroupsForQueryRequest,
    ListLogGroupsForQueryResponse, QueryInfo, QueryLanguage, StartQueryRequest, StartQueryResponse,
    StopQueryRequest, StopQueryResponse, errors,
};
use tracery_query::languages::insights::{self, ParseError, plan};

use super::pages::page;
use super::{invalid, not_found};
use crate::names::group_arn;
use crate::queries::scope::{self, GROUPS_MAX};
use crate::queries::{Owner, Query, Start, start};
use crate::{Caller, CloudWatchLogs};

/// Queries on a page of DescribeQueries.
const DESCRIBED_MAX: usize = 1_000;
/// Groups on a page of ListLogGroupsForQuery.
const LISTED_MAX: usize = 500;

pub(super) async fn start_query(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: StartQueryRequest,
) -> Result<StartQueryResponse, Error> {
    only_cwli(call.query_language)?;
    if call.start_time < 0 || call.end_time < call.start_time {
        return Err(invalid("The end time must not be before the start time, and neither before 1970."));
    }
    let parsed = compile(&call.query_string)?;
    let named = named(&call, &parsed)?;
    let groups = match named {
        Some(named) => scope::named(state, caller, &named).await?,
        None => scope::sources(state, caller, &parsed).await?,
    };
    if groups.len() > GROUPS_MAX {
        return Err(invalid(format!("A query can look into at most {GROUPS_MAX} log groups.")));
    }
    let id = start(
        state,
        Start {
            owner: owner(caller),
            account_id: caller.account_id.clone(),
            groups,
            text: call.query_string,
            parsed,
            start_s: call.start_time,
            end_s: call.end_time,
            limit: call.limit.and_then(|limit| usize::try_from(limit).ok()),
        },
    );
    let id = id.ok_or_else(|| {
        Error::new(&errors::LIMIT_EXCEEDED_EXCEPTION, "The number of concurrent queries exceeds the limit.")
    })?;
    Ok(StartQueryResponse { query_id: Some(id.to_string()) })
}

/// The groups that the request names; `None` when the query itself does.
fn named(call: &StartQueryRequest, parsed: &insights::Query) -> Result<Option<Vec<String>>, Error> {
    let mut given = [
        call.log_group_name.clone().map(|name| vec![name]),
        call.log_group_names.clone(),
        call.log_group_identifiers.clone(),
    ]
    .into_iter()
    .flatten()
    .filter(|names| !names.is_empty());
    let first = given.next();
    if given.next().is_some() {
        let message = "Give one of logGroupName, logGroupNames and logGroupIdentifiers.";
        return Err(invalid(message));
    }
    match (first, scope::has_source(parsed)) {
        (Some(_), true) => Err(invalid("Log groups are named in the request or by SOURCE, but not by both.")),
        (None, false) => Err(invalid("At least one log group is required to start a query.")),
        (first, _) => Ok(first),
    }
}

/// Parses a query and sees whether it can be run.
pub(super) fn compile(text: &str) -> Result<insights::Query, Error> {
    let parsed = insights::parse(text).map_err(|error| malformed(&error, text))?;
    plan::check(&parsed).map_err(|error| malformed(&error, text))?;
    Ok(parsed)
}

pub(super) fn only_cwli(language: Option<QueryLanguage>) -> Result<(), Error> {
    match language {
        None | Some(QueryLanguage::Cwli) => Ok(()),
        Some(other) => Err(invalid(format!("Queries in {} are not supported.", other.as_str()))),
    }
}

/// The vendor's error, with the place in characters.
fn malformed(error: &ParseError, text: &str) -> Error {
    let chars = |bytes: usize| text.char_indices().take_while(|(at, _)| *at < bytes).count();
    let location = json!({ "startCharOffset": chars(error.start), "endCharOffset": chars(error.end) });
    let message = error.message.as_str();
    Error::new(&errors::MALFORMED_QUERY_EXCEPTION, message)
        .with("queryCompileError", json!({ "location": location, "message": message }))
}

pub(super) async fn stop_query(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: StopQueryRequest,
) -> Result<StopQueryResponse, Error> {
    let query = find(state, caller, &call.query_id)?;
    if !state.queries.cancel(query.id, state.intake.clock.now_ms()) {
        let message = format!("The query {} has ended already.", query.id);
        return Err(invalid(message));
    }
    Ok(StopQueryResponse { success: Some(true) })
}

pub(super) async fn describe_queries(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: DescribeQueriesRequest,
) -> Result<DescribeQueriesResponse, Error> {
    let wanted = |query: &Query| {
        call.log_group_name.as_ref().is_none_or(|name| query.groups.contains(name))
            && call.status.is_none_or(|status| query.status == status)
            && call.query_language.is_none_or(|language| language == QueryLanguage::Cwli)
    };
    let now_ms = state.intake.clock.now_ms();
    let mut found = state.queries.list(&owner(caller), now_ms);
    found.retain(wanted);
    let max = size(call.max_results, DESCRIBED_MAX);
    let (found, next_token) = page("queries", found, call.next_token.as_deref(), max)?;
    let info = |query: Query| QueryInfo {
        query_language: Some(QueryLanguage::Cwli),
        query_id: Some(query.id.to_string()),
        query_string: Some(query.text.to_string()),
        status: Some(query.status),
        create_time: Some(query.created_ms),
        log_group_name: query.groups.first().cloned(),
        query_duration: Some(query.ended_ms.unwrap_or(now_ms).saturating_sub(query.created_ms).max(0)),
        bytes_scanned: Some(query.progress.figures().bytes_scanned as f64),
        user_identity: None,
    };
    Ok(DescribeQueriesResponse { queries: Some(found.into_iter().map(info).collect()), next_token })
}

pub(super) async fn list_log_groups_for_query(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: ListLogGroupsForQueryRequest,
) -> Result<ListLogGroupsForQueryResponse, Error> {
    let query = find(state, caller, &call.query_id)?;
    let arns = query.groups.iter().map(|name| group_arn(caller, name)).collect();
    let max = size(call.max_results, LISTED_MAX);
    let (identifiers, next_token) = page("query-groups", arns, call.next_token.as_deref(), max)?;
    Ok(ListLogGroupsForQueryResponse { log_group_identifiers: Some(identifiers), next_token })
}

/// A query of the caller.
pub(super) fn find(state: &CloudWatchLogs, caller: &Caller, id: &str) -> Result<Query, Error> {
    let found = state.queries.find(&owner(caller), state.intake.clock.now_ms(), id);
    found.ok_or_else(|| not_found(format!("The query {} does not exist.", cited(id))))
}

pub(super) fn owner(caller: &Caller) -> Owner {
    Owner { environment: caller.environment, region: caller.region.clone() }
}

/// What a client sent, as an error names it.
pub(super) fn cited(text: &str) -> &str {
    const CHARS_MAX: usize = 200;
    text.char_indices().nth(CHARS_MAX).map_or(text, |(end, _)| &text[..end])
}

/// How many items a page has.
pub(super) fn size(wanted: Option<i32>, max: usize) -> usize {
    wanted
        .and_then(|wanted| usize::try_from(wanted).ok())
        .filter(|wanted| *wanted > 0)
        .unwrap_or(max)
        .min(max)
}
