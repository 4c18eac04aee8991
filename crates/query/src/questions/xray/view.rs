//! A trace as filter expressions see it, out of its rows: the one translation that the search, the map of a group and tests
//! share. Plain keywords look at the entry point; annotations, users, places and `throttle` at every row.

use std::collections::HashMap;

use super::names::{Names, Node, NodeId};
use super::shape::{RowFlags, Shape, TraceRow};
use crate::languages::xray::columns::of_every_row;
use crate::languages::xray::{
    Edge, Expression, Facts, Flag, Group, Number, RootCause, Service, Term, Text, Trace, matches,
};

/// An expression with all that it is asked about.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// `None` is every trace.
    pub expression: Option<Expression>,
    /// The groups that `group.name` and `group.arn` may name.
    pub groups: Vec<(Group, Expression)>,
    /// Of nodes whose rows name no account.
    pub account_id: String,
}

impl Filter {
    /// Every expression that a trace is held against.
    pub(super) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.expression.iter().chain(self.groups.iter().map(|(_, expression)| expression))
    }

    /// Whether a term asks for root causes, which rows alone do not give.
    pub fn asks_root_causes(&self) -> bool {
        self.expressions().any(asks_root_causes)
    }

    pub(super) fn is_all(&self) -> bool {
        self.expression.is_none()
    }

    pub(super) fn holds(
        &self,
        names: &Names,
        shape: &Shape,
        (rows, facts): (&[TraceRow], &[Facts]),
        root_causes: Vec<RootCause>,
    ) -> bool {
        let Some(expression) = &self.expression else { return true };
        let mut trace = view(names, shape, (rows, facts), &self.account_id);
        trace.root_causes = root_causes;
        let groups = self.groups.iter().filter(|(_, expression)| matches(expression, &trace));
        trace.groups = groups.map(|(group, _)| group.clone()).collect();
        matches(expression, &trace)
    }
}

fn asks_root_causes(expression: &Expression) -> bool {
    match expression {
        Expression::All(parts) | Expression::Any(parts) => parts.iter().any(asks_root_causes),
        Expression::Not(inner) => asks_root_causes(inner),
        Expression::Term(term) => matches!(term, Term::RootCause { .. } | Term::RootCauseJson(_)),
    }
}

/// `facts` are those of `rows`, or empty where nothing was asked of them.
pub(super) fn view(
    names: &Names,
    shape: &Shape,
    (rows, facts): (&[TraceRow], &[Facts]),
    account_id: &str,
) -> Trace {
    let mut trace = Trace::default();
    let of_row = |idx: usize| facts.get(idx);
    let place = |node: Node| {
        let account = if node.account_id.is_empty() { account_id.to_owned() } else { node.account_id };
        (node.name, node.r#type, account)
    };
    // The numbers and texts of one row, as nodes, edges and the trace show them.
    let single = |idx: usize| {
        let mut seen = Facts { flags: flags(&rows[idx]), ..Facts::default() };
        if !rows[idx].flags.has(RowFlags::IN_PROGRESS) {
            let seconds = seconds(rows[idx].duration_ns);
            seen.numbers = vec![(Number::ResponseTime, seconds), (Number::Duration, seconds)];
        }
        if let Some(own) = of_row(idx) {
            seen.numbers.extend(&own.numbers);
            seen.texts = own.texts.clone();
            seen.annotations = own.annotations.clone();
        }
        seen
    };
    let mut owned: HashMap<usize, Vec<usize>> = HashMap::new();
    for idx in 0..facts.len() {
        if let Some(owner) = shape.owners[idx].filter(|owner| *owner != idx) {
            owned.entry(owner).or_default().push(idx);
        }
    }
    for visit in &shape.visits {
        let mut seen = single(visit.row);
        if visit.inferred {
            seen.flags.push(Flag::Inferred);
        } else {
            // What a service noted in its own parts is its own.
            for idx in owned.get(&visit.row).into_iter().flatten() {
                seen.annotations.extend(of_row(*idx).into_iter().flat_map(|own| own.annotations.clone()));
            }
        }
        if shape.root == Some(visit.row) && !visit.inferred {
            seen.flags.push(Flag::Root);
        }
        let (name, r#type, account_id) = place(names.get(visit.node));
        seen.texts.extend([(Text::Name, name.clone()), (Text::Type, r#type.clone())]);
        trace.services.push(Service { name, r#type, account_id, facts: seen });
    }
    let mut ends: HashMap<NodeId, usize> = HashMap::new();
    for (idx, visit) in shape.visits.iter().enumerate() {
        ends.entry(visit.node).or_insert(idx);
    }
    let mut end = |node: NodeId, services: &mut Vec<Service>| {
        *ends.entry(node).or_insert_with(|| {
            let (name, r#type, account_id) = place(names.get(node));
            services.push(Service { name, r#type, account_id, facts: Facts::default() });
            services.len() - 1
        })
    };
    for hop in &shape.hops {
        let (from_idx, to_idx) = (end(hop.from, &mut trace.services), end(hop.to, &mut trace.services));
        trace.edges.push(Edge { from_idx, to_idx, facts: single(hop.row) });
    }
    if let Some(root) = shape.root {
        trace.facts = single(root);
        trace.facts.numbers.retain(|(number, _)| *number != Number::Duration);
        trace.facts.texts.retain(|(text, _)| !of_every_row(*text));
        trace.facts.annotations.clear();
        let to_idx = end(rows[root].own, &mut trace.services);
        let Service { name, account_id, .. } = trace.services[to_idx].clone();
        let client = Service { name, r#type: "client".to_owned(), account_id, facts: Facts::default() };
        trace.services.push(client);
        let from_idx = trace.services.len() - 1;
        trace.edges.push(Edge { from_idx, to_idx, facts: single(root) });
    }
    let start = rows.iter().map(|row| row.start_ns).min().unwrap_or(0);
    let end = rows.iter().map(TraceRow::end_ns).max().unwrap_or(0);
    trace.facts.numbers.push((Number::Duration, seconds(end.saturating_sub(start))));
    for (flag, bit) in [(Flag::Throttle, RowFlags::THROTTLE), (Flag::Partial, RowFlags::IN_PROGRESS)] {
        trace.facts.flags.retain(|known| *known != flag);
        if rows.iter().any(|row| row.flags.has(bit)) {
            trace.facts.flags.push(flag);
        }
    }
    for own in facts {
        trace.facts.annotations.extend(own.annotations.clone());
        trace.facts.texts.extend(own.texts.iter().filter(|(text, _)| of_every_row(*text)).cloned());
    }
    trace
}

pub(super) fn seconds(ns: i64) -> f64 {
    ns as f64 / 1e9
}

fn flags(row: &TraceRow) -> Vec<Flag> {
    let mut flags = Vec::new();
    for (flag, bit) in [
        (Flag::Fault, RowFlags::FAULT),
        (Flag::Error, RowFlags::ERROR),
        (Flag::Throttle, RowFlags::THROTTLE),
        (Flag::Partial, RowFlags::IN_PROGRESS),
    ] {
        if row.flags.has(bit) {
            flags.push(flag);
        }
    }
    if !row.flags.has(RowFlags::NOT_OK | RowFlags::IN_PROGRESS) {
        flags.push(Flag::Ok);
    }
    flags
}
