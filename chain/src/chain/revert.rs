//! Taking the main chain back to a height, because somebody asks for it.

use std::collections::BTreeSet;

use thiserror::Error;

use super::{Chain, missing};
use crate::block::Header;
use crate::evidence::Turn;
use crate::fork_choice::Candidate;
use crate::ids::BlockId;
use crate::ledger::Overlay;
use crate::store::{Changes, Ends, Store, StoreError};

/// A chain that was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reverted {
    /// The tip before.
    pub previous: Candidate,
    /// The tip now.
    pub tip: Candidate,
    /// Transactions of the blocks taken back.
    pub transactions: u64,
    /// Blocks beside the main chain that were forgotten, as they would have become its tip or stood
    /// on blocks taken back.
    pub side_blocks: u64,
}

/// A height that the chain cannot be taken back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unrevertible {
    /// Final blocks are never taken back.
    #[error(
        "height {height} is not above final height {final_height}, and a final block is never \
         taken back: name a height from {} on",
        .final_height + 1
    )]
    Final {
        /// The height asked for.
        height: u64,
        /// The last final height.
        final_height: u64,
    },
    /// The chain does not reach it.
    #[error("the chain ends at height {tip}: name a height below that")]
    NotBelowTip {
        /// The tip's height.
        tip: u64,
    },
}

impl<S: Store> Chain<S> {
    /// Takes the main chain back to a height, as one change of the store.
    ///
    /// The blocks above are forgotten, and so are side branches that would now beat the tip: kept,
    /// either would win again with the next block. A node hears of them from its peers once more.
    ///
    /// # Errors
    /// Outer: our disk's fault; the chain must then be opened anew. Inner: a height that is final or
    /// not below the tip's; nothing was changed.
    pub fn revert_to(&mut self, height: u64) -> Result<Result<Reverted, Unrevertible>, StoreError> {
        let final_height = self.ends.final_height;
        if height >= self.ends.height {
            return Ok(Err(Unrevertible::NotBelowTip { tip: self.ends.height }));
        }
        if height <= final_height {
            return Ok(Err(Unrevertible::Final { height, final_height }));
        }
        let id = self.store.block_at(height)?.ok_or_else(|| missing("height", height))?;
        let (previous, tip) = (self.tip(), Candidate { height, id });
        let mut changes = Changes::default();
        let transactions = self.undo_above(height, &mut changes)?;
        let side_blocks = self.forget_better(tip, &mut changes)?;
        let ends = Ends { tip: id, height, final_height };
        changes.ends = Some(ends);
        self.store.commit(changes)?;
        self.ends = ends;
        self.support.truncate(height);
        Ok(Ok(Reverted { previous, tip, transactions, side_blocks }))
    }

    /// Undoes and forgets the main chain's blocks above a height. Gives how many transactions they
    /// had.
    fn undo_above(&self, height: u64, changes: &mut Changes) -> Result<u64, StoreError> {
        let mut overlay = Overlay::new(&self.store);
        let mut transactions = 0;
        for height in (height + 1..=self.ends.height).rev() {
            let block = self.main_block(height)?;
            let undo = self.store.undo(&block.id())?;
            undo.ok_or_else(|| missing("undo of block", block.id()))?.revert(&mut overlay);
            changes.undo.insert(block.id(), None);
            changes.heights.insert(height, None);
            changes.transactions.extend(block.transactions().iter().map(|tx| (tx.id(), None)));
            transactions += block.transactions().len() as u64;
            self.forget_turn(block.id(), block.header(), changes)?;
            changes.forgotten.push(block.id());
        }
        changes.accounts = overlay.into_changes();
        Ok(transactions)
    }

    /// Forgets the blocks beside the main chain that are better than a new tip, and with them all
    /// that stand on a block above it.
    fn forget_better(&self, tip: Candidate, changes: &mut Changes) -> Result<u64, StoreError> {
        let mut count = 0;
        let mut gone: BTreeSet<BlockId> = changes.forgotten.iter().copied().collect();
        for (height, id) in self.store.side(tip.height, u64::MAX)? {
            let header = self.header(&id)?;
            let better = Candidate { height, id } > tip;
            if better || gone.contains(&header.fields.parent) {
                changes.side.insert((height, id), false);
                self.forget_turn(id, &header, changes)?;
                changes.forgotten.push(id);
                gone.insert(id);
                count += 1;
            }
        }
        Ok(count)
    }

    fn forget_turn(
        &self,
        id: BlockId,
        header: &Header,
        changes: &mut Changes,
    ) -> Result<(), StoreError> {
        let turn = Turn::of(header);
        if self.store.turn(&turn)? == Some(id) {
            changes.turns.insert(turn, None);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
