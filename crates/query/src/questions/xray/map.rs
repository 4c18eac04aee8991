//! The service map: nodes with their requests' outcomes and times, and who called whom, in one pass over narrow columns; and
//! the same numbers of chosen nodes or edges as a series. A request counts where and when its row starts, so that graph
//! and series agree.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ahash::RandomState;
use datafusion::prelude::SessionContext;
use tracery_model::{EnvironmentId, TimeRange, TraceId};

use super::find::{Find, Position, RangeBy, RootCauses, find};
use super::kept_maps::KeptMaps;
use super::names::{Names, Node, NodeId};
use super::scan::{Fold, Link, Scan, Whole};
use super::shape::{RowFlags, Shape, TraceRow};
use super::view::Filter;
use crate::languages::xray::Selector;
use crate::{QueryError, StoreEvents};

/// Edges of one map; calls along further ones are left out and counted.
pub const EDGES_MAX: usize = 50_000;
/// Rows before and after the range that are read so that traces at its ends are whole.
const MARGIN_NS: i64 = 60 * 1_000_000_000;
/// What is kept of parts is kept by the minute.
pub(super) const MINUTE_NS: i64 = 60 * 1_000_000_000;
/// Rows of the traces that one trace graph shows.
const GRAPH_ROWS_MAX: usize = 1_000_000;
/// Traces of one map or series whose filter asks for root causes: each that may do is assembled.
const ASSEMBLED_TRACES_MAX: usize = 20_000;
/// Traces of one page of the search for them, and those whose rows are read together.
const ASSEMBLED_PAGE: usize = 1_000;

/// How often each time was seen, in steps of a millisecond that grow: 1 ms up to a second, 10 ms up to ten, and so on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    counts: Vec<(u16, u64)>,
}

impl Histogram {
    fn add(&mut self, ns: i64, count: u64) {
        self.add_step(step(ns), count);
    }

    fn add_step(&mut self, step: u16, count: u64) {
        let at = self.counts.partition_point(|(known, _)| *known < step);
        match self.counts.get_mut(at) {
            Some((known, counted)) if *known == step => *counted += count,
            _ => self.counts.insert(at, (step, count)),
        }
    }

    fn merge(&mut self, other: &Self) {
        other.counts.iter().for_each(|(step, count)| self.add_step(*step, *count));
    }

    /// Seconds, ascending, and how often.
    pub fn entries(&self) -> impl Iterator<Item = (f64, u64)> {
        self.counts.iter().map(|(step, count)| (step_ms(*step) as f64 / 1e3, *count))
    }
}

/// The number of the step that a time falls into: 900 for each power of ten of milliseconds from the second one on.
fn step(ns: i64) -> u16 {
    let ms = ns.max(0).saturating_add(500_000) / 1_000_000;
    let (mut width, mut first) = (1, 0);
    while ms >= 1_000 * width && first < 4_500 {
        width *= 10;
        first += 900;
    }
    u16::try_from(first + (ms / width).min(999)).unwrap_or(u16::MAX)
}

fn step_ms(step: u16) -> u64 {
    let (mut step, mut width) = (u64::from(step), 1);
    while step >= 1_000 {
        step -= 900;
        width *= 10;
    }
    step * width
}

/// Outcomes and times of requests. Each counts once: as a fault, else as throttled, else as an error, else as ok.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    pub ok_count: u64,
    pub throttle_count: u64,
    /// Errors that are not throttles.
    pub error_count: u64,
    pub fault_count: u64,
    /// Of all requests together.
    pub time_ns: u64,
    pub times: Histogram,
}

impl Statistics {
    pub fn count(&self) -> u64 {
        self.ok_count + self.throttle_count + self.error_count + self.fault_count
    }

    /// What is still running has no outcome.
    fn add(&mut self, row: &TraceRow) {
        if row.flags.has(RowFlags::IN_PROGRESS) {
            return;
        }
        let count = match row.flags {
            flags if flags.has(RowFlags::FAULT) => &mut self.fault_count,
            flags if flags.has(RowFlags::THROTTLE) => &mut self.throttle_count,
            flags if flags.has(RowFlags::ERROR) => &mut self.error_count,
            _ => &mut self.ok_count,
        };
        *count += 1;
        self.time_ns += u64::try_from(row.duration_ns).unwrap_or(0);
        self.times.add(row.duration_ns, 1);
    }

    fn merge(&mut self, other: &Self) {
        self.ok_count += other.ok_count;
        self.throttle_count += other.throttle_count;
        self.error_count += other.error_count;
        self.fault_count += other.fault_count;
        self.time_ns += other.time_ns;
        self.times.merge(&other.times);
    }
}

/// From the first start to the last end, and the numbers in between.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traffic {
    /// Nanoseconds since 1970; `None` where nothing happened.
    pub span_ns: Option<(i64, i64)>,
    pub statistics: Statistics,
}

impl Traffic {
    fn add(&mut self, row: &TraceRow) {
        self.widen(row.start_ns, row.end_ns());
        self.statistics.add(row);
    }

    fn widen(&mut self, start_ns: i64, end_ns: i64) {
        self.span_ns = Some(match self.span_ns {
            Some((first, last)) => (first.min(start_ns), last.max(end_ns)),
            None => (start_ns, end_ns),
        });
    }

    fn merge(&mut self, other: &Self) {
        if let Some((start_ns, end_ns)) = other.span_ns {
            self.widen(start_ns, end_ns);
        }
        self.statistics.merge(&other.statistics);
    }
}

/// A node of the map.
#[derive(Clone, Debug, PartialEq)]
pub struct MapNode {
    pub node: Node,
    /// Traces begin here.
    pub is_root: bool,
    /// The callers of a root: they have no numbers of their own.
    pub is_client: bool,
    /// Rows of its own arrived, so that it is not only known from its callers.
    pub reports: bool,
    pub traffic: Traffic,
}

/// An edge of the map, by the positions of its ends.
#[derive(Clone, Debug, PartialEq)]
pub struct MapEdge {
    pub from_idx: usize,
    pub to_idx: usize,
    /// A message that was left for the other end; `ages` then says for how long.
    pub is_link: bool,
    pub traffic: Traffic,
    pub ages: Histogram,
}

/// Nodes and edges in the order of names, which is the same however often it is asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceMap {
    pub nodes: Vec<MapNode>,
    pub edges: Vec<MapEdge>,
    /// Rows and calls left out because a map has no more nodes or edges.
    pub omitted: u64,
}

/// The map of all traces that the filter wants, with the requests that start in `time`. Without `root_causes`, terms about
/// them are false. Without a filter, what is kept of merged parts is used, and kept for the next time.
pub async fn service_map(
    context: &SessionContext,
    events: &StoreEvents,
    environment: EnvironmentId,
    time: TimeRange,
    filter: Filter,
    root_causes: Option<&dyn RootCauses>,
    kept: &KeptMaps,
) -> Result<ServiceMap, QueryError> {
    let chosen = assembled(context, events, environment, widened(time), &filter, root_causes).await?;
    let is_all = filter.is_all();
    let scan = Scan::new(context, events, environment, filter).await?;
    let (mut builder, mut names) = match is_all.then(|| whole_minutes(time)).flatten() {
        Some(minutes) => {
            let (mut builder, mut names) = kept.fold(&scan, minutes).await?;
            let edges = [(time.start_ns, minutes.start_ns), (minutes.end_ns, time.end_ns)];
            for (start_ns, end_ns) in edges.into_iter().filter(|(start_ns, end_ns)| start_ns < end_ns) {
                let edge = TimeRange::new(start_ns, end_ns);
                let (other, others) = scan.fold(widened(edge), MapBuilder::new(edge)).await?;
                builder.adopt(other, &names.adopt(&others), &names);
            }
            builder.time = time;
            (builder, names)
        }
        None => folded(&scan, widened(time), chosen.as_ref(), MapBuilder::new(time)).await?,
    };
    let links = scan.links(time, None).await?;
    builder.link(&scan, &mut names, links, chosen.as_ref()).await?;
    Ok(builder.finish(&names))
}

/// The traces that a filter wants which asks for root causes; `None` when it does not, so that rows decide.
async fn assembled(
    context: &SessionContext,
    events: &StoreEvents,
    environment: EnvironmentId,
    time: TimeRange,
    filter: &Filter,
    root_causes: Option<&dyn RootCauses>,
) -> Result<Option<BTreeSet<TraceId>>, QueryError> {
    if !filter.asks_root_causes() || root_causes.is_none() {
        return Ok(None);
    }
    let mut chosen = BTreeSet::new();
    let mut after: Option<Position> = None;
    loop {
        let question = Find {
            time,
            by: RangeBy::Event,
            filter: filter.clone(),
            share: 1.0,
            after,
            limit: ASSEMBLED_PAGE,
        };
        let page = find(context, events, environment, &question, root_causes).await?;
        chosen.extend(page.traces.iter().map(|found| found.trace_id));
        if chosen.len() > ASSEMBLED_TRACES_MAX {
            return Err(QueryError::Limit(format!(
                "more than {ASSEMBLED_TRACES_MAX} traces have the root causes; ask for less time"
            )));
        }
        after = page.next;
        if after.is_none() {
            return Ok(Some(chosen));
        }
    }
}

/// Folds the chosen traces, or all that the scan's filter wants.
async fn folded<F: Fold>(
    scan: &Scan<'_>,
    time: TimeRange,
    chosen: Option<&BTreeSet<TraceId>>,
    mut fold: F,
) -> Result<(F, Names), QueryError> {
    let Some(chosen) = chosen else { return scan.fold(time, fold).await };
    let (mut names, mut shape) = (Names::default(), Shape::default());
    let ids: Vec<TraceId> = chosen.iter().copied().collect();
    for chunk in ids.chunks(ASSEMBLED_PAGE) {
        let found = scan.traces(chunk.to_vec(), time, &mut names, GRAPH_ROWS_MAX).await?;
        for (_, (mut rows, _)) in found {
            shape.of(&mut rows);
            fold.trace(&names, &Whole { shape: &shape, rows: &rows });
        }
    }
    Ok((fold, names))
}

/// The map of everything, without what is kept of parts: tests compare the two.
#[cfg(test)]
pub(super) async fn scanned_map(
    context: &SessionContext,
    events: &StoreEvents,
    environment: EnvironmentId,
    time: TimeRange,
) -> Result<ServiceMap, QueryError> {
    let scan = Scan::new(context, events, environment, Filter::default()).await?;
    let (mut builder, mut names) = scan.fold(widened(time), MapBuilder::new(time)).await?;
    builder.link(&scan, &mut names, scan.links(time, None).await?, None).await?;
    Ok(builder.finish(&names))
}

/// The whole minutes in a time, if there are any.
fn whole_minutes(time: TimeRange) -> Option<TimeRange> {
    let start_ns = minute_of(time.start_ns.checked_add(MINUTE_NS - 1)?);
    let end_ns = minute_of(time.end_ns);
    (start_ns < end_ns).then(|| TimeRange::new(start_ns, end_ns))
}

/// The start of the minute.
pub(super) fn minute_of(time_ns: i64) -> i64 {
    time_ns.saturating_sub(time_ns.rem_euclid(MINUTE_NS))
}

/// The map of some traces, wherever in time they lie; `time` says about where.
pub async fn trace_map(
    context: &SessionContext,
    events: &StoreEvents,
    environment: EnvironmentId,
    traces: &[TraceId],
    time: TimeRange,
) -> Result<ServiceMap, QueryError> {
    let scan = Scan::new(context, events, environment, Filter::default()).await?;
    let mut names = Names::default();
    let found = scan.traces(traces.to_vec(), time, &mut names, GRAPH_ROWS_MAX).await?;
    let mut builder = MapBuilder::new(TimeRange::ALL);
    for (_, (rows, _)) in found {
        builder.map_of_trace(&names, rows);
    }
    let links = scan.links(time, Some(traces)).await?;
    builder.link(&scan, &mut names, links, None).await?;
    Ok(builder.finish(&names))
}

pub(super) fn widened(time: TimeRange) -> TimeRange {
    TimeRange::new(time.start_ns.saturating_sub(MARGIN_NS), time.end_ns.saturating_add(MARGIN_NS))
}

#[derive(Default)]
struct NodeSum {
    is_root: bool,
    reports: bool,
    traffic: Traffic,
    /// When it was an end of an edge: all that is known of a node whose own rows are missing or outside.
    at_ends: Traffic,
}

#[derive(Default)]
struct EdgeSum {
    traffic: Traffic,
    ages: Histogram,
}

/// Sums up traces.
pub(super) struct MapBuilder {
    time: TimeRange,
    nodes: Vec<NodeSum>,
    edges: HashMap<(NodeId, NodeId, bool), EdgeSum, RandomState>,
    /// The requests of the callers of roots.
    clients: HashMap<NodeId, Traffic, RandomState>,
    omitted: u64,
}

impl MapBuilder {
    pub(super) fn new(time: TimeRange) -> Self {
        Self { time, nodes: Vec::new(), edges: HashMap::default(), clients: HashMap::default(), omitted: 0 }
    }

    /// Adds one trace whose rows are all here.
    fn map_of_trace(&mut self, names: &Names, mut rows: Vec<TraceRow>) {
        let mut shape = Shape::default();
        shape.of(&mut rows);
        self.trace(names, &Whole { shape: &shape, rows: &rows });
    }

    /// Adds the edges between traces: from what a message was left with, or its sender, to the service that took it.
    async fn link(
        &mut self,
        scan: &Scan<'_>,
        names: &mut Names,
        mut links: Vec<Link>,
        chosen: Option<&BTreeSet<TraceId>>,
    ) -> Result<(), QueryError> {
        links.retain(|link| link.from.0 != link.to.0);
        let ids: BTreeSet<TraceId> = links.iter().flat_map(|link| [link.from.0, link.to.0]).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let near = if self.time == TimeRange::ALL { self.time } else { widened(self.time) };
        let found = match scan.traces(ids.into_iter().collect(), near, names, GRAPH_ROWS_MAX).await {
            Err(QueryError::Limit(_)) => {
                self.omitted += links.len() as u64;
                return Ok(());
            }
            other => other?,
        };
        let mut traces = HashMap::new();
        for (trace, (mut rows, mut facts)) in found {
            let mut shape = Shape::default();
            shape.of_with(&mut rows, |idx| {
                if idx < facts.len() {
                    facts.remove(idx);
                }
            });
            let trace_id = TraceId(trace.to_be_bytes());
            let wanted = match chosen {
                Some(chosen) => chosen.contains(&trace_id),
                None => scan.filter.holds(names, &shape, (&rows, &facts), Vec::new()),
            };
            traces.insert(trace_id, (shape, rows, wanted));
        }
        let end = |(trace, span): (TraceId, u64)| {
            let (shape, rows, wanted) = traces.get(&trace)?;
            let idx = rows.iter().position(|row| row.span_id == span)?;
            Some((shape.owners[idx].map_or(rows[idx].own, |owner| rows[owner].own), rows[idx], *wanted))
        };
        for link in links {
            let (Some((sender, left, _)), Some((to, taken, true))) = (end(link.from), end(link.to)) else {
                continue;
            };
            let from = if left.target == NodeId::NONE { sender } else { left.target };
            let ends_known = from != NodeId::NONE && to != NodeId::NONE;
            if ends_known && self.time.contains(taken.start_ns) {
                self.add_link((from, to), &left, &taken);
            }
        }
        Ok(())
    }

    fn add_link(&mut self, (from, to): (NodeId, NodeId), left: &TraceRow, taken: &TraceRow) {
        for end in [from, to] {
            self.node(end).at_ends.widen(taken.start_ns, taken.end_ns());
        }
        if let Some(edge) = self.edge((from, to, true)) {
            edge.traffic.add(left);
            edge.ages.add(taken.start_ns.saturating_sub(left.end_ns()), 1);
        }
    }

    fn node(&mut self, id: NodeId) -> &mut NodeSum {
        if self.nodes.len() <= id.idx() {
            self.nodes.resize_with(id.idx() + 1, NodeSum::default);
        }
        &mut self.nodes[id.idx()]
    }

    fn edge(&mut self, key: (NodeId, NodeId, bool)) -> Option<&mut EdgeSum> {
        if self.edges.len() >= EDGES_MAX && !self.edges.contains_key(&key) {
            self.omitted += 1;
            return None;
        }
        Some(self.edges.entry(key).or_default())
    }

    fn finish(self, names: &Names) -> ServiceMap {
        let sums = self.nodes.into_iter().enumerate();
        let seen = sums.filter(|(_, sum)| sum.traffic.span_ns.or(sum.at_ends.span_ns).is_some());
        // Each node with its number in the scan; clients have none.
        let mut nodes: Vec<(Option<NodeId>, MapNode)> = Vec::new();
        for (idx, sum) in seen {
            let id = NodeId(u32::try_from(idx).unwrap_or(u32::MAX));
            let NodeSum { is_root, reports, mut traffic, at_ends } = sum;
            traffic.span_ns = traffic.span_ns.or(at_ends.span_ns);
            let node = names.get(id);
            nodes.push((Some(id), MapNode { node, is_root, is_client: false, reports, traffic }));
        }
        let mut entries: BTreeMap<Node, Vec<(NodeId, Traffic)>> = BTreeMap::new();
        for (id, traffic) in self.clients {
            let node = Node { r#type: "client".to_owned(), ..names.get(id) };
            entries.entry(node).or_default().push((id, traffic));
        }
        for (node, entered) in &entries {
            let mut traffic = Traffic::default();
            for (_, own) in entered {
                own.span_ns.into_iter().for_each(|(start_ns, end_ns)| traffic.widen(start_ns, end_ns));
            }
            let node = node.clone();
            nodes.push((None, MapNode { node, is_root: false, is_client: true, reports: false, traffic }));
        }
        nodes.sort_by(|(_, left), (_, right)| {
            (&left.node, left.is_client).cmp(&(&right.node, right.is_client))
        });
        let places: HashMap<NodeId, usize> =
            nodes.iter().enumerate().filter_map(|(idx, (id, _))| Some(((*id)?, idx))).collect();
        let mut edges = Vec::new();
        for ((from, to, is_link), sum) in self.edges {
            if let (Some(from_idx), Some(to_idx)) = (places.get(&from), places.get(&to)) {
                let EdgeSum { traffic, ages } = sum;
                edges.push(MapEdge { from_idx: *from_idx, to_idx: *to_idx, is_link, traffic, ages });
            }
        }
        for (from_idx, (_, client)) in nodes.iter().enumerate().filter(|(_, (_, node))| node.is_client) {
            for (to, traffic) in entries.get(&client.node).into_iter().flatten() {
                if let Some(to_idx) = places.get(to) {
                    let (traffic, ages) = (traffic.clone(), Histogram::default());
                    edges.push(MapEdge { from_idx, to_idx: *to_idx, is_link: false, traffic, ages });
                }
            }
        }
        edges.sort_by_key(|edge| (edge.from_idx, edge.to_idx, edge.is_link));
        let nodes = nodes.into_iter().map(|(_, node)| node).collect();
        ServiceMap { nodes, edges, omitted: self.omitted + names.omitted }
    }
}

impl Fold for MapBuilder {
    fn another(&self) -> Self {
        Self::new(self.time)
    }

    fn trace(&mut self, _: &Names, whole: &Whole<'_>) {
        add(self, whole);
    }

    fn adopt(&mut self, other: Self, ids: &[NodeId], _: &Names) {
        self.merge(&other, ids);
    }
}

/// Where what happened at a time is summed up.
pub(super) trait SumsByTime {
    fn at(&mut self, start_ns: i64) -> Option<&mut MapBuilder>;
}

impl SumsByTime for MapBuilder {
    fn at(&mut self, start_ns: i64) -> Option<&mut MapBuilder> {
        self.time.contains(start_ns).then_some(self)
    }
}

/// Adds a trace.
pub(super) fn add(sums: &mut impl SumsByTime, Whole { shape, rows }: &Whole<'_>) {
    for visit in &shape.visits {
        let row = &rows[visit.row];
        let Some(sums) = sums.at(row.start_ns) else { continue };
        let node = sums.node(visit.node);
        node.reports |= !visit.inferred;
        node.traffic.add(row);
    }
    if let Some(root) = shape.root.map(|root| &rows[root]).filter(|root| root.own != NodeId::NONE)
        && let Some(sums) = sums.at(root.start_ns)
    {
        sums.node(root.own).is_root = true;
        sums.clients.entry(root.own).or_default().add(root);
    }
    for hop in &shape.hops {
        let row = &rows[hop.row];
        let Some(sums) = sums.at(row.start_ns) else { continue };
        for end in [hop.from, hop.to] {
            sums.node(end).at_ends.widen(row.start_ns, row.end_ns());
        }
        if let Some(edge) = sums.edge((hop.from, hop.to, hop.link.is_some())) {
            edge.traffic.add(row);
            if let Some(taker) = hop.link {
                edge.ages.add(rows[taker].start_ns.saturating_sub(row.end_ns()), 1);
            }
        }
    }
}

impl MapBuilder {
    /// Adds the sums of another; `ids` is what its nodes are called here.
    pub(super) fn merge(&mut self, other: &Self, ids: &[NodeId]) {
        let of = |id: NodeId| ids.get(id.idx()).copied().filter(|id| *id != NodeId::NONE);
        for (idx, sum) in other.nodes.iter().enumerate() {
            if let Some(id) = ids.get(idx).copied().filter(|id| *id != NodeId::NONE) {
                let node = self.node(id);
                node.is_root |= sum.is_root;
                node.reports |= sum.reports;
                node.traffic.merge(&sum.traffic);
                node.at_ends.merge(&sum.at_ends);
            }
        }
        for ((from, to, is_link), sum) in &other.edges {
            if let (Some(from), Some(to)) = (of(*from), of(*to))
                && let Some(edge) = self.edge((from, to, *is_link))
            {
                edge.traffic.merge(&sum.traffic);
                edge.ages.merge(&sum.ages);
            }
        }
        for (id, traffic) in &other.clients {
            if let Some(id) = of(*id) {
                self.clients.entry(id).or_default().merge(traffic);
            }
        }
        self.omitted += other.omitted;
    }

    /// About the memory it takes.
    pub(super) fn byte_count(&self) -> usize {
        const SUMS_BYTES: usize = 256;
        let steps = |traffic: &Traffic| traffic.statistics.times.counts.capacity();
        let nodes = self.nodes.iter().map(|sum| steps(&sum.traffic) + steps(&sum.at_ends));
        let edges = self.edges.values().map(|sum| steps(&sum.traffic) + sum.ages.counts.capacity());
        let clients = self.clients.values().map(steps);
        let steps: usize = nodes.chain(edges).chain(clients).sum();
        let sums = self.nodes.capacity() + self.edges.capacity() + self.clients.capacity();
        steps * size_of::<(u16, u64)>() + sums * SUMS_BYTES
    }
}

/// What a series is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Entity {
    /// The requests that begin traces.
    Entries,
    Service(Selector),
    Edge {
        from: Selector,
        to: Selector,
    },
}

/// The numbers of all that `entities` name, by the start of the period, which is a multiple of its length since 1970.
/// Periods in which nothing happened are absent.
pub async fn series(
    context: &SessionContext,
    events: &StoreEvents,
    environment: EnvironmentId,
    (time, period_ns): (TimeRange, i64),
    entities: Vec<Entity>,
    (filter, root_causes): (Filter, Option<&dyn RootCauses>),
) -> Result<BTreeMap<i64, Statistics>, QueryError> {
    let account_id = filter.account_id.clone();
    let chosen = assembled(context, events, environment, widened(time), &filter, root_causes).await?;
    let scan = Scan::new(context, events, environment, filter).await?;
    let builder = SeriesBuilder {
        time,
        period_ns: period_ns.max(1),
        entities,
        account_id,
        chosen: Vec::new(),
        sums: BTreeMap::new(),
    };
    let (builder, _) = folded(&scan, widened(time), chosen.as_ref(), builder).await?;
    Ok(builder.sums)
}

struct SeriesBuilder {
    time: TimeRange,
    period_ns: i64,
    entities: Vec<Entity>,
    account_id: String,
    /// For each node, for each entity: whether it is chosen as a service or a beginning, and as an end.
    chosen: Vec<Vec<(bool, bool)>>,
    sums: BTreeMap<i64, Statistics>,
}

impl SeriesBuilder {
    /// Fills `chosen` up to a node.
    fn choose(&mut self, id: NodeId, names: &Names) {
        while self.chosen.len() <= id.idx() {
            let id = NodeId(u32::try_from(self.chosen.len()).unwrap_or(u32::MAX));
            let node = names.get(id);
            let selects = |selector: &Selector| selected(selector, &node, &self.account_id);
            let chosen = self.entities.iter().map(|entity| match entity {
                Entity::Entries => (false, false),
                Entity::Service(selector) => (selects(selector), false),
                Entity::Edge { from, to } => (selects(from), selects(to)),
            });
            let chosen = chosen.collect();
            self.chosen.push(chosen);
        }
    }

    fn add(&mut self, row: &TraceRow) {
        let start_ns = row.start_ns.div_euclid(self.period_ns) * self.period_ns;
        self.sums.entry(start_ns).or_default().add(row);
    }
}

fn selected(selector: &Selector, node: &Node, account_id: &str) -> bool {
    let account = if node.account_id.is_empty() { account_id } else { &node.account_id };
    let fits = |wanted: &Option<String>, actual: &str| wanted.as_ref().is_none_or(|wanted| wanted == actual);
    fits(&selector.name, &node.name)
        && fits(&selector.r#type, &node.r#type)
        && fits(&selector.account_id, account)
}

impl Fold for SeriesBuilder {
    fn another(&self) -> Self {
        Self {
            time: self.time,
            period_ns: self.period_ns,
            entities: self.entities.clone(),
            account_id: self.account_id.clone(),
            chosen: Vec::new(),
            sums: BTreeMap::new(),
        }
    }

    fn trace(&mut self, names: &Names, Whole { shape, rows }: &Whole<'_>) {
        let time = self.time;
        let counts = |idx: usize| time.contains(rows[idx].start_ns);
        let has = |of: fn(&Entity) -> bool, entities: &[Entity]| entities.iter().any(of);
        if has(|entity| matches!(entity, Entity::Service(_)), &self.entities) {
            for visit in shape.visits.iter().filter(|visit| counts(visit.row)) {
                self.choose(visit.node, names);
                if self.is_service(visit.node) {
                    self.add(&rows[visit.row]);
                }
            }
        }
        if has(|entity| matches!(entity, Entity::Edge { .. }), &self.entities) {
            for hop in shape.hops.iter().filter(|hop| counts(hop.row)) {
                self.choose(hop.from, names);
                self.choose(hop.to, names);
                let ends = self.chosen[hop.from.idx()].iter().zip(&self.chosen[hop.to.idx()]);
                let mut ends = ends.zip(&self.entities);
                if ends.any(|(((from, _), (_, to)), entity)| {
                    matches!(entity, Entity::Edge { .. }) && *from && *to
                }) {
                    self.add(&rows[hop.row]);
                }
            }
        }
        let Some(root) = shape.root.filter(|root| counts(*root)) else { return };
        let own = names.get(rows[root].own);
        let client = Node { r#type: "client".to_owned(), ..own.clone() };
        let enters = self.entities.iter().any(|entity| match entity {
            Entity::Entries => true,
            Entity::Edge { from, to } => {
                selected(from, &client, &self.account_id)
                    && selected(to, &own, &self.account_id)
                    // Else the edge from a service to itself would count its callers as well.
                    && from.r#type.is_some()
            }
            Entity::Service(_) => false,
        });
        if enters {
            self.add(&rows[root]);
        }
    }

    fn adopt(&mut self, other: Self, _: &[NodeId], _: &Names) {
        for (start_ns, sum) in other.sums {
            self.sums.entry(start_ns).or_default().merge(&sum);
        }
    }
}

impl SeriesBuilder {
    /// Whether some service entity, and not only the beginning of an edge, chose the node.
    fn is_service(&self, id: NodeId) -> bool {
        let chosen = self.chosen[id.idx()].iter().zip(&self.entities);
        chosen.into_iter().any(|((service, _), entity)| *service && matches!(entity, Entity::Service(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_milliseconds_that_grow() {
        for (ns, ms) in [
            (0, 0),
            (499_999, 0),
            (500_000, 1),
            (273_400_000, 273),
            (999_000_000, 999),
            (1_004_000_000, 1_000),
            (9_999_000_000, 9_990),
            (12_345_000_000, 12_300),
            (i64::MAX, 99_900_000),
        ] {
            assert_eq!(step_ms(step(ns)), ms, "{ns}");
        }
        let all: Vec<u64> = (0..5_500).map(step_ms).collect();
        assert!(all.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
