//! How many records one record stands for: the `sampleRate` (or `SampleRate`) attribute as Honeycomb's SDKs set it,
//! else the threshold that OpenTelemetry's consistent sampling leaves in the trace state, else one.

use crate::any_value::{RawAttribute, RawValue};

/// Rates are capped where Honeycomb caps them.
const RATE_MAX: i64 = i32::MAX as i64;
/// Fractions are rounded up or down by chance below this rate, so that sums stay right; above it they do not matter.
const ROUND_BY_CHANCE_BELOW: f64 = 100.0;

/// The rate that attributes name; `sampleRate` wins over `SampleRate`.
pub(crate) fn from_attributes(attributes: &[RawAttribute<'_>]) -> Option<i64> {
    let mut found = None;
    for attribute in attributes {
        // Both spellings have ten bytes and this tail: nearly every key is passed over by one comparison.
        if attribute.key.len() == 10 && &attribute.key[1..] == b"ampleRate" {
            match attribute.key[0] {
                b's' => return Some(from_value(attribute.value)),
                b'S' => found = found.or(Some(from_value(attribute.value))),
                _ => {}
            }
        }
    }
    found
}

#[expect(clippy::cast_possible_truncation, reason = "a float cast saturates")]
fn from_value(value: RawValue<'_>) -> i64 {
    let rate = match value {
        RawValue::Int(rate) => rate,
        RawValue::Float(rate) => rate.round() as i64,
        RawValue::Str(text) => {
            std::str::from_utf8(text).ok().and_then(|text| text.trim().parse::<i64>().ok()).unwrap_or(1)
        }
        _ => 1,
    };
    rate.clamp(1, RATE_MAX)
}

/// The adjusted count of `ot=…;th:<hex>` in a W3C trace state: the sampler kept the part of all traces whose random
/// value is at least the threshold. `chance` decides how a fraction is rounded; it must not depend on the trace id,
/// which the sampler looked at already.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "56-bit values; float casts saturate"
)]
pub(crate) fn from_trace_state(trace_state: &[u8], chance: u64) -> Option<i64> {
    if trace_state.is_empty() {
        return None;
    }
    let trace_state = std::str::from_utf8(trace_state).ok()?;
    let ours = trace_state.split(',').find_map(|member| member.trim().strip_prefix("ot="))?;
    let digits = ours.split(';').find_map(|part| {
        let part = part.trim();
        part.strip_prefix("th:").or_else(|| part.strip_prefix("th="))
    })?;
    if digits.is_empty() || digits.len() > 14 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let threshold = u64::from_str_radix(digits, 16).ok()? << (4 * (14 - digits.len()));
    let all = 1_u64 << 56;
    let rate = all as f64 / (all - threshold) as f64;
    let rounded = if rate < ROUND_BY_CHANCE_BELOW {
        let unit = (chance.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11) as f64 / (1_u64 << 53) as f64;
        rate.floor() + f64::from(u8::from(unit < rate.fract()))
    } else {
        rate.round()
    };
    Some((rounded as i64).clamp(1, RATE_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_as_sdks_write_them() {
        for (value, rate) in [
            (RawValue::Int(20), 20),
            (RawValue::Int(0), 1),
            (RawValue::Int(i64::MAX), RATE_MAX),
            (RawValue::Float(2.5), 3),
            (RawValue::Float(f64::NAN), 1),
            (RawValue::Str(b"12"), 12),
            (RawValue::Str(b"many"), 1),
            (RawValue::Bool(true), 1),
        ] {
            assert_eq!(
                from_attributes(&[RawAttribute { key: b"SampleRate", value }]),
                Some(rate),
                "{value:?}"
            );
        }
        let upper = RawAttribute { key: b"SampleRate", value: RawValue::Int(2) };
        let lower = RawAttribute { key: b"sampleRate", value: RawValue::Int(3) };
        assert_eq!(from_attributes(&[upper, lower]), Some(3));
        assert_eq!(from_attributes(&[RawAttribute { key: b"samplerate", value: RawValue::Int(3) }]), None);
    }

    #[test]
    fn thresholds_become_adjusted_counts() {
        for (trace_state, rate) in [
            ("ot=th:8", Some(2)),
            ("vendor=a, ot=rv:1;th:c", Some(4)),
            ("ot=th=0", Some(1)),
            ("ot=th:fd70a3d70a3d71", Some(100)),
            ("ot=th:ffffffffffffff", Some(RATE_MAX)),
            ("ot=th:", None),
            ("ot=th:xyz", None),
            ("ot=th:111111111111111", None),
            ("other=th:8", None),
            ("", None),
        ] {
            assert_eq!(from_trace_state(trace_state.as_bytes(), 7), rate, "{trace_state}");
        }
    }

    #[test]
    fn fractions_are_right_on_average() {
        // Kept 2/3 of all: each stands for 1.5.
        let sum: i64 = (0..10_000).map(|idx| from_trace_state(b"ot=th:55555555555555", idx).unwrap()).sum();
        assert!((14_800..15_200).contains(&sum), "{sum}");
    }
}
