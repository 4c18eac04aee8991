//! Group commit. Batches are encoded by the tasks that bring them; one committer takes all that waits, writes one
//! fresh part for each environment and signal, lists them in one transaction, shows them to queries, and only then
//! answers. While it syncs, the next group gathers: no timer is needed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::buffer::Buffer;
use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tracery_columnar::{DatasetSummary, EventBatch, Sink};
use tracery_model::{EnvironmentId, OWN_SPANS, Receipt, Signal, SinkError};
use tracing::Instrument as _;
use uuid::Uuid;

use crate::catalog::{Change, SeenKey};
use crate::part::{FreshChunk, FreshPart, Part, PartMeta, encode_chunk, held_by_merge, seal};
use crate::{Inner, Store, StoreError, StoreStats, paths, snapshot};

const BUSY_RETRY_MS: u64 = 1_000;
const UNAVAILABLE_RETRY_MS: u64 = 5_000;
/// Encoded bytes that one commit takes at most, so that its answers do not wait for a long queue.
const COMMIT_BYTES_MAX: usize = 32 << 20;

/// A batch ready to be written.
struct Encoded {
    signal: Signal,
    bytes: Bytes,
    raw_byte_count: usize,
    row_count: usize,
    time_min_ns: i64,
    time_max_ns: i64,
    datasets: Vec<DatasetSummary>,
}

pub(crate) struct Request {
    environment: EnvironmentId,
    batches: Vec<Encoded>,
    byte_count: usize,
    _queued: OwnedSemaphorePermit,
    reply: oneshot::Sender<Result<Receipt, SinkError>>,
}

#[async_trait]
impl Sink for Store {
    async fn accept(
        &self,
        environment: EnvironmentId,
        batches: Vec<EventBatch>,
    ) -> Result<Receipt, SinkError> {
        let inner = &self.inner;
        let busy = || {
            StoreStats::add(&inner.stats.busy, 1);
            SinkError::Busy { retry_after_ms: BUSY_RETRY_MS }
        };
        let unavailable =
            |reason: String| SinkError::Unavailable { reason, retry_after_ms: UNAVAILABLE_RETRY_MS };
        if batches.is_empty() {
            return Ok(Receipt::default());
        }
        if inner.stop.is_cancelled() {
            return Err(unavailable("the server is stopping".into()));
        }
        let raw: usize = batches.iter().map(EventBatch::byte_count).sum();
        // Larger than the queue would never fit; it takes all of it and goes alone.
        let permits = u32::try_from(raw.min(inner.options.queue_bytes_max)).unwrap_or(u32::MAX);
        let queued = Arc::clone(&inner.queue).try_acquire_many_owned(permits).map_err(|_| busy())?;
        if inner.parts.read().fresh_bytes() > inner.options.fresh_bytes_max {
            inner.merge_wanted.notify_one();
            return Err(busy());
        }
        for batch in &batches {
            StoreStats::add(&inner.stats.values_cut, batch.stats.values_cut);
            StoreStats::add(&inner.stats.values_in_tail, batch.stats.values_in_tail);
        }
        // The permit goes along: when the client leaves and this future is dropped, the batches are still held there.
        let (encoded, queued) = tokio::task::spawn_blocking(move || {
            let encoded = batches.into_iter().map(encode).collect::<Result<Vec<_>, _>>();
            encoded.map(|encoded| (encoded, queued))
        })
        .await
        .map_err(|error| unavailable(error.to_string()))?
        .map_err(|error| unavailable(error.to_string()))?;
        let byte_count = encoded.iter().map(|batch| batch.bytes.len()).sum();
        let (reply, answer) = oneshot::channel();
        let request = Request { environment, batches: encoded, byte_count, _queued: queued, reply };
        inner.commits.send(request).map_err(|_| unavailable("the server is stopping".into()))?;
        answer.await.map_err(|_| unavailable("the server is stopping".into()))?
    }
}

fn encode(batch: EventBatch) -> Result<Encoded, StoreError> {
    Ok(Encoded {
        signal: batch.signal,
        bytes: encode_chunk(&batch.records)?,
        raw_byte_count: raw_byte_count(&batch.records),
        row_count: batch.row_count(),
        time_min_ns: batch.time_min_ns,
        time_max_ns: batch.time_max_ns,
        datasets: batch.datasets,
    })
}

/// What a merge may hold of the rows at once: their widest columns, decoded.
fn raw_byte_count(records: &RecordBatch) -> usize {
    let columns = records.columns().iter();
    let sizes = columns
        .map(|column| match column.as_string_view_opt() {
            // Rows that share a value share its bytes.
            Some(text) => {
                text.views().inner().len() + text.data_buffers().iter().map(Buffer::len).sum::<usize>()
            }
            None => column.to_data().get_slice_memory_size().unwrap_or(0),
        })
        .collect();
    held_by_merge(sizes)
}

/// Commits until the store stops and nothing waits.
pub(crate) async fn run(inner: Arc<Inner>, mut requests: mpsc::UnboundedReceiver<Request>) {
    loop {
        let first = tokio::select! {
            biased;
            request = requests.recv() => request,
            () = inner.stop.cancelled() => {
                requests.close();
                requests.recv().await
            }
        };
        let Some(first) = first else { return };
        let mut byte_count = first.byte_count;
        let mut group = vec![first];
        while byte_count < COMMIT_BYTES_MAX
            && let Ok(request) = requests.try_recv()
        {
            byte_count += request.byte_count;
            group.push(request);
        }
        commit(&inner, group).await;
    }
}

/// What becomes one fresh part.
#[derive(Default)]
struct Gathered {
    chunks: Vec<(Bytes, usize)>,
    raw_byte_count: usize,
    time_min_ns: Option<i64>,
    time_max_ns: Option<i64>,
    datasets: std::collections::BTreeSet<String>,
}

async fn commit(inner: &Arc<Inner>, group: Vec<Request>) {
    let started = Instant::now();
    let now_ms = inner.clock.now_ms();
    let mut parts: BTreeMap<(EnvironmentId, Signal), Gathered> = BTreeMap::new();
    let mut keys: Vec<SeenKey> = Vec::new();
    let mut replies = Vec::with_capacity(group.len());
    let mut queued = Vec::with_capacity(group.len());
    for request in group {
        let row_count = request.batches.iter().map(|batch| batch.row_count).sum();
        replies.push((request.reply, Receipt { row_count }));
        queued.push(request._queued);
        for batch in request.batches {
            for summary in &batch.datasets {
                keys.extend(inner.keys.note(request.environment, batch.signal, summary, now_ms));
            }
            let part = parts.entry((request.environment, batch.signal)).or_default();
            part.chunks.push((batch.bytes, batch.row_count));
            part.raw_byte_count += batch.raw_byte_count;
            part.time_min_ns =
                Some(part.time_min_ns.map_or(batch.time_min_ns, |min| min.min(batch.time_min_ns)));
            part.time_max_ns =
                Some(part.time_max_ns.map_or(batch.time_max_ns, |max| max.max(batch.time_max_ns)));
            part.datasets.extend(batch.datasets.into_iter().map(|summary| summary.dataset));
        }
    }
    let rows: usize = replies.iter().map(|(_, receipt)| receipt.row_count).sum();
    let mut environments = parts.keys().map(|(environment, _)| environment.0);
    let first = environments.next().unwrap_or(0);
    // Where only one environment is written, the span says which: the server's own spans must not make more of them.
    let environment = if environments.all(|other| other == first) { first } else { 0 };
    let span = tracing::info_span!(target: OWN_SPANS, "commit", environment.id = environment, rows, requests = replies.len());
    let result = write(inner, parts, &keys, now_ms).instrument(span).await;
    let answer = match result {
        Ok(()) => {
            StoreStats::add(&inner.stats.rows_committed, rows);
            StoreStats::add(&inner.stats.commits, 1);
            let us = usize::try_from(started.elapsed().as_micros()).unwrap_or(0);
            StoreStats::add(&inner.stats.commit_us, us);
            Ok(())
        }
        Err(error) => {
            inner.keys.forget_saved(&keys);
            StoreStats::add(&inner.stats.commit_failures, 1);
            let error = error_chain(&error);
            tracing::error!(error, rows, "commit failed; the clients are told to come again");
            Err(SinkError::Unavailable { reason: error, retry_after_ms: UNAVAILABLE_RETRY_MS })
        }
    };
    for (reply, receipt) in replies {
        // A client that left does not need its answer.
        drop(reply.send(answer.clone().map(|()| receipt)));
    }
    inner.merge_wanted.notify_one();
}

/// An error with its sources, on one line.
pub(crate) fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

/// Lets objects go that no list will name: a disk that is full must not stay so because of them.
fn discard(written: &[Arc<Part>]) {
    written.iter().for_each(|part| part.doom());
}

async fn write(
    inner: &Arc<Inner>,
    parts: BTreeMap<(EnvironmentId, Signal), Gathered>,
    keys: &[SeenKey],
    now_ms: i64,
) -> Result<(), StoreError> {
    let mut written: Vec<Arc<Part>> = Vec::with_capacity(parts.len());
    for ((environment, signal), gathered) in parts {
        let id = Uuid::now_v7().simple().to_string();
        let path = paths::fresh(environment, signal, &id);
        let chunks = gathered
            .chunks
            .iter()
            .map(|(bytes, _)| FreshChunk::open(bytes.clone()))
            .collect::<Result<Vec<_>, _>>()
            .inspect_err(|_| discard(&written))?;
        let (pieces, byte_count, crc32) = seal(&gathered.chunks);
        if let Err(error) = inner.objects.put(&path, pieces).await {
            drop(inner.graveyard.send(path));
            discard(&written);
            return Err(error);
        }
        let meta = PartMeta {
            id,
            environment,
            signal,
            level: 0,
            path,
            time_min_ns: gathered.time_min_ns.unwrap_or(0),
            time_max_ns: gathered.time_max_ns.unwrap_or(0),
            row_count: gathered.chunks.iter().map(|(_, rows)| i64::try_from(*rows).unwrap_or(0)).sum(),
            byte_count,
            raw_byte_count: i64::try_from(gathered.raw_byte_count).unwrap_or(i64::MAX),
            crc32,
            datasets: gathered.datasets.into_iter().collect(),
            created_ms: now_ms,
        };
        written.push(Arc::new(Part::new(meta, Some(FreshPart { chunks }), inner.graveyard.clone())));
    }
    let change = Change {
        added: written.iter().map(|part| &part.meta).collect(),
        removed: Vec::new(),
        keys: keys.to_vec(),
        now_ms,
    };
    let _list = inner.list.lock().await;
    let applied = inner.catalog.apply(&change).await;
    if let Err(error) = &applied {
        if !matches!(error, StoreError::Unsure(_)) {
            discard(&written);
            return applied.map(drop);
        }
        // The transaction may have been applied although its answer was lost: then the rows are there, and saying
        // otherwise would make the client send them twice. If it was not, the sweeper takes the objects: it could
        // still arrive.
        let first = written.first().map(|part| part.meta.id.clone()).unwrap_or_default();
        if !inner.catalog.is_listed(&first).await.unwrap_or(false) {
            return applied.map(drop);
        }
        tracing::warn!(error = error_chain(error), "a transaction was applied although its answer was lost");
    }
    snapshot::publish(inner, applied.ok().flatten(), &[], written);
    Ok(())
}
