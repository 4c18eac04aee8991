//! `GET /metrics`: what the server knows of itself, in Prometheus' text format. Names are stable.

use std::fmt::Write;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::serve::Parts;

pub(crate) async fn show(State(parts): State<Parts>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], render(&parts))
}

fn render(parts: &Parts) -> String {
    let mut text = String::new();
    intake(&mut text, parts);
    let stats = parts.store.stats();
    let counters = [
        ("tracery_store_rows_committed_total", "Rows made durable", &stats.rows_committed),
        ("tracery_store_commits_total", "Group commits", &stats.commits),
        ("tracery_store_commit_failures_total", "Group commits that failed", &stats.commit_failures),
        ("tracery_store_commit_microseconds_total", "Time spent in group commits", &stats.commit_us),
        ("tracery_store_busy_total", "Batches answered with busy", &stats.busy),
        ("tracery_store_merges_total", "Merges", &stats.merges),
        ("tracery_store_merge_failures_total", "Merges that failed and are tried again", &stats.merge_failures),
        ("tracery_store_merge_microseconds_total", "Time spent in merges", &stats.merge_us),
        ("tracery_store_rows_merged_total", "Rows written by merges", &stats.rows_merged),
        ("tracery_store_rows_expired_total", "Rows dropped by retention", &stats.rows_expired),
        ("tracery_store_parts_set_aside_total", "Damaged parts taken off the list", &stats.parts_set_aside),
        ("tracery_store_orphans_removed_total", "Unlisted objects removed", &stats.orphans_removed),
        ("tracery_store_values_cut_total", "Values longer than 64 KiB", &stats.values_cut),
        ("tracery_store_values_in_tail_total", "Values beyond the column bound", &stats.values_in_tail),
    ];
    for (name, help, counter) in counters {
        metric(&mut text, name, help, "counter", counter.load(Ordering::Relaxed));
    }
    let snapshot = parts.store.snapshot();
    let fresh = snapshot.parts().iter().filter(|part| part.meta.level == 0).count();
    let count = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
    metric(&mut text, "tracery_store_fresh_parts", "Fresh parts", "gauge", count(fresh));
    metric(&mut text, "tracery_store_merged_parts", "Merged parts", "gauge", count(snapshot.parts().len() - fresh));
    let queued = count(parts.store.queued_bytes());
    metric(&mut text, "tracery_store_queue_bytes", "Bytes that wait for a commit", "gauge", queued);
    metric(&mut text, "tracery_process_resident_bytes", "Resident memory", "gauge", resident_bytes());
    text
}

fn intake(text: &mut String, parts: &Parts) {
    for outcome in ["accepted", "rejected", "dropped"] {
        let name = format!("tracery_intake_{outcome}_records_total");
        let _ = writeln!(text, "# HELP {name} Records {outcome}, by door\n# TYPE {name} counter");
        for ((counted, door, reason), records) in parts.intake.metrics.snapshot() {
            if counted == outcome {
                let _ = writeln!(text, "{name}{{door=\"{door}\",reason=\"{reason}\"}} {records}");
            }
        }
    }
}

fn metric(text: &mut String, name: &str, help: &str, kind: &str, value: u64) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()).and_then(|number| number.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
