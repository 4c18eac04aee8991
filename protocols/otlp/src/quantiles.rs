//! Percentiles of histograms, interpolated from buckets. Pure arithmetic for `metrics.rs`; nothing here can fail:
//! what does not fit together has no percentiles.

/// The percentiles a histogram is stored with: field suffix and quantile.
pub(crate) const QUANTILES: [(&str, f64); 10] = [
    ("p001", 0.001),
    ("p05", 0.05),
    ("p10", 0.10),
    ("p25", 0.25),
    ("p50", 0.50),
    ("p75", 0.75),
    ("p90", 0.90),
    ("p95", 0.95),
    ("p99", 0.99),
    ("p999", 0.999),
];

/// Values between `lower` and `upper`, `count` of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bucket {
    pub lower: f64,
    pub upper: f64,
    pub count: f64,
}

/// One value for each of [`QUANTILES`], or `None` when the buckets are empty. `buckets` ascend; values are assumed to
/// lie evenly within a bucket, and none below `min` or above `max`.
pub(crate) fn interpolate(
    buckets: &[Bucket],
    min: Option<f64>,
    max: Option<f64>,
) -> Option<[f64; QUANTILES.len()]> {
    let total: f64 = buckets.iter().map(|bucket| bucket.count).sum();
    if total <= 0.0 || !total.is_finite() {
        return None;
    }
    let mut values = [0.0; QUANTILES.len()];
    let mut below = 0.0;
    let mut idx = 0;
    for (value, (_, quantile)) in values.iter_mut().zip(QUANTILES) {
        let rank = quantile * total;
        // Ranks ascend, so that one walk over the buckets serves all.
        while idx + 1 < buckets.len() && below + buckets[idx].count < rank {
            below += buckets[idx].count;
            idx += 1;
        }
        let bucket = buckets[idx];
        let part = if bucket.count > 0.0 { ((rank - below) / bucket.count).clamp(0.0, 1.0) } else { 0.0 };
        *value = bucket.lower + (bucket.upper - bucket.lower) * part;
        if let Some(min) = min {
            *value = value.max(min);
        }
        if let Some(max) = max {
            *value = value.min(max);
        }
        if !value.is_finite() {
            return None;
        }
    }
    Some(values)
}

/// The buckets of a histogram with explicit bounds: one more count than bounds. `None` when they do not match. The
/// outermost buckets have no bound of their own and end at `min` and `max`, else at the bound they have.
#[expect(clippy::cast_precision_loss, reason = "counts above 2^53 lose their last digits")]
pub(crate) fn explicit(
    bounds: &[f64],
    counts: &[u64],
    min: Option<f64>,
    max: Option<f64>,
) -> Option<Vec<Bucket>> {
    if counts.len() != bounds.len() + 1 || !bounds.is_sorted_by(|a, b| a < b) {
        return None;
    }
    let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
    let first = bounds.first().copied().or(finite(min)).or(finite(max)).unwrap_or(0.0);
    let last = bounds.last().copied().or(finite(max)).or(finite(min)).unwrap_or(0.0);
    let lowest = finite(min).unwrap_or(if first > 0.0 { 0.0 } else { first });
    let highest = finite(max).unwrap_or(last);
    Some(
        counts
            .iter()
            .enumerate()
            .map(|(idx, count)| Bucket {
                lower: if idx == 0 { lowest } else { bounds[idx - 1] },
                upper: bounds.get(idx).copied().unwrap_or(highest),
                count: *count as f64,
            })
            .collect(),
    )
}

/// One side of an exponential histogram.
#[derive(Debug, Clone, Default)]
pub(crate) struct ExponentialSide {
    pub offset: i32,
    pub counts: Vec<u64>,
    /// There were more counts than are looked at.
    pub is_cut: bool,
}

/// The buckets of an exponential histogram: bucket `i` holds values from `base^i` to `base^(i+1)`, where
/// `base = 2^(2^-scale)`.
#[expect(clippy::cast_precision_loss, reason = "counts above 2^53 lose their last digits")]
pub(crate) fn exponential(
    scale: i32,
    zero_count: u64,
    zero_threshold: f64,
    positive: &ExponentialSide,
    negative: &ExponentialSide,
) -> Vec<Bucket> {
    let exponent_step = (-f64::from(scale)).exp2();
    let bound = |idx: f64| {
        let bound = (idx * exponent_step).exp2();
        if bound.is_nan() { 1.0 } else { bound.min(f64::MAX) }
    };
    let side = |side: &ExponentialSide| -> Vec<Bucket> {
        side.counts
            .iter()
            .enumerate()
            .map(|(idx, count)| {
                let idx = f64::from(side.offset) + idx as f64;
                Bucket { lower: bound(idx), upper: bound(idx + 1.0), count: *count as f64 }
            })
            .collect()
    };
    let threshold = if zero_threshold.is_finite() { zero_threshold.abs() } else { 0.0 };
    let mut buckets: Vec<Bucket> = side(negative)
        .into_iter()
        .rev()
        .map(|bucket| Bucket { lower: -bucket.upper, upper: -bucket.lower, count: bucket.count })
        .collect();
    buckets.push(Bucket { lower: -threshold, upper: threshold, count: zero_count as f64 });
    buckets.extend(side(positive));
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(values: Option<[f64; QUANTILES.len()]>, suffix: &str) -> f64 {
        values.unwrap()[QUANTILES.iter().position(|(name, _)| *name == suffix).unwrap()]
    }

    #[test]
    fn explicit_buckets_are_interpolated() {
        let buckets = explicit(&[10.0, 20.0], &[10, 10, 0], None, None).unwrap();
        let values = interpolate(&buckets, None, None);
        for (suffix, expected) in [("p05", 1.0), ("p50", 10.0), ("p75", 15.0), ("p95", 19.0)] {
            assert!((at(values, suffix) - expected).abs() < 1e-9, "{suffix}");
        }
        let buckets = explicit(&[10.0], &[0, 4], Some(12.0), Some(16.0)).unwrap();
        let values = interpolate(&buckets, Some(12.0), Some(16.0));
        assert!((at(values, "p999") - 15.994).abs() < 1e-9);
        assert!((at(values, "p001") - 12.0).abs() < 1e-9);
        let one = explicit(&[], &[3], Some(1.0), Some(3.0)).unwrap();
        assert!((at(interpolate(&one, Some(1.0), Some(3.0)), "p50") - 2.0).abs() < 1e-9);
        for (bounds, counts) in
            [(&[1.0, 1.0][..], &[1, 1, 1][..]), (&[1.0], &[1]), (&[f64::NAN, 1.0], &[1, 1, 1])]
        {
            assert_eq!(explicit(bounds, counts, None, None), None);
        }
        assert_eq!(interpolate(&[], None, None), None);
        assert_eq!(interpolate(&explicit(&[1.0], &[0, 0], None, None).unwrap(), None, None), None);
    }

    #[test]
    fn exponential_buckets_ascend_and_are_interpolated() {
        let positive = ExponentialSide { offset: 0, counts: vec![1, 1, 2], is_cut: false };
        let negative = ExponentialSide { offset: 0, counts: vec![1, 1], is_cut: false };
        let buckets = exponential(0, 1, 0.0, &positive, &negative);
        assert!(buckets.is_sorted_by(|a, b| a.upper <= b.lower));
        assert_eq!(
            buckets.iter().map(|bucket| bucket.lower).collect::<Vec<_>>(),
            [-4.0, -2.0, -0.0, 1.0, 2.0, 4.0]
        );
        let values = interpolate(&buckets, None, None);
        assert!((at(values, "p99") - (4.0 + 4.0 * (0.99 * 7.0 - 5.0) / 2.0)).abs() < 1e-9);
        for scale in [i32::MIN, -2000, i32::MAX] {
            let side = ExponentialSide { offset: i32::MIN, counts: vec![u64::MAX; 3], is_cut: false };
            let _ = interpolate(&exponential(scale, u64::MAX, f64::NAN, &side, &side), Some(f64::NAN), None);
        }
    }
}
