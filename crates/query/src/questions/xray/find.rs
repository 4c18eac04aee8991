//! Traces that a filter expression wants, the newest first, page by page. The scan goes backwards in slices of time that
//! grow: in each the engine gives the traces that may do ([`plan`]), by index where there is one, and then decides over
//! all rows of each as far as rows can ([`Decision`]). Only what it cannot decide is read whole and held against the
//! expression, and the traces of the page itself. A page of the newest traces thus reads little, whatever is stored.
//!
//! Terms about root causes need assembled traces, which rows alone do not give: the caller supplies them ([`RootCauses`]) for
//! the traces that may do.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{Int64Type, TimestampNanosecondType};
use datafusion::prelude::SessionContext;
use tracery_model::{EnvironmentId, Signal, TimeRange, TraceId};
use tracery_store::Part;

use super::names::{Names, Node, NodeId};
use super::scan::{Rows, Scan, scope, spread};
use super::shape::{RowFlags, Shape, TraceRow};
use super::view::Filter;
use crate::languages::xray::plan::{Condition, Planner};
use crate::languages::xray::{Decision, RootCause};
use crate::questions::ask;
use crate::{EventSource, QueryError, StoreEvents};

/// Which time of a trace is in the range; ranges are half-open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RangeBy {
    /// The trace's start. Ids need not hold one, so it is the first row's.
    TraceId,
    /// Something of the trace started.
    Event,
    /// A service's part of it ended.
    Service,
}

/// A page's question.
#[derive(Clone, Debug)]
pub struct Find {
    pub time: TimeRange,
    pub by: RangeBy,
    pub filter: Filter,
    /// The share of traces that is looked at, always the same ones: 1 is all.
    pub share: f64,
    /// The end of the page before.
    pub after: Option<Position>,
    pub limit: usize,
}

/// A place in the list of traces, which is ordered by start and id, both descending.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Position {
    pub start_ns: i64,
    pub trace_id: [u8; 16],
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.start_ns, hex::encode(self.trace_id))
    }
}

impl FromStr for Position {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (start_ns, id) = text.split_once('.').ok_or(())?;
        let mut trace_id = [0; 16];
        hex::decode_to_slice(id, &mut trace_id).map_err(drop)?;
        Ok(Self { start_ns: start_ns.parse().map_err(drop)?, trace_id })
    }
}

/// A trace that was found, with what its rows say at a glance.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Found {
    pub trace_id: TraceId,
    pub start_ns: i64,
    /// The newest time of the trace that the range wanted.
    pub matched_ns: i64,
    /// From the first start to the last end.
    pub duration_ns: i64,
    /// Of the entry point; `None` while it runs, and where there is none.
    pub response_ns: Option<i64>,
    /// Of the entry point.
    pub has_fault: bool,
    pub has_error: bool,
    /// Of any row.
    pub has_throttle: bool,
    pub is_partial: bool,
    pub entry: Option<Node>,
    /// The nodes that the trace went through, each once, by name.
    pub services: Vec<Node>,
}

impl Found {
    fn new(trace_id: TraceId, matched_ns: i64, (names, shape, rows): (&Names, &Shape, &[TraceRow])) -> Self {
        let start_ns = rows.iter().map(|row| row.start_ns).min().unwrap_or(matched_ns);
        let end_ns = rows.iter().map(TraceRow::end_ns).max().unwrap_or(matched_ns);
        let root = shape.root.map(|idx| rows[idx]);
        let root_has = |flag| root.is_some_and(|row| row.flags.has(flag));
        let any_has = |flag| rows.iter().any(|row| row.flags.has(flag));
        let nodes: BTreeSet<NodeId> = shape.visits.iter().map(|visit| visit.node).collect();
        let mut services: Vec<Node> = nodes.into_iter().map(|node| names.get(node)).collect();
        services.sort();
        Self {
            trace_id,
            start_ns,
            matched_ns,
            duration_ns: end_ns.saturating_sub(start_ns),
            response_ns: root.filter(|row| !row.flags.has(RowFlags::IN_PROGRESS)).map(|row| row.duration_ns),
            has_fault: root_has(RowFlags::FAULT),
            has_error: root_has(RowFlags::ERROR),
            has_throttle: any_has(RowFlags::THROTTLE),
            is_partial: any_has(RowFlags::IN_PROGRESS),
            entry: root.filter(|row| row.own != NodeId::NONE).map(|row| names.get(row.own)),
            services,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    pub traces: Vec<Found>,
    /// Traces that were held against the expression.
    pub processed: usize,
    /// Of those, the ones that the engine could not decide, so that they were read whole.
    pub undecided: usize,
    /// Where the next page starts, if there may be one. A page can be short, or empty, and have a next one.
    pub next: Option<Position>,
    /// The page holds all there is from here on.
    pub scanned_to_ns: i64,
}

/// Gives the root causes of traces, for filters that ask for them.
#[async_trait]
pub trait RootCauses: Send + Sync {
    async fn of(&self, traces: &[TraceId]) -> Result<HashMap<TraceId, Vec<RootCause>>, QueryError>;
}

/// How long after a trace's start, or the range's end, the row that a filter asks for may lie.
const LATE_NS: i64 = 600 * 1_000_000_000;
/// Rows that the first slice should hold, and the same where an index narrows.
const FIRST_ROWS: i64 = 20_000;
const FIRST_ROWS_INDEXED: i64 = 1_000_000;
/// Candidates of one slice; a slice with more is narrowed.
const CANDIDATES_MAX: usize = 50_000;
const CANDIDATES_READ_MAX: usize = 4 * CANDIDATES_MAX;
/// Candidates after the range beyond which those with a row without a parent there are taken to have begun there.
const LATE_MANY: usize = 500;
/// Candidates after which slices grow no further.
const CANDIDATES_MANY: usize = 5_000;
/// Candidates that are read together, and with root causes.
const CHUNK: usize = 5_000;
const CHUNK_ASSEMBLED: usize = 100;
/// Rows of the traces of a chunk; a trace with more of its own is left out.
const CHUNK_ROWS_MAX: usize = 2_000_000;
/// Traces looked at for one page; then it ends where it is.
const PROCESSED_MAX: usize = 300_000;
const SLICES_MAX: usize = 200;

/// One page of traces.
pub async fn find(
    context: &SessionContext,
    events: &StoreEvents,
    environment: EnvironmentId,
    question: &Find,
    root_causes: Option<&dyn RootCauses>,
) -> Result<Page, QueryError> {
    let scan = Scan::new(context, events, environment, question.filter.clone()).await?;
    let whole = scope(environment, TimeRange::ALL);
    let fields = events.fields(&whole).await?;
    let physical = events.store().columns(environment, None, &whole.signals);
    let planner = Planner { fields: &fields, physical: &physical, groups: &question.filter.groups };
    let wanted = question.filter.expression.as_ref();
    let condition = wanted.and_then(|wanted| planner.necessary(wanted));
    let decision = wanted.and_then(|wanted| planner.decision(wanted, &question.filter.account_id));
    let mut search = Search {
        scan,
        question,
        condition,
        decision,
        root_causes,
        names: Names::default(),
        seen: HashSet::new(),
        held: Vec::new(),
        ready: Vec::new(),
        page: Page { scanned_to_ns: question.time.start_ns, ..Page::default() },
    };
    search.run().await?;
    search.complete().await?;
    Ok(search.page)
}

/// A trace that may be one that is wanted.
struct Candidate {
    trace_id: TraceId,
    /// The newest row in the slice that may be the one the filter asks for.
    newest_ns: i64,
}

/// A trace that is wanted.
struct Held {
    trace_id: TraceId,
    start_ns: i64,
    matched_ns: i64,
    /// `None` where the engine decided: what the page says of it is read when it is on the page.
    found: Option<Found>,
}

impl Held {
    fn place(&self) -> Position {
        Position { start_ns: self.start_ns, trace_id: self.trace_id.0 }
    }
}

impl From<Found> for Held {
    fn from(found: Found) -> Self {
        Self {
            trace_id: found.trace_id,
            start_ns: found.start_ns,
            matched_ns: found.matched_ns,
            found: Some(found),
        }
    }
}

struct Search<'a> {
    scan: Scan<'a>,
    question: &'a Find,
    condition: Option<Condition>,
    decision: Option<Decision>,
    root_causes: Option<&'a dyn RootCauses>,
    names: Names,
    seen: HashSet<TraceId>,
    /// Found, and older than the slices so far.
    held: Vec<Held>,
    /// Of the page, in its order.
    ready: Vec<Held>,
    page: Page,
}

impl Search<'_> {
    async fn run(&mut self) -> Result<(), QueryError> {
        let Find { time, by, after, .. } = *self.question;
        let low_ns = match by {
            RangeBy::TraceId => time.start_ns,
            // The row that is asked for may lie before the one that is in the range.
            RangeBy::Event | RangeBy::Service => time.start_ns.saturating_sub(LATE_NS),
        };
        let last_ns = after.map_or(time.end_ns, |after| time.end_ns.min(after.start_ns.saturating_add(1)));
        // Where any row will do, the trace's first one does.
        let late_ns = if self.condition.is_some() { LATE_NS } else { 0 };
        let all = TimeRange::new(low_ns, last_ns.saturating_add(late_ns));
        let parts = self.parts(all);
        let newest_ns = parts.iter().map(|part| part.meta.time_max_ns).max().unwrap_or(i64::MIN);
        let oldest_ns = parts.iter().map(|part| part.meta.time_min_ns).min().unwrap_or(i64::MAX);
        let row_count: i64 = parts.iter().map(|part| part.meta.row_count).sum();
        let low_ns = low_ns.max(oldest_ns);
        let mut end_ns = all.end_ns.min(newest_ns.saturating_add(1));
        if end_ns > last_ns {
            let late = TimeRange::new(last_ns.max(low_ns), end_ns);
            let candidates = self.late_candidates(late).await?;
            if self.process(candidates, late, false).await? {
                return Ok(());
            }
            end_ns = last_ns;
        }
        let first_rows = match self.condition.as_ref().is_some_and(Condition::is_indexed) {
            true => FIRST_ROWS_INDEXED,
            false => FIRST_ROWS,
        };
        let stored_ns = newest_ns.saturating_sub(oldest_ns).max(1);
        let share = first_rows as f64 / row_count.max(1) as f64;
        let mut width_ns = (stored_ns as f64 * share.min(1.0)) as i64 + 1_000_000;
        let mut slices = 0;
        while end_ns > low_ns {
            let mut start_ns = end_ns.saturating_sub(width_ns).max(low_ns);
            let mut candidates = self.candidates(TimeRange::new(start_ns, end_ns)).await?;
            while candidates.len() > CANDIDATES_MAX && end_ns - start_ns > 1_000_000 {
                width_ns = (end_ns - start_ns) / 8;
                start_ns = end_ns - width_ns;
                candidates = self.candidates(TimeRange::new(start_ns, end_ns)).await?;
            }
            let many = candidates.len() > CANDIDATES_MANY;
            let is_last = start_ns <= low_ns;
            if self.process(candidates, TimeRange::new(start_ns, end_ns), is_last).await? {
                return Ok(());
            }
            slices += 1;
            if !is_last && (self.page.processed >= PROCESSED_MAX || slices >= SLICES_MAX) {
                self.page.next = Some(Position { start_ns, trace_id: [0; 16] });
                self.page.scanned_to_ns = start_ns;
                return Ok(());
            }
            end_ns = start_ns;
            width_ns = if many { width_ns } else { width_ns.saturating_mul(4) };
        }
        self.release(i64::MIN);
        self.fill(low_ns);
        Ok(())
    }

    /// Looks at the candidates of a slice, the newest first, and says whether the page is full: then the rest of them is
    /// not read.
    async fn process(
        &mut self,
        candidates: Vec<Candidate>,
        slice: TimeRange,
        is_last: bool,
    ) -> Result<bool, QueryError> {
        let asks = self.question.filter.asks_root_causes();
        let chunk_max = if asks { CHUNK_ASSEMBLED } else { CHUNK };
        let mut size = self.question.limit.saturating_mul(4).clamp(1, chunk_max);
        let mut rest = candidates.as_slice();
        while !rest.is_empty() {
            let (chunk, others) = rest.split_at(size.min(rest.len()));
            rest = others;
            self.look_at(chunk, slice, asks).await?;
            if let Some(next) = rest.first() {
                // What starts after the rows of all the others is not one of them.
                self.release(next.newest_ns.saturating_add(1));
                if self.fill(next.newest_ns) {
                    return Ok(true);
                }
            }
            size = size.saturating_mul(4).min(chunk_max);
        }
        self.release(if is_last { i64::MIN } else { slice.start_ns });
        Ok(self.fill(slice.start_ns))
    }

    /// Ends the page when there is more than it holds.
    fn fill(&mut self, scanned_to_ns: i64) -> bool {
        let limit = self.question.limit;
        if self.ready.len() <= limit {
            return false;
        }
        self.ready.truncate(limit);
        let last = self.ready.last();
        self.page.next = last.map(Held::place);
        self.page.scanned_to_ns = last.map_or(scanned_to_ns, |held| held.start_ns);
        true
    }

    fn parts(&self, time: TimeRange) -> Vec<Arc<Part>> {
        let store = self.scan.events.store();
        store.snapshot().select(self.scan.environment, &[Signal::Span], time, None)
    }

    /// Traces with a row in the slice that may be the one the filter asks for, the newest row first.
    async fn candidates(&self, time: TimeRange) -> Result<Vec<Candidate>, QueryError> {
        let condition = self.condition.as_ref();
        let columns = condition.map(|condition| condition.columns.clone()).unwrap_or_default();
        self.with_row(time, columns, condition.map(|condition| condition.sql.as_str())).await
    }

    /// The same for a slice after the range, of which only traces that began before it are wanted.
    async fn late_candidates(&self, time: TimeRange) -> Result<Vec<Candidate>, QueryError> {
        let mut candidates = self.candidates(time).await?;
        if candidates.len() > LATE_MANY {
            let began = self.with_row(time, Vec::new(), Some(r##""#parent_id" IS NULL"##)).await?;
            let began: HashSet<TraceId> = began.into_iter().map(|candidate| candidate.trace_id).collect();
            candidates.retain(|candidate| !began.contains(&candidate.trace_id));
        }
        Ok(candidates)
    }

    async fn with_row(
        &self,
        time: TimeRange,
        mut columns: Vec<String>,
        condition: Option<&str>,
    ) -> Result<Vec<Candidate>, QueryError> {
        columns.extend(["#trace_id", "#time", "#kind", "#parent_id"].map(str::to_owned));
        columns.sort();
        columns.dedup();
        let wanted = condition.map(|condition| format!(" AND ({condition})")).unwrap_or_default();
        let scope = scope(self.scan.environment, time);
        let table = self.scan.events.events_in(&scope, &columns, self.parts(time), None).await?;
        let sql = format!(
            r##"SELECT "#trace_id", max("#time") FROM events
                WHERE "#kind" = 0 AND "#trace_id" IS NOT NULL{wanted}
                GROUP BY "#trace_id" LIMIT {CANDIDATES_READ_MAX}"##
        );
        let mut found = Vec::new();
        for batch in ask(self.scan.context, table, &sql).await? {
            let ids = batch.column(0).as_fixed_size_binary();
            let times = batch.column(1).as_primitive::<TimestampNanosecondType>();
            for row in 0..batch.num_rows() {
                if let Some(trace_id) = TraceId::from_bytes(ids.value(row))
                    && is_in_share(trace_id, self.question.share)
                {
                    found.push(Candidate { trace_id, newest_ns: times.value(row) });
                }
            }
        }
        found.sort_unstable_by_key(|candidate| std::cmp::Reverse((candidate.newest_ns, candidate.trace_id)));
        Ok(found)
    }

    /// Looks at candidates and holds those that the question wants: by the engine's word, and where that does not decide,
    /// by reading them whole.
    async fn look_at(
        &mut self,
        candidates: &[Candidate],
        near: TimeRange,
        asks: bool,
    ) -> Result<(), QueryError> {
        let seen = &mut self.seen;
        let ids = candidates.iter().map(|candidate| candidate.trace_id);
        let mut new: Vec<TraceId> = ids.filter(|id| seen.insert(*id)).collect();
        self.page.processed += new.len();
        if let Some(decision) = &self.decision
            && !new.is_empty()
        {
            match self.verdicts(decision, &new, near).await {
                Ok(verdicts) => {
                    new.retain(|trace_id| matches!(verdicts.get(trace_id), Some(None)));
                    self.held.extend(verdicts.into_values().flatten());
                }
                // Too many rows for the engine at once; they are read in halves below.
                Err(QueryError::Limit(_)) => {}
                Err(error) => return Err(error),
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        self.page.undecided += new.len();
        let mut chunks = vec![new];
        while let Some(chunk) = chunks.pop() {
            let Some(rows) = self.whole(&chunk, near, &mut chunks).await? else { continue };
            let mut causes = match self.root_causes.filter(|_| asks) {
                Some(source) => source.of(&chunk).await?,
                None => HashMap::new(),
            };
            let mut shape = Shape::default();
            for (trace, (mut rows, mut facts)) in rows {
                let trace_id = TraceId(trace.to_be_bytes());
                shape.of_with(&mut rows, |idx| {
                    if idx < facts.len() {
                        facts.remove(idx);
                    }
                });
                let Some(matched_ns) = matched(&rows, &shape, self.question) else { continue };
                let causes = causes.remove(&trace_id).unwrap_or_default();
                if self.question.filter.holds(&self.names, &shape, (&rows, &facts), causes) {
                    let of = (&self.names, &shape, rows.as_slice());
                    self.held.push(Found::new(trace_id, matched_ns, of).into());
                }
            }
        }
        Ok(())
    }

    /// The rows of a chunk's traces. A chunk with too many rows goes back in halves, and a trace with too many is left out.
    async fn whole(
        &mut self,
        chunk: &[TraceId],
        near: TimeRange,
        chunks: &mut Vec<Vec<TraceId>>,
    ) -> Result<Option<Rows>, QueryError> {
        match self.scan.traces(chunk.to_vec(), near, &mut self.names, CHUNK_ROWS_MAX).await {
            Err(QueryError::Limit(_)) if chunk.len() > 1 => {
                let (left, right) = chunk.split_at(chunk.len() / 2);
                chunks.extend([left.to_vec(), right.to_vec()]);
                Ok(None)
            }
            Err(QueryError::Limit(_)) => Ok(None),
            other => other.map(Some),
        }
    }

    /// What the engine says of each trace: nothing of those that are surely not wanted, the trace itself where it surely
    /// is, and `None` where the evaluator has to decide. A span that is there twice counts once, in a form that only the
    /// evaluator knows.
    async fn verdicts(
        &self,
        decision: &Decision,
        ids: &[TraceId],
        near: TimeRange,
    ) -> Result<HashMap<TraceId, Option<Held>>, QueryError> {
        let asked: HashSet<TraceId> = ids.iter().copied().collect();
        let mut columns = decision.columns.clone();
        let fixed = ["#trace_id", "#span_id", "#parent_id", "#time", "#kind", "#duration_ns"];
        columns
            .extend(fixed.into_iter().chain(["#dataset", "#span_kind", "#status_code"]).map(str::to_owned));
        columns.sort();
        columns.dedup();
        let leaves = decision.leaves.iter().enumerate();
        let leaves: String = leaves.map(|(number, sql)| format!(", {sql} AS l{number}")).collect();
        let TimeRange { start_ns, end_ns } = self.question.time;
        let within = |time: &str| format!("{time} >= {start_ns} AND {time} < {end_ns}");
        let (matched, in_range, is_by_row) = match self.question.by {
            RangeBy::TraceId => ("start".to_owned(), within("start"), true),
            RangeBy::Event => ("newest".to_owned(), "newest IS NOT NULL".to_owned(), true),
            // Which rows are services is a matter of the trace's shape.
            RangeBy::Service => ("start".to_owned(), "true".to_owned(), false),
        };
        let newest = within(r##"CAST("#time" AS BIGINT)"##);
        let (sure, possible) = (&decision.sure, &decision.possible);
        let sql = format!(
            r##"SELECT "#trace_id", start, coalesce({matched}, start), {is_by_row} AND NOT twice AND ({sure})
                FROM (SELECT "#trace_id", min(CAST("#time" AS BIGINT)) AS start,
                        max(CAST("#time" AS BIGINT)) FILTER (WHERE {newest}) AS newest,
                        count("#span_id") <> count(DISTINCT "#span_id") AS twice{leaves}
                      FROM events WHERE "#kind" = 0 AND "#trace_id" IS NOT NULL GROUP BY "#trace_id")
                WHERE twice OR ({in_range} AND ({possible}))"##
        );
        let near = spread(near);
        let scope = scope(self.scan.environment, near);
        let traces = Some(Arc::new(ids.to_vec()));
        let table = self.scan.events.events_in(&scope, &columns, self.parts(near), traces).await?;
        let mut found = HashMap::new();
        for batch in ask(self.scan.context, table, &sql).await? {
            let ids = batch.column(0).as_fixed_size_binary();
            let time = |idx: usize| batch.column(idx).as_primitive::<Int64Type>();
            let (starts, matches, sure) = (time(1), time(2), batch.column(3).as_boolean());
            for row in 0..batch.num_rows() {
                let Some(trace_id) = TraceId::from_bytes(ids.value(row)).filter(|id| asked.contains(id))
                else {
                    continue;
                };
                let held = Held {
                    trace_id,
                    start_ns: starts.value(row),
                    matched_ns: matches.value(row),
                    found: None,
                };
                found.insert(trace_id, sure.value(row).then_some(held));
            }
        }
        Ok(found)
    }

    /// Moves the traces that start at `from_ns` or later to the page: no older slice can give one before them.
    fn release(&mut self, from_ns: i64) {
        let after = self.question.after;
        let (mut ready, held): (Vec<Held>, Vec<Held>) =
            self.held.drain(..).partition(|held| held.start_ns >= from_ns);
        self.held = held;
        ready.retain(|held| after.is_none_or(|after| held.place() < after));
        ready.sort_by_key(|held| std::cmp::Reverse(held.place()));
        self.ready.extend(ready);
    }

    /// Reads the traces of the page that only the engine has seen.
    async fn complete(&mut self) -> Result<(), QueryError> {
        let ready = std::mem::take(&mut self.ready);
        let missing: Vec<&Held> = ready.iter().filter(|held| held.found.is_none()).collect();
        let mut read: HashMap<TraceId, Found> = HashMap::new();
        if let (Some(first_ns), Some(last_ns)) =
            (missing.iter().map(|held| held.start_ns).min(), missing.iter().map(|held| held.start_ns).max())
        {
            let near = TimeRange::new(first_ns, last_ns.saturating_add(1));
            let matched: HashMap<TraceId, i64> =
                missing.iter().map(|held| (held.trace_id, held.matched_ns)).collect();
            let mut chunks: Vec<Vec<TraceId>> =
                missing.chunks(CHUNK).map(|chunk| chunk.iter().map(|held| held.trace_id).collect()).collect();
            let mut shape = Shape::default();
            while let Some(chunk) = chunks.pop() {
                let Some(rows) = self.whole(&chunk, near, &mut chunks).await? else { continue };
                for (trace, (mut rows, _)) in rows {
                    let trace_id = TraceId(trace.to_be_bytes());
                    shape.of(&mut rows);
                    if let Some(matched_ns) = matched.get(&trace_id) {
                        let of = (&self.names, &shape, rows.as_slice());
                        read.insert(trace_id, Found::new(trace_id, *matched_ns, of));
                    }
                }
            }
        }
        let whole = ready.into_iter().filter_map(|held| held.found.or_else(|| read.remove(&held.trace_id)));
        self.page.traces = whole.collect();
        Ok(())
    }
}

/// The newest time of the trace that lies in the range; `None` when it has none there.
fn matched(rows: &[TraceRow], shape: &Shape, question: &Find) -> Option<i64> {
    let time = question.time;
    match question.by {
        RangeBy::TraceId => {
            rows.iter().map(|row| row.start_ns).min().filter(|start_ns| time.contains(*start_ns))
        }
        RangeBy::Event => {
            rows.iter().map(|row| row.start_ns).filter(|start_ns| time.contains(*start_ns)).max()
        }
        RangeBy::Service => {
            let services = rows.iter().enumerate().filter(|(idx, _)| shape.owners[*idx] == Some(*idx));
            let ended = services.filter(|(_, row)| !row.flags.has(RowFlags::IN_PROGRESS));
            ended.map(|(_, row)| row.end_ns()).filter(|end_ns| time.contains(*end_ns)).max()
        }
    }
}

/// Whether a trace is among the share that is looked at: by its id, so that every page and every question agree.
fn is_in_share(trace_id: TraceId, share: f64) -> bool {
    if share >= 1.0 {
        return true;
    }
    let number = u128::from_be_bytes(trace_id.0);
    // Ids may count upwards, or repeat themselves; the products spread them.
    let high = ((number >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let spread = (high.rotate_left(32) ^ number as u64).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let spread = (spread ^ (spread >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((spread >> 11) as f64) < share * (1_u64 << 53) as f64
}
