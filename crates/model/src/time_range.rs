//! A half-open range of instants.

/// `start_ns` included, `end_ns` excluded; nanoseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeRange {
    pub start_ns: i64,
    pub end_ns: i64,
}

impl TimeRange {
    pub const ALL: TimeRange = TimeRange { start_ns: i64::MIN, end_ns: i64::MAX };

    pub fn new(start_ns: i64, end_ns: i64) -> Self {
        Self { start_ns, end_ns }
    }

    /// Whether any instant of the closed range `[min_ns, max_ns]` lies inside.
    pub fn overlaps(&self, min_ns: i64, max_ns: i64) -> bool {
        min_ns < self.end_ns && max_ns >= self.start_ns
    }

    pub fn contains(&self, instant_ns: i64) -> bool {
        instant_ns >= self.start_ns && instant_ns < self.end_ns
    }
}
