//! A query from its start to its end: it waits for the engine, runs within its time, and leaves what it found in
//! [`Queries`](super::Queries). The operations and the schedule start it; dropping its task is what cancels it.

use std::sync::Arc;

use tracery_aws_wire::logs::QueryStatus;
use tracery_model::TimeRange;
use tracery_query::languages::insights::Query as Parsed;
use tracery_query::languages::insights::plan::{self, Group, Question};
use tracery_query::{QueryError, ScanProgress};
use uuid::Uuid;

use super::{ELAPSED_MAX, Owner, Query, RESULT_BYTES_MAX, rewritten};
use crate::CloudWatchLogs;

/// A query that may run: parsed, and its groups found.
pub(crate) struct Start {
    pub(crate) owner: Owner,
    pub(crate) account_id: String,
    pub(crate) groups: Vec<Group>,
    pub(crate) text: String,
    pub(crate) parsed: Parsed,
    /// Seconds, both included.
    pub(crate) start_s: i64,
    pub(crate) end_s: i64,
    /// Rows, when the query does not say.
    pub(crate) limit: Option<usize>,
}

/// Starts a query and gives its id; `None` when its owner has too many that are not over.
pub(crate) fn start(state: &CloudWatchLogs, start: Start) -> Option<Uuid> {
    let id = Uuid::new_v4();
    let mut groups: Vec<String> = start.groups.iter().map(|group| group.name.clone()).collect();
    groups.sort();
    let query = Query {
        id,
        owner: start.owner.clone(),
        text: rewritten(&groups, start.start_s, start.end_s, &start.text).into(),
        groups: groups.into(),
        created_ms: state.intake.clock.now_ms(),
        ended_ms: None,
        status: QueryStatus::Scheduled,
        failure: None,
        answer: Arc::default(),
        progress: Arc::default(),
        number: 0,
        abort: None,
    };
    let progress = Arc::clone(&query.progress);
    state.queries.add(query)?;
    let task = tokio::spawn(follow(state.clone(), id, start, progress));
    state.queries.watch(id, task.abort_handle());
    Some(id)
}

async fn follow(state: CloudWatchLogs, id: Uuid, start: Start, progress: Arc<ScanProgress>) {
    let engine = Arc::clone(&state.queries.engine);
    let Ok(_permit) = engine.acquire_owned().await else { return };
    state.queries.change(id, |query| query.status = QueryStatus::Running);
    let answer = tokio::time::timeout(ELAPSED_MAX, run(&state, id, start, &progress)).await;
    let ended_ms = state.intake.clock.now_ms();
    state.queries.change(id, |query| {
        query.ended_ms = Some(ended_ms);
        match answer {
            Ok(Ok(answer)) => {
                query.status = QueryStatus::Complete;
                query.answer = Arc::new(answer);
            }
            Ok(Err(error)) => {
                tracing::info!(%id, error = &error as &dyn std::error::Error, "a query failed");
                query.status = QueryStatus::Failed;
                query.failure = Some(failure(&error).into());
            }
            Err(_) => {
                query.status = QueryStatus::Timeout;
                query.failure = Some("the query ran for too long".into());
            }
        }
    });
}

async fn run(
    state: &CloudWatchLogs,
    id: Uuid,
    start: Start,
    progress: &Arc<ScanProgress>,
) -> Result<plan::Answer, QueryError> {
    let events = state.events.watched(progress);
    let question = Question {
        environment: start.owner.environment,
        region: start.owner.region,
        account_id: start.account_id,
        groups: start.groups,
        time: TimeRange::new(
            start.start_s.saturating_mul(1_000_000_000),
            start.end_s.saturating_add(1).saturating_mul(1_000_000_000),
        ),
        query: start.parsed,
        limit: start.limit,
        bytes_max: RESULT_BYTES_MAX,
        now_ns: state.intake.clock.now_ns(),
    };
    let partial = |answer: plan::Answer| {
        state.queries.change(id, |query| query.answer = Arc::new(answer));
    };
    plan::run(&state.context, &events, &question, &partial).await
}

/// What a client may know.
fn failure(error: &QueryError) -> String {
    match error {
        QueryError::Invalid(reason) | QueryError::Limit(reason) => reason.clone(),
        QueryError::Engine(_) | QueryError::Store(_) => "the query failed".to_owned(),
    }
}
