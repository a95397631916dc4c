//! Messages of this node's own that found no peer to go to, or only full queues: they are offered
//! again when a peer comes, and about every second.

use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Unbounded};

use hearsay_chain::{BlockId, Store, StoreError, TxId};
use hearsay_network::{PublishFailure, Topic};

use super::input::Time;
use super::{Effect, Engine};

/// Messages that are kept to be offered again. Transactions beyond it stay in the pool, and reach
/// others in a block of this node's.
const MAX_UNPUBLISHED: usize = 16_384;

/// Messages offered again at one time, so that one peer's arrival does not fill every queue.
const MAX_AT_ONCE: usize = 512;

/// What waits to be offered again. Its payload is in the pool or in the chain.
#[derive(Debug, Default)]
pub(super) struct Unpublished {
    waiting: BTreeSet<(Topic, [u8; 32])>,
    /// The transaction offered last: the next round goes on after it.
    after: [u8; 32],
}

impl Unpublished {
    pub(super) fn note(&mut self, topic: Topic, id: [u8; 32], failure: Option<PublishFailure>) {
        match failure {
            // Gossip remembers what came by, or found full queues, and spreads it again only once it
            // has forgotten: so that is offered until then.
            Some(
                PublishFailure::NoPeers | PublishFailure::QueuesFull | PublishFailure::Duplicate,
            ) => {
                if self.waiting.len() < MAX_UNPUBLISHED {
                    self.waiting.insert((topic, id));
                }
            }
            None | Some(PublishFailure::Refused) => self.forget(topic, id),
        }
    }

    /// Whether it found no peer to go to.
    pub(super) fn contains(&self, topic: Topic, id: [u8; 32]) -> bool {
        self.waiting.contains(&(topic, id))
    }

    /// It has reached a peer, or never will.
    pub(super) fn forget(&mut self, topic: Topic, id: [u8; 32]) {
        self.waiting.remove(&(topic, id));
    }
}

impl Unpublished {
    /// All blocks, of which there are few, and then transactions, round and round.
    fn next_round(&mut self) -> Vec<(Topic, [u8; 32])> {
        let blocks = self.waiting.range((Topic::Block, [0; 32])..);
        let later = self.waiting.range((Excluded((Topic::Tx, self.after)), Unbounded));
        let earlier = self.waiting.range(..=(Topic::Tx, self.after));
        let transactions = later.chain(earlier).filter(|(topic, _)| *topic == Topic::Tx);
        let round: Vec<_> = blocks.chain(transactions).take(MAX_AT_ONCE).copied().collect();
        if let Some((Topic::Tx, id)) = round.last() {
            self.after = *id;
        }
        round
    }
}

impl<S: Store> Engine<S> {
    /// Offers again what is still of use: transactions in the pool, and the tip.
    pub(super) fn publish_again(
        &mut self,
        now: Time,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let again = self.unpublished.next_round();
        for (topic, id) in again {
            let data = match topic {
                Topic::Tx => self.pool.get(&TxId(id)).map(|tx| tx.encode()),
                // Peers that join later ask for older blocks themselves.
                Topic::Block if self.chain.tip().id == BlockId(id) => {
                    let block = self.chain.store().block(&BlockId(id))?;
                    block.map(|block| self.block_message(now, &block))
                }
                Topic::Block => None,
            };
            self.unpublished.waiting.remove(&(topic, id));
            if let Some(data) = data {
                out.push(Effect::Publish { topic, data, known: false });
            }
        }
        Ok(())
    }
}
