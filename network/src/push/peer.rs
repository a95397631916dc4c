//! One peer: what waits to be sent to it, and what it may still ask for.

use std::collections::VecDeque;
use std::time::Duration;

use super::config::Config;
use super::frame::Part;
use super::heard::PeerStats;
use super::message::{ShortId, Slot};
use super::missing::MAX_OF_PEER;
use super::queues::Says;
use super::tree::MAX_ORIGINS;
use crate::sync::allowance::{Allowance, Terms};
use crate::sync::flood::{Flood, FloodLimit};

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

/// The ids that a peer may say in [`Part::Have`], [`Part::Refused`] and [`Part::Gone`] together. What is
/// remembered bounds the messages to 2,184 a second, each of which a peer says it has three times at
/// most: 6,552. A burst of 20,000 is said once, and is within it though it comes at once. What is
/// beyond is thrown away: who announced in vain does so again, and reconciliation finds the rest.
const IDS: Terms = Terms { at_once: 32_768.0, a_second: 8_192.0 };

/// The origins in [`Part::Lazy`] and [`Part::Eager`]. A peer says it of each that is remembered
/// ([`MAX_ORIGINS`]) when it joins, when another has left, and once a second at most.
const TURNS: Terms = Terms { at_once: 2.0 * MAX_ORIGINS as f64, a_second: MAX_ORIGINS as f64 };

/// The copies of messages that are known already. What is remembered bounds the messages to 2,184 a
/// second. A neighbour pushes each once at most, and gives it beside that only if it was asked, as it
/// does not if it has pushed: so no honest one brings 4,096. A burst of 20,000 whose tree nobody knows
/// yet comes from every neighbour, all of it at once. Each costs a hash, and one that is looked at an event and a line of the log too.
const COPIES: Terms = Terms { at_once: 32_768.0, a_second: 4_096.0 };

/// So many failures more, and a peer has half of the room, a third and so on: at the most failures that
/// are counted, 512 messages. Each that is asked for in vain costs a timer and a request.
const FAILURES: usize = 64;

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
    ids: FloodLimit,
    turns: FloodLimit,
    copies: FloodLimit,
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
            ids: FloodLimit::new(IDS),
            turns: FloodLimit::new(TURNS),
            copies: FloodLimit::new(COPIES),
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

    /// What is done with one more copy of a message that is known already. It is counted as a duplicate
    /// in any case.
    pub(super) fn may_repeat(&mut self, now: Duration) -> Flood {
        let count = &mut self.stats.received.duplicates;
        *count = count.saturating_add(1);
        self.copies.take(1, micros(now))
    }

    /// What is done with a part that carries no message and costs its sender nothing; and how much is
    /// in it, and under which name it is counted if it is thrown away.
    pub(super) fn may_say(&mut self, part: &Part, now: Duration) -> (Flood, &'static str, usize) {
        let (limit, place, count) = match part {
            Part::Have(ids) | Part::Refused(ids) | Part::Gone(ids) => {
                (&mut self.ids, "push-ids", ids.len())
            }
            Part::Lazy(origins) | Part::Eager(origins) => {
                (&mut self.turns, "push-turns", origins.len())
            }
            Part::Messages { .. } | Part::Asked { .. } | Part::Want(_) | Part::Beacon { .. } => {
                return (Flood::Within, "", 0);
            }
        };
        (limit.take(count.max(1), micros(now)), place, count)
    }

    /// How many messages it may have announced that have not come. Who gives what it announces has
    /// all the room there is: half of its failures are forgotten with each.
    pub(super) fn most_announced(&self) -> usize {
        let failures = usize::try_from(self.failures).unwrap_or(usize::MAX);
        MAX_OF_PEER / (failures / FAILURES).saturating_add(1)
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
