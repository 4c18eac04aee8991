//! When an event happened, in every spelling clients use. Ingest asks here; what cannot be read is `None`, and the
//! caller then takes the time of arrival.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Nanoseconds since the epoch: RFC 3339 text, an integer of 10, 13, 16 or 19 digits (seconds to nanoseconds), or
/// seconds with a fraction.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return from_integer(text.parse().ok()?);
    }
    if let Ok(instant) = OffsetDateTime::parse(text, &Rfc3339) {
        return i64::try_from(instant.unix_timestamp_nanos()).ok();
    }
    // Python's `isoformat() + "Z"` of an aware time names its zone twice.
    if let Some(once) = text.strip_suffix('Z')
        && let Ok(instant) = OffsetDateTime::parse(once, &Rfc3339)
    {
        return i64::try_from(instant.unix_timestamp_nanos()).ok();
    }
    from_seconds(text.parse().ok()?)
}

pub(crate) fn from_json(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => parse(text),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => from_integer(integer),
            None => from_seconds(number.as_f64()?),
        },
        _ => None,
    }
}

fn from_integer(integer: i64) -> Option<i64> {
    let factor = match integer {
        ..0 => return None,
        0..100_000_000_000 => 1_000_000_000,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        100_000_000_000_000_000.. => 1,
    };
    integer.checked_mul(factor)
}

#[expect(clippy::cast_possible_truncation, reason = "bounded by the check")]
fn from_seconds(seconds: f64) -> Option<i64> {
    (0.0..9.2e9).contains(&seconds).then(|| {
        // Whole seconds apart from the fraction, which keeps microseconds exact.
        seconds.trunc() as i64 * 1_000_000_000 + (seconds.fract() * 1e9).round() as i64
    })
}

/// Milliseconds since the Unix epoch as RFC 3339 text.
pub(crate) fn rfc3339_ms(epoch_ms: i64) -> String {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(epoch_ms) * 1_000_000)
        .ok()
        .and_then(|instant| instant.format(&Rfc3339).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_one_instant_is_the_same_instant() {
        let instant = 1_700_000_000_000_000_000;
        for text in [
            "1700000000",
            "1700000000000",
            "1700000000000000",
            "1700000000000000000",
            "1700000000.0",
            "2023-11-14T22:13:20Z",
            "2023-11-14T22:13:20.000000000Z",
            "2023-11-15T00:13:20+02:00",
            "2023-11-14T22:13:20.000000+00:00Z",
        ] {
            assert_eq!(parse(text), Some(instant), "{text}");
        }
        assert_eq!(parse("1700000000.5"), Some(instant + 500_000_000));
        assert_eq!(parse("2023-11-14T22:13:20.123456789Z"), Some(instant + 123_456_789));
        for text in
            ["", "yesterday", "-5", "NaN", "inf", "1e300", "99999999999999999999", "9999-01-01T00:00:00Z"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(from_json(&serde_json::json!(1_700_000_000)), Some(instant));
        assert_eq!(rfc3339_ms(1_700_000_000_000), "2023-11-14T22:13:20Z");
    }
}
