//! What happens to parts after they are written: merges, retention, the sweep of orphans, and burial of the objects
//! that merges and retention took off the list.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tracery_model::OWN_SPANS;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::catalog::Change;
use crate::commit::error_chain;
use crate::merge::plan::{Job, MergePolicy, next_job};
use crate::merge::run::{Input, Output, merge};
use crate::part::{MergedFooter, Part, PartMeta};
use crate::{Catalog, Inner, StoreError, StoreStats, identity, paths, scrub, snapshot};

/// How often due work is looked for when no commit asks.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often retention and the sweep run.
const EXPIRE_EVERY: Duration = Duration::from_secs(300);

/// How long parts are left alone whose merge failed for a reason of its own: every other merge goes on meanwhile.
const UNMERGEABLE_MS: i64 = 600_000;

/// Merges, expires and sweeps until the store stops.
pub(crate) async fn run(inner: Arc<Inner>) {
    let mut expired_at: Option<Instant> = None;
    let mut round = scrub::Round::default();
    loop {
        round.step(&inner).await;
        if expired_at.is_none_or(|at| at.elapsed() >= EXPIRE_EVERY) {
            expired_at = Some(Instant::now());
            for result in [expire(&inner).await, sweep(&inner).await] {
                if let Err(error) = result {
                    tracing::warn!(error = error_chain(&error), "retention is delayed");
                }
            }
        }
        if let Err(error) = merge_due(&inner, false).await {
            StoreStats::add(&inner.stats.merge_failures, 1);
            tracing::warn!(error = error_chain(&error), "a merge is delayed");
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = inner.stop.cancelled() => return,
            }
        }
        tokio::select! {
            () = inner.merge_wanted.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = inner.stop.cancelled() => return,
        }
    }
}

/// Runs merges until none is due; `everything` also merges what is young. Returns how many ran. Where a merge fails by
/// itself the others run, and the first such error is returned.
pub(crate) async fn merge_due(inner: &Arc<Inner>, everything: bool) -> Result<usize, StoreError> {
    let policy = if everything {
        MergePolicy { fresh_age_ms: i64::MIN / 2, ..inner.options.merge }
    } else {
        inner.options.merge
    };
    let mut count = 0;
    let mut failed = None;
    while !inner.stop.is_cancelled() {
        let parts = Arc::clone(&inner.parts.read());
        let now_ms = inner.clock.now_ms();
        let left_alone: HashSet<String> = {
            let mut unmergeable = inner.unmergeable.lock();
            unmergeable.retain(|_, until_ms| *until_ms > now_ms);
            unmergeable.keys().cloned().collect()
        };
        let due = parts.parts().iter().map(|part| &part.meta).filter(|meta| !left_alone.contains(&meta.id));
        let job = next_job(due, &policy, now_ms);
        let Some(job) = job else { break };
        let sources: Vec<Arc<Part>> =
            parts.parts().iter().filter(|part| job.ids.contains(&part.meta.id)).cloned().collect();
        drop(parts);
        let rows: i64 = sources.iter().map(|part| part.meta.row_count).sum();
        let environment = sources.first().map_or(0, |part| part.meta.environment.0);
        let span = tracing::info_span!(target: OWN_SPANS, "merge", environment.id = environment, rows, parts = sources.len());
        match merge_job(inner, &job, &sources).instrument(span).await {
            Ok(()) => count += 1,
            Err(error) if error.is_of_storage() => return Err(error),
            Err(error) => {
                // It would fail again at once, and nothing else would be merged.
                let until_ms = now_ms.saturating_add(UNMERGEABLE_MS);
                inner.unmergeable.lock().extend(job.ids.into_iter().map(|id| (id, until_ms)));
                tracing::error!(
                    error = error_chain(&error),
                    rows,
                    "parts cannot be merged; they stay as they are"
                );
                failed.get_or_insert(error);
            }
        }
    }
    failed.map_or(Ok(count), Err)
}

async fn merge_job(inner: &Arc<Inner>, job: &Job, sources: &[Arc<Part>]) -> Result<(), StoreError> {
    let started = Instant::now();
    let mut inputs = Vec::new();
    for part in sources {
        match part.fresh() {
            Some(fresh) => inputs.extend(fresh.chunks.iter().cloned().map(Input::Fresh)),
            None => match open_merged(inner, &part.meta).await {
                Ok(input) => inputs.push(input),
                Err(StoreError::Damaged { reason, .. }) => {
                    scrub::set_aside(inner, &part.meta, &reason).await?;
                    return Ok(());
                }
                Err(error) => return Err(error),
            },
        }
    }
    let signal = job.signal;
    let outputs = tokio::task::spawn_blocking(move || merge(&inputs, signal))
        .await
        .map_err(|error| StoreError::Stopped(error.to_string()))??;
    let rows_out: usize = outputs.iter().map(|output| output.row_count).sum();
    let rows_in: i64 = sources.iter().map(|part| part.meta.row_count).sum();
    if i64::try_from(rows_out).ok() != Some(rows_in) {
        // Never seen; the parts stay as they are rather than lose a row.
        return Err(StoreError::Stopped(format!("a merge of {rows_in} rows made {rows_out}")));
    }
    let mut added = Vec::with_capacity(outputs.len());
    for output in outputs {
        match write_output(inner, job, output).await {
            Ok(part) => added.push(Arc::new(part)),
            Err(error) => {
                // The disk may be full: what no list will name must not keep it so.
                added.iter().for_each(|part: &Arc<Part>| part.doom());
                return Err(error);
            }
        }
    }
    let change = Change {
        added: added.iter().map(|part| &part.meta).collect(),
        removed: sources.iter().map(|part| part.meta.id.as_str()).collect(),
        keys: Vec::new(),
        now_ms: inner.clock.now_ms(),
    };
    let _list = inner.list.lock().await;
    match inner.catalog.apply(&change).await {
        Ok(Some(version)) => {
            let removed: Vec<String> = sources.iter().map(|part| part.meta.id.clone()).collect();
            snapshot::publish(inner, Some(version), &removed, added);
            retire(inner, sources);
        }
        Ok(None) => {
            // Another node was faster; what was written here is unlisted.
            added.iter().for_each(|part| part.doom());
            snapshot::refresh(inner).await?;
        }
        // The list tells at the next look; if the change was not made, the sweeper takes what was written.
        Err(error @ StoreError::Unsure(_)) => return Err(error),
        Err(error) => {
            added.iter().for_each(|part| part.doom());
            return Err(error);
        }
    }
    StoreStats::add(&inner.stats.merges, 1);
    StoreStats::add(&inner.stats.rows_merged, rows_out);
    StoreStats::add(&inner.stats.merge_us, usize::try_from(started.elapsed().as_micros()).unwrap_or(0));
    tracing::debug!(signal = %job.signal, parts = sources.len(), rows = rows_out, level = job.level, "merged");
    Ok(())
}

async fn open_merged(inner: &Inner, meta: &PartMeta) -> Result<Input, StoreError> {
    let damaged = |reason: String| StoreError::Damaged { path: meta.path.clone(), reason };
    let bytes = match inner.objects.get(&meta.path).await {
        Ok(bytes) => bytes,
        Err(error) => return Err(identity::explain(&inner.objects, &inner.identity, error).await),
    };
    if crc32fast::hash(&bytes) != meta.crc32 {
        return Err(damaged("its checksum differs from the catalog's".into()));
    }
    let footer = MergedFooter::read(&bytes).map_err(|error| damaged(error.to_string()))?;
    Ok(Input::Merged { bytes, footer })
}

/// Lets the objects of unlisted parts go: when the last query here has let go of them, or, where other processes may
/// read them too, when the sweeper finds that long enough ago. Call with `inner.list` held.
fn retire(inner: &Inner, parts: &[Arc<Part>]) {
    inner.retired.lock().extend(parts.iter().map(Arc::downgrade));
    if !inner.catalog.is_shared() {
        parts.iter().for_each(|part| part.doom());
    }
}

async fn write_output(inner: &Inner, job: &Job, output: Output) -> Result<Part, StoreError> {
    let id = Uuid::now_v7().simple().to_string();
    let path = paths::merged(job.environment, job.signal, &id);
    let meta = PartMeta {
        id,
        environment: job.environment,
        signal: job.signal,
        level: job.level,
        path: path.clone(),
        time_min_ns: output.time_min_ns,
        time_max_ns: output.time_max_ns,
        row_count: i64::try_from(output.row_count).unwrap_or(0),
        byte_count: i64::try_from(output.object.len()).unwrap_or(0),
        raw_byte_count: i64::try_from(output.raw_byte_count).unwrap_or(i64::MAX),
        crc32: crc32fast::hash(&output.object),
        datasets: output.datasets,
        created_ms: inner.clock.now_ms(),
    };
    let written = async {
        // The indexes first: a listed part always has them.
        if let Some(index) = output.trace_index {
            inner.objects.put(&paths::trace_index(&path), vec![index]).await?;
        }
        if let Some(index) = output.value_index {
            inner.objects.put(&paths::value_index(&path), vec![index]).await?;
        }
        inner.objects.put(&path, vec![output.object]).await
    };
    if let Err(error) = written.await {
        drop(inner.graveyard.send(path));
        return Err(error);
    }
    Ok(Part::new(meta, None, inner.graveyard.clone()))
}

/// Takes a damaged part off the list, counts it, and says so. `false`: it was not listed any more.
pub(crate) async fn set_aside(
    catalog: &Catalog,
    stats: &StoreStats,
    meta: &PartMeta,
    reason: &str,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let listed = catalog.set_aside(meta, reason, now_ms).await?;
    if listed {
        tracing::error!(part = meta.path, rows = meta.row_count, reason, "a damaged part is set aside");
        StoreStats::add(&stats.parts_set_aside, 1);
    }
    Ok(listed)
}

/// Drops parts whose newest row is older than the retention.
pub(crate) async fn expire(inner: &Arc<Inner>) -> Result<(), StoreError> {
    let Some(retention) = inner.options.retention else { return Ok(()) };
    let keep_from = inner.clock.now_ns() - i64::try_from(retention.as_nanos()).unwrap_or(i64::MAX);
    let parts = Arc::clone(&inner.parts.read());
    let old: Vec<&Arc<Part>> =
        parts.parts().iter().filter(|part| part.meta.time_max_ns < keep_from).collect();
    for part in old {
        let now_ms = inner.clock.now_ms();
        let change = Change { removed: vec![&part.meta.id], now_ms, ..Change::default() };
        let _list = inner.list.lock().await;
        if let Some(version) = inner.catalog.apply(&change).await? {
            snapshot::publish(inner, Some(version), std::slice::from_ref(&part.meta.id), Vec::new());
            retire(inner, std::slice::from_ref(part));
            inner
                .stats
                .rows_expired
                .fetch_add(u64::try_from(part.meta.row_count).unwrap_or(0), Ordering::Relaxed);
        }
    }
    Ok(())
}

/// Removes objects that no listed part owns and that are too old to belong to a commit under way.
pub(crate) async fn sweep(inner: &Arc<Inner>) -> Result<(), StoreError> {
    // What lies in another catalog's store is no orphan.
    identity::check(&inner.objects, &inner.identity).await?;
    // Objects before the list: what is written in between is in neither.
    let objects = inner.objects.list(paths::ROOT).await?;
    let mut owned = owned(inner).await?;
    let removed_age_ms = i64::try_from(inner.options.removed_age.as_millis()).unwrap_or(i64::MAX);
    let mut removed = HashSet::new();
    for (path, removed_ms) in inner.catalog.parts_removed().await? {
        if owned.contains(&path) || removed_ms.saturating_add(removed_age_ms) > inner.clock.now_ms() {
            owned.insert(path);
            continue;
        }
        for object in paths::with_indexes(path.clone()) {
            inner.objects.delete(&object).await?;
        }
        inner.catalog.forget_removed(&path).await?;
        removed.insert(path);
    }
    let orphan_age_ms = i64::try_from(inner.options.orphan_age.as_millis()).unwrap_or(i64::MAX);
    let oldest_kept_ms = inner.clock.now_ms().saturating_sub(orphan_age_ms);
    for (path, modified_ms) in objects {
        let owner = paths::indexed_part(&path).unwrap_or(&path);
        if !owned.contains(owner) && !removed.contains(owner) && modified_ms < oldest_kept_ms {
            inner.objects.delete(&path).await?;
            StoreStats::add(&inner.stats.orphans_removed, 1);
        }
    }
    Ok(())
}

/// The paths of parts that are listed, set aside, or still read here.
async fn owned(inner: &Inner) -> Result<HashSet<String>, StoreError> {
    // So that no part is on its way from the list to the retired ones meanwhile.
    let _list = inner.list.lock().await;
    let mut owned: HashSet<String> = inner.catalog.parts().await?.into_iter().map(|meta| meta.path).collect();
    owned.extend(inner.catalog.parts_set_aside().await?.into_iter().map(|(path, _)| path));
    owned.extend(inner.parts.read().parts().iter().map(|part| part.meta.path.clone()));
    inner.retired.lock().retain(|part| {
        let held = part.upgrade();
        owned.extend(held.iter().map(|part| part.meta.path.clone()));
        held.is_some()
    });
    Ok(owned)
}

/// Removes the objects of doomed parts once no query reads them.
pub(crate) async fn bury(inner: Arc<Inner>, mut graves: mpsc::UnboundedReceiver<String>) {
    loop {
        let path = tokio::select! {
            biased;
            path = graves.recv() => path,
            () = inner.stop.cancelled() => return,
        };
        let Some(path) = path else { return };
        for object in paths::with_indexes(path) {
            if let Err(error) = inner.objects.delete(&object).await {
                tracing::warn!(
                    error = error_chain(&error),
                    "an object outlives its part; the sweeper takes it"
                );
            }
        }
    }
}
