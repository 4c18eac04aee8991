//! Events of a log group in the order of their times, a page at a time, from either end. `GetLogEvents`,
//! `FilterLogEvents` and `GetLogRecord` ask it. However many events there are and however long they are, it holds one page
//! of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, BooleanArray};
use datafusion::arrow::datatypes::{DataType, Int64Type, TimestampNanosecondType};
use datafusion::logical_expr::{ColumnarValue, Expr, Volatility, create_udf, lit};
use datafusion::prelude::{SessionContext, ident};
use futures::TryStreamExt;
use tracery_model::{EnvironmentId, OWN_SPANS, Signal, TimeRange};
use tracing::Instrument as _;

pub use super::log_place::{LOG_GROUP_NAME, LOG_REGION, LOG_STREAM_NAME, SOURCE_CLOUDWATCH_LOGS};
use super::private;
use crate::tables::StoreEvents;
use crate::{EventSource, QueryError, RESOURCE, Scope};

/// What an event counts beside its message, as the vendor counts it.
const EVENT_BYTES: usize = 26;
/// Parts of the asked time that are read one after the other, the first as long as the smallest of these fractions: a page
/// is found in a small one when there are many events.
const PIECES: [i64; 4] = [64, 16, 4, 2];
/// Fewer rows are read at once.
const ONE_PIECE_ROWS_MAX: i64 = 100_000;

const TIME: &str = "#time";
const RECEIVED: &str = "#received_ns";
const ORDINAL: &str = "#ordinal";
const BODY: &str = "#body";

/// Where an event stands in the order of its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogPosition {
    pub time_ns: i64,
    pub received_ns: i64,
    pub ordinal: i64,
}

/// Which streams of the group are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogStreams {
    All,
    Named(Vec<String>),
    Prefix(String),
}

/// What is asked of messages.
#[derive(Clone)]
pub struct MessageTest {
    /// Whether a message is wanted.
    pub matches: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    /// A condition on the body that every wanted message fulfils, which the engine tests faster.
    pub necessary: fn(Expr) -> Option<Expr>,
}

/// A page of a group's events.
#[derive(Clone)]
pub struct LogQuestion {
    pub environment: EnvironmentId,
    pub group: String,
    pub region: String,
    /// Rows received before belong to a group that had the name earlier.
    pub received_from_ns: i64,
    /// Rows of these streams that were received until then are not read.
    pub deleted: Arc<HashMap<String, i64>>,
    pub streams: LogStreams,
    pub time: TimeRange,
    pub message: Option<MessageTest>,
    /// From the newest back to the oldest.
    pub descending: bool,
    /// Where the page starts: ascending with the event that stands there, descending with the one before it.
    pub from: Option<LogPosition>,
    pub count_max: usize,
    /// Of messages, each with 26 more; a page has at least one event.
    pub byte_count_max: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEvent {
    pub position: LogPosition,
    pub stream: String,
    pub message: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogPage {
    /// In the order that was asked for.
    pub events: Vec<LogEvent>,
    /// Whether more events may follow.
    pub has_more: bool,
}

/// Reads one page.
pub async fn log_events(
    context: &SessionContext,
    events: &StoreEvents,
    question: &LogQuestion,
) -> Result<LogPage, QueryError> {
    if question.time.start_ns >= question.time.end_ns || question.count_max == 0 {
        return Ok(LogPage::default());
    }
    events.store().refresh().await.map_err(|error| QueryError::Store(error.to_string()))?;
    let pieces = pieces(events, question);
    let mut page = Page::new(question);
    for (idx, time) in pieces.iter().enumerate() {
        let span = tracing::info_span!(target: OWN_SPANS, "read log events");
        scan(context, events, question, *time, &mut page).instrument(span).await?;
        if page.left_out.is_some() || page.is_full() && idx + 1 < pieces.len() {
            return Ok(page.finish(true));
        }
    }
    Ok(page.finish(false))
}

/// The asked time, cut to what is stored and to where the page starts, in the order of the page.
fn pieces(events: &StoreEvents, question: &LogQuestion) -> Vec<TimeRange> {
    let mut time = question.time;
    if let Some(from) = question.from {
        match question.descending {
            true => time.end_ns = time.end_ns.min(from.time_ns.saturating_add(1)),
            false => time.start_ns = time.start_ns.max(from.time_ns),
        }
    }
    let datasets = [question.group.clone()];
    let parts = events.store().snapshot().select(question.environment, &[Signal::Log], time, Some(&datasets));
    let stored = parts.iter().map(|part| (part.meta.time_min_ns, part.meta.time_max_ns));
    let Some((oldest_ns, newest_ns)) = stored.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else {
        return Vec::new();
    };
    let time = TimeRange::new(time.start_ns.max(oldest_ns), time.end_ns.min(newest_ns.saturating_add(1)));
    let mut left = time;
    let mut pieces = Vec::new();
    if parts.iter().map(|part| part.meta.row_count).sum::<i64>() > ONE_PIECE_ROWS_MAX {
        let span_ns = time.end_ns.saturating_sub(time.start_ns).max(0);
        // Together they are less than the whole.
        for length_ns in PIECES.map(|fraction| span_ns / fraction).into_iter().filter(|ns| *ns > 0) {
            pieces.push(match question.descending {
                true => TimeRange::new(left.end_ns - length_ns, left.end_ns),
                false => TimeRange::new(left.start_ns, left.start_ns + length_ns),
            });
            match question.descending {
                true => left.end_ns -= length_ns,
                false => left.start_ns += length_ns,
            }
        }
    }
    if left.start_ns < left.end_ns {
        pieces.push(left);
    }
    pieces
}

async fn scan(
    context: &SessionContext,
    events: &StoreEvents,
    question: &LogQuestion,
    time: TimeRange,
    page: &mut Page<'_>,
) -> Result<(), QueryError> {
    let scope = Scope {
        environment: question.environment,
        datasets: Some(vec![question.group.clone()]),
        signals: vec![Signal::Log],
        time,
    };
    let stream = format!("{RESOURCE}{LOG_STREAM_NAME}");
    let region = format!("{RESOURCE}{LOG_REGION}");
    let columns = [TIME, RECEIVED, ORDINAL, &stream, BODY, "#source", &region].map(str::to_owned);
    let table = events.events(&scope, &columns).await?;
    let mut condition = ident("#source")
        .eq(lit(SOURCE_CLOUDWATCH_LOGS))
        .and(ident(&region).eq(lit(question.region.as_str())))
        .and(ident(RECEIVED).gt_eq(lit(question.received_from_ns)));
    condition = match &question.streams {
        LogStreams::All => condition,
        LogStreams::Named(names) if names.len() == 1 => {
            condition.and(ident(&stream).eq(lit(names[0].as_str())))
        }
        LogStreams::Named(names) => {
            let names = names.iter().map(|name| lit(name.as_str())).collect();
            condition.and(ident(&stream).in_list(names, false))
        }
        LogStreams::Prefix(prefix) => {
            condition.and(datafusion::functions::expr_fn::starts_with(ident(&stream), lit(prefix.as_str())))
        }
    };
    if let Some(test) = &question.message {
        if let Some(necessary) = (test.necessary)(ident(BODY)) {
            condition = condition.and(necessary);
        }
        condition = condition.and(wanted(test).call(vec![ident(BODY)]));
    }
    let private = private(context);
    let rows = private
        .read_table(table)?
        .filter(condition)?
        .select([TIME, RECEIVED, ORDINAL, &stream, BODY].map(ident))?;
    let mut batches = rows.execute_stream().await?;
    while let Some(batch) = batches.try_next().await? {
        let time = batch.column(0).as_primitive::<TimestampNanosecondType>();
        let received = batch.column(1).as_primitive::<Int64Type>();
        let ordinal = batch.column(2).as_primitive::<Int64Type>();
        let (stream, body) = (batch.column(3).as_string_view(), batch.column(4).as_string_view());
        for row in 0..batch.num_rows() {
            let position = LogPosition {
                time_ns: time.value(row),
                received_ns: received.value(row),
                ordinal: ordinal.value(row),
            };
            if stream.is_valid(row) && body.is_valid(row) {
                page.offer(position, stream.value(row), body.value(row));
            }
        }
    }
    Ok(())
}

/// The test of messages as a function of the engine, so that it runs on all its threads.
fn wanted(test: &MessageTest) -> datafusion::logical_expr::ScalarUDF {
    let matches = Arc::clone(&test.matches);
    create_udf(
        "tracery_log_message_matches",
        vec![DataType::Utf8View],
        DataType::Boolean,
        Volatility::Immutable,
        Arc::new(move |arguments: &[ColumnarValue]| {
            let arrays = ColumnarValue::values_to_arrays(arguments)?;
            let bodies = arrays[0].as_string_view();
            let found: BooleanArray =
                bodies.iter().map(|body| Some(body.is_some_and(|body| matches(body)))).collect();
            Ok(ColumnarValue::Array(Arc::new(found)))
        }),
    )
}

/// The first events of those that were offered, as many as a page takes.
struct Page<'q> {
    question: &'q LogQuestion,
    /// By rank: the position, or what it lacks to the largest where the newest come first.
    events: BTreeMap<LogPosition, (String, String)>,
    byte_count: usize,
    /// The first of those that were left out for want of room: none behind it has room either.
    left_out: Option<LogPosition>,
}

impl<'q> Page<'q> {
    fn new(question: &'q LogQuestion) -> Self {
        Self { question, events: BTreeMap::new(), byte_count: 0, left_out: None }
    }

    /// The same both ways, and the smaller the nearer to the page's start.
    fn rank(&self, position: LogPosition) -> LogPosition {
        match self.question.descending {
            true => LogPosition {
                time_ns: !position.time_ns,
                received_ns: !position.received_ns,
                ordinal: !position.ordinal,
            },
            false => position,
        }
    }

    fn offer(&mut self, position: LogPosition, stream: &str, message: &str) {
        let LogQuestion { from, descending, deleted, count_max, byte_count_max, .. } = self.question;
        let is_before = from.is_some_and(|from| if *descending { position >= from } else { position < from });
        if is_before || deleted.get(stream).is_some_and(|until_ns| position.received_ns <= *until_ns) {
            return;
        }
        let rank = self.rank(position);
        if self.left_out.is_some_and(|left_out| rank > left_out) {
            return;
        }
        if self.events.insert(rank, (stream.to_owned(), message.to_owned())).is_some() {
            return;
        }
        self.byte_count += message.len() + EVENT_BYTES;
        while self.events.len() > *count_max || (self.byte_count > *byte_count_max && self.events.len() > 1) {
            let Some((rank, (_, message))) = self.events.pop_last() else { break };
            self.byte_count -= message.len() + EVENT_BYTES;
            self.left_out = Some(rank);
        }
    }

    fn is_full(&self) -> bool {
        self.events.len() >= self.question.count_max || self.byte_count >= self.question.byte_count_max
    }

    fn finish(self, has_more: bool) -> LogPage {
        let descending = self.question.descending;
        let events = self.events.into_iter().map(|(rank, (stream, message))| {
            let position = match descending {
                true => LogPosition {
                    time_ns: !rank.time_ns,
                    received_ns: !rank.received_ns,
                    ordinal: !rank.ordinal,
                },
                false => rank,
            };
            LogEvent { position, stream, message }
        });
        LogPage { events: events.collect(), has_more }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn question(descending: bool, from: Option<i64>, count_max: usize, byte_count_max: usize) -> LogQuestion {
        LogQuestion {
            environment: EnvironmentId(1),
            group: "g".into(),
            region: "r".into(),
            received_from_ns: 0,
            deleted: Arc::new(HashMap::from([("gone".to_owned(), 20)])),
            streams: LogStreams::All,
            time: TimeRange::ALL,
            message: None,
            descending,
            from: from.map(at),
            count_max,
            byte_count_max,
        }
    }

    fn at(time_ns: i64) -> LogPosition {
        LogPosition { time_ns, received_ns: 20, ordinal: 0 }
    }

    proptest! {
        /// A page is what sorting everything and cutting it gives, whatever the order in which rows come.
        #[test]
        fn a_page_is_the_start_of_all(
            rows in prop::collection::hash_map(0_i64..60, (0_usize..50, any::<bool>()), 0..40),
            descending: bool,
            from in prop::option::of(0_i64..60),
            count_max in 1_usize..8,
            byte_count_max in 30_usize..300,
        ) {
            let question = question(descending, from, count_max, byte_count_max);
            let mut page = Page::new(&question);
            for (time, (length, is_gone)) in &rows {
                page.offer(at(*time), if *is_gone { "gone" } else { "s" }, &"x".repeat(*length));
            }
            let has_more = page.left_out.is_some();
            let found = page.finish(has_more);

            let mut wanted: Vec<(i64, usize)> =
                rows.iter().filter(|(_, row)| !row.1).map(|(time, row)| (*time, row.0)).collect();
            wanted.retain(|(time, _)| from.is_none_or(|from| if descending { *time < from } else { *time >= from }));
            wanted.sort_unstable();
            if descending {
                wanted.reverse();
            }
            let all = wanted.len();
            let mut bytes = 0;
            let mut taken = Vec::new();
            for (time, length) in wanted {
                bytes += length + EVENT_BYTES;
                if taken.len() == count_max || (bytes > byte_count_max && !taken.is_empty()) {
                    break;
                }
                taken.push(time);
            }
            prop_assert_eq!(found.has_more, taken.len() < all);
            let times: Vec<i64> = found.events.iter().map(|event| event.position.time_ns).collect();
            prop_assert_eq!(times, taken);
        }
    }
}
