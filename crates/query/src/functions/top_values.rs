//! The commonest values of a field with their weights: what BubbleUp compares. The aggregate
//! `tracery_top_values(text, weight)` answers its state as bytes and keeps a bounded number of values: when there are
//! more, the rarest are forgotten and counted together.

use std::sync::{Arc, LazyLock};

use ahash::HashMap;
use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{AggregateUDF, Expr};

use super::mergeable::{Mergeable, Rows, StateAggregate, take};

/// When a state reaches this many values, the rarer half is forgotten.
pub const VALUES_MAX: usize = 4096;
/// Values are compared by at most this many bytes.
const VALUE_BYTES_MAX: usize = 256;

static UDAF: LazyLock<Arc<AggregateUDF>> = LazyLock::new(|| {
    Arc::new(StateAggregate::<TopValues>::udaf(
        "tracery_top_values",
        vec![DataType::Utf8View, DataType::Int64],
    ))
});

pub fn udaf() -> AggregateUDF {
    UDAF.as_ref().clone()
}

/// The commonest values of a text expression; `weight` is an integer expression.
pub fn top_values(value: Expr, weight: Expr) -> Expr {
    UDAF.call(vec![value, weight])
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct TopValues {
    pub weights: HashMap<String, u64>,
    /// Weight of the rows without a value.
    pub missing: u64,
    /// Weight of values that were forgotten.
    pub forgotten: u64,
}

impl TopValues {
    fn add(&mut self, value: &str, weight: u64) -> usize {
        let value = &value[..value.floor_char_boundary(VALUE_BYTES_MAX)];
        if let Some(sum) = self.weights.get_mut(value) {
            *sum = sum.saturating_add(weight);
            return 0;
        }
        if self.weights.len() >= VALUES_MAX {
            self.forget_rare();
        }
        self.weights.insert(value.to_owned(), weight);
        // What was forgotten made the room.
        if self.forgotten > 0 { 0 } else { value.len() + 48 }
    }

    fn forget_rare(&mut self) {
        let mut sorted: Vec<u64> = self.weights.values().copied().collect();
        let (_, median, _) = sorted.select_nth_unstable(VALUES_MAX / 2);
        let (median, mut forgotten) = (*median, 0_u64);
        let mut excess = self.weights.len().saturating_sub(VALUES_MAX / 2);
        self.weights.retain(|_, weight| {
            let keep = *weight > median || excess == 0;
            if !keep {
                excess -= 1;
                forgotten = forgotten.saturating_add(*weight);
            }
            keep
        });
        self.forgotten = self.forgotten.saturating_add(forgotten);
    }

    /// Weight of all rows.
    pub fn total(&self) -> u64 {
        self.weights
            .values()
            .fold(self.missing.saturating_add(self.forgotten), |sum, weight| sum.saturating_add(*weight))
    }

    /// The state that the aggregate answered.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut values = Self::default();
        values.merge_encoded(bytes)?;
        Some(values)
    }
}

impl Mergeable for TopValues {
    fn update(states: &mut [Self], values: &[ArrayRef], rows: Rows<'_>) -> Result<usize> {
        let texts = values[0].as_string_view();
        let weights = values[1].as_primitive::<Int64Type>();
        let mut grown = 0;
        rows.for_each(|row, group| {
            let weight = if weights.is_valid(row) { weights.value(row).max(0) as u64 } else { 1 };
            if texts.is_valid(row) {
                grown += states[group].add(texts.value(row), weight);
            } else {
                states[group].missing = states[group].missing.saturating_add(weight);
            }
        });
        Ok(grown)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.missing.to_le_bytes());
        out.extend(self.forgotten.to_le_bytes());
        for (value, weight) in &self.weights {
            out.extend(weight.to_le_bytes());
            out.extend((value.len() as u32).to_le_bytes());
            out.extend(value.as_bytes());
        }
    }

    fn merge_encoded(&mut self, mut bytes: &[u8]) -> Option<usize> {
        let mut grown = 0;
        self.missing = self.missing.saturating_add(u64::from_le_bytes(take(&mut bytes)?));
        self.forgotten = self.forgotten.saturating_add(u64::from_le_bytes(take(&mut bytes)?));
        while !bytes.is_empty() {
            let weight = u64::from_le_bytes(take(&mut bytes)?);
            let length = u32::from_le_bytes(take(&mut bytes)?) as usize;
            let (value, rest) = bytes.split_at_checked(length)?;
            grown += self.add(std::str::from_utf8(value).ok()?, weight);
            bytes = rest;
        }
        Some(grown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_values_survive_a_flood_of_rare_ones() {
        let mut values = TopValues::default();
        for number in 0..20_000 {
            values.add("common", 1);
            values.add(&format!("rare {number}"), 1);
        }
        assert!(values.weights.len() <= VALUES_MAX);
        assert_eq!(values.weights["common"], 20_000);
        assert_eq!(values.total(), 40_000);
        let mut bytes = Vec::new();
        values.encode(&mut bytes);
        assert_eq!(TopValues::decode(&bytes).unwrap(), values);
    }
}
