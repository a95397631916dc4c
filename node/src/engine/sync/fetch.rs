//! The branch that is being fetched: who gives its headers, what to ask next, and storing what is
//! ready.

use hearsay_chain::chain::Import;
use hearsay_chain::fork_choice::Candidate;
use hearsay_chain::{Judged, Store, StoreError, Verdict};
use hearsay_network::sync::Plan;
use hearsay_network::wire::{MAX_HEADERS, MAX_LOCATOR, Request};
use hearsay_network::{PeerId, RequestId};

use super::super::input::Time;
use super::super::{Effect, Engine};
use super::{Question, Sync};

/// Headers that may be known ahead of what is stored: about 16 MB with their ids. It bounds the
/// memory of a node that catches up, whatever the length of the chain.
const MAX_AHEAD: u64 = 65_536;

/// Blocks stored as one change, and so with one wait for the disk; all else waits meanwhile.
const STORE_AT_ONCE: usize = 64;

/// A peer that has not given headers after this long is passed over.
const HEADERS_LATE_US: u64 = 5_000_000;

/// A chunk that was not given after this long has failed.
const BODIES_LATE_US: u64 = 10_000_000;

/// After this long an idle peer may take over a chunk: several times what one takes on a good link,
/// so that little is fetched twice.
const STEAL_AFTER_US: u64 = 500_000;

/// A branch of which nothing came for this long is given up: longer than any one peer is waited for.
const STALLED_US: u64 = 15_000_000;

/// How long a peer rests that claimed a better tip and had nothing to show for it.
const EMPTY_REST_US: u64 = 5_000_000;

/// How long a peer rests after a failure, and after several in a row.
const SHORT_REST_US: u64 = 1_000_000;
const LONG_REST_US: u64 = 30_000_000;

/// A branch that is being fetched.
#[derive(Debug)]
pub(super) struct Fetch {
    pub(super) generation: u64,
    pub(super) plan: Plan,
    /// The peer that gives the headers.
    pub(super) guide: PeerId,
    /// The request for headers that is out, and since when.
    pub(super) asked: Option<(RequestId, u64)>,
    /// Whether headers are being checked.
    pub(super) checking: bool,
    /// Whether the guide has no more headers to give.
    pub(super) complete: bool,
    /// Whether the headers came from more than one guide: then nobody is blamed for them alone.
    pub(super) mixed: bool,
    /// When it came on last: better headers, checked bodies, or stored blocks.
    pub(super) moved_at: u64,
    /// Whether it ever came on.
    pub(super) moved: bool,
}

impl Fetch {
    /// The height up to which headers are known.
    pub(super) fn headers(&self) -> u64 {
        self.plan.end().height
    }

    /// It came on.
    pub(super) fn moves(&mut self, now: u64) {
        self.moved_at = now;
        self.moved = true;
    }

    /// Whether as many headers are planned as may be.
    fn is_full(&self) -> bool {
        self.plan.len().saturating_add(MAX_HEADERS as u64) > MAX_AHEAD
    }

    fn wants_headers(&self) -> bool {
        self.asked.is_none() && !self.checking && !self.complete && !self.is_full()
    }
}

impl Sync {
    /// Whether blocks are ready that were not stored yet.
    pub(in crate::engine) fn has_more_to_store(&self) -> bool {
        self.fetch.as_ref().is_some_and(|fetch| fetch.plan.has_ready())
    }

    /// The fetch of a generation, if it still goes on.
    pub(super) fn fetch_of(&mut self, generation: u64) -> Option<&mut Fetch> {
        self.fetch.as_mut().filter(|fetch| fetch.generation == generation)
    }

    pub(in crate::engine) fn end_fetch(&mut self) {
        self.fetch = None;
        self.progress.clear();
    }
}

impl<S: Store> Engine<S> {
    /// Does whatever can be done next: stores what is ready, asks for what is missing, and begins
    /// anew when a better branch is claimed.
    pub(in crate::engine) fn advance_sync(
        &mut self,
        now: Time,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        self.store_ready(now, out)?;
        let tip = self.chain.tip();
        let done = self.sync.fetch.as_ref().is_some_and(|fetch| {
            fetch.complete && !fetch.checking && (fetch.plan.is_empty() || fetch.plan.end() <= tip)
        });
        if done {
            if let Some(fetch) = self.sync.fetch.take() {
                self.sync.peers.exhausted(&fetch.guide, fetch.plan.end().max(tip));
                if !fetch.moved {
                    // It claimed more than it gave; the next time is not at once.
                    let until = now.mono_us.saturating_add(EMPTY_REST_US);
                    self.sync.peers.rest(&fetch.guide, until);
                }
            }
            self.sync.end_fetch();
        }
        if self.sync.fetch.is_none() {
            let Some(guide) = self.sync.peers.choose_ahead(tip, now.mono_us) else {
                return Ok(());
            };
            self.begin_fetch(now, guide, tip);
        }
        self.ask_headers(now, out)?;
        self.ask_bodies(now, tip, out);
        Ok(())
    }

    fn begin_fetch(&mut self, now: Time, guide: PeerId, tip: Candidate) {
        self.sync.generation += 1;
        self.sync.fetch = Some(Fetch {
            generation: self.sync.generation,
            plan: Plan::new(tip),
            guide,
            asked: None,
            checking: false,
            complete: false,
            mixed: false,
            moved_at: now.mono_us,
            moved: false,
        });
    }

    /// Another peer is to give the headers; without one, what is known is fetched and that is it.
    pub(super) fn change_guide(&mut self, now: Time) {
        let tip = self.chain.tip();
        let Some(fetch) = &mut self.sync.fetch else { return };
        if let Some((id, _)) = fetch.asked.take() {
            self.sync.questions.remove(&id);
        }
        match self.sync.peers.choose_ahead(tip.max(fetch.plan.end()), now.mono_us) {
            Some(guide) => {
                fetch.mixed |= guide != fetch.guide && !fetch.plan.is_empty();
                fetch.guide = guide;
                fetch.complete = false;
            }
            None => fetch.complete = true,
        }
    }

    fn ask_headers(&mut self, now: Time, out: &mut Vec<Effect>) -> Result<(), StoreError> {
        let Some(fetch) = self.sync.fetch.as_ref().filter(|fetch| fetch.wants_headers()) else {
            return Ok(());
        };
        let (generation, peer) = (fetch.generation, fetch.guide);
        let mut locator = fetch.plan.locator();
        locator.extend(self.chain.locator()?);
        locator.truncate(MAX_LOCATOR);
        let id = self.sync.question(Question::Headers { generation });
        if let Some(fetch) = &mut self.sync.fetch {
            fetch.asked = Some((id, now.mono_us));
        }
        let max = u16::try_from(MAX_HEADERS).unwrap_or(u16::MAX);
        out.push(Effect::Ask { peer, id, request: Request::Headers { locator, max } });
        Ok(())
    }

    /// Asks free peers for chunks, each chosen by the strategy. A branch that does not beat the tip
    /// is not worth its bodies, unless it is so long that its end cannot be known before some are
    /// stored.
    fn ask_bodies(&mut self, now: Time, tip: Candidate, out: &mut Vec<Effect>) {
        let overdue = now.mono_us.saturating_sub(STEAL_AFTER_US);
        let worth = |fetch: &&mut Fetch| fetch.plan.end() > tip || fetch.is_full();
        while let Some(fetch) = self.sync.fetch.as_mut().filter(worth) {
            let plan = &fetch.plan;
            let next = |peer, from, to| plan.next_for(peer, |h| (from..=to).contains(&h), overdue);
            let peers = &mut self.sync.peers;
            let chosen =
                peers.choose_free(now.mono_us, |peer, from, to| next(peer, from, to).is_some());
            let Some(peer) = chosen else { return };
            let Some(heights) = peers.heights(&peer) else { return };
            let Some(ask) = next(peer, *heights.start(), *heights.end()) else { return };
            let (generation, first, since) = (fetch.generation, ask.first, now.mono_us);
            let id = self.sync.question(Question::Bodies { generation, first, since });
            if let Some(fetch) = &mut self.sync.fetch {
                fetch.plan.asked(first, id, peer, now.mono_us);
            }
            self.sync.peers.opened(&peer);
            out.push(Effect::Ask { peer, id, request: Request::Bodies(ask.ids) });
        }
    }

    /// Stores the next blocks that are ready, in the order of their heights.
    fn store_ready(&mut self, now: Time, out: &mut Vec<Effect>) -> Result<(), StoreError> {
        let Some(fetch) = &mut self.sync.fetch else { return Ok(()) };
        let blocks = fetch.plan.take_ready(STORE_AT_ONCE);
        if blocks.is_empty() {
            return Ok(());
        }
        fetch.moves(now.mono_us);
        let (guide, mixed, count) = (fetch.guide, fetch.mixed, blocks.len() as u64);
        let run = match self.import_blocks(now, blocks, out) {
            Ok(run) => run,
            Err(error) => {
                // What was taken from the plan is not stored.
                self.sync.end_fetch();
                return Err(error);
            }
        };
        self.sync.progress.stored(now.mono_us, count);
        let blame = match (&run.import, &run.refused) {
            (_, Some((_, unfit))) => unfit.verdict() == Verdict::Reject,
            (Import::Orphan { .. } | Import::Refused(_), None) => false,
            (Import::Known | Import::Side | Import::Tip(_), None) => return Ok(()),
        };
        // What lies above cannot be stored either.
        self.sync.end_fetch();
        if blame && !mixed {
            self.penalise(now, guide, "invalid-branch", out);
        } else {
            self.sync.peers.rest(&guide, now.mono_us.saturating_add(LONG_REST_US));
        }
        Ok(())
    }

    /// Passes over peers that have not answered in time.
    pub(super) fn give_up_on_the_late(&mut self, now: Time) {
        let Some(fetch) = &mut self.sync.fetch else { return };
        let late = fetch.plan.overdue(now.mono_us.saturating_sub(BODIES_LATE_US));
        for (first, id, peer) in late {
            fetch.plan.failed(first, id);
            self.sync.questions.remove(&id);
            self.sync.peers.closed(&peer);
            self.sync.peers.failed(&peer, now.mono_us, SHORT_REST_US, LONG_REST_US);
        }
        let guide_is_late = fetch
            .asked
            .is_some_and(|(_, since)| now.mono_us >= since.saturating_add(HEADERS_LATE_US));
        let idle = fetch.asked.is_none() && !fetch.checking;
        let patience = if idle { STALLED_US } else { 4 * STALLED_US };
        let stands_still = now.mono_us >= fetch.moved_at.saturating_add(patience);
        if guide_is_late {
            self.guide_failed(now);
        } else if stands_still {
            // Nobody gives what its headers promise: the branch may be gone from the network.
            let guide = fetch.guide;
            self.sync.end_fetch();
            self.rest_for_long(now, &guide);
        }
    }

    pub(super) fn guide_failed(&mut self, now: Time) {
        if let Some(fetch) = &self.sync.fetch {
            let guide = fetch.guide;
            // Where there is another guide, this one has had its turn; alone, it is asked again soon.
            let tip = self.chain.tip();
            let others = self.sync.peers.others_ahead(&guide, tip, now.mono_us);
            let rest = if others { LONG_REST_US } else { SHORT_REST_US };
            self.sync.peers.failed(&guide, now.mono_us, rest, LONG_REST_US);
            self.change_guide(now);
        }
    }

    pub(super) fn body_failed(&mut self, now: Time, peer: &PeerId) {
        self.sync.peers.failed(peer, now.mono_us, SHORT_REST_US, LONG_REST_US);
    }

    pub(super) fn rest_for_long(&mut self, now: Time, peer: &PeerId) {
        self.sync.peers.rest(peer, now.mono_us.saturating_add(LONG_REST_US));
    }
}
