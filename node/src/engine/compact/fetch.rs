//! Asking for what a block lacks: first whoever delivered it, then others that sent it, then anybody;
//! and if they do not give it, for all of its body.

use hearsay_chain::{BlockError, BlockId, Store, StoreError, UnverifiedTx, VerifiedBlock};
use hearsay_network::compact::Gift;
use hearsay_network::wire::{MAX_PLACES, Request, Response};
use hearsay_network::{PeerId, RequestId};

use super::super::input::Time;
use super::super::jobs::Job;
use super::super::sync;
use super::super::work::Work;
use super::super::{Effect, Engine};
use super::rebuilding::{Asked, Question, Rebuilding};
use super::serve::GIVE_BYTES;
use crate::trace::event::{Event, Kind};

/// A peer that has not given parts after this long is passed over, in microseconds: the longest way
/// there and back on the Earth takes about that. What it gives later is taken all the same.
const PARTS_LATE_US: u64 = 300_000;

/// The same for a whole body: what a link of 4 Mbit/s takes for a mebibyte.
const BODY_LATE_US: u64 = 2_000_000;

/// Peers that are asked for parts of one block, and after them for all of it.
const MAX_TURNS: usize = 3;

/// Questions about blocks that are out at once, those that are late not counted: each may bring a
/// mebibyte.
const MAX_OPEN: usize = 8;

/// A block that is not whole after this long is given up. Once somebody's tip is beyond it, it comes
/// with the branch.
const MAX_AGE_US: u64 = 10_000_000;

impl Question {
    fn is_late(&self, now: u64) -> bool {
        let patience = match self.asked {
            Asked::Parts(_) => PARTS_LATE_US,
            Asked::Body => BODY_LATE_US,
        };
        now >= self.since.saturating_add(patience)
    }
}

impl Rebuilding {
    /// Whether somebody was asked who may yet answer in time.
    fn is_asking(&self, now: u64) -> bool {
        self.questions.iter().any(|question| !question.is_late(now))
    }
}

impl<S: Store> Engine<S> {
    /// Does what can be done next about one block.
    pub(super) fn advance_rebuilding(
        &mut self,
        now: Time,
        id: BlockId,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let Some(rebuilding) = self.compact.rebuilding.get(&id) else { return Ok(()) };
        if rebuilding.checking {
            return Ok(());
        }
        let missing = rebuilding.rebuild.missing();
        if missing.is_empty() {
            return self.finish(now, id, out);
        }
        self.ask(now, id, missing, out);
        Ok(())
    }

    /// Passes over those that are late, and gives up what nobody gave.
    pub(in crate::engine) fn drive_compact(
        &mut self,
        now: Time,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let ids: Vec<BlockId> = self.compact.rebuilding.iter().map(Rebuilding::id).collect();
        for id in ids {
            let Some(rebuilding) = self.compact.rebuilding.get(&id) else { continue };
            if rebuilding.checking {
                continue;
            }
            let is_old = now.since(rebuilding.since) >= MAX_AGE_US;
            // It may have come another way.
            let is_here = self.chain.contains(&id)?;
            if !is_old && !is_here {
                self.advance_rebuilding(now, id, out)?;
            } else if let Some(rebuilding) = self.compact.rebuilding.remove(&id) {
                if is_here {
                    Self::let_go(rebuilding, out);
                } else {
                    self.give_up(now, rebuilding, "late", out);
                }
            }
        }
        Ok(())
    }

    /// Lets go of a block that came to nothing, and writes down why.
    pub(super) fn give_up(
        &mut self,
        now: Time,
        rebuilding: Rebuilding,
        reason: &str,
        out: &mut Vec<Effect>,
    ) {
        out.push(Effect::Trace(Event::GivenUp {
            kind: Kind::Block,
            id: rebuilding.id().to_string(),
            reason: reason.to_owned(),
            transactions: rebuilding.rebuild.count() as u64,
            missing: rebuilding.rebuild.missing().len() as u64,
            took_us: now.since(rebuilding.since),
        }));
        self.compact.given_up.put(rebuilding.id(), ());
        Self::let_go(rebuilding, out);
    }

    /// Those that still wait for it may ask elsewhere, or once more.
    pub(super) fn let_go(rebuilding: Rebuilding, out: &mut Vec<Effect>) {
        for waiting in rebuilding.waiting {
            out.push(Effect::Ignore { token: waiting.token });
        }
    }

    fn ask(&mut self, now: Time, id: BlockId, missing: Vec<u32>, out: &mut Vec<Effect>) {
        let us = now.mono_us;
        let questions = self.compact.rebuilding.iter().flat_map(|it| &it.questions);
        let open = questions.filter(|question| !question.is_late(us)).count();
        let Some(rebuilding) = self.compact.rebuilding.get(&id) else { return };
        if open >= MAX_OPEN || rebuilding.is_asking(us) {
            return;
        }
        let next = |had: &[PeerId]| (had.len() < MAX_TURNS).then(|| self.peer_for(rebuilding, had));
        let parts = next(&rebuilding.asked_parts).flatten();
        let body = || next(&rebuilding.asked_body).flatten();
        let (peer, asked) = match parts {
            Some(peer) => {
                let places = missing.into_iter().take(MAX_PLACES).collect();
                (peer, Asked::Parts(places))
            }
            None => match body() {
                Some(peer) => (peer, Asked::Body),
                None => return,
            },
        };
        let request = match &asked {
            Asked::Parts(places) => {
                Request::BlockTransactions { block: id, places: places.clone() }
            }
            Asked::Body => Request::Bodies(vec![id]),
        };
        let request_id = self.sync.question(sync::Question::Block(id));
        let Some(rebuilding) = self.compact.rebuilding.get_mut(&id) else { return };
        match &asked {
            Asked::Parts(_) => rebuilding.asked_parts.push(peer),
            Asked::Body => rebuilding.asked_body.push(peer),
        }
        rebuilding.questions.push(Question { id: request_id, since: us, asked });
        out.push(Effect::Ask { peer, id: request_id, request });
    }

    /// Whose turn it is: of whoever delivered the block, of another that sent it, or of anybody.
    fn peer_for(&self, rebuilding: &Rebuilding, had: &[PeerId]) -> Option<PeerId> {
        let may = |peer: &PeerId| !had.contains(peer) && self.sync.knows(peer);
        let mut sent = std::iter::once(&rebuilding.from).chain(&rebuilding.senders);
        if let Some(peer) = sent.find(|peer| may(peer)) {
            return Some(*peer);
        }
        let first = self.sync.peer_after(Some(rebuilding.from));
        let round = std::iter::successors(first, |peer| self.sync.peer_after(Some(*peer)));
        let count = usize::try_from(self.sync.peer_count()).unwrap_or(usize::MAX);
        round.take(count).find(may)
    }

    /// A peer answered a question about a block, or did not.
    pub(in crate::engine) fn on_block_response(
        &mut self,
        now: Time,
        (from, request): (PeerId, RequestId),
        block: BlockId,
        result: Result<Response, String>,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let Some(rebuilding) = self.compact.rebuilding.get_mut(&block) else { return Ok(()) };
        let at = rebuilding.questions.iter().position(|question| question.id == request);
        let Some(question) = at.map(|at| rebuilding.questions.swap_remove(at)) else {
            return Ok(());
        };
        if rebuilding.checking {
            return Ok(());
        }
        match (question.asked, result) {
            (Asked::Parts(places), Ok(Response::Transactions(given))) => {
                self.take_parts(now, block, from, &places, &given, out);
            }
            (Asked::Body, Ok(Response::Bodies(bodies))) if bodies.len() <= 1 => {
                if let Some(body) = bodies.into_iter().next() {
                    self.check_body(block, from, body, out);
                }
            }
            (_, Ok(_)) => self.penalise(now, from, "wrong-answer", out),
            // It does not have it, or has had enough of questions.
            (_, Err(_)) => {}
        }
        for gone in self.compact.rebuilding.within_bounds(&block) {
            self.give_up(now, gone, "room", out);
        }
        self.advance_rebuilding(now, block, out)
    }

    /// A peer gave the first of what it was asked for. What is no transaction it cannot have from
    /// anybody. If one has another name than the place, the proposer may have lied as well: that is
    /// seen when the block is whole.
    fn take_parts(
        &mut self,
        now: Time,
        block: BlockId,
        from: PeerId,
        places: &[u32],
        given: &[Vec<u8>],
        out: &mut Vec<Effect>,
    ) {
        let Some(rebuilding) = self.compact.rebuilding.get_mut(&block) else { return };
        if given.len() > places.len() {
            return self.penalise(now, from, "wrong-answer", out);
        }
        let mut bytes = 0_usize;
        for (place, data) in places.iter().zip(given) {
            bytes = bytes.saturating_add(data.len());
            match UnverifiedTx::decode(data) {
                Ok(tx) => match rebuilding.rebuild.give(*place, tx) {
                    Gift::Taken => drop(rebuilding.givers.insert(*place, from)),
                    Gift::Unwanted => {}
                    Gift::Misnamed => {
                        if !rebuilding.misnaming.contains(&from) {
                            rebuilding.misnaming.push(from);
                        }
                        return;
                    }
                },
                Err(_) => return self.penalise(now, from, "wrong-answer", out),
            }
        }
        // It had more than fits an answer, and goes on giving.
        if given.len() < places.len() && bytes > GIVE_BYTES / 2 {
            rebuilding.asked_parts.retain(|peer| *peer != from);
        }
    }

    /// A peer gave all of a block. It is decoded and checked where signatures are.
    fn check_body(&mut self, block: BlockId, from: PeerId, body: Vec<u8>, out: &mut Vec<Effect>) {
        let rules = self.chain.rules().clone();
        let Some(rebuilding) = self.compact.rebuilding.get_mut(&block) else { return };
        rebuilding.checking = true;
        let parts = vec![(rebuilding.header.clone(), body)];
        let bytes = parts.iter().map(|(_, body)| body.len()).sum();
        let job = self.jobs.start(Job::Body { id: block, from, bytes });
        out.push(Effect::Check { job, work: Work::Bodies(rules, parts) });
    }

    /// A body that a peer gave was checked.
    pub(in crate::engine) fn on_checked_body(
        &mut self,
        now: Time,
        (id, from): (BlockId, PeerId),
        blocks: Vec<VerifiedBlock>,
        error: Option<BlockError>,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        match (blocks.into_iter().next(), error) {
            (Some(block), _) => self.finish_with_body(now, block, from, out),
            // The header is signed for a transaction that never holds.
            (None, Some(error @ BlockError::Transaction { .. })) => {
                self.on_bad_body(id, &error, out);
                Ok(())
            }
            (None, _) => {
                self.penalise(now, from, "false-bodies", out);
                if let Some(rebuilding) = self.compact.rebuilding.get_mut(&id) {
                    rebuilding.checking = false;
                }
                self.advance_rebuilding(now, id, out)
            }
        }
    }
}
