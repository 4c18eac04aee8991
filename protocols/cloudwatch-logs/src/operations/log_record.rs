//! GetLogRecord: every field of one event, by the pointer that a query gave with it.

use tracery_aws_wire::Error;
use tracery_aws_wire::logs::{GetLogRecordRequest, GetLogRecordResponse};
use tracery_model::TimeRange;
use tracery_query::languages::insights::plan::{self, Place, Pointer};

use super::{failed, invalid, not_found};
use crate::queries::scope;
use crate::{Caller, CloudWatchLogs};

pub(super) async fn get_log_record(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: GetLogRecordRequest,
) -> Result<GetLogRecordResponse, Error> {
    let pointer = Pointer::parse(&call.log_record_pointer)
        .ok_or_else(|| invalid("The specified log record pointer is invalid."))?;
    let group = scope::find(state, caller, &pointer.group).await?;
    let time_ns = pointer.time_ms.saturating_mul(1_000_000);
    let place = Place {
        environment: caller.environment,
        region: caller.region.clone(),
        account_id: caller.account_id.clone(),
        groups: vec![group],
        time: TimeRange::new(time_ns, time_ns.saturating_add(1_000_000)),
    };
    let record = plan::record(&state.context, &state.events, &place, &pointer).await.map_err(failed)?;
    let record = record.ok_or_else(|| not_found("The specified log record does not exist."))?;
    Ok(GetLogRecordResponse { log_record: Some(record) })
}
