//! What there is to say to a peer beside messages. Some of it waits for a frame to ride on.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::frame::{MAX_IDS, MAX_WANT, Part};
use super::message::{Origin, ShortId};
use super::tree::{MAX_ORIGINS, Turn};

/// The most ids of each kind that wait to be said to one peer. A peer that reads nothing for 30 s at
/// 2,000 messages a second misses none.
pub(super) const MAX_SAID: usize = 65_536;

/// The most beacons that wait for one peer: of every origin that is remembered, one.
pub(super) const MAX_BEACONS: usize = MAX_ORIGINS;

/// The most beacons in one frame: the parts of a frame are bounded.
const BEACONS_A_FRAME: usize = 256;

/// What there is to say to a peer.
#[derive(Debug, Default)]
pub(super) struct Says {
    have: VecDeque<ShortId>,
    refused: VecDeque<ShortId>,
    want: VecDeque<ShortId>,
    gone: VecDeque<ShortId>,
    /// To be lazy (false) or eager with an origin: the last word counts.
    turns: BTreeMap<Origin, bool>,
    /// The last number of each origin.
    beacons: BTreeMap<Origin, u64>,
    /// When that which waits is to go, even alone.
    deadline: Option<Duration>,
    /// That time has come.
    overdue: bool,
}

impl Says {
    /// Ids of messages that we have, to be said by then. Whether there was room.
    pub(super) fn have(&mut self, short: ShortId, by: Duration) -> bool {
        self.wait_until(by);
        push(&mut self.have, short)
    }

    /// Ids of messages that we did not take, to be said by then.
    pub(super) fn refused(&mut self, short: ShortId, by: Duration) -> bool {
        self.wait_until(by);
        push(&mut self.refused, short)
    }

    fn wait_until(&mut self, by: Duration) {
        self.deadline = Some(self.deadline.map_or(by, |deadline| deadline.min(by)));
    }

    pub(super) fn want(&mut self, short: ShortId) -> bool {
        push(&mut self.want, short)
    }

    pub(super) fn gone(&mut self, short: ShortId) -> bool {
        push(&mut self.gone, short)
    }

    pub(super) fn turn(&mut self, origin: Origin, turn: Turn) {
        if self.turns.len() < MAX_SAID || self.turns.contains_key(&origin) {
            self.turns.insert(origin, matches!(turn, Turn::Eager(_)));
        }
    }

    pub(super) fn beacon(&mut self, origin: Origin, number: u64) -> bool {
        let room = self.beacons.len() < MAX_BEACONS || self.beacons.contains_key(&origin);
        if room {
            self.beacons.insert(origin, number);
        }
        room
    }

    /// When it must go, if nothing else has a reason to go before.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.deadline.filter(|_| !self.overdue)
    }

    /// Notes whether the time has come, so that there is no deadline any more.
    pub(super) fn look(&mut self, now: Duration) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.overdue = true;
        }
    }

    /// Whether something is to go now.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        let at_once = !self.want.is_empty()
            || !self.gone.is_empty()
            || !self.turns.is_empty()
            || !self.beacons.is_empty();
        at_once || self.overdue || self.deadline.is_some_and(|deadline| deadline <= now)
    }

    /// How much waits.
    pub(super) fn len(&self) -> usize {
        let ids = [&self.have, &self.refused, &self.want, &self.gone];
        let ids: usize = ids.into_iter().map(VecDeque::len).sum();
        ids.saturating_add(self.turns.len()).saturating_add(self.beacons.len())
    }

    /// Moves what fits to a frame.
    pub(super) fn fill(&mut self, parts: &mut Vec<Part>) {
        let want = first(&mut self.want, MAX_WANT);
        let gone = first(&mut self.gone, MAX_IDS / 2);
        let have = first(&mut self.have, MAX_IDS);
        let refused = first(&mut self.refused, MAX_IDS / 2);
        let (mut lazy, mut eager) = (Vec::new(), Vec::new());
        while lazy.len().max(eager.len()) < MAX_IDS / 2 {
            let Some((origin, is_eager)) = self.turns.pop_first() else { break };
            if is_eager { eager.push(origin) } else { lazy.push(origin) }
        }
        let lists = [
            (want.len(), Part::Want(want)),
            (gone.len(), Part::Gone(gone)),
            (lazy.len(), Part::Lazy(lazy)),
            (eager.len(), Part::Eager(eager)),
            (have.len(), Part::Have(have)),
            (refused.len(), Part::Refused(refused)),
        ];
        parts.extend(lists.into_iter().filter(|(len, _)| *len > 0).map(|(_, part)| part));
        for _ in 0..BEACONS_A_FRAME {
            let Some((origin, number)) = self.beacons.pop_first() else { break };
            parts.push(Part::Beacon { origin, number });
        }
        // What did not fit goes with the next frame, at once.
        self.overdue = !self.have.is_empty() || !self.refused.is_empty();
        self.deadline = self.deadline.filter(|_| self.overdue);
    }
}

fn push(queue: &mut VecDeque<ShortId>, short: ShortId) -> bool {
    let room = queue.len() < MAX_SAID;
    if room {
        queue.push_back(short);
    }
    room
}

fn first(queue: &mut VecDeque<ShortId>, most: usize) -> Vec<ShortId> {
    queue.drain(..queue.len().min(most)).collect()
}
