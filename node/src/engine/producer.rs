//! Making a block when the schedule says that it is this node's turn.

use hearsay_chain::block::{BODY_OVERHEAD_BYTES, HEADER_BYTES};
use hearsay_chain::chain::Import;
use hearsay_chain::ledger::{Overlay, apply_transaction};
use hearsay_chain::{Store, StoreError, Turn, VerifiedBlock, VerifiedTx};
use hearsay_network::Topic;

use super::input::Time;
use super::{Effect, Engine};
use crate::trace::event::Origin;

/// A node that has met nobody yet, or somebody who claims to be well ahead, waits this long after its
/// start before it proposes: it may be far behind. After that it is taken to be alone, or lied to.
const ALONE_AFTER_US: u64 = 3_000_000;

impl<S: Store> Engine<S> {
    /// Proposes a block if this is this node's slot and it knows where the others stand.
    pub(super) fn propose(&mut self, now: Time, out: &mut Vec<Effect>) -> Result<(), StoreError> {
        let Some(key) = self.authority.clone() else { return Ok(()) };
        let slot = self.genesis().slot_at(now.unix_ms());
        if slot <= self.proposed || !self.chain.rules().may_propose(slot, &key.public()) {
            return Ok(());
        }
        let has_settled = now.since(self.started) >= ALONE_AFTER_US;
        let height = self.chain.ends().height;
        let waits =
            !has_settled && (!self.sync.has_met_anybody() || self.sync.may_be_behind(height));
        if waits || self.sync.is_behind(height, now) {
            return Ok(());
        }
        let tip = self.chain.tip();
        let tip_slot = self.chain.store().header(&tip.id)?.map_or(0, |tip| tip.fields.slot);
        if slot <= tip_slot {
            return Ok(());
        }
        self.proposed = slot;
        // Made before a restart: a second one would be equivocation.
        if self.chain.store().turn(&Turn { slot, proposer: key.public() })?.is_some() {
            return Ok(());
        }
        let transactions = self.fitting_transactions()?;
        let chain_id = self.chain.rules().chain();
        let block =
            VerifiedBlock::propose(chain_id, (tip.id, tip.height), slot, transactions, &key);
        let (id, data) = (block.id(), self.block_message(now, &block));
        if let Import::Tip(_) | Import::Side = self.import_block(now, block, out)? {
            self.publish(Topic::Block, id.0, data, Origin::Produced, out);
        }
        Ok(())
    }

    /// The pool's best transactions that fit a block and the accounts at the tip.
    fn fitting_transactions(&self) -> Result<Vec<VerifiedTx>, StoreError> {
        let limits = self.genesis().limits;
        let room = limits.block_bytes as usize - HEADER_BYTES - BODY_OVERHEAD_BYTES;
        let template = self.pool.template(room, limits.block_transactions as usize);
        let mut overlay = Overlay::new(self.chain.store());
        let height = self.next_height();
        let mut fitting = Vec::with_capacity(template.len());
        for tx in template {
            // One that does not fit changes nothing, and leaves the pool when its time comes.
            if apply_transaction(&mut overlay, &tx, height)?.is_ok() {
                fitting.push(tx);
            }
        }
        Ok(fitting)
    }
}
