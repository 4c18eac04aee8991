//! Trace retrievals that were started: a token stands for a list of trace ids and a time range. The retrieval operations
//! read and write it; it lives in memory, is bounded, and forgets a token after an hour as the service does.

use std::collections::HashMap;

use parking_lot::Mutex;
use tracery_model::{EnvironmentId, TraceId};
use uuid::Uuid;

/// How long a token is good for.
const LIFETIME_NS: i64 = 60 * 60 * 1_000_000_000;
/// Tokens of one environment.
const TOKENS_MAX: usize = 1_000;

/// What a token stands for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Retrieval {
    pub(crate) trace_ids: Vec<TraceId>,
    /// Seconds since 1970: traces that have something in between are given.
    pub(crate) start_s: f64,
    pub(crate) end_s: f64,
    pub(crate) is_cancelled: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Retrievals {
    known: Mutex<HashMap<EnvironmentId, HashMap<Uuid, (i64, Retrieval)>>>,
}

impl Retrievals {
    /// Remembers a retrieval under a token; `None` when the environment has too many.
    pub(crate) fn add(
        &self,
        environment: EnvironmentId,
        now_ns: i64,
        token: Uuid,
        retrieval: Retrieval,
    ) -> Option<()> {
        let mut known = self.known.lock();
        // Those of environments that ask no more are forgotten, too.
        for tokens in known.values_mut() {
            tokens.retain(|_, (started_ns, _)| is_alive(*started_ns, now_ns));
        }
        known.retain(|_, tokens| !tokens.is_empty());
        let tokens = known.entry(environment).or_default();
        if tokens.len() >= TOKENS_MAX {
            return None;
        }
        tokens.insert(token, (now_ns, retrieval));
        Some(())
    }

    /// The retrieval of a token; `None` for one that is unknown, too old, or another environment's.
    pub(crate) fn find(&self, environment: EnvironmentId, now_ns: i64, token: &str) -> Option<Retrieval> {
        let known = self.known.lock();
        let (started_ns, retrieval) = known.get(&environment)?.get(&Uuid::parse_str(token).ok()?)?;
        is_alive(*started_ns, now_ns).then(|| retrieval.clone())
    }

    /// Ends a retrieval; `None` as in [`Self::find`].
    pub(crate) fn cancel(&self, environment: EnvironmentId, now_ns: i64, token: &str) -> Option<()> {
        let mut known = self.known.lock();
        let (started_ns, retrieval) = known.get_mut(&environment)?.get_mut(&Uuid::parse_str(token).ok()?)?;
        if !is_alive(*started_ns, now_ns) {
            return None;
        }
        retrieval.is_cancelled = true;
        retrieval.trace_ids = Vec::new();
        Some(())
    }
}

fn is_alive(started_ns: i64, now_ns: i64) -> bool {
    now_ns.saturating_sub(started_ns) < LIFETIME_NS
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: EnvironmentId = EnvironmentId(1);
    const TWO: EnvironmentId = EnvironmentId(2);

    fn retrieval() -> Retrieval {
        Retrieval { trace_ids: vec![TraceId([1; 16])], start_s: 0.0, end_s: 1.0, is_cancelled: false }
    }

    #[test]
    fn a_token_lives_an_hour_in_its_environment() {
        let retrievals = Retrievals::default();
        let token = Uuid::from_u128(7);
        retrievals.add(ONE, 0, token, retrieval()).unwrap();
        let text = token.to_string();
        assert_eq!(retrievals.find(ONE, LIFETIME_NS - 1, &text), Some(retrieval()));
        assert_eq!(retrievals.find(ONE, LIFETIME_NS, &text), None);
        assert_eq!(retrievals.find(TWO, 0, &text), None);
        assert_eq!(retrievals.find(ONE, 0, "nonsense"), None);
        assert_eq!(retrievals.cancel(TWO, 0, &text), None);
        retrievals.cancel(ONE, 0, &text).unwrap();
        assert!(retrievals.find(ONE, 0, &text).unwrap().is_cancelled);
        assert_eq!(retrievals.cancel(ONE, LIFETIME_NS, &text), None);
    }

    #[test]
    fn an_environment_has_a_bounded_number_of_tokens() {
        let retrievals = Retrievals::default();
        for number in 0..TOKENS_MAX {
            retrievals.add(ONE, 5, Uuid::from_u128(number as u128), retrieval()).unwrap();
        }
        assert_eq!(retrievals.add(ONE, 5, Uuid::max(), retrieval()), None);
        retrievals.add(TWO, 5, Uuid::max(), retrieval()).unwrap();
        retrievals.add(ONE, 5 + LIFETIME_NS, Uuid::max(), retrieval()).unwrap();
        assert_eq!(retrievals.known.lock().len(), 1, "what is over is forgotten");
    }
}
