//! Percentiles and means of whole microseconds, and their way into milliseconds.
//!
//! A percentile is the *nearest rank*: of n sorted values, the one with rank ⌈p/100 · n⌉. It is
//! definition 1 of R. J. Hyndman and Y. Fan, "Sample Quantiles in Statistical Packages", The
//! American Statistician 50 (1996), 361–365: the inverse of the empirical distribution function.
//! Such a percentile is always a value that was measured, never one between two. What cannot be
//! told, for want of values, is `None`; nothing here is ever NaN or infinite.

use serde::{Deserialize, Serialize};

/// How a figure is distributed, in milliseconds with a precision of a microsecond. All fields are
/// absent when there was nothing to measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The median.
    pub p50: Option<f64>,
    /// The 90th percentile.
    pub p90: Option<f64>,
    /// The 95th percentile.
    pub p95: Option<f64>,
    /// The 99th percentile.
    pub p99: Option<f64>,
    /// The greatest value.
    pub max: Option<f64>,
}

/// The middle and the tail of a figure, in milliseconds unless its field says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// The median.
    pub p50: Option<f64>,
    /// The 99th percentile.
    pub p99: Option<f64>,
}

impl Summary {
    /// Of values in microseconds, in any order.
    pub(crate) fn of_us(mut values: Vec<i64>) -> Self {
        values.sort_unstable();
        let at = |percent| percentile(&values, percent).map(ms);
        Summary { p50: at(50), p90: at(90), p95: at(95), p99: at(99), max: at(100) }
    }
}

impl Pair {
    /// Of values in microseconds, in any order.
    pub(crate) fn of_us(mut values: Vec<i64>) -> Self {
        values.sort_unstable();
        let at = |percent| percentile(&values, percent).map(ms);
        Pair { p50: at(50), p99: at(99) }
    }

    /// Of ratios, in any order.
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        Pair { p50: percentile(&values, 50), p99: percentile(&values, 99) }
    }
}

/// The nearest-rank percentile of sorted values; `None` of no values. `percent` is from 1 to 100.
pub(crate) fn percentile<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
    let rank = (percent * sorted.len()).div_ceil(100);
    sorted.get(rank.max(1) - 1).copied()
}

/// Microseconds as milliseconds.
pub(crate) fn ms(us: i64) -> f64 {
    us as f64 / 1000.0
}

/// `part / whole`, or nothing when there is no whole.
pub(crate) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn percentiles_by_hand() {
        // The worked example of the nearest rank: 15, 20, 35, 40, 50.
        let five = [15, 20, 35, 40, 50];
        let of = |percent| percentile(&five, percent);
        assert_eq!(of(5), Some(15));
        assert_eq!(of(30), Some(20));
        assert_eq!(of(40), Some(20));
        assert_eq!(of(50), Some(35));
        assert_eq!(of(100), Some(50));
    }

    #[test]
    fn the_99th_of_a_hundred_is_the_last_but_one() {
        let hundred: Vec<i64> = (1..=100).rev().collect();
        let summary = Summary::of_us(hundred);
        assert_eq!(summary.p50, Some(0.050));
        assert_eq!(summary.p90, Some(0.090));
        assert_eq!(summary.p95, Some(0.095));
        assert_eq!(summary.p99, Some(0.099));
        assert_eq!(summary.max, Some(0.100));
    }

    #[test]
    fn of_a_single_value_every_percentile_is_that_value() {
        for percent in 1..=100 {
            assert_eq!(percentile(&[7], percent), Some(7));
        }
    }

    #[test]
    fn nothing_measured_is_absent_and_not_zero() {
        assert_eq!(Summary::of_us(Vec::new()), Summary::default());
        assert_eq!(Pair::of_us(Vec::new()).p99, None);
        assert_eq!(ratio(0, 0), None);
        let json = serde_json::to_string(&Pair::default()).expect("serialises");
        assert_eq!(json, r#"{"p50":null,"p99":null}"#);
    }

    proptest! {
        #[test]
        fn a_percentile_is_one_of_its_values_and_as_many_lie_at_or_below_it(
            mut values in proptest::collection::vec(-1000_i64..1000, 1..200),
            percent in 1_usize..=100,
        ) {
            values.sort_unstable();
            let found = percentile(&values, percent).expect("there are values");
            prop_assert!(values.contains(&found));
            let at_or_below = values.iter().filter(|&&value| value <= found).count();
            prop_assert!(at_or_below * 100 >= percent * values.len());
            let below = values.iter().filter(|&&value| value < found).count();
            prop_assert!(below * 100 < percent * values.len());
        }

        #[test]
        fn a_higher_percentile_is_never_less(
            mut values in proptest::collection::vec(any::<i64>(), 1..100),
            low in 1_usize..=100,
            high in 1_usize..=100,
        ) {
            values.sort_unstable();
            let (low, high) = (low.min(high), low.max(high));
            prop_assert!(percentile(&values, low) <= percentile(&values, high));
        }
    }
}
