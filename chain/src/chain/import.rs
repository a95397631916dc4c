//! Taking a block into the chain: beside it, on top of it, or in place of a part of it.

use std::collections::BTreeMap;

use thiserror::Error;

use super::{Chain, Support, missing};
use crate::block::{HeaderFields, VerifiedBlock};
use crate::fork_choice::Candidate;
use crate::ids::{Address, BlockId};
use crate::ledger::{Account, BlockMisfit, Overlay, Undo, apply_block};
use crate::store::{Changes, Ends, Store, StoreError, TxPlace};
use crate::verdict::{Judged, Verdict};

/// What became of a block.
#[derive(Clone, Debug)]
pub enum Import {
    /// It was here before; nothing changed.
    Known,
    /// Its parent is not here; nothing changed.
    Orphan {
        /// The parent.
        missing: BlockId,
    },
    /// It is kept beside the main chain.
    Side,
    /// It moved the tip.
    Tip(TipChange),
    /// It was refused; the tip is where it was.
    Refused(Unfit),
}

/// A move of the tip.
#[derive(Clone, Debug)]
pub struct TipChange {
    /// The tip before.
    pub previous: Candidate,
    /// The blocks taken back, the old tip first; empty when the chain only grew.
    pub undone: Vec<VerifiedBlock>,
    /// The blocks applied, the new tip last.
    pub applied: Vec<VerifiedBlock>,
    /// Heights and ids of the blocks that became final, lowest first.
    pub finalised: Vec<(u64, BlockId)>,
}

/// A block that holds by itself and does not fit this chain.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unfit {
    /// Its height is not one more than its parent's. Verdict: reject.
    #[error("height {found} on a parent of height {parent}")]
    Height {
        /// Its height.
        found: u64,
        /// The parent's.
        parent: u64,
    },
    /// Its slot is not after its parent's. Verdict: reject.
    #[error("slot {found} on a parent of slot {parent}")]
    Slot {
        /// Its slot.
        found: u64,
        /// The parent's.
        parent: u64,
    },
    /// Its slot lies in the future. Verdict: ignore (our clock may be the wrong one).
    #[error("slot {found} is in the future; the latest is {latest}")]
    Early {
        /// Its slot.
        found: u64,
        /// The latest slot that is taken.
        latest: u64,
    },
    /// It branches off below a final block. Verdict: ignore (the sender may not know of it yet).
    #[error("it branches off below the final height {final_height}")]
    BelowFinal {
        /// The last final height.
        final_height: u64,
    },
    /// A transaction in it does not fit its own branch. Verdict: reject.
    #[error(transparent)]
    Misfit(#[from] BlockMisfit),
    /// A block under it is invalid. Verdict: ignore (whoever sent it need not have applied it, as
    /// side branches are relayed unapplied).
    #[error("block {ancestor} under it is invalid")]
    OnInvalid {
        /// The invalid one.
        ancestor: BlockId,
    },
    /// It was found invalid before. Verdict: ignore (the sender may have been told by others).
    #[error("it was found invalid before")]
    KnownInvalid,
}

impl Judged for Unfit {
    fn verdict(&self) -> Verdict {
        match self {
            Unfit::Height { .. } | Unfit::Slot { .. } | Unfit::Misfit(_) => Verdict::Reject,
            Unfit::Early { .. }
            | Unfit::BelowFinal { .. }
            | Unfit::OnInvalid { .. }
            | Unfit::KnownInvalid => Verdict::Ignore,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Unfit::Height { .. } => "height",
            Unfit::Slot { .. } => "slot",
            Unfit::Early { .. } => "early",
            Unfit::BelowFinal { .. } => "below-final",
            Unfit::Misfit(misfit) => misfit.misfit.reason(),
            Unfit::OnInvalid { .. } => "on-invalid",
            Unfit::KnownInvalid => "known-invalid",
        }
    }
}

/// A branch ready to be applied.
struct Branch {
    /// The last block that it shares with the main chain.
    fork: Candidate,
    /// Its blocks above that, lowest first.
    blocks: Vec<VerifiedBlock>,
}

impl<S: Store> Chain<S> {
    /// Takes a block in. `latest_slot` is the latest slot that is not in the future.
    ///
    /// # Errors
    /// Our disk's fault; the chain in memory then still agrees with the store.
    pub fn import(&mut self, block: VerifiedBlock, latest_slot: u64) -> Result<Import, StoreError> {
        if self.contains(&block.id())? {
            return Ok(Import::Known);
        }
        let fields = &block.header().fields;
        let Some(parent) = self.store.header(&fields.parent)? else {
            return Ok(self.without_parent(&block));
        };
        if let Err(unfit) = self.check_place(&block, &parent.fields, latest_slot) {
            return Ok(Import::Refused(unfit));
        }
        let candidate = Candidate { height: block.height(), id: block.id() };
        let branch = match self.branch_to(block)? {
            Ok(branch) => branch,
            Err(unfit) => return Ok(Import::Refused(unfit)),
        };
        if candidate < self.tip() {
            let blocks = branch.blocks.into_iter().next_back().into_iter().collect();
            self.store.commit(Changes { blocks, ..Changes::default() })?;
            return Ok(Import::Side);
        }
        self.switch_to(branch)
    }

    fn without_parent(&self, block: &VerifiedBlock) -> Import {
        let parent = block.header().fields.parent;
        if self.invalid.contains(&block.id()) {
            Import::Refused(Unfit::KnownInvalid)
        } else if self.invalid.contains(&parent) {
            Import::Refused(Unfit::OnInvalid { ancestor: parent })
        } else {
            Import::Orphan { missing: parent }
        }
    }

    fn check_place(
        &self,
        block: &VerifiedBlock,
        parent: &HeaderFields,
        latest_slot: u64,
    ) -> Result<(), Unfit> {
        let fields = &block.header().fields;
        if self.invalid.contains(&block.id()) {
            return Err(Unfit::KnownInvalid);
        }
        if fields.height != parent.height.saturating_add(1) {
            return Err(Unfit::Height { found: fields.height, parent: parent.height });
        }
        if fields.slot <= parent.slot {
            return Err(Unfit::Slot { found: fields.slot, parent: parent.slot });
        }
        if fields.slot > latest_slot {
            return Err(Unfit::Early { found: fields.slot, latest: latest_slot });
        }
        Ok(())
    }

    /// Walks from a new block down to the main chain. Stored blocks are read only when the branch
    /// is about to be applied, that is when it beats the tip.
    fn branch_to(&self, block: VerifiedBlock) -> Result<Result<Branch, Unfit>, StoreError> {
        let wins = Candidate { height: block.height(), id: block.id() } > self.tip();
        let mut at = block.header().fields.parent;
        let mut blocks = vec![block];
        loop {
            if self.invalid.contains(&at) {
                return Ok(Err(Unfit::OnInvalid { ancestor: at }));
            }
            let fields = self.header(&at)?.fields;
            let below = fields.height < self.ends.final_height;
            let main = self.is_main(&at, fields.height)?;
            if below || (!main && fields.height == self.ends.final_height) {
                let final_height = self.ends.final_height;
                return Ok(Err(Unfit::BelowFinal { final_height }));
            }
            if main {
                blocks.reverse();
                let fork = Candidate { height: fields.height, id: at };
                return Ok(Ok(Branch { fork, blocks }));
            }
            if wins {
                blocks.push(self.store.block(&at)?.ok_or_else(|| missing("block", at))?);
            }
            at = fields.parent;
        }
    }

    /// Undoes the main chain down to the fork and applies the branch: as one change of the store.
    fn switch_to(&mut self, branch: Branch) -> Result<Import, StoreError> {
        let previous = self.tip();
        let mut undone = Vec::new();
        let mut overlay = Overlay::new(&self.store);
        for height in (branch.fork.height + 1..=previous.height).rev() {
            let block = self.main_block(height)?;
            let undo = self.store.undo(&block.id())?;
            undo.ok_or_else(|| missing("undo of block", block.id()))?.revert(&mut overlay);
            undone.push(block);
        }
        let mut applied: Vec<(VerifiedBlock, Undo)> = Vec::new();
        let mut culprit = None;
        for block in branch.blocks {
            match apply_block(&mut overlay, &block)? {
                Ok(undo) => applied.push((block, undo)),
                Err(misfit) => {
                    culprit = Some((block, misfit));
                    break;
                }
            }
        }
        let accounts = overlay.into_changes();
        if let Some((block, misfit)) = culprit {
            return self.refuse_branch(&block, misfit);
        }
        self.commit_switch(previous, undone, applied, accounts).map(Import::Tip)
    }

    /// A branch holds an invalid block. Its valid part cannot beat the tip: each of its blocks was
    /// compared with the tip when it came, and the tip has only become better since.
    fn refuse_branch(
        &mut self,
        block: &VerifiedBlock,
        misfit: BlockMisfit,
    ) -> Result<Import, StoreError> {
        let ancestor = block.id();
        self.remember_invalid(ancestor);
        let is_the_new_one = self.store.header(&ancestor)?.is_none();
        Ok(Import::Refused(if is_the_new_one {
            Unfit::Misfit(misfit)
        } else {
            Unfit::OnInvalid { ancestor }
        }))
    }

    fn commit_switch(
        &mut self,
        previous: Candidate,
        undone: Vec<VerifiedBlock>,
        applied: Vec<(VerifiedBlock, Undo)>,
        accounts: BTreeMap<Address, Account>,
    ) -> Result<TipChange, StoreError> {
        let mut changes = Changes { accounts, ..Changes::default() };
        for block in &undone {
            changes.undo.insert(block.id(), None);
            changes.heights.insert(block.height(), None);
            changes.transactions.extend(block.transactions().iter().map(|tx| (tx.id(), None)));
        }
        for (block, undo) in applied {
            let height = block.height();
            changes.undo.insert(block.id(), Some(undo));
            changes.heights.insert(height, Some(block.id()));
            for (index, tx) in (0..).zip(block.transactions()) {
                changes.transactions.insert(tx.id(), Some(TxPlace { height, index }));
            }
            changes.blocks.push(block);
        }
        let support = self.support_after(&undone, &changes.blocks)?;
        let final_height = support
            .final_height(self.genesis().quorum())
            .map_or(self.ends.final_height, |height| height.max(self.ends.final_height));
        let finalised = self.newly_final(final_height, &changes.blocks)?;
        // A final block is never taken back, so what takes it back need not be kept.
        changes.undo.extend(finalised.iter().map(|(_, id)| (*id, None)));
        let applied = changes.blocks.clone();
        let tip = applied
            .last()
            .map_or(previous, |block| Candidate { height: block.height(), id: block.id() });
        let ends = Ends { tip: tip.id, height: tip.height, final_height };
        changes.ends = Some(ends);
        self.store.commit(changes)?;
        self.ends = ends;
        self.support = support;
        Ok(TipChange { previous, undone, applied, finalised })
    }

    /// Who has built what on the chain that `applied` ends.
    fn support_after(
        &self,
        undone: &[VerifiedBlock],
        applied: &[VerifiedBlock],
    ) -> Result<Support, StoreError> {
        let mut support = match (undone.is_empty(), applied.first()) {
            (false, Some(lowest)) => {
                self.support_below(lowest.header().fields.parent, Support::default())?
            }
            _ => self.support.clone(),
        };
        for block in applied {
            support.add(block.header().fields.proposer, block.height());
        }
        Ok(support)
    }

    fn newly_final(
        &self,
        final_height: u64,
        applied: &[VerifiedBlock],
    ) -> Result<Vec<(u64, BlockId)>, StoreError> {
        (self.ends.final_height + 1..=final_height)
            .map(|height| {
                let new = applied.iter().find(|block| block.height() == height);
                let id = match new {
                    Some(block) => block.id(),
                    None => {
                        self.store.block_at(height)?.ok_or_else(|| missing("height", height))?
                    }
                };
                Ok((height, id))
            })
            .collect()
    }
}
