//! The time bucket of an instant. Every series and heatmap computes it for every row, so the division is done by a
//! multiplication with the step's reciprocal and one correction, which is several times faster.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array};
use datafusion::arrow::datatypes::{DataType, TimeUnit, TimestampNanosecondType};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarUDF, Volatility, create_udf, lit};

static UDF: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    Arc::new(create_udf(
        "tracery_time_bucket",
        vec![DataType::Timestamp(TimeUnit::Nanosecond, None), DataType::Int64, DataType::Int64],
        DataType::Int64,
        Volatility::Immutable,
        Arc::new(invoke),
    ))
});

pub fn udf() -> ScalarUDF {
    UDF.as_ref().clone()
}

/// The number of the bucket that an instant lies in; those before `origin_ns` are in bucket 0 too.
pub fn time_bucket(instant: Expr, origin_ns: i64, step_ns: i64) -> Expr {
    UDF.call(vec![instant, lit(origin_ns), lit(step_ns)])
}

fn invoke(arguments: &[ColumnarValue]) -> Result<ColumnarValue> {
    let constant = |argument: &ColumnarValue| match argument {
        ColumnarValue::Scalar(ScalarValue::Int64(Some(value))) => Ok(*value),
        _ => exec_err!("tracery_time_bucket needs a constant origin and step"),
    };
    let (origin, step) = (constant(&arguments[1])?, constant(&arguments[2])?);
    if step < 2 {
        return exec_err!("tracery_time_bucket needs a step of at least two nanoseconds");
    }
    let array = arguments[0].to_array(1)?;
    let divide = Divide::by(step as u64);
    let instants = array.as_primitive::<TimestampNanosecondType>();
    let buckets: Int64Array =
        instants.unary(|ns| divide.apply(ns.saturating_sub(origin).max(0) as u64) as i64);
    Ok(ColumnarValue::Array(Arc::new(buckets) as ArrayRef))
}

/// Division by a constant of at least two.
#[derive(Clone, Copy)]
struct Divide {
    divisor: u64,
    /// 2⁶⁴ divided by the divisor, rounded down: the product with it is the quotient or one less.
    reciprocal: u64,
}

impl Divide {
    fn by(divisor: u64) -> Self {
        Self { divisor, reciprocal: ((1_u128 << 64) / u128::from(divisor)) as u64 }
    }

    #[inline]
    fn apply(self, value: u64) -> u64 {
        let quotient = ((u128::from(value) * u128::from(self.reciprocal)) >> 64) as u64;
        let rest = value - quotient * self.divisor;
        quotient + u64::from(rest >= self.divisor)
    }
}

#[cfg(test)]
mod tests {
    use super::Divide;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_divides(value in any::<u64>(), divisor in prop_oneof![2..u64::MAX, 2..100_u64], factor in any::<u64>()) {
            prop_assert_eq!(Divide::by(divisor).apply(value), value / divisor);
            let multiple = factor / divisor * divisor;
            prop_assert_eq!(Divide::by(divisor).apply(multiple), multiple / divisor);
            prop_assert_eq!(Divide::by(divisor).apply(multiple.saturating_sub(1)), multiple.saturating_sub(1) / divisor);
        }
    }
}
