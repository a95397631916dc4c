//! One peer: what waits to be sent to it, and what it may still ask for.

use std::collections::VecDeque;
use std::time::Duration;

use super::config::Config;
use super::heard::PeerStats;
use super::message::{ShortId, Slot};
use super::queues::Says;
use crate::sync::allowance::{Allowance, Terms};

/// The most messages that wait to be pushed to one peer: only their ids are held. What is beyond is
/// announced instead.
pub(super) const MAX_QUEUE: usize = 65_536;

/// The most messages that wait to be given to one peer that asked.
pub(super) const MAX_ANSWERS: usize = 4_096;

/// The most messages of one peer that may wait for a verdict. The caller stops reading long before.
pub(super) const MAX_UNJUDGED: usize = 8_192;

/// The most bytes of them.
pub(super) const MAX_UNJUDGED_BYTES: usize = 32 << 20;

/// What a peer may ask for: more than it has reason to, as a message takes a processor some 30 µs to
/// check. What it is given is bounded by [`MAX_ANSWERS`] and by its stream.
const WANTS: Terms = Terms { at_once: 32_768.0, a_second: 16_384.0 };

/// The beacons of a peer that are taken: twice of what a node passes on.
const BEACONS: Terms = Terms { at_once: 4_096.0, a_second: 256.0 };

/// The shortest time in which an answer is expected, in units of the longest: a round trip is not
/// all that it takes.
const SHORTEST_WAIT: u32 = 5;

/// One peer.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) slot: Slot,
    /// Messages to be pushed.
    pub(super) queue: VecDeque<ShortId>,
    /// Messages that it asked for.
    pub(super) answers: VecDeque<ShortId>,
    pub(super) says: Says,
    pub(super) unjudged: usize,
    pub(super) unjudged_bytes: usize,
    wants: Allowance,
    beacons: Allowance,
    /// How often it did not give what it had announced; halved each time it did.
    pub(super) failures: u32,
    /// The round trip to it, if it was measured.
    pub(super) round_trip: Option<Duration>,
    pub(super) stats: PeerStats,
}

impl Peer {
    pub(super) fn new(slot: Slot) -> Self {
        Self {
            slot,
            queue: VecDeque::new(),
            answers: VecDeque::new(),
            says: Says::default(),
            unjudged: 0,
            unjudged_bytes: 0,
            wants: Allowance::new(WANTS),
            beacons: Allowance::new(BEACONS),
            failures: 0,
            round_trip: None,
            stats: PeerStats::default(),
        }
    }

    /// Whether it may ask for one more message.
    pub(super) fn may_want(&mut self, now: Duration) -> bool {
        self.wants.take(1.0, micros(now))
    }

    /// Whether one more beacon is taken from it.
    pub(super) fn may_beacon(&mut self, now: Duration) -> bool {
        self.beacons.take(1.0, micros(now))
    }

    /// How long it may take to answer.
    pub(super) fn want_timeout(&self, config: &Config) -> Duration {
        let longest = config.want_timeout;
        let shortest = longest / SHORTEST_WAIT;
        self.round_trip.map_or(longest, |it| it.saturating_mul(3).clamp(shortest, longest))
    }

    /// Whether there is something to be sent to it now.
    pub(super) fn has_frame(&self, now: Duration) -> bool {
        !self.queue.is_empty() || !self.answers.is_empty() || self.says.is_due(now)
    }
}

pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
