//! The one place that reads the clock.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::engine::Time;

/// Both clocks of a process, tied together when it starts: times of the log never step back, even
/// if the system's clock is set.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    start_unix_us: u64,
}

impl Clock {
    /// Starts the clock.
    #[must_use]
    pub fn start() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            start: Instant::now(),
            start_unix_us: u64::try_from(unix.as_micros()).unwrap_or(u64::MAX),
        }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Time {
        self.at(Instant::now())
    }

    /// The time at an instant; one before the start counts as the start.
    #[must_use]
    pub fn at(&self, instant: Instant) -> Time {
        let elapsed = instant.saturating_duration_since(self.start).as_micros();
        let mono_us = u64::try_from(elapsed).unwrap_or(u64::MAX);
        Time { unix_us: self.start_unix_us.saturating_add(mono_us), mono_us }
    }

    /// How long it is until a moment given in microseconds since the Unix epoch; zero if it has
    /// passed.
    #[must_use]
    pub fn until(&self, unix_us: u64) -> std::time::Duration {
        std::time::Duration::from_micros(unix_us.saturating_sub(self.now().unix_us))
    }
}
