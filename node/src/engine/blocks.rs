//! A block's way onto the chain, and what a new tip means for the pool.

use std::collections::BTreeSet;

use hearsay_chain::chain::{Import, TipChange};
use hearsay_chain::{
    Address, BlockError, BlockId, Store, StoreError, TxId, UnverifiedBlock, Verdict, VerifiedBlock,
    VerifiedTx,
};

use hearsay_mempool::Departure;

use super::input::Time;
use super::jobs::{Job, Owner};
use super::transactions::{Objection, busy};
use super::work::Work;
use super::{Effect, Engine, evicted};
use crate::trace::event::{Event, Kind};

/// The block is here, or being checked. Nobody's fault.
fn known() -> Objection {
    Objection {
        verdict: Verdict::Ignore,
        reason: "known",
        message: "the block is here already".to_owned(),
    }
}

/// Its parent is not here, so nothing can be said of it; the sender is asked for what lies between.
/// Nobody's fault.
fn orphan(missing: BlockId) -> Objection {
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
        let block = match UnverifiedBlock::decode(data, limit) {
            Ok(block) => block,
            Err(error) => {
                let objection = BlockError::from(error).into();
                self.judge(now, Kind::Block, content_id, &owner, Err(&objection), out);
                return Ok(());
            }
        };
        let id = block.id();
        let objection = if self.chain.contains(&id)? || self.jobs.has_block(&id) {
            Some(known())
        } else if self.jobs.is_full() {
            Some(busy())
        } else {
            None
        };
        if let Some(objection) = objection {
            self.judge(now, Kind::Block, id.0, &owner, Err(&objection), out);
            return Ok(());
        }
        match block.check_form(self.chain.rules(), |id| self.known_tx(id)) {
            Ok(block) => {
                let job = self.jobs.start(Job::Block { id, owner });
                out.push(Effect::Check { job, work: Work::Blocks(vec![block]) });
            }
            Err(error) => self.judge(now, Kind::Block, id.0, &owner, Err(&error.into()), out),
        }
        Ok(())
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
            (Some(block), None) => self.import(now, block, owner, out)?,
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
        let height = block.height();
        Ok(match self.import_block(now, block, out)? {
            Import::Tip(_) | Import::Side => Ok(()),
            Import::Known => Err(known()),
            Import::Refused(unfit) => Err(unfit.into()),
            Import::Orphan { missing } => {
                if let Owner::Gossip { ticket, .. } = owner {
                    self.sync.heard_of(ticket.from, height);
                    self.ask_for_blocks(now, out)?;
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
        let latest_slot = self.latest_slot(now);
        let import = self.chain.import(block, latest_slot)?;
        if let Import::Tip(change) = &import {
            trace_tip(change, out);
            self.tell_pool(now, change, out)?;
        }
        Ok(import)
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
        let height = self.next_height();
        let chain = &self.chain;
        let mut left = self.pool.tip_changed(
            &included,
            abandoned,
            |address| chain.account(address),
            now.mono_us,
            height,
        )?;
        // Fees reach or leave the proposers without a transaction of theirs.
        let blocks = change.applied.iter().chain(&change.undone);
        let proposers: BTreeSet<Address> =
            blocks.map(|block| block.header().fields.proposer.address()).collect();
        for proposer in proposers {
            let account = self.chain.account(&proposer)?;
            left.extend(self.pool.account_changed(&proposer, account));
        }
        // Those that a block took have an event of their own.
        let gone = left.into_iter().filter(|(_, departure)| *departure != Departure::Included);
        for (id, departure) in gone {
            out.push(evicted(id, departure.reason()));
        }
        Ok(())
    }
}

pub(super) fn trace_tip(change: &TipChange, out: &mut Vec<Effect>) {
    let Some(tip) = change.applied.last() else { return };
    out.push(Effect::Trace(Event::Tip {
        kind: Kind::Block,
        id: tip.id().to_string(),
        height: tip.height(),
        previous: change.previous.id.to_string(),
        depth: change.undone.len() as u64,
        transactions: tip.transactions().len() as u64,
    }));
    for block in &change.applied {
        let (id, height) = (block.id().to_string(), block.height());
        for tx in block.transactions() {
            out.push(Effect::Trace(Event::Included {
                kind: Kind::Tx,
                id: tx.id().to_string(),
                block: id.clone(),
                height,
            }));
        }
    }
    for (height, id) in &change.finalised {
        out.push(Effect::Trace(Event::Final {
            kind: Kind::Block,
            id: id.to_string(),
            height: *height,
        }));
    }
}
