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

/// Frames in which nothing but turns and beacons goes follow each other no sooner than this, in the long
/// run. Every peer may make others send such frames, by beacons of origins that it made up, and each costs as
/// much as one that carries something. A thousand nodes bring 17 beacons a second.
const WORDS_APART: Duration = Duration::from_millis(50);

/// So many of them may come earlier: those of a network that starts all at once go without delay, as how long
/// they take tells which path is short.
const WORDS_AT_ONCE: u32 = 64;

/// When the next frame of turns and beacons alone may leave: the generic cell rate algorithm (ITU-T
/// I.371, annex A).
#[derive(Debug, Default)]
struct Pace {
    /// When it would leave if none had ever come early.
    regular: Duration,
}

impl Pace {
    fn next(&self, now: Duration) -> Duration {
        self.regular.saturating_sub(WORDS_APART.saturating_mul(WORDS_AT_ONCE)).max(now)
    }

    fn left(&mut self, now: Duration) {
        self.regular = self.regular.max(now).saturating_add(WORDS_APART);
    }
}

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
    pace: Pace,
    unsaid: u64,
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

    pub(super) fn gone(&mut self, short: ShortId) {
        if !push(&mut self.gone, short) {
            self.unsaid = self.unsaid.saturating_add(1);
        }
    }

    pub(super) fn turn(&mut self, now: Duration, origin: Origin, turn: Turn) {
        if self.turns.len() < MAX_SAID || self.turns.contains_key(&origin) {
            self.turns.insert(origin, matches!(turn, Turn::Eager(_)));
            self.wait_until(self.pace.next(now));
        } else {
            self.unsaid = self.unsaid.saturating_add(1);
        }
    }

    pub(super) fn beacon(&mut self, now: Duration, origin: Origin, number: u64) {
        let room = self.beacons.len() < MAX_BEACONS || self.beacons.contains_key(&origin);
        if room {
            self.beacons.insert(origin, number);
            self.wait_until(self.pace.next(now));
        } else {
            self.unsaid = self.unsaid.saturating_add(1);
        }
    }

    /// How many turns, beacons and refusals to give there was no room for since the last call.
    pub(super) fn take_unsaid(&mut self) -> u64 {
        std::mem::take(&mut self.unsaid)
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
        let at_once = !self.want.is_empty() || !self.gone.is_empty();
        at_once || self.overdue || self.deadline.is_some_and(|deadline| deadline <= now)
    }

    /// How much waits.
    pub(super) fn len(&self) -> usize {
        let ids = [&self.have, &self.refused, &self.want, &self.gone];
        let ids: usize = ids.into_iter().map(VecDeque::len).sum();
        ids.saturating_add(self.turns.len()).saturating_add(self.beacons.len())
    }

    /// Moves what fits to a frame that leaves now.
    pub(super) fn fill(&mut self, now: Duration, parts: &mut Vec<Part>) {
        let alone = parts.is_empty() && self.want.is_empty() && self.gone.is_empty();
        if alone && !(self.turns.is_empty() && self.beacons.is_empty()) {
            self.pace.left(now);
        }
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
        if !self.turns.is_empty() || !self.beacons.is_empty() {
            self.wait_until(self.pace.next(now));
        }
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
