//! How well two records fit one request, and what that makes of the chance that they are of one. Each thing that agrees
//! adds to a score on the scale of natural logarithms of odds; what contradicts rules out. A score is then set against
//! those of all other requests that the record could belong to, and against its belonging to none: ten requests alike get
//! a tenth each. Pure: `mod.rs` reads, this weighs.

use std::collections::{HashMap, HashSet};

use tracery_model::TraceId;

use super::Member;
use super::read::{Record, RecordKind};

/// Something that speaks for a join.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    pub reason: Reason,
    /// What it adds to the score; infinite where ids agree.
    pub weight: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The record bears the trace's id.
    TraceId,
    /// It bears the id of a trace that is joined.
    JoinedTraceId,
    /// The trace's id stands in its text.
    IdInText,
    Path,
    /// The path fits the route's placeholders.
    Route,
    Method,
    Status,
    /// The request failed, and the error says why.
    Failed,
    Service,
    Host,
    Process,
    /// Begins and ends together, or happened within.
    Time,
}

impl Reason {
    /// The word of the API.
    pub fn name(self) -> &'static str {
        match self {
            Reason::TraceId => "trace_id",
            Reason::JoinedTraceId => "joined_trace_id",
            Reason::IdInText => "id_in_text",
            Reason::Path => "path",
            Reason::Route => "route",
            Reason::Method => "method",
            Reason::Status => "status",
            Reason::Failed => "failed",
            Reason::Service => "service",
            Reason::Host => "host",
            Reason::Process => "process",
            Reason::Time => "time",
        }
    }
}

/// The score of belonging to no request that is known: what agrees only in a service and roughly in time is below it.
const NONE: f64 = 2.0;
/// Two middlewares of one process begin and end within about this of each other.
const TOGETHER_NS: f64 = 2e6;
/// What it costs that neither of two middlewares lies around the other.
const CROSSED: f64 = -2.0;
/// How far behind a request its line or error may come, per point of score.
const BEHIND_NS: f64 = 5e6;
/// A client that sends errors at once has sent them by then.
const SENT_NS: f64 = 1e9;
/// Times never count for more than this, nor against it.
const TIME_MAX: f64 = 2.0;
const TIME_MIN: f64 = -8.0;

/// Requests that records may belong to instead: entries of other traces through the same door into the same service.
pub(super) fn rivals<'a>(own: &[Record], others: &'a [Record]) -> Vec<&'a Record> {
    let doors: HashSet<(i64, &str)> =
        own.iter().map(|entry| (entry.source, entry.service.as_str())).collect();
    others.iter().filter(|other| doors.contains(&(other.source, other.service.as_str()))).collect()
}

/// Traces of other doors or services that may be of the same request.
pub(super) fn joined_traces(own: &[Record], others: &[Record], rivals: &[&Record]) -> Vec<Member> {
    let doors: HashSet<(i64, &str)> =
        own.iter().map(|entry| (entry.source, entry.service.as_str())).collect();
    let mut fitting: Vec<(f64, Vec<Evidence>, &Record)> = Vec::new();
    for other in others.iter().filter(|other| !doors.contains(&(other.source, other.service.as_str()))) {
        if let Some((score, evidence)) = best(own, other).filter(|(score, _)| *score > 0.0) {
            fitting.push((score, evidence, other));
        }
    }
    // What else, through the same door into the same service, the request could be joined with.
    let mut of_door: HashMap<(i64, &str), f64> = HashMap::new();
    for (score, _, other) in &fitting {
        *of_door.entry((other.source, other.service.as_str())).or_default() += score.exp();
    }
    let mut members: HashMap<Option<TraceId>, Member> = HashMap::new();
    for (score, evidence, other) in fitting {
        let alternatives = of_door[&(other.source, other.service.as_str())] + NONE.exp();
        let share = share(score, rivals, other).min(score.exp() / alternatives);
        let member = Member { record: other.clone(), strength: share, evidence };
        let known = members.get(&other.trace_id).is_some_and(|known| known.strength >= share);
        if !known {
            members.insert(other.trace_id, member);
        }
    }
    members.into_values().collect()
}

/// What a line or an error has to do with the request; `None` where something speaks against it or nothing for it.
pub(super) fn weigh(
    trace_id: TraceId,
    own: &[Record],
    rivals: &[&Record],
    joined: &[Member],
    record: Record,
) -> Option<Member> {
    let certain = |reason| vec![Evidence { reason, weight: f64::INFINITY }];
    if let Some(id) = record.trace_id {
        if id == trace_id {
            return Some(Member { record, strength: 1.0, evidence: certain(Reason::TraceId) });
        }
        let of = joined.iter().find(|member| member.record.trace_id == Some(id))?;
        let evidence = certain(Reason::JoinedTraceId);
        return Some(Member { record, strength: of.strength, evidence });
    }
    let named = ids_in(&record.text);
    if named.contains(&trace_id) {
        return Some(Member { record, strength: 1.0, evidence: certain(Reason::IdInText) });
    }
    let is_named = |id: Option<TraceId>| id.is_some_and(|id| named.contains(&id));
    if let Some(of) = joined.iter().find(|member| is_named(member.record.trace_id)) {
        let evidence = certain(Reason::JoinedTraceId);
        return Some(Member { record, strength: of.strength, evidence });
    }
    // It says itself that it is another's.
    if !named.is_empty() && rivals.iter().any(|rival| is_named(rival.trace_id)) {
        return None;
    }
    let (score, evidence) = best(own, &record).filter(|(score, _)| *score > 0.0)?;
    let strength = share(score, rivals, &record);
    Some(Member { record, strength, evidence })
}

/// The chance that a record with this score is not one of the rivals', nor nobody's. Only what is near the request in time
/// has a score worth the comparison with every rival.
fn share(score: f64, rivals: &[&Record], record: &Record) -> f64 {
    let others = rivals.iter().filter_map(|rival| agreement(rival, record, |_, _| {}));
    score.exp() / (score.exp() + NONE.exp() + others.map(f64::exp).sum::<f64>())
}

fn best(own: &[Record], record: &Record) -> Option<(f64, Vec<Evidence>)> {
    own.iter().filter_map(|entry| fit(entry, record)).max_by(|left, right| left.0.total_cmp(&right.0))
}

/// The traces that a text names: 32 hex digits by themselves, or X-Ray's form of them.
fn ids_in(text: &str) -> Vec<TraceId> {
    let mut ids = Vec::new();
    // What stands between two characters that are no hex digits.
    let runs: Vec<&str> = match text.len() {
        // Most texts are no place for an id.
        0..32 => return ids,
        _ => text.split(|letter: char| !letter.is_ascii_hexdigit()).collect(),
    };
    let mut add = |digits: String| ids.extend(TraceId::from_hex(&digits.to_ascii_lowercase()));
    for (idx, run) in runs.iter().enumerate() {
        match run.len() {
            32 => add((*run).to_owned()),
            24 if idx > 0 && runs[idx - 1].len() == 8 => add(format!("{}{run}", runs[idx - 1])),
            _ => {}
        }
    }
    ids
}

/// The score of a record's belonging to the request of an entry, with what speaks for it.
fn fit(entry: &Record, record: &Record) -> Option<(f64, Vec<Evidence>)> {
    let mut evidence = Vec::new();
    let score = agreement(entry, record, |reason, weight| evidence.push(Evidence { reason, weight }))?;
    evidence.retain(|one| one.weight > 0.0);
    evidence.sort_by(|left, right| right.weight.total_cmp(&left.weight));
    Some((score, evidence))
}

/// The score alone; each part of it is told. `None` where entry and record contradict each other.
fn agreement(entry: &Record, record: &Record, mut tell: impl FnMut(Reason, f64)) -> Option<f64> {
    let mut score = 0.0;
    let mut add = |reason, weight: f64| {
        score += weight;
        tell(reason, weight);
    };
    // First, because it rules out the most.
    add(Reason::Time, time(entry, record)?);
    if let Some(agrees) = agree(entry.method.as_ref(), record.method.as_ref()) {
        agrees.then(|| add(Reason::Method, 0.5))?;
    }
    match (&entry.path, &record.path) {
        (Some(own), Some(other)) => (own == other).then(|| add(Reason::Path, 3.0))?,
        (None, Some(path)) => {
            if let Some(route) = &entry.route {
                fits_route(route, path).then(|| add(Reason::Route, 2.0))?;
            }
        }
        (Some(path), None) => {
            if let Some(route) = &record.route {
                fits_route(route, path).then(|| add(Reason::Route, 2.0))?;
            }
        }
        (None, None) => {}
    }
    if let Some(agrees) = agree(entry.status.as_ref(), record.status.as_ref()) {
        agrees.then(|| add(Reason::Status, 0.7))?;
    }
    if record.kind == RecordKind::Error && record.failed {
        add(Reason::Failed, if entry.failed { 2.5 } else { -2.0 });
    }
    if entry.service.eq_ignore_ascii_case(&record.service) {
        add(Reason::Service, 1.0);
    }
    let hosts = agree(entry.host.as_ref(), record.host.as_ref());
    match hosts {
        Some(true) => add(Reason::Host, 0.5),
        Some(false) => add(Reason::Host, -2.0),
        None => {}
    }
    match agree(entry.process.as_ref(), record.process.as_ref()) {
        Some(true) => add(Reason::Process, 0.7),
        // Ids of processes mean something on one host only.
        Some(false) if hosts != Some(false) => return None,
        _ => {}
    }
    Some(score)
}

#[expect(clippy::cast_precision_loss, reason = "distances in time, for a score")]
fn time(entry: &Record, record: &Record) -> Option<f64> {
    if record.kind == RecordKind::Trace {
        let apart = |left: i64, right: i64| (left.saturating_sub(right)).unsigned_abs() as f64 / TOGETHER_NS;
        let starts = (TIME_MAX - apart(entry.time_ns, record.time_ns)).max(TIME_MIN);
        let ends = (TIME_MAX - apart(entry.end_ns(), record.end_ns())).max(TIME_MIN);
        // One middleware lies around the other: what begins later ends earlier.
        let is_inside = (entry.time_ns <= record.time_ns) == (entry.end_ns() >= record.end_ns());
        return Some(starts + ends + if is_inside { 0.0 } else { CROSSED });
    }
    // The moment lies somewhere in what the sender's clock was cut to.
    let latest_ns = record.time_ns.saturating_add(record.precision_ns);
    let before = entry.time_ns.saturating_sub(latest_ns).max(0) as f64;
    let behind = record.time_ns.saturating_sub(entry.end_ns()).max(0) as f64;
    if before > 0.0 {
        return None;
    }
    let tells_whole = record.kind == RecordKind::Log && record.path.is_some();
    if tells_whole {
        // Written when the answer is: at the end.
        let from_end = record.time_ns.saturating_sub(entry.end_ns()).unsigned_abs() as f64;
        return Some((TIME_MAX - from_end / TOGETHER_NS).max(TIME_MIN));
    }
    if record.kind == RecordKind::Error {
        let late_ns = record.received_ns.saturating_sub(entry.end_ns());
        if record.received_ns < entry.time_ns {
            return None;
        }
        // Most clients send at once.
        let at_once = 1.0 - (late_ns.max(0) as f64 / SENT_NS).min(1.0);
        return Some((0.5 + at_once - behind / BEHIND_NS).max(TIME_MIN));
    }
    Some((1.5 - behind / BEHIND_NS).max(TIME_MIN))
}

fn agree<T: PartialEq>(left: Option<&T>, right: Option<&T>) -> Option<bool> {
    Some(left? == right?)
}

/// Whether a path has a route's form: the same number of pieces, and those without a placeholder the same.
fn fits_route(route: &str, path: &str) -> bool {
    let pieces =
        |text: &str| -> Vec<String> { text.trim_matches('/').split('/').map(str::to_owned).collect() };
    let (route, path) = (pieces(route), pieces(path));
    let is_open = |piece: &str| piece.contains(['{', '<', ':', '*', '$']);
    route.len() == path.len()
        && route.iter().zip(&path).all(|(own, other)| {
            let fixed = own.find(['{', '<', ':', '*', '$']).map_or(own.as_str(), |start| &own[..start]);
            if is_open(own) { other.starts_with(fixed) } else { own == other }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_names_traces_in_either_form() {
        let id = "c1c64774d50a6a7de955bb7bb0a1b2c3";
        for (text, is_named) in [
            (format!("trace={id}"), true),
            (format!("Root=1-{}-{};Sampled=1", &id[..8], &id[8..]), true),
            (format!("00-{}-00f067aa0ba902b7-01", id.to_ascii_uppercase()), true),
            (format!("a{id}"), false),
            (format!("{} {}", &id[..8], &id[8..]), true),
            ("é".repeat(40), false),
        ] {
            assert_eq!(!ids_in(&text).is_empty(), is_named, "{text}");
        }
    }

    #[test]
    fn routes_have_holes() {
        for (route, path, fits) in [
            ("/api/activities/@<string:handle>", "/api/activities/@andrew", true),
            ("/api/activities/@<string:handle>", "/api/activities/home", false),
            ("/a/{id}/b", "/a/7/b", true),
            ("/a/{id}/b", "/a/7", false),
            ("/a/:id", "/a/7/", true),
            ("/", "/", true),
        ] {
            assert_eq!(fits_route(route, path), fits, "{route} {path}");
        }
    }
}
