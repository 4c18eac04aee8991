//! How often an account may call an operation in a region. The door asks before it answers; as long as nobody sets rates
//! there are none, since a server of one's own needs no quota.

use std::collections::HashMap;
use std::str::FromStr;

use parking_lot::Mutex;
use tracery_aws_wire::Error;
use tracery_aws_wire::logs::{Operation, errors};
use tracery_model::EnvironmentId;

use crate::Caller;

/// Callers in regions whose calls are counted at one time; beyond, those that had a full allowance are forgotten.
const BUCKETS_MAX: usize = 10_000;

/// Calls a second by operation: `PutLogEvents=5000,CreateLogGroup=10`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rates(HashMap<Operation, u32>);

impl FromStr for Rates {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut rates = HashMap::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, rate) = part.split_once('=').ok_or_else(|| format!("{part:?} is not name=rate"))?;
            let operation = Operation::ALL.iter().find(|operation| operation.spec().name == name.trim());
            let operation = operation.ok_or_else(|| format!("{name:?} is no operation"))?;
            let rate: u32 = rate.trim().parse().map_err(|_| format!("{rate:?} is no rate"))?;
            rates.insert(*operation, rate);
        }
        Ok(Self(rates))
    }
}

/// What callers have left.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    rates: Rates,
    buckets: Mutex<HashMap<(Operation, EnvironmentId, String), Bucket>>,
}

/// An allowance that fills up to what one second allows.
#[derive(Debug)]
struct Bucket {
    left: f64,
    at_ns: i64,
}

impl Throttle {
    pub(crate) fn new(rates: Rates) -> Self {
        Self { rates, buckets: Mutex::default() }
    }

    /// Takes one call from the caller's allowance.
    pub(crate) fn take(&self, operation: Operation, caller: &Caller, now_ns: i64) -> Result<(), Error> {
        let Some(rate) = self.rates.0.get(&operation).copied().map(f64::from) else { return Ok(()) };
        let filled = |bucket: &Bucket| {
            let since_s = now_ns.saturating_sub(bucket.at_ns).max(0) as f64 / 1e9;
            (bucket.left + since_s * rate).min(rate)
        };
        let mut buckets = self.buckets.lock();
        if buckets.len() >= BUCKETS_MAX {
            buckets.retain(|_, bucket| now_ns.saturating_sub(bucket.at_ns) < 1_000_000_000);
        }
        let key = (operation, caller.environment, caller.region.clone());
        let bucket = buckets.entry(key).or_insert(Bucket { left: rate, at_ns: now_ns });
        bucket.left = filled(bucket);
        bucket.at_ns = now_ns;
        if bucket.left < 1.0 {
            return Err(Error::new(&errors::THROTTLING_EXCEPTION, "Rate exceeded"));
        }
        bucket.left -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_with_a_rate_is_refused_beyond_it_and_allowed_again_later() {
        let throttle = Throttle::new("PutLogEvents = 2, CreateLogGroup=0".parse().unwrap());
        let (one, two) =
            (Caller::new(EnvironmentId(1), "eu-west-1"), Caller::new(EnvironmentId(1), "us-east-1"));
        let take = |operation, caller: &Caller, now_ms: i64| {
            throttle.take(operation, caller, now_ms * 1_000_000).is_ok()
        };
        let put = Operation::PutLogEvents;
        assert_eq!(
            [0, 0, 0, 499, 500, 501].map(|now_ms| take(put, &one, now_ms)),
            [true, true, false, false, true, false]
        );
        assert!(take(put, &two, 501), "each region has its own");
        assert!((0..100).all(|_| take(Operation::GetLogEvents, &one, 0)), "no rate");
        assert!(!take(Operation::CreateLogGroup, &one, 0));
        for text in ["PutLogEvents", "PutLogEvents=x", "NoSuchThing=1", "PutLogEvents=-1"] {
            assert!(text.parse::<Rates>().is_err(), "{text}");
        }
    }
}
