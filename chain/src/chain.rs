//! The chain as one node holds it: a tip, the accounts at that tip, and side branches beside it.

mod finality;
mod import;
mod prune;
mod revert;
mod switch;
#[cfg(test)]
mod tests;
mod unfit;

use std::collections::{BTreeSet, VecDeque};

use crate::block::{Header, VerifiedBlock};
use crate::evidence::Evidence;
use crate::fork_choice::Candidate;
use crate::genesis::{Genesis, Rules};
use crate::ids::{Address, BlockId, TxId};
use crate::ledger::Account;
use crate::store::{Changes, Ends, Store, StoreError, TxPlace};
use finality::Support;
use switch::Pending;

pub use import::{Import, Run, TipChange, check_step};
pub use revert::{Reverted, Unrevertible};
pub use unfit::Unfit;

/// Ids of blocks that do not fit their own branch, kept so that nobody makes us apply one twice.
/// Making one takes an authority's signature in its own slot, so few are ever needed.
const MAX_INVALID: usize = 1_024;

/// The chain: a store, the rules that fill it, and what is cheap to keep at hand.
#[derive(Debug)]
pub struct Chain<S> {
    store: S,
    rules: Rules,
    ends: Ends,
    support: Support,
    invalid: BTreeSet<BlockId>,
    /// The same ids, oldest first.
    invalid_order: VecDeque<BlockId>,
    /// How many blocks of the main chain keep their bodies; none: all.
    keep_bodies: Option<u64>,
    /// The lowest height of the main chain whose body is kept.
    first_body: u64,
    /// Whether branches below the final block were looked for since the start.
    swept: bool,
    /// Proofs of equivocation that were found and not yet taken.
    found: Vec<Evidence>,
    /// A change of the tip that the disk took or did not take.
    unsure: Option<Box<Pending>>,
    /// Proofs of equivocation that the disk took or did not take.
    unsure_evidence: Vec<Evidence>,
}

impl<S: Store> Chain<S> {
    /// Opens the chain in a store, writing the genesis block into an empty one.
    ///
    /// # Errors
    /// Our disk's fault, or a store of another genesis.
    pub fn open(mut store: S, genesis: Genesis) -> Result<Self, StoreError> {
        let rules = Rules::new(genesis);
        if store.genesis() != rules.id() {
            return Err(StoreError::Corrupt(format!(
                "it belongs to network {}, not to {}",
                store.genesis(),
                rules.id()
            )));
        }
        let ends = match store.ends()? {
            Some(ends) => ends,
            None => write_genesis(&mut store, rules.genesis())?,
        };
        let mut chain = Self {
            first_body: store.first_body()?,
            store,
            rules,
            ends,
            support: Support::above(ends.final_height),
            invalid: BTreeSet::new(),
            invalid_order: VecDeque::new(),
            keep_bodies: None,
            swept: false,
            found: Vec::new(),
            unsure: None,
            unsure_evidence: Vec::new(),
        };
        for height in ends.final_height + 1..=ends.height {
            let id = chain.store.block_at(height)?.ok_or_else(|| missing("height", height))?;
            let place = chain.place_of(&chain.header(&id)?)?;
            chain.support.push(place);
        }
        Ok(chain)
    }

    /// Keeps the bodies of the last `count` blocks of the main chain alone, and of those that are
    /// not final; none: of all. Headers and accounts stay as they are. What was dropped before does
    /// not come back.
    pub fn keep_bodies(&mut self, count: Option<u64>) {
        self.keep_bodies = count;
    }

    /// The lowest height of the main chain whose body is kept: 1 unless older ones were dropped.
    #[must_use]
    pub fn first_body(&self) -> u64 {
        self.first_body
    }

    /// Proofs of equivocation that were found since this was last asked.
    pub fn take_evidence(&mut self) -> Vec<Evidence> {
        std::mem::take(&mut self.found)
    }

    /// Goes on after [`StoreError::Full`], once there is room. Gives the change of the tip that was
    /// being stored, if it did reach the disk.
    ///
    /// # Errors
    /// [`StoreError::Full`] while there is no room; else our disk's fault.
    pub fn recover(&mut self) -> Result<Option<TipChange>, StoreError> {
        self.store.recover()?;
        let ends = self.store.ends()?;
        for evidence in std::mem::take(&mut self.unsure_evidence) {
            if self.store.evidence(&evidence.turn())?.as_ref() == Some(&evidence) {
                self.found.push(evidence);
            }
        }
        let pending = self.unsure.take().filter(|pending| Some(pending.ends()) == ends);
        Ok(pending.map(|pending| self.adopt(*pending)))
    }

    /// Has the store do it. Proofs of equivocation are found once they are on disk.
    fn commit(&mut self, changes: Changes) -> Result<(), StoreError> {
        let evidence = changes.evidence.clone();
        let done = self.store.commit(changes);
        match &done {
            Ok(()) => self.found.extend(evidence),
            Err(_) => self.unsure_evidence = evidence,
        }
        done
    }

    /// Whether something was being stored of which nobody knows yet whether it was.
    fn is_unsure(&self) -> bool {
        self.unsure.is_some() || !self.unsure_evidence.is_empty()
    }

    /// The rules, with their hash at hand.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The genesis.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        self.rules.genesis()
    }

    /// The ends of the chain.
    #[must_use]
    pub fn ends(&self) -> Ends {
        self.ends
    }

    /// The tip as fork choice sees it.
    #[must_use]
    pub fn tip(&self) -> Candidate {
        Candidate { height: self.ends.height, id: self.ends.tip }
    }

    /// The store, to read from.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.store
    }

    /// The account of an address at the tip.
    ///
    /// # Errors
    /// Our disk's fault.
    pub fn account(&self, address: &Address) -> Result<Account, StoreError> {
        self.store.account(address)
    }

    /// Whether a block is kept, on the main chain or beside it.
    ///
    /// # Errors
    /// Our disk's fault.
    pub fn contains(&self, id: &BlockId) -> Result<bool, StoreError> {
        Ok(self.store.header(id)?.is_some())
    }

    /// Whether a block can be judged by its parent: that is kept, or known to be invalid.
    ///
    /// # Errors
    /// Our disk's fault.
    pub fn may_follow(&self, parent: &BlockId) -> Result<bool, StoreError> {
        Ok(self.invalid.contains(parent) || self.contains(parent)?)
    }

    /// Notes that a block is invalid, though its header is signed: whatever stands on it is refused.
    pub fn condemn(&mut self, id: BlockId) {
        self.remember_invalid(id);
    }

    /// Whether a block is on the main chain.
    ///
    /// # Errors
    /// Our disk's fault.
    pub fn is_main(&self, id: &BlockId, height: u64) -> Result<bool, StoreError> {
        Ok(self.store.block_at(height)?.as_ref() == Some(id))
    }

    /// Where a transaction stands in the main chain.
    ///
    /// # Errors
    /// Our disk's fault.
    pub fn find_transaction(&self, id: &TxId) -> Result<Option<TxPlace>, StoreError> {
        self.store.find_transaction(id)
    }

    /// Ids of the main chain from the tip down, dense at first and then ever sparser, the genesis
    /// block last: enough for a peer to find where our chains part, in as many ids as the
    /// logarithm of the height.
    ///
    /// # Errors
    /// Our disk's fault.
    pub fn locator(&self) -> Result<Vec<BlockId>, StoreError> {
        const DENSE: usize = 10;
        let mut ids = Vec::new();
        let (mut height, mut step) = (self.ends.height, 1);
        loop {
            ids.extend(self.store.block_at(height)?);
            if height == 0 {
                return Ok(ids);
            }
            if ids.len() >= DENSE {
                step *= 2;
            }
            height = height.saturating_sub(step);
        }
    }

    /// The height of the first id of `locator` that is on the main chain; 0 if none is.
    ///
    /// # Errors
    /// Our disk's fault.
    pub fn meeting_height(&self, locator: &[BlockId]) -> Result<u64, StoreError> {
        for id in locator {
            if let Some(header) = self.store.header(id)?
                && self.is_main(id, header.fields.height)?
            {
                return Ok(header.fields.height);
            }
        }
        Ok(0)
    }

    /// Headers of the main chain, lowest first, that follow the first id of `locator` that is on
    /// it: at most `max`.
    ///
    /// # Errors
    /// Our disk's fault.
    pub fn headers_after(
        &self,
        locator: &[BlockId],
        max: usize,
    ) -> Result<Vec<Header>, StoreError> {
        let first = self.meeting_height(locator)?.saturating_add(1);
        let heights = (first..=self.ends.height).take(max);
        heights
            .map(|height| {
                let id = self.store.block_at(height)?.ok_or_else(|| missing("height", height))?;
                self.header(&id)
            })
            .collect()
    }

    /// Blocks of the main chain, lowest first, that follow the first id of `locator` that is on
    /// it: at most `max_count`, and only as many as fit `max_bytes` (but one at least). None where
    /// the bodies were pruned.
    ///
    /// # Errors
    /// Our disk's fault.
    pub fn blocks_after(
        &self,
        locator: &[BlockId],
        max_count: usize,
        max_bytes: usize,
    ) -> Result<Vec<VerifiedBlock>, StoreError> {
        let mut height = self.meeting_height(locator)?;
        let (mut blocks, mut bytes) = (Vec::new(), 0);
        if height + 1 < self.first_body {
            return Ok(blocks);
        }
        while blocks.len() < max_count && height < self.ends.height {
            height += 1;
            let block = self.main_block(height)?;
            bytes += block.size();
            if bytes > max_bytes && !blocks.is_empty() {
                break;
            }
            blocks.push(block);
        }
        Ok(blocks)
    }

    /// The main chain's block at a height that it has.
    fn main_block(&self, height: u64) -> Result<VerifiedBlock, StoreError> {
        let id = self.store.block_at(height)?.ok_or_else(|| missing("height", height))?;
        self.block(&id)
    }

    fn header(&self, id: &BlockId) -> Result<Header, StoreError> {
        self.store.header(id)?.ok_or_else(|| missing("header", id))
    }

    fn block(&self, id: &BlockId) -> Result<VerifiedBlock, StoreError> {
        self.store.block(id)?.ok_or_else(|| missing("block", id))
    }

    /// The place of whoever made a block, among the authorities.
    fn place_of(&self, header: &Header) -> Result<u16, StoreError> {
        let place = self.rules.place_of(&header.fields.proposer);
        place
            .and_then(|place| u16::try_from(place).ok())
            .ok_or_else(|| missing("authority", header.fields.proposer))
    }

    fn remember_invalid(&mut self, id: BlockId) {
        if self.invalid.insert(id) {
            self.invalid_order.push_back(id);
        }
        if self.invalid_order.len() > MAX_INVALID
            && let Some(oldest) = self.invalid_order.pop_front()
        {
            self.invalid.remove(&oldest);
        }
    }
}

fn write_genesis(store: &mut impl Store, genesis: &Genesis) -> Result<Ends, StoreError> {
    let header = genesis.block();
    let id = header.id();
    let ends = Ends { tip: id, height: 0, final_height: 0 };
    store.commit(Changes {
        bare_header: Some((id, header)),
        accounts: genesis
            .allocations
            .iter()
            .map(|(address, balance)| (*address, Account { balance: *balance, nonce: 0 }))
            .collect(),
        heights: [(0, Some(id))].into(),
        ends: Some(ends),
        ..Changes::default()
    })?;
    Ok(ends)
}

fn missing(what: &str, name: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(format!("{what} {name} should be there and is not"))
}
