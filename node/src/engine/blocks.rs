//! A block's way onto the chain, and what a new tip means for the pool.

use std::collections::BTreeSet;

use hearsay_chain::chain::{Import, Run, TipChange, Unfit};
use hearsay_chain::fork_choice::Candidate;
use hearsay_chain::{
    Address, BlockError, BlockId, Store, StoreError, TxId, UnverifiedBlock, Verdict, VerifiedBlock,
    VerifiedTx,
};

use hearsay_chain::block::Header;
use hearsay_mempool::Origin;
use hearsay_network::compact::BlockMessage;

use super::input::Time;
use super::jobs::{Job, Owner};
use super::transactions::{Objection, busy};
use super::work::Work;
use super::{Effect, Engine};
use crate::trace::event::{Event, Kind, Via};

/// The block is here, or being checked. Nobody's fault.
pub(super) fn known() -> Objection {
    Objection {
        verdict: Verdict::Ignore,
        reason: "known",
        message: "the block is here already".to_owned(),
    }
}

/// Its parent is not here, so nothing can be said of it; the sender is asked for what lies between.
/// Nobody's fault.
pub(super) fn orphan(missing: BlockId) -> Objection {
    Objection {
        verdict: Verdict::Ignore,
        reason: "orphan",
        message: format!("its parent {missing} is not here"),
    }
}

impl<S: Store> Engine<S> {
    pub(super) fn on_gossiped_block(
        &mut self,
        now: Time,
        data: &[u8],
        owner: Owner,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let limit = self.genesis().limits.block_bytes as usize;
        let content_id = hearsay_network::Topic::Block.content_id(data);
        let block = match BlockMessage::decode(data, limit) {
            Ok(BlockMessage::Whole(block)) => block,
            Ok(BlockMessage::Compact(compact)) => {
                return self.on_compact_block(now, compact, data.len(), owner, out);
            }
            Err(error) => {
                let objection = BlockError::from(error).into();
                self.judge(now, Kind::Block, content_id, &owner, Err(&objection), out);
                return Ok(());
            }
        };
        self.take_block(now, block, owner, out)
    }

    /// Refuses what can be refused without looking at signatures, and has those checked else.
    pub(super) fn take_block(
        &mut self,
        now: Time,
        block: UnverifiedBlock,
        owner: Owner,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let id = block.id();
        if self.compact.is_rebuilding(&id) {
            return self.take_whole(now, &block, &owner, out);
        }
        if let Some(objection) = self.early_block_objection(now, block.header())? {
            self.judge(now, Kind::Block, id.0, &owner, Err(&objection), out);
            return Ok(());
        }
        let parent = block.header().fields.parent;
        // A parent that is being checked will be here before this one is checked, and one that is
        // being put together soon after.
        let is_coming = self.jobs.has_block(&parent) || self.compact.is_rebuilding(&parent);
        if !is_coming && !self.chain.may_follow(&parent)? {
            // Else somebody could send the header with another body, and the real one would be known.
            if let Err(error) = block.check_contents(self.chain.rules()) {
                self.judge(now, Kind::Block, id.0, &owner, Err(&error.into()), out);
                return Ok(());
            }
            let headers = vec![block.header().clone()];
            let work = Work::Headers(self.chain.rules().clone(), headers);
            let job = self.jobs.start(Job::Orphan { block: Box::new(block), owner });
            out.push(Effect::Check { job, work });
            return Ok(());
        }
        let bytes = block.size();
        match block.check_form(self.chain.rules(), |id| self.known_tx(id)) {
            Ok(block) => {
                let job = self.jobs.start(Job::Block { id, owner, bytes });
                out.push(Effect::Check { job, work: Work::Blocks(vec![block]) });
            }
            Err(error) => self.judge(now, Kind::Block, id.0, &owner, Err(&error.into()), out),
        }
        Ok(())
    }

    /// What can be said against a block by its header and what is here, before any signature.
    pub(super) fn early_block_objection(
        &self,
        now: Time,
        header: &Header,
    ) -> Result<Option<Objection>, StoreError> {
        let id = header.id();
        if self.chain.contains(&id)?
            || self.jobs.has_block(&id)
            || self.orphans.contains(&id)
            || self.compact.is_rebuilding(&id)
        {
            return Ok(Some(known()));
        }
        if self.jobs.is_full() {
            return Ok(Some(busy()));
        }
        if let Err(error) = header.check_form(self.chain.rules()) {
            return Ok(Some(error.into()));
        }
        let (slot, latest) = (header.fields.slot, self.latest_slot(now));
        if slot > latest {
            return Ok(Some(Unfit::Early { found: slot, latest }.into()));
        }
        let candidate = Candidate { height: header.fields.height, id };
        if candidate < self.chain.tip() && self.chain.is_surplus(header)? {
            return Ok(Some(Unfit::Equivocation { slot }.into()));
        }
        Ok(None)
    }

    pub(super) fn on_checked_block(
        &mut self,
        now: Time,
        id: BlockId,
        owner: &Owner,
        blocks: Vec<VerifiedBlock>,
        error: Option<BlockError>,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let answer = match (blocks.into_iter().next(), error) {
            (Some(block), None) => {
                if let Owner::Gossip { ticket, .. } = owner {
                    let via = self.sightings.via(&id.0).unwrap_or(Via::Gossip);
                    self.trace_whole(now, &block, (ticket.from, via), out);
                }
                self.import(now, block, owner, out)?
            }
            (_, Some(error)) => Err(error.into()),
            (None, None) => Err(busy()),
        };
        self.judge(now, Kind::Block, id.0, owner, answer.as_ref().map(drop), out);
        Ok(())
    }

    /// Imports a gossiped block; what it answers is for gossip.
    fn import(
        &mut self,
        now: Time,
        block: VerifiedBlock,
        owner: &Owner,
        out: &mut Vec<Effect>,
    ) -> Result<Result<(), Objection>, StoreError> {
        let surplus = self.chain.is_surplus(block.header())?;
        let unverified = block.clone();
        Ok(match self.import_block(now, block, out)? {
            Import::Tip(_) | Import::Side if surplus => {
                let slot = unverified.header().fields.slot;
                Err(Unfit::Equivocation { slot }.into())
            }
            Import::Tip(_) | Import::Side => Ok(()),
            Import::Known => Err(known()),
            Import::Refused(unfit) => Err(unfit.into()),
            Import::Orphan { missing } => {
                if let Owner::Gossip { ticket, .. } = owner {
                    let claim = Candidate { height: unverified.height(), id: unverified.id() };
                    self.sync.heard_of(&ticket.from, claim);
                    self.orphans.keep(unverified.to_block().into(), ticket.from, now.mono_us);
                    self.advance_sync(now, out)?;
                }
                Err(orphan(missing))
            }
        })
    }

    /// Imports a block from wherever it came. A new tip is written down and told to the pool.
    pub(super) fn import_block(
        &mut self,
        now: Time,
        block: VerifiedBlock,
        out: &mut Vec<Effect>,
    ) -> Result<Import, StoreError> {
        let (id, latest_slot) = (block.id(), self.latest_slot(now));
        let news = self.news_of(now, &block)?;
        let kept = block.clone();
        let import = self.chain.import(block, latest_slot)?;
        if let Import::Tip(_) | Import::Side = import {
            self.compact.is_whole(&kept);
            out.extend(news.map(Effect::Trace));
        }
        self.after_import(now, &import, &[id], out)?;
        Ok(import)
    }

    /// Imports blocks that follow each other, as one change of the tip.
    pub(super) fn import_blocks(
        &mut self,
        now: Time,
        blocks: Vec<VerifiedBlock>,
        out: &mut Vec<Effect>,
    ) -> Result<Run, StoreError> {
        let ids: Vec<BlockId> = blocks.iter().map(VerifiedBlock::id).collect();
        let mut news = Vec::new();
        for block in &blocks {
            news.push(self.news_of(now, block)?);
        }
        let run = self.chain.import_run(blocks, self.latest_slot(now))?;
        for (id, news) in ids.iter().zip(news) {
            // Where one is refused, those after it are not stored either.
            if let Some(news) = news
                && self.chain.contains(id)?
            {
                out.push(Effect::Trace(news));
            }
        }
        let kept = match run.import {
            Import::Side => ids,
            _ => Vec::new(),
        };
        self.after_import(now, &run.import, &kept, out)?;
        Ok(run)
    }

    pub(super) fn after_import(
        &mut self,
        now: Time,
        import: &Import,
        offered: &[BlockId],
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        for proof in self.chain.take_evidence() {
            out.push(Effect::Trace(Event::Equivocation {
                slot: proof.turn().slot,
                proposer: proof.turn().proposer.to_string(),
                first: proof.first.id().to_string(),
                second: proof.second.id().to_string(),
            }));
        }
        match import {
            Import::Tip(change) => {
                self.trace_tip(now, change, out);
                self.tell_pool(now, change, out)?;
                for block in &change.applied {
                    self.adopt(block.id(), out);
                }
            }
            Import::Side => {
                for id in offered {
                    // The last of them may have been refused.
                    if self.chain.contains(id)? {
                        self.adopt(*id, out);
                    }
                }
            }
            Import::Known | Import::Orphan { .. } | Import::Refused(_) => {}
        }
        Ok(())
    }

    pub(super) fn tell_pool(
        &mut self,
        now: Time,
        change: &TipChange,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let included: Vec<_> =
            change.applied.iter().flat_map(|block| block.transactions()).cloned().collect();
        let in_new: BTreeSet<TxId> = included.iter().map(VerifiedTx::id).collect();
        // Oldest block first, so that nonces come back in their order.
        let abandoned: Vec<_> = change
            .undone
            .iter()
            .rev()
            .flat_map(|block| block.transactions())
            .filter(|tx| !in_new.contains(&tx.id()))
            .cloned()
            .collect();
        let moment = self.pool_now(now);
        let chain = &self.chain;
        let mut left = self.pool.tip_changed(
            &included,
            abandoned.clone(),
            |address| chain.account(address),
            moment,
        )?;
        // Fees reach or leave the proposers without a transaction of theirs.
        let blocks = change.applied.iter().chain(&change.undone);
        let proposers: BTreeSet<Address> =
            blocks.map(|block| block.header().fields.proposer.address()).collect();
        for proposer in proposers {
            let account = self.chain.account(&proposer)?;
            left.extend(self.pool.account_changed(&proposer, account));
        }
        for (id, departure) in left {
            self.departed(id, departure, None, out);
        }
        for tx in abandoned {
            if self.pool.contains(&tx.id()) {
                self.arrived(tx, Origin::Remote, now.unix_us, out);
            }
        }
        Ok(())
    }
}
