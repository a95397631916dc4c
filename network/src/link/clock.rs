//! The clock that both ends of a link read: the machine's monotonic one, which is the same in all
//! its processes, slowed down by the dilation. Everything of a link's model counts in its time.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The monotonic clock, `dilation` times slower.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    dilation: u32,
}

impl Clock {
    pub(crate) fn new(dilation: u32) -> Self {
        Self { dilation: dilation.max(1) }
    }

    pub(crate) fn dilation(self) -> u32 {
        self.dilation
    }

    /// The time since the machine started, undilated.
    pub(crate) fn now(self) -> Duration {
        monotonic() / self.dilation
    }

    /// When a moment of this clock comes on the machine's. Rounded up, so that nothing is early.
    pub(super) fn real(self, moment: Duration) -> Duration {
        moment.saturating_mul(self.dilation)
    }
}

/// The machine's monotonic clock. The standard library has it too, but keeps the number to itself,
/// and another process needs the number.
pub(super) fn monotonic() -> Duration {
    let time = clock_gettime(ClockId::Monotonic);
    // Neither part is negative: the clock starts at nought, when the machine does.
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dilated_clock_is_slower_by_its_factor_and_knows_the_way_back() {
        let before = monotonic();
        let slow = Clock::new(4).now();
        let after = monotonic();
        assert!(before / 4 <= slow && slow <= after / 4);
        assert_eq!(Clock::new(4).real(Duration::from_millis(3)), Duration::from_millis(12));
    }
}
