//! Catching up: knowing where peers stand, and asking one that stands higher for its blocks.
//!
//! One peer is asked at a time, for the blocks after where our chains part, until we stand as high
//! as it does. A peer that fails or gives nothing is passed over for the next.

use std::collections::BTreeMap;

use hearsay_chain::chain::Import;
use hearsay_chain::{BlockError, BlockId, Store, StoreError, UnverifiedBlock, VerifiedBlock};
use hearsay_network::wire::{MAX_BLOCKS, MAX_RESPONSE_BYTES, Request, Response, Standing};
use hearsay_network::{PeerId, RequestId};

use super::input::{Time, Token};
use super::jobs::Job;
use super::work::Work;
use super::{Effect, Engine, peer_event};
use crate::api::SyncStatus;
use crate::trace::event::{Event, Kind, PeerState, Via};

/// Blocks asked for at once: enough to keep a round trip's cost small beside the checking.
const BATCH: u16 = 64;

/// Bytes of blocks given at once, well below what a response may hold.
const GIVE_BYTES: usize = MAX_RESPONSE_BYTES / 2;

/// How often one peer is asked where it stands, so that a block that gossip lost is noticed.
const POLL_US: u64 = 3_000_000;

/// A peer that gave a bad answer, or none, is not asked for blocks for this long.
const REST_US: u64 = 10_000_000;

/// How long after asking for blocks this node counts as catching up without an answer.
const PATIENCE_US: u64 = 3_000_000;

/// What is known of a peer.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// The greatest height it has told of, or sent a block of; none before it said anything.
    height: Option<u64>,
    /// Not to be asked for blocks before this moment of the monotonic clock.
    rest_until: u64,
}

/// A question that is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    Standing,
    Blocks,
}

/// What catching up has come to.
#[derive(Debug, Default)]
pub(super) struct Sync {
    peers: BTreeMap<PeerId, Known>,
    questions: BTreeMap<RequestId, Question>,
    next_request: u64,
    /// The peer whose blocks are being fetched or checked.
    from: Option<PeerId>,
    /// When it was asked, on the monotonic clock.
    asked_at: u64,
    /// The last block that this peer gave, and its height. It is named first when the peer is asked
    /// on: a branch that does not beat our tip yet is not on our main chain, so the locator alone
    /// would ask for the same blocks again and again.
    resume: Option<(PeerId, BlockId, u64)>,
    next_poll: u64,
    polled: Option<PeerId>,
}

impl Sync {
    /// Notes that a peer has, or sent, a block of this height.
    pub(super) fn heard_of(&mut self, peer: PeerId, height: u64) {
        if let Some(known) = self.peers.get_mut(&peer) {
            known.height = Some(known.height.map_or(height, |known| known.max(height)));
        }
    }

    /// Whether any peer has said where it stands.
    pub(super) fn has_met_anybody(&self) -> bool {
        self.peers.values().any(|known| known.height.is_some())
    }

    /// Whether this node is catching up with somebody who answers. A height is only a claim: a
    /// peer that claims much and gives nothing keeps nobody from proposing for long.
    pub(super) fn is_behind(&self, height: u64, now: Time) -> bool {
        let answers =
            self.from.is_some() && now.mono_us < self.asked_at.saturating_add(PATIENCE_US);
        // One block less is the normal state of affairs while a block is on its way.
        answers && self.target().is_some_and(|target| target > height.saturating_add(1))
    }

    pub(super) fn peer_count(&self) -> u64 {
        self.peers.len() as u64
    }

    pub(super) fn status(&self, height: u64, now: Time) -> Option<SyncStatus> {
        let target = self.target().filter(|_| self.is_behind(height, now))?;
        Some(SyncStatus { target, peer: self.from.map(|peer| peer.to_string()) })
    }

    fn target(&self) -> Option<u64> {
        self.peers.values().filter_map(|known| known.height).max()
    }

    /// The rested peer that stands highest above `height`; the one with the smallest id of several.
    fn best(&self, height: u64, now: Time) -> Option<PeerId> {
        let rested = self.peers.iter().filter(|(_, known)| known.rest_until <= now.mono_us);
        let (peer, known) =
            rested.max_by_key(|(peer, known)| (known.height, std::cmp::Reverse(**peer)))?;
        known.height.filter(|theirs| *theirs > height).map(|_| *peer)
    }

    fn question(&mut self, question: Question) -> RequestId {
        let id = RequestId(self.next_request);
        self.next_request += 1;
        self.questions.insert(id, question);
        id
    }

    /// An answer of a peer that is no longer the one asked changes nothing for the one that is.
    fn no_longer_from(&mut self, peer: PeerId) {
        if self.from == Some(peer) {
            self.from = None;
        }
    }

    fn rest(&mut self, peer: PeerId, now: Time) {
        if let Some(known) = self.peers.get_mut(&peer) {
            known.rest_until = now.mono_us.saturating_add(REST_US);
        }
    }

    /// The peer after the one polled last, in the order of ids, round and round.
    fn next_to_poll(&self) -> Option<PeerId> {
        let after = self.polled.and_then(|last| {
            use std::ops::Bound::{Excluded, Unbounded};
            self.peers.range((Excluded(last), Unbounded)).next()
        });
        after.or_else(|| self.peers.iter().next()).map(|(peer, _)| *peer)
    }
}

impl<S: Store> Engine<S> {
    pub(super) fn on_joined(&mut self, peer: PeerId, out: &mut Vec<Effect>) {
        self.sync.peers.insert(peer, Known::default());
        out.push(peer_event(&peer, PeerState::Connected, None));
        self.ask_standing(peer, out);
    }

    pub(super) fn on_left(&mut self, peer: PeerId, out: &mut Vec<Effect>) {
        self.sync.peers.remove(&peer);
        if self.sync.from == Some(peer) {
            self.sync.from = None;
        }
        out.push(peer_event(&peer, PeerState::Disconnected, None));
    }

    fn standing(&self) -> Standing {
        let ends = self.chain.ends();
        Standing {
            genesis: self.chain.rules().id(),
            tip: ends.tip,
            height: ends.height,
            final_height: ends.final_height,
        }
    }

    fn ask_standing(&mut self, peer: PeerId, out: &mut Vec<Effect>) {
        let id = self.sync.question(Question::Standing);
        out.push(Effect::Ask { peer, id, request: Request::Standing(self.standing()) });
    }

    /// Asks the peer that stands highest for blocks, unless some are on their way.
    pub(super) fn ask_for_blocks(
        &mut self,
        now: Time,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        if self.sync.from.is_some() {
            return Ok(());
        }
        let Some(peer) = self.sync.best(self.chain.ends().height, now) else { return Ok(()) };
        self.sync.from = Some(peer);
        self.sync.asked_at = now.mono_us;
        let id = self.sync.question(Question::Blocks);
        let mut locator = self.chain.locator()?;
        if let Some((_, last, _)) = self.sync.resume.filter(|(given_by, ..)| *given_by == peer) {
            locator.insert(0, last);
        }
        let request = Request::Blocks { locator, max: BATCH };
        out.push(Effect::Ask { peer, id, request });
        Ok(())
    }

    pub(super) fn drive_sync(
        &mut self,
        now: Time,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        if now.mono_us >= self.sync.next_poll {
            self.sync.next_poll = now.mono_us.saturating_add(POLL_US);
            self.sync.polled = self.sync.next_to_poll();
            if let Some(peer) = self.sync.polled {
                self.ask_standing(peer, out);
            }
        }
        Ok(())
    }

    pub(super) fn on_request(
        &mut self,
        from: PeerId,
        request: Request,
        token: Token,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let response = match request {
            Request::Standing(standing) => {
                self.sync.heard_of(from, standing.height);
                Response::Standing(self.standing())
            }
            Request::Blocks { locator, max } => {
                let count = usize::from(max).min(MAX_BLOCKS);
                let blocks = self.chain.blocks_after(&locator, count, GIVE_BYTES)?;
                Response::Blocks(blocks.iter().map(VerifiedBlock::to_block).collect())
            }
        };
        out.push(Effect::Respond { token, response });
        Ok(())
    }

    pub(super) fn on_response(
        &mut self,
        now: Time,
        from: PeerId,
        id: RequestId,
        result: Result<Response, String>,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        match (self.sync.questions.remove(&id), result) {
            (Some(Question::Standing), Ok(Response::Standing(standing))) => {
                self.sync.heard_of(from, standing.height);
                self.ask_for_blocks(now, out)?;
            }
            (Some(Question::Blocks), Ok(Response::Blocks(blocks))) if !blocks.is_empty() => {
                let blocks = blocks.into_iter().map(UnverifiedBlock::from).collect();
                self.check_synced(now, from, blocks, out)?;
            }
            // The other has nothing for us: no fault of its own, our chains may have met meanwhile.
            (Some(Question::Blocks), Ok(Response::Blocks(_))) => self.done_with(now, from, out)?,
            (Some(Question::Blocks), _) => self.give_up_on(now, from, out)?,
            (Some(Question::Standing) | None, _) => {}
        }
        Ok(())
    }

    /// A peer gave no answer, or a bad one: it rests, and another is asked.
    fn give_up_on(
        &mut self,
        now: Time,
        peer: PeerId,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        self.sync.rest(peer, now);
        self.done_with(now, peer, out)
    }

    /// A peer has nothing more to give, whatever it told of its height before.
    fn done_with(
        &mut self,
        now: Time,
        peer: PeerId,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        if let Some(known) = self.sync.peers.get_mut(&peer) {
            known.height = Some(self.chain.ends().height);
        }
        self.sync.resume = None;
        self.sync.no_longer_from(peer);
        self.ask_for_blocks(now, out)
    }

    fn check_synced(
        &mut self,
        now: Time,
        peer: PeerId,
        blocks: Vec<UnverifiedBlock>,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let mut checked = Vec::with_capacity(blocks.len());
        for block in blocks {
            self.trace_synced(&block, peer, out);
            match block.check_form(self.chain.rules(), |id| self.known_tx(id)) {
                Ok(block) => checked.push(block),
                Err(_) => break,
            }
        }
        if checked.is_empty() {
            return self.give_up_on(now, peer, out);
        }
        let job = self.jobs.start(Job::Sync { peer });
        out.push(Effect::Check { job, work: Work::Blocks(checked) });
        Ok(())
    }

    fn trace_synced(&mut self, block: &UnverifiedBlock, from: PeerId, out: &mut Vec<Effect>) {
        let (id, from) = (block.id().to_string(), from.to_string());
        let (kind, via, bytes) = (Kind::Block, Via::Sync, block.size() as u64);
        out.push(Effect::Trace(match self.sightings.count(block.id().0) {
            1 => Event::Received { kind, id, from, via, bytes, message: None },
            copy => Event::Duplicate { kind, id, from, via, bytes, copy },
        }));
    }

    pub(super) fn on_synced_blocks(
        &mut self,
        now: Time,
        peer: PeerId,
        blocks: Vec<VerifiedBlock>,
        error: Option<BlockError>,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let mut bad = error.is_some();
        let before = self.sync.resume.filter(|(given_by, ..)| *given_by == peer);
        let mut last = None;
        for block in blocks {
            let (id, height) = (block.id(), block.height());
            match self.import_block(now, block, out)? {
                Import::Tip(_) | Import::Side | Import::Known => last = Some((peer, id, height)),
                Import::Orphan { .. } | Import::Refused(_) => {
                    bad = true;
                    break;
                }
            }
            self.sync.heard_of(peer, height);
        }
        if bad {
            return self.give_up_on(now, peer, out);
        }
        let came_on = match (last, before) {
            (Some((.., height)), Some((.., before))) => height > before,
            (last, _) => last.is_some(),
        };
        if !came_on {
            return self.done_with(now, peer, out);
        }
        self.sync.resume = last;
        self.sync.no_longer_from(peer);
        self.ask_for_blocks(now, out)
    }
}
