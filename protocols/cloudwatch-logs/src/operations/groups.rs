//! Log groups: made, changed, listed, deleted. What is kept of one is in the settings; its events are rows of the store
//! that nobody reads once the group is gone.

use std::collections::BTreeSet;

use tracery_aws_wire::Error;
use tracery_aws_wire::logs::{
    CreateLogGroupRequest, DeleteLogGroupRequest, DeleteRetentionPolicyRequest, DescribeLogGroupsRequest,
    DescribeLogGroupsResponse, ListLogGroupsRequest, ListLogGroupsResponse, LogGroup as WireGroup,
    LogGroupClass, LogGroupSummary, PutLogGroupDeletionProtectionRequest, PutRetentionPolicyRequest,
    TagFilter, errors,
};
use tracery_settings::{LogGroup, LogGroupChange, NewLogGroup, SettingsError};

use super::{
    invalid, limit_exceeded, metric_filters, not_found, pages, subscription_filters, tags, unavailable,
};
use crate::filters::Rules;
use crate::names::{self, find_group, group_arn, group_name};
use crate::{Caller, CloudWatchLogs};

/// Days that events may be kept; no others.
const RETENTION_DAYS: [i32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];
/// What groups of the class DELIVERY keep.
const DELIVERY_DAYS: i64 = 1;
const PAGE_DEFAULT: i32 = 50;
/// Groups that are read at a time, and how often, when a list shows only some of them: a page may be short.
const SCAN_GROUPS: i64 = 1_000;
const SCANS_MAX: usize = 20;
const RESERVED: &str = "aws/";

pub(super) async fn create_log_group(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: CreateLogGroupRequest,
) -> Result<(), Error> {
    let name = call.log_group_name;
    if name.get(..RESERVED.len()).is_some_and(|start| start.eq_ignore_ascii_case(RESERVED)) {
        return Err(invalid("Log groups starting with AWS/ are reserved for AWS."));
    }
    let class = call.log_group_class.unwrap_or(LogGroupClass::Standard);
    let new = NewLogGroup {
        class: class.as_str().to_owned(),
        retention_days: (class == LogGroupClass::Delivery).then_some(DELIVERY_DAYS),
        kms_key_id: call.kms_key_id,
        delete_protected: call.deletion_protection_enabled.unwrap_or(false),
        tags: tags::of_new(call.tags.unwrap_or_default())?,
        created_ns: state.stamp_ns(),
        name,
    };
    match state.intake.settings.create_log_group(names::region(caller), &new).await {
        Ok(()) => Ok(()),
        Err(SettingsError::Exists(_)) => {
            let message = "The specified log group already exists";
            Err(Error::new(&errors::RESOURCE_ALREADY_EXISTS_EXCEPTION, message))
        }
        Err(SettingsError::Full { .. }) => Err(limit_exceeded()),
        Err(error) => Err(unavailable(error)),
    }
}

pub(super) async fn delete_log_group(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: DeleteLogGroupRequest,
) -> Result<(), Error> {
    let group = find_group(state, caller, &call.log_group_name).await?;
    if state.intake.settings.delete_log_group(&group.id).await.map_err(unavailable)? {
        metric_filters::forget_group(state, caller, &group).await?;
        subscription_filters::forget_group(state, caller, &group).await?;
        return Ok(());
    }
    // It was protected, or somebody else deleted it meanwhile.
    find_group(state, caller, &call.log_group_name).await?;
    Err(is_protected())
}

/// The error of a deletion that a protected group does not allow.
pub(super) fn is_protected() -> Error {
    let message =
        "The specified log group has deletion protection enabled. Disable deletion protection and try again.";
    Error::new(&errors::VALIDATION_EXCEPTION, message)
}

pub(super) async fn put_retention_policy(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: PutRetentionPolicyRequest,
) -> Result<(), Error> {
    let days = call.retention_in_days;
    if !RETENTION_DAYS.contains(&days) {
        let allowed = RETENTION_DAYS.map(|days| days.to_string()).join(", ");
        return Err(invalid(format!(
            "1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: \
             Member must satisfy enum value set: [{allowed}]"
        )));
    }
    change(state, caller, &call.log_group_name, LogGroupChange::RetentionDays(Some(days.into()))).await
}

pub(super) async fn delete_retention_policy(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: DeleteRetentionPolicyRequest,
) -> Result<(), Error> {
    change(state, caller, &call.log_group_name, LogGroupChange::RetentionDays(None)).await
}

pub(super) async fn put_log_group_deletion_protection(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: PutLogGroupDeletionProtectionRequest,
) -> Result<(), Error> {
    let name = group_name(caller, &call.log_group_identifier)?;
    change(state, caller, name, LogGroupChange::DeleteProtected(call.deletion_protection_enabled)).await
}

async fn change(
    state: &CloudWatchLogs,
    caller: &Caller,
    name: &str,
    change: LogGroupChange,
) -> Result<(), Error> {
    let group = find_group(state, caller, name).await?;
    match state.intake.settings.change_log_group(&group.id, &change).await.map_err(unavailable)? {
        true => Ok(()),
        false => Err(not_found("The specified log group does not exist.")),
    }
}

pub(super) async fn describe_log_groups(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: DescribeLogGroupsRequest,
) -> Result<DescribeLogGroupsResponse, Error> {
    if call.log_group_name_prefix.is_some() && call.log_group_name_pattern.is_some() {
        return Err(invalid(
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
        ));
    }
    state.figures.write(&state.intake.settings).await.map_err(unavailable)?;
    let rules = state.filters.of_region(state, caller).await?;
    if let Some(identifiers) = &call.log_group_identifiers {
        if call.log_group_name_prefix.is_some() || call.log_group_name_pattern.is_some() {
            return Err(invalid(
                "LogGroup identifiers and LogGroup name prefix or pattern are mutually exclusive parameters.",
            ));
        }
        return identified(state, caller, identifiers, (call.log_group_class, &rules)).await;
    }
    let pattern = call.log_group_name_pattern.filter(|pattern| !pattern.is_empty());
    let is_shown = |group: &LogGroup| {
        pattern.as_ref().is_none_or(|pattern| group.name.contains(pattern.as_str()))
            && call.log_group_class.is_none_or(|class| group.class == class.as_str())
    };
    let list = List {
        name: "groups",
        prefix: call.log_group_name_prefix.as_deref().unwrap_or_default(),
        token: call.next_token.as_deref(),
        count_max: call.limit.unwrap_or(PAGE_DEFAULT),
        is_ours: is_our_account(caller, call.account_identifiers.as_deref()),
        shows_all: pattern.is_none() && call.log_group_class.is_none(),
    };
    let (groups, next_token) = list.page(state, caller, is_shown).await?;
    let log_groups = groups.into_iter().map(|group| {
        let mut shown = shown(caller, group, &rules);
        if pattern.is_some() {
            // The vendor leaves it out of what was found by a pattern.
            shown.stored_bytes = None;
        }
        shown
    });
    Ok(DescribeLogGroupsResponse { log_groups: Some(log_groups.collect()), next_token })
}

async fn identified(
    state: &CloudWatchLogs,
    caller: &Caller,
    identifiers: &[String],
    (class, rules): (Option<LogGroupClass>, &Rules),
) -> Result<DescribeLogGroupsResponse, Error> {
    let mut groups = Vec::new();
    for name in identifiers
        .iter()
        .map(|identifier| group_name(caller, identifier))
        .collect::<Result<BTreeSet<_>, _>>()?
    {
        let found =
            state.intake.settings.log_group(names::region(caller), name).await.map_err(unavailable)?;
        if let Some(group) = found.filter(|group| class.is_none_or(|class| group.class == class.as_str())) {
            groups.push(shown(caller, group.as_ref().clone(), rules));
        }
    }
    Ok(DescribeLogGroupsResponse { log_groups: Some(groups), next_token: None })
}

/// Whether a list for these accounts has the caller's groups.
fn is_our_account(caller: &Caller, accounts: Option<&[String]>) -> bool {
    accounts.is_none_or(|accounts| accounts.is_empty() || accounts.contains(&caller.account_id))
}

/// A list of groups, in pages.
struct List<'a> {
    name: &'static str,
    prefix: &'a str,
    token: Option<&'a str>,
    count_max: i32,
    /// Otherwise there is nothing in it.
    is_ours: bool,
    /// Whether no group is left out of it.
    shows_all: bool,
}

impl List<'_> {
    async fn page(
        &self,
        state: &CloudWatchLogs,
        caller: &Caller,
        is_shown: impl Fn(&LogGroup) -> bool,
    ) -> Result<(Vec<LogGroup>, Option<String>), Error> {
        let mut after = match self.token {
            Some(token) => {
                let [after] = pages::parts(self.name, token)?;
                after
            }
            None => String::new(),
        };
        let count_max = usize::try_from(self.count_max).unwrap_or(1);
        // Where all are shown, one more than the page says whether there is another.
        let scan_groups = if self.shows_all { i64::from(self.count_max) + 1 } else { SCAN_GROUPS };
        let mut page = Vec::new();
        if !self.is_ours {
            return Ok((page, None));
        }
        for _ in 0..SCANS_MAX {
            let place = names::region(caller);
            let groups = state.intake.settings.log_groups(place, self.prefix, &after, scan_groups).await;
            let groups = groups.map_err(unavailable)?;
            let is_last = groups.len() < usize::try_from(scan_groups).unwrap_or(usize::MAX);
            for group in groups {
                if page.len() == count_max {
                    return Ok((page, Some(pages::token(self.name, &[&after]))));
                }
                after.clone_from(&group.name);
                if is_shown(&group) {
                    page.push(group);
                }
            }
            if is_last {
                return Ok((page, None));
            }
        }
        Ok((page, Some(pages::token(self.name, &[&after]))))
    }
}

fn shown(caller: &Caller, group: LogGroup, rules: &Rules) -> WireGroup {
    let arn = group_arn(caller, &group.name);
    WireGroup {
        creation_time: Some(group.created_ns / 1_000_000),
        retention_in_days: group.retention_days.and_then(|days| i32::try_from(days).ok()),
        metric_filter_count: Some(
            rules.get(&group.id).map_or(0, |rules| i32::try_from(rules.len()).unwrap_or(0)),
        ),
        arn: Some(format!("{arn}:*")),
        stored_bytes: Some(group.byte_count.max(0)),
        kms_key_id: group.kms_key_id,
        data_protection_status: None,
        inherited_properties: None,
        log_group_class: class(&group.class),
        log_group_arn: Some(arn),
        deletion_protection_enabled: Some(group.delete_protected),
        bearer_token_authentication_enabled: None,
        retention_policy_name: None,
        log_group_name: Some(group.name),
    }
}

fn class(word: &str) -> Option<LogGroupClass> {
    let all = [
        LogGroupClass::Standard,
        LogGroupClass::InfrequentAccess,
        LogGroupClass::Delivery,
        LogGroupClass::Essentials,
    ];
    all.into_iter().find(|class| class.as_str() == word)
}

pub(super) async fn list_log_groups(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: ListLogGroupsRequest,
) -> Result<ListLogGroupsResponse, Error> {
    // Groups have neither here: no group is what such a list asks for.
    let wants_none = call.data_sources.is_some_and(|sources| !sources.is_empty())
        || call.field_index_names.is_some_and(|names| !names.is_empty());
    let is_shown = |group: &LogGroup| {
        call.log_group_name_pattern.as_ref().is_none_or(|pattern| fits(pattern, &group.name))
            && call.log_group_class.is_none_or(|class| group.class == class.as_str())
            && call.log_group_tags.iter().flatten().all(|filter| has_tag(group, filter))
    };
    let list = List {
        name: "list",
        prefix: "",
        token: call.next_token.as_deref(),
        count_max: call.limit.unwrap_or(PAGE_DEFAULT),
        is_ours: !wants_none && is_our_account(caller, call.account_identifiers.as_deref()),
        shows_all: false,
    };
    let (groups, next_token) = list.page(state, caller, is_shown).await?;
    let log_groups = groups.into_iter().map(|group| LogGroupSummary {
        log_group_arn: Some(group_arn(caller, &group.name)),
        log_group_class: class(&group.class),
        log_group_name: Some(group.name),
    });
    Ok(ListLogGroupsResponse { log_groups: Some(log_groups.collect()), next_token })
}

fn has_tag(group: &LogGroup, filter: &TagFilter) -> bool {
    let values = filter.values.as_deref().unwrap_or_default();
    group.tags.get(&filter.key).is_some_and(|value| values.is_empty() || values.contains(value))
}

/// Whether a name has one of the parts of a pattern such as `^/aws/|web`.
fn fits(pattern: &str, name: &str) -> bool {
    pattern.split('|').any(|part| match part.strip_prefix('^') {
        Some(prefix) => name.starts_with(prefix),
        None => name.contains(part),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_a_pattern_by_a_prefix_or_a_part() {
        for (pattern, name, fine) in [
            ("web", "/aws/web/1", true),
            ("^web", "/aws/web/1", false),
            ("^/aws|db1", "/aws/x", true),
            ("^/aws|db1", "my-db1", true),
            ("^/aws|db1", "DB1", false),
        ] {
            assert_eq!(fits(pattern, name), fine, "{pattern} {name}");
        }
    }
}
