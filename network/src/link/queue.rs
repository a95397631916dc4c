//! A line that carries one thing after another at a rate: a node's uplink, its downlink, a link.
//! Virtual: it holds no bytes, only the moment until which it is taken.

use std::time::Duration;

/// A queue in front of a line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Queue {
    free: Duration,
}

impl Queue {
    /// The moment until which the line is taken.
    pub(super) fn free(&self) -> Duration {
        self.free
    }

    /// Sends `bytes` that are there at `ready`; returns when the last of them is through.
    pub(super) fn pass(&mut self, ready: Duration, bytes: u64, rate: Option<u64>) -> Duration {
        self.free = self.free.max(ready) + time_for(bytes, rate);
        self.free
    }

    /// Sends `bytes` that come in bit by bit between two moments, each passed on as it comes;
    /// returns when the last of them is through.
    pub(super) fn pass_along(
        &mut self,
        first: Duration,
        last: Duration,
        bytes: u64,
        rate: Option<u64>,
    ) -> Duration {
        self.pass(first, bytes, rate).max(last)
    }
}

/// How long `bytes` take at `rate` bytes a second.
pub(super) fn time_for(bytes: u64, rate: Option<u64>) -> Duration {
    match rate {
        Some(rate) => Duration::from_nanos(bytes.saturating_mul(1_000_000_000) / rate.max(1)),
        None => Duration::ZERO,
    }
}
