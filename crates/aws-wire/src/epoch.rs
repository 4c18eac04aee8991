//! Times as REST-JSON writes them. Generated types hold them; a time is a JSON number of seconds since 1970, whole or
//! with a fraction, and never a text.

use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01T00:00:00Z, with a fraction; microseconds survive.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EpochSeconds(pub f64);

impl EpochSeconds {
    /// From nanoseconds since 1970, to the microsecond (a double holds no more for times of this century).
    pub fn from_ns(ns: i64) -> Self {
        Self(ns.div_euclid(1_000) as f64 / 1e6)
    }

    /// Nanoseconds since 1970, to the microsecond; times outside what 64 bits hold are clamped.
    pub fn as_ns(self) -> i64 {
        ((self.0 * 1e6).round() as i64).saturating_mul(1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microseconds_survive_both_ways() {
        let sent: EpochSeconds = serde_json::from_str("1795370400.123456").unwrap();
        assert_eq!(sent.as_ns(), 1_795_370_400_123_456_000);
        assert_eq!(EpochSeconds::from_ns(sent.as_ns()), sent);
        assert_eq!(EpochSeconds(1e300).as_ns(), i64::MAX);
        assert_eq!(EpochSeconds(f64::NAN).as_ns(), 0);
    }
}
