//! Percentiles that are exact for few values: a group keeps its values until there are many, and then a sketch of them. The
//! aggregate `tracery_percentiles(value)` answers the state as bytes.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{AggregateUDF, Expr};

use super::mergeable::{Mergeable, Rows, StateAggregate, take};
use super::sketch::Sketch;

/// Up to this many values the answer is exact.
const EXACT_MAX: usize = 4_096;

static UDAF: LazyLock<Arc<AggregateUDF>> = LazyLock::new(|| {
    Arc::new(StateAggregate::<Percentiles>::udaf("tracery_percentiles", vec![DataType::Float64]))
});

pub fn udaf() -> AggregateUDF {
    UDAF.as_ref().clone()
}

/// The values of a float expression.
pub fn percentiles(value: Expr) -> Expr {
    UDAF.call(vec![value])
}

/// The values seen.
#[derive(Debug)]
pub enum Percentiles {
    Exact(Vec<f64>),
    Sketched(Box<Sketch>),
}

impl Default for Percentiles {
    fn default() -> Self {
        Self::Exact(Vec::new())
    }
}

impl Percentiles {
    fn add(&mut self, value: f64) -> usize {
        if value.is_nan() {
            return 0;
        }
        match self {
            Self::Sketched(sketch) => sketch.add(value, 1),
            Self::Exact(values) if values.len() < EXACT_MAX => {
                let before = values.capacity();
                values.push(value);
                (values.capacity() - before) * size_of::<f64>()
            }
            Self::Exact(values) => {
                let mut sketch = Box::<Sketch>::default();
                let mut grown = sketch.add(value, 1);
                grown += values.iter().map(|value| sketch.add(*value, 1)).sum::<usize>();
                *self = Self::Sketched(sketch);
                grown
            }
        }
    }

    /// The smallest value that so many percent of all are not above; `None` when there is none.
    pub fn at(&self, percent: f64) -> Option<f64> {
        match self {
            Self::Exact(values) => {
                let mut sorted = values.clone();
                sorted.sort_unstable_by(f64::total_cmp);
                let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
                sorted.get(rank.saturating_sub(1)).copied()
            }
            Self::Sketched(sketch) => sketch.quantile(percent / 100.0),
        }
    }

    /// The state that the aggregate answered.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut found = Self::default();
        found.merge_encoded(bytes)?;
        Some(found)
    }
}

impl Mergeable for Percentiles {
    fn update(states: &mut [Self], values: &[ArrayRef], rows: Rows<'_>) -> Result<usize> {
        let values = values[0].as_primitive::<Float64Type>();
        let mut grown = 0;
        rows.for_each(|row, group| {
            if values.is_valid(row) {
                grown += states[group].add(values.value(row));
            }
        });
        Ok(grown)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Exact(values) => {
                out.push(0);
                values.iter().for_each(|value| out.extend(value.to_le_bytes()));
            }
            Self::Sketched(sketch) => {
                out.push(1);
                sketch.encode(out);
            }
        }
    }

    fn merge_encoded(&mut self, bytes: &[u8]) -> Option<usize> {
        let (tag, mut rest) = bytes.split_first()?;
        let mut grown = 0;
        if *tag == 0 {
            while !rest.is_empty() {
                grown += self.add(f64::from_le_bytes(take::<8>(&mut rest)?));
            }
            return Some(grown);
        }
        if let Self::Exact(values) = self {
            let mut sketch = Box::<Sketch>::default();
            grown += values.iter().map(|value| sketch.add(*value, 1)).sum::<usize>();
            *self = Self::Sketched(sketch);
        }
        match self {
            Self::Sketched(sketch) => Some(grown + sketch.merge_encoded(rest)?),
            Self::Exact(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_are_exact_and_many_are_near() {
        let mut few = Percentiles::default();
        [5.0, 1.0, 3.0, 2.0, 4.0].into_iter().for_each(|value| {
            few.add(value);
        });
        for (percent, expected) in [(0.0, 1.0), (50.0, 3.0), (90.0, 5.0), (100.0, 5.0), (20.0, 1.0)] {
            assert_eq!(few.at(percent), Some(expected));
        }
        let mut many = Percentiles::default();
        let mut bytes = Vec::new();
        for part in 0..4 {
            let mut state = Percentiles::default();
            (0..3_000).for_each(|value| {
                state.add(f64::from(part * 3_000 + value));
            });
            bytes.clear();
            state.encode(&mut bytes);
            many.merge_encoded(&bytes).unwrap();
        }
        let half = many.at(50.0).unwrap();
        assert!((half / 6_000.0 - 1.0).abs() < 0.01, "{half}");
        assert_eq!(Percentiles::default().at(50.0), None);
        assert!(Percentiles::decode(&[0, 1, 2]).is_none());
    }
}
