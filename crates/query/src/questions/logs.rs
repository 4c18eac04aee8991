//! Events of a log group in the order of their times, a page at a time, from either end. `GetLogEvents`,
//! `FilterLogEvents` and `GetLogRecord` ask it. However many events there are and however long they are, it holds one page
//! of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, BooleanArray};
use datafusion::arrow::datatypes::{DataType, Int64Type, TimestampNanosecondType};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf, lit};
use datafusion::prelude::{SessionContext, ident};
use futures::TryStreamExt;
use tracery_model::{EnvironmentId, OWN_SPANS, Signal, TimeRange};
use tracing::Instrument as _;

pub use super::log_place::{LOG_GROUP_NAME, LOG_REGION, LOG_STREAM_NAME, SOURCE_CLOUDWATCH_LOGS};
use super::private;
use crate::languages::log_pattern::Pattern;
use crate::tables::StoreEvents;
use crate::{EventSource, QueryError, RESOURCE, Scope};

/// What an event counts beside its message, as the vendor counts it.
const EVENT_BYTES: usize = 26;
/// Parts of the asked time that are read one after the other, each this fraction of what is left: a page is found in a
/// small one when there are many events.
const PIECES: [i64; 4] = [64, 16, 4, 2];
/// Fewer rows are read at once.
const ONE_PIECE_ROWS_MAX: i64 = 100_000;
/// Rows after which a page ends though it may be empty: the next goes on from there.
const PAGE_ROWS_MAX: i64 = 8_000_000;
/// Positions are told to the millisecond, so pieces begin and end on one.
const MS_NS: i64 = 1_000_000;

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

impl LogPosition {
    /// The first position behind this one.
    #[must_use]
    pub fn after(self) -> Self {
        Self { ordinal: self.ordinal.saturating_add(1), ..self }
    }
}

/// Which streams of the group are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogStreams {
    All,
    Named(Vec<String>),
    Prefix(String),
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
    /// What messages must match.
    pub pattern: Option<Arc<Pattern>>,
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
    /// Where the next page starts, when more events may follow. A page may be empty all the same.
    pub next: Option<LogPosition>,
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
    let mut rows_read = 0_i64;
    for (idx, Piece { time, row_count }) in pieces.iter().enumerate() {
        let span = tracing::info_span!(target: OWN_SPANS, "read log events");
        scan(context, events, question, *time, &mut page).instrument(span).await?;
        rows_read = rows_read.saturating_add(*row_count);
        if page.left_out.is_some() {
            return Ok(page.finish(None));
        }
        if idx + 1 < pieces.len() && (page.is_full() || rows_read >= PAGE_ROWS_MAX) {
            let time_ns = if question.descending { time.start_ns } else { time.end_ns };
            return Ok(page.finish(Some(LogPosition { time_ns, received_ns: 0, ordinal: 0 })));
        }
    }
    Ok(page.finish(None))
}

/// A part of the asked time, and about how many rows lie in it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Piece {
    time: TimeRange,
    row_count: i64,
}

/// The asked time, cut to what is stored and to where the page starts, in the order of the page.
fn pieces(events: &StoreEvents, question: &LogQuestion) -> Vec<Piece> {
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
    let row_count = parts.iter().map(|part| part.meta.row_count).sum();
    cut(time, row_count, question.descending)
}

/// Cuts a range of time into pieces that become longer, but hold no more rows than a page reads.
fn cut(time: TimeRange, row_count: i64, descending: bool) -> Vec<Piece> {
    let span_ns = time.end_ns.saturating_sub(time.start_ns);
    let mut left = time;
    let mut pieces = Vec::new();
    let share = |time: TimeRange| {
        let length_ns = i128::from(time.end_ns) - i128::from(time.start_ns);
        i64::try_from(i128::from(row_count) * length_ns / i128::from(span_ns.max(1))).unwrap_or(row_count)
    };
    let mut fractions = PIECES.into_iter();
    while left.start_ns < left.end_ns {
        let left_ns = left.end_ns - left.start_ns;
        let fraction = fractions.next().unwrap_or(1).max(share(left) / (PAGE_ROWS_MAX / 4));
        let length_ns = match row_count > ONE_PIECE_ROWS_MAX {
            true => (left_ns / fraction.max(1)).max(MS_NS),
            false => left_ns,
        };
        // The cut moves to the next full millisecond; the last piece ends where the range does.
        let piece = match descending {
            true => {
                let start_ns = (left.end_ns - length_ns.min(left_ns)).div_euclid(MS_NS) * MS_NS;
                TimeRange::new(start_ns.max(left.start_ns), left.end_ns)
            }
            false => {
                let end_ns = (left.start_ns + length_ns.min(left_ns)).div_euclid(MS_NS) * MS_NS;
                let end_ns = if end_ns <= left.start_ns { end_ns.saturating_add(MS_NS) } else { end_ns };
                let is_last = length_ns >= left_ns;
                TimeRange::new(left.start_ns, if is_last { left.end_ns } else { end_ns.min(left.end_ns) })
            }
        };
        pieces.push(Piece { time: piece, row_count: share(piece) });
        match descending {
            true => left.end_ns = piece.start_ns,
            false => left.start_ns = piece.end_ns,
        }
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
    if let Some(pattern) = &question.pattern {
        let necessary = pattern.necessary(&ident(BODY));
        let is_exact = necessary.as_ref().is_some_and(|necessary| necessary.is_exact);
        if let Some(necessary) = necessary {
            condition = condition.and(necessary.condition);
        }
        if !is_exact && **pattern != Pattern::All {
            condition = condition.and(matches(pattern).call(vec![ident(BODY)]));
        }
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

/// The pattern as a function of the engine, so that it runs on all its threads.
pub(super) fn matches(pattern: &Arc<Pattern>) -> ScalarUDF {
    let pattern = Arc::clone(pattern);
    create_udf(
        "tracery_log_pattern_matches",
        vec![DataType::Utf8View],
        DataType::Boolean,
        Volatility::Immutable,
        Arc::new(move |arguments: &[ColumnarValue]| {
            let arrays = ColumnarValue::values_to_arrays(arguments)?;
            let bodies = arrays[0].as_string_view();
            let found: BooleanArray =
                bodies.iter().map(|body| Some(body.is_some_and(|body| pattern.matches(body)))).collect();
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

    /// The page. The next one starts behind the last event where one was left out, else at `next`.
    fn finish(self, next: Option<LogPosition>) -> LogPage {
        let descending = self.question.descending;
        let is_over = self.left_out.is_some();
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
        let events: Vec<LogEvent> = events.collect();
        let behind = events.last().filter(|_| is_over).map(|last| match descending {
            true => last.position,
            false => last.position.after(),
        });
        LogPage { events, next: behind.or(next) }
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
            pattern: None,
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
            let found = page.finish(None);

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
            prop_assert_eq!(found.next.is_some(), taken.len() < all);
            let times: Vec<i64> = found.events.iter().map(|event| event.position.time_ns).collect();
            prop_assert_eq!(times, taken);
        }
    }

    proptest! {
        /// Pieces follow one another, make up the whole, and end on milliseconds.
        #[test]
        fn pieces_are_the_whole_range(
            start_ns in -10_000_000_i64..10_000_000,
            length_ns in 0_i64..10_000_000_000,
            row_count in prop_oneof![0_i64..200_000, Just(50_000_000)],
            descending: bool,
        ) {
            let whole = TimeRange::new(start_ns, start_ns + length_ns);
            let mut pieces = cut(whole, row_count, descending);
            prop_assert!(pieces.len() <= 10_000);
            prop_assert!(pieces.iter().all(|piece| piece.time.start_ns < piece.time.end_ns));
            if descending {
                pieces.reverse();
            }
            let mut at_ns = whole.start_ns;
            for (idx, piece) in pieces.iter().enumerate() {
                prop_assert_eq!(piece.time.start_ns, at_ns);
                prop_assert!(idx == 0 || at_ns % MS_NS == 0);
                at_ns = piece.time.end_ns;
            }
            prop_assert_eq!(at_ns, whole.end_ns);
        }
    }
}
