//! One event whole, and which fields events have: what GetLogRecord and GetLogGroupFields ask. Both read every field that
//! the groups' events ever had in the time that is asked for.

use std::collections::BTreeMap;

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::lit;
use datafusion::prelude::{SessionContext, ident};
use tracery_model::Signal;

use super::place::{BODY, DATASET, ORDINAL, Place, RECEIVED, TIME, own, stream};
use super::pointer::{Pointer, hash};
use super::show::{Shown, show};
use crate::tables::own_types;
use crate::{OWN, QueryError, StoreEvents};

/// Fields of a group that are looked at, as the vendor bounds them.
const FIELDS_MAX: usize = 1_000;
/// Events whose fields are counted.
const EVENTS_MAX: usize = 10_000;
/// Fields that every event has.
const SYSTEM: [&str; 5] = ["@ingestionTime", "@log", "@logStream", "@message", "@timestamp"];

/// The event of a pointer, by field; `None` when it is not there any more.
///
/// # Errors
/// [`QueryError`] when the engine or the store fails.
pub async fn record(
    context: &SessionContext,
    events: &StoreEvents,
    place: &Place,
    pointer: &Pointer,
) -> Result<Option<BTreeMap<String, String>>, QueryError> {
    let mut columns = fields(events, place).await?;
    columns.extend([BODY, ORDINAL, RECEIVED, TIME, DATASET].map(str::to_owned));
    columns.push(stream());
    let frame = place.scan(context, events, columns.clone(), false).await?;
    let wanted = ident(RECEIVED).eq(lit(pointer.received_ns)).and(ident(ORDINAL).eq(lit(pointer.ordinal)));
    let frame = frame.filter(wanted)?.select(columns.iter().map(ident))?;
    let of_stream = columns.len() - 1;
    for batch in frame.collect().await? {
        for row in 0..batch.num_rows() {
            let of = show(batch.column(of_stream), row, Shown::Plain).unwrap_or_default();
            if hash(&pointer.group, &of) != pointer.stream_hash {
                continue;
            }
            let mut found = BTreeMap::new();
            for (name, column) in columns.iter().zip(batch.columns()) {
                let shown = if name == TIME || name == RECEIVED { Shown::Millis } else { Shown::Plain };
                let Some(value) = show(column, row, shown) else { continue };
                let (name, value) = match name.as_str() {
                    TIME => ("@timestamp".to_owned(), value),
                    RECEIVED => ("@ingestionTime".to_owned(), value),
                    BODY => ("@message".to_owned(), value),
                    ORDINAL => continue,
                    DATASET => ("@log".to_owned(), format!("{}:{value}", place.account_id)),
                    name => match name.strip_prefix(OWN) {
                        Some(key) => (shown_name(key), value),
                        None => ("@logStream".to_owned(), value),
                    },
                };
                found.insert(name, value);
            }
            found.insert("@ptr".to_owned(), pointer.print());
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Fields of the newest events and how many percent of these have each, by name.
///
/// # Errors
/// [`QueryError`] when the engine or the store fails.
pub async fn field_shares(
    context: &SessionContext,
    events: &StoreEvents,
    place: &Place,
) -> Result<Vec<(String, u8)>, QueryError> {
    let columns = fields(events, place).await?;
    let frame = place.scan(context, events, columns.clone(), false).await?;
    let newest = frame.sort(vec![ident(TIME).sort(false, false)])?.limit(0, Some(EVENTS_MAX))?;
    let mut counts = vec![count(lit(1)).alias("n")];
    counts.extend(columns.iter().enumerate().map(|(idx, name)| count(ident(name)).alias(format!("n{idx}"))));
    let batches = newest.aggregate(Vec::new(), counts)?.collect().await?;
    let Some(batch) = batches.iter().find(|batch| batch.num_rows() > 0) else { return Ok(Vec::new()) };
    let at = |idx: usize| {
        let values = batch.column(idx).as_primitive::<Int64Type>();
        if values.is_valid(0) { values.value(0) } else { 0 }
    };
    let all = at(0);
    if all == 0 {
        return Ok(Vec::new());
    }
    let mut shares: Vec<(String, u8)> = SYSTEM.map(|name| (name.to_owned(), 100)).to_vec();
    for (idx, name) in columns.iter().enumerate() {
        let set = at(idx + 1);
        if set > 0 {
            // A field that some event has is not at nothing.
            let percent = (set.saturating_mul(100) / all).clamp(1, 100);
            let key = name.strip_prefix(OWN).unwrap_or(name);
            shares.push((shown_name(key), u8::try_from(percent).unwrap_or(100)));
        }
    }
    shares.sort();
    Ok(shares)
}

/// The columns of all discovered fields.
async fn fields(events: &StoreEvents, place: &Place) -> Result<Vec<String>, QueryError> {
    let store = events.store();
    store.refresh().await.map_err(|error| QueryError::Store(error.to_string()))?;
    let scope = place.scope();
    let physical = store.columns(scope.environment, scope.datasets.as_deref(), &[Signal::Log]);
    Ok(own_types(&physical).keys().take(FIELDS_MAX).map(|key| own(key)).collect())
}

/// How a discovered field is called: one that starts with `@` gets another one.
pub(super) fn shown_name(key: &str) -> String {
    if key.starts_with('@') { format!("@{key}") } else { key.to_owned() }
}
