//! The blocks that are being put together, within bounds.

use std::collections::BTreeMap;

use hearsay_chain::{BlockId, SignedHeader, Turn};
use hearsay_network::compact::Rebuild;
use hearsay_network::{PeerId, RequestId};

use super::super::input::{Time, Token};

/// Blocks at a time: as many as come in some seconds when each is a fork.
pub(super) const MAX: usize = 16;

/// Blocks of one authority at a time. It cannot take the place of the others' by blocks that nobody
/// has the rest of.
const MAX_PER_AUTHORITY: usize = 4;

/// Blocks of one authority in one slot at a time: as many as are relayed.
pub(super) const MAX_PER_TURN: usize = 2;

/// Bytes that came whole and are kept here alone: eight of the largest blocks, of which the pool has
/// nothing.
const MAX_BYTES: usize = 32 << 20;

/// Peers that are remembered as having sent a block: more than are asked.
const MAX_SENDERS: usize = 16;

/// Peers' questions that wait for one block, one of each peer: a node asks no peer twice at a time.
const MAX_WAITING: usize = 8;

/// What a peer was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// For the transactions at these places.
    Parts(Vec<u32>),
    /// For all of the body.
    Body,
}

/// A question that is out.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) id: RequestId,
    pub(super) since: u64,
    pub(super) asked: Asked,
}

/// A peer that asks for what is not here yet.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) peer: PeerId,
    pub(super) token: Token,
    pub(super) places: Vec<u32>,
}

/// One block.
#[derive(Debug)]
pub(super) struct Rebuilding {
    pub(super) header: SignedHeader,
    pub(super) rebuild: Rebuild,
    /// The peer that delivered it.
    pub(super) from: PeerId,
    /// Others that sent it later.
    pub(super) senders: Vec<PeerId>,
    pub(super) since: Time,
    /// The size of the message.
    pub(super) message_bytes: usize,
    /// Whether its parent was not here either.
    pub(super) orphan: bool,
    /// Whether it is whole, or a body is, and signatures are being checked.
    pub(super) checking: bool,
    pub(super) questions: Vec<Question>,
    /// Peers that had their turn to give what is missing.
    pub(super) asked_parts: Vec<PeerId>,
    /// Peers that had their turn to give all of it.
    pub(super) asked_body: Vec<PeerId>,
    /// Who gave what it was asked for, by place: as many as the block has at most.
    pub(super) givers: BTreeMap<u32, PeerId>,
    /// Peers that gave what has another name.
    pub(super) misnaming: Vec<PeerId>,
    pub(super) waiting: Vec<Waiting>,
}

impl Rebuilding {
    pub(super) fn id(&self) -> BlockId {
        self.header.id()
    }

    pub(super) fn was_sent_by(&mut self, peer: PeerId) {
        if self.senders.len() < MAX_SENDERS && self.from != peer && !self.senders.contains(&peer) {
            self.senders.push(peer);
        }
    }

    /// Lets a peer wait until the block is whole, if there is room and it does not wait already.
    pub(super) fn wait(&mut self, waiting: Waiting) -> bool {
        let waits = self.waiting.iter().any(|it| it.peer == waiting.peer);
        let room = !waits && self.waiting.len() < MAX_WAITING;
        if room {
            self.waiting.push(waiting);
        }
        room
    }

    fn turn(&self) -> Turn {
        Turn::of(self.header.header())
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Rebuildings {
    by_id: BTreeMap<BlockId, Rebuilding>,
}

impl Rebuildings {
    pub(super) fn get(&self, id: &BlockId) -> Option<&Rebuilding> {
        self.by_id.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &BlockId) -> Option<&mut Rebuilding> {
        self.by_id.get_mut(id)
    }

    pub(super) fn remove(&mut self, id: &BlockId) -> Option<Rebuilding> {
        self.by_id.remove(id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Rebuilding> {
        self.by_id.values()
    }

    /// Whether there is room for one more of this turn.
    pub(super) fn has_room_for(&self, turn: &Turn) -> bool {
        self.iter().filter(|it| it.turn() == *turn).count() < MAX_PER_TURN
    }

    /// Takes one in. Gives those that have to go for it: the oldest of the same authority, or else
    /// the oldest of the authority that has most.
    pub(super) fn insert(&mut self, new: Rebuilding) -> Vec<Rebuilding> {
        let newest = new.id();
        self.by_id.insert(newest, new);
        self.within_bounds(&newest)
    }

    /// Gives those that have to go for what this one has been given.
    pub(super) fn within_bounds(&mut self, newest: &BlockId) -> Vec<Rebuilding> {
        let mut gone = Vec::new();
        while let Some(id) = self.over_bounds(newest) {
            gone.extend(self.by_id.remove(&id));
        }
        gone
    }

    fn over_bounds(&self, newest: &BlockId) -> Option<BlockId> {
        let mut counts: BTreeMap<_, usize> = BTreeMap::new();
        for it in self.iter() {
            *counts.entry(it.header.header().fields.proposer).or_default() += 1;
        }
        let bytes: usize = self.iter().map(|it| it.rebuild.bytes()).sum();
        let (most, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
        if count <= MAX_PER_AUTHORITY && self.by_id.len() <= MAX && bytes <= MAX_BYTES {
            return None;
        }
        let of_most = |it: &&Rebuilding| it.header.header().fields.proposer == most;
        let others = self.iter().filter(of_most).filter(|it| it.id() != *newest);
        // The newest goes only if it is alone and too large.
        let oldest = others.min_by_key(|it| (it.since.mono_us, it.id())).map(Rebuilding::id);
        oldest.or(Some(*newest))
    }
}
