//! What came of the load so far.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A submission that begins later than this after its time is late: far above what a timer is off
/// by, far below what spreading takes.
const LATE: Duration = Duration::from_millis(20);

/// What came of the load so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Transactions that are to be handed in, all in all.
    pub planned: u64,
    /// Those handed in so far, answered or not.
    pub submitted: u64,
    /// Those that a pool took.
    pub taken: u64,
    /// Those among them that had overtaken an earlier one of their sender.
    pub queued: u64,
    /// Those that a pool refused, by its reason.
    pub refused: BTreeMap<String, u64>,
    /// Those that no node answered, by what happened instead.
    pub failed: BTreeMap<String, u64>,
    /// Those that were handed in more than 20 ms after their time.
    pub late: u64,
    /// How long after its time the latest was handed in, in microseconds.
    pub max_lag_us: u64,
}

impl Counts {
    /// Notes that one is being handed in, so long after its time.
    pub(super) fn submit(&mut self, lag: Duration) {
        self.submitted += 1;
        self.late += u64::from(lag > LATE);
        self.max_lag_us = self.max_lag_us.max(u64::try_from(lag.as_micros()).unwrap_or(u64::MAX));
    }

    /// Notes that a pool took one.
    pub(super) fn take(&mut self, queued: bool) {
        self.taken += 1;
        self.queued += u64::from(queued);
    }

    /// Notes that a pool refused one.
    pub(super) fn refuse(&mut self, reason: String) {
        *self.refused.entry(reason).or_default() += 1;
    }

    /// Notes that one was not answered.
    pub(super) fn fail(&mut self, what: String) {
        *self.failed.entry(what).or_default() += 1;
    }

    /// Adds what came of another load.
    pub fn add(&mut self, other: &Counts) {
        self.planned += other.planned;
        self.submitted += other.submitted;
        self.taken += other.taken;
        self.queued += other.queued;
        self.late += other.late;
        self.max_lag_us = self.max_lag_us.max(other.max_lag_us);
        let lists = [(&mut self.refused, &other.refused), (&mut self.failed, &other.failed)];
        for (mine, others) in lists {
            for (what, count) in others {
                *mine.entry(what.clone()).or_default() += count;
            }
        }
    }

    /// Whether every transaction that was handed in is in a pool.
    #[must_use]
    pub fn all_taken(&self) -> bool {
        self.taken == self.submitted
    }

    /// One line about it, with everything that did not go well.
    #[must_use]
    pub fn to_line(&self) -> String {
        let Self { planned, submitted, taken, late, .. } = self;
        let mut line = format!("{submitted} of {planned} transactions handed in, {taken} taken");
        for (what, reasons) in [("refused", &self.refused), ("failed", &self.failed)] {
            for (reason, count) in reasons {
                line += &format!("; {count} {what}: {reason}");
            }
        }
        if *late > 0 {
            let lag = Duration::from_micros(self.max_lag_us);
            line += &format!("; {late} handed in late, by up to {:.0} ms", lag.as_secs_f64() * 1e3);
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_what_went_wrong_and_is_short_if_nothing_did() {
        let mut counts = Counts { planned: 3, ..Counts::default() };
        counts.submit(Duration::from_millis(1));
        counts.take(false);
        assert_eq!(counts.to_line(), "1 of 3 transactions handed in, 1 taken");
        counts.submit(Duration::from_millis(30));
        counts.refuse("full".to_owned());
        counts.submit(Duration::ZERO);
        counts.fail("no answer".to_owned());
        assert_eq!(
            counts.to_line(),
            "3 of 3 transactions handed in, 1 taken; 1 refused: full; 1 failed: no answer; \
             1 handed in late, by up to 30 ms"
        );
        assert!(!counts.all_taken());
    }
}
