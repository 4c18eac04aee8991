//! Groups: named filter expressions. Dashboards list and choose them, the graph and the list of traces are asked for one
//! through [`group`]. Every account has a group `Default`, which takes everything and cannot be made or deleted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tracery_aws_wire::Error;
use tracery_aws_wire::xray::{
    CreateGroupRequest, CreateGroupResult, DeleteGroupRequest, DeleteGroupResult, GetGroupRequest,
    GetGroupResult, GetGroupsRequest, GetGroupsResult, Group as WireGroup, GroupSummary,
    InsightsConfiguration, UpdateGroupRequest, UpdateGroupResult,
};
use tracery_query::languages::xray::parse;
use tracery_settings::DocumentKind;

use super::kept::{Kept, NameOrArn, Shelf, arn, one_of, resource};
use super::pages::page;
use super::{invalid, tags};
use crate::{Caller, XRay};

/// The group that every account has.
const DEFAULT: &str = "Default";
/// Groups of an account besides the default one, as the vendor's quota.
const GROUPS_MAX: usize = 25;
const GROUPS_PER_PAGE: usize = 100;

/// A group as questions use it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) arn: String,
    /// As it was sent, known to parse; `None` takes everything.
    pub(crate) expression: Option<String>,
    /// When the expression was last replaced, ms since 1970; 0 for one that never was. Earlier traces were matched by
    /// another one.
    pub(crate) expression_changed_ms: i64,
    pub(crate) insights: InsightsConfiguration,
}

/// A group in the settings database.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct KeptGroup {
    expression: Option<String>,
    expression_changed_ms: i64,
    insights: InsightsConfiguration,
    pub(super) tags: BTreeMap<String, String>,
}

/// The group that a request names by name or by ARN; `None` when it names none. `InvalidRequestException` when it names
/// both, or one that does not exist.
pub(crate) async fn group(
    state: &XRay,
    caller: &Caller,
    name: Option<&str>,
    arn: Option<&str>,
) -> Result<Option<Group>, Error> {
    if name.is_none() && arn.is_none() {
        return Ok(None);
    }
    let kept = named(state, caller, name, arn).await?;
    Ok(Some(group_of(caller, &kept)))
}

/// Every group of the account, for expressions that name groups.
pub(crate) async fn groups(state: &XRay, caller: &Caller) -> Result<Vec<Group>, Error> {
    Ok(all(state, caller).await?.iter().map(|kept| group_of(caller, kept)).collect())
}

pub(super) async fn create_group(
    state: &XRay,
    caller: &Caller,
    call: CreateGroupRequest,
) -> Result<CreateGroupResult, Error> {
    let name = call.group_name;
    if name == DEFAULT {
        return Err(invalid("A group named Default exists in every account and cannot be made."));
    }
    if name.trim() != name || name.chars().any(char::is_control) {
        return Err(invalid(format!("The group name '{}' is not valid.", name.escape_debug())));
    }
    let value = KeptGroup {
        expression: checked(call.filter_expression)?,
        expression_changed_ms: 0,
        insights: insights(&no_insights(), call.insights_configuration)?,
        tags: tags::of_new(call.tags)?,
    };
    let _changing = state.changes.lock().await;
    let shelf = shelf(state, caller);
    let groups = shelf.all::<KeptGroup>().await?;
    if groups.iter().any(|group| group.name == name) {
        return Err(invalid(format!("A group named {name} already exists.")));
    }
    let full = || invalid(format!("There can be {GROUPS_MAX} groups besides Default."));
    if groups.iter().filter(|group| group.name != DEFAULT).count() >= GROUPS_MAX {
        return Err(full());
    }
    let made = shelf.add(&name, value).await?.ok_or_else(full)?;
    Ok(CreateGroupResult { group: Some(wire(group_of(caller, &made))) })
}

pub(super) async fn get_group(
    state: &XRay,
    caller: &Caller,
    call: GetGroupRequest,
) -> Result<GetGroupResult, Error> {
    let kept = named(state, caller, call.group_name.as_deref(), call.group_arn.as_deref()).await?;
    Ok(GetGroupResult { group: Some(wire(group_of(caller, &kept))) })
}

pub(super) async fn get_groups(
    state: &XRay,
    caller: &Caller,
    call: GetGroupsRequest,
) -> Result<GetGroupsResult, Error> {
    let groups = all(state, caller).await?;
    let (groups, next_token) = page("groups", groups, call.next_token.as_deref(), GROUPS_PER_PAGE)?;
    let summary = |kept: &Kept<KeptGroup>| {
        let group = wire(group_of(caller, kept));
        GroupSummary {
            group_name: group.group_name,
            group_arn: group.group_arn,
            filter_expression: group.filter_expression,
            insights_configuration: group.insights_configuration,
        }
    };
    Ok(GetGroupsResult { groups: Some(groups.iter().map(summary).collect()), next_token })
}

pub(super) async fn update_group(
    state: &XRay,
    caller: &Caller,
    call: UpdateGroupRequest,
) -> Result<UpdateGroupResult, Error> {
    let _changing = state.changes.lock().await;
    let mut kept = named(state, caller, call.group_name.as_deref(), call.group_arn.as_deref()).await?;
    if let Some(expression) = call.filter_expression {
        if kept.name == DEFAULT && !expression.is_empty() {
            return Err(invalid("The Default group takes all traces and has no filter expression."));
        }
        let expression = checked(Some(expression))?;
        if expression != kept.value.expression {
            kept.value.expression = expression;
            kept.value.expression_changed_ms = state.intake.clock.now_ms();
        }
    }
    kept.value.insights = insights(&kept.value.insights, call.insights_configuration)?;
    save(state, caller, &kept).await?;
    Ok(UpdateGroupResult { group: Some(wire(group_of(caller, &kept))) })
}

pub(super) async fn delete_group(
    state: &XRay,
    caller: &Caller,
    call: DeleteGroupRequest,
) -> Result<DeleteGroupResult, Error> {
    let _changing = state.changes.lock().await;
    let kept = named(state, caller, call.group_name.as_deref(), call.group_arn.as_deref()).await?;
    if kept.name == DEFAULT {
        return Err(invalid("The Default group cannot be deleted."));
    }
    shelf(state, caller).remove(&kept.id).await?;
    Ok(DeleteGroupResult {})
}

/// The group with this ARN, for its tags.
pub(super) async fn of_arn(
    state: &XRay,
    caller: &Caller,
    arn: &str,
) -> Result<Option<Kept<KeptGroup>>, Error> {
    let Some(resource) = resource(caller, arn) else { return Ok(None) };
    let groups = all(state, caller).await?;
    Ok(groups.into_iter().find(|group| resource_of(group) == resource))
}

/// Stores a changed group. The default one is first stored when it is first changed.
pub(super) async fn save(state: &XRay, caller: &Caller, kept: &Kept<KeptGroup>) -> Result<(), Error> {
    match kept.name == DEFAULT {
        true => shelf(state, caller).put(DEFAULT, kept.value.clone()).await,
        false => shelf(state, caller).replace(kept).await,
    }
}

fn shelf<'a>(state: &'a XRay, caller: &Caller) -> Shelf<'a> {
    Shelf::new(state, caller, DocumentKind::XRayGroup)
}

/// The default one first, the others by name.
async fn all(state: &XRay, caller: &Caller) -> Result<Vec<Kept<KeptGroup>>, Error> {
    let mut groups = shelf(state, caller).all::<KeptGroup>().await?;
    if !groups.iter().any(|group| group.name == DEFAULT) {
        let value = KeptGroup { insights: no_insights(), ..KeptGroup::default() };
        groups.push(Kept { id: String::new(), name: DEFAULT.to_owned(), value });
    }
    groups.sort_by(|a, b| (a.name != DEFAULT, &a.name).cmp(&(b.name != DEFAULT, &b.name)));
    Ok(groups)
}

async fn named(
    state: &XRay,
    caller: &Caller,
    name: Option<&str>,
    arn: Option<&str>,
) -> Result<Kept<KeptGroup>, Error> {
    let wanted = one_of(name, arn).map_err(|reason| invalid(format!("Which group: {reason}.")))?;
    let found = match wanted {
        NameOrArn::Name(name) => all(state, caller).await?.into_iter().find(|group| group.name == name),
        NameOrArn::Arn(arn) => of_arn(state, caller, arn).await?,
    };
    found.ok_or_else(|| match wanted {
        NameOrArn::Name(text) | NameOrArn::Arn(text) => invalid(format!("Group {text} does not exist.")),
    })
}

/// What stands behind the account in a group's ARN. A group made again under its old name has another one.
fn resource_of(kept: &Kept<KeptGroup>) -> String {
    match kept.name == DEFAULT {
        true => format!("group/{DEFAULT}"),
        false => format!("group/{}/{}", kept.name, kept.id),
    }
}

fn group_of(caller: &Caller, kept: &Kept<KeptGroup>) -> Group {
    Group {
        name: kept.name.clone(),
        arn: arn(caller, &resource_of(kept)),
        expression: kept.value.expression.clone(),
        expression_changed_ms: kept.value.expression_changed_ms,
        insights: kept.value.insights.clone(),
    }
}

fn wire(group: Group) -> WireGroup {
    WireGroup {
        group_name: Some(group.name),
        group_arn: Some(group.arn),
        filter_expression: group.expression,
        insights_configuration: Some(group.insights),
    }
}

/// A filter expression that parses, kept as it was sent.
fn checked(expression: Option<String>) -> Result<Option<String>, Error> {
    let Some(expression) = expression.filter(|expression| !expression.trim().is_empty()) else {
        return Ok(None);
    };
    parse(&expression).map_err(|error| invalid(format!("The FilterExpression is not valid: {error}")))?;
    Ok(Some(expression))
}

fn no_insights() -> InsightsConfiguration {
    InsightsConfiguration { insights_enabled: Some(false), notifications_enabled: Some(false) }
}

fn insights(
    before: &InsightsConfiguration,
    sent: Option<InsightsConfiguration>,
) -> Result<InsightsConfiguration, Error> {
    let sent = sent.unwrap_or_default();
    let insights_enabled = sent.insights_enabled.or(before.insights_enabled);
    // Notifications go with insights.
    let notified = match sent.insights_enabled {
        Some(false) => Some(false),
        _ => before.notifications_enabled,
    };
    let notifications_enabled = sent.notifications_enabled.or(notified);
    if notifications_enabled == Some(true) && insights_enabled != Some(true) {
        return Err(invalid("NotificationsEnabled needs InsightsEnabled."));
    }
    Ok(InsightsConfiguration { insights_enabled, notifications_enabled })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notifications_need_insights() {
        let on = |insights, notifications| InsightsConfiguration {
            insights_enabled: insights,
            notifications_enabled: notifications,
        };
        let both = on(Some(true), Some(true));
        for (before, sent, after) in [
            (no_insights(), on(None, None), Some(no_insights())),
            (no_insights(), on(None, Some(true)), None),
            (no_insights(), on(Some(true), Some(true)), Some(both.clone())),
            (both.clone(), on(Some(false), None), Some(no_insights())),
            (both.clone(), on(Some(false), Some(true)), None),
            (both.clone(), on(None, Some(false)), Some(on(Some(true), Some(false)))),
        ] {
            assert_eq!(insights(&before, Some(sent.clone())).ok(), after, "{before:?} {sent:?}");
        }
    }

    #[test]
    fn an_expression_is_kept_as_it_was_sent() {
        for (sent, kept) in [
            (None, Some(None)),
            (Some("  "), Some(None)),
            (Some("service(\"a\")  AND  !ok"), Some(Some("service(\"a\")  AND  !ok"))),
            (Some("service("), None),
        ] {
            let found = checked(sent.map(str::to_owned)).ok();
            assert_eq!(found.as_ref().map(Option::as_deref), kept, "{sent:?}");
        }
    }
}
