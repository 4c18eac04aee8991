//! Counters of what came in, by door and reason. `server` prints them at `/metrics`.

use std::collections::BTreeMap;

use parking_lot::Mutex;

/// Every record that a door saw is counted in exactly one of the three.
#[derive(Debug, Default)]
pub struct IntakeMetrics {
    counts: Mutex<BTreeMap<(&'static str, &'static str, &'static str), u64>>,
}

impl IntakeMetrics {
    /// `door` is the protocol and signal, such as `otlp_traces`.
    pub fn accepted(&self, door: &'static str, records: usize) {
        self.add(("accepted", door, ""), records);
    }

    /// Records the client was told to mend; `reason` is a stable word such as `too_large`.
    pub fn rejected(&self, door: &'static str, reason: &'static str, records: usize) {
        self.add(("rejected", door, reason), records);
    }

    /// Values or records that were left out although the rest was kept.
    pub fn dropped(&self, door: &'static str, reason: &'static str, records: usize) {
        self.add(("dropped", door, reason), records);
    }

    /// (`accepted` | `rejected` | `dropped`, door, reason) → records.
    pub fn snapshot(&self) -> BTreeMap<(&'static str, &'static str, &'static str), u64> {
        self.counts.lock().clone()
    }

    fn add(&self, key: (&'static str, &'static str, &'static str), records: usize) {
        if records > 0 {
            *self.counts.lock().entry(key).or_default() += records as u64;
        }
    }
}
