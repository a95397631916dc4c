//! When each transaction is due. Pure.

use std::time::Duration;

/// A steady rate for some time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// Transactions a second; none at 0.
    pub rate: f64,
    /// For how long.
    pub duration: Duration,
}

impl Schedule {
    /// How many transactions are due in all.
    #[must_use]
    pub fn count(&self) -> u64 {
        let exact = self.rate * self.duration.as_secs_f64();
        // 0.1 a second over 30 s are three, though the product is a little less than that.
        (exact + 1e-6).floor().max(0.0) as u64
    }

    /// When transaction `nth` is due, counted from the start of the load. Computed from the start
    /// and not from the one before, so that no error adds up.
    #[must_use]
    pub fn due(&self, nth: u64) -> Duration {
        Duration::try_from_secs_f64(nth as f64 / self.rate).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn schedule(rate: f64, seconds: u64) -> Schedule {
        Schedule { rate, duration: Duration::from_secs(seconds) }
    }

    #[test]
    fn transactions_are_due_at_even_distances_from_the_start() {
        let schedule = schedule(20.0, 30);
        assert_eq!(schedule.count(), 600);
        assert_eq!(schedule.due(0), Duration::ZERO);
        assert_eq!(schedule.due(1), Duration::from_millis(50));
        assert_eq!(schedule.due(599), Duration::from_millis(29_950));
    }

    #[test]
    fn a_rate_below_one_and_a_rate_of_none_are_rates_too() {
        assert_eq!(schedule(0.1, 30).count(), 3);
        assert_eq!(schedule(0.1, 30).due(2), Duration::from_secs(20));
        assert_eq!(schedule(0.0, 30).count(), 0);
    }

    proptest! {
        #[test]
        fn all_are_due_within_the_duration_and_in_order(
            rate in 0.01..5_000.0f64, seconds in 1..600u64,
        ) {
            let schedule = schedule(rate, seconds);
            let count = schedule.count();
            for nth in [1, count / 2, count.saturating_sub(1)].into_iter().filter(|n| *n < count) {
                prop_assert!(schedule.due(nth) < schedule.duration);
                prop_assert!(nth == 0 || schedule.due(nth - 1) < schedule.due(nth));
            }
            prop_assert!((count as f64 - rate * seconds as f64).abs() <= 1.0);
        }
    }
}
