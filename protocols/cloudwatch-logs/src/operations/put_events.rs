//! `PutLogEvents`: a batch of events for one stream. The answer is given when those that are kept are durable and
//! queryable; what the stream holds is noted after that.

use bytes::Bytes;
use std::borrow::Cow;
use tokio::runtime::Handle;
use tracery_aws_wire::logs::{PutLogEventsRequest, PutLogEventsResponse, RejectedEntityInfo, errors};
use tracery_aws_wire::{Error, encode};
use tracery_columnar::EventBatch;
use tracery_model::SinkError;
use tracery_settings::LogStreamFigures;

use super::Reply;
use super::streams::sequence_token;
use crate::event_id::Stamp;
use crate::ingest::metrics::metrics_of;
use crate::ingest::request::{EVENT_BYTES, check, entity, read, window};
use crate::ingest::rows::{Origin, RowWriter};
use crate::live::Arrived;
use crate::names::{find_group, find_stream};
use crate::{Caller, CloudWatchLogs};

/// The word of `/metrics`.
const DOOR: &str = "cloudwatch_logs";
/// Smaller bodies are read where they arrive: handing them to another thread takes longer.
const READ_IN_PLACE_BYTES_MAX: usize = 32 << 10;

/// Rows that wait for the sink, and what is told about the batch.
struct Written {
    batches: Vec<EventBatch>,
    row_count: usize,
    group_id: String,
    /// Held until the rows are readable.
    stamp: Stamp,
    group: String,
    stream: String,
    /// What Live Tail may show of it; empty when nobody watches.
    watched: Vec<(i64, Cow<'static, str>)>,
    came: LogStreamFigures,
    answer: PutLogEventsResponse,
}

pub(super) async fn put_log_events(
    state: &CloudWatchLogs,
    caller: &Caller,
    body: &Bytes,
) -> Result<Reply, Error> {
    let mut written = if body.len() <= READ_IN_PLACE_BYTES_MAX {
        write(state, caller, body).await?
    } else {
        let (own_state, caller, body) = (state.clone(), caller.clone(), body.clone());
        let (handle, sent_bytes) = (Handle::current(), body.len());
        // What the settings are asked for is in memory nearly always.
        let work = move || handle.block_on(write(&own_state, &caller, &body));
        state.intake.decode(sent_bytes, false, work).await.map_err(|_| Error::internal())??
    };
    let metrics = &state.intake.metrics;
    let batches = std::mem::take(&mut written.batches);
    if !batches.is_empty() {
        if let Err(error) = state.intake.sink.accept(caller.environment, batches).await {
            let (word, answer) = refused(&error);
            metrics.rejected(DOOR, word, written.row_count);
            return Err(answer);
        }
        metrics.accepted(DOOR, written.row_count);
        state.live.publish(&Arrived {
            environment: caller.environment,
            region: &caller.region,
            account_id: &caller.account_id,
            group: &written.group,
            stream: &written.stream,
            received_ms: written.came.last_ingestion_ms,
            events: &written.watched,
        });
        let Written { group_id, stream, came, stamp, .. } = written;
        drop(stamp);
        state.subscriptions.arrived(&group_id);
        if !state.figures.note(&state.intake.settings, &group_id, &stream, came) {
            metrics.dropped(DOOR, "stream_figures", 1);
        }
    }
    encode::<PutLogEventsRequest>(&written.answer).map(Reply::Body)
}

/// The sink's refusal, for `/metrics` and for the client.
fn refused(error: &SinkError) -> (&'static str, Error) {
    match error {
        SinkError::Busy { .. } => ("busy", Error::new(&errors::THROTTLING_EXCEPTION, error.to_string())),
        SinkError::Unavailable { reason, .. } => {
            tracing::warn!(reason, "log events were not stored");
            let message = "Storage is unavailable.";
            ("storage_unavailable", Error::new(&errors::SERVICE_UNAVAILABLE_EXCEPTION, message))
        }
    }
}

/// Reads a batch, looks up where it belongs, and writes its rows.
async fn write(state: &CloudWatchLogs, caller: &Caller, body: &[u8]) -> Result<Written, Error> {
    let batch = read(body, state.intake.limits.inflated_bytes_max)?;
    check(&batch.events)?;
    let group = find_group(state, caller, &batch.group).await?;
    find_stream(state, &group, &batch.stream).await?;
    let stamp = state.stamps.begin(state.intake.clock.now_ns());
    let received_ns = stamp.ns;
    let now_ms = received_ns / 1_000_000;
    let (kept, rejected) = window(&batch.events, now_ms, group.retention_days);
    let metrics = &state.intake.metrics;
    metrics.rejected(DOOR, "too_old", kept.start);
    metrics.rejected(DOOR, "too_new", batch.events.len() - kept.end);
    let (told, rejected_entity) = batch.entity.map_or((Vec::new(), None), entity);
    let origin = Origin {
        group: &batch.group,
        stream: &batch.stream,
        region: &caller.region,
        account_id: &caller.account_id,
        more: &told,
    };
    let mut rows = RowWriter::new(origin, received_ns);
    let mut byte_count = 0;
    for (ordinal, (time_ms, message)) in batch.events.iter().enumerate().take(kept.end).skip(kept.start) {
        rows.write(ordinal, *time_ms, message);
        byte_count += message.len() + EVENT_BYTES;
    }
    let time_ms = |idx: usize| batch.events.get(idx).map_or(0, |(time_ms, _)| *time_ms);
    let rules = state.filters.of_region(state, caller).await?;
    let mut batches = rows.finish();
    if let Some(rules) = rules.get(&group.id).filter(|_| !kept.is_empty()) {
        let events = batch.events[kept.clone()].iter().map(|(time_ms, message)| (*time_ms, message.as_ref()));
        batches.extend(metrics_of(
            rules,
            (&batch.group, &caller.region),
            received_ns,
            &state.defaults,
            events,
        ));
    }
    let watched = match state.live.is_watched() {
        true => batch.events[kept.clone()].iter(),
        false => [].iter(),
    };
    let watched = watched.map(|(time_ms, message)| (*time_ms, Cow::Owned(message.clone().into_owned())));
    Ok(Written {
        batches,
        group: group.name.clone(),
        watched: watched.collect(),
        row_count: kept.len(),
        group_id: group.id.clone(),
        stamp,
        came: LogStreamFigures {
            first_event_ms: time_ms(kept.start),
            last_event_ms: time_ms(kept.end.saturating_sub(1)),
            last_ingestion_ms: now_ms,
            byte_count: i64::try_from(byte_count).unwrap_or(i64::MAX),
        },
        answer: PutLogEventsResponse {
            // Some clients send the batch again when it is missing.
            next_sequence_token: Some(sequence_token(now_ms)),
            rejected_log_events_info: rejected,
            rejected_entity_info: rejected_entity.map(|error_type| RejectedEntityInfo { error_type }),
        },
        stream: batch.stream.into_owned(),
    })
}
