//! Looks for merged parts whose bytes have changed. Fresh parts are checked when they are loaded and then live in
//! memory; merged ones are read in pieces and never whole, so their checksum is verified here: a part every few
//! seconds while the server runs, all of them when a query could not make sense of what it read, and on request.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::commit::error_chain;
use crate::part::PartMeta;
use crate::{Inner, StoreError, identity, maintenance, snapshot};

/// Between two parts that nobody complained about: little next to what queries and merges read.
const PART_EVERY: Duration = Duration::from_secs(10);
/// Between two times that all parts are read because of a complaint.
const ALL_EVERY: Duration = Duration::from_secs(30);

/// What was looked at so far.
#[derive(Default)]
pub(crate) struct Round {
    seen: HashSet<String>,
    last: Option<Instant>,
    last_all: Option<Instant>,
}

impl Round {
    /// Called whenever the background work has time.
    pub(crate) async fn step(&mut self, inner: &Arc<Inner>) {
        let waited = |at: Option<Instant>, time| at.is_none_or(|at: Instant| at.elapsed() >= time);
        let result = if waited(self.last_all, ALL_EVERY) && inner.scrub_wanted.swap(false, Ordering::Relaxed)
        {
            self.last_all = Some(Instant::now());
            all(inner).await.map(drop)
        } else if waited(self.last, PART_EVERY) {
            self.last = Some(Instant::now());
            self.next(inner).await
        } else {
            return;
        };
        if let Err(error) = result {
            tracing::warn!(error = error_chain(&error), "parts could not be looked at; the next try comes");
        }
    }

    /// Looks at the oldest part that was not seen in this round; each process starts its rounds anew.
    async fn next(&mut self, inner: &Arc<Inner>) -> Result<(), StoreError> {
        let parts = Arc::clone(&inner.parts.read());
        let merged = || parts.parts().iter().filter(|part| part.meta.level > 0);
        let Some(part) = merged().find(|part| !self.seen.contains(&part.meta.id)) else {
            self.seen.clear();
            return Ok(());
        };
        self.seen.insert(part.meta.id.clone());
        look_at(inner, &part.meta).await.map(drop)
    }
}

/// Looks at every merged part.
pub(crate) async fn all(inner: &Arc<Inner>) -> Result<usize, StoreError> {
    let parts = Arc::clone(&inner.parts.read());
    let mut damaged = 0;
    for part in parts.parts().iter().filter(|part| part.meta.level > 0) {
        if inner.stop.is_cancelled() {
            break;
        }
        damaged += usize::from(look_at(inner, &part.meta).await?);
    }
    Ok(damaged)
}

/// Whether the part had to be set aside. One that is whole gets its trace index back if that is not.
async fn look_at(inner: &Arc<Inner>, meta: &PartMeta) -> Result<bool, StoreError> {
    match damage(inner, meta).await? {
        Some(reason) => set_aside(inner, meta, &reason).await,
        None => {
            snapshot::mend_trace_index(inner, meta).await?;
            Ok(false)
        }
    }
}

/// What is wrong with the object of a part.
async fn damage(inner: &Inner, meta: &PartMeta) -> Result<Option<String>, StoreError> {
    Ok(match inner.objects.checksum(&meta.path).await {
        Ok((len, _)) if i64::try_from(len).ok() != Some(meta.byte_count) => {
            Some(format!("it has {len} bytes and the catalog says {}", meta.byte_count))
        }
        Ok((_, crc32)) if crc32 != meta.crc32 => Some("its checksum differs from the catalog's".to_owned()),
        Ok(_) => None,
        Err(error) => match identity::explain(&inner.objects, &inner.identity, error).await {
            StoreError::Damaged { reason, .. } => Some(reason),
            error => return Err(error),
        },
    })
}

/// Lists again what was set aside and is whole.
pub(crate) async fn restore(inner: &Arc<Inner>) -> Result<Vec<String>, StoreError> {
    let mut restored = Vec::new();
    for meta in inner.catalog.restorable().await? {
        if damage(inner, &meta).await?.is_some() {
            continue;
        }
        let _list = inner.list.lock().await;
        if inner.catalog.restore(&meta.id).await? {
            tracing::info!(
                part = meta.path,
                rows = meta.row_count,
                "a part that was set aside is listed again"
            );
            restored.push(meta.path);
            snapshot::refresh(inner).await?;
        }
    }
    Ok(restored)
}

/// Takes a damaged part out of the catalog and out of the list that queries see.
pub(crate) async fn set_aside(inner: &Arc<Inner>, meta: &PartMeta, reason: &str) -> Result<bool, StoreError> {
    let _list = inner.list.lock().await;
    let now_ms = inner.clock.now_ms();
    let done = maintenance::set_aside(&inner.catalog, &inner.stats, meta, reason, now_ms).await?;
    snapshot::publish(inner, None, std::slice::from_ref(&meta.id), Vec::new());
    Ok(done)
}
