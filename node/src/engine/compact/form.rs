//! What this node gossips of a block that it made.

use std::collections::BTreeSet;

use hearsay_chain::hash::tagged;
use hearsay_chain::{BlockId, Store, TxId, VerifiedBlock, codec};
use hearsay_network::Topic;
use hearsay_network::compact::{BlockMessage, CompactBlock};

use super::super::Engine;
use super::super::input::Time;
use super::Compact;

/// A transaction that came here this long before its block, in microseconds, may not have left yet: it
/// waits a few milliseconds for its bundle, and in queues. One that came earlier left before the block
/// does, on the same ways, and is there before it.
const NEW_US: u64 = 50_000;

/// Bytes of transactions that a compact block carries at most: what a link of 10 Mbit/s takes 26 ms
/// for, about the way there and back that asking would cost. Beyond it asking is cheaper, as those
/// who have them do not pay for it.
const MAX_CARRIED_BYTES: usize = 32 << 10;

/// How blocks are gossiped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BlockForm {
    /// Whole.
    Full,
    /// A header, and short names for the transactions.
    #[default]
    Compact,
}

impl Compact {
    /// What the names of a block are drawn with. Nobody else can tell before the block is there.
    fn salt(&self, block: &BlockId) -> u64 {
        let hash = tagged("hearsay/compact/salt/1", &[&self.seed.to_le_bytes(), &block.0]);
        u64::from_le_bytes(std::array::from_fn(|at| hash[at]))
    }
}

impl<S: Store> Engine<S> {
    /// A block of this node's as it gossips it. One that it has no key for goes out whole.
    pub(in crate::engine) fn block_message(&self, now: Time, block: &VerifiedBlock) -> Vec<u8> {
        let proposer = block.header().fields.proposer;
        let key = self.authority.as_ref().filter(|key| key.public() == proposer);
        match (self.compact.form, key) {
            (BlockForm::Compact, Some(key)) => {
                let lacking = self.others_lack(now, block);
                let salt = self.compact.salt(&block.id());
                let compact = CompactBlock::of(block, salt, |id| lacking.contains(id), key);
                BlockMessage::compact(&compact)
            }
            (BlockForm::Full | BlockForm::Compact, _) => {
                BlockMessage::whole(&codec::encode(&block.to_block()))
            }
        }
    }

    /// Those of a block's transactions that others are likely to lack, the latest first, as far as a
    /// compact block carries them: new ones, such as found no peer to go to, and such as peers were
    /// asked about in vain.
    fn others_lack(&self, now: Time, block: &VerifiedBlock) -> BTreeSet<TxId> {
        let us = self.pool_now(now).us;
        let mut lacking = Vec::new();
        for tx in block.transactions() {
            let id = tx.id();
            let Some(view) = self.pool.view(&id) else { continue };
            let is_new = us.saturating_sub(view.arrived_us) < NEW_US;
            if is_new
                || self.unpublished.contains(Topic::Tx, id.0)
                || self.unbroadcast.is_doubtful(&id)
            {
                lacking.push((view.arrived_us, id, tx.size()));
            }
        }
        lacking.sort_unstable_by(|a, b| b.cmp(a));
        let mut room = MAX_CARRIED_BYTES;
        let fits = |(_, id, size): (u64, TxId, usize)| {
            room = room.checked_sub(size)?;
            Some(id)
        };
        lacking.into_iter().map_while(fits).collect()
    }
}
