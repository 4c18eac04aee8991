//! Destinations: names that stand for a webhook, so that subscription filters need not know its address.

use tracery_aws_wire::Error;
use tracery_aws_wire::logs::{
    DeleteDestinationRequest, DescribeDestinationsRequest, DescribeDestinationsResponse,
    Destination as DestinationShown, PutDestinationPolicyRequest, PutDestinationRequest,
    PutDestinationResponse,
};

use super::kept::Kept;
use super::pages::page_by_name;
use super::{invalid, not_found};
use crate::subscriptions::{Destination, NO_TARGET, Target, destination_arn, destinations};
use crate::{Caller, CloudWatchLogs};

const PAGE_DEFAULT: i32 = 50;
const LIST: &str = "destinations";
const NO_DESTINATION: &str = "The specified destination does not exist.";

pub(super) async fn put_destination(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: PutDestinationRequest,
) -> Result<PutDestinationResponse, Error> {
    let Some(Target::Webhook(url)) = Target::read(caller, &call.target_arn) else {
        return Err(invalid(NO_TARGET));
    };
    state.outbound.target(url).map_err(|error| invalid(format!("targetArn: {error}.")))?;
    if call.tags.is_some_and(|tags| !tags.is_empty()) {
        return Err(invalid("Destinations have no tags here."));
    }
    let _changing = state.changes.lock().await;
    let shelf = destinations(state, caller);
    let known = shelf.find::<Destination>(&call.destination_name).await?;
    let stored = Destination {
        target_arn: call.target_arn,
        role_arn: call.role_arn,
        access_policy: known.as_ref().and_then(|known| known.value.access_policy.clone()),
        created_ms: known.as_ref().map_or(state.intake.clock.now_ms(), |known| known.value.created_ms),
    };
    shelf.put(known.as_ref(), &call.destination_name, &stored).await?;
    Ok(PutDestinationResponse { destination: Some(wire(caller, call.destination_name, stored)) })
}

pub(super) async fn put_destination_policy(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: PutDestinationPolicyRequest,
) -> Result<(), Error> {
    if serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&call.access_policy).is_err() {
        return Err(invalid("accessPolicy is not a policy document in JSON."));
    }
    let _changing = state.changes.lock().await;
    let shelf = destinations(state, caller);
    let known = shelf.find::<Destination>(&call.destination_name).await?;
    let Kept { id, mut value, .. } = known.ok_or_else(|| invalid(NO_DESTINATION))?;
    value.access_policy = Some(call.access_policy);
    shelf.replace(&id, Some(&call.destination_name), &value).await?;
    Ok(())
}

pub(super) async fn describe_destinations(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: DescribeDestinationsRequest,
) -> Result<DescribeDestinationsResponse, Error> {
    let count = usize::try_from(call.limit.unwrap_or(PAGE_DEFAULT)).unwrap_or(0);
    let mut found = destinations(state, caller).all::<Destination>().await?;
    found.retain(|kept| {
        call.destination_name_prefix.as_ref().is_none_or(|prefix| kept.name.starts_with(prefix))
    });
    let (found, next_token) = page_by_name(LIST, found, call.next_token.as_deref(), count)?;
    let shown = found.into_iter().map(|kept| wire(caller, kept.name, kept.value));
    Ok(DescribeDestinationsResponse { destinations: Some(shown.collect()), next_token })
}

pub(super) async fn delete_destination(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: DeleteDestinationRequest,
) -> Result<(), Error> {
    let _changing = state.changes.lock().await;
    let shelf = destinations(state, caller);
    let known = shelf.find::<Destination>(&call.destination_name).await?;
    let known = known.ok_or_else(|| not_found(NO_DESTINATION))?;
    shelf.remove(&known.id).await?;
    Ok(())
}

fn wire(caller: &Caller, name: String, stored: Destination) -> DestinationShown {
    DestinationShown {
        arn: Some(destination_arn(caller, &name)),
        destination_name: Some(name),
        target_arn: Some(stored.target_arn),
        role_arn: Some(stored.role_arn),
        access_policy: stored.access_policy,
        creation_time: Some(stored.created_ms),
    }
}
