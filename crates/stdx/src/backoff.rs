//! Exponential back-off with full jitter. The caller supplies the randomness.

use std::time::Duration;

/// Delays that double from `first` up to `longest`.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    attempt: u32,
}

impl Backoff {
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, attempt: 0 }
    }

    /// The next delay; `unit` in `[0, 1]` picks the point between half of the delay and all of it.
    pub fn next_delay(&mut self, unit: f64) -> Duration {
        let doubled = self.first.saturating_mul(1_u32.checked_shl(self.attempt.min(20)).unwrap_or(u32::MAX));
        self.attempt = self.attempt.saturating_add(1);
        doubled.min(self.longest).mul_f64(0.5 + 0.5 * unit.clamp(0.0, 1.0))
    }

    pub fn reset(&mut self) {
        self.attempt = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_and_stop_at_the_longest() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
        let delays: Vec<u64> =
            (0..6).map(|_| u64::try_from(backoff.next_delay(1.0).as_millis()).unwrap()).collect();
        assert_eq!(delays, [100, 200, 400, 800, 1000, 1000]);
        backoff.reset();
        assert_eq!(backoff.next_delay(0.0), Duration::from_millis(50));
    }
}
