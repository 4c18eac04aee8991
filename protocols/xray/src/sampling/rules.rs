//! Sampling rules: the one that every account has, what a new rule must be, and what a change may change. The operations
//! on rules call it before they store anything.

use std::collections::BTreeMap;

use tracery_aws_wire::xray::{SamplingRule, SamplingRuleUpdate};

/// The name of the rule that every account has and that matches everything.
pub(crate) const DEFAULT: &str = "Default";
/// Behind every other rule, which have 9999 at most.
pub(crate) const DEFAULT_PRIORITY: i32 = 10_000;
/// When the default rule was made, as clients are told: some of them take a time of zero for none.
pub(crate) const DEFAULT_MADE_MS: i64 = 1_480_550_400_000;

const PRIORITY_MAX: i32 = 9_999;
const NAME_CHARS_MAX: usize = 32;

/// The default rule as long as nobody changed it. It has no ARN yet.
pub(crate) fn default_rule() -> SamplingRule {
    SamplingRule {
        rule_name: Some(DEFAULT.to_owned()),
        rule_arn: None,
        resource_arn: "*".to_owned(),
        priority: DEFAULT_PRIORITY,
        fixed_rate: 0.05,
        reservoir_size: 1,
        service_name: "*".to_owned(),
        service_type: "*".to_owned(),
        host: "*".to_owned(),
        http_method: "*".to_owned(),
        url_path: "*".to_owned(),
        version: 1,
        attributes: Some(BTreeMap::new()),
        sampling_rate_boost: None,
    }
}

/// Why a rule that keeps to the model's limits can still not be made.
pub(crate) fn refusal(name: &str, rule: &SamplingRule) -> Option<String> {
    if name == DEFAULT {
        return Some("A rule named Default exists in every account and cannot be made.".to_owned());
    }
    // The model bounds a name, but not an ARN that has one in it.
    if name.is_empty() || name.chars().nth(NAME_CHARS_MAX).is_some() {
        return Some(format!("The name of a sampling rule has from 1 to {NAME_CHARS_MAX} characters."));
    }
    if name.trim() != name || name.chars().any(char::is_control) {
        return Some(format!("The rule name '{}' is not valid.", name.escape_debug()));
    }
    if rule.version != 1 {
        return Some(format!("Version {} of sampling rules is not known, the only one is 1.", rule.version));
    }
    bounds(rule)
}

/// Changes what the update names. The rule may be changed in part when there is an error.
pub(crate) fn change(rule: &mut SamplingRule, update: SamplingRuleUpdate) -> Result<(), String> {
    let before = rule.clone();
    set(&mut rule.resource_arn, update.resource_arn);
    set(&mut rule.priority, update.priority);
    set(&mut rule.fixed_rate, update.fixed_rate);
    set(&mut rule.reservoir_size, update.reservoir_size);
    set(&mut rule.host, update.host);
    set(&mut rule.service_name, update.service_name);
    set(&mut rule.service_type, update.service_type);
    set(&mut rule.http_method, update.http_method);
    set(&mut rule.url_path, update.url_path);
    if update.attributes.is_some() {
        rule.attributes = update.attributes;
    }
    if update.sampling_rate_boost.is_some() {
        rule.sampling_rate_boost = update.sampling_rate_boost;
    }
    if before.rule_name.as_deref() != Some(DEFAULT) {
        return bounds(rule).map_or(Ok(()), Err);
    }
    // A console sends all fields back with those it changed.
    let allowed = SamplingRule { fixed_rate: rule.fixed_rate, reservoir_size: rule.reservoir_size, ..before };
    if *rule != allowed {
        return Err("Only FixedRate and ReservoirSize of the Default rule can be changed.".to_owned());
    }
    rate_and_reservoir(rule).map_or(Ok(()), Err)
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

fn bounds(rule: &SamplingRule) -> Option<String> {
    if !(1..=PRIORITY_MAX).contains(&rule.priority) {
        return Some(format!("Priority must be from 1 to {PRIORITY_MAX}."));
    }
    rate_and_reservoir(rule)
}

fn rate_and_reservoir(rule: &SamplingRule) -> Option<String> {
    let rate = |rate: f64| (0.0..=1.0).contains(&rate);
    if !rate(rule.fixed_rate) {
        return Some("FixedRate must be from 0 to 1.".to_owned());
    }
    if rule.reservoir_size < 0 {
        return Some("ReservoirSize must not be negative.".to_owned());
    }
    let boost = rule.sampling_rate_boost.as_ref()?;
    (!rate(boost.max_rate) || boost.cooldown_window_minutes < 0)
        .then(|| "MaxRate must be from 0 to 1 and CooldownWindowMinutes not negative.".to_owned())
}

#[cfg(test)]
mod tests {
    use tracery_aws_wire::xray::SamplingRateBoost;

    use super::*;

    fn named(name: &str, priority: i32) -> SamplingRule {
        SamplingRule { rule_name: Some(name.to_owned()), priority, ..default_rule() }
    }

    #[test]
    fn a_rule_is_refused_for_what_the_model_does_not_say() {
        let boost = |max_rate| Some(SamplingRateBoost { max_rate, cooldown_window_minutes: 1 });
        let good = named("a", 1);
        let cases = [
            ("a", good.clone(), true),
            ("a", SamplingRule { sampling_rate_boost: boost(0.5), ..good.clone() }, true),
            ("a", SamplingRule { sampling_rate_boost: boost(1.01), ..good.clone() }, false),
            ("a", SamplingRule { version: 2, ..good.clone() }, false),
            ("a", named("a", 10_000), false),
            ("Default", good.clone(), false),
            (" a", good.clone(), false),
            ("", good.clone(), false),
            (&"é".repeat(32), good.clone(), true),
            (&"é".repeat(33), good.clone(), false),
            ("a\n", good, false),
        ];
        for (name, rule, fine) in cases {
            assert_eq!(refusal(name, &rule).is_none(), fine, "{name} {rule:?}");
        }
    }

    #[test]
    fn only_rate_and_reservoir_of_the_default_rule_change() {
        let cases = [
            (
                SamplingRuleUpdate { fixed_rate: Some(0.5), reservoir_size: Some(9), ..Default::default() },
                true,
            ),
            (
                SamplingRuleUpdate {
                    priority: Some(DEFAULT_PRIORITY),
                    host: Some("*".into()),
                    ..Default::default()
                },
                true,
            ),
            (SamplingRuleUpdate { priority: Some(1), ..Default::default() }, false),
            (SamplingRuleUpdate { host: Some("a".into()), ..Default::default() }, false),
            (SamplingRuleUpdate { fixed_rate: Some(1.5), ..Default::default() }, false),
            (SamplingRuleUpdate { reservoir_size: Some(-1), ..Default::default() }, false),
        ];
        for (update, fine) in cases {
            assert_eq!(change(&mut default_rule(), update.clone()).is_ok(), fine, "{update:?}");
        }
        let mut rule = named("a", 1);
        let update = SamplingRuleUpdate { priority: Some(0), ..Default::default() };
        assert!(change(&mut rule, update).is_err());
    }
}
