//! Inferred segments: what a subsegment called and that sent nothing itself gets a segment, made of what its caller saw.
//! `compile` calls it when all entities are in their places, so that a segment which arrives later takes its place.

use std::collections::HashSet;

use serde_json::Value;
use tracery_model::{SpanId, TraceId};

use super::entity::Entity;

/// Adds a segment for each call without a callee.
pub(super) fn infer(trace_id: TraceId, segments: &mut Vec<Entity>) {
    let mut ids = HashSet::new();
    let mut called = HashSet::new();
    for segment in segments.iter() {
        segment.walk(&mut |entity| {
            ids.insert(entity.id);
        });
        if !segment.is_subsegment {
            called.extend(segment.parent_id);
        }
    }
    let mut inferred = Vec::new();
    for segment in segments.iter() {
        segment.walk(&mut |entity| {
            if entity.is_subsegment && !called.contains(&entity.id) {
                inferred.extend(callee(trace_id, entity, &mut ids));
            }
        });
    }
    segments.extend(inferred);
}

fn callee(trace_id: TraceId, caller: &Entity, ids: &mut HashSet<SpanId>) -> Option<Entity> {
    let (node, kind) = caller.node.clone()?;
    // AWS's services keep the name by which they were called; the map names the resource.
    let name = match caller.namespace.as_deref() {
        Some("aws") => caller.name.clone(),
        _ => node.clone(),
    };
    let mut segment = Entity::new(derived_id(trace_id, caller.id, ids), name, caller.start_s, caller.end_s);
    segment.parent_id = Some(caller.id);
    segment.is_inferred = true;
    (segment.fault, segment.error, segment.throttle) = (caller.fault, caller.error, caller.throttle);
    segment.origin = (kind != "remote" && !kind.is_empty()).then(|| kind.clone());
    for block in ["http", "aws"] {
        if let Some(value) = caller.blocks.get(block) {
            segment.blocks.insert(block.to_owned(), value.clone());
        }
    }
    if let Some(Value::Object(http)) = segment.blocks.get_mut("http")
        && let Some(Value::Object(request)) = http.get_mut("request")
    {
        request.remove("traced");
    }
    segment.node = Some((node, kind));
    Some(segment)
}

/// An id that is the same whenever the trace is compiled, and no other entity's.
pub(super) fn derived_id(trace_id: TraceId, of: SpanId, taken: &mut HashSet<SpanId>) -> SpanId {
    let mut hash = fnv(0xcbf2_9ce4_8422_2325, &trace_id.0);
    loop {
        hash = fnv(hash, &of.0);
        let id = SpanId(hash.to_be_bytes());
        if hash != 0 && taken.insert(id) {
            return id;
        }
    }
}

/// FNV-1a, which stays what it is: ids must not change with a release of a library.
fn fnv(mut hash: u64, bytes: &[u8]) -> u64 {
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash
}
