//! Deciding how much clients sample: the rules, and what all clients of an account together may take of them. The
//! sampling operations call it with the time of the call; nothing here does I/O. What clients reported is kept in the
//! memory of one process, bounded, and is there again a minute after a restart because clients report every ten seconds.

pub(crate) mod boosts;
pub(crate) mod reservoirs;
pub(crate) mod rules;
pub(crate) mod statistics;

use tracery_model::EnvironmentId;

/// A rule by its account and name.
pub(crate) type RuleKey = (EnvironmentId, String);

/// What clients reported lately.
#[derive(Debug, Default)]
pub(crate) struct Sampling {
    pub(crate) reservoirs: reservoirs::Reservoirs,
    pub(crate) boosts: boosts::Boosts,
    pub(crate) statistics: statistics::Statistics,
}

impl Sampling {
    /// Forgets what was reported of a rule that is no more.
    pub(crate) fn forget(&mut self, rule: &RuleKey) {
        self.reservoirs.forget(rule);
        self.boosts.forget(rule);
    }
}
