//! Boosts: for a while more is sampled of a service whose anomalies are missed. `GetSamplingTargets` reports what clients
//! saw and asks for the boost that is on. For each rule and service there is one boost within a cooldown window; it never
//! exceeds the rule's greatest rate. Like the reservoirs, boosts are one process's.

use std::collections::HashMap;

use tracery_aws_wire::xray::{SamplingBoostStatisticsDocument, SamplingRateBoost};

use super::RuleKey;

/// How long a boost lasts.
pub(crate) const BOOST_MS: i64 = 60_000;
/// Anomalies of a report (ten seconds) that are enough to see what goes wrong.
const ANOMALIES_WANTED: i32 = 10;
/// Rules and services of all accounts together, about 3 MB.
const BOOSTS_MAX: usize = 10_000;

/// A boost that is on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Boost {
    pub(crate) rate: f64,
    pub(crate) until_ms: i64,
}

#[derive(Debug)]
struct Triggered {
    boost: Boost,
    /// From then on there can be another one.
    cool_ms: i64,
}

/// The boosts of all rules.
#[derive(Debug, Default)]
pub(crate) struct Boosts {
    /// By rule and service.
    triggered: HashMap<(RuleKey, String), Triggered>,
}

impl Boosts {
    /// Takes note of a report; starts a boost when the rate lets too many anomalies go by.
    pub(crate) fn report(
        &mut self,
        rule: &RuleKey,
        config: &SamplingRateBoost,
        fixed_rate: f64,
        report: &SamplingBoostStatisticsDocument,
        now_ms: i64,
    ) {
        let enough = report.anomaly_count.min(ANOMALIES_WANTED);
        if report.sampled_anomaly_count >= enough {
            return;
        }
        // At this rate so many of them are sampled as are wanted; all of them, when they are fewer.
        let wanted = f64::from(ANOMALIES_WANTED) / f64::from(report.anomaly_count);
        let rate = wanted.min(config.max_rate);
        let key = (rule.clone(), report.service_name.clone());
        let hot = self.triggered.get(&key).is_some_and(|last| last.cool_ms > now_ms);
        if hot || rate <= fixed_rate {
            return;
        }
        if self.triggered.len() >= BOOSTS_MAX {
            self.triggered.retain(|_, last| last.cool_ms > now_ms);
            if self.triggered.len() >= BOOSTS_MAX {
                return;
            }
        }
        let boost = Boost { rate, until_ms: now_ms.saturating_add(BOOST_MS) };
        let cooldown_ms = i64::from(config.cooldown_window_minutes) * 60_000;
        let cool_ms = now_ms.saturating_add(cooldown_ms.max(BOOST_MS));
        self.triggered.insert(key, Triggered { boost, cool_ms });
    }

    /// The boost of a rule for a service, if one is on.
    pub(crate) fn of(&self, rule: &RuleKey, service: &str, now_ms: i64) -> Option<Boost> {
        let last = self.triggered.get(&(rule.clone(), service.to_owned()))?;
        (last.boost.until_ms > now_ms).then_some(last.boost)
    }

    pub(crate) fn forget(&mut self, rule: &RuleKey) {
        self.triggered.retain(|(of, _), _| of != rule);
    }
}

#[cfg(test)]
mod tests {
    use tracery_aws_wire::EpochSeconds;
    use tracery_model::EnvironmentId;

    use super::*;

    const MINUTE_MS: i64 = 60_000;

    fn report(
        service: &str,
        anomaly_count: i32,
        sampled_anomaly_count: i32,
    ) -> SamplingBoostStatisticsDocument {
        SamplingBoostStatisticsDocument {
            rule_name: "a".to_owned(),
            service_name: service.to_owned(),
            timestamp: EpochSeconds(0.0),
            anomaly_count,
            total_count: 1_000,
            sampled_anomaly_count,
        }
    }

    fn rule() -> RuleKey {
        (EnvironmentId(1), "a".to_owned())
    }

    #[test]
    fn the_rate_is_what_it_takes_to_see_anomalies() {
        let config = SamplingRateBoost { max_rate: 0.5, cooldown_window_minutes: 5 };
        for (anomalies, sampled, rate) in [
            (0, 0, None),
            (1, 1, None),
            (1, 0, Some(0.5)),
            (100, 10, None),
            (100, 9, Some(0.1)),
            (1_000, 0, None),
        ] {
            let mut boosts = Boosts::default();
            boosts.report(&rule(), &config, 0.05, &report("shop", anomalies, sampled), 0);
            let boost = boosts.of(&rule(), "shop", 1).map(|boost| boost.rate);
            assert_eq!(boost, rate, "{anomalies} {sampled}");
        }
    }

    #[test]
    fn there_is_one_boost_in_a_cooldown_window() {
        let config = SamplingRateBoost { max_rate: 1.0, cooldown_window_minutes: 5 };
        let mut boosts = Boosts::default();
        let on: Vec<i64> = (0..12)
            .filter(|minute| {
                boosts.report(&rule(), &config, 0.05, &report("shop", 5, 0), minute * MINUTE_MS);
                boosts.of(&rule(), "shop", minute * MINUTE_MS).is_some()
            })
            .collect();
        assert_eq!(on, [0, 5, 10]);
        assert_eq!(boosts.of(&rule(), "other", 10 * MINUTE_MS), None);
        boosts.forget(&rule());
        assert_eq!(boosts.of(&rule(), "shop", 10 * MINUTE_MS), None);
    }

    #[test]
    fn boosts_are_bounded() {
        let config = SamplingRateBoost { max_rate: 1.0, cooldown_window_minutes: i32::MAX };
        let mut boosts = Boosts::default();
        for idx in 0..BOOSTS_MAX + 10 {
            boosts.report(&rule(), &config, 0.05, &report(&format!("service-{idx}"), 5, 0), 0);
        }
        assert_eq!(boosts.triggered.len(), BOOSTS_MAX);
    }
}
