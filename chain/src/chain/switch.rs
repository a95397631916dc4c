//! Moving the tip: the old branch undone, the new one applied, all as one change of the store.

use std::collections::{BTreeMap, BTreeSet};

use super::import::{Import, Run, TipChange};
use super::{Chain, Unfit, missing};
use crate::block::VerifiedBlock;
use crate::fork_choice::Candidate;
use crate::ids::{Address, BlockId};
use crate::ledger::{Account, BlockMisfit, Overlay, Undo, apply_block};
use crate::store::{Changes, Ends, Store, StoreError, TxPlace};

/// A branch that stands on the main chain.
pub(super) struct Branch {
    /// The last block that it shares with the main chain.
    pub(super) fork: Candidate,
    /// Its blocks above that which are kept already, lowest first; empty unless it is to be applied.
    pub(super) stored: Vec<VerifiedBlock>,
    /// Its blocks above those, lowest first.
    pub(super) new: Vec<VerifiedBlock>,
}

/// A change of the tip on its way to the disk.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    ends: Ends,
    first_body: u64,
    fork: u64,
    places: Vec<u16>,
    change: TipChange,
}

/// The effect of a branch on the accounts.
enum Applied {
    /// All of it fits: the accounts it changes, and what takes each of its blocks back.
    All(BTreeMap<Address, Account>, Vec<Undo>),
    /// The block at this place of it does not fit.
    Up(usize, BlockMisfit),
}

impl<S: Store> Chain<S> {
    /// Undoes the main chain down to the fork and applies the branch.
    pub(super) fn switch_to(
        &mut self,
        branch: Branch,
        changes: Changes,
    ) -> Result<Run, StoreError> {
        let undone = self.blocks_above(branch.fork.height)?;
        match self.try_on(&undone, &branch)? {
            Applied::All(accounts, undo) => {
                let changes = Changes { accounts, ..changes };
                let change = self.commit_switch(undone, branch, undo, changes)?;
                Ok(Run { import: Import::Tip(change), refused: None })
            }
            Applied::Up(at, misfit) => self.refuse_from(branch, at, misfit, changes),
        }
    }

    /// The main chain's blocks above a height, the tip first.
    fn blocks_above(&self, height: u64) -> Result<Vec<VerifiedBlock>, StoreError> {
        (height + 1..=self.ends.height).rev().map(|height| self.main_block(height)).collect()
    }

    fn try_on(&self, undone: &[VerifiedBlock], branch: &Branch) -> Result<Applied, StoreError> {
        let mut overlay = Overlay::new(&self.store);
        for block in undone {
            let undo = self.store.undo(&block.id())?;
            undo.ok_or_else(|| missing("undo of block", block.id()))?.revert(&mut overlay);
        }
        let mut all = Vec::new();
        for (at, block) in branch.stored.iter().chain(&branch.new).enumerate() {
            match apply_block(&mut overlay, block)? {
                Ok(undo) => all.push(undo),
                Err(misfit) => return Ok(Applied::Up(at, misfit)),
            }
        }
        Ok(Applied::All(overlay.into_changes(), all))
    }

    /// A branch holds an invalid block. What comes before it among the new blocks is taken. If it is
    /// the first of them or a stored one, its valid part cannot beat the tip: that was compared with
    /// the tip when it came, and the tip has only become better since.
    fn refuse_from(
        &mut self,
        branch: Branch,
        at: usize,
        misfit: BlockMisfit,
        changes: Changes,
    ) -> Result<Run, StoreError> {
        let Branch { stored, mut new, .. } = branch;
        if let Some(culprit) = stored.get(at) {
            let (ancestor, refused) = (culprit.id(), new.first().map(VerifiedBlock::id));
            self.remember_invalid(ancestor);
            self.keep_evidence(changes)?;
            let unfit = Unfit::OnInvalid { ancestor };
            let refused = refused.map(|id| (id, unfit.clone()));
            return Ok(Run { import: Import::Refused(unfit), refused });
        }
        let dropped = new.split_off(at - stored.len());
        let culprit = dropped.first().map(VerifiedBlock::id);
        let unfit = Unfit::Misfit(misfit);
        self.keep_evidence(changes)?;
        let mut run = if new.is_empty() {
            Run { import: Import::Refused(unfit.clone()), refused: None }
        } else {
            let mut changes = Changes::default();
            self.note_turns(&new, &mut changes)?;
            self.take(new, changes)?
        };
        if let Some(id) = culprit {
            self.remember_invalid(id);
            run.refused = Some((id, unfit));
        }
        Ok(run)
    }

    fn commit_switch(
        &mut self,
        undone: Vec<VerifiedBlock>,
        branch: Branch,
        undo: Vec<Undo>,
        mut changes: Changes,
    ) -> Result<TipChange, StoreError> {
        let Branch { fork, stored, new } = branch;
        changes.blocks.clone_from(&new);
        changes.side = stored.iter().map(|block| ((block.height(), block.id()), false)).collect();
        let applied: Vec<VerifiedBlock> = stored.into_iter().chain(new).collect();
        let places = self.places_of(&applied)?;
        let final_height = self.final_height_with(fork.height, &places);
        take_back(&undone, &mut changes);
        put_on(&applied, undo, final_height, &mut changes);
        let finalised = self.newly_final(final_height, &applied)?;
        // A final block is never taken back, so what takes it back need not be kept.
        let from_before = finalised.iter().filter(|(height, _)| *height <= fork.height);
        changes.undo.extend(from_before.map(|(_, id)| (*id, None)));
        if !finalised.is_empty() {
            self.prune_branches(final_height, &undone, &applied, &mut changes)?;
        }
        self.drop_surplus_tip(&undone, &mut changes)?;
        let previous = self.tip();
        let tip = applied
            .last()
            .map_or(previous, |block| Candidate { height: block.height(), id: block.id() });
        let ends = Ends { tip: tip.id, height: tip.height, final_height };
        let first_body = self.prune_bodies(&ends, &applied, &mut changes)?;
        changes.ends = Some(ends);
        let change = TipChange { previous, undone, applied, finalised };
        let pending = Pending { ends, first_body, fork: fork.height, places, change };
        if let Err(error) = self.commit(changes) {
            self.unsure = Some(Box::new(pending));
            return Err(error);
        }
        Ok(self.adopt(pending))
    }

    /// An old tip that was the third block or a later one of its turn is not kept beside the chain:
    /// nothing stands on it, and its authority could make any number of them.
    fn drop_surplus_tip(
        &self,
        undone: &[VerifiedBlock],
        changes: &mut Changes,
    ) -> Result<(), StoreError> {
        let Some(tip) = undone.first() else { return Ok(()) };
        if self.is_surplus(tip.header())? && !changes.forgotten.contains(&tip.id()) {
            self.forget((tip.height(), tip.id()), tip.header(), changes)?;
        }
        Ok(())
    }

    /// What is on disk becomes what is in memory.
    pub(super) fn adopt(&mut self, pending: Pending) -> TipChange {
        self.unsure = None;
        self.ends = pending.ends;
        self.first_body = pending.first_body;
        self.support.truncate(pending.fork);
        pending.places.into_iter().for_each(|place| self.support.push(place));
        self.support.finalise(pending.ends.final_height);
        self.swept |= !pending.change.finalised.is_empty();
        pending.change
    }

    fn places_of(&self, blocks: &[VerifiedBlock]) -> Result<Vec<u16>, StoreError> {
        blocks.iter().map(|block| self.place_of(block.header())).collect()
    }

    fn final_height_with(&self, fork: u64, more: &[u16]) -> u64 {
        let genesis = self.genesis();
        let quorum = (genesis.quorum(), genesis.authorities.len());
        let found = self.support.final_height(fork, more, quorum).unwrap_or_default();
        found.max(self.ends.final_height)
    }

    fn newly_final(
        &self,
        final_height: u64,
        applied: &[VerifiedBlock],
    ) -> Result<Vec<(u64, BlockId)>, StoreError> {
        let new: BTreeMap<u64, BlockId> =
            applied.iter().map(|block| (block.height(), block.id())).collect();
        (self.ends.final_height + 1..=final_height)
            .map(|height| {
                let id = match new.get(&height) {
                    Some(id) => *id,
                    None => {
                        self.store.block_at(height)?.ok_or_else(|| missing("height", height))?
                    }
                };
                Ok((height, id))
            })
            .collect()
    }
}

impl Pending {
    /// The ends of the chain once it is done.
    pub(super) fn ends(&self) -> Ends {
        self.ends
    }
}

/// The old branch goes to stand beside the main chain.
fn take_back(undone: &[VerifiedBlock], changes: &mut Changes) {
    for block in undone {
        changes.undo.insert(block.id(), None);
        changes.heights.insert(block.height(), None);
        changes.side.insert((block.height(), block.id()), true);
        changes.transactions.extend(block.transactions().iter().map(|tx| (tx.id(), None)));
    }
}

/// The new branch becomes the main chain.
fn put_on(applied: &[VerifiedBlock], undo: Vec<Undo>, final_height: u64, changes: &mut Changes) {
    for (block, undo) in applied.iter().zip(undo) {
        let height = block.height();
        if height > final_height {
            changes.undo.insert(block.id(), Some(undo));
        }
        changes.heights.insert(height, Some(block.id()));
        for (index, tx) in (0..).zip(block.transactions()) {
            changes.transactions.insert(tx.id(), Some(TxPlace { height, index }));
        }
    }
}

/// Ids of blocks.
pub(super) fn ids_of(blocks: &[VerifiedBlock]) -> BTreeSet<BlockId> {
    blocks.iter().map(VerifiedBlock::id).collect()
}
