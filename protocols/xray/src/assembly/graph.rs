//! The map of a few traces in memory: their services, the calls between them, and the traces they link to. Trace
//! retrieval answers with it; maps of a time range are the query engine's.

use std::collections::{BTreeMap, BTreeSet};

use tracery_aws_wire::EpochSeconds;
use tracery_aws_wire::xray::{
    Edge, EdgeStatistics, ErrorStatistics, FaultStatistics, GraphLink, RetrievedService, Service,
    ServiceStatistics,
};

use super::compile::{CompiledTrace, micro, spelled};
use super::entity::{Entity, Node};
use super::root_causes::Places;
use super::summary::{node_or_name, response_time_s};
use crate::segment::fields::{objects, text};

/// Counts of requests, by how they ended.
#[derive(Default)]
struct Counts {
    ok: i64,
    error: i64,
    throttle: i64,
    fault: i64,
    response_time_s: f64,
    start_s: Option<f64>,
    end_s: f64,
}

impl Counts {
    fn add(&mut self, entity: &Entity) {
        // The service counts an in-progress request when it has ended.
        if let Some(seconds) = response_time_s(entity) {
            self.response_time_s += seconds;
            match entity {
                Entity { fault: true, .. } => self.fault += 1,
                Entity { throttle: true, .. } => self.throttle += 1,
                Entity { error: true, .. } => self.error += 1,
                _ => self.ok += 1,
            }
        }
        self.start_s = Some(self.start_s.map_or(entity.start_s, |known| known.min(entity.start_s)));
        self.end_s = self.end_s.max(entity.end_or_start_s());
    }

    fn total(&self) -> i64 {
        self.ok + self.error + self.throttle + self.fault
    }

    fn errors(&self) -> ErrorStatistics {
        ErrorStatistics {
            throttle_count: Some(self.throttle),
            other_count: Some(self.error),
            total_count: Some(self.throttle + self.error),
        }
    }

    fn faults(&self) -> FaultStatistics {
        FaultStatistics { other_count: Some(self.fault), total_count: Some(self.fault) }
    }

    fn times(&self) -> (Option<EpochSeconds>, Option<EpochSeconds>) {
        (self.start_s.map(EpochSeconds), self.start_s.map(|_| EpochSeconds(self.end_s)))
    }
}

#[derive(Default)]
struct Figures {
    counts: Counts,
    is_root: bool,
    reports: bool,
    /// By the node that is called.
    calls: BTreeMap<Node, Counts>,
    /// Linked traces, by the trace that has the link.
    links: BTreeMap<String, BTreeSet<String>>,
}

/// A map that grows by one trace at a time, so that none has to stay in memory.
#[derive(Default)]
pub(crate) struct Graph {
    nodes: BTreeMap<Node, Figures>,
}

impl Graph {
    /// Adds what a trace says of its services.
    pub(crate) fn add(&mut self, trace: &CompiledTrace) {
        let places = Places::of(trace);
        let root_id = trace.root().map(|root| root.id);
        for segment in trace.segments.iter().filter(|segment| !segment.is_subsegment) {
            let figures = self.nodes.entry(node(segment)).or_default();
            figures.counts.add(segment);
            figures.is_root |= root_id == Some(segment.id);
            figures.reports |= !segment.is_inferred;
            segment.walk(&mut |entity| {
                for link in objects(&entity.blocks, "links") {
                    let to = text(link, "trace_id").and_then(crate::segment::trace_id);
                    figures.links.entry(trace.id()).or_default().extend(to.map(spelled));
                }
            });
            if let Some((calling, call)) = places.caller(segment)
                && !calling.is_subsegment
            {
                let calls = &mut self.nodes.entry(node(calling)).or_default().calls;
                calls.entry(node(segment)).or_default().add(call);
            }
        }
    }

    /// The services, in the order of their names; at most so many.
    pub(crate) fn services(&self, account_id: &str, count_max: usize) -> Vec<RetrievedService> {
        let ids: BTreeMap<&Node, i32> = self.nodes.keys().take(count_max).zip(0..).collect();
        let nodes = self.nodes.iter().take(count_max);
        nodes.map(|(node, figures)| service(node, figures, &ids, account_id)).collect()
    }
}

fn node(segment: &Entity) -> Node {
    let (name, kind) = node_or_name(segment);
    (name.to_owned(), kind.to_owned())
}

fn service(node: &Node, figures: &Figures, ids: &BTreeMap<&Node, i32>, account_id: &str) -> RetrievedService {
    let counts = &figures.counts;
    let shown = figures.calls.iter().filter(|(called, _)| ids.contains_key(called));
    let edges = shown.map(|(called, counts)| {
        let (start_time, end_time) = counts.times();
        Edge {
            reference_id: ids.get(called).copied(),
            start_time,
            end_time,
            summary_statistics: Some(EdgeStatistics {
                ok_count: Some(counts.ok),
                error_statistics: Some(counts.errors()),
                fault_statistics: Some(counts.faults()),
                total_count: Some(counts.total()),
                total_response_time: Some(micro(counts.response_time_s)),
            }),
            response_time_histogram: Some(Vec::new()),
            aliases: Some(Vec::new()),
            ..Edge::default()
        }
    });
    let (start_time, end_time) = counts.times();
    let links = figures.links.iter().filter(|(_, to)| !to.is_empty()).map(|(from, to)| GraphLink {
        reference_type: Some("link".to_owned()),
        source_trace_id: Some(from.clone()),
        destination_trace_ids: Some(to.iter().cloned().collect()),
    });
    RetrievedService {
        service: Some(Service {
            reference_id: ids.get(node).copied(),
            name: Some(node.0.clone()),
            names: Some(vec![node.0.clone()]),
            root: figures.is_root.then_some(true),
            account_id: Some(account_id.to_owned()),
            r#type: Some(node.1.clone()),
            state: Some(if figures.reports { "active" } else { "unknown" }.to_owned()),
            start_time,
            end_time,
            edges: Some(edges.collect()),
            summary_statistics: Some(ServiceStatistics {
                ok_count: Some(counts.ok),
                error_statistics: Some(counts.errors()),
                fault_statistics: Some(counts.faults()),
                total_count: Some(counts.total()),
                total_response_time: Some(micro(counts.response_time_s)),
            }),
            ..Service::default()
        }),
        links: Some(links.collect()),
    }
}
