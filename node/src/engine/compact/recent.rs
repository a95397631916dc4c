//! The blocks that came last, with their transactions, for peers that lack some of them: they ask
//! within a second, and reading a block from the disk costs as much as checking it.

use std::collections::VecDeque;

use hearsay_chain::{BlockId, VerifiedBlock, VerifiedTx};

/// Blocks that are kept: the tip, the one before it, and what competes with them.
const MAX: usize = 4;

/// The last blocks.
#[derive(Debug, Default)]
pub(super) struct Recent {
    blocks: VecDeque<(BlockId, Vec<VerifiedTx>)>,
}

impl Recent {
    pub(super) fn note(&mut self, block: &VerifiedBlock) {
        if self.get(&block.id()).is_none() {
            self.blocks.push_back((block.id(), block.transactions().to_vec()));
        }
        if self.blocks.len() > MAX {
            self.blocks.pop_front();
        }
    }

    pub(super) fn get(&self, id: &BlockId) -> Option<&[VerifiedTx]> {
        let mut blocks = self.blocks.iter();
        blocks.find(|(it, _)| it == id).map(|(_, transactions)| transactions.as_slice())
    }
}
