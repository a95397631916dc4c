//! A branch that is being fetched: its headers are known and checked; its bodies are wanted, asked
//! for, being checked, or ready to be stored.
//!
//! The headers are cut into chunks, and a chunk is what one peer is asked for. Several peers are
//! asked at once; a peer with nothing left to do takes over (steals) a chunk that another one is
//! slow to give, and whichever answers first counts. Chunks become ready in any order and leave in
//! the order of their heights.

use std::collections::BTreeMap;

use hearsay_chain::fork_choice::Candidate;
use hearsay_chain::{BlockId, SignedHeader, VerifiedBlock};
use libp2p::PeerId;

use crate::event::RequestId;

/// Blocks asked for at once: at 100 transactions a block about 300 KiB and 40 ms of signature
/// checks, so that neither a round trip nor one long check holds the others up.
pub const CHUNK: usize = 16;

/// How far above the lowest missing block bodies are fetched, in blocks.
const WINDOW: u64 = 1_024;

/// Bytes of bodies that may be held, asked for included: the lowest chunk is always asked for, so
/// that a window full of later ones cannot stop everything.
const MAX_HELD: usize = 24 << 20;

/// What a chunk that was asked for is taken to weigh until it is there, in bytes.
const EXPECTED: usize = 1 << 20;

/// Peers that may be asked for one chunk at the same time.
const MAX_ASKED: usize = 2;

/// Headers with the bodies that belong to them, as a peer gave them.
pub type Parts = Vec<(SignedHeader, Vec<u8>)>;

/// A chunk to ask a peer for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The height of its first block: the chunk's name.
    pub first: u64,
    /// The blocks, lowest first.
    pub ids: Vec<BlockId>,
    /// Whether another peer has been asked for it already.
    pub stolen: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    request: RequestId,
    peer: PeerId,
    since: u64,
}

#[derive(Clone, Debug)]
enum State {
    Wanted,
    Asked(Vec<Asked>),
    Checking(usize),
    Ready(Vec<VerifiedBlock>, usize),
}

#[derive(Clone, Debug)]
struct Chunk {
    headers: Vec<SignedHeader>,
    state: State,
}

impl Chunk {
    fn held(&self) -> usize {
        match &self.state {
            State::Wanted => 0,
            State::Asked(_) => EXPECTED,
            State::Checking(bytes) | State::Ready(_, bytes) => *bytes,
        }
    }
}

/// A branch that is being fetched.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The block that the first header stands on, kept already.
    base: Candidate,
    /// By the height of their first block.
    chunks: BTreeMap<u64, Chunk>,
}

impl Plan {
    /// Nothing planned yet, on top of a block that is kept.
    #[must_use]
    pub fn new(base: Candidate) -> Self {
        Self { base, chunks: BTreeMap::new() }
    }

    /// The block that the first missing one stands on.
    #[must_use]
    pub fn base(&self) -> Candidate {
        self.base
    }

    /// The last block whose header is known.
    #[must_use]
    pub fn end(&self) -> Candidate {
        let last = self.chunks.values().next_back().and_then(|chunk| chunk.headers.last());
        last.map_or(self.base, |last| Candidate { height: last.height(), id: last.id() })
    }

    /// The last header; none if nothing is planned.
    #[must_use]
    pub fn last_header(&self) -> Option<&SignedHeader> {
        self.chunks.values().next_back().and_then(|chunk| chunk.headers.last())
    }

    /// Headers whose blocks are still missing.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.end().height.saturating_sub(self.base.height)
    }

    /// Whether no block is missing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The header at a height.
    #[must_use]
    pub fn header_at(&self, height: u64) -> Option<&SignedHeader> {
        let (first, chunk) = self.chunks.range(..=height).next_back()?;
        chunk.headers.get(usize::try_from(height - first).ok()?)
    }

    /// Ids from the end down, ever sparser, for a peer to find where its chain parts from this.
    #[must_use]
    pub fn locator(&self) -> Vec<BlockId> {
        let (mut ids, mut height, mut step) = (Vec::new(), self.end().height, 1);
        while height > self.base.height {
            ids.extend(self.header_at(height).map(SignedHeader::id));
            height = height.saturating_sub(step);
            step *= 2;
        }
        // It may stand beside the main chain, where the chain's own locator does not name it.
        ids.push(self.base.id);
        ids
    }

    /// Adds headers, the first of which stands on the end.
    pub fn extend(&mut self, headers: Vec<SignedHeader>) {
        let mut headers = headers.into_iter().peekable();
        while let Some(first) = headers.peek() {
            let first = first.height();
            let chunk = headers.by_ref().take(CHUNK).collect();
            self.chunks.insert(first, Chunk { headers: chunk, state: State::Wanted });
        }
    }

    /// Drops everything above a height: the peer that gave the headers has another branch now, or
    /// the block there turned out to be invalid.
    pub fn truncate(&mut self, height: u64) {
        self.chunks.split_off(&height.saturating_add(1));
        let Some(mut last) = self.chunks.last_entry() else { return };
        let kept = usize::try_from(height - last.key() + 1).unwrap_or(usize::MAX);
        let chunk = last.get_mut();
        if kept < chunk.headers.len() {
            chunk.headers.truncate(kept);
            // What is under way was asked for the longer chunk: it is asked for again.
            if let State::Ready(blocks, _) = &mut chunk.state {
                blocks.truncate(kept);
            } else {
                chunk.state = State::Wanted;
            }
        }
    }

    /// What a peer could be asked for now: the lowest chunk that nobody was asked for, or else one
    /// that was asked for before `overdue` and that nobody has given yet. `has` says whether the
    /// peer may have the block of a height.
    #[must_use]
    pub fn next_for(&self, peer: PeerId, has: impl Fn(u64) -> bool, overdue: u64) -> Option<Ask> {
        let front = self.base.height.saturating_add(1);
        let near = self.chunks.range(..front.saturating_add(WINDOW));
        let held: usize = near.clone().map(|(_, chunk)| chunk.held()).sum();
        let mut near = near.filter(|(first, chunk)| {
            has(**first) && has(first.saturating_add(chunk.headers.len() as u64 - 1))
        });
        let wanted = near.clone().find(|(_, chunk)| matches!(chunk.state, State::Wanted));
        let room = |first: u64| first == front || held.saturating_add(EXPECTED) <= MAX_HELD;
        if let Some((first, chunk)) = wanted.filter(|(first, _)| room(**first)) {
            return Some(ask(*first, chunk, false));
        }
        let (first, chunk) = near.find(|(_, chunk)| match &chunk.state {
            State::Asked(asked) => {
                asked.len() < MAX_ASKED
                    && asked.iter().all(|asked| asked.peer != peer && asked.since <= overdue)
            }
            _ => false,
        })?;
        Some(ask(*first, chunk, true))
    }

    /// How many blocks a request for a chunk asked for; none if nobody waits for it any more.
    #[must_use]
    pub fn awaited(&self, first: u64, request: RequestId) -> Option<usize> {
        let chunk = self.chunks.get(&first)?;
        let State::Asked(asked) = &chunk.state else { return None };
        asked.iter().any(|asked| asked.request == request).then_some(chunk.headers.len())
    }

    /// Notes that a peer was asked for a chunk.
    pub fn asked(&mut self, first: u64, request: RequestId, peer: PeerId, now: u64) {
        let Some(chunk) = self.chunks.get_mut(&first) else { return };
        let asked = Asked { request, peer, since: now };
        match &mut chunk.state {
            State::Asked(all) => all.push(asked),
            State::Wanted => chunk.state = State::Asked(vec![asked]),
            State::Checking(_) | State::Ready(..) => {}
        }
    }

    /// A request came to nothing: its chunk is wanted again, unless somebody else was asked too.
    pub fn failed(&mut self, first: u64, request: RequestId) {
        let Some(chunk) = self.chunks.get_mut(&first) else { return };
        if let State::Asked(asked) = &mut chunk.state {
            asked.retain(|asked| asked.request != request);
            if asked.is_empty() {
                chunk.state = State::Wanted;
            }
        }
    }

    /// Bodies came, for the first blocks of a chunk: these are to be checked. The rest becomes a
    /// chunk of its own. None if nobody waits for them any more.
    pub fn arrived(
        &mut self,
        first: u64,
        request: RequestId,
        bodies: Vec<Vec<u8>>,
    ) -> Option<Parts> {
        let chunk = self.chunks.get_mut(&first)?;
        let State::Asked(asked) = &chunk.state else { return None };
        let waits = asked.iter().any(|asked| asked.request == request);
        if !waits || bodies.is_empty() || bodies.len() > chunk.headers.len() {
            return None;
        }
        let rest = chunk.headers.split_off(bodies.len());
        chunk.state = State::Checking(bodies.iter().map(Vec::len).sum());
        let parts = chunk.headers.iter().cloned().zip(bodies).collect();
        if let Some(next) = rest.first() {
            let next = next.height();
            self.chunks.insert(next, Chunk { headers: rest, state: State::Wanted });
        }
        Some(parts)
    }

    /// The blocks of a chunk hold.
    pub fn ready(&mut self, first: u64, blocks: Vec<VerifiedBlock>) {
        let Some(chunk) = self.chunks.get_mut(&first) else { return };
        let State::Checking(bytes) = chunk.state else { return };
        let ids = blocks.iter().map(VerifiedBlock::id);
        if ids.eq(chunk.headers.iter().map(SignedHeader::id)) {
            chunk.state = State::Ready(blocks, bytes);
        } else {
            chunk.state = State::Wanted;
        }
    }

    /// The bodies of a chunk were not the ones that its headers were signed for.
    pub fn unready(&mut self, first: u64) {
        if let Some(chunk) = self.chunks.get_mut(&first)
            && matches!(chunk.state, State::Checking(_))
        {
            chunk.state = State::Wanted;
        }
    }

    /// Whether the lowest blocks are ready.
    #[must_use]
    pub fn has_ready(&self) -> bool {
        let lowest = self.chunks.first_key_value();
        lowest.is_some_and(|(_, chunk)| matches!(chunk.state, State::Ready(..)))
    }

    /// Takes the lowest blocks if they are ready: whole chunks, about `max` blocks.
    pub fn take_ready(&mut self, max: usize) -> Vec<VerifiedBlock> {
        let mut taken: Vec<VerifiedBlock> = Vec::new();
        while taken.len() < max {
            let Some(lowest) = self.chunks.first_entry() else { break };
            if !matches!(lowest.get().state, State::Ready(..)) {
                break;
            }
            if let State::Ready(blocks, _) = lowest.remove().state {
                taken.extend(blocks);
            }
        }
        if let Some(last) = taken.last() {
            self.base = Candidate { height: last.height(), id: last.id() };
        }
        taken
    }

    /// A peer is gone: what it alone was asked for is wanted again.
    pub fn forget_peer(&mut self, peer: PeerId) {
        for chunk in self.chunks.values_mut() {
            if let State::Asked(asked) = &mut chunk.state {
                asked.retain(|asked| asked.peer != peer);
                if asked.is_empty() {
                    chunk.state = State::Wanted;
                }
            }
        }
    }

    /// Requests made before a moment and not answered: each with its chunk and its peer.
    #[must_use]
    pub fn overdue(&self, before: u64) -> Vec<(u64, RequestId, PeerId)> {
        let asked = self.chunks.iter().filter_map(|(first, chunk)| match &chunk.state {
            State::Asked(asked) => Some((first, asked)),
            _ => None,
        });
        asked
            .flat_map(|(first, asked)| asked.iter().map(move |asked| (*first, asked)))
            .filter(|(_, asked)| asked.since <= before)
            .map(|(first, asked)| (first, asked.request, asked.peer))
            .collect()
    }
}

fn ask(first: u64, chunk: &Chunk, stolen: bool) -> Ask {
    Ask { first, ids: chunk.headers.iter().map(SignedHeader::id).collect(), stolen }
}
