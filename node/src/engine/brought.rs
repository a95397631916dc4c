//! Transactions that a node hears of by a block alone, for the log: without it they would count as
//! never delivered.

use hearsay_chain::block::Header;
use hearsay_chain::{Store, TxId, UnverifiedTx, VerifiedBlock, VerifiedTx};
use hearsay_network::PeerId;

use super::input::Time;
use super::{Effect, Engine};
use crate::trace::event::Via;

/// A transaction of a block, and how it came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Brought {
    pub(super) id: TxId,
    pub(super) bytes: usize,
    pub(super) from: PeerId,
    pub(super) via: Via,
}

impl<S: Store> Engine<S> {
    /// Writes down those of a block's transactions that were not heard of before: each as received,
    /// so that what gossip brings of it later is a duplicate. Of those that are known nothing is
    /// said, as the block's copy of them is the block's. Nor is it of an old block's: see
    /// [`Engine::is_news`].
    pub(super) fn trace_brought(
        &mut self,
        now: Time,
        header: &Header,
        brought: impl IntoIterator<Item = Brought>,
        out: &mut Vec<Effect>,
    ) {
        if !self.is_news(now, header) {
            return;
        }
        for Brought { id, bytes, from, via } in brought {
            // What came before a restart is in the pool, and its sightings are forgotten.
            if !self.sightings.has(&id.0) && !self.pool.contains(&id) {
                self.trace_handed(id, bytes, from, via, out);
            }
        }
    }

    /// The same of a block that came whole from one peer.
    pub(super) fn trace_whole(
        &mut self,
        now: Time,
        block: &VerifiedBlock,
        (from, via): (PeerId, Via),
        out: &mut Vec<Effect>,
    ) {
        let one = |tx: &VerifiedTx| Brought { id: tx.id(), bytes: tx.size(), from, via };
        self.trace_brought(now, block.header(), block.transactions().iter().map(one), out);
    }

    /// The same of one whose transactions are not checked yet, but have the root that its header is
    /// signed for.
    pub(super) fn trace_unverified(
        &mut self,
        now: Time,
        (header, transactions): (&Header, &[UnverifiedTx]),
        (from, via): (PeerId, Via),
        out: &mut Vec<Effect>,
    ) {
        let one = |tx: &UnverifiedTx| Brought { id: tx.id(), bytes: tx.size(), from, via };
        self.trace_brought(now, header, transactions.iter().map(one), out);
    }
}
