//! The request view: everything that one request left behind, whichever door it came through. What has the request's
//! trace id belongs to it; what has another, or none, is joined by evidence (method, path, status, times, host, ids in
//! texts), weighed against every other request that it could as well belong to. The answer says how strong each join is
//! and why. The page asks it through `api`; `bench/request_view.py` measures how often it is right.

mod evidence;
mod read;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use datafusion::prelude::SessionContext;
use tracery_model::{EnvironmentId, TimeRange, TraceId};

use super::trace::figures;
use crate::QueryError;
use crate::tables::StoreEvents;

pub use evidence::{Evidence, Reason};
pub use read::{Record, RecordKind};

/// A request view was asked for.
#[derive(Debug, Clone)]
pub struct RequestQuestion {
    pub environment: EnvironmentId,
    /// The trace that the view starts from, of any door.
    pub trace_id: TraceId,
}

/// One thing that belongs to the request, or may.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    pub record: Record,
    /// From 0 to 1: what the evidence makes of the chance that this belongs to the request. 1 only where ids say so.
    pub strength: f64,
    /// The strongest first.
    pub evidence: Vec<Evidence>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct RequestView {
    /// Where the trace that was asked for enters a service: its server spans or segments.
    pub entries: Vec<Record>,
    pub start_ns: i64,
    pub duration_ns: i64,
    /// By time. Members of the trace itself are here only where they are no spans: its spans are read as a trace.
    pub members: Vec<Member>,
    /// Requests around this one that members were weighed against.
    pub rival_count: usize,
    /// More happened at that time than was looked at.
    pub is_partial: bool,
}

/// Weaker ones are not told.
const STRENGTH_MIN: f64 = 0.1;
/// From here on a trace counts as joined, so that what bears its id is a member too.
const JOINED_MIN: f64 = 0.5;
/// How far clocks and the buffering of timestamps may take two records of one request apart.
const SLACK_NS: i64 = 1_000_000_000;
/// Rows that a request's own figures may be made of.
const ROWS_MAX: usize = 1_000_000;
/// A request longer than this is looked at around its beginning and its end only.
const DURATION_NS_MAX: i64 = 600_000_000_000;

/// Puts the view together; `None` when nothing has the trace's id.
///
/// # Errors
/// When the store cannot be read, or a limit of the engine is reached.
pub async fn request_view(
    context: &SessionContext,
    events: &StoreEvents,
    question: &RequestQuestion,
) -> Result<Option<RequestView>, QueryError> {
    let RequestQuestion { environment, trace_id } = *question;
    let found = figures(events, environment, &[trace_id], ROWS_MAX).await?;
    let time = match found.first() {
        Some((_, figures)) => (figures.start_ns, figures.duration_ns.clamp(0, DURATION_NS_MAX)),
        // A log line or an error may be all there is of a trace.
        None => match read::time_of(events, environment, trace_id).await? {
            Some(time) => time,
            None => return Ok(None),
        },
    };
    let (start_ns, duration_ns) = time;
    let window = TimeRange::new(
        start_ns.saturating_sub(SLACK_NS),
        start_ns.saturating_add(duration_ns).saturating_add(SLACK_NS),
    );
    let (spans, spans_left_out) = read::entries(context, events, environment, window).await?;
    let (mut own, others): (Vec<Record>, Vec<Record>) =
        spans.into_iter().partition(|span| span.trace_id == Some(trace_id));
    own.sort_by_key(|entry| entry.time_ns);
    let rivals = evidence::rivals(&own, &others);
    let mut members = evidence::joined_traces(&own, &others, &rivals);
    let mut ids: HashSet<TraceId> = HashSet::from([trace_id]);
    ids.extend(
        members
            .iter()
            .filter(|member| member.strength >= JOINED_MIN)
            .filter_map(|member| member.record.trace_id),
    );
    let (lines, lines_left_out) = read::lines(context, events, environment, window, &ids).await?;
    let (errors, errors_left_out) = read::errors(context, events, environment, window).await?;
    let joined = members.clone();
    let weighed = lines.into_iter().chain(errors);
    members.extend(weighed.filter_map(|record| evidence::weigh(trace_id, &own, &rivals, &joined, record)));
    members.retain(|member| member.strength >= STRENGTH_MIN);
    members.sort_by_key(|member| (member.record.time_ns, member.record.duration_ns));
    Ok(Some(RequestView {
        entries: own,
        start_ns,
        duration_ns,
        members,
        rival_count: rivals.len(),
        is_partial: spans_left_out || lines_left_out || errors_left_out,
    }))
}
