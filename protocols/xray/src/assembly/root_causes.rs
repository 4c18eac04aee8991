//! Why a trace was slow or failed: the way from the entry point down to where it happened, service by service. `summary`
//! spells the ways as the API does, and `facts` as filters see them.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use tracery_model::SpanId;

use super::compile::{CompiledTrace, micro};
use super::entity::Entity;
use crate::segment::fields::{objects, text};

/// Root causes of one kind in one trace; a trace of a thousand failures has a few reasons.
const CAUSES_MAX: usize = 20;
/// Entities on one way.
const WAY_LEN_MAX: usize = 200;
/// A part of what takes this share of the time of the whole is where the time went.
const SHARE_MIN: f64 = 0.5;

/// One service on the way, with the entities in it, the segment first.
#[derive(Debug, Clone)]
pub(super) struct Service<'t> {
    pub(super) segment: &'t Entity,
    pub(super) path: Vec<Step<'t>>,
}

#[derive(Debug, Clone)]
pub(super) struct Step<'t> {
    pub(super) entity: &'t Entity,
    /// Type (empty if there is none) and message.
    pub(super) exceptions: Vec<(String, String)>,
    /// Which part of the entry point's time it covers.
    pub(super) coverage: f64,
}

#[derive(Debug, Clone)]
pub(super) struct Way<'t> {
    pub(super) services: Vec<Service<'t>>,
    /// Whether the client saw it.
    pub(super) is_client_impacting: bool,
}

/// The entities of a trace by id, and how they hang together.
pub(super) struct Places<'t> {
    root: Option<&'t Entity>,
    places: HashMap<SpanId, Place<'t>>,
    /// In the order of the trace.
    ids: Vec<SpanId>,
}

struct Place<'t> {
    entity: &'t Entity,
    segment: &'t Entity,
    /// What encloses or calls it, if that is in the trace.
    parent: Option<SpanId>,
    children: Vec<SpanId>,
}

impl<'t> Places<'t> {
    pub(super) fn of(trace: &'t CompiledTrace) -> Self {
        let mut places: HashMap<SpanId, Place<'t>> = HashMap::new();
        let mut ids = Vec::new();
        for segment in &trace.segments {
            segment.walk(&mut |entity| {
                ids.push(entity.id);
                let place = Place { entity, segment, parent: entity.parent_id, children: Vec::new() };
                places.insert(entity.id, place);
            });
        }
        for id in &ids {
            let Some(parent) = places.get(id).and_then(|place| place.parent) else { continue };
            match places.get_mut(&parent).filter(|_| parent != *id) {
                Some(place) => place.children.push(*id),
                None => {
                    if let Some(place) = places.get_mut(id) {
                        place.parent = None;
                    }
                }
            }
        }
        Self { root: trace.root(), places, ids }
    }

    /// The segment whose subsegment called this segment, and that subsegment.
    pub(super) fn caller(&self, segment: &Entity) -> Option<(&'t Entity, &'t Entity)> {
        let parent = self.places.get(&segment.id)?.parent?;
        let place = self.places.get(&parent)?;
        Some((place.segment, place.entity))
    }

    /// A way to each entity with the flag below which nothing has it.
    pub(super) fn failures(&self, has_flag: fn(&Entity) -> bool) -> Vec<Way<'t>> {
        let flagged =
            || self.ids.iter().filter_map(|id| self.places.get(id)).filter(|place| has_flag(place.entity));
        let mut has_cause_below: HashSet<SpanId> = HashSet::new();
        for place in flagged() {
            let mut parent = place.parent;
            // Whoever is marked has marked those above already; in a circle everyone is in the end.
            while let Some(id) = parent.filter(|id| has_cause_below.insert(*id)) {
                parent = self.places.get(&id).and_then(|place| place.parent);
            }
        }
        let deepest = flagged().filter(|place| !has_cause_below.contains(&place.entity.id));
        deepest.take(CAUSES_MAX).map(|place| self.way_to(place, has_flag)).collect()
    }

    /// From the service where the failure begins to show.
    fn way_to(&self, deepest: &Place<'t>, has_flag: fn(&Entity) -> bool) -> Way<'t> {
        let mut way = vec![deepest.entity];
        let mut place = deepest;
        while way.len() < WAY_LEN_MAX {
            let Some(above) = place.parent.and_then(|id| self.places.get(&id)) else { break };
            let is_same_service = above.segment.id == place.segment.id && place.entity.id != place.segment.id;
            if !is_same_service && !has_flag(above.entity) {
                break;
            }
            way.push(above.entity);
            place = above;
        }
        way.reverse();
        let begins_at_root = self.root.is_some_and(|root| root.id == way[0].id);
        Way {
            is_client_impacting: begins_at_root && self.root.is_some_and(has_flag),
            services: self.by_service(&way),
        }
    }

    /// The way along which most of the entry point's time went; `None` while it is in progress.
    pub(super) fn slowness(&self) -> Option<Way<'t>> {
        let root = self.root.filter(|root| root.end_s.is_some())?;
        let mut way = vec![root];
        let mut seen = HashSet::from([root.id]);
        while way.len() < WAY_LEN_MAX {
            let above = way[way.len() - 1];
            let Some(place) = self.places.get(&above.id) else { break };
            let children =
                place.children.iter().filter_map(|id| self.places.get(id)).map(|place| place.entity);
            let longest = children
                .filter(|child| !seen.contains(&child.id))
                .max_by(|left, right| overlap_s(left, root).total_cmp(&overlap_s(right, root)));
            let Some(child) = longest else { break };
            let whole_s = overlap_s(above, root);
            if whole_s <= 0.0 || overlap_s(child, root) < SHARE_MIN * whole_s {
                break;
            }
            seen.insert(child.id);
            way.push(child);
        }
        Some(Way { services: self.by_service(&way), is_client_impacting: true })
    }

    fn by_service(&self, way: &[&'t Entity]) -> Vec<Service<'t>> {
        let mut services: Vec<Service<'t>> = Vec::new();
        for entity in way {
            let Some(place) = self.places.get(&entity.id) else { continue };
            let step = Step { entity, exceptions: self.exceptions(entity), coverage: self.coverage(entity) };
            match services.last_mut() {
                Some(last) if last.segment.id == place.segment.id => last.path.push(step),
                _ => services.push(Service { segment: place.segment, path: vec![step] }),
            }
        }
        services
    }

    fn coverage(&self, entity: &Entity) -> f64 {
        let Some(root) = self.root else { return 0.0 };
        let whole_s = overlap_s(root, root);
        let part = if whole_s > 0.0 { overlap_s(entity, root) / whole_s } else { 1.0 };
        (part * 1e4).round() / 1e4
    }

    /// What an entity's cause tells, or the exception below that it names.
    fn exceptions(&self, entity: &Entity) -> Vec<(String, String)> {
        let told = |entity: &'t Entity| {
            entity.block("cause").into_iter().flat_map(|cause| objects(cause, "exceptions"))
        };
        let spelled = |exception| {
            let part = |key| text(exception, key).unwrap_or_default().to_owned();
            (part("type"), part("message"))
        };
        let Some(place) = self.places.get(&entity.id) else { return Vec::new() };
        if let Some(Value::String(wanted)) = entity.blocks.get("cause") {
            let mut found = None;
            place.segment.walk(&mut |inner| {
                let mut named = told(inner).filter(|exception| text(exception, "id") == Some(wanted));
                found = found.take().or_else(|| named.next());
            });
            return found.into_iter().map(spelled).collect();
        }
        told(place.entity).map(spelled).collect()
    }
}

/// Seconds of the entity within the entry point's time.
fn overlap_s(entity: &Entity, root: &Entity) -> f64 {
    let start_s = entity.start_s.max(root.start_s);
    micro((entity.end_or_start_s().min(root.end_or_start_s()) - start_s).max(0.0))
}
