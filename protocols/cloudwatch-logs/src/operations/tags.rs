//! Tags of log groups, in both families of operations: by ARN, and the older ones by name. They are stored with their
//! group and go with it.

use std::collections::BTreeMap;

use tracery_aws_wire::Error;
use tracery_aws_wire::logs::{
    ListTagsForResourceRequest, ListTagsForResourceResponse, ListTagsLogGroupRequest,
    ListTagsLogGroupResponse, TagLogGroupRequest, TagResourceRequest, UntagLogGroupRequest,
    UntagResourceRequest, errors,
};
use tracery_settings::{LogGroup, LogGroupChange};

use super::{invalid, not_found, unavailable};
use crate::names::{find_group, group_name};
use crate::{Caller, CloudWatchLogs};

const TAGS_MAX: usize = 50;
/// Keys that begin with it are the vendor's own, in any case of letters.
const RESERVED: &str = "aws:";

type Tags = BTreeMap<String, String>;

/// The tags of a group that is being made.
pub(super) fn of_new(tags: Tags) -> Result<Tags, Error> {
    check(&tags)?;
    Ok(tags)
}

fn check(tags: &Tags) -> Result<(), Error> {
    let is_reserved =
        |key: &&String| key.get(..RESERVED.len()).is_some_and(|start| start.eq_ignore_ascii_case(RESERVED));
    match tags.keys().find(is_reserved) {
        Some(key) => Err(invalid(format!("The tag key {key} is reserved, as all that begin with aws:."))),
        None => Ok(()),
    }
}

pub(super) async fn tag_resource(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: TagResourceRequest,
) -> Result<(), Error> {
    let too_many = || {
        let message = format!("A resource can have {TAGS_MAX} tags.");
        Error::new(&errors::TOO_MANY_TAGS_EXCEPTION, message).with("resourceName", call.resource_arn.as_str())
    };
    let name = of_arn(caller, &call.resource_arn)?;
    change(state, caller, name, |tags| add(tags, &call.tags, too_many)).await
}

pub(super) async fn tag_log_group(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: TagLogGroupRequest,
) -> Result<(), Error> {
    let too_many = || invalid(format!("A resource can have {TAGS_MAX} tags."));
    change(state, caller, &call.log_group_name, |tags| add(tags, &call.tags, too_many)).await
}

/// Keys that it does not have are fine.
pub(super) async fn untag_resource(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: UntagResourceRequest,
) -> Result<(), Error> {
    let name = of_arn(caller, &call.resource_arn)?;
    change(state, caller, name, |tags| remove(tags, &call.tag_keys)).await
}

pub(super) async fn untag_log_group(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: UntagLogGroupRequest,
) -> Result<(), Error> {
    change(state, caller, &call.log_group_name, |tags| remove(tags, &call.tags)).await
}

pub(super) async fn list_tags_for_resource(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: ListTagsForResourceRequest,
) -> Result<ListTagsForResourceResponse, Error> {
    let group = find_group(state, caller, of_arn(caller, &call.resource_arn)?).await?;
    Ok(ListTagsForResourceResponse { tags: Some(group.tags.clone()) })
}

pub(super) async fn list_tags_log_group(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: ListTagsLogGroupRequest,
) -> Result<ListTagsLogGroupResponse, Error> {
    let group = find_group(state, caller, &call.log_group_name).await?;
    Ok(ListTagsLogGroupResponse { tags: Some(group.tags.clone()) })
}

fn of_arn<'a>(caller: &Caller, arn: &'a str) -> Result<&'a str, Error> {
    match arn.starts_with("arn:") {
        true => group_name(caller, arn),
        false => Err(invalid(format!("{arn} is not an ARN."))),
    }
}

fn add(tags: &mut Tags, added: &Tags, too_many: impl FnOnce() -> Error) -> Result<(), Error> {
    check(added)?;
    tags.extend(added.clone());
    match tags.len() > TAGS_MAX {
        true => Err(too_many()),
        false => Ok(()),
    }
}

fn remove(tags: &mut Tags, keys: &[String]) -> Result<(), Error> {
    for key in keys {
        tags.remove(key);
    }
    Ok(())
}

async fn change(
    state: &CloudWatchLogs,
    caller: &Caller,
    name: &str,
    apply: impl FnOnce(&mut Tags) -> Result<(), Error>,
) -> Result<(), Error> {
    let _changing = state.changes.lock().await;
    let group = find_group(state, caller, name).await?;
    let LogGroup { id, tags, .. } = group.as_ref();
    let mut tags = tags.clone();
    apply(&mut tags)?;
    let changed = state.intake.settings.change_log_group(id, &LogGroupChange::Tags(tags)).await;
    match changed.map_err(unavailable)? {
        true => Ok(()),
        false => Err(not_found("The specified log group does not exist.")),
    }
}
