//! What follows a comparison: asking for what is lacking here, and offering what the peer lacks.

use hearsay_chain::{Judged, Store, StoreError, UnverifiedTx};
use hearsay_network::PeerId;

use super::HANDED_US;
use crate::engine::input::Time;
use crate::engine::jobs::{Offering, Owner};
use crate::engine::{Effect, Engine};
use crate::trace::event::Via;

impl<S: Store> Engine<S> {
    /// Asks for the next that are lacking here, or offers the next that the peer lacks; ends the round
    /// when there is neither. While much is being checked already, nothing more is asked for.
    pub(super) fn go_on_exchanging(&mut self, now: Time, out: &mut Vec<Effect>) {
        let us = now.mono_us;
        let Some(round) = &mut self.reconcile.round else { return };
        let peer = round.peer();
        if self.jobs.is_busy() {
            return;
        }
        let Some(exchange) = round.exchange() else { return };
        if let Some(request) = exchange.next_names() {
            return self.ask_partner(now, request, out);
        }
        let pool = &self.pool;
        let offer = exchange.next_offer(|id| pool.get(id).map(hearsay_chain::VerifiedTx::encode));
        let Some((ids, request)) = offer else { return self.finish_round(now, out) };
        round.tally().given += ids.len() as u64;
        for id in ids {
            self.reconcile.partners.note_handed(&peer, id, us.saturating_add(HANDED_US), us);
        }
        self.ask_partner(now, request, out);
    }

    /// The peer gave transactions that were asked for: each is checked as if gossip had brought it.
    pub(super) fn on_exchanged(
        &mut self,
        now: Time,
        from: PeerId,
        given: &[Vec<u8>],
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let mut transactions = Vec::with_capacity(given.len());
        for data in given {
            match UnverifiedTx::decode(data) {
                Ok(tx) => transactions.push(tx),
                Err(error) => {
                    self.end_with_fault(now, from, error.reason(), out);
                    return Ok(());
                }
            }
        }
        let Some(round) = &mut self.reconcile.round else { return Ok(()) };
        let ids: Vec<_> = transactions.iter().map(UnverifiedTx::id).collect();
        let asked_for = round.exchange().is_some_and(|exchange| exchange.take(&ids).is_ok());
        if !asked_for {
            self.end_with_fault(now, from, "not-asked-for", out);
            return Ok(());
        }
        round.tally().gained += transactions.len() as u64;
        // A sender's in the order of their nonces, so that none of them has to wait.
        transactions.sort_by_key(|tx| tx.transfer().nonce);
        for tx in transactions {
            if !self.sync.knows(&from) {
                return Ok(());
            }
            self.trace_handed(tx.id(), tx.size(), from, Via::Reconcile, out);
            self.take_transaction(
                now,
                tx,
                Owner::Offer { from, taken: now, offering: Offering::Asked },
                out,
            )?;
        }
        self.go_on_exchanging(now, out);
        Ok(())
    }
}
