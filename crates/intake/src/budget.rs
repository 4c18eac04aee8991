//! Back-pressure by bytes: what front doors hold in memory at one time is bounded. A door takes a [`Permit`] before
//! it reads a body and keeps it until the sink has answered; when the budget is spent the answer is *busy*.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use thiserror::Error;

/// The budget is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("too much telemetry in flight, try again in {retry_after_ms} ms")]
pub struct Busy {
    pub retry_after_ms: u64,
}

/// Bytes that may be held at one time.
#[derive(Debug)]
pub struct MemoryBudget {
    bytes_max: usize,
    bytes_used: AtomicUsize,
}

impl Default for MemoryBudget {
    /// 256 MiB: a dozen of the largest bodies.
    fn default() -> Self {
        Self::new(256 << 20)
    }
}

impl MemoryBudget {
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes_max, bytes_used: AtomicUsize::new(0) }
    }

    pub fn bytes_used(&self) -> usize {
        self.bytes_used.load(Ordering::Relaxed)
    }

    /// `own` bytes of what is used belong to the one that asks.
    fn take(&self, bytes: usize, own: usize) -> Result<(), Busy> {
        self.bytes_used
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| {
                let wanted = used.checked_add(bytes)?;
                // A single request larger than the whole budget may run alone; it is bounded by its own limits.
                (wanted <= self.bytes_max || used == own).then_some(wanted)
            })
            .map(|_| ())
            .map_err(|_| Busy { retry_after_ms: 1_000 })
    }
}

/// Bytes taken from the budget; given back when dropped.
#[derive(Debug)]
pub struct Permit {
    budget: Arc<MemoryBudget>,
    bytes: usize,
}

impl Permit {
    pub(crate) fn new(budget: &Arc<MemoryBudget>, bytes: usize) -> Result<Self, Busy> {
        budget.take(bytes, 0)?;
        Ok(Self { budget: Arc::clone(budget), bytes })
    }

    /// Takes `bytes` more.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Busy> {
        self.budget.take(bytes, self.bytes)?;
        self.bytes += bytes;
        Ok(())
    }
}

/// Room for columns as they are made. What was set aside for them with the body is used up first.
#[derive(Debug)]
pub struct ColumnRoom<'a> {
    permit: &'a mut Permit,
    set_aside: usize,
}

impl<'a> ColumnRoom<'a> {
    /// Of a body of `inflated_bytes`, for which [`crate::Intake::inflate`] set as much aside.
    pub fn new(permit: &'a mut Permit, inflated_bytes: usize) -> Self {
        Self { permit, set_aside: inflated_bytes }
    }

    /// Takes room for columns of this many bytes.
    pub fn take(&mut self, bytes: usize) -> Result<(), Busy> {
        let beyond = bytes.saturating_sub(self.set_aside);
        self.set_aside = self.set_aside.saturating_sub(bytes);
        self.permit.grow(beyond)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.budget.bytes_used.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_taken_up_to_the_bound_and_given_back() {
        let budget = Arc::new(MemoryBudget::new(100));
        let mut first = Permit::new(&budget, 60).unwrap();
        assert!(Permit::new(&budget, 41).is_err());
        let second = Permit::new(&budget, 40).unwrap();
        assert!(first.grow(1).is_err());
        drop(second);
        first.grow(40).unwrap();
        drop(first);
        assert_eq!(budget.bytes_used(), 0);
        let alone = Permit::new(&budget, 1_000).unwrap();
        assert!(Permit::new(&budget, 1).is_err(), "nothing runs beside an oversized one");
        drop(alone);
        let mut grown = Permit::new(&budget, 60).unwrap();
        grown.grow(1_000).expect("alone it may grow beyond the budget, or no retry would ever succeed");
        drop(grown);
        assert!(Permit::new(&budget, 1).is_ok());
    }

    #[test]
    fn columns_take_what_was_set_aside_and_then_more() {
        let budget = Arc::new(MemoryBudget::new(100));
        let mut permit = Permit::new(&budget, 20).unwrap();
        let _other = Permit::new(&budget, 30).unwrap();
        let mut room = ColumnRoom::new(&mut permit, 10);
        room.take(6).unwrap();
        room.take(6).unwrap();
        assert_eq!(budget.bytes_used(), 52);
        assert!(room.take(50).is_err());
    }
}
