//! A histogram of durations in constant memory, for figures that are shown while they grow.
//!
//! Buckets are log-linear: up to [`LINEAR`] microseconds each value has its own bucket, above it
//! each doubling is divided into [`LINEAR`] / 2 of equal width. A percentile read from it is
//! therefore at most 1/128 too high, which is about 0.8 %.

/// Values below this are exact; a power of two.
const LINEAR: u64 = 256;

/// Buckets in each doubling above.
const STEPS: usize = LINEAR as usize / 2;

/// Doublings above: up to 2³⁶ µs, which is 19 hours; anything longer counts as that.
const DOUBLINGS: usize = 28;

/// Counts of durations in microseconds.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram { counts: vec![0; LINEAR as usize + DOUBLINGS * STEPS], total: 0 }
    }
}

impl Histogram {
    /// Counts one duration.
    pub(crate) fn add(&mut self, us: u64) {
        let last = self.counts.len() - 1;
        self.counts[bucket(us).min(last)] += 1;
        self.total += 1;
    }

    /// The nearest-rank percentile, rounded up to the end of its bucket; `None` of nothing.
    pub(crate) fn percentile(&self, percent: u64) -> Option<u64> {
        let rank = (self.total * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let counts = self.counts.iter();
        let found = counts.map(|count| {
            seen += count;
            seen
        });
        let mut found = found.enumerate().filter(|(_, seen)| *seen >= rank);
        found.next().map(|(bucket, _)| top(bucket))
    }
}

/// The bucket of a value: for one of 2^k or more, its leading bits after the first.
fn bucket(us: u64) -> usize {
    if us < LINEAR {
        return us as usize;
    }
    let doubling = us.ilog2() - LINEAR.ilog2();
    let leading = (us >> (doubling + 1)) as usize;
    LINEAR as usize + doubling as usize * STEPS + leading - STEPS
}

/// The greatest value of a bucket.
fn top(bucket: usize) -> u64 {
    let Some(above) = bucket.checked_sub(LINEAR as usize) else {
        return bucket as u64;
    };
    let (doubling, leading) = (above / STEPS, above % STEPS + STEPS);
    ((leading as u64 + 1) << (doubling + 1)) - 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::stats;

    #[test]
    fn buckets_join_without_a_gap() {
        let buckets = LINEAR as usize + DOUBLINGS * STEPS;
        for index in 0..buckets - 1 {
            assert_eq!(bucket(top(index)), index);
            assert_eq!(bucket(top(index) + 1), index + 1);
        }
        assert_eq!(top(buckets - 1), (1 << 36) - 1);
    }

    #[test]
    fn an_endless_duration_counts_as_the_longest() {
        let mut histogram = Histogram::default();
        histogram.add(u64::MAX);
        assert_eq!(histogram.percentile(50), Some((1 << 36) - 1));
    }

    proptest! {
        #[test]
        fn a_percentile_is_at_most_a_128th_above_the_exact_one(
            mut values in proptest::collection::vec(0_u64..10_000_000, 1..300),
            percent in 1_usize..=100,
        ) {
            let mut histogram = Histogram::default();
            values.iter().for_each(|&value| histogram.add(value));
            values.sort_unstable();
            let exact = stats::percentile(&values, percent).expect("there are values");
            let read = histogram.percentile(percent as u64).expect("there are values");
            prop_assert!(exact <= read && read <= exact + exact / 128, "{exact} {read}");
        }
    }
}
