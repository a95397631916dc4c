//! How much a TCP sender may have under way: little at first, twice as much after each round trip.
//!
//! Slow start as in RFC 5681, section 3.1: each byte acknowledged opens the window by one. The
//! first window is ten segments (RFC 6928). A connection that was silent for a retransmission
//! timeout starts again from there (RFC 5681, section 4.1; Linux does unless
//! `net.ipv4.tcp_slow_start_after_idle` is off). The window opens only while it is what holds the
//! sender back, as Linux has it: while at least half of it was in use.
//!
//! Left out: the linear growth after slow start (congestion avoidance), delayed acknowledgements,
//! and the choice of a congestion control other than this.

use std::collections::VecDeque;
use std::time::Duration;

use super::path::SEGMENT;

/// The first window: RFC 6928.
const INITIAL: u64 = 10 * SEGMENT;

/// The window is never wider. Linux lets a receive buffer grow to 6 MiB (`net.ipv4.tcp_rmem`) and
/// offers half of it as the window.
const WIDEST: u64 = 3 * 1024 * 1024;

/// The window of one connection, in one direction, in bytes.
#[derive(Debug)]
pub(super) struct Window {
    open: u64,
    /// When what is under way will have been acknowledged, and how much it is: earliest first.
    under_way: VecDeque<(Duration, u64)>,
    bytes: u64,
    /// The most that was under way since the connection was last at rest.
    peak: u64,
    last_sent: Duration,
}

impl Window {
    pub(super) fn new() -> Self {
        Self {
            open: INITIAL,
            under_way: VecDeque::new(),
            bytes: 0,
            peak: 0,
            last_sent: Duration::ZERO,
        }
    }

    /// How many of `wanted` bytes may leave now: all of them, or a segment at least, as a TCP
    /// sender has it (RFC 9293, section 3.8.6.2.1).
    ///
    /// # Errors
    /// None may; the error is when to ask again.
    pub(super) fn room(
        &mut self,
        now: Duration,
        timeout: Duration,
        wanted: u64,
    ) -> Result<u64, Duration> {
        while let Some(&(at, bytes)) = self.under_way.front()
            && at <= now
        {
            self.under_way.pop_front();
            self.acknowledged(bytes);
        }
        if self.bytes == 0 && now > self.last_sent + timeout {
            self.open = self.open.min(INITIAL);
        }
        let room = self.open.saturating_sub(self.bytes);
        match self.under_way.front() {
            Some(&(at, _)) if room < wanted.min(SEGMENT) => Err(at),
            // While nothing is under way the window is a segment wide at least.
            _ => Ok(room.min(wanted)),
        }
    }

    fn acknowledged(&mut self, bytes: u64) {
        let useful = (2 * self.peak).min(WIDEST);
        self.open = (self.open + bytes).min(useful.max(self.open));
        self.bytes -= bytes;
        if self.bytes == 0 {
            self.peak = 0;
        }
    }

    /// Bytes leave; their acknowledgement will be back at `back`, not before earlier ones.
    pub(super) fn sent(&mut self, now: Duration, bytes: u64, back: Duration) {
        self.last_sent = now;
        self.bytes += bytes;
        self.peak = self.peak.max(self.bytes);
        match self.under_way.back_mut() {
            Some((last, sum)) if *last >= back => *sum += bytes,
            _ => self.under_way.push_back((back, bytes)),
        }
    }

    /// A segment was lost and the three behind it told so: the window is halved (RFC 5681,
    /// section 3.2).
    pub(super) fn halve(&mut self) {
        self.open = (self.open / 2).max(2 * SEGMENT);
    }

    /// A segment was lost and only the timeout told so: the window is one segment (RFC 5681,
    /// section 3.1).
    pub(super) fn collapse(&mut self) {
        self.open = SEGMENT;
    }
}
