//! The least fee per byte, which evictions raise and time lowers.
//!
//! What a full pool pushed out would be pushed out again: so for a while nothing that pays less is
//! looked at. The floor falls by half in each half-life, in a straight line between the halves, and
//! four times as fast in a pool that is more than half empty.

use crate::rate::FeeRate;

/// How many parts a half-life is cut into. Finer steps are nothing that a fee could show.
const PARTS: u32 = 16;

/// The raised floor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Floor {
    /// What it was at `since_us`.
    raised: FeeRate,
    since_us: u64,
    /// The half-life now, in microseconds.
    half_life_us: u64,
}

impl Floor {
    pub(crate) fn new(half_life_us: u64) -> Self {
        Self { half_life_us, ..Self::default() }
    }

    /// What is left of it.
    pub(crate) fn at(&self, now_us: u64) -> FeeRate {
        let past = now_us.saturating_sub(self.since_us);
        let half_life = self.half_life_us.max(1);
        let halvings = u32::try_from(past / half_life).unwrap_or(u32::MAX);
        let whole = self.raised.0.checked_shr(halvings).unwrap_or(0);
        let part = (u128::from(past % half_life) << PARTS) / u128::from(half_life);
        FeeRate(whole - (((whole / 2) * part) >> PARTS))
    }

    /// Raises it, if that is higher.
    pub(crate) fn raise(&mut self, to: FeeRate, now_us: u64) {
        *self = Self { raised: self.at(now_us).max(to), since_us: now_us, ..*self };
    }

    /// From now on it falls at another pace.
    pub(crate) fn set_half_life(&mut self, half_life_us: u64, now_us: u64) {
        if half_life_us != self.half_life_us {
            *self = Self { raised: self.at(now_us), since_us: now_us, half_life_us };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raised() -> Floor {
        let mut floor = Floor::new(1_000);
        floor.raise(FeeRate(1 << 40), 5_000);
        floor
    }

    #[test]
    fn it_falls_by_half_in_each_half_life_and_straight_between() {
        let left = |us: u64| raised().at(5_000 + us).0;
        assert_eq!([left(0), left(1_000), left(3_000)], [1 << 40, 1 << 39, 1 << 37]);
        assert_eq!(left(500), 3 << 38);
        assert_eq!([left(200_000), raised().at(u64::MAX).0], [0, 0]);
    }

    #[test]
    fn it_is_raised_only_by_more_than_is_left() {
        let mut floor = raised();
        floor.raise(FeeRate(1 << 39), 5_100);
        assert_eq!(floor.at(6_100), FeeRate(raised().at(5_100).0 / 2));
        floor.raise(FeeRate(1 << 41), 6_100);
        assert_eq!(floor.at(6_100), FeeRate(1 << 41));
    }

    #[test]
    fn another_pace_does_not_change_what_fell_before() {
        let mut floor = raised();
        floor.set_half_life(250, 6_000);
        assert_eq!([floor.at(6_000).0, floor.at(6_250).0], [1 << 39, 1 << 38]);
    }

    #[test]
    fn the_highest_rate_overflows_nothing() {
        let mut floor = Floor::new(u64::MAX);
        floor.raise(FeeRate::of(u64::MAX, 1), 0);
        assert!(floor.at(u64::MAX - 1) < FeeRate::of(u64::MAX, 1));
    }
}
