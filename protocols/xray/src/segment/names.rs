//! The names of segments that came lately, for subsegments that come alone: they say their trace and their parent, and
//! not which service they belong to. Bounded: of two generations the older is forgotten when the younger is full.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tracery_model::{EnvironmentId, SpanId, TraceId};

/// Names of one generation; two of them take about 20 MB.
const GENERATION_LEN_MAX: usize = 50_000;

/// A segment, or (without a segment's id) any segment of the trace.
type Key = (EnvironmentId, TraceId, Option<SpanId>);

#[derive(Debug)]
pub(crate) struct SegmentNames {
    generation_len_max: usize,
    generations: Mutex<[HashMap<Key, Arc<str>>; 2]>,
}

impl Default for SegmentNames {
    fn default() -> Self {
        Self::with_room_for(GENERATION_LEN_MAX)
    }
}

impl SegmentNames {
    fn with_room_for(generation_len_max: usize) -> Self {
        Self { generation_len_max, generations: Mutex::default() }
    }

    pub(crate) fn learn(&self, environment: EnvironmentId, trace: TraceId, segment: SpanId, name: &str) {
        let name: Arc<str> = name.into();
        let mut generations = self.generations.lock();
        if generations[0].len() + 2 > self.generation_len_max {
            generations[1] = std::mem::take(&mut generations[0]);
        }
        generations[0].insert((environment, trace, Some(segment)), Arc::clone(&name));
        generations[0].insert((environment, trace, None), name);
    }

    /// The name of the segment `parent`, else of the segment of the trace that came last.
    pub(crate) fn find(
        &self,
        environment: EnvironmentId,
        trace: TraceId,
        parent: SpanId,
    ) -> Option<Arc<str>> {
        let generations = self.generations.lock();
        let find =
            |segment| generations.iter().find_map(|names| names.get(&(environment, trace, segment)).cloned());
        find(Some(parent)).or_else(|| find(None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_wins_over_the_trace_and_old_names_are_forgotten() {
        let names = SegmentNames::with_room_for(4);
        let (here, trace) = (EnvironmentId(1), TraceId([1; 16]));
        let segment = |byte: u8| SpanId([byte; 8]);
        names.learn(here, trace, segment(1), "one");
        names.learn(here, trace, segment(2), "two");
        assert_eq!(names.find(here, trace, segment(1)).as_deref(), Some("one"));
        assert_eq!(names.find(here, trace, segment(9)).as_deref(), Some("two"));
        assert_eq!(names.find(EnvironmentId(2), trace, segment(1)), None);
        for byte in 3..9 {
            names.learn(here, TraceId([byte; 16]), segment(byte), "more");
        }
        assert_eq!(names.find(here, trace, segment(1)), None, "forgotten");
    }
}
