//! `GET /metrics`: figures in Prometheus' text form. Names are an API: `tracery_<area>_<noun>_<unit>_total`.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use tracery_api::QueryMetrics;
use tracery_intake::IntakeMetrics;
use tracery_model::Signal;
use tracery_store::Store;
use tracery_xray::{Daemon, DaemonFigures};

use super::self_trace::SelfTrace;

/// Requests by class of status.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    by_class: [AtomicU64; 6],
    elapsed_us: AtomicU64,
}

impl Requests {
    pub(crate) fn count(&self, status: u16, elapsed: Duration) {
        let class = usize::from(status / 100).min(5);
        self.by_class[class].fetch_add(1, Ordering::Relaxed);
        let us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        self.elapsed_us.fetch_add(us, Ordering::Relaxed);
    }
}

/// Where the figures come from.
#[derive(Clone)]
pub(crate) struct Figures {
    pub(crate) intake: Arc<IntakeMetrics>,
    pub(crate) queries: Arc<QueryMetrics>,
    pub(crate) store: Store,
    pub(crate) requests: Arc<Requests>,
    pub(crate) self_trace: Option<SelfTrace>,
    pub(crate) xray: Daemon,
}

pub(crate) async fn print(State(figures): State<Figures>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], figures.text())
}

impl Figures {
    fn text(&self) -> String {
        let mut page = Page::default();
        self.intake(&mut page);
        self.xray(&mut page);
        self.store(&mut page);
        self.questions(&mut page);
        self.process(&mut page);
        page.text
    }

    fn intake(&self, page: &mut Page) {
        let snapshot = self.intake.snapshot();
        for (outcome, name, about) in [
            ("accepted", "tracery_intake_accepted_records_total", "Records taken in."),
            ("rejected", "tracery_intake_rejected_records_total", "Records a client was told to mend."),
            ("dropped", "tracery_intake_dropped_records_total", "Values or records left out."),
        ] {
            page.head(name, "counter", about);
            for ((_, door, reason), count) in snapshot.iter().filter(|((kind, _, _), _)| *kind == outcome) {
                let labels = match *reason {
                    "" => vec![("door", *door)],
                    reason => vec![("door", *door), ("reason", reason)],
                };
                page.line(name, &labels, count);
            }
        }
    }

    fn xray(&self, page: &mut Page) {
        let DaemonFigures { datagrams, bytes, kernel_drops, receive_buffer_bytes, waiting_bytes } =
            self.xray.figures();
        let about = "Datagrams received on X-Ray's UDP port.";
        page.single("tracery_xray_udp_datagrams_total", "counter", about, datagrams);
        page.single("tracery_xray_udp_bytes_total", "counter", "Bytes of them.", bytes);
        if let Some(drops) = kernel_drops {
            let about = "Datagrams that the system dropped because the socket's buffer was full.";
            page.single("tracery_xray_udp_kernel_drops_total", "counter", about, drops);
        }
        let about = "Size of the socket's buffer as the system granted it.";
        page.single("tracery_xray_udp_receive_buffer_bytes", "gauge", about, receive_buffer_bytes);
        let about = "Bytes of datagrams that wait to be read.";
        page.single("tracery_xray_udp_waiting_bytes", "gauge", about, waiting_bytes);
    }

    fn store(&self, page: &mut Page) {
        let stats = self.store.stats();
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        for (name, about, value) in [
            ("tracery_store_committed_rows_total", "Rows made durable.", &stats.rows_committed),
            ("tracery_store_commits_total", "Group commits.", &stats.commits),
            ("tracery_store_commit_failures_total", "Group commits that failed.", &stats.commit_failures),
            ("tracery_store_busy_total", "Batches refused because too much waited.", &stats.busy),
            ("tracery_store_merges_total", "Merges.", &stats.merges),
            ("tracery_store_merge_failures_total", "Merges that failed.", &stats.merge_failures),
            ("tracery_store_merged_rows_total", "Rows written by merges.", &stats.rows_merged),
            ("tracery_store_expired_rows_total", "Rows that retention dropped.", &stats.rows_expired),
            ("tracery_store_parts_set_aside_total", "Damaged parts set aside.", &stats.parts_set_aside),
            ("tracery_store_orphans_removed_total", "Unlisted objects removed.", &stats.orphans_removed),
            ("tracery_store_cut_values_total", "Values longer than 64 KiB, cut.", &stats.values_cut),
            ("tracery_store_tail_values_total", "Values beyond the column bound.", &stats.values_in_tail),
        ] {
            page.single(name, "counter", about, read(value));
        }
        let commit_s = seconds(read(&stats.commit_us));
        page.summary(
            "tracery_store_commit_seconds",
            "Time of group commits.",
            &[],
            commit_s,
            read(&stats.commits),
        );
        let merge_s = seconds(read(&stats.merge_us));
        page.summary("tracery_store_merge_seconds", "Time of merges.", &[], merge_s, read(&stats.merges));
        let queued = self.store.queued_bytes();
        page.single("tracery_store_queued_bytes", "gauge", "Bytes that wait for a commit.", queued);
        let fresh = self.store.snapshot().fresh_bytes();
        page.single("tracery_store_fresh_bytes", "gauge", "Memory of parts that wait for a merge.", fresh);
        let mut parts: BTreeMap<(Signal, i64), (u64, i64, i64)> = BTreeMap::new();
        for part in self.store.snapshot().parts() {
            let figures = parts.entry((part.meta.signal, part.meta.level)).or_default();
            figures.0 += 1;
            figures.1 += part.meta.row_count;
            figures.2 += part.meta.byte_count;
        }
        for (name, about, pick) in [
            ("tracery_store_parts", "Parts listed.", 0),
            ("tracery_store_rows", "Rows in listed parts.", 1),
            ("tracery_store_bytes", "Bytes of listed parts.", 2),
        ] {
            page.head(name, "gauge", about);
            for ((signal, level), (count, rows, bytes)) in &parts {
                let value = [i64::try_from(*count).unwrap_or(i64::MAX), *rows, *bytes][pick];
                page.line(name, &[("signal", signal.table()), ("level", &level.to_string())], value);
            }
        }
    }

    fn questions(&self, page: &mut Page) {
        let snapshot = self.queries.snapshot();
        let name = "tracery_query_started_total";
        page.head(name, "counter", "Questions asked, answered or not.");
        for counts in &snapshot {
            page.line(name, &[("kind", counts.kind.name())], counts.started);
        }
        let name = "tracery_query_unanswered_total";
        page.head(name, "counter", "Questions that failed, or that were cancelled.");
        for counts in &snapshot {
            let kind = ("kind", counts.kind.name());
            page.line(name, &[kind, ("reason", "failed")], counts.failed);
            page.line(name, &[kind, ("reason", "cancelled")], counts.cancelled);
        }
        let name = "tracery_query_running";
        page.head(name, "gauge", "Questions that run now.");
        for counts in &snapshot {
            page.line(name, &[("kind", counts.kind.name())], counts.running());
        }
        let name = "tracery_query_seconds";
        page.head(name, "summary", "Time of questions that were answered.");
        for counts in &snapshot {
            let kind = [("kind", counts.kind.name())];
            page.line("tracery_query_seconds_sum", &kind, seconds(counts.elapsed_us));
            page.line("tracery_query_seconds_count", &kind, counts.finished);
        }
    }

    fn process(&self, page: &mut Page) {
        let name = "tracery_http_requests_total";
        page.head(name, "counter", "Requests by class of status.");
        let mut all = 0;
        for (class, count) in self.requests.by_class.iter().enumerate().skip(1) {
            let count = count.load(Ordering::Relaxed);
            all += count;
            page.line(name, &[("status", &format!("{class}xx"))], count);
        }
        let elapsed_s = seconds(self.requests.elapsed_us.load(Ordering::Relaxed));
        page.summary("tracery_http_request_seconds", "Time of requests.", &[], elapsed_s, all);
        if let Some(self_trace) = &self.self_trace {
            let about = "Own spans that found no room.";
            page.single("tracery_self_trace_dropped_spans_total", "counter", about, self_trace.dropped());
        }
        if let Some(bytes) = resident_bytes() {
            page.single("process_resident_memory_bytes", "gauge", "Memory the process holds.", bytes);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds for people")]
fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

/// Where the system tells.
fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn head(&mut self, name: &str, kind: &str, about: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "# HELP {name} {about}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.text, "{name}{labels} {value}");
    }

    fn single(&mut self, name: &str, kind: &str, about: &str, value: impl Display) {
        self.head(name, kind, about);
        self.line(name, &[], value);
    }

    fn summary(&mut self, name: &str, about: &str, labels: &[(&str, &str)], sum: f64, count: u64) {
        self.head(name, "summary", about);
        self.line(&format!("{name}_sum"), labels, sum);
        self.line(&format!("{name}_count"), labels, count);
    }
}
