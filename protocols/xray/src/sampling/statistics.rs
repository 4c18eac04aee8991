//! What clients reported of each rule, by minute, for `GetSamplingStatisticSummaries`. In memory: the last three hours at
//! most, and a restart begins anew.

use std::collections::{BTreeMap, HashMap};

use tracery_model::EnvironmentId;

use super::RuleKey;

/// Minutes that are kept.
const MINUTES_MAX: i64 = 180;
/// Rules and minutes of all accounts together, about 20 MB; beyond it the oldest minute goes.
const ENTRIES_MAX: usize = 100_000;

/// Requests that met a rule within a minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) requests: i64,
    pub(crate) borrowed: i64,
    pub(crate) sampled: i64,
}

/// Counts by minute since 1970 and rule.
#[derive(Debug, Default)]
pub(crate) struct Statistics {
    minutes: BTreeMap<i64, HashMap<RuleKey, Counts>>,
    entry_count: usize,
}

impl Statistics {
    /// Adds a report for the time it names, which is not far from now.
    pub(crate) fn add(&mut self, rule: &RuleKey, at_ms: i64, counts: Counts, now_ms: i64) {
        let minute = self.minutes.entry(at_ms.div_euclid(60_000)).or_default();
        let entry = minute.entry(rule.clone()).or_insert_with(|| {
            self.entry_count += 1;
            Counts::default()
        });
        entry.requests = entry.requests.saturating_add(counts.requests);
        entry.borrowed = entry.borrowed.saturating_add(counts.borrowed);
        entry.sampled = entry.sampled.saturating_add(counts.sampled);
        let oldest = now_ms.div_euclid(60_000).saturating_sub(MINUTES_MAX);
        while let Some(first) = self.minutes.first_entry() {
            if *first.key() > oldest && self.entry_count <= ENTRIES_MAX {
                return;
            }
            self.entry_count -= first.remove().len();
        }
    }

    /// An account's counts with the start of their minute, oldest first and then by rule.
    pub(crate) fn of(&self, environment: EnvironmentId) -> Vec<(i64, &str, Counts)> {
        let mut found: Vec<_> = self
            .minutes
            .iter()
            .flat_map(|(minute, rules)| {
                let ours = rules.iter().filter(move |((of, _), _)| *of == environment);
                ours.map(move |((_, name), counts)| (minute * 60_000, name.as_str(), *counts))
            })
            .collect();
        found.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    fn counts(requests: i64) -> Counts {
        Counts { requests, borrowed: 1, sampled: 2 }
    }

    #[test]
    fn reports_of_a_minute_are_added_up_for_each_rule_and_account() {
        let mut statistics = Statistics::default();
        for (environment, rule, at_ms) in
            [(1, "b", 61_000), (1, "a", 119_999), (1, "b", 60_000), (1, "b", 120_000), (2, "b", 61_000)]
        {
            statistics.add(&(EnvironmentId(environment), rule.to_owned()), at_ms, counts(10), 120_000);
        }
        let twice = Counts { requests: 20, borrowed: 2, sampled: 4 };
        assert_eq!(
            statistics.of(EnvironmentId(1)),
            [(60_000, "a", counts(10)), (60_000, "b", twice), (120_000, "b", counts(10))]
        );
        assert_eq!(statistics.of(EnvironmentId(2)), [(60_000, "b", counts(10))]);
    }

    #[test]
    fn only_the_last_hours_and_so_many_rules_are_kept() {
        let mut statistics = Statistics::default();
        for minute in 0..1_000 {
            let at_ms = minute * 60_000;
            statistics.add(&(EnvironmentId(1), "a".to_owned()), at_ms, counts(1), at_ms);
        }
        assert_eq!(statistics.of(EnvironmentId(1)).len() as i64, MINUTES_MAX);
        for environment in 0..2 * ENTRIES_MAX as i64 {
            let at_ms = 20 * HOUR_MS + environment % 100 * 60_000;
            statistics.add(&(EnvironmentId(environment), "a".to_owned()), at_ms, counts(1), 20 * HOUR_MS);
        }
        assert!(statistics.entry_count <= ENTRIES_MAX);
        let entry_count: usize = statistics.minutes.values().map(HashMap::len).sum();
        assert_eq!(entry_count, statistics.entry_count);
    }
}
