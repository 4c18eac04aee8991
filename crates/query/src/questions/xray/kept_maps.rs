//! What merged parts add to the service map, kept by the minute. A merged part never changes, so the sums of its traces
//! are computed once and merged for every range that covers their minutes; only traces that lie in several parts are put
//! together each time, from rows that are kept as well. The map's question asks; memory is bounded, the least used goes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use parking_lot::Mutex;
use tracery_model::TimeRange;
use tracery_store::Part;

use super::map::{MapBuilder, SumsByTime, add, minute_of, widened};
use super::names::{Names, Node, NodeId};
use super::scan::{Fold, Scan, Waiting, Whole, Worker};
use crate::QueryError;

/// Minutes of one part; parts are windows of an hour or a day. What lies beyond is not kept.
const MINUTES_MAX: usize = 3_000;

/// The sums of parts. One for each server.
pub struct KeptMaps {
    kept: Mutex<Kept>,
    bytes_max: usize,
}

#[derive(Default)]
struct Kept {
    /// By the part's id, with when it was last used.
    parts: HashMap<String, (Arc<PartMap>, u64)>,
    byte_count: usize,
    uses: u64,
}

/// What one part adds.
struct PartMap {
    nodes: Vec<Node>,
    minutes: BTreeMap<i64, MapBuilder>,
    /// Rows of traces that are not whole in the part.
    waiting: Vec<Waiting>,
    /// Hashes of the traces that were left out of the sums because they lie elsewhere too.
    split: HashSet<u32>,
    /// Rows left out because a map has no more nodes.
    omitted: u64,
    byte_count: usize,
}

impl KeptMaps {
    /// Keeps at most about `bytes_max` bytes.
    pub fn new(bytes_max: usize) -> Self {
        Self { kept: Mutex::default(), bytes_max }
    }

    /// The sums of all traces in whole minutes.
    pub(super) async fn fold(
        &self,
        scan: &Scan<'_>,
        minutes: TimeRange,
    ) -> Result<(MapBuilder, Names), QueryError> {
        scan.refresh().await?;
        let mut main = Worker::new(scan, &MapBuilder::new(minutes), HashSet::default(), false);
        let time = widened(minutes);
        let (fresh, merged): (Vec<_>, Vec<_>) =
            scan.parts(time).into_iter().partition(|part| part.fresh().is_some());
        if !fresh.is_empty() {
            for stream in scan.streams(time, fresh, None).await? {
                main.keep(stream).await?;
            }
        }
        let (whole, cut): (Vec<_>, Vec<_>) =
            merged.into_iter().partition(|part| self.is_worth(part, minutes));
        // Also the parts beside those that are kept, so that what is split does not depend on the range.
        let around = whole.iter().fold(time, |time, part| {
            let own = widened(TimeRange::new(part.meta.time_min_ns, part.meta.time_max_ns.saturating_add(1)));
            TimeRange::new(time.start_ns.min(own.start_ns), time.end_ns.max(own.end_ns))
        });
        let near: Vec<_> = scan.parts(around).into_iter().filter(|part| part.fresh().is_none()).collect();
        let mut split = scan.in_several(&near).await?;
        split.extend(main.waiting_hashes());
        split.sort_unstable();
        split.dedup();
        let all: Arc<HashSet<u32>> = Arc::new(split.iter().copied().collect());
        let cut = cut.into_iter().map(|part| (part, Arc::clone(&all))).collect();
        for (_, worker) in scan.fold_parts(time, cut, &MapBuilder::new(minutes)).await? {
            main.adopt(worker)?;
        }
        for part in self.parts(scan, whole, &split).await? {
            let ids: Vec<NodeId> = part.nodes.iter().map(|node| main.names_mut().named(node)).collect();
            for sums in part.minutes.range(minutes.start_ns..minutes.end_ns).map(|(_, sums)| sums) {
                main.fold_mut().merge(sums, &ids);
            }
            main.names_mut().omitted += part.omitted;
            main.wait(part.waiting.iter().cloned(), &ids)?;
        }
        main.finish();
        let (builder, _, names) = main.into_parts();
        Ok((builder, names))
    }

    /// Whether the sums of the whole part are there, or a good part of them is asked for.
    fn is_worth(&self, part: &Part, minutes: TimeRange) -> bool {
        let meta = &part.meta;
        if self.kept.lock().parts.contains_key(&meta.id) {
            return true;
        }
        let length = i128::from(meta.time_max_ns) - i128::from(meta.time_min_ns) + 1;
        let end_ns = meta.time_max_ns.min(minutes.end_ns);
        let asked = i128::from(end_ns) - i128::from(meta.time_min_ns.max(minutes.start_ns)) + 1;
        asked * 2 >= length
    }

    /// The sums of each of the parts. `split` are hashes of traces that lie in several parts, ascending.
    async fn parts(
        &self,
        scan: &Scan<'_>,
        parts: Vec<Arc<Part>>,
        split: &[u32],
    ) -> Result<Vec<Arc<PartMap>>, QueryError> {
        let (mut found, mut missing, mut missing_ids) = (Vec::new(), Vec::new(), Vec::new());
        for part in parts {
            let index = scan.trace_index(&part).await?;
            let hashes = index.hashes();
            let needed = split.iter().copied().filter(|hash| hashes.binary_search(hash).is_ok());
            let mut needed: HashSet<u32> = needed.collect();
            match self.get(&part.meta.id) {
                Some(kept) if needed.is_subset(&kept.split) => found.push(kept),
                kept => {
                    // Never fewer than before: two ranges that need different ones do not undo each other's work.
                    needed.extend(kept.iter().flat_map(|kept| &kept.split));
                    missing_ids.push(part.meta.id.clone());
                    missing.push((part, Arc::new(needed)));
                }
            }
        }
        let splits: Vec<Arc<HashSet<u32>>> = missing.iter().map(|(_, split)| Arc::clone(split)).collect();
        let mut maps: Vec<PartMapBuilder> = splits.iter().map(|_| PartMapBuilder::default()).collect();
        for (idx, worker) in scan.fold_parts(TimeRange::ALL, missing, &Minutes::default()).await? {
            maps[idx].adopt(worker);
        }
        for ((map, split), id) in maps.into_iter().zip(splits).zip(missing_ids) {
            let is_kept = map.minutes.len() <= MINUTES_MAX;
            let map = Arc::new(map.finish(HashSet::clone(&split)));
            if is_kept {
                self.keep(id, Arc::clone(&map));
            }
            found.push(map);
        }
        Ok(found)
    }

    fn get(&self, id: &str) -> Option<Arc<PartMap>> {
        let mut kept = self.kept.lock();
        kept.uses += 1;
        let uses = kept.uses;
        let (map, used) = kept.parts.get_mut(id)?;
        *used = uses;
        Some(Arc::clone(map))
    }

    fn keep(&self, id: String, map: Arc<PartMap>) {
        if map.byte_count > self.bytes_max / 4 {
            return;
        }
        let mut kept = self.kept.lock();
        kept.uses += 1;
        let uses = kept.uses;
        kept.byte_count += map.byte_count;
        if let Some((old, _)) = kept.parts.insert(id, (map, uses)) {
            kept.byte_count -= old.byte_count;
        }
        while kept.byte_count > self.bytes_max {
            let oldest = kept.parts.iter().min_by_key(|(_, (_, used))| *used).map(|(id, _)| id.clone());
            let Some((old, _)) = oldest.and_then(|id| kept.parts.remove(&id)) else { return };
            kept.byte_count -= old.byte_count;
        }
    }
}

/// Sums by the start of the minute.
#[derive(Default)]
struct Minutes(BTreeMap<i64, MapBuilder>);

impl SumsByTime for Minutes {
    fn at(&mut self, start_ns: i64) -> Option<&mut MapBuilder> {
        let sums = self.0.entry(minute_of(start_ns));
        Some(sums.or_insert_with(|| MapBuilder::new(TimeRange::ALL)))
    }
}

impl Fold for Minutes {
    fn another(&self) -> Self {
        Self::default()
    }

    fn trace(&mut self, _: &Names, whole: &Whole<'_>) {
        add(self, whole);
    }

    fn adopt(&mut self, other: Self, ids: &[NodeId], _: &Names) {
        for (minute_ns, sums) in other.0 {
            self.at(minute_ns).into_iter().for_each(|own| own.merge(&sums, ids));
        }
    }
}

/// Puts together what the threads found in a part.
#[derive(Default)]
struct PartMapBuilder {
    names: Names,
    minutes: BTreeMap<i64, MapBuilder>,
    waiting: Vec<Waiting>,
}

impl PartMapBuilder {
    fn adopt(&mut self, worker: Worker<Minutes>) {
        let (minutes, waiting, names) = worker.into_parts();
        let ids = self.names.adopt(&names);
        let of = |id: NodeId| ids.get(id.idx()).copied().unwrap_or(NodeId::NONE);
        for (minute_ns, sums) in minutes.0 {
            let own = self.minutes.entry(minute_ns).or_insert_with(|| MapBuilder::new(TimeRange::ALL));
            own.merge(&sums, &ids);
        }
        self.waiting.extend(waiting.into_iter().map(|mut waiting| {
            (waiting.row.own, waiting.row.target) = (of(waiting.row.own), of(waiting.row.target));
            waiting
        }));
    }

    fn finish(self, split: HashSet<u32>) -> PartMap {
        let Self { names, minutes, waiting } = self;
        let ids = 0..u32::try_from(names.node_count()).unwrap_or(u32::MAX);
        let nodes: Vec<Node> = ids.map(|id| names.get(NodeId(id))).collect();
        let sums: usize = minutes.values().map(MapBuilder::byte_count).sum();
        let texts: usize = nodes.iter().map(|node| 100 + node.name.len() + node.r#type.len()).sum();
        let rows = waiting.capacity() * size_of::<Waiting>() + split.capacity() * 8;
        let omitted = names.omitted;
        PartMap { nodes, minutes, waiting, split, omitted, byte_count: sums + texts + rows }
    }
}
