//! Events of a log group in the order in which they were taken in, from a place on. What is sent on to others
//! (subscription filters) asks it, again and again; it reads fresh rows and the newest merged parts, and holds one page.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::{Int64Type, TimestampNanosecondType};
use datafusion::logical_expr::lit;
use datafusion::prelude::{SessionContext, ident};
use futures::TryStreamExt;
use tracery_model::{EnvironmentId, Signal, TimeRange};

use super::log_place::{LOG_REGION, LOG_STREAM_NAME, SOURCE_CLOUDWATCH_LOGS};
use super::logs::{LogPosition, matches};
use super::private;
use crate::languages::log_pattern::Pattern;
use crate::tables::StoreEvents;
use crate::{QueryError, RESOURCE, Scope};

/// What the clocks of processes may differ by.
const CLOCKS_APART_MS: i64 = 5 * 60 * 1_000;
const TIME: &str = "#time";
const RECEIVED: &str = "#received_ns";
const ORDINAL: &str = "#ordinal";
const BODY: &str = "#body";

/// What was taken in after one time and until another.
#[derive(Clone)]
pub struct ArrivalsQuestion {
    pub environment: EnvironmentId,
    pub group: String,
    pub region: String,
    pub after_ns: i64,
    pub until_ns: i64,
    /// Rows of these streams that were received until then are not read.
    pub deleted: Arc<HashMap<String, i64>>,
    pub pattern: Arc<Pattern>,
    /// Events and bytes of messages of a page. It ends between requests, so that one request may be more than this.
    pub count_max: usize,
    pub byte_count_max: usize,
}

/// An event, with where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    pub position: LogPosition,
    pub stream: String,
    pub message: String,
}

/// A page of arrivals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// By when they were taken in, then by their place in the request.
    pub events: Vec<Arrival>,
    /// All that was taken in until then has been read.
    pub until_ns: i64,
}

/// Reads one page.
///
/// # Errors
/// As every question: when the store cannot be read, or a limit of the engine is reached.
pub async fn arrivals(
    context: &SessionContext,
    events: &StoreEvents,
    question: &ArrivalsQuestion,
) -> Result<Arrivals, QueryError> {
    let scope = Scope {
        environment: question.environment,
        datasets: Some(vec![question.group.clone()]),
        signals: vec![Signal::Log],
        time: TimeRange::new(i64::MIN, i64::MAX),
    };
    events.store().refresh().await.map_err(|error| QueryError::Store(error.to_string()))?;
    let stream = format!("{RESOURCE}{LOG_STREAM_NAME}");
    let region = format!("{RESOURCE}{LOG_REGION}");
    let columns = [TIME, RECEIVED, ORDINAL, &stream, BODY, "#source", &region].map(str::to_owned);
    let mut parts = events.store().snapshot().select(
        scope.environment,
        &scope.signals,
        scope.time,
        scope.datasets.as_deref(),
    );
    // A part holds nothing that was taken in after it was made.
    let made_from_ms = question.after_ns.div_euclid(1_000_000).saturating_sub(CLOCKS_APART_MS);
    parts.retain(|part| part.meta.created_ms >= made_from_ms);
    let table = events.events_in(&scope, &columns, parts, None).await?;
    let mut condition = ident(RECEIVED)
        .gt(lit(question.after_ns))
        .and(ident(RECEIVED).lt_eq(lit(question.until_ns)))
        .and(ident("#source").eq(lit(SOURCE_CLOUDWATCH_LOGS)))
        .and(ident(&region).eq(lit(question.region.as_str())));
    let necessary = question.pattern.necessary(&ident(BODY));
    let is_exact = necessary.as_ref().is_some_and(|necessary| necessary.is_exact);
    if let Some(necessary) = necessary {
        condition = condition.and(necessary.condition);
    }
    if !is_exact && *question.pattern != Pattern::All {
        condition = condition.and(matches(&question.pattern).call(vec![ident(BODY)]));
    }
    let rows = private(context).read_table(table)?.filter(condition)?;
    let mut batches =
        rows.select([TIME, RECEIVED, ORDINAL, &stream, BODY].map(ident))?.execute_stream().await?;
    let mut page = Page { question, requests: BTreeMap::new(), count: 0, byte_count: 0, cut_ns: None };
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
    Ok(page.finish())
}

/// The requests that were taken in first, as many as a page takes.
struct Page<'q> {
    question: &'q ArrivalsQuestion,
    requests: BTreeMap<i64, Vec<Arrival>>,
    count: usize,
    byte_count: usize,
    /// What was received then or later is left for the next page.
    cut_ns: Option<i64>,
}

impl Page<'_> {
    fn offer(&mut self, position: LogPosition, stream: &str, message: &str) {
        let is_gone =
            self.question.deleted.get(stream).is_some_and(|until_ns| position.received_ns <= *until_ns);
        if is_gone || self.cut_ns.is_some_and(|cut_ns| position.received_ns >= cut_ns) {
            return;
        }
        self.count += 1;
        self.byte_count += message.len();
        let arrival = Arrival { position, stream: stream.to_owned(), message: message.to_owned() };
        self.requests.entry(position.received_ns).or_default().push(arrival);
        let is_over = |page: &Self| {
            page.count > page.question.count_max || page.byte_count > page.question.byte_count_max
        };
        while self.requests.len() > 1 && is_over(self) {
            let Some((received_ns, left_out)) = self.requests.pop_last() else { break };
            self.count -= left_out.len();
            self.byte_count -= left_out.iter().map(|arrival| arrival.message.len()).sum::<usize>();
            self.cut_ns = Some(received_ns);
        }
    }

    fn finish(self) -> Arrivals {
        let until_ns = self.cut_ns.map_or(self.question.until_ns, |cut_ns| cut_ns - 1);
        let mut events: Vec<Arrival> = self.requests.into_values().flatten().collect();
        events.sort_by_key(|arrival| (arrival.position.received_ns, arrival.position.ordinal));
        Arrivals { events, until_ns }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(count_max: usize, byte_count_max: usize) -> ArrivalsQuestion {
        ArrivalsQuestion {
            environment: EnvironmentId(1),
            group: "g".into(),
            region: "r".into(),
            after_ns: 0,
            until_ns: 99,
            deleted: Arc::new(HashMap::from([("gone".to_owned(), 20)])),
            pattern: Arc::new(Pattern::All),
            count_max,
            byte_count_max,
        }
    }

    /// Received at, ordinal, stream.
    const ROWS: [(i64, i64, &str); 7] = [
        (30, 1, "a"),
        (10, 0, "a"),
        (40, 0, "b"),
        (30, 0, "a"),
        (20, 0, "gone"),
        (21, 0, "gone"),
        (10, 1, "a"),
    ];

    #[test]
    fn a_page_ends_between_requests_wherever_the_rows_come_from() {
        for (count_max, byte_count_max, wanted, until_ns) in [
            (10, 100, &[(10, 0), (10, 1), (21, 0), (30, 0), (30, 1), (40, 0)][..], 99),
            (5, 100, &[(10, 0), (10, 1), (21, 0), (30, 0), (30, 1)], 39),
            (4, 100, &[(10, 0), (10, 1), (21, 0)], 29),
            (1, 100, &[(10, 0), (10, 1)], 20),
            (10, 12, &[(10, 0), (10, 1), (21, 0)], 29),
        ] {
            for turned in 0..ROWS.len() {
                let mut rows = ROWS;
                rows.rotate_left(turned);
                let question = question(count_max, byte_count_max);
                let mut page = Page {
                    question: &question,
                    requests: BTreeMap::new(),
                    count: 0,
                    byte_count: 0,
                    cut_ns: None,
                };
                for (received_ns, ordinal, stream) in rows {
                    page.offer(LogPosition { time_ns: 0, received_ns, ordinal }, stream, "four");
                }
                let page = page.finish();
                let found: Vec<(i64, i64)> = page
                    .events
                    .iter()
                    .map(|event| (event.position.received_ns, event.position.ordinal))
                    .collect();
                assert_eq!(
                    (found.as_slice(), page.until_ns),
                    (wanted, until_ns),
                    "{count_max} {byte_count_max}"
                );
            }
        }
    }
}
