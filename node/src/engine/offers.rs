//! Peers that ask which transactions are here, and that hand over such as are not.

use hearsay_chain::{Judged, Store, StoreError, TxId, UnverifiedTx};
use hearsay_network::PeerId;
use hearsay_network::wire::{Response, pack};

use super::input::{Time, Token};
use super::jobs::{Offering, Owner};
use super::{Effect, Engine};
use crate::trace::event::{Event, Kind, Via};

impl<S: Store> Engine<S> {
    /// A peer asks which of these are here.
    pub(super) fn on_have_request(
        &mut self,
        now: Time,
        from: PeerId,
        ids: &[TxId],
        token: Token,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        if !self.sync.may_ask_ids(&from, ids.len(), now) {
            out.push(Effect::Ignore { token });
            return Ok(());
        }
        let mut has = Vec::with_capacity(ids.len());
        for id in ids {
            has.push(self.pool.contains(id) || self.chain.find_transaction(id)?.is_some());
        }
        let response = Response::HaveTransactions(pack(&has));
        out.push(Effect::Respond { token, response });
        Ok(())
    }

    /// A peer hands transactions over. Each is checked as if gossip had brought it; there is no
    /// gossip that waits for a verdict, so this node introduces what it takes.
    pub(super) fn on_offer(
        &mut self,
        now: Time,
        from: PeerId,
        offered: &[Vec<u8>],
        offering: Offering,
        token: Token,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        if !self.sync.may_offer(&from, offered.len(), now) {
            out.push(Effect::Ignore { token });
            return Ok(());
        }
        out.push(Effect::Respond { token, response: Response::Offered });
        for data in offered {
            if !self.sync.knows(&from) {
                break;
            }
            match UnverifiedTx::decode(data) {
                Ok(tx) => {
                    self.trace_handed(tx.id(), data.len(), from, Via::Fetch, out);
                    let owner = Owner::Offer { from, taken: now, offering };
                    self.take_transaction(now, tx, owner, out)?;
                }
                Err(error) => self.penalise(now, from, error.reason(), out),
            }
        }
        Ok(())
    }

    /// Writes down that a peer handed one over, by some path.
    pub(super) fn trace_handed(
        &mut self,
        id: TxId,
        bytes: usize,
        from: PeerId,
        via: Via,
        out: &mut Vec<Effect>,
    ) {
        let from = self.names.of(&from);
        let (kind, bytes) = (Kind::Tx, bytes as u64);
        let copy = self.sightings.count(id.0, Some(via));
        let id = id.to_string();
        out.push(Effect::Trace(match copy {
            1 => Event::Received { kind, id, from, via, bytes, message: None },
            copy => Event::Duplicate { kind, id, from, via, bytes, copy },
        }));
    }
}
