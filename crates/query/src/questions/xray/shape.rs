//! The logic of one trace: which of its rows enter a service, which call one, and who calls whom, by ids and never by name.
//! A pure function over the rows of a trace; the service map, filters and tests all ask it. It allocates nothing once
//! its buffers have grown, and is linear (up to sorting) in the rows whatever their ids say.

use super::names::NodeId;

/// A span as the map needs it. Ids are the bytes read as a big-endian number; 0 is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TraceRow {
    pub(super) span_id: u64,
    pub(super) parent_id: u64,
    pub(super) start_ns: i64,
    /// Never negative; 0 while in progress.
    pub(super) duration_ns: i64,
    /// The service that wrote the row.
    pub(super) own: NodeId,
    /// What the row calls, where it calls something.
    pub(super) target: NodeId,
    pub(super) flags: RowFlags,
}

/// What is true of a row.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct RowFlags(pub(super) u16);

impl RowFlags {
    /// An X-Ray segment.
    pub(super) const SEGMENT: u16 = 1;
    /// An X-Ray subsegment.
    pub(super) const SUBSEGMENT: u16 = 1 << 1;
    pub(super) const SERVER: u16 = 1 << 2;
    pub(super) const CONSUMER: u16 = 1 << 3;
    pub(super) const CLIENT: u16 = 1 << 4;
    pub(super) const PRODUCER: u16 = 1 << 5;
    pub(super) const FAULT: u16 = 1 << 6;
    pub(super) const ERROR: u16 = 1 << 7;
    pub(super) const THROTTLE: u16 = 1 << 8;
    pub(super) const IN_PROGRESS: u16 = 1 << 9;
    /// None of these is `ok`.
    pub(super) const NOT_OK: u16 = Self::FAULT | Self::ERROR | Self::THROTTLE;

    pub(super) fn has(self, any: u16) -> bool {
        self.0 & any != 0
    }
}

impl TraceRow {
    pub(super) fn end_ns(&self) -> i64 {
        self.start_ns.saturating_add(self.duration_ns)
    }

    fn calls(&self) -> bool {
        self.target != NodeId::NONE
            || self.flags.has(RowFlags::SUBSEGMENT | RowFlags::CLIENT | RowFlags::PRODUCER)
    }
}

/// A node that the trace went through.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Visit {
    pub(super) node: NodeId,
    /// The row with its numbers: the service's own, or the caller's when the node is inferred.
    pub(super) row: usize,
    pub(super) inferred: bool,
}

/// A call.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Hop {
    /// The row with its numbers: the caller's.
    pub(super) row: usize,
    pub(super) from: NodeId,
    pub(super) to: NodeId,
    /// For a message that was taken from a queue: the taker's row.
    pub(super) link: Option<usize>,
}

/// What [`Shape::of`] found; rows by their positions.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// The entry point's row.
    pub(super) root: Option<usize>,
    pub(super) visits: Vec<Visit>,
    pub(super) hops: Vec<Hop>,
    /// For each row, the row that entered the service it belongs to.
    pub(super) owners: Vec<Option<usize>>,
    by_id: Vec<(u64, usize)>,
    parents: Vec<Option<usize>>,
    has_callee: Vec<bool>,
    walked: Vec<usize>,
    path: Vec<usize>,
}

impl Shape {
    /// Looks at all rows of one trace, after removing what was delivered twice: of two rows with one id, the finished one
    /// stays, or the one that comes first.
    pub(super) fn of(&mut self, rows: &mut Vec<TraceRow>) {
        self.of_with(rows, |_| {});
    }

    /// The same; `removed` hears the position of each row that is dropped, the last first, before it is gone.
    pub(super) fn of_with(&mut self, rows: &mut Vec<TraceRow>, removed: impl FnMut(usize)) {
        self.clear();
        self.index(rows, removed);
        for row in rows.iter() {
            let parent =
                (row.parent_id != 0 && row.parent_id != row.span_id).then(|| self.find(row.parent_id));
            self.parents.push(parent.flatten());
        }
        self.own(rows);
        self.find_root(rows);
        self.visit(rows);
    }

    fn clear(&mut self) {
        self.root = None;
        self.visits.clear();
        self.hops.clear();
        self.owners.clear();
        self.by_id.clear();
        self.parents.clear();
        self.has_callee.clear();
    }

    fn index(&mut self, rows: &mut Vec<TraceRow>, mut removed: impl FnMut(usize)) {
        self.fill(rows);
        let mut dropped: Vec<usize> = Vec::new();
        let mut same = 0;
        while same < self.by_id.len() {
            let id = self.by_id[same].0;
            let end = same + self.by_id[same..].iter().take_while(|(other, _)| *other == id).count();
            if id != 0 && end - same > 1 {
                let all = &self.by_id[same..end];
                let finished = all.iter().find(|(_, idx)| !rows[*idx].flags.has(RowFlags::IN_PROGRESS));
                let kept = finished.unwrap_or(&all[0]).1;
                dropped.extend(all.iter().map(|(_, idx)| *idx).filter(|idx| *idx != kept));
            }
            same = end;
        }
        if dropped.is_empty() {
            return;
        }
        dropped.sort_unstable_by(|left, right| right.cmp(left));
        let mut is_dropped = vec![false; rows.len()];
        for idx in dropped {
            is_dropped[idx] = true;
            removed(idx);
        }
        let mut idx = 0;
        rows.retain(|_| {
            idx += 1;
            !is_dropped[idx - 1]
        });
        self.fill(rows);
    }

    fn fill(&mut self, rows: &[TraceRow]) {
        self.by_id.clear();
        self.by_id.extend(rows.iter().enumerate().map(|(idx, row)| (row.span_id, idx)));
        self.by_id.sort_unstable();
    }

    fn find(&self, span_id: u64) -> Option<usize> {
        let at = self.by_id.partition_point(|(id, _)| *id < span_id);
        self.by_id.get(at).filter(|(id, _)| *id == span_id).map(|(_, idx)| *idx)
    }

    /// Whether the row enters a service.
    fn enters(&self, rows: &[TraceRow], idx: usize) -> bool {
        let row = &rows[idx];
        if row.flags.has(RowFlags::SEGMENT | RowFlags::SUBSEGMENT) {
            return row.flags.has(RowFlags::SEGMENT);
        }
        row.parent_id == 0
            || row.flags.has(RowFlags::SERVER | RowFlags::CONSUMER)
            // A service that says nothing of kinds.
            || self.parents[idx].is_some_and(|parent| rows[parent].own != row.own && !row.calls() && !rows[parent].flags.has(RowFlags::SEGMENT | RowFlags::SUBSEGMENT))
    }

    fn own(&mut self, rows: &[TraceRow]) {
        const UNKNOWN: usize = usize::MAX;
        // Positions of owners; `UNKNOWN` until walked, the length for none.
        let none = rows.len();
        let (mut owners, mut path) = (std::mem::take(&mut self.walked), std::mem::take(&mut self.path));
        owners.clear();
        owners.resize(rows.len(), UNKNOWN);
        for start in 0..rows.len() {
            let mut at = start;
            let owner = loop {
                if owners[at] != UNKNOWN {
                    break owners[at];
                }
                if self.enters(rows, at) {
                    path.push(at);
                    break at;
                }
                // A row on the path again means that its parents go round.
                owners[at] = none;
                path.push(at);
                match self.parents[at] {
                    Some(parent) => at = parent,
                    None => break none,
                }
            };
            path.drain(..).for_each(|idx| owners[idx] = owner);
        }
        self.owners.extend(owners.iter().map(|owner| (*owner != none).then_some(*owner)));
        (self.walked, self.path) = (owners, path);
    }

    fn find_root(&mut self, rows: &[TraceRow]) {
        let entries =
            (0..rows.len()).filter(|idx| self.owners[*idx] == Some(*idx) && self.parents[*idx].is_none());
        self.root = entries.min_by_key(|idx| {
            let row = &rows[*idx];
            (row.parent_id != 0, row.start_ns, row.span_id)
        });
    }

    /// The node that a row's calls come from.
    fn caller(&self, rows: &[TraceRow], idx: usize) -> NodeId {
        match self.owners[idx] {
            Some(owner) if rows[idx].flags.has(RowFlags::SUBSEGMENT) => rows[owner].own,
            _ => rows[idx].own,
        }
    }

    fn visit(&mut self, rows: &[TraceRow]) {
        self.has_callee.resize(rows.len(), false);
        for (idx, row) in rows.iter().enumerate() {
            if self.owners[idx] != Some(idx) {
                continue;
            }
            self.visits.push(Visit { node: row.own, row: idx, inferred: false });
            let Some(parent) = self.parents[idx] else { continue };
            let (from, called) = (self.caller(rows, parent), rows[parent].calls());
            if rows[parent].flags.has(RowFlags::PRODUCER) && rows[parent].target != NodeId::NONE {
                // The queue in between is a node; it stays without a callee, so that it is inferred below.
                self.hops.push(Hop { row: parent, from: rows[parent].target, to: row.own, link: Some(idx) });
                continue;
            }
            self.has_callee[parent] = true;
            // Wrappers around the call are the same call.
            let (mut above, mut steps) = (parent, 0);
            while self.owners[above] != Some(above) && steps < WRAPPERS_MAX {
                match self.parents[above] {
                    Some(next) if rows[next].calls() && self.owners[next] == self.owners[above] => {
                        self.has_callee[next] = true;
                        above = next;
                    }
                    _ => break,
                }
                steps += 1;
            }
            if called || from != row.own {
                let numbers = if called { parent } else { idx };
                self.hops.push(Hop { row: numbers, from, to: row.own, link: None });
            }
        }
        for (idx, row) in rows.iter().enumerate() {
            if row.target != NodeId::NONE && !self.has_callee[idx] {
                self.visits.push(Visit { node: row.target, row: idx, inferred: true });
                self.hops.push(Hop { row: idx, from: self.caller(rows, idx), to: row.target, link: None });
            }
        }
        self.hops.retain(|hop| hop.from != NodeId::NONE && hop.to != NodeId::NONE);
        self.visits.retain(|visit| visit.node != NodeId::NONE);
        // A call that several requests answered is one call for each service.
        self.hops.sort_unstable();
        self.hops.dedup_by_key(|hop| (hop.row, hop.from, hop.to, hop.link));
    }
}

/// Client spans around a client span that are looked at.
const WRAPPERS_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    const API: NodeId = NodeId(1);
    const WEB: NodeId = NodeId(2);
    const TABLE: NodeId = NodeId(3);
    const QUEUE: NodeId = NodeId(4);

    fn row(span_id: u64, parent_id: u64, own: NodeId, target: NodeId, flags: u16) -> TraceRow {
        let start_ns = i64::try_from(span_id).unwrap() * 10;
        TraceRow { span_id, parent_id, start_ns, duration_ns: 5, own, target, flags: RowFlags(flags) }
    }

    fn shape(rows: Vec<TraceRow>) -> (Shape, Vec<TraceRow>) {
        let (mut shape, mut rows) = (Shape::default(), rows);
        shape.of(&mut rows);
        (shape, rows)
    }

    fn calls(shape: &Shape) -> Vec<(NodeId, NodeId, usize)> {
        shape.hops.iter().map(|hop| (hop.from, hop.to, hop.row)).collect()
    }

    #[test]
    fn a_segment_calls_a_table_and_a_service() {
        let none = NodeId::NONE;
        let (shape, _) = shape(vec![
            row(1, 0, WEB, none, RowFlags::SEGMENT),
            row(2, 1, WEB, none, RowFlags::SUBSEGMENT),
            row(3, 2, WEB, TABLE, RowFlags::SUBSEGMENT),
            row(4, 2, WEB, NodeId(9), RowFlags::SUBSEGMENT),
            row(5, 4, API, none, RowFlags::SEGMENT),
        ]);
        assert_eq!(shape.root, Some(0));
        assert_eq!(calls(&shape), [(WEB, TABLE, 2), (WEB, API, 3)]);
        let visits: Vec<_> =
            shape.visits.iter().map(|visit| (visit.node, visit.row, visit.inferred)).collect();
        assert_eq!(visits, [(WEB, 0, false), (API, 4, false), (TABLE, 2, true)]);
        assert_eq!(shape.owners, [Some(0), Some(0), Some(0), Some(0), Some(4)]);
    }

    #[test]
    fn the_root_is_the_first_without_a_parent() {
        let none = NodeId::NONE;
        let orphan = row(1, 99, API, none, RowFlags::SERVER);
        let (found, _) = shape(vec![orphan, row(3, 0, WEB, none, RowFlags::SERVER), row(2, 0, WEB, none, 0)]);
        assert_eq!(found.root, Some(2));
        assert_eq!(shape(vec![orphan]).0.root, Some(0));
        assert_eq!(shape(vec![row(1, 99, API, none, RowFlags::SUBSEGMENT)]).0.root, None);
    }

    #[test]
    fn a_queue_lies_between_producer_and_consumer() {
        let (shape, _) = shape(vec![
            row(1, 0, WEB, NodeId::NONE, RowFlags::SERVER),
            row(2, 1, WEB, QUEUE, RowFlags::PRODUCER),
            row(3, 2, API, NodeId::NONE, RowFlags::CONSUMER),
        ]);
        let hops: Vec<_> = shape.hops.iter().map(|hop| (hop.from, hop.to, hop.link)).collect();
        assert_eq!(hops, [(WEB, QUEUE, None), (QUEUE, API, Some(2))]);
    }

    #[test]
    fn the_finished_one_of_two_rows_stays() {
        let mut running = row(1, 0, WEB, NodeId::NONE, RowFlags::SEGMENT | RowFlags::IN_PROGRESS);
        running.duration_ns = 0;
        let (shape, rows) = shape(vec![running, row(1, 0, WEB, NodeId::NONE, RowFlags::SEGMENT), running]);
        assert_eq!(rows.len(), 1);
        assert!(!rows[0].flags.has(RowFlags::IN_PROGRESS));
        assert_eq!(shape.visits.len(), 1);
    }

    #[test]
    fn parents_that_go_round_end() {
        let none = NodeId::NONE;
        let ring: Vec<TraceRow> =
            (1..=1_000).map(|id| row(id, id % 1_000 + 1, WEB, none, RowFlags::SUBSEGMENT)).collect();
        let (shape, _) = shape(ring);
        assert!(shape.owners.iter().all(Option::is_none));
        assert_eq!((shape.root, shape.hops.len()), (None, 0));
    }
}
