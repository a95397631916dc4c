//! What peers are told that compare their pool with this one.

use hearsay_chain::Store;
use hearsay_network::PeerId;
use hearsay_network::reconcile::SketchAsked;
use hearsay_network::short_id::ShortKey;
use hearsay_network::wire::Response;

use super::{Engine, HANDED_US};
use crate::engine::Effect;
use crate::engine::input::{Time, Token};

/// Bytes of transactions given in one answer: they must be whole before any of them is checked.
const GIVE_BYTES: usize = 1 << 20;

impl<S: Store> Engine<S> {
    /// A peer asks for symbols of this pool.
    pub(in crate::engine) fn on_sketch_request(
        &mut self,
        now: Time,
        from: PeerId,
        asked: SketchAsked,
        token: Token,
        out: &mut Vec<Effect>,
    ) {
        let us = now.mono_us;
        if asked.from == 0 && !self.yields_to(&from, asked.key) {
            out.push(Effect::Ignore { token });
            return;
        }
        let pool = (self.pool.len(), || self.pool.ids());
        let Some((size, symbols)) = self.reconcile.answerer.sketch(us, from, asked, pool) else {
            out.push(Effect::Ignore { token });
            return;
        };
        // While it does, it is not asked in turn.
        self.reconcile.partners.served(&from, us);
        out.push(Effect::Respond { token, response: Response::Sketch { size, symbols } });
    }

    /// Whether a peer may begin a comparison now. Two that begin at once would find the same
    /// difference and send all of it twice, so the one with the smaller key gives way, and one that
    /// is further on does not.
    fn yields_to(&mut self, peer: &PeerId, key: ShortKey) -> bool {
        let with_peer = self.reconcile.round.as_ref().filter(|round| round.is_with(peer));
        let Some(round) = with_peer else { return true };
        let gives_way = round.gives_way_to(key);
        if gives_way {
            self.reconcile.round = None;
        }
        gives_way
    }

    /// A peer asks for transactions by their names under the key of its comparison. What gossip is
    /// still bringing is left out.
    pub(in crate::engine) fn on_named_request(
        &mut self,
        now: Time,
        from: PeerId,
        key: ShortKey,
        names: &[u64],
        token: Token,
        out: &mut Vec<Effect>,
    ) {
        let us = now.mono_us;
        let Some(ids) = self.reconcile.answerer.named(us, &from, key, names) else {
            out.push(Effect::Ignore { token });
            return;
        };
        let (mut given, mut transactions, mut bytes) = (Vec::new(), Vec::new(), 0_usize);
        for id in ids {
            if self.is_young_or_gone(now, &id) {
                continue;
            }
            let Some(tx) = self.pool.get(&id) else { continue };
            bytes = bytes.saturating_add(tx.size());
            if bytes > GIVE_BYTES && !given.is_empty() {
                break;
            }
            given.push(id);
            transactions.push(tx.encode());
        }
        if !self.reconcile.answerer.may_give(us, &from, bytes) {
            out.push(Effect::Ignore { token });
            return;
        }
        self.reconcile.partners.served(&from, us);
        for id in given {
            self.reconcile.partners.note_handed(&from, id, us.saturating_add(HANDED_US), us);
        }
        out.push(Effect::Respond { token, response: Response::Transactions(transactions) });
    }
}
