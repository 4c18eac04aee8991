//! GetLogGroupFields: which fields a group's newest events have, and how many of them have each.

use tracery_aws_wire::Error;
use tracery_aws_wire::logs::{GetLogGroupFieldsRequest, GetLogGroupFieldsResponse, LogGroupField};
use tracery_model::TimeRange;
use tracery_query::languages::insights::plan::{self, Place};

use super::{failed, invalid};
use crate::names::group_name;
use crate::queries::scope;
use crate::{Caller, CloudWatchLogs};

/// Without a time, the newest this many seconds are looked at; with one, what lies this near on both sides.
const NEWEST_S: i64 = 15 * 60;
const NEAR_S: i64 = 8 * 60;

pub(super) async fn get_log_group_fields(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: GetLogGroupFieldsRequest,
) -> Result<GetLogGroupFieldsResponse, Error> {
    let name = match (&call.log_group_name, &call.log_group_identifier) {
        (Some(name), None) => name.as_str(),
        (None, Some(identifier)) => group_name(caller, identifier)?,
        (Some(_), Some(_)) => {
            return Err(invalid("Give either logGroupName or logGroupIdentifier, but not both."));
        }
        (None, None) => return Err(invalid("Give logGroupName or logGroupIdentifier.")),
    };
    let group = scope::find(state, caller, name).await?;
    let (start_s, end_s) = match call.time {
        Some(time_s) => (time_s.saturating_sub(NEAR_S), time_s.saturating_add(NEAR_S)),
        None => {
            let now_s = state.intake.clock.now_s();
            (now_s.saturating_sub(NEWEST_S), now_s.saturating_add(NEWEST_S))
        }
    };
    let place = Place {
        environment: caller.environment,
        region: caller.region.clone(),
        account_id: caller.account_id.clone(),
        groups: vec![group],
        time: TimeRange::new(start_s.saturating_mul(1_000_000_000), end_s.saturating_mul(1_000_000_000)),
    };
    let shares = plan::field_shares(&state.context, &state.events, &place).await.map_err(failed)?;
    let fields = shares
        .into_iter()
        .map(|(name, percent)| LogGroupField { name: Some(name), percent: Some(i32::from(percent)) });
    Ok(GetLogGroupFieldsResponse { log_group_fields: Some(fields.collect()) })
}
