//! What makes a difference real.
//!
//! Of the paired differences of a figure, the median is taken, and how far it could have been off is
//! asked of the pairs themselves: they are drawn again with replacement [`RESAMPLES`] times, and of
//! the medians of these samples the middle 95 % are the interval (the percentile bootstrap of B.
//! Efron, "Bootstrap Methods: Another Look at the Jackknife", The Annals of Statistics 7 (1979),
//! 1–26). When it holds 0, the difference is within noise. The median, not the mean: one run during
//! which the machine was busy must not decide, and with few pairs its interval is closer to what it
//! promises.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

/// How often the pairs are drawn again.
pub const RESAMPLES: usize = 10_000;

/// With fewer pairs nothing is called real: even if all of four differences have one sign, one in
/// eight such cases is chance.
pub const LEAST_PAIRS: usize = 5;

/// The same pairs always give the same interval.
const SEED: u64 = 1979;

/// Parts of a thousand below the interval and above it: 2.5 % each.
const TAIL: usize = 25;

/// Where a median lies with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// From here …
    pub low: f64,
    /// … to here.
    pub high: f64,
}

/// Whether a difference is real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Its interval does not hold 0.
    Real,
    /// It does: nothing speaks for a difference.
    WithinNoise,
    /// There are fewer than [`LEAST_PAIRS`] pairs: nobody can tell.
    TooFew,
}

/// The median; of an even number the mean of the middle two. `None` of no values.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    middle(&values)
}

fn middle(sorted: &[f64]) -> Option<f64> {
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(sorted[half]),
        _ => Some(f64::midpoint(sorted[half - 1], sorted[half])),
    }
}

/// The interval of the median; `None` of fewer than [`LEAST_PAIRS`].
pub(super) fn interval(differences: &[f64]) -> Option<Interval> {
    if differences.len() < LEAST_PAIRS {
        return None;
    }
    let mut draw = ChaCha8Rng::seed_from_u64(SEED);
    let mut sample = vec![0.0; differences.len()];
    let mut medians = Vec::with_capacity(RESAMPLES);
    for _ in 0..RESAMPLES {
        for value in &mut sample {
            *value = differences[draw.random_range(0..differences.len())];
        }
        sample.sort_unstable_by(f64::total_cmp);
        medians.extend(middle(&sample));
    }
    medians.sort_unstable_by(f64::total_cmp);
    let below = RESAMPLES * TAIL / 1000;
    Some(Interval { low: medians[below], high: medians[RESAMPLES - 1 - below] })
}

/// What the interval says.
pub(super) fn verdict(interval: Option<Interval>) -> Verdict {
    match interval {
        None => Verdict::TooFew,
        Some(Interval { low, high }) if low <= 0.0 && 0.0 <= high => Verdict::WithinNoise,
        Some(_) => Verdict::Real,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(Vec::new()), None);
    }

    #[test]
    fn of_five_the_interval_reaches_from_the_least_to_the_greatest() {
        // The median of a sample of five is the least value when that is drawn three times or more:
        // in 5.8 % of the samples, which is more than 2.5 %.
        let five = [1.0, 2.0, 3.0, 4.0, 50.0];
        assert_eq!(interval(&five), Some(Interval { low: 1.0, high: 50.0 }));
        assert_eq!(interval(&five[..4]), None);
    }

    #[test]
    fn equal_differences_have_an_interval_without_width() {
        let nothing = interval(&[0.0; 8]);
        assert_eq!(nothing, Some(Interval { low: 0.0, high: 0.0 }));
        assert_eq!(verdict(nothing), Verdict::WithinNoise);
        assert_eq!(verdict(interval(&[-3.0; 5])), Verdict::Real);
        assert_eq!(verdict(None), Verdict::TooFew);
    }

    #[test]
    fn the_same_differences_give_the_same_interval() {
        let ten: Vec<f64> = (0..10).map(|n| f64::from(n * n % 7)).collect();
        assert_eq!(interval(&ten), interval(&ten));
    }
}
