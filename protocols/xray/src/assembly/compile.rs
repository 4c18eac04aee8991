//! From what is stored of a trace to its compiled segments: entities merged by id, subsegments put back where they belong
//! in whatever order they came, spans of other doors in their places among them. A pure function; the same entities give
//! the same trace whatever their order and however they were split into documents.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;
use tracery_model::{SpanId, TraceId};
use tracery_query::questions::xray::TraceDocuments;

use super::entity::Entity;
use super::{from_span, infer};
use crate::segment::fields::Members;
use crate::segment::{for_each_document, subsegments};

/// Entities within one another in one document, so that every parser reads it. Those below stand on their own, with
/// their parent's id.
const DEPTH_MAX: usize = 48;

/// A trace as X-Ray gives it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CompiledTrace {
    pub(crate) trace_id: TraceId,
    /// Segments, inferred ones too, and subsegments whose parent is not there; by start.
    pub(crate) segments: Vec<Entity>,
    /// Grows with each document and span that arrives.
    pub(crate) revision: usize,
    /// Not all of it is here.
    pub(crate) is_cut: bool,
}

/// One delivery of an entity.
struct Version {
    entity: Entity,
    received_ns: i64,
}

impl Version {
    /// The greater of two versions is the one that counts: a complete one, the later end, the later arrival.
    fn is_better_than(&self, other: &Self) -> bool {
        let end_s = |version: &Self| version.entity.end_s.unwrap_or(f64::NEG_INFINITY);
        let by_time =
            end_s(self).total_cmp(&end_s(other)).then_with(|| self.received_ns.cmp(&other.received_ns));
        by_time.then_with(|| self.text().cmp(&other.text())).is_gt()
    }

    fn text(&self) -> String {
        self.entity.document(Some("")).to_string()
    }
}

/// Compiles a trace.
pub(crate) fn compile(stored: &TraceDocuments) -> CompiledTrace {
    let mut best: BTreeMap<SpanId, Version> = BTreeMap::new();
    let mut add = |entity: Entity, received_ns: i64| {
        let version = Version { entity, received_ns };
        match best.get_mut(&version.entity.id) {
            None => drop(best.insert(version.entity.id, version)),
            Some(known) => {
                let parent_id = known.entity.parent_id.or(version.entity.parent_id);
                if version.is_better_than(known) {
                    *known = version;
                }
                // One version may have been sent within its parent and another without a word of it.
                if known.entity.parent_id.is_none() {
                    known.entity.parent_id = parent_id;
                }
            }
        }
    };
    for document in &stored.documents {
        for_each_document(&document.text, |_, read| {
            if let Ok(read) = read
                && read.trace_id == stored.trace_id
            {
                take_apart(&read.members, None, &mut |entity| add(entity, document.received_ns));
            }
        });
    }
    for span in &stored.spans {
        from_span::entities(stored.trace_id, span)
            .into_iter()
            .for_each(|entity| add(entity, span.received_ns));
    }
    let entities = best.into_values().map(|version| (version.entity.id, version.entity)).collect();
    let mut segments = put_together(entities);
    infer::infer(stored.trace_id, &mut segments);
    sort(&mut segments);
    CompiledTrace {
        trace_id: stored.trace_id,
        segments,
        revision: stored.received_count,
        is_cut: stored.is_cut,
    }
}

/// Gives each entity of a document, without what it encloses. The parser bounded the depth.
fn take_apart(members: &Members, within: Option<SpanId>, each: &mut dyn FnMut(Entity)) {
    let Some(entity) = Entity::read(members, within) else { return };
    let id = entity.id;
    each(entity);
    subsegments(members).for_each(|inner| take_apart(inner, Some(id), each));
}

/// Puts subsegments into what encloses them. Those of no known parent stay beside the segments.
fn put_together(mut entities: HashMap<SpanId, Entity>) -> Vec<Entity> {
    let mut children: HashMap<SpanId, Vec<SpanId>> = HashMap::new();
    let mut tops = Vec::new();
    for entity in entities.values() {
        match entity.parent_id.filter(|parent| entity.is_subsegment && entities.contains_key(parent)) {
            Some(parent) => children.entry(parent).or_default().push(entity.id),
            None => tops.push(entity.id),
        }
    }
    tops.sort();
    // Parents in a circle hang on nothing: the smallest id of each breaks it.
    let mut reached: HashSet<SpanId> = HashSet::new();
    let mut reach = |top: SpanId| {
        let mut waiting = vec![top];
        let mut is_new = false;
        while let Some(id) = waiting.pop() {
            if reached.insert(id) {
                is_new = true;
                waiting.extend(children.get(&id).into_iter().flatten());
            }
        }
        is_new
    };
    for top in &tops {
        reach(*top);
    }
    let mut circles = Vec::new();
    if tops.len() < entities.len() {
        let mut ids: Vec<SpanId> = entities.keys().copied().collect();
        ids.sort();
        circles.extend(ids.into_iter().filter(|id| tops.binary_search(id).is_err() && reach(*id)));
    }
    tops.extend(circles);
    let mut together = Vec::with_capacity(tops.len());
    let mut next = 0;
    while let Some(top) = tops.get(next).copied() {
        next += 1;
        if let Some(entity) = grow(top, 1, &mut entities, &children, &mut tops) {
            together.push(entity);
        }
    }
    together
}

/// Takes an entity out with what it encloses; what lies too deep becomes a top of its own.
fn grow(
    id: SpanId,
    depth: usize,
    entities: &mut HashMap<SpanId, Entity>,
    children: &HashMap<SpanId, Vec<SpanId>>,
    tops: &mut Vec<SpanId>,
) -> Option<Entity> {
    let mut entity = entities.remove(&id)?;
    for child in children.get(&id).into_iter().flatten() {
        if depth >= DEPTH_MAX {
            tops.push(*child);
        } else if let Some(child) = grow(*child, depth + 1, entities, children, tops) {
            entity.subsegments.push(child);
        }
    }
    sort(&mut entity.subsegments);
    Some(entity)
}

fn sort(entities: &mut [Entity]) {
    entities
        .sort_by(|left, right| left.start_s.total_cmp(&right.start_s).then_with(|| left.id.cmp(&right.id)));
}

impl CompiledTrace {
    /// `1-` and the id in two pieces.
    pub(crate) fn id(&self) -> String {
        spelled(self.trace_id)
    }

    /// Seconds from the earliest start to the latest end.
    pub(crate) fn duration_s(&self) -> f64 {
        let mut end_s = f64::NEG_INFINITY;
        self.walk(&mut |entity| end_s = end_s.max(entity.end_or_start_s()));
        self.start_s().map_or(0.0, |start_s| micro(end_s - start_s))
    }

    /// When the first entity started, if there is one.
    pub(crate) fn start_s(&self) -> Option<f64> {
        let mut start_s: Option<f64> = None;
        self.walk(&mut |entity| {
            start_s = Some(start_s.map_or(entity.start_s, |known| known.min(entity.start_s)))
        });
        start_s
    }

    /// The entry point: the segment whose parent is not in the trace; one without a parent first, then the earliest.
    pub(crate) fn root(&self) -> Option<&Entity> {
        let mut ids = HashSet::new();
        self.walk(&mut |entity| {
            ids.insert(entity.id);
        });
        let candidates = self.segments.iter().filter(|segment| {
            !segment.is_subsegment && segment.parent_id.is_none_or(|parent| !ids.contains(&parent))
        });
        // The segments are in the order of their start.
        candidates.min_by_key(|segment| segment.parent_id.is_some())
    }

    pub(crate) fn walk<'t>(&'t self, each: &mut dyn FnMut(&'t Entity)) {
        self.segments.iter().for_each(|segment| segment.walk(each));
    }

    /// The documents, each with its id.
    pub(crate) fn documents(&self) -> Vec<(SpanId, Value)> {
        let trace_id = self.id();
        self.segments.iter().map(|segment| (segment.id, segment.document(Some(&trace_id)))).collect()
    }
}

/// A trace id in X-Ray's form.
pub(crate) fn spelled(trace_id: TraceId) -> String {
    let digits = trace_id.to_string();
    let (epoch, unique) = digits.split_at(8);
    format!("1-{epoch}-{unique}")
}

/// Differences of times are true to the microsecond.
pub(crate) fn micro(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e6
}
