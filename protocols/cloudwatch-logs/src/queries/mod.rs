//! Queries that were started: they run by themselves, are asked for their results, and are forgotten. The query operations
//! and the schedule start them here; their number, time and memory are bounded, and what is dropped first is the oldest
//! result. A query belongs to an environment and a region.

mod cron;
mod rewritten;
mod running;
pub(crate) mod schedule;
pub(crate) mod scope;

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use tracery_aws_wire::logs::QueryStatus;
use tracery_model::EnvironmentId;
use tracery_query::ScanProgress;
use tracery_query::languages::insights::plan::Answer;
use uuid::Uuid;

pub(crate) use cron::Schedule;
pub(crate) use rewritten::rewritten;
pub(crate) use running::{Start, start};

/// Queries of one environment and region that wait or run, as the vendor bounds them.
pub(crate) const UNFINISHED_MAX: usize = 100;
/// Queries of all callers that use the engine at a time; the others are scheduled. Each uses all cores while it runs.
const RUNNING_MAX: usize = 4;
/// How long a query may run.
pub(crate) const ELAPSED_MAX: std::time::Duration = std::time::Duration::from_secs(60 * 60);
/// How long a result is kept, when there is room.
const KEPT_MS: i64 = 7 * 24 * 60 * 60 * 1_000;
/// Queries that are remembered, of all callers.
const KEPT_MAX: usize = 10_000;
/// Bytes of results that are remembered, of all callers; a single one may have a quarter.
const KEPT_BYTES_MAX: usize = 256 << 20;
pub(crate) const RESULT_BYTES_MAX: usize = KEPT_BYTES_MAX / 4;

/// Whose queries they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) environment: EnvironmentId,
    pub(crate) region: String,
}

/// A query at one instant. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Query {
    pub(crate) id: Uuid,
    pub(crate) owner: Owner,
    /// Names of the log groups, sorted.
    pub(crate) groups: Arc<[String]>,
    /// As the client wrote it, with where and when in front.
    pub(crate) text: Arc<str>,
    pub(crate) created_ms: i64,
    /// When it came to its end.
    pub(crate) ended_ms: Option<i64>,
    pub(crate) status: QueryStatus,
    /// Why it failed, for the schedule's history and the log.
    pub(crate) failure: Option<Arc<str>>,
    /// What there is so far.
    pub(crate) answer: Arc<Answer>,
    pub(crate) progress: Arc<ScanProgress>,
    /// Order of arrival.
    number: u64,
    abort: Option<AbortHandle>,
}

impl Query {
    pub(crate) fn is_finished(&self) -> bool {
        !matches!(self.status, QueryStatus::Scheduled | QueryStatus::Running)
    }
}

/// All of them.
pub(crate) struct Queries {
    state: Mutex<State>,
    engine: Arc<Semaphore>,
}

#[derive(Default)]
struct State {
    queries: BTreeMap<Uuid, Query>,
    next_number: u64,
    bytes: usize,
}

impl Default for Queries {
    fn default() -> Self {
        Self { state: Mutex::default(), engine: Arc::new(Semaphore::new(RUNNING_MAX)) }
    }
}

impl Queries {
    /// A query of this owner.
    pub(crate) fn find(&self, owner: &Owner, now_ms: i64, id: &str) -> Option<Query> {
        let id = Uuid::parse_str(id).ok()?;
        let mut state = self.state.lock();
        state.forget(now_ms);
        state.queries.get(&id).filter(|query| query.owner == *owner).cloned()
    }

    /// All of an owner, the newest first.
    pub(crate) fn list(&self, owner: &Owner, now_ms: i64) -> Vec<Query> {
        let mut state = self.state.lock();
        state.forget(now_ms);
        let mut found: Vec<Query> =
            state.queries.values().filter(|query| query.owner == *owner).cloned().collect();
        found.sort_by_key(|query| std::cmp::Reverse(query.number));
        found
    }

    /// Ends a query that is not over; whether it was not.
    pub(crate) fn cancel(&self, id: Uuid, now_ms: i64) -> bool {
        let mut state = self.state.lock();
        let Some(query) = state.queries.get_mut(&id).filter(|query| !query.is_finished()) else {
            return false;
        };
        if let Some(abort) = query.abort.take() {
            abort.abort();
        }
        query.status = QueryStatus::Cancelled;
        query.ended_ms = Some(now_ms);
        true
    }

    /// Remembers a query that is about to run; `None` when its owner has too many that are not over.
    fn add(&self, mut query: Query) -> Option<()> {
        let mut state = self.state.lock();
        state.forget(query.created_ms);
        let unfinished =
            state.queries.values().filter(|other| other.owner == query.owner && !other.is_finished());
        if unfinished.count() >= UNFINISHED_MAX {
            return None;
        }
        query.number = state.next_number;
        state.next_number += 1;
        state.queries.insert(query.id, query);
        Some(())
    }

    fn watch(&self, id: Uuid, abort: AbortHandle) {
        if let Some(query) = self.state.lock().queries.get_mut(&id) {
            query.abort = Some(abort);
        }
    }

    /// Changes a query that is not over.
    fn change(&self, id: Uuid, change: impl FnOnce(&mut Query)) {
        let mut state = self.state.lock();
        let State { queries, bytes, .. } = &mut *state;
        let Some(query) = queries.get_mut(&id).filter(|query| !query.is_finished()) else { return };
        let before = query.answer.byte_count();
        change(query);
        *bytes = (*bytes + query.answer.byte_count()).saturating_sub(before);
        let now_ms = query.ended_ms.unwrap_or(i64::MIN);
        if query.is_finished() {
            query.abort = None;
        }
        state.forget(now_ms);
    }
}

impl State {
    /// Drops what is too old, and the oldest while there is too much.
    fn forget(&mut self, now_ms: i64) {
        let Self { queries, bytes, .. } = self;
        queries.retain(|_, query| {
            let keep = query.ended_ms.is_none_or(|ended_ms| now_ms.saturating_sub(ended_ms) < KEPT_MS);
            if !keep {
                *bytes = bytes.saturating_sub(query.answer.byte_count());
            }
            keep
        });
        while queries.len() > KEPT_MAX || *bytes > KEPT_BYTES_MAX {
            let over = queries.values().filter(|query| query.is_finished());
            let Some(oldest) = over.min_by_key(|query| query.number).map(|query| query.id) else { return };
            if let Some(query) = queries.remove(&oldest) {
                *bytes = bytes.saturating_sub(query.answer.byte_count());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(environment: i64) -> Owner {
        Owner { environment: EnvironmentId(environment), region: "eu-west-1".to_owned() }
    }

    fn query(id: u128, owner: Owner, created_ms: i64) -> Query {
        Query {
            id: Uuid::from_u128(id),
            owner,
            groups: Arc::from([]),
            text: Arc::from(""),
            created_ms,
            ended_ms: None,
            status: QueryStatus::Scheduled,
            failure: None,
            answer: Arc::default(),
            progress: Arc::default(),
            number: 0,
            abort: None,
        }
    }

    fn complete(queries: &Queries, id: u128, ended_ms: i64) {
        queries.change(Uuid::from_u128(id), |query| {
            query.status = QueryStatus::Complete;
            query.ended_ms = Some(ended_ms);
        });
    }

    #[test]
    fn an_owner_sees_its_own_queries_newest_first_until_they_are_old() {
        let queries = Queries::default();
        for (id, of) in [(1, 1), (2, 1), (3, 2)] {
            queries.add(query(id, owner(of), 0)).unwrap();
        }
        let ids = |of, now_ms| -> Vec<u128> {
            queries.list(&owner(of), now_ms).iter().map(|query| query.id.as_u128()).collect()
        };
        assert_eq!(ids(1, 0), [2, 1]);
        complete(&queries, 1, 5);
        assert_eq!(ids(1, 5 + KEPT_MS - 1), [2, 1]);
        assert_eq!(ids(1, 5 + KEPT_MS), [2], "a query that is not over stays");
        let text = Uuid::from_u128(3).to_string();
        assert!(queries.find(&owner(2), 0, &text).is_some() && queries.find(&owner(1), 0, &text).is_none());
        assert!(queries.find(&owner(2), 0, "nonsense").is_none());
    }

    #[test]
    fn unfinished_queries_are_bounded_and_a_cancelled_one_stays_cancelled() {
        let queries = Queries::default();
        for id in 0..UNFINISHED_MAX {
            queries.add(query(id as u128, owner(1), 0)).unwrap();
        }
        assert!(queries.add(query(1_000, owner(1), 0)).is_none());
        queries.add(query(1_001, owner(2), 0)).unwrap();
        assert!(queries.cancel(Uuid::from_u128(7), 3));
        assert!(!queries.cancel(Uuid::from_u128(7), 4));
        complete(&queries, 7, 9);
        let found = queries.find(&owner(1), 4, &Uuid::from_u128(7).to_string()).unwrap();
        assert_eq!((found.status, found.ended_ms), (QueryStatus::Cancelled, Some(3)));
        queries.add(query(1_000, owner(1), 0)).unwrap();
    }
}
