//! Peers that ask for transactions of a block.

use hearsay_chain::{BlockId, Store, StoreError, UnverifiedTx, VerifiedTx, codec};
use hearsay_network::PeerId;
use hearsay_network::wire::Response;

use super::super::input::{Time, Token};
use super::super::{Effect, Engine};
use super::rebuilding::Waiting;

/// Bytes of transactions given at once: a mebibyte, as with bodies. The rest is asked for again.
pub(super) const GIVE_BYTES: usize = 1 << 20;

/// An answer in the making.
#[derive(Debug, Default)]
pub(super) struct Served {
    given: Vec<Vec<u8>>,
    bytes: usize,
}

impl Served {
    /// Adds one; says whether there is room for more.
    fn add(&mut self, tx: &UnverifiedTx) -> bool {
        if self.bytes.saturating_add(tx.size()) > GIVE_BYTES && !self.given.is_empty() {
            return false;
        }
        self.bytes = self.bytes.saturating_add(tx.size());
        self.given.push(codec::encode(tx.transaction()));
        true
    }
}

/// What a list of transactions has at some places, from the first on, as much as is given at once.
/// None if one of the places is beyond its end, or they are not in order.
fn at_places(transactions: &[VerifiedTx], places: &[u32]) -> Option<Served> {
    if !are_places(places, transactions.len()) {
        return None;
    }
    let mut served = Served::default();
    for place in places {
        let tx = transactions.get(*place as usize)?;
        if !served.add(&tx.to_unverified()) {
            break;
        }
    }
    Some(served)
}

fn are_places(places: &[u32], count: usize) -> bool {
    let ascending = places.is_sorted_by(|a, b| a < b);
    ascending && places.last().is_some_and(|last| (*last as usize) < count)
}

impl<S: Store> Engine<S> {
    /// A peer asks for transactions of a block. If this node is putting it together itself, the peer
    /// is answered as soon as it has them: it would else ask elsewhere for what is on its way here.
    pub(in crate::engine) fn on_block_request(
        &mut self,
        now: Time,
        from: PeerId,
        block: BlockId,
        places: Vec<u32>,
        token: Token,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        // Before anything is looked for: nobody learns for nothing whether a block is here.
        if !self.sync.may_ask_block(&from, now) {
            out.push(Effect::Ignore { token });
            return Ok(());
        }
        if let Some(transactions) = self.compact.recent.get(&block) {
            let served = at_places(transactions, &places);
            self.serve(now, from, token, served, out);
            return Ok(());
        }
        if let Some(rebuilding) = self.compact.rebuilding.get_mut(&block) {
            let rebuild = &rebuilding.rebuild;
            if !are_places(&places, rebuild.count()) {
                self.serve(now, from, token, None, out);
                return Ok(());
            }
            if places.iter().any(|place| rebuild.at(*place).is_none()) {
                if !rebuilding.wait(Waiting { peer: from, token, places }) {
                    out.push(Effect::Ignore { token });
                }
                return Ok(());
            }
            let mut served = Served::default();
            let here = places.iter().map_while(|place| rebuild.at(*place));
            here.take_while(|tx| served.add(tx)).for_each(drop);
            self.serve(now, from, token, Some(served), out);
            return Ok(());
        }
        let Some(body) = self.chain.store().body(&block)? else {
            out.push(Effect::Respond { token, response: Response::Transactions(Vec::new()) });
            return Ok(());
        };
        if !self.sync.may_have_block_bytes(&from, body.len(), now) {
            out.push(Effect::Ignore { token });
            return Ok(());
        }
        let kept = self.chain.store().block(&block)?;
        let served = kept.and_then(|block| at_places(block.transactions(), &places));
        self.serve(now, from, token, served, out);
        Ok(())
    }

    /// Answers, if the peer may have so much and what it asks for is there.
    fn serve(
        &mut self,
        now: Time,
        peer: PeerId,
        token: Token,
        served: Option<Served>,
        out: &mut Vec<Effect>,
    ) {
        let may = |it: &Served| self.sync.may_have_block_bytes(&peer, it.bytes, now);
        out.push(match served.filter(may) {
            Some(Served { given, .. }) => {
                Effect::Respond { token, response: Response::Transactions(given) }
            }
            None => Effect::Ignore { token },
        });
    }

    /// Answers those that waited for a block that is whole now.
    pub(super) fn serve_waiting(
        &mut self,
        now: Time,
        waiting: Vec<Waiting>,
        transactions: &[UnverifiedTx],
        out: &mut Vec<Effect>,
    ) {
        for Waiting { peer, token, places } in waiting {
            let mut served = Served::default();
            let at = places.iter().map_while(|place| transactions.get(*place as usize));
            at.take_while(|tx| served.add(tx)).for_each(drop);
            self.serve(now, peer, token, Some(served), out);
        }
    }
}
