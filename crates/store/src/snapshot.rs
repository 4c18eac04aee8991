//! The list of parts as one process sees it. A snapshot never changes; commits and merges replace it.

use std::collections::HashMap;
use std::sync::Arc;

use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaDataReader;
use tokio::sync::mpsc;
use tracery_columnar::Fixed;
use tracery_model::{EnvironmentId, Signal, TimeRange};

use crate::commit::error_chain;
use crate::index::{TraceIndex, ValueIndex};
use crate::merge::run::Input;
use crate::objects::is_not_found;
use crate::part::{FreshPart, MergedFooter, Part, PartMeta};
use crate::{Inner, Objects, StoreError, identity, maintenance, paths};

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
    identity: &str,
    meta: PartMeta,
    graveyard: &mpsc::UnboundedSender<String>,
) -> Result<Part, StoreError> {
    if meta.level > 0 {
        return Ok(Part::new(meta, None, graveyard.clone()));
    }
    let object = match objects.get(&meta.path).await {
        Ok(object) => object,
        Err(error) => return Err(identity::explain(objects, identity, error).await),
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
                None => {
                    match open_part(&inner.objects, &inner.identity, meta.clone(), &inner.graveyard).await {
                        Ok(part) => parts.push(Arc::new(part)),
                        Err(StoreError::Damaged { reason, .. }) => unreadable.push((meta, reason)),
                        Err(error) => return Err(error),
                    }
                }
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

/// The trace-id index of a merged part, loaded once. One that is lost or damaged is made anew from the part, in memory:
/// without it, rows of the part would be found by everything but their trace.
pub(crate) async fn trace_index(inner: &Inner, part: &Part) -> Result<Arc<TraceIndex>, StoreError> {
    let load = || async { trace_index_of(inner, &part.meta).await.map(|(index, _)| Arc::new(index)) };
    part.trace_index_cell().get_or_try_init(load).await.cloned()
}

/// The index, and whether it had to be made anew.
async fn trace_index_of(inner: &Inner, meta: &PartMeta) -> Result<(TraceIndex, bool), StoreError> {
    let path = paths::trace_index(&meta.path);
    let error = match inner.objects.get(&path).await {
        Ok(bytes) => match TraceIndex::decode(&path, &bytes) {
            Ok(index) => return Ok((index, false)),
            Err(error) => error,
        },
        Err(error) => identity::explain(&inner.objects, &inner.identity, error).await,
    };
    if !matches!(error, StoreError::Damaged { .. }) {
        return Err(error);
    }
    // A part without traces has no index. Its footer says so; a part of old may have the column with no id in it.
    if !has_traces(&inner.objects, &meta.path).await? {
        return Ok((TraceIndex::default(), false));
    }
    tracing::warn!(error = error_chain(&error), "a trace index is made anew");
    let _one = inner.index_making.lock().await;
    let bytes = inner.objects.get(&meta.path).await?;
    let checksum = meta.crc32;
    let path = meta.path.clone();
    let made = tokio::task::spawn_blocking(move || {
        if crc32fast::hash(&bytes) != checksum {
            let reason = "its checksum differs from the catalog's".into();
            return Err(StoreError::Damaged { path, reason });
        }
        let input = Input::Merged { footer: MergedFooter::read(&bytes)?, bytes };
        let ids = input.column(Fixed::TraceId.name())?;
        Ok(ids.map(|ids| TraceIndex::of_column(&ids)).unwrap_or_default())
    });
    Ok((made.await.map_err(|error| StoreError::Stopped(error.to_string()))??, true))
}

/// Writes the trace-id index of a merged part anew where it is lost or damaged.
pub(crate) async fn mend_trace_index(inner: &Inner, meta: &PartMeta) -> Result<(), StoreError> {
    let (index, is_new) = trace_index_of(inner, meta).await?;
    if is_new {
        inner.objects.put(&paths::trace_index(&meta.path), vec![index.encode()]).await?;
    }
    Ok(())
}

/// Whether any row of a merged part has a trace id, by its footer.
async fn has_traces(objects: &Objects, path: &str) -> Result<bool, StoreError> {
    const FOOTER_BYTES_USUAL: u64 = 64 << 10;
    let mut wanted = FOOTER_BYTES_USUAL;
    loop {
        let (end, whole_len) = objects.get_end(path, wanted).await?;
        let read = tokio::task::spawn_blocking(move || {
            let mut reader = ParquetMetaDataReader::new();
            reader.try_parse_sized(&end, whole_len).and_then(|()| reader.finish())
        });
        match read.await.map_err(|error| StoreError::Stopped(error.to_string()))? {
            Ok(footer) => {
                let mut ids = footer
                    .row_groups()
                    .iter()
                    .flat_map(|group| group.columns())
                    .filter(|column| column.column_path().parts() == [Fixed::TraceId.name()]);
                return Ok(ids.any(|column| {
                    let nulls = column.statistics().and_then(|statistics| statistics.null_count_opt());
                    nulls.is_none_or(|nulls| i64::try_from(nulls).unwrap_or(0) < column.num_values())
                }));
            }
            // Never less than before, so that this ends.
            Err(ParquetError::NeedMoreData(len)) if (len as u64) > wanted && wanted < whole_len => {
                wanted = len as u64;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The value index of a merged part, loaded once; `None` when no attribute of it was worth one, or when it is damaged.
/// Readers scan without it.
pub(crate) async fn value_index(
    objects: &Objects,
    part: &Part,
) -> Result<Option<Arc<ValueIndex>>, StoreError> {
    let load = || async {
        let path = paths::value_index(&part.meta.path);
        let bytes = match objects.get(&path).await {
            Ok(bytes) => bytes,
            Err(error) if is_not_found(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        match ValueIndex::decode(&path, &bytes) {
            Ok(index) => Ok(Some(Arc::new(index))),
            Err(error) => {
                tracing::warn!(error = error_chain(&error), "a value index is not used");
                Ok(None)
            }
        }
    };
    part.value_index_cell().get_or_try_init(load).await.cloned()
}
