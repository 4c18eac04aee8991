//! Subscription filters: put, listed and deleted. What they do with events is in `subscriptions`.

use tracery_aws_wire::Error;
use tracery_aws_wire::logs::{
    DeleteSubscriptionFilterRequest, DescribeSubscriptionFiltersRequest, DescribeSubscriptionFiltersResponse,
    Distribution, PutSubscriptionFilterRequest, SubscriptionFilter,
};
use tracery_settings::LogGroup;

use super::kept::Kept;
use super::live_tail::pattern;
use super::pages::page_by_name;
use super::{invalid, limit_exceeded, not_found};
use crate::filters::document_name;
use crate::names::find_group;
use crate::subscriptions::{Subscription, shelf, try_target};
use crate::{Caller, CloudWatchLogs};

/// Filters that one group may have.
const FILTERS_MAX: usize = 2;
const PAGE_DEFAULT: i32 = 50;
const LIST: &str = "subscription-filters";
const NO_FILTER: &str = "The specified subscription filter does not exist.";
const STANDARD: &str = "STANDARD";
/// What can be told of an event beside it.
const SYSTEM_FIELDS: [&str; 2] = ["@aws.account", "@aws.region"];

pub(super) async fn put_subscription_filter(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: PutSubscriptionFilterRequest,
) -> Result<(), Error> {
    pattern(&call.filter_pattern)?;
    if call.field_selection_criteria.is_some() {
        return Err(invalid(
            "fieldSelectionCriteria is not supported: all events of a group are of its account and region.",
        ));
    }
    if call.apply_on_transformed_logs == Some(true) {
        return Err(invalid("There are no transformed logs that the filter could apply to."));
    }
    if let Some(name) =
        call.emit_system_fields.iter().flatten().find(|name| !SYSTEM_FIELDS.contains(&name.as_str()))
    {
        return Err(invalid(format!("{name} is no system field; @aws.account and @aws.region are.")));
    }
    let group = find_group(state, caller, &call.log_group_name).await?;
    if group.class != STANDARD {
        return Err(invalid(format!("Log groups of class {} have no subscription filters.", group.class)));
    }
    let shelf = shelf(state, caller);
    let name = document_name(&group.name, &call.filter_name);
    let others = async || {
        let all = shelf.all::<Subscription>().await?;
        let own = all.iter().filter(|known| known.value.group_id == group.id && known.name != name);
        Ok::<_, Error>(own.count())
    };
    if others().await? >= FILTERS_MAX {
        return Err(limit_exceeded());
    }
    // Before anything is locked: the receiver may take its time.
    try_target(state, caller, &call.destination_arn).await?;
    let _changing = state.changes.lock().await;
    let mut stored = Subscription {
        group_id: group.id.clone(),
        account_id: caller.account_id.clone(),
        created_ms: state.intake.clock.now_ms(),
        from_ns: state.stamp_ns(),
        filter: call,
    };
    let known = shelf.find::<Subscription>(&name).await?.filter(|known| known.value.group_id == group.id);
    match &known {
        Some(known) => {
            // It goes on from where it is.
            stored.from_ns = known.value.from_ns;
            stored.created_ms = known.value.created_ms;
        }
        None if others().await? >= FILTERS_MAX => return Err(limit_exceeded()),
        None => {}
    }
    shelf.put(known.as_ref(), &name, &stored).await?;
    state.subscriptions.changed();
    Ok(())
}

pub(super) async fn delete_subscription_filter(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: DeleteSubscriptionFilterRequest,
) -> Result<(), Error> {
    let group = find_group(state, caller, &call.log_group_name).await?;
    let _changing = state.changes.lock().await;
    let shelf = shelf(state, caller);
    let known = shelf.find::<Subscription>(&document_name(&group.name, &call.filter_name)).await?;
    let known = known.filter(|known| known.value.group_id == group.id).ok_or_else(|| not_found(NO_FILTER))?;
    shelf.remove(&known.id).await?;
    state.subscriptions.changed();
    Ok(())
}

/// A deleted group has no filters any more.
pub(super) async fn forget_group(
    state: &CloudWatchLogs,
    caller: &Caller,
    group: &LogGroup,
) -> Result<(), Error> {
    shelf(state, caller).remove_all(|stored: &Subscription| stored.group_id == group.id).await?;
    state.subscriptions.changed();
    Ok(())
}

pub(super) async fn describe_subscription_filters(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: DescribeSubscriptionFiltersRequest,
) -> Result<DescribeSubscriptionFiltersResponse, Error> {
    let group = find_group(state, caller, &call.log_group_name).await?;
    let count = usize::try_from(call.limit.unwrap_or(PAGE_DEFAULT)).unwrap_or(0);
    let mut found = shelf(state, caller).all::<Subscription>().await?;
    found.retain(|kept| {
        kept.value.group_id == group.id
            && call
                .filter_name_prefix
                .as_ref()
                .is_none_or(|prefix| kept.value.filter.filter_name.starts_with(prefix))
    });
    let (found, next_token) = page_by_name(LIST, found, call.next_token.as_deref(), count)?;
    let subscription_filters = Some(found.into_iter().map(wire).collect());
    Ok(DescribeSubscriptionFiltersResponse { subscription_filters, next_token })
}

fn wire(kept: Kept<Subscription>) -> SubscriptionFilter {
    let Subscription { created_ms, filter, .. } = kept.value;
    SubscriptionFilter {
        filter_name: Some(filter.filter_name),
        log_group_name: Some(filter.log_group_name),
        filter_pattern: Some(filter.filter_pattern),
        destination_arn: Some(filter.destination_arn),
        role_arn: filter.role_arn,
        distribution: Some(filter.distribution.unwrap_or(Distribution::ByLogStream)),
        apply_on_transformed_logs: Some(false),
        creation_time: Some(created_ms),
        field_selection_criteria: None,
        emit_system_fields: filter.emit_system_fields,
    }
}
