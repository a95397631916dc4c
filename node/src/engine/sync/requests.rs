//! Requests and responses: each is handed to whom it concerns.
//!
//! Whatever nodes ask each other passes here, with its question while it is out. Of what peers ask,
//! only what they need to catch up is answered here: where this node stands, its headers and bodies.

use hearsay_chain::{BlockId, Store, StoreError, TxId};
use hearsay_network::reconcile::SketchAsked;
use hearsay_network::wire::{MAX_HEADERS, Request, Response, Standing};
use hearsay_network::{PeerId, RequestId};

use super::super::input::{Time, Token};
use super::super::jobs::Offering;
use super::super::{Effect, Engine};
use super::Sync;

/// Bytes of bodies given at once: they must be whole before any of them is checked, so more would
/// only make the asker wait.
const GIVE_BYTES: usize = 1 << 20;

/// A question that is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Question {
    Standing,
    Headers {
        generation: u64,
    },
    Bodies {
        generation: u64,
        first: u64,
        since: u64,
    },
    /// Which of some transactions the peer has.
    Have,
    /// Whether it takes some.
    Offer,
    /// Whether it takes this one, or has taken it.
    Forward(TxId),
    /// For what a compact block lacks.
    Block(BlockId),
    /// For symbols of its pool, or for what they said is there.
    Reconcile,
}

impl Sync {
    pub(in crate::engine) fn question(&mut self, question: Question) -> RequestId {
        let id = RequestId(self.next_request);
        self.next_request += 1;
        self.questions.insert(id, question);
        id
    }
}

impl<S: Store> Engine<S> {
    fn standing(&self) -> Standing {
        let ends = self.chain.ends();
        Standing {
            genesis: self.chain.rules().id(),
            tip: ends.tip,
            height: ends.height,
            final_height: ends.final_height,
            first_body: self.chain.first_body(),
        }
    }

    pub(in crate::engine) fn ask_standing(&mut self, peer: PeerId, out: &mut Vec<Effect>) {
        let id = self.sync.question(Question::Standing);
        out.push(Effect::Ask { peer, id, request: Request::Standing(self.standing()) });
    }

    pub(in crate::engine) fn on_request(
        &mut self,
        now: Time,
        from: PeerId,
        request: Request,
        token: Token,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let (sync, us) = (&mut self.sync, now.mono_us);
        let may = match &request {
            Request::Standing(_) => sync.peers.may_ask_standing(&from, us),
            Request::Headers { max, .. } => {
                sync.peers.may_ask_headers(&from, usize::from(*max), us)
            }
            Request::Bodies(ids) => sync.may_ask_bodies(&from, ids.len(), now),
            // Each of the others has an allowance where it is answered.
            _ => true,
        };
        if !may {
            out.push(Effect::Ignore { token });
            return Ok(());
        }
        let response = match request {
            Request::Standing(standing) => {
                if !self.is_of_this_network(now, &from, &standing, out) {
                    out.push(Effect::Ignore { token });
                    return Ok(());
                }
                self.sync.peers.stands(&from, &standing);
                Response::Standing(self.standing())
            }
            Request::Headers { locator, max } => {
                let max = usize::from(max).min(MAX_HEADERS);
                Response::Headers(self.chain.headers_after(&locator, max)?)
            }
            Request::Bodies(ids) => {
                let (bodies, read) = self.bodies(&ids)?;
                if !self.sync.may_have_bodies(&from, read, now) {
                    out.push(Effect::Ignore { token });
                    return Ok(());
                }
                Response::Bodies(bodies)
            }
            Request::HaveTransactions(ids) => {
                return self.on_have_request(now, from, &ids, token, out);
            }
            Request::OfferTransactions(offered) => {
                return self.on_offer(now, from, &offered, Offering::Repair, token, out);
            }
            Request::TakeTransaction(data) => {
                return self.on_offer(now, from, &[data], Offering::HandedOn, token, out);
            }
            Request::BlockTransactions { block, places } => {
                return self.on_block_request(now, from, block, places, token, out);
            }
            Request::Sketch { key, part, from: first, count } => {
                let asked = SketchAsked { key, part, from: first, count };
                self.on_sketch_request(now, from, asked, token, out);
                return Ok(());
            }
            Request::Named { key, names } => {
                self.on_named_request(now, from, key, &names, token, out);
                return Ok(());
            }
        };
        out.push(Effect::Respond { token, response });
        self.advance_sync(now, out)
    }

    /// Whether a peer stands on the same genesis. The protocol's name says so already, so that one that
    /// says otherwise lies.
    fn is_of_this_network(
        &mut self,
        now: Time,
        from: &PeerId,
        standing: &Standing,
        out: &mut Vec<Effect>,
    ) -> bool {
        let same = standing.genesis == self.chain.rules().id();
        if !same {
            self.penalise(now, *from, "wrong-genesis", out);
        }
        same
    }

    /// The bodies of the first blocks of a list, up to the first that is not here, and the bytes that
    /// were read: also of the one that did not fit any more.
    fn bodies(&self, ids: &[BlockId]) -> Result<(Vec<Vec<u8>>, usize), StoreError> {
        let (mut bodies, mut bytes) = (Vec::new(), 0_usize);
        for id in ids {
            let Some(body) = self.chain.store().body(id)? else { break };
            bytes = bytes.saturating_add(body.len());
            if bytes > GIVE_BYTES && !bodies.is_empty() {
                break;
            }
            bodies.push(body);
        }
        Ok((bodies, bytes))
    }

    pub(in crate::engine) fn on_response(
        &mut self,
        now: Time,
        from: PeerId,
        id: RequestId,
        result: Result<Response, String>,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        match (self.sync.questions.remove(&id), result) {
            (Some(Question::Standing), Ok(Response::Standing(standing))) => {
                if self.is_of_this_network(now, &from, &standing, out) {
                    self.sync.peers.stands(&from, &standing);
                    self.on_partner_stands(now, &from, standing.tip, out);
                }
            }
            (Some(Question::Headers { generation }), result) => {
                self.on_headers(now, (generation, from), result, out);
            }
            (Some(Question::Bodies { generation, first, since }), result) => {
                self.on_bodies(now, (generation, first, since), (from, id), result, out);
            }
            (Some(Question::Have), result) => self.on_have(now, (from, id), result, out),
            (Some(Question::Offer), result) => self.on_offered(now, &result),
            (Some(Question::Forward(tx)), result) => {
                self.on_forwarded(now, (from, id), tx, result, out)?;
            }
            (Some(Question::Block(block)), result) => {
                self.on_block_response(now, (from, id), block, result, out)?;
            }
            (Some(Question::Reconcile), result) => {
                self.on_reconcile_response(now, (from, id), result, out)?;
            }
            (Some(Question::Standing) | None, _) => {}
        }
        self.advance_sync(now, out)
    }
}
