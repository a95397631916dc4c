//! Catching up: knowing where peers stand, and fetching a branch that is better than ours, headers
//! first, then bodies from several peers at once.
//!
//! What needs no chain (the plan of a branch, and what is known of each peer) is in
//! `hearsay_network::sync`; this is where it meets the chain.

mod bodies;
mod fetch;
mod headers;
mod owed;
mod progress;
mod requests;

use std::collections::BTreeMap;

use hearsay_chain::fork_choice::Candidate;
use hearsay_chain::{Store, StoreError};
use hearsay_network::choice::{Chooser, Strategy};
use hearsay_network::members::Load;
use hearsay_network::sync::Peers;
use hearsay_network::{PeerId, RequestId};

use super::input::Time;
use super::jobs::Gift;
use super::{Effect, Engine, peer_event};
use crate::api::SyncStatus;
use crate::trace::event::{Event, PeerState};
use fetch::Fetch;
use owed::Owed;
use progress::Progress;
pub(super) use requests::Question;

/// How often one peer is asked where it stands, so that a block that gossip lost is noticed.
const POLL_US: u64 = 3_000_000;

/// How long after the last thing that came this node counts as catching up.
const PATIENCE_US: u64 = 3_000_000;

/// What catching up has come to.
#[derive(Debug)]
pub(super) struct Sync {
    peers: Peers,
    owed: Owed,
    questions: BTreeMap<RequestId, Question>,
    next_request: u64,
    /// The branch that is being fetched.
    fetch: Option<Fetch>,
    /// Counts the branches, so that what comes for an earlier one is known as such.
    generation: u64,
    progress: Progress,
    next_poll: u64,
    polled: Option<PeerId>,
}

impl Sync {
    pub(super) fn new(strategy: Strategy, seed: u64) -> Self {
        Self {
            peers: Peers::new(Chooser::new(strategy, seed)),
            owed: Owed::default(),
            questions: BTreeMap::new(),
            next_request: 0,
            fetch: None,
            generation: 0,
            progress: Progress::default(),
            next_poll: 0,
            polled: None,
        }
    }

    /// Notes that a peer sent a block.
    pub(super) fn heard_of(&mut self, peer: &PeerId, block: Candidate) {
        self.peers.has(peer, block);
    }

    /// Whether any peer has said where it stands.
    pub(super) fn has_met_anybody(&self) -> bool {
        self.peers.any_stands()
    }

    /// Whether this node is catching up and comes on: signed headers say that it is behind. A height
    /// is only a claim, and keeps nobody from proposing.
    pub(super) fn is_behind(&self, height: u64, now: Time) -> bool {
        // One block less is the normal state of affairs while a block is on its way.
        self.fetch.as_ref().is_some_and(|fetch| {
            fetch.moved
                && now.mono_us < fetch.moved_at.saturating_add(PATIENCE_US)
                && fetch.headers() > height.saturating_add(1)
        })
    }

    /// Whether somebody claims to be well ahead. Enough for a node that has just started to wait.
    pub(super) fn may_be_behind(&self, height: u64) -> bool {
        self.peers.best_claim().is_some_and(|claim| claim.height > height.saturating_add(1))
    }

    pub(super) fn peer_count(&self) -> u64 {
        self.peers.count() as u64
    }

    pub(super) fn status(&self, height: u64) -> Option<SyncStatus> {
        let target = self.target().filter(|target| *target > height.saturating_add(1))?;
        let fetch = self.fetch.as_ref()?;
        let per_second = self.progress.per_second();
        let left = target.saturating_sub(height) as f64;
        Some(SyncStatus {
            target,
            headers: fetch.headers().max(height),
            height,
            per_second,
            left_s: (per_second > 0.0).then(|| left / per_second),
            peer: Some(fetch.guide.to_string()),
        })
    }

    fn target(&self) -> Option<u64> {
        // What a peer claims may be a lie; headers are signed.
        let claimed = self.peers.best_claim().map(|claim| claim.height);
        match self.fetch.as_ref().filter(|fetch| fetch.complete) {
            Some(fetch) => Some(fetch.headers()),
            None => claimed,
        }
    }

    /// What a peer gave was checked: if it holds, the peer's speed is known better.
    pub(super) fn gave(&mut self, peer: &PeerId, gift: Gift, holds: bool) {
        if holds {
            self.peers.gave(peer, gift.bytes, gift.micros);
        }
    }

    /// The peer after `last`, round and round.
    pub(super) fn peer_after(&self, last: Option<PeerId>) -> Option<PeerId> {
        self.peers.after(last)
    }

    /// Whether it is connected, and was not sent away.
    pub(super) fn knows(&self, peer: &PeerId) -> bool {
        self.peers.knows(peer)
    }

    /// A peer says how busy it is.
    pub(super) fn loaded(&mut self, peer: &PeerId, load: Load) {
        self.peers.loaded(peer, load);
    }

    /// A peer is being sent away.
    pub(super) fn let_go(&mut self, peer: &PeerId) {
        self.peers.left(peer);
        self.owed.left(peer);
    }

    pub(super) fn may_ask_ids(&mut self, peer: &PeerId, count: usize, now: Time) -> bool {
        self.peers.may_ask_ids(peer, count, now.mono_us)
    }

    pub(super) fn may_offer(&mut self, peer: &PeerId, count: usize, now: Time) -> bool {
        self.peers.may_offer(peer, count, now.mono_us)
    }

    /// Whether a peer may ask for transactions of a block. To be asked before anything is read.
    pub(super) fn may_ask_block(&mut self, peer: &PeerId, now: Time) -> bool {
        self.owed.may_ask_block(&mut self.peers, peer, now)
    }

    /// Whether it may have what so many bytes were read or encoded for.
    pub(super) fn may_have_block_bytes(&mut self, peer: &PeerId, bytes: usize, now: Time) -> bool {
        self.owed.may_have_block_bytes(&mut self.peers, peer, bytes, now)
    }

    fn may_ask_bodies(&mut self, peer: &PeerId, count: usize, now: Time) -> bool {
        self.owed.may_ask_bodies(&mut self.peers, peer, count, now)
    }

    fn may_have_bodies(&mut self, peer: &PeerId, bytes: usize, now: Time) -> bool {
        self.owed.may_have_bodies(&mut self.peers, peer, bytes, now)
    }
}

impl<S: Store> Engine<S> {
    pub(super) fn on_joined(&mut self, now: Time, peer: PeerId, out: &mut Vec<Effect>) {
        if self.sync.peer_count() == 0 {
            self.unbroadcast.give_gossip_a_turn(now);
        }
        self.sync.peers.joined(peer);
        self.reconcile.joined(now, peer);
        out.push(peer_event(&peer, PeerState::Connected, None));
        self.ask_standing(peer, out);
    }

    pub(super) fn on_left(
        &mut self,
        now: Time,
        peer: PeerId,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        self.sync.let_go(&peer);
        self.unbroadcast.left(&peer);
        self.reconcile.left(&peer);
        out.push(peer_event(&peer, PeerState::Disconnected, None));
        if let Some(fetch) = &mut self.sync.fetch {
            fetch.plan.forget_peer(peer);
            if fetch.guide == peer {
                self.change_guide(now);
            }
        }
        self.advance_sync(now, out)
    }

    pub(super) fn drive_sync(
        &mut self,
        now: Time,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        if now.mono_us >= self.sync.next_poll {
            self.sync.next_poll = now.mono_us.saturating_add(POLL_US);
            self.sync.polled = self.sync.peers.after(self.sync.polled);
            if let Some(peer) = self.sync.polled {
                self.ask_standing(peer, out);
            }
        }
        self.give_up_on_the_late(now);
        self.advance_sync(now, out)?;
        let height = self.chain.ends().height;
        if self.sync.progress.is_due(now.mono_us)
            && let Some(status) = self.sync.status(height)
        {
            out.push(Effect::Trace(Event::Sync {
                target: status.target,
                headers: status.headers,
                height,
                per_second: status.per_second as u64,
            }));
        }
        Ok(())
    }
}
