//! Scheduled queries at work: one task of the process looks at all of them, starts those whose time has come, and writes
//! down what became of them. A time that passed while no process ran is made up for within ten minutes, or not at all. One
//! process of those that share a database is meant to have the door open: each would run them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tracery_aws_wire::Error;
use tracery_aws_wire::logs::{ExecutionStatus, QueryStatus, ScheduledQueryState};
use tracery_model::EnvironmentId;
use tracery_query::languages::insights;
use tracery_settings::DocumentKind;

use super::{Owner, Schedule, Start, scope, start};
use crate::operations::{Kept, Shelf, unavailable};
use crate::{Caller, CloudWatchLogs};

/// Runs that a scheduled query remembers.
const RUNS_MAX: usize = 200;
/// How far a query looks back when it does not say: an hour.
const START_OFFSET_S: i64 = 60 * 60;
/// The longest pause between two looks: expressions are exact to the minute, and other processes may change them.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// A run that nobody knows is over after this: longer than a query may take.
const LOST_MS: i64 = super::ELAPSED_MAX.as_millis() as i64 + 5 * 60 * 1_000;
/// A run that is later than this is left out.
const LATE_MS_MAX: i64 = 10 * 60 * 1_000;

/// What is kept of a scheduled query; its name is the document's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Scheduled {
    pub(crate) description: Option<String>,
    pub(crate) query: String,
    pub(crate) groups: Vec<String>,
    pub(crate) expression: String,
    pub(crate) timezone: Option<String>,
    /// Seconds before a run at which its time range starts and ends.
    pub(crate) start_offset_s: Option<i64>,
    pub(crate) end_offset_s: Option<i64>,
    /// Seconds since 1970: the first and last time at which it may run.
    pub(crate) starts_s: Option<i64>,
    pub(crate) ends_s: Option<i64>,
    pub(crate) role_arn: String,
    pub(crate) enabled: bool,
    pub(crate) tags: BTreeMap<String, String>,
    /// When a run was due last, whether it ran or not.
    pub(crate) last_run_ms: Option<i64>,
    /// Oldest first.
    pub(crate) runs: Vec<Run>,
}

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) triggered_ms: i64,
    pub(crate) status: ExecutionStatus,
    pub(crate) query_id: Option<String>,
    pub(crate) error: Option<String>,
}

impl Scheduled {
    pub(crate) fn state(&self) -> ScheduledQueryState {
        if self.enabled { ScheduledQueryState::Enabled } else { ScheduledQueryState::Disabled }
    }

    /// How long before a run its time range starts and ends.
    pub(crate) fn offsets_s(&self) -> (i64, i64) {
        let end_s = self.end_offset_s.unwrap_or(0);
        (self.start_offset_s.unwrap_or(end_s.saturating_add(START_OFFSET_S)), end_s)
    }

    /// When it is due next after `after_ms`.
    fn next_ms(&self, after_ms: i64, created_ms: i64) -> Option<i64> {
        if !self.enabled {
            return None;
        }
        let schedule = Schedule::parse(&self.expression, self.timezone.as_deref()).ok()?;
        let anchor_ms = self.starts_s.map_or(created_ms, |starts_s| starts_s.saturating_mul(1_000));
        // A rate that starts later runs at its start, too.
        let after_ms = after_ms.max(anchor_ms.saturating_sub(1));
        let next_ms = match schedule {
            Schedule::Rate { .. } if after_ms < anchor_ms && self.starts_s.is_some() => anchor_ms,
            _ => schedule.next(after_ms, anchor_ms)?,
        };
        let ends_ms = self.ends_s.map_or(i64::MAX, |ends_s| ends_s.saturating_mul(1_000));
        (next_ms <= ends_ms).then_some(next_ms)
    }
}

/// The scheduled queries of a region.
pub(crate) fn shelf<'a>(state: &'a CloudWatchLogs, environment: EnvironmentId, region: &str) -> Shelf<'a> {
    Shelf::new(&state.intake.settings, environment, DocumentKind::LogsScheduledQuery, region)
}

/// The runs of a scheduled query, oldest first; what is known of those that were under way is looked up.
pub(crate) fn runs(state: &CloudWatchLogs, caller: &Caller, scheduled: &Scheduled) -> Vec<Run> {
    let owner = Owner { environment: caller.environment, region: caller.region.clone() };
    let mut runs = scheduled.runs.clone();
    for run in &mut runs {
        settle(state, &owner, run);
    }
    runs
}

/// Brings a run up to date that was under way when it was written down.
fn settle(state: &CloudWatchLogs, owner: &Owner, run: &mut Run) {
    let (ExecutionStatus::Running, Some(id)) = (run.status, &run.query_id) else { return };
    let Some(query) = state.queries.find(owner, state.intake.clock.now_ms(), id) else {
        if state.intake.clock.now_ms().saturating_sub(run.triggered_ms) > LOST_MS {
            run.status = ExecutionStatus::Failed;
            run.error = Some("the server ended before the query did".to_owned());
        }
        return;
    };
    run.status = match query.status {
        QueryStatus::Scheduled | QueryStatus::Running => ExecutionStatus::Running,
        QueryStatus::Complete => ExecutionStatus::Complete,
        QueryStatus::Timeout => ExecutionStatus::Timeout,
        QueryStatus::Failed | QueryStatus::Cancelled | QueryStatus::Unknown => ExecutionStatus::Failed,
    };
    run.error = query.failure.as_deref().map(str::to_owned);
}

/// Runs what is scheduled for as long as the process lives.
pub(crate) async fn work(state: CloudWatchLogs) {
    let mut from_ms = state.intake.clock.now_ms();
    loop {
        let now_ms = state.intake.clock.now_ms();
        let next_ms = match turn(&state, from_ms, now_ms).await {
            Ok(next_ms) => next_ms,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "scheduled queries cannot be looked at"
                );
                None
            }
        };
        from_ms = now_ms;
        let wait_ms = next_ms.map_or(i64::MAX, |next_ms| next_ms.saturating_sub(now_ms));
        let wait = Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0)).min(PAUSE_MAX);
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = state.queries_changed.notified() => {}
        }
    }
}

/// Starts every query that was due after `from_ms`; when the next one is.
pub(crate) async fn turn(state: &CloudWatchLogs, from_ms: i64, now_ms: i64) -> Result<Option<i64>, Error> {
    let mut next_ms: Option<i64> = None;
    let found = state.intake.settings.documents_of_kind(DocumentKind::LogsScheduledQuery).await;
    let found = found.map_err(unavailable)?;
    for (environment, document) in found {
        let region = document.scope.clone();
        let Ok(scheduled) = serde_json::from_value::<Scheduled>(document.body) else { continue };
        if scheduled.runs.iter().any(|run| run.status == ExecutionStatus::Running) {
            note(state, environment, &region, &document.id).await?;
        }
        let due_ms = {
            let after_ms =
                scheduled.last_run_ms.map_or(from_ms, |last_ms| last_ms.max(from_ms - LATE_MS_MAX));
            scheduled.next_ms(after_ms, document.created_ms)
        };
        let Some(due_ms) = due_ms else { continue };
        if due_ms > now_ms {
            next_ms = Some(next_ms.map_or(due_ms, |next_ms| next_ms.min(due_ms)));
            continue;
        }
        run(state, environment, &region, &document.id, now_ms, due_ms).await?;
    }
    Ok(next_ms)
}

/// Writes down what became of runs that were under way.
async fn note(
    state: &CloudWatchLogs,
    environment: EnvironmentId,
    region: &str,
    id: &str,
) -> Result<(), Error> {
    let _change = state.schedule_changes.lock().await;
    let shelf = shelf(state, environment, region);
    let Some(Kept { name, mut value, .. }) = shelf.get::<Scheduled>(id).await? else { return Ok(()) };
    let owner = Owner { environment, region: region.to_owned() };
    let under_way = |runs: &[Run]| runs.iter().filter(|run| run.status == ExecutionStatus::Running).count();
    let before = under_way(&value.runs);
    value.runs.iter_mut().for_each(|run| settle(state, &owner, run));
    if under_way(&value.runs) < before {
        shelf.replace(id, Some(&name), &value).await?;
    }
    Ok(())
}

/// Starts one query and writes that down.
async fn run(
    state: &CloudWatchLogs,
    environment: EnvironmentId,
    region: &str,
    id: &str,
    now_ms: i64,
    due_ms: i64,
) -> Result<(), Error> {
    let _change = state.schedule_changes.lock().await;
    let shelf = shelf(state, environment, region);
    let Some(Kept { name, mut value, .. }) = shelf.get::<Scheduled>(id).await? else { return Ok(()) };
    if !value.enabled || value.last_run_ms.is_some_and(|last_ms| last_ms >= due_ms) {
        return Ok(());
    }
    let owner = Owner { environment, region: region.to_owned() };
    value.runs.iter_mut().for_each(|run| settle(state, &owner, run));
    let run = match begin(state, owner, &value, due_ms).await {
        Ok(query_id) => Run {
            triggered_ms: due_ms,
            status: ExecutionStatus::Running,
            query_id: Some(query_id),
            error: None,
        },
        Err((status, error)) => Run { triggered_ms: due_ms, status, query_id: None, error: Some(error) },
    };
    value.runs.push(run);
    let extra = value.runs.len().saturating_sub(RUNS_MAX);
    value.runs.drain(..extra);
    value.last_run_ms = Some(now_ms.max(due_ms));
    shelf.replace(id, Some(&name), &value).await?;
    Ok(())
}

async fn begin(
    state: &CloudWatchLogs,
    owner: Owner,
    scheduled: &Scheduled,
    due_ms: i64,
) -> Result<String, (ExecutionStatus, String)> {
    let said = |error: Error| (ExecutionStatus::Failed, error.message.unwrap_or_default());
    let caller = scope::owner(owner.environment, &owner.region);
    let parsed =
        insights::parse(&scheduled.query).map_err(|error| (ExecutionStatus::InvalidQuery, error.message))?;
    let groups = match scheduled.groups.is_empty() {
        true => scope::sources(state, &caller, &parsed).await.map_err(said)?,
        false => scope::named(state, &caller, &scheduled.groups).await.map_err(said)?,
    };
    let (start_offset_s, end_offset_s) = scheduled.offsets_s();
    let at_s = due_ms.div_euclid(1_000);
    let query = Start {
        owner,
        account_id: caller.account_id,
        groups,
        text: scheduled.query.clone(),
        parsed,
        start_s: at_s.saturating_sub(start_offset_s),
        end_s: at_s.saturating_sub(end_offset_s),
        limit: None,
    };
    match start(state, query) {
        Some(id) => Ok(id.to_string()),
        None => Err((ExecutionStatus::Failed, "too many queries are running".to_owned())),
    }
}
