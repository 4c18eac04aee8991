//! A mergeable histogram with logarithmic buckets: percentiles within 1 % of the true value, and heatmaps. The
//! aggregate `tracery_sketch(value, weight)` answers the sketch as bytes; percentiles are taken from it afterwards, so
//! that any number of them share one pass.
//!
//! A bucket is a 64th of a power of two, cut straight out of the bits of the float: no logarithm is computed, and a
//! bucket's middle is at most 1/128 (0.8 %) off any value in it.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{AggregateUDF, Expr};

use super::mergeable::{Mergeable, Rows, StateAggregate, take};

/// Bits of the fraction that choose a bucket within its power of two.
const FRACTION_BITS: u32 = 6;
const SHIFT: u32 = 52 - FRACTION_BITS;
/// Buckets kept as a list before an array is worth its memory.
const SPARSE_MAX: usize = 16;
/// An array grows by at least half a power of two, so that neighbours do not each cause a copy.
const GROWTH: usize = 32;

static UDAF: LazyLock<Arc<AggregateUDF>> = LazyLock::new(|| {
    Arc::new(StateAggregate::<Sketch>::udaf("tracery_sketch", vec![DataType::Float64, DataType::Int64]))
});

pub fn udaf() -> AggregateUDF {
    UDAF.as_ref().clone()
}

/// The sketch of a float expression; `weight` is an integer expression.
pub fn sketch(value: Expr, weight: Expr) -> Expr {
    UDAF.call(vec![value, weight])
}

/// The histogram. Not-a-number is left out; infinities count as the largest floats.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sketch {
    /// Smallest and largest value seen; meaningless while empty.
    bounds: Option<(f64, f64)>,
    /// Bucket index and weight of the first few buckets, in order of arrival, while `dense` is empty.
    sparse: Vec<(i32, u64)>,
    negative: Dense,
    positive: Dense,
    zero: u64,
}

/// Weights of consecutive buckets; `first` is the index of the first.
#[derive(Debug, Clone, Default, PartialEq)]
struct Dense {
    first: i32,
    weights: Vec<u64>,
}

impl Dense {
    #[inline]
    fn add(&mut self, index: i32, weight: u64) -> usize {
        let offset = index.wrapping_sub(self.first);
        if let Some(slot) = self.weights.get_mut(offset as u32 as usize) {
            *slot = slot.saturating_add(weight);
            return 0;
        }
        self.grow(index, weight)
    }

    #[cold]
    fn grow(&mut self, index: i32, weight: u64) -> usize {
        let before = self.weights.len();
        if self.weights.is_empty() {
            self.first = index - (GROWTH / 2) as i32;
            self.weights.resize(GROWTH, 0);
        } else if index < self.first {
            let more = (self.first - index) as usize + GROWTH;
            self.weights.splice(0..0, std::iter::repeat_n(0, more));
            self.first -= more as i32;
        } else {
            self.weights.resize((index - self.first) as usize + GROWTH, 0);
        }
        self.weights[(index - self.first) as usize] += weight;
        (self.weights.len() - before) * 8
    }

    fn buckets(&self) -> impl DoubleEndedIterator<Item = (i32, u64)> + '_ {
        let first = self.first;
        self.weights
            .iter()
            .enumerate()
            .filter(|(_, weight)| **weight > 0)
            .map(move |(offset, weight)| (first + offset as i32, *weight))
    }
}

/// Positive for positive values, negative for negative ones, growing with the value.
#[inline]
fn index_of(value: f64) -> i32 {
    let magnitude = 1 + (value.abs().min(f64::MAX).to_bits() >> SHIFT) as i32;
    if value > 0.0 {
        magnitude
    } else if value < 0.0 {
        -magnitude
    } else {
        0
    }
}

/// The middle of a bucket.
fn middle_of(index: i32) -> f64 {
    if index == 0 {
        return 0.0;
    }
    let low = (u64::from(index.unsigned_abs()) - 1) << SHIFT;
    let middle = f64::from_bits(low + (1 << (SHIFT - 1)));
    if index > 0 { middle } else { -middle }
}

impl Sketch {
    /// Returns by how many bytes the sketch grew.
    #[inline]
    pub fn add(&mut self, value: f64, weight: u64) -> usize {
        if value.is_nan() || weight == 0 {
            return 0;
        }
        self.bounds = Some(match self.bounds {
            None => (value, value),
            Some((low, high)) => (low.min(value), high.max(value)),
        });
        self.add_index(index_of(value), weight)
    }

    /// Adds values of weight 1. Returns by how many bytes the sketch grew.
    #[inline]
    pub(crate) fn add_all(&mut self, values: impl Iterator<Item = f64>) -> usize {
        let (mut low, mut high) = self.bounds.unwrap_or((f64::INFINITY, f64::NEG_INFINITY));
        let (mut grown, mut any) = (0, self.bounds.is_some());
        for value in values {
            if value.is_nan() {
                continue;
            }
            any = true;
            low = if value < low { value } else { low };
            high = if value > high { value } else { high };
            grown += self.add_index(index_of(value), 1);
        }
        self.bounds = any.then_some((low, high));
        grown
    }

    #[inline]
    fn add_index(&mut self, index: i32, weight: u64) -> usize {
        if index > 0 && !self.positive.weights.is_empty() {
            return self.positive.add(index, weight);
        }
        self.add_slowly(index, weight)
    }

    fn add_slowly(&mut self, index: i32, weight: u64) -> usize {
        if self.is_dense() {
            return self.add_dense(index, weight);
        }
        if let Some((_, sum)) = self.sparse.iter_mut().find(|(known, _)| *known == index) {
            *sum = sum.saturating_add(weight);
            return 0;
        }
        if self.sparse.len() < SPARSE_MAX {
            let before = self.sparse.capacity();
            self.sparse.push((index, weight));
            return (self.sparse.capacity() - before) * 16;
        }
        let sparse = std::mem::take(&mut self.sparse);
        let grown: usize = sparse.into_iter().map(|(index, weight)| self.add_dense(index, weight)).sum();
        grown + self.add_dense(index, weight)
    }

    fn is_dense(&self) -> bool {
        self.zero > 0 || !self.positive.weights.is_empty() || !self.negative.weights.is_empty()
    }

    fn add_dense(&mut self, index: i32, weight: u64) -> usize {
        match index {
            0 => {
                self.zero = self.zero.saturating_add(weight);
                0
            }
            1.. => self.positive.add(index, weight),
            _ => self.negative.add(index, weight),
        }
    }

    /// Index and weight of every bucket that has any, smallest values first.
    fn sorted(&self) -> Vec<(i32, u64)> {
        let mut buckets: Vec<(i32, u64)> = self.sparse.clone();
        buckets.sort_unstable();
        buckets.extend(self.negative.buckets());
        buckets.extend((self.zero > 0).then_some((0, self.zero)));
        buckets.extend(self.positive.buckets());
        buckets
    }

    /// Middle and weight of every bucket that has any, smallest values first.
    pub fn buckets(&self) -> Vec<(f64, u64)> {
        self.sorted().into_iter().map(|(index, weight)| (self.clamp(middle_of(index)), weight)).collect()
    }

    fn clamp(&self, value: f64) -> f64 {
        self.bounds.map_or(value, |(low, high)| value.max(low).min(high))
    }

    /// Smallest and largest value, or `None` when there is none.
    pub fn bounds(&self) -> Option<(f64, f64)> {
        self.bounds
    }

    /// Sum of all weights.
    pub fn weight(&self) -> u64 {
        self.sorted().iter().fold(0, |sum, (_, weight)| sum.saturating_add(*weight))
    }

    /// The smallest value that at least a fraction `quantile` of the weight does not exceed, within 0.8 %.
    pub fn quantile(&self, quantile: f64) -> Option<f64> {
        let buckets = self.sorted();
        let total: f64 = buckets.iter().map(|(_, weight)| *weight as f64).sum();
        let rank = (quantile * total).max(f64::MIN_POSITIVE);
        let mut passed = 0.0;
        for (index, weight) in &buckets {
            passed += *weight as f64;
            if passed >= rank {
                return Some(self.clamp(middle_of(*index)));
            }
        }
        buckets.last().map(|(index, _)| self.clamp(middle_of(*index)))
    }

    pub fn merge(&mut self, other: &Sketch) {
        let Some((low, high)) = other.bounds else { return };
        self.bounds = Some(self.bounds.map_or((low, high), |(a, b)| (a.min(low), b.max(high))));
        for (index, weight) in other.sorted() {
            self.add_index(index, weight);
        }
    }

    /// The sketch that the aggregate answered.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut sketch = Self::default();
        sketch.merge_encoded(bytes)?;
        Some(sketch)
    }

    /// Merges a state that the aggregate answered, without building it first. `None` when it is not one.
    pub fn absorb(&mut self, bytes: &[u8]) -> Option<()> {
        self.merge_encoded(bytes).map(drop)
    }
}

impl Mergeable for Sketch {
    fn update(states: &mut [Self], values: &[ArrayRef], rows: Rows<'_>) -> Result<usize> {
        let numbers = values[0].as_primitive::<Float64Type>();
        let weights = values[1].as_primitive::<Int64Type>();
        let (number_values, weight_values) = (numbers.values(), weights.values());
        let mut grown = 0;
        if numbers.null_count() == 0 && weights.null_count() == 0 {
            rows.for_each(|row, group| {
                grown += states[group].add(number_values[row], weight_values[row].max(0) as u64);
            });
        } else {
            rows.for_each(|row, group| {
                if numbers.is_valid(row) {
                    let weight = if weights.is_valid(row) { weight_values[row].max(0) as u64 } else { 1 };
                    grown += states[group].add(number_values[row], weight);
                }
            });
        }
        Ok(grown)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        let Some((low, high)) = self.bounds else { return };
        out.extend(low.to_le_bytes());
        out.extend(high.to_le_bytes());
        for (index, weight) in self.sorted() {
            out.extend(index.to_le_bytes());
            out.extend(weight.to_le_bytes());
        }
    }

    fn merge_encoded(&mut self, mut bytes: &[u8]) -> Option<usize> {
        if bytes.is_empty() {
            return Some(0);
        }
        let mut grown = 0;
        let low = f64::from_le_bytes(take(&mut bytes)?);
        let high = f64::from_le_bytes(take(&mut bytes)?);
        self.bounds = Some(self.bounds.map_or((low, high), |(a, b)| (a.min(low), b.max(high))));
        while !bytes.is_empty() {
            let index = i32::from_le_bytes(take(&mut bytes)?);
            let weight = u64::from_le_bytes(take(&mut bytes)?);
            if index.unsigned_abs() > 1 + (f64::MAX.to_bits() >> SHIFT) as u32 {
                return None;
            }
            grown += self.add_index(index, weight);
        }
        Some(grown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn true_quantile(values: &[(f64, u64)], quantile: f64) -> f64 {
        let mut sorted = values.to_vec();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let total: u64 = sorted.iter().map(|(_, weight)| weight).sum();
        let mut passed = 0;
        for (value, weight) in &sorted {
            passed += weight;
            if passed as f64 >= quantile * total as f64 {
                return *value;
            }
        }
        sorted.last().unwrap().0
    }

    proptest! {
        #[test]
        fn a_quantile_is_within_one_percent(
            values in prop::collection::vec((prop_oneof![-1e9..1e9_f64, 0.0..1.0_f64, Just(0.0)], 1..50_u64), 1..300),
            split in 0..300_usize,
            quantile in 0.001..0.999_f64,
        ) {
            let (mut left, mut right) = (Sketch::default(), Sketch::default());
            for (position, (value, weight)) in values.iter().enumerate() {
                if position < split { left.add(*value, *weight) } else { right.add(*value, *weight) };
            }
            let mut bytes = Vec::new();
            right.encode(&mut bytes);
            left.merge_encoded(&bytes).unwrap();
            let found = left.quantile(quantile).unwrap();
            let expected = true_quantile(&values, quantile);
            prop_assert!((found - expected).abs() <= expected.abs() * 0.01, "{found} is not {expected}");
            prop_assert_eq!(left.weight(), values.iter().map(|(_, weight)| weight).sum::<u64>());
        }

        #[test]
        fn bytes_of_any_kind_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Sketch::decode(&bytes);
        }
    }

    #[test]
    fn a_single_value_is_exact() {
        let mut sketch = Sketch::default();
        sketch.add(123.456, 7);
        assert_eq!(sketch.quantile(0.5), Some(123.456));
        assert_eq!(Sketch::default().quantile(0.5), None);
    }
}
