//! The log groups that a query looks into: names and ARNs of the caller's account and region become what may be read of
//! them. StartQuery, the schedule and the operations on single groups ask here.

use std::collections::BTreeSet;

use tracery_aws_wire::Error;
use tracery_aws_wire::logs::errors;
use tracery_model::EnvironmentId;
use tracery_query::languages::insights::Query;
use tracery_query::languages::insights::plan::{Group, SourceGroups, source_groups};
use tracery_settings::LogGroup;
use uuid::Uuid;

use crate::names::{group_name, region};
use crate::operations::unavailable;
use crate::{Caller, CloudWatchLogs};

/// Groups that one query may name.
pub(crate) const GROUPS_MAX: usize = 50;
/// Groups that a query's prefixes may give.
const GROUPS_BY_PREFIX_MAX: usize = 10_000;
const DAY_NS: i64 = 24 * 60 * 60 * 1_000_000_000;

/// Whether a query names its log groups itself.
pub(crate) fn has_source(query: &Query) -> bool {
    source_groups(query).is_some()
}

/// The groups that a request names, each by its name or its ARN.
pub(crate) async fn named(
    state: &CloudWatchLogs,
    caller: &Caller,
    identifiers: &[String],
) -> Result<Vec<Group>, Error> {
    let mut names = BTreeSet::new();
    for identifier in identifiers {
        names.insert(group_name(caller, identifier)?);
    }
    let mut groups = Vec::with_capacity(names.len());
    for name in names {
        groups.push(find(state, caller, name).await?);
    }
    Ok(groups)
}

/// The groups that a query's SOURCE names.
pub(crate) async fn sources(
    state: &CloudWatchLogs,
    caller: &Caller,
    query: &Query,
) -> Result<Vec<Group>, Error> {
    let Some(source) = source_groups(query) else { return Ok(Vec::new()) };
    let SourceGroups { names, prefixes, classes } = source;
    let mut found = named(state, caller, &names).await?;
    let place = region(caller);
    for prefix in prefixes {
        let groups = state.intake.settings.log_groups(place, &prefix, "", GROUPS_BY_PREFIX_MAX as i64 + 1);
        for group in groups.await.map_err(unavailable)? {
            let has_class = classes.is_empty() || classes.contains(&group.class);
            if has_class && found.iter().all(|known| known.name != group.name) {
                found.push(readable(state, &group).await?);
            }
            if found.len() > GROUPS_BY_PREFIX_MAX {
                let message = "The prefixes of SOURCE give too many log groups.";
                return Err(Error::new(&errors::LIMIT_EXCEEDED_EXCEPTION, message));
            }
        }
    }
    Ok(found)
}

/// One group by name.
pub(crate) async fn find(state: &CloudWatchLogs, caller: &Caller, name: &str) -> Result<Group, Error> {
    let place = region(caller);
    let found = state.intake.settings.log_group(place, name).await.map_err(unavailable)?;
    let group = found.ok_or_else(|| missing(caller, name))?;
    readable(state, &group).await
}

/// What of a group may be read: what came since it and its streams were made, and is not too old.
async fn readable(state: &CloudWatchLogs, group: &LogGroup) -> Result<Group, Error> {
    let gone = state.intake.settings.deleted_log_streams(&group.id).await.map_err(unavailable)?;
    let now_ns = state.intake.clock.now_ns();
    let oldest_ns = group.retention_days.map(|days| now_ns.saturating_sub(days.saturating_mul(DAY_NS)));
    Ok(Group {
        name: group.name.clone(),
        received_from_ns: group.created_ns,
        oldest_ns: oldest_ns.unwrap_or(i64::MIN),
        gone,
    })
}

/// A caller that nobody is: whoever scheduled a query, when it runs.
pub(crate) fn owner(environment: EnvironmentId, region: &str) -> Caller {
    Caller::new(environment, region)
}

fn missing(caller: &Caller, name: &str) -> Error {
    const CHARS_MAX: usize = 512;
    let cited: String = name.chars().take(CHARS_MAX).collect();
    let code = errors::RESOURCE_NOT_FOUND_EXCEPTION.code;
    let message = format!(
        "Log group '{cited}' does not exist for account ID '{}' (Service: AWSLogs; Status Code: 400; Error Code: {code}; \
         Request ID: {}; Proxy: null)",
        caller.account_id,
        Uuid::new_v4()
    );
    Error::new(&errors::RESOURCE_NOT_FOUND_EXCEPTION, message)
}
