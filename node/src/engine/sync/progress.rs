//! How fast blocks are stored while catching up.

use std::collections::VecDeque;

/// The span that the rate is taken over, in microseconds: long enough that one batch does not make
/// it jump, short enough that a stall shows.
const SPAN_US: u64 = 5_000_000;

/// How often it is written down.
const EVERY_US: u64 = 1_000_000;

/// Blocks stored, by time.
#[derive(Debug, Default)]
pub(super) struct Progress {
    stored: VecDeque<(u64, u64)>,
    next: u64,
}

impl Progress {
    /// Notes that so many blocks were stored.
    pub(super) fn stored(&mut self, now: u64, blocks: u64) {
        self.stored.push_back((now, blocks));
        while self.stored.front().is_some_and(|(at, _)| at.saturating_add(SPAN_US) < now) {
            self.stored.pop_front();
        }
    }

    /// Blocks a second over the last few seconds; 0 while too little is known.
    pub(super) fn per_second(&self) -> f64 {
        let (Some((first, skipped)), Some((last, _))) = (self.stored.front(), self.stored.back())
        else {
            return 0.0;
        };
        let blocks: u64 = self.stored.iter().map(|(_, blocks)| blocks).sum();
        if last == first {
            return 0.0;
        }
        (blocks - skipped) as f64 * 1e6 / (last - first) as f64
    }

    /// Whether it is time to write it down again.
    pub(super) fn is_due(&mut self, now: u64) -> bool {
        let due = now >= self.next;
        if due {
            self.next = now.saturating_add(EVERY_US);
        }
        due
    }

    /// Begins anew.
    pub(super) fn clear(&mut self) {
        self.stored.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let mut progress = Progress::default();
        assert_eq!(progress.per_second(), 0.0);
        for second in 0..20 {
            progress.stored(second * 1_000_000, if second < 10 { 1 } else { 30 });
        }
        assert_eq!(progress.per_second(), 30.0);
    }
}
