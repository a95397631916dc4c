//! The time by which a testnet lives.

use std::time::Duration;

use jiff::Timestamp;

/// Real time, and the time that the nodes tell: the same, unless everything runs some times slower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    epoch_us: i64,
    dilation: u32,
}

impl Clock {
    /// Both times are the same at `epoch_us`, in microseconds since the Unix epoch.
    #[must_use]
    pub fn new(epoch_us: i64, dilation: u32) -> Self {
        Self { epoch_us, dilation: dilation.max(1) }
    }

    /// Where both times are the same.
    #[must_use]
    pub fn epoch_us(&self) -> i64 {
        self.epoch_us
    }

    /// What the nodes tell now, in microseconds since the Unix epoch.
    #[must_use]
    pub fn now_us(&self) -> i64 {
        self.told(Timestamp::now().as_microsecond())
    }

    /// What the nodes tell at a real moment.
    #[must_use]
    pub fn told(&self, real_us: i64) -> i64 {
        self.epoch_us + (real_us - self.epoch_us) / i64::from(self.dilation)
    }

    /// How long a stretch of the nodes' time takes.
    #[must_use]
    pub fn real(&self, told: Duration) -> Duration {
        told * self.dilation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dilated_clock_runs_slower_from_its_epoch_on() {
        let clock = Clock::new(1_000_000, 4);
        assert_eq!(clock.told(1_000_000), 1_000_000);
        assert_eq!(clock.told(9_000_000), 3_000_000);
        assert_eq!(clock.real(Duration::from_secs(3)), Duration::from_secs(12));
        assert_eq!(Clock::new(5, 1).told(77), 77);
    }
}
