//! The one place that reads the clock.
//!
//! In a dilated run the network lives `d` times slower than real time: a [`Clock`] tells undilated
//! time, so that whoever asks it for the time, or how long to sleep, needs to know nothing of it.
//!
//! In the lab a clock may also be skewed. A skew moves the unix time that the engine goes by, and so
//! the slots it believes in; it moves neither `mono_us` nor the times of the log, so that the logs of
//! one machine's nodes still join to the microsecond.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::engine::Time;
use crate::lab::LabSettings;

/// Both clocks of a node, tied together when it starts: times of the log never step back, even if
/// the system's clock is set. Clones share one skew.
#[derive(Clone, Debug)]
pub struct Clock {
    start: Instant,
    /// Undilated, and not skewed.
    start_unix_us: u64,
    dilation: u32,
    skew_us: Arc<AtomicI64>,
}

impl Clock {
    /// Starts a clock that goes as fast as real time.
    #[must_use]
    pub fn start() -> Self {
        Self::start_in(&LabSettings::default())
    }

    /// Starts a clock as a lab wants it.
    #[must_use]
    pub fn start_in(lab: &LabSettings) -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let clock = Self {
            start: Instant::now(),
            start_unix_us: undilated_unix(micros(unix), lab.epoch_us, lab.dilation),
            dilation: lab.dilation.max(1),
            skew_us: Arc::default(),
        };
        clock.set_skew(lab.skew_ms);
        clock
    }

    /// The time now, as the engine goes by it.
    #[must_use]
    pub fn now(&self) -> Time {
        self.at(Instant::now())
    }

    /// The time at an instant; one before the start counts as the start.
    #[must_use]
    pub fn at(&self, instant: Instant) -> Time {
        let mono_us = micros(self.undilated(instant.saturating_duration_since(self.start)));
        let skew_us = self.skew_us.load(Ordering::Relaxed);
        let unix_us = self.start_unix_us.saturating_add(mono_us).saturating_add_signed(skew_us);
        Time { unix_us, mono_us }
    }

    /// A time as the log tells it: without the skew.
    #[must_use]
    pub fn without_skew(&self, time: Time) -> Time {
        Time { unix_us: self.start_unix_us.saturating_add(time.mono_us), ..time }
    }

    /// How long it really is until a moment of the engine's, given in microseconds since the Unix
    /// epoch; zero if it has passed.
    #[must_use]
    pub fn until(&self, unix_us: u64) -> Duration {
        self.really(Duration::from_micros(unix_us.saturating_sub(self.now().unix_us)))
    }

    /// How long a time of the network's really lasts.
    #[must_use]
    pub fn really(&self, undilated: Duration) -> Duration {
        undilated.saturating_mul(self.dilation)
    }

    /// The time that passes in the network in a real one.
    #[must_use]
    pub fn undilated(&self, real: Duration) -> Duration {
        real / self.dilation
    }

    /// How many times slower than real time the network runs.
    #[must_use]
    pub fn dilation(&self) -> u32 {
        self.dilation
    }

    /// From now on the engine's unix time is this many milliseconds off.
    pub fn set_skew(&self, skew_ms: i64) {
        self.skew_us.store(skew_ms.saturating_mul(1_000), Ordering::Relaxed);
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// The undilated unix time at a real one: the two agree at the epoch and drift apart on both sides.
fn undilated_unix(real_us: u64, epoch_us: u64, dilation: u32) -> u64 {
    let dilation = u64::from(dilation.max(1));
    match real_us.checked_sub(epoch_us) {
        Some(after) => epoch_us + after / dilation,
        None => epoch_us - (epoch_us - real_us) / dilation,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn clock(dilation: u32, start_unix_us: u64, skew_ms: i64) -> Clock {
        let clock =
            Clock { start: Instant::now(), start_unix_us, dilation, skew_us: Arc::default() };
        clock.set_skew(skew_ms);
        clock
    }

    proptest! {
        #[test]
        fn a_dilated_clock_goes_as_many_times_slower(
            dilation in 1_u32..1_000,
            real_us in 0_u64..1_000_000_000_000,
        ) {
            let clock = clock(dilation, 1_700_000_000_000_000, 0);
            let then = clock.at(clock.start + Duration::from_micros(real_us));
            prop_assert_eq!(then.mono_us, real_us / u64::from(dilation));
            prop_assert_eq!(then.unix_us, 1_700_000_000_000_000 + then.mono_us);
        }

        #[test]
        fn what_a_time_really_lasts_brings_the_clock_to_its_end(
            dilation in 1_u32..1_000,
            wait_us in 0_u64..1_000_000_000,
        ) {
            let clock = clock(dilation, 5, 0);
            let wait = Duration::from_micros(wait_us);
            prop_assert_eq!(clock.undilated(clock.really(wait)), wait);
            prop_assert_eq!(clock.at(clock.start + clock.really(wait)).mono_us, wait_us);
        }

        #[test]
        fn nodes_that_start_at_different_moments_agree_on_the_undilated_time(
            dilation in 1_u32..100,
            epoch in 1_000_000_u64..2_000_000_000,
            first in 0_u64..2_000_000_000,
            later in 0_u64..2_000_000_000,
        ) {
            // One tells the time at its start, the other has run since an earlier start.
            let told = undilated_unix(first + later, epoch, dilation);
            let since = undilated_unix(first, epoch, dilation) + later / u64::from(dilation);
            prop_assert!(told.abs_diff(since) <= 1, "{} and {}", told, since);
        }

        #[test]
        fn a_skew_moves_the_unix_time_alone_and_no_time_of_the_log(
            skew_ms in -86_400_000_i64..86_400_000,
            real_us in 0_u64..1_000_000_000,
        ) {
            let clock = clock(2, 1_700_000_000_000_000, 0);
            let instant = clock.start + Duration::from_micros(real_us);
            let before = clock.at(instant);
            clock.clone().set_skew(skew_ms);
            let after = clock.at(instant);
            prop_assert_eq!(after.mono_us, before.mono_us);
            prop_assert_eq!(after.unix_us, before.unix_us.saturating_add_signed(skew_ms * 1_000));
            prop_assert_eq!(clock.without_skew(after), before);
        }
    }

    #[test]
    fn undilated_and_real_time_are_the_same_at_the_epoch_and_without_dilation() {
        assert_eq!(undilated_unix(7_000, 7_000, 4), 7_000);
        assert_eq!(undilated_unix(7_004, 7_000, 4), 7_001);
        assert_eq!(undilated_unix(6_996, 7_000, 4), 6_999);
        for epoch in [0, 50, 1_000] {
            assert_eq!(undilated_unix(123, epoch, 1), 123);
        }
    }

    #[test]
    fn an_instant_before_the_start_counts_as_the_start() {
        let earlier = Instant::now();
        let clock = clock(1, 9, 0);
        assert_eq!(clock.at(earlier), Time { unix_us: 9, mono_us: 0 });
    }
}
