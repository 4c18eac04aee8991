//! Whole traces out of the store: all of a time range, each handed over once, or a few by their ids. Rows of a trace lie
//! together in a merged part, so most traces are folded as they stream by; only traces that lie in several parts, or in
//! fresh ones, wait until the end.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ahash::RandomState;
use datafusion::arrow::array::AsArray;
use datafusion::catalog::TableProvider;
use datafusion::common::runtime::SpawnedTask;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::SessionContext;
use futures::{StreamExt, TryStreamExt};
use tracery_columnar::Fixed;
use tracery_model::{EnvironmentId, Signal, TimeRange, TraceId};
use tracery_store::{Part, TraceIndex, trace_hash};

use super::names::{Names, NodeId};
use super::rows::{Layout, Wanted, read};
use super::shape::{Shape, TraceRow};
use super::view::Filter;
use crate::languages::xray::Facts;
use crate::questions::{ask, private};
use crate::{EventSource, QueryError, Scope, StoreEvents};

/// Rows that wait for the rest of their trace.
const WAITING_ROWS_MAX: usize = 6_000_000;
/// Parts that are read at once; each part is read by as many threads as the engine has.
const PARTS_AT_ONCE: usize = 2;
/// Links of spans that one map shows.
pub(super) const LINKS_MAX: usize = 5_000;
/// How far before and after a trace's known rows the rest of it is looked for.
const SPREAD_NS: i64 = 24 * 3_600 * 1_000_000_000;

/// One trace, put together.
pub(super) struct Whole<'a> {
    pub(super) shape: &'a Shape,
    pub(super) rows: &'a [TraceRow],
}

/// The rows of traces, and what filters see of each.
pub(super) type Rows = HashMap<u128, (Vec<TraceRow>, Vec<Facts>), RandomState>;

/// Where all rows of traces lie of which one lies in `time`.
pub(super) fn spread(time: TimeRange) -> TimeRange {
    TimeRange::new(time.start_ns.saturating_sub(SPREAD_NS), time.end_ns.saturating_add(SPREAD_NS))
}

/// A span and the span of an earlier trace that it goes on from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Link {
    pub(super) from: (TraceId, u64),
    pub(super) to: (TraceId, u64),
}

/// What becomes of traces: a map, a series.
pub(super) trait Fold: Send + Sized + 'static {
    /// An empty one, for another thread.
    fn another(&self) -> Self;
    fn trace(&mut self, names: &Names, whole: &Whole<'_>);
    /// Takes over what another thread found; `ids` is what its nodes are called in `names`.
    fn adopt(&mut self, other: Self, ids: &[NodeId], names: &Names);
}

/// What all scans of one question share.
#[derive(Clone)]
pub(super) struct Scan<'a> {
    pub(super) context: &'a SessionContext,
    pub(super) events: &'a StoreEvents,
    pub(super) environment: EnvironmentId,
    pub(super) layout: Arc<Layout>,
    pub(super) filter: Arc<Filter>,
    has_links: bool,
}

impl<'a> Scan<'a> {
    pub(super) async fn new(
        context: &'a SessionContext,
        events: &'a StoreEvents,
        environment: EnvironmentId,
        filter: Filter,
    ) -> Result<Self, QueryError> {
        let mut wanted = Wanted::default();
        if !filter.is_all() {
            filter.expressions().for_each(|expression| wanted.add(expression));
        }
        let scope = scope(environment, TimeRange::ALL);
        let fields = events.fields(&scope).await?;
        let physical = events.store().columns(environment, None, &scope.signals);
        let layout = Arc::new(Layout::new(&fields, &physical, &wanted));
        let has_links = physical.contains_key(Fixed::LinkTraceId.name());
        Ok(Self { context, events, environment, layout, filter: Arc::new(filter), has_links })
    }

    pub(super) fn parts(&self, time: TimeRange) -> Vec<Arc<Part>> {
        self.events.store().snapshot().select(self.environment, &[Signal::Span], time, None)
    }

    pub(super) async fn streams(
        &self,
        time: TimeRange,
        parts: Vec<Arc<Part>>,
        traces: Option<Arc<Vec<TraceId>>>,
    ) -> Result<Vec<SendableRecordBatchStream>, QueryError> {
        let scope = scope(self.environment, time);
        let table = self.events.events_in(&scope, &self.layout.columns, parts, traces).await?;
        run(self.context, table, &self.layout.sql()).await
    }

    /// The rows of these traces that lie near `time`, by trace; at most about `row_count_max`.
    pub(super) async fn traces(
        &self,
        ids: Vec<TraceId>,
        time: TimeRange,
        names: &mut Names,
        row_count_max: usize,
    ) -> Result<Rows, QueryError> {
        let wanted: HashSet<u128, RandomState> = ids.iter().map(|id| u128::from_be_bytes(id.0)).collect();
        let near = spread(time);
        let streams = self.streams(near, self.parts(near), Some(Arc::new(ids))).await?;
        let mut found = Rows::default();
        let mut row_count = 0;
        let mut batches = futures::stream::select_all(streams);
        while let Some(batch) = batches.try_next().await? {
            read(
                &batch,
                &self.layout,
                names,
                |trace| wanted.contains(&trace),
                |_, trace, row, facts| {
                    row_count += 1;
                    let (rows, all) = found.entry(trace).or_default();
                    rows.push(row);
                    if self.layout.has_facts {
                        all.push(facts);
                    }
                },
            )?;
            if row_count > row_count_max {
                return Err(QueryError::Limit(format!("the traces have more than {row_count_max} rows")));
            }
        }
        Ok(found)
    }

    /// Links of spans that start in `time`, at most [`LINKS_MAX`]; of `traces` only, where they are given.
    pub(super) async fn links(
        &self,
        time: TimeRange,
        traces: Option<&[TraceId]>,
    ) -> Result<Vec<Link>, QueryError> {
        if !self.has_links {
            return Ok(Vec::new());
        }
        let columns =
            ["#trace_id", "#parent_id", "#link_trace_id", "#link_span_id", "#kind"].map(str::to_owned);
        let ids = traces.map(|traces| Arc::new(traces.to_vec()));
        let scope = scope(self.environment, time);
        let table = self.events.events_in(&scope, &columns, self.parts(time), ids).await?;
        let sql = format!(
            r##"SELECT "#trace_id", "#parent_id", "#link_trace_id", "#link_span_id" FROM events
                WHERE "#kind" = 2 AND "#trace_id" IS NOT NULL AND "#parent_id" IS NOT NULL
                  AND "#link_trace_id" IS NOT NULL AND "#link_span_id" IS NOT NULL LIMIT {LINKS_MAX}"##
        );
        let mut links = Vec::new();
        for batch in ask(self.context, table, &sql).await? {
            let column = |idx: usize| batch.column(idx).as_fixed_size_binary();
            let trace = |idx: usize, row: usize| TraceId::from_bytes(column(idx).value(row));
            let span = |idx: usize, row: usize| {
                <[u8; 8]>::try_from(column(idx).value(row)).map(u64::from_be_bytes).ok()
            };
            for row in 0..batch.num_rows() {
                if let (Some(trace_id), Some(span_id), Some(to_trace), Some(to_span)) =
                    (trace(0, row), span(1, row), trace(2, row), span(3, row))
                    && traces.is_none_or(|traces| traces.contains(&trace_id))
                {
                    links.push(Link { from: (to_trace, to_span), to: (trace_id, span_id) });
                }
            }
        }
        Ok(links)
    }

    /// Sees parts that other processes listed.
    pub(super) async fn refresh(&self) -> Result<(), QueryError> {
        self.events.store().refresh().await.map(drop).map_err(|error| QueryError::Store(error.to_string()))
    }

    pub(super) async fn trace_index(&self, part: &Part) -> Result<Arc<TraceIndex>, QueryError> {
        let index = self.events.store().trace_index(part).await;
        index.map_err(|error| QueryError::Store(error.to_string()))
    }

    /// Folds every trace of which a row lies in `time` and that the filter wants.
    pub(super) async fn fold<F: Fold>(&self, time: TimeRange, mut fold: F) -> Result<(F, Names), QueryError> {
        self.refresh().await?;
        let mut main = Worker::new(self, &fold, HashSet::default(), false);
        let (fresh, merged): (Vec<_>, Vec<_>) =
            self.parts(time).into_iter().partition(|part| part.fresh().is_some());
        let mut split: HashSet<u32> = HashSet::new();
        if !fresh.is_empty() {
            for stream in self.streams(time, fresh, None).await? {
                main.keep(stream).await?;
            }
            split.extend(main.waiting_hashes());
        }
        split.extend(self.in_several(&merged).await?);
        let split = Arc::new(split);
        let merged = merged.into_iter().map(|part| (part, Arc::clone(&split))).collect();
        for (_, worker) in self.fold_parts(time, merged, &fold).await? {
            main.adopt(worker)?;
        }
        main.finish();
        let Worker { names, gather: Gather { fold: rest, .. }, .. } = main;
        let ids: Vec<NodeId> = (0..names.node_count() as u32).map(NodeId).collect();
        fold.adopt(rest, &ids, &names);
        Ok((fold, names))
    }

    /// Folds parts, each but for the traces that lie elsewhere too; with each worker the position of its part.
    pub(super) async fn fold_parts<F: Fold>(
        &self,
        time: TimeRange,
        parts: Vec<(Arc<Part>, Arc<HashSet<u32>>)>,
        fold: &F,
    ) -> Result<Vec<(usize, Worker<F>)>, QueryError> {
        let parts = futures::stream::iter(parts.into_iter().enumerate().map(|(idx, (part, split))| {
            let fold = fold.another();
            async move {
                let streams = self.streams(time, vec![part], None).await?;
                // A part that several threads read is cut somewhere, perhaps within a trace.
                let is_cut = streams.len() > 1;
                let workers = streams.into_iter().map(|stream| {
                    let worker = Worker::new(self, &fold, Arc::clone(&split), is_cut);
                    SpawnedTask::spawn(worker.run(stream))
                });
                let mut done = Vec::new();
                for worker in workers.collect::<Vec<_>>() {
                    let worker = worker
                        .join()
                        .await
                        .map_err(|error| QueryError::Store(format!("a scan did not end well: {error}")))?;
                    done.push((idx, worker?));
                }
                Ok::<_, QueryError>(done)
            }
        }));
        let mut parts = parts.buffer_unordered(PARTS_AT_ONCE);
        let mut all = Vec::new();
        while let Some(workers) = parts.try_next().await? {
            all.extend(workers);
            within_bound(all.iter().map(|(_, worker)| worker.gather.waiting.len()).sum())?;
        }
        Ok(all)
    }

    /// Hashes of traces that lie in several of the parts.
    pub(super) async fn in_several(&self, parts: &[Arc<Part>]) -> Result<Vec<u32>, QueryError> {
        if parts.len() < 2 {
            return Ok(Vec::new());
        }
        let mut all: Vec<u32> = Vec::new();
        for part in parts {
            all.extend(self.trace_index(part).await?.hashes());
        }
        all.sort_unstable();
        let twice = all.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
        let mut twice: Vec<u32> = twice.collect();
        twice.dedup();
        Ok(twice)
    }
}

pub(super) fn scope(environment: EnvironmentId, time: TimeRange) -> Scope {
    Scope { environment, datasets: None, signals: vec![Signal::Span], time }
}

/// Runs a selection whose rows keep the order of their parts.
pub(super) async fn run(
    context: &SessionContext,
    table: Arc<dyn TableProvider>,
    sql: &str,
) -> Result<Vec<SendableRecordBatchStream>, QueryError> {
    let private = private(context);
    let mut config = private.copied_config();
    config.options_mut().optimizer.enable_round_robin_repartition = false;
    let state = SessionStateBuilder::new_from_existing(private.state()).with_config(config).build();
    let ordered = SessionContext::new_with_state(state);
    ordered.register_table("events", table)?;
    Ok(ordered.sql(sql).await?.execute_stream_partitioned().await?)
}

/// A row whose trace is not whole yet.
#[derive(Clone)]
pub(super) struct Waiting {
    pub(super) trace: u128,
    pub(super) row: TraceRow,
    pub(super) facts: Facts,
}

/// One thread's share of a scan. Names stand apart from what is done with rows, since rows are handed over while names are
/// still being read.
pub(super) struct Worker<F> {
    layout: Arc<Layout>,
    names: Names,
    gather: Gather<F>,
}

/// Puts rows together to traces.
struct Gather<F> {
    filter: Arc<Filter>,
    has_facts: bool,
    split: Arc<HashSet<u32>>,
    fold: F,
    shape: Shape,
    /// The trace whose rows stream by.
    current: Option<u128>,
    rows: Vec<TraceRow>,
    facts: Vec<Facts>,
    /// The first and the last trace may be cut.
    is_cut: bool,
    is_first: bool,
    waiting: Vec<Waiting>,
}

impl<F: Fold> Worker<F> {
    pub(super) fn new(scan: &Scan<'_>, fold: &F, split: impl Into<Arc<HashSet<u32>>>, is_cut: bool) -> Self {
        let gather = Gather {
            filter: Arc::clone(&scan.filter),
            has_facts: scan.layout.has_facts,
            split: split.into(),
            fold: fold.another(),
            shape: Shape::default(),
            current: None,
            rows: Vec::new(),
            facts: Vec::new(),
            is_cut,
            is_first: true,
            waiting: Vec::new(),
        };
        Self { layout: Arc::clone(&scan.layout), names: Names::default(), gather }
    }

    /// Keeps all rows for the end.
    pub(super) async fn keep(&mut self, mut stream: SendableRecordBatchStream) -> Result<(), QueryError> {
        while let Some(batch) = stream.try_next().await? {
            let waiting = &mut self.gather.waiting;
            read(
                &batch,
                &self.layout,
                &mut self.names,
                |_| true,
                |_, trace, row, facts| {
                    waiting.push(Waiting { trace, row, facts });
                },
            )?;
            within_bound(self.gather.waiting.len())?;
        }
        Ok(())
    }

    /// Folds trace after trace.
    async fn run(mut self, mut stream: SendableRecordBatchStream) -> Result<Self, QueryError> {
        let Self { layout, names, gather } = &mut self;
        while let Some(batch) = stream.try_next().await? {
            read(
                &batch,
                layout,
                names,
                |_| true,
                |names, trace, row, facts| {
                    gather.row(names, trace, row, facts);
                },
            )?;
            within_bound(gather.waiting.len() + gather.rows.len())?;
        }
        gather.end(names, gather.is_cut);
        Ok(self)
    }

    pub(super) fn adopt(&mut self, other: Self) -> Result<(), QueryError> {
        let ids = self.names.adopt(&other.names);
        self.gather.fold.adopt(other.gather.fold, &ids, &self.names);
        self.wait(other.gather.waiting, &ids)
    }

    /// Takes rows of traces that are not whole; `ids` is what their nodes are called here.
    pub(super) fn wait(
        &mut self,
        rows: impl IntoIterator<Item = Waiting>,
        ids: &[NodeId],
    ) -> Result<(), QueryError> {
        let of = |id: NodeId| ids.get(id.idx()).copied().unwrap_or(NodeId::NONE);
        self.gather.waiting.extend(rows.into_iter().map(|mut waiting| {
            (waiting.row.own, waiting.row.target) = (of(waiting.row.own), of(waiting.row.target));
            waiting
        }));
        within_bound(self.gather.waiting.len())
    }

    /// Hashes of the traces that wait.
    pub(super) fn waiting_hashes(&self) -> impl Iterator<Item = u32> {
        self.gather.waiting.iter().map(|waiting| trace_hash(&waiting.trace.to_be_bytes()))
    }

    pub(super) fn names_mut(&mut self) -> &mut Names {
        &mut self.names
    }

    pub(super) fn fold_mut(&mut self) -> &mut F {
        &mut self.gather.fold
    }

    /// What was folded, the rows that still wait, and what their nodes are.
    pub(super) fn into_parts(self) -> (F, Vec<Waiting>, Names) {
        (self.gather.fold, self.gather.waiting, self.names)
    }

    /// Folds the traces that waited.
    pub(super) fn finish(&mut self) {
        let mut waiting = std::mem::take(&mut self.gather.waiting);
        waiting.sort_by_key(|waiting| waiting.trace);
        self.gather.split = Arc::default();
        for Waiting { trace, row, facts } in waiting {
            self.gather.row(&self.names, trace, row, facts);
        }
        self.gather.end(&self.names, false);
    }
}

impl<F: Fold> Gather<F> {
    fn row(&mut self, names: &Names, trace: u128, row: TraceRow, facts: Facts) {
        if self.current != Some(trace) {
            self.end(names, self.is_cut && self.is_first);
            self.is_first = self.current.is_none();
            self.current = Some(trace);
        }
        self.rows.push(row);
        if self.has_facts {
            self.facts.push(facts);
        }
    }

    /// The current trace has no more rows here.
    fn end(&mut self, names: &Names, waits: bool) {
        let Some(trace) = self.current else { return };
        if waits || self.split.contains(&trace_hash(&trace.to_be_bytes())) {
            let mut facts = self.facts.drain(..);
            self.waiting.extend(self.rows.drain(..).map(|row| Waiting {
                trace,
                row,
                facts: facts.next().unwrap_or_default(),
            }));
            return;
        }
        let (rows, facts) = (&mut self.rows, &mut self.facts);
        self.shape.of_with(rows, |idx| {
            if idx < facts.len() {
                facts.remove(idx);
            }
        });
        if self.filter.holds(names, &self.shape, (rows, facts), Vec::new()) {
            self.fold.trace(names, &Whole { shape: &self.shape, rows });
        }
        rows.clear();
        facts.clear();
    }
}

fn within_bound(row_count: usize) -> Result<(), QueryError> {
    match row_count > WAITING_ROWS_MAX {
        true => Err(QueryError::Limit("too many traces lie in several parts; ask for less time".into())),
        false => Ok(()),
    }
}
