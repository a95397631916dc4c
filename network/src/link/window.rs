//! How much a TCP sender may have under way: little at first, twice as much after each round trip.
//!
//! Slow start as in RFC 5681, section 3.1: each acknowledged segment opens the window by one. The
//! first window is ten segments (RFC 6928). A connection that was silent for a retransmission
//! timeout starts again from there (RFC 5681, section 4.1; Linux does unless
//! `net.ipv4.tcp_slow_start_after_idle` is off). The window opens only while it is what holds the
//! sender back, as Linux has it: while at least half of it was in use.
//!
//! Left out: the linear growth after slow start (congestion avoidance), delayed acknowledgements,
//! and the choice of a congestion control other than this.

use std::collections::VecDeque;
use std::time::Duration;

/// The first window, in segments: RFC 6928.
pub(super) const INITIAL: u32 = 10;

/// The window is never wider, in segments of 1,460 bytes: 3 MiB. Linux lets a receive buffer grow
/// to 6 MiB (`net.ipv4.tcp_rmem`) and offers half of it as the window.
pub(super) const WIDEST: u32 = 2_154;

/// The window of one connection, in one direction.
#[derive(Debug)]
pub(super) struct Window {
    open: u32,
    /// When what is under way will have been acknowledged, and how many segments: earliest first.
    under_way: VecDeque<(Duration, u32)>,
    segments: u32,
    /// The most segments that were under way since the connection was last at rest.
    peak: u32,
    last_sent: Duration,
}

impl Window {
    pub(super) fn new() -> Self {
        Self {
            open: INITIAL,
            under_way: VecDeque::new(),
            segments: 0,
            peak: 0,
            last_sent: Duration::ZERO,
        }
    }

    /// How many segments may leave now.
    ///
    /// # Errors
    /// None may; the error is when to ask again.
    pub(super) fn room(&mut self, now: Duration, timeout: Duration) -> Result<u32, Duration> {
        while let Some(&(at, segments)) = self.under_way.front()
            && at <= now
        {
            self.under_way.pop_front();
            self.acknowledged(segments);
        }
        if self.segments == 0 && now > self.last_sent + timeout {
            self.open = self.open.min(INITIAL);
        }
        match (self.open.saturating_sub(self.segments), self.under_way.front()) {
            (0, Some(&(at, _))) => Err(at),
            // A window is never shut while nothing is under way.
            (room, _) => Ok(room.max(1)),
        }
    }

    fn acknowledged(&mut self, segments: u32) {
        for _ in 0..segments {
            if self.open < 2 * self.peak && self.open < WIDEST {
                self.open += 1;
            }
        }
        self.segments -= segments;
        if self.segments == 0 {
            self.peak = 0;
        }
    }

    /// A segment leaves; its acknowledgement will be back at `back`, not before earlier ones.
    pub(super) fn sent(&mut self, now: Duration, back: Duration) {
        self.last_sent = now;
        self.segments += 1;
        self.peak = self.peak.max(self.segments);
        match self.under_way.back_mut() {
            Some((last, segments)) if *last >= back => *segments += 1,
            _ => self.under_way.push_back((back, 1)),
        }
    }

    /// A segment was lost and the three behind it told so: the window is halved (RFC 5681,
    /// section 3.2).
    pub(super) fn halve(&mut self) {
        self.open = (self.open / 2).max(2);
    }

    /// A segment was lost and only the timeout told so: the window is one segment (RFC 5681,
    /// section 3.1).
    pub(super) fn collapse(&mut self) {
        self.open = 1;
    }
}
