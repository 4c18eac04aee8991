//! Traces that a filter expression wants, the newest first, page by page. The scan goes backwards in slices of time that
//! grow: in each the engine gives the traces that may do ([`plan`]), by index where there is one; those are read whole
//! and held against the expression. A page of the newest traces thus reads little, whatever is stored.
//!
//! Terms about root causes need assembled traces, which rows alone do not give: the caller supplies them ([`RootCauses`]) for
//! the traces that may do.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use datafusion::arrow::array::AsArray;
use datafusion::prelude::SessionContext;
use tracery_model::{EnvironmentId, TimeRange, TraceId};

use super::names::Names;
use super::scan::{Scan, scope};
use super::shape::{RowFlags, Shape, TraceRow};
use super::view::Filter;
use crate::languages::xray::RootCause;
use crate::languages::xray::plan::{Condition, Planner};
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

/// A trace that was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Found {
    pub trace_id: TraceId,
    pub start_ns: i64,
    /// The newest time of the trace that the range wanted.
    pub matched_ns: i64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    pub traces: Vec<Found>,
    /// Traces that were held against the expression.
    pub processed: usize,
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
    let condition = question.filter.expression.as_ref().and_then(|wanted| planner.necessary(wanted));
    let mut search = Search {
        scan,
        question,
        condition,
        root_causes,
        names: Names::default(),
        seen: HashSet::new(),
        held: Vec::new(),
        page: Page { scanned_to_ns: question.time.start_ns, ..Page::default() },
    };
    search.run().await?;
    Ok(search.page)
}

struct Search<'a> {
    scan: Scan<'a>,
    question: &'a Find,
    condition: Option<Condition>,
    root_causes: Option<&'a dyn RootCauses>,
    names: Names,
    seen: HashSet<TraceId>,
    /// Found, and older than the slices so far.
    held: Vec<Found>,
    page: Page,
}

impl Search<'_> {
    async fn run(&mut self) -> Result<(), QueryError> {
        let Find { time, by, after, limit, .. } = *self.question;
        let low_ns = match by {
            RangeBy::TraceId => time.start_ns,
            // The row that is asked for may lie before the one that is in the range.
            RangeBy::Event | RangeBy::Service => time.start_ns.saturating_sub(LATE_NS),
        };
        let last_ns = after.map_or(time.end_ns, |after| time.end_ns.min(after.start_ns.saturating_add(1)));
        let all = TimeRange::new(low_ns, last_ns.saturating_add(LATE_NS));
        let parts = self.scan.events.store().snapshot().select(
            self.scan.environment,
            &[tracery_model::Signal::Span],
            all,
            None,
        );
        let newest_ns = parts.iter().map(|part| part.meta.time_max_ns).max().unwrap_or(i64::MIN);
        let oldest_ns = parts.iter().map(|part| part.meta.time_min_ns).min().unwrap_or(i64::MAX);
        let row_count: i64 = parts.iter().map(|part| part.meta.row_count).sum();
        let low_ns = low_ns.max(oldest_ns);
        let mut end_ns = all.end_ns.min(newest_ns.saturating_add(1));
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
            self.look_at(candidates, TimeRange::new(start_ns, end_ns)).await?;
            let is_last = start_ns <= low_ns;
            self.release(if is_last { i64::MIN } else { start_ns });
            if self.page.traces.len() > limit {
                self.page.traces.truncate(limit);
                let last = self.page.traces.last();
                self.page.next =
                    last.map(|found| Position { start_ns: found.start_ns, trace_id: found.trace_id.0 });
                self.page.scanned_to_ns = last.map_or(start_ns, |found| found.start_ns);
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
        Ok(())
    }

    /// Traces with a row in the slice that may be the one the filter asks for.
    async fn candidates(&self, time: TimeRange) -> Result<Vec<TraceId>, QueryError> {
        let mut columns = vec!["#trace_id".to_owned(), "#kind".to_owned()];
        let mut wanted = String::new();
        if let Some(condition) = &self.condition {
            columns.extend(condition.columns.iter().cloned());
            columns.sort();
            columns.dedup();
            wanted = format!(" AND ({})", condition.sql);
        }
        let parts = self.scan.events.store().snapshot().select(
            self.scan.environment,
            &[tracery_model::Signal::Span],
            time,
            None,
        );
        let scope = scope(self.scan.environment, time);
        let table = self.scan.events.events_in(&scope, &columns, parts, None).await?;
        let sql = format!(
            r##"SELECT DISTINCT "#trace_id" FROM events
                WHERE "#kind" = 0 AND "#trace_id" IS NOT NULL{wanted} LIMIT {}"##,
            CANDIDATES_MAX * 2
        );
        let mut found = Vec::new();
        for batch in ask(self.scan.context, table, &sql).await? {
            let ids = batch.column(0).as_fixed_size_binary();
            let ids = (0..batch.num_rows()).filter_map(|row| TraceId::from_bytes(ids.value(row)));
            found.extend(ids.filter(|id| is_in_share(*id, self.question.share)));
        }
        Ok(found)
    }

    /// Reads candidates whole and holds those that the question wants.
    async fn look_at(&mut self, candidates: Vec<TraceId>, near: TimeRange) -> Result<(), QueryError> {
        let seen = &mut self.seen;
        let new: Vec<TraceId> = candidates.into_iter().filter(|id| seen.insert(*id)).collect();
        self.page.processed += new.len();
        let asks = self.question.filter.asks_root_causes();
        let size = if asks { CHUNK_ASSEMBLED } else { CHUNK };
        let mut chunks: Vec<Vec<TraceId>> = new.chunks(size).map(<[TraceId]>::to_vec).collect();
        while let Some(chunk) = chunks.pop() {
            let rows = self.scan.traces(chunk.clone(), near, &mut self.names, CHUNK_ROWS_MAX).await;
            let rows = match rows {
                Err(QueryError::Limit(_)) if chunk.len() > 1 => {
                    let (left, right) = chunk.split_at(chunk.len() / 2);
                    chunks.extend([left.to_vec(), right.to_vec()]);
                    continue;
                }
                Err(QueryError::Limit(_)) => continue,
                other => other?,
            };
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
                    let start_ns = rows.iter().map(|row| row.start_ns).min().unwrap_or(matched_ns);
                    self.held.push(Found { trace_id, start_ns, matched_ns });
                }
            }
        }
        Ok(())
    }

    /// Moves the traces that start at `from_ns` or later to the page: no older slice can give one before them.
    fn release(&mut self, from_ns: i64) {
        let after = self.question.after;
        let place = |found: &Found| Position { start_ns: found.start_ns, trace_id: found.trace_id.0 };
        let (mut ready, held): (Vec<Found>, Vec<Found>) =
            self.held.drain(..).partition(|found| found.start_ns >= from_ns);
        self.held = held;
        ready.retain(|found| after.is_none_or(|after| place(found) < after));
        ready.sort_by_key(|found| std::cmp::Reverse(place(found)));
        self.page.traces.extend(ready);
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
