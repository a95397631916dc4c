//! Taking blocks into the chain: beside it, on top of it, or in place of a part of it.

use super::switch::Branch;
use super::{Chain, Unfit};
use crate::block::{Header, HeaderFields, VerifiedBlock};
use crate::evidence::{Evidence, Turn};
use crate::fork_choice::Candidate;
use crate::ids::BlockId;
use crate::store::{Changes, Store, StoreError};

/// What became of a block, or of the last block of a run.
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

/// What became of a run of blocks.
#[derive(Clone, Debug)]
pub struct Run {
    /// What became of the part that was taken, or of the first block if none was.
    pub import: Import,
    /// The block that ended it early, and why; those after it were dropped.
    pub refused: Option<(BlockId, Unfit)>,
}

impl<S: Store> Chain<S> {
    /// Whether two other blocks of this authority in this slot are known: then this one is not to be
    /// relayed, as the two are proof enough.
    ///
    /// # Errors
    /// Our disk's fault.
    pub fn is_surplus(&self, header: &Header) -> Result<bool, StoreError> {
        let evidence = self.store.evidence(&Turn::of(header))?;
        let id = header.id();
        Ok(evidence.is_some_and(|two| two.first.id() != id && two.second.id() != id))
    }

    /// Takes a block in. `latest_slot` is the latest slot that is not in the future.
    ///
    /// A third block of an authority in one slot is taken only if it beats the tip, so that all nodes
    /// choose alike, and is not kept beside the main chain, where it would only take room.
    ///
    /// # Errors
    /// Our disk's fault; the chain in memory is then as it was before.
    pub fn import(&mut self, block: VerifiedBlock, latest_slot: u64) -> Result<Import, StoreError> {
        let candidate = Candidate { height: block.height(), id: block.id() };
        if candidate < self.tip()
            && self.is_surplus(block.header())?
            && !self.contains(&block.id())?
        {
            let slot = block.header().fields.slot;
            return Ok(Import::Refused(Unfit::Equivocation { slot }));
        }
        let run = self.import_run(vec![block], latest_slot)?;
        Ok(match run.refused {
            Some((_, unfit)) => Import::Refused(unfit),
            None => run.import,
        })
    }

    /// Takes in blocks that follow each other, each the child of the one before, as one change of
    /// the store: the branch of a peer, chosen because it ends above the tip. So many blocks cost
    /// one wait for the disk.
    ///
    /// # Errors
    /// Our disk's fault; the chain in memory is then as it was before.
    pub fn import_run(
        &mut self,
        mut blocks: Vec<VerifiedBlock>,
        latest_slot: u64,
    ) -> Result<Run, StoreError> {
        if self.is_unsure() {
            // Else a second change would take the first one's place before it is settled.
            return Err(StoreError::Full("what was being stored is not settled yet".to_owned()));
        }
        let known = self.known_prefix(&blocks)?;
        blocks.drain(..known);
        let Some(first) = blocks.first() else {
            return Ok(Run { import: Import::Known, refused: None });
        };
        let Some(parent) = self.store.header(&first.header().fields.parent)? else {
            return Ok(self.without_parent(first));
        };
        let mut changes = Changes::default();
        self.note_turns(&blocks, &mut changes)?;
        let refused = self.cut_at_first_misplaced(&mut blocks, &parent.fields, latest_slot);
        // A block that is not kept takes nobody's turn.
        changes.turns.retain(|_, id| blocks.iter().any(|block| Some(block.id()) == *id));
        if let (Some((_, unfit)), true) = (&refused, blocks.is_empty()) {
            let import = Import::Refused(unfit.clone());
            self.keep_evidence(changes)?;
            return Ok(Run { import, refused });
        }
        let mut run = self.take(blocks, changes)?;
        run.refused = run.refused.or(refused);
        Ok(run)
    }

    /// How many blocks at the beginning of a run are kept already. No block is kept without its
    /// parent, so all after them are new.
    fn known_prefix(&self, blocks: &[VerifiedBlock]) -> Result<usize, StoreError> {
        for (count, block) in blocks.iter().enumerate() {
            if !self.contains(&block.id())? {
                return Ok(count);
            }
        }
        Ok(blocks.len())
    }

    fn without_parent(&self, block: &VerifiedBlock) -> Run {
        let parent = block.header().fields.parent;
        let unfit = if self.invalid.contains(&block.id()) {
            Unfit::KnownInvalid
        } else if self.invalid.contains(&parent) {
            Unfit::OnInvalid { ancestor: parent }
        } else {
            return Run { import: Import::Orphan { missing: parent }, refused: None };
        };
        Run { import: Import::Refused(unfit.clone()), refused: Some((block.id(), unfit)) }
    }

    /// Notes whose turn each block was, and the proof if it was not the only block of that turn.
    pub(super) fn note_turns(
        &self,
        blocks: &[VerifiedBlock],
        changes: &mut Changes,
    ) -> Result<(), StoreError> {
        for block in blocks {
            let turn = Turn::of(block.header());
            match self.other_of_turn(&turn, block, blocks, changes)? {
                // The row may name a block that was forgotten since.
                None => drop(changes.turns.insert(turn, Some(block.id()))),
                Some(_) if self.store.evidence(&turn)?.is_some() => {}
                Some(other) => {
                    changes.evidence.extend(Evidence::of(other, block.header().clone()));
                }
            }
        }
        Ok(())
    }

    /// The header of the first block of a turn, kept or in the same run; none if this is the first.
    fn other_of_turn(
        &self,
        turn: &Turn,
        block: &VerifiedBlock,
        run: &[VerifiedBlock],
        changes: &Changes,
    ) -> Result<Option<Header>, StoreError> {
        let noted = match changes.turns.get(turn) {
            Some(noted) => *noted,
            None => self.store.turn(turn)?,
        };
        let Some(id) = noted.filter(|id| *id != block.id()) else { return Ok(None) };
        if let Some(other) = run.iter().find(|other| other.id() == id) {
            return Ok(Some(other.header().clone()));
        }
        self.store.header(&id)
    }

    pub(super) fn keep_evidence(&mut self, changes: Changes) -> Result<(), StoreError> {
        if changes.evidence.is_empty() {
            return Ok(());
        }
        self.commit(Changes { evidence: changes.evidence, ..Changes::default() })
    }

    /// Ends a run before the first block that does not stand rightly on the one before.
    fn cut_at_first_misplaced(
        &self,
        blocks: &mut Vec<VerifiedBlock>,
        parent: &HeaderFields,
        latest_slot: u64,
    ) -> Option<(BlockId, Unfit)> {
        let mut parent = parent;
        let mut found = None;
        for (at, block) in blocks.iter().enumerate() {
            if let Err(unfit) = self.check_place(block, parent, latest_slot) {
                found = Some((at, block.id(), unfit));
                break;
            }
            parent = &block.header().fields;
        }
        let (at, id, unfit) = found?;
        blocks.truncate(at);
        Some((id, unfit))
    }

    fn check_place(
        &self,
        block: &VerifiedBlock,
        parent: &HeaderFields,
        latest_slot: u64,
    ) -> Result<(), Unfit> {
        if self.invalid.contains(&block.id()) {
            return Err(Unfit::KnownInvalid);
        }
        check_step(&block.header().fields, parent, latest_slot)
    }

    /// Keeps blocks that stand rightly on one that is kept: beside the main chain, or as its end.
    pub(super) fn take(
        &mut self,
        blocks: Vec<VerifiedBlock>,
        mut changes: Changes,
    ) -> Result<Run, StoreError> {
        let Some(last) = blocks.last() else {
            return Ok(Run { import: Import::Known, refused: None });
        };
        let (id, wins) =
            (last.id(), Candidate { height: last.height(), id: last.id() } > self.tip());
        let branch = match self.branch_to(blocks, wins)? {
            Ok(branch) => branch,
            Err(unfit) => {
                self.keep_evidence(changes)?;
                let import = Import::Refused(unfit.clone());
                return Ok(Run { import, refused: Some((id, unfit)) });
            }
        };
        if wins {
            return self.switch_to(branch, changes);
        }
        changes.side =
            branch.new.iter().map(|block| ((block.height(), block.id()), true)).collect();
        changes.blocks = branch.new;
        self.commit(changes)?;
        Ok(Run { import: Import::Side, refused: None })
    }

    /// Walks from new blocks down to the main chain. Stored blocks are read only when the branch
    /// is about to be applied, that is when it beats the tip.
    fn branch_to(
        &self,
        new: Vec<VerifiedBlock>,
        wins: bool,
    ) -> Result<Result<Branch, Unfit>, StoreError> {
        let below_final = Unfit::BelowFinal { final_height: self.ends.final_height };
        let Some(first) = new.first() else { return Ok(Err(below_final)) };
        let mut at = first.header().fields.parent;
        let mut stored = Vec::new();
        loop {
            if self.invalid.contains(&at) {
                return Ok(Err(Unfit::OnInvalid { ancestor: at }));
            }
            let fields = self.header(&at)?.fields;
            let below = fields.height < self.ends.final_height;
            let main = self.is_main(&at, fields.height)?;
            if below || (!main && fields.height == self.ends.final_height) {
                return Ok(Err(below_final));
            }
            if main {
                stored.reverse();
                let fork = Candidate { height: fields.height, id: at };
                return Ok(Ok(Branch { fork, stored, new }));
            }
            if wins {
                stored.push(self.block(&at)?);
            }
            at = fields.parent;
        }
    }
}

/// Checks that a block follows its parent and is not from the future.
///
/// # Errors
/// What is wrong with it.
pub fn check_step(
    fields: &HeaderFields,
    parent: &HeaderFields,
    latest_slot: u64,
) -> Result<(), Unfit> {
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
