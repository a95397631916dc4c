//! Floods of what is cheap to say: so much is looked at, what is beyond is thrown away unread, and who
//! goes on for long is charged.
//!
//! Throwing away does no harm where everything is said again: announcements are repeated, and
//! reconciliation finds what is left. So an honest peer may come beyond for a moment, and is charged
//! only if it says more for [`LATE`] than any honest one has to say.

use super::allowance::{Allowance, Terms};

/// A peer that could not be read for so many seconds says all of it at once. A connection without a
/// sign of life is closed by then: it is pinged each 15 s, which may take 20 s.
const LATE: f64 = 40.0;

/// A peer is charged this often at most, in microseconds: four times are a ban, so that takes some
/// seconds of it, and not the frames of a moment.
const CHARGE_EVERY_US: u64 = 1_000_000;

/// What is done with something that a peer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flood {
    /// It is looked at.
    Within,
    /// It is thrown away.
    Beyond,
    /// It is thrown away, and its sender is charged.
    Gross,
}

/// How much of something one peer may say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FloodLimit {
    within: Allowance,
    /// What may be said beyond it before it is an offence.
    beyond: Allowance,
    charged_us: Option<u64>,
}

impl FloodLimit {
    /// So much is looked at.
    pub(crate) fn new(terms: Terms) -> Self {
        let Terms { at_once, a_second } = terms;
        let at_once = at_once.max(a_second * LATE);
        let beyond = Allowance::new(Terms { at_once, a_second });
        Self { within: Allowance::new(terms), beyond, charged_us: None }
    }

    /// A peer said so much at `now`, in microseconds. All of it is looked at, or none.
    pub(crate) fn take(&mut self, count: usize, now: u64) -> Flood {
        let cost = count as f64;
        if self.within.take(cost, now) {
            return Flood::Within;
        }
        if self.beyond.take(cost, now) {
            return Flood::Beyond;
        }
        let quiet = |at: u64| now.saturating_sub(at) < CHARGE_EVERY_US;
        if self.charged_us.is_some_and(quiet) {
            return Flood::Beyond;
        }
        self.charged_us = Some(now);
        Flood::Gross
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TERMS: Terms = Terms { at_once: 1_000.0, a_second: 100.0 };
    const SECOND: u64 = 1_000_000;

    /// What becomes of so much a second for so many seconds, in pieces of 50: how much was looked at,
    /// and how often its sender was charged.
    fn flood(a_second: u64, seconds: u64) -> (u64, u64) {
        let (mut limit, mut looked, mut charged) = (FloodLimit::new(TERMS), 0, 0);
        for piece in 0..a_second * seconds / 50 {
            match limit.take(50, piece * 50 * SECOND / a_second) {
                Flood::Within => looked += 50,
                Flood::Beyond => {}
                Flood::Gross => charged += 1,
            }
        }
        (looked, charged)
    }

    #[test]
    fn of_a_flood_no_more_than_the_terms_is_looked_at_and_it_is_charged_once_a_second() {
        // 1,000 at once and 4,000 beyond, and 200 a second come back: 5,000 + 200 t = 1,000 t.
        let (looked, charged) = flood(1_000, 6);
        assert!(looked <= 1_600 && charged == 0, "{looked} {charged}");
        let (looked, charged) = flood(1_000, 10);
        assert!(
            (1_900..=2_000).contains(&looked) && (3..=5).contains(&charged),
            "{looked} {charged}"
        );
    }

    #[test]
    fn what_could_not_be_read_for_forty_seconds_may_come_at_once() {
        let mut limit = FloodLimit::new(TERMS);
        assert_eq!(limit.take(1_000, 0), Flood::Within);
        for _ in 0..40 {
            assert_ne!(limit.take(100, 40 * SECOND), Flood::Gross);
        }
    }

    proptest! {
        #[test]
        fn whoever_keeps_to_the_rate_is_never_charged_however_late_it_is_read(
            pieces in prop::collection::vec((1u64..40, 0u64..39), 1..300),
        ) {
            // Each is said when the rate allows, and read up to 38 s later, in its order.
            let (mut limit, mut said, mut read) = (FloodLimit::new(TERMS), 0, 0);
            for (count, late) in pieces {
                said += count * SECOND / 100;
                read = read.max(said + late * SECOND);
                prop_assert_ne!(limit.take(count as usize, read), Flood::Gross);
            }
        }
    }
}
