//! Where trace segments go. Both of the vendor's destinations are one here: all that is sent can be asked for through
//! every operation, so the choice is stored and reported and moves nothing.

use serde::{Deserialize, Serialize};
use tracery_aws_wire::Error;
use tracery_aws_wire::xray::{
    GetTraceSegmentDestinationRequest, GetTraceSegmentDestinationResult, TraceSegmentDestination,
    TraceSegmentDestinationStatus, UpdateTraceSegmentDestinationRequest, UpdateTraceSegmentDestinationResult,
};
use tracery_settings::DocumentKind;

use super::encryption::is_key;
use super::invalid;
use super::kept::Shelf;
use crate::{Caller, XRay};

const NAME: &str = "destination";

/// The setting in the database.
#[derive(Debug, Serialize, Deserialize)]
struct Destination {
    destination: TraceSegmentDestination,
    kms_key_id: Option<String>,
}

pub(super) async fn get_trace_segment_destination(
    state: &XRay,
    caller: &Caller,
    _call: GetTraceSegmentDestinationRequest,
) -> Result<GetTraceSegmentDestinationResult, Error> {
    Ok(GetTraceSegmentDestinationResult {
        destination: Some(current(state, caller).await?.destination),
        status: Some(TraceSegmentDestinationStatus::Active),
    })
}

/// The answer says `PENDING`, as clients expect that then wait for `ACTIVE`; it is so at once.
pub(super) async fn update_trace_segment_destination(
    state: &XRay,
    caller: &Caller,
    call: UpdateTraceSegmentDestinationRequest,
) -> Result<UpdateTraceSegmentDestinationResult, Error> {
    let _changing = state.changes.lock().await;
    let before = current(state, caller).await?;
    let destination = call.destination.unwrap_or(before.destination);
    let sent_key = call.cloud_watch_logs_configuration.and_then(|config| config.spans_log_group_kms_key_id);
    let is_logs = destination == TraceSegmentDestination::CloudWatchLogs;
    if sent_key.is_some() && !is_logs {
        return Err(invalid("CloudWatchLogsConfiguration is for the destination CloudWatchLogs."));
    }
    if sent_key.as_deref().is_some_and(|key| !is_key(key)) {
        return Err(invalid("SpansLogGroupKmsKeyId is not the id, the alias or the ARN of a key."));
    }
    let kms_key_id = sent_key.or(before.kms_key_id.filter(|_| is_logs));
    shelf(state, caller).put(NAME, Destination { destination, kms_key_id }).await?;
    let status = match destination == before.destination {
        true => TraceSegmentDestinationStatus::Active,
        false => TraceSegmentDestinationStatus::Pending,
    };
    Ok(UpdateTraceSegmentDestinationResult { destination: Some(destination), status: Some(status) })
}

fn shelf<'a>(state: &'a XRay, caller: &Caller) -> Shelf<'a> {
    Shelf::new(state, caller, DocumentKind::XRaySetting)
}

async fn current(state: &XRay, caller: &Caller) -> Result<Destination, Error> {
    let found = shelf(state, caller).find::<Destination>(NAME).await?;
    let first = Destination { destination: TraceSegmentDestination::XRay, kms_key_id: None };
    Ok(found.map_or(first, |kept| kept.value))
}
