//! CONCURRENCY: how many spans were running. The aggregate `tracery_concurrency(last_bucket, weight)` answers, for
//! the spans that began in one time bucket, in which buckets they ended; the caller sums these over the buckets.
//! Spans that began before the query's time are not seen, so they do not count.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{AggregateUDF, Expr};

use super::mergeable::{Mergeable, Rows, StateAggregate, take};

static UDAF: LazyLock<Arc<AggregateUDF>> = LazyLock::new(|| {
    Arc::new(StateAggregate::<Ends>::udaf("tracery_concurrency", vec![DataType::Int64, DataType::Int64]))
});

pub fn udaf() -> AggregateUDF {
    UDAF.as_ref().clone()
}

/// Where spans end: `last_bucket` is an integer expression, null for what is not a span.
pub fn concurrency(last_bucket: Expr, weight: Expr) -> Expr {
    UDAF.call(vec![last_bucket, weight])
}

/// Weight of the spans that end, by the bucket they end in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ends(pub BTreeMap<i64, u64>);

impl Ends {
    /// The state that the aggregate answered.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut ends = Self::default();
        ends.merge_encoded(bytes)?;
        Some(ends)
    }
}

impl Mergeable for Ends {
    fn update(states: &mut [Self], values: &[ArrayRef], rows: Rows<'_>) -> Result<usize> {
        let buckets = values[0].as_primitive::<Int64Type>();
        let weights = values[1].as_primitive::<Int64Type>();
        let mut grown = 0;
        rows.for_each(|row, group| {
            if buckets.is_valid(row) {
                let weight = if weights.is_valid(row) { weights.value(row).max(0) as u64 } else { 1 };
                let ends = &mut states[group].0;
                let before = ends.len();
                let sum = ends.entry(buckets.value(row)).or_default();
                *sum = sum.saturating_add(weight);
                grown += (ends.len() - before) * 32;
            }
        });
        Ok(grown)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        for (bucket, weight) in &self.0 {
            out.extend(bucket.to_le_bytes());
            out.extend(weight.to_le_bytes());
        }
    }

    fn merge_encoded(&mut self, mut bytes: &[u8]) -> Option<usize> {
        let before = self.0.len();
        while !bytes.is_empty() {
            let bucket = i64::from_le_bytes(take(&mut bytes)?);
            let weight = u64::from_le_bytes(take(&mut bytes)?);
            let sum = self.0.entry(bucket).or_default();
            *sum = sum.saturating_add(weight);
        }
        Some((self.0.len() - before) * 32)
    }
}
