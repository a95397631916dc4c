//! A process that runs for a share of the time only: it is stopped and let go in turn. Pure.

use std::time::Duration;

use tokio::time::Instant;

/// One turn of running and standing still. Linux's own quota for a group of processes has this period
/// (`cpu.max`), long beside the millisecond of the timers that end each part, and short beside what others
/// have patience for: a node at a tenth of the time answers each probe late by 90 ms at most, and so is slow
/// rather than gone.
const PERIOD: Duration = Duration::from_millis(100);

/// How long a process runs and stands still in each turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duty {
    runs: Duration,
    rests: Duration,
}

impl Duty {
    /// For this share of the time; none if that is all of it.
    #[must_use]
    pub fn of(share: f64) -> Option<Self> {
        if !share.is_finite() || share >= 1.0 {
            return None;
        }
        let runs = PERIOD.mul_f64(share.max(0.0));
        Some(Self { runs, rests: PERIOD.saturating_sub(runs) })
    }
}

/// The turns as they go.
#[derive(Debug)]
pub(super) struct Beat {
    duty: Duty,
    halts: bool,
    next: Instant,
}

impl Beat {
    /// It runs now.
    pub(super) fn new(duty: Duty, now: Instant) -> Self {
        Self { duty, halts: false, next: now + duty.runs }
    }

    /// When it changes next.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// Whether it stands still.
    pub(super) fn halts(&self) -> bool {
        self.halts
    }

    /// It changes. Whether it stands still from now on. Its times are counted from those before and not
    /// from `now`, so that lateness does not add up, unless it is late by a whole turn.
    pub(super) fn turn(&mut self, now: Instant) -> bool {
        self.halts = !self.halts;
        let from = if now > self.next + PERIOD { now } else { self.next };
        self.next = from + if self.halts { self.duty.rests } else { self.duty.runs };
        self.halts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_tenth_of_the_time_is_ten_milliseconds_of_a_hundred() {
        assert_eq!(Duty::of(0.1), Some(Duty { runs: 10 * MS, rests: 90 * MS }));
        assert_eq!(Duty::of(1.0), None);
        assert_eq!(Duty::of(f64::NAN), None);
    }

    #[test]
    fn a_late_turn_shortens_the_next_one_and_a_very_late_one_begins_anew() {
        let start = Instant::now();
        let mut beat = Beat::new(Duty::of(0.1).unwrap(), start);
        assert!(!beat.halts() && beat.next() == start + 10 * MS);
        assert!(beat.turn(start + 14 * MS), "late by 4 ms");
        assert_eq!(beat.next(), start + 100 * MS);
        assert!(!beat.turn(start + 100 * MS));
        assert_eq!(beat.next(), start + 110 * MS);
        assert!(beat.turn(start + 500 * MS), "the machine was away");
        assert_eq!(beat.next(), start + 590 * MS);
    }
}
