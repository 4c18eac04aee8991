//! The list of parts as one process sees it. A snapshot never changes; commits and merges replace it.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc;
use tracery_model::{EnvironmentId, Signal, TimeRange};

use crate::index::{TraceIndex, ValueIndex};
use crate::part::{FreshPart, Part, PartMeta};
use crate::{Inner, Objects, StoreError, maintenance, paths};

/// What a parsed column of a chunk takes beside its bytes, about: name, type and pointers. Batches of one row are
/// mostly this.
const FIELD_BYTES: usize = 256;

#[derive(Debug)]
pub struct Snapshot {
    pub(crate) version: i64,
    parts: Vec<Arc<Part>>,
    fresh_bytes: usize,
}

impl Snapshot {
    pub(crate) fn new(version: i64, parts: Vec<Arc<Part>>) -> Self {
        let fresh_bytes = parts.iter().filter_map(|part| part.fresh()).map(memory_bytes).sum();
        Self { version, parts, fresh_bytes }
    }

    pub fn parts(&self) -> &[Arc<Part>] {
        &self.parts
    }

    /// The parts that may hold rows of the environment, signals, time and datasets.
    pub fn select(
        &self,
        environment: EnvironmentId,
        signals: &[Signal],
        time: TimeRange,
        datasets: Option<&[String]>,
    ) -> Vec<Arc<Part>> {
        self.parts
            .iter()
            .filter(|part| {
                let meta = &part.meta;
                meta.environment == environment
                    && signals.contains(&meta.signal)
                    && time.overlaps(meta.time_min_ns, meta.time_max_ns)
                    && datasets.is_none_or(|wanted| {
                        meta.datasets.is_empty() || meta.datasets.iter().any(|own| wanted.contains(own))
                    })
            })
            .cloned()
            .collect()
    }

    /// Memory that fresh parts hold.
    pub fn fresh_bytes(&self) -> usize {
        self.fresh_bytes
    }
}

/// Memory that a fresh part holds.
fn memory_bytes(part: &FreshPart) -> usize {
    part.chunks.iter().map(|chunk| chunk.byte_count() + chunk.schema().fields().len() * FIELD_BYTES).sum()
}

/// Loads what a listed part needs in memory.
pub(crate) async fn open_part(
    objects: &Objects,
    meta: PartMeta,
    graveyard: &mpsc::UnboundedSender<String>,
) -> Result<Part, StoreError> {
    if meta.level > 0 {
        return Ok(Part::new(meta, None, graveyard.clone()));
    }
    let object = match objects.get(&meta.path).await {
        Err(StoreError::Object { source: object_store::Error::NotFound { .. }, path }) => {
            return Err(StoreError::Damaged { path, reason: "the object is missing".into() });
        }
        other => other?,
    };
    if crc32fast::hash(&object) != meta.crc32 {
        return Err(StoreError::Damaged {
            path: meta.path,
            reason: "its checksum differs from the catalog's".into(),
        });
    }
    let fresh = FreshPart::open(&meta.path, &object)?;
    Ok(Part::new(meta, Some(fresh), graveyard.clone()))
}

/// Replaces parts in the list: `removed` ids go, `added` come. `version` is what the catalog answered, if it did.
/// Call with `inner.list` held.
pub(crate) fn publish(inner: &Inner, version: Option<i64>, removed: &[String], added: Vec<Arc<Part>>) {
    let mut current = inner.parts.write();
    let mut parts: Vec<Arc<Part>> =
        current.parts.iter().filter(|part| !removed.contains(&part.meta.id)).cloned().collect();
    parts.extend(added);
    // A gap means that another process changed the list in between: the next refresh reads it.
    let version = version.filter(|version| *version == current.version + 1).unwrap_or(current.version);
    *current = Arc::new(Snapshot::new(version, parts));
}

/// Reads the list again. Call with `inner.list` held.
pub(crate) async fn refresh(inner: &Inner) -> Result<(), StoreError> {
    loop {
        let version = inner.catalog.version().await?;
        let known = Arc::clone(&inner.parts.read());
        if known.version == version {
            return Ok(());
        }
        let by_id: HashMap<&str, &Arc<Part>> =
            known.parts.iter().map(|part| (part.meta.id.as_str(), part)).collect();
        let mut parts = Vec::new();
        let mut unreadable = Vec::new();
        for meta in inner.catalog.parts().await? {
            match by_id.get(meta.id.as_str()) {
                Some(part) => parts.push(Arc::clone(part)),
                None => match open_part(&inner.objects, meta.clone(), &inner.graveyard).await {
                    Ok(part) => parts.push(Arc::new(part)),
                    Err(StoreError::Damaged { reason, .. }) => unreadable.push((meta, reason)),
                    Err(error) => return Err(error),
                },
            }
        }
        let mut set_aside = false;
        for (meta, reason) in &unreadable {
            // Not when it was merged away by its owner between the two reads: then the list has changed.
            set_aside |=
                maintenance::set_aside(&inner.catalog, &inner.stats, meta, reason, inner.clock.now_ms())
                    .await?;
        }
        if !unreadable.is_empty() && !set_aside {
            continue;
        }
        inner.keys.load(inner.catalog.keys().await?);
        *inner.parts.write() = Arc::new(Snapshot::new(version, parts));
        return Ok(());
    }
}

pub(crate) async fn trace_index(
    objects: &Objects,
    part: &Part,
) -> Result<Option<Arc<TraceIndex>>, StoreError> {
    let load = || async {
        let path = paths::trace_index(&part.meta.path);
        match objects.get(&path).await {
            Ok(bytes) => Ok(Some(Arc::new(TraceIndex::decode(&path, &bytes)?))),
            // A part without traces has no index.
            Err(StoreError::Object { source: object_store::Error::NotFound { .. }, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    };
    part.trace_index_cell().get_or_try_init(load).await.cloned()
}

pub(crate) async fn value_index(
    objects: &Objects,
    part: &Part,
) -> Result<Option<Arc<ValueIndex>>, StoreError> {
    let load = || async {
        let path = paths::value_index(&part.meta.path);
        match objects.get(&path).await {
            Ok(bytes) => Ok(Some(Arc::new(ValueIndex::decode(&path, &bytes)?))),
            // No attribute of the part was worth one.
            Err(StoreError::Object { source: object_store::Error::NotFound { .. }, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    };
    part.value_index_cell().get_or_try_init(load).await.cloned()
}
