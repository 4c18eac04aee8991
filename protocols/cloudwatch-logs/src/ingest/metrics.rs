//! Metrics that a group's filters make of its events: one row for each match, as other metrics have them, so that they are
//! charted alike. They go to the sink together with the events that they were made of.

use std::collections::HashMap;

use ahash::RandomState;
use parking_lot::Mutex;
use tracery_columnar::{BatchBuilder, EventBatch, Fixed};
use tracery_model::{Origin, Signal, Value};
use tracery_query::questions::logs::{LOG_GROUP_NAME, LOG_REGION, SOURCE_CLOUDWATCH_LOGS};

use crate::filters::MetricRule;

const MINUTE_MS: i64 = 60_000;
/// Filters whose last default is remembered.
const DEFAULTS_MAX: usize = 100_000;

/// When each filter last wrote its default, by minute, so that it is written once a minute.
#[derive(Default)]
pub(crate) struct Defaults(Mutex<HashMap<String, i64, RandomState>>);

impl Defaults {
    fn is_due(&self, filter: &str, minute: i64) -> bool {
        let mut last = self.0.lock();
        if last.len() >= DEFAULTS_MAX && !last.contains_key(filter) {
            last.clear();
        }
        last.insert(filter.to_owned(), minute) != Some(minute)
    }
}

/// The metrics of a batch of events; `None` when there are none. Events are time in milliseconds and message; `name` is
/// the group's, `region` where it is.
pub(crate) fn metrics_of<'e>(
    rules: &[MetricRule],
    (name, region): (&str, &str),
    received_ns: i64,
    defaults: &Defaults,
    events: impl Iterator<Item = (i64, &'e str)> + Clone,
) -> Option<EventBatch> {
    let mut builder = BatchBuilder::new(Signal::Metric, received_ns);
    builder.begin_resource();
    builder.shared_attribute(Origin::Resource, LOG_GROUP_NAME, Value::Str(name));
    builder.shared_attribute(Origin::Resource, LOG_REGION, Value::Str(region));
    builder.begin_scope();
    let now_ms = received_ns / 1_000_000;
    for rule in rules {
        let mut has_match = false;
        for (time_ms, message) in events.clone() {
            if !rule.pattern.matches(message) {
                continue;
            }
            has_match = true;
            if let Some(value) = value(rule, message) {
                write(&mut builder, rule, time_ms, value, Some(message));
            }
        }
        if let Some(value) = rule.transformation.default_value
            && !has_match
            && defaults.is_due(&rule.id, now_ms.div_euclid(MINUTE_MS))
        {
            write(&mut builder, rule, now_ms, value, None);
        }
    }
    builder.finish()
}

/// A number, or what a selector or field of the message says, if that is a number.
fn value(rule: &MetricRule, message: &str) -> Option<f64> {
    let text = &rule.transformation.metric_value;
    let number: f64 = match text.starts_with('$') {
        true => rule.pattern.value(message, text)?.trim().parse().ok()?,
        false => text.trim().parse().ok()?,
    };
    number.is_finite().then_some(number)
}

fn write(builder: &mut BatchBuilder, rule: &MetricRule, time_ms: i64, value: f64, message: Option<&str>) {
    let metric = &rule.transformation;
    builder.begin_row(time_ms.saturating_mul(1_000_000), &metric.metric_namespace);
    builder.int(Fixed::Source, i64::from(SOURCE_CLOUDWATCH_LOGS));
    builder.attribute(Origin::Own, &metric.metric_name, Value::Float(value));
    let dimensions = metric.dimensions.iter().flatten();
    for (name, selector) in dimensions {
        let found = message.and_then(|message| rule.pattern.value(message, selector));
        if let Some(found) = found {
            builder.attribute(Origin::Own, name, Value::Str(&found));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tracery_aws_wire::logs::MetricTransformation;
    use tracery_query::languages::log_pattern::Pattern;

    use super::*;

    fn rule(
        id: &str,
        pattern: &str,
        value: &str,
        default: Option<f64>,
        dimension: Option<&str>,
    ) -> MetricRule {
        let dimensions =
            dimension.map(|selector| BTreeMap::from([("route".to_owned(), selector.to_owned())]));
        MetricRule {
            id: id.into(),
            pattern: Pattern::parse(pattern).unwrap(),
            transformation: MetricTransformation {
                metric_name: id.into(),
                metric_namespace: "Shop".into(),
                metric_value: value.into(),
                default_value: default,
                dimensions,
                unit: None,
            },
        }
    }

    /// Rows of metrics that some events make in a minute.
    fn count(rules: &[MetricRule], minute: i64, defaults: &Defaults, messages: &[&str]) -> usize {
        let events = messages.iter().map(|message| (7, *message));
        let batch = metrics_of(rules, ("g", "r"), minute * 60_000_000_000, defaults, events);
        batch.map_or(0, |batch| batch.row_count())
    }

    #[test]
    fn each_match_with_a_number_is_a_row_and_a_default_is_one_a_minute() {
        let defaults = Defaults::default();
        let rules = [
            rule("errors", "ERROR", "1", Some(0.0), None),
            rule("latency", "{ $.latency = * }", "$.latency", None, Some("$.route")),
            rule("bytes", "[ip, bytes]", "$bytes", None, None),
        ];
        let messages = [
            "ERROR a",
            "fine",
            "ERROR b c",
            r#"{"latency":"2.5","route":"/a"}"#,
            r#"{"latency":"none"}"#,
            "1.1.1.1 7",
        ];
        // Both errors, one latency, and two fields of which the second is a number.
        assert_eq!(count(&rules, 1, &defaults, &messages), 4);
        assert_eq!(count(&rules, 1, &defaults, &["fine"]), 1);
        assert_eq!(count(&rules, 1, &defaults, &["fine"]), 0);
        assert_eq!(count(&rules, 2, &defaults, &["fine"]), 1);
        assert_eq!(count(&rules, 3, &defaults, &["ERROR c d"]), 1);
    }
}
