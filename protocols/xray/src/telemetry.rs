//! What daemons say of their own work: the counts of `PutTelemetryRecords`. The newest few are kept in memory and shown at
//! `/api/v1/xray/telemetry`, so that somebody who misses segments sees whether a daemon lost them; older ones are forgotten.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tracery_aws_wire::xray::{BackendConnectionErrors, PutTelemetryRecordsRequest, TelemetryRecord};
use tracery_model::EnvironmentId;

/// Records kept, and characters of each of a sender's three names: 200 KiB in all.
const RECORDS_MAX: usize = 200;
const NAME_CHARS_MAX: usize = 250;

/// What one daemon counted in one stretch of time. Counts that it did not send are 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DaemonRecord {
    pub received_ms: i64,
    /// When the daemon says it counted.
    pub counted_ms: i64,
    /// The daemon's names, as far as it sent them.
    pub hostname: String,
    pub instance_id: String,
    pub resource_arn: String,
    pub received_count: i64,
    pub sent_count: i64,
    /// Thrown away for want of room.
    pub spillover_count: i64,
    /// Refused by whom it sent them to.
    pub rejected_count: i64,
    /// Requests of its own that failed, whatever the reason.
    pub connection_error_count: i64,
}

/// The newest of them.
#[derive(Debug, Default)]
pub(crate) struct DaemonRecords {
    records: Mutex<VecDeque<(EnvironmentId, DaemonRecord)>>,
}

impl DaemonRecords {
    pub(crate) fn add(
        &self,
        environment: EnvironmentId,
        received_ms: i64,
        call: &PutTelemetryRecordsRequest,
    ) {
        let name = |name: &Option<String>| -> String {
            name.iter().flat_map(|name| name.chars()).take(NAME_CHARS_MAX).collect()
        };
        let names = (name(&call.hostname), name(&call.ec2_instance_id), name(&call.resource_arn));
        let mut records = self.records.lock();
        let skipped = call.telemetry_records.len().saturating_sub(RECORDS_MAX);
        for record in call.telemetry_records.iter().skip(skipped) {
            if records.len() >= RECORDS_MAX {
                records.pop_front();
            }
            records.push_back((environment, shown(record, received_ms, names.clone())));
        }
    }

    /// Those of an environment, newest first.
    pub(crate) fn list(&self, environment: EnvironmentId) -> Vec<DaemonRecord> {
        let records = self.records.lock();
        let own = records.iter().rev().filter(|(of, _)| *of == environment);
        own.map(|(_, record)| record.clone()).collect()
    }
}

fn shown(
    record: &TelemetryRecord,
    received_ms: i64,
    (hostname, instance_id, resource_arn): (String, String, String),
) -> DaemonRecord {
    let count = |number: Option<i32>| i64::from(number.unwrap_or(0).max(0));
    DaemonRecord {
        received_ms,
        counted_ms: record.timestamp.as_ns() / 1_000_000,
        hostname,
        instance_id,
        resource_arn,
        received_count: count(record.segments_received_count),
        sent_count: count(record.segments_sent_count),
        spillover_count: count(record.segments_spillover_count),
        rejected_count: count(record.segments_rejected_count),
        connection_error_count: record.backend_connection_errors.as_ref().map_or(0, errors),
    }
}

fn errors(errors: &BackendConnectionErrors) -> i64 {
    let all = [
        errors.timeout_count,
        errors.connection_refused_count,
        errors.http_code4xx_count,
        errors.http_code5xx_count,
        errors.unknown_host_count,
        errors.other_count,
    ];
    all.into_iter().map(|count| i64::from(count.unwrap_or(0).max(0))).sum()
}

#[cfg(test)]
mod tests {
    use tracery_aws_wire::EpochSeconds;

    use super::*;

    #[test]
    fn the_newest_are_kept_apart_by_environment() {
        let records = DaemonRecords::default();
        let call = |count: i32| PutTelemetryRecordsRequest {
            telemetry_records: vec![TelemetryRecord {
                timestamp: EpochSeconds(1.5),
                segments_received_count: None,
                segments_sent_count: None,
                segments_spillover_count: Some(count),
                segments_rejected_count: Some(-3),
                backend_connection_errors: None,
            }],
            ec2_instance_id: None,
            hostname: Some("h".repeat(10_000)),
            resource_arn: None,
        };
        for number in 0..RECORDS_MAX as i32 + 5 {
            records.add(EnvironmentId(i64::from(number) % 2), 7, &call(number));
        }
        let (zero, one) = (records.list(EnvironmentId(0)), records.list(EnvironmentId(1)));
        assert_eq!(zero.len() + one.len(), RECORDS_MAX);
        assert_eq!(zero[0].spillover_count, RECORDS_MAX as i64 + 4, "newest first");
        assert_eq!((zero[0].counted_ms, zero[0].rejected_count), (1_500, 0));
        assert_eq!(zero[0].hostname.len(), NAME_CHARS_MAX);
    }
}
