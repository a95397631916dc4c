//! The chain as one node holds it: a tip, the accounts at that tip, and side branches beside it.

mod finality;
mod import;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};

use crate::block::{Header, VerifiedBlock};
use crate::fork_choice::Candidate;
use crate::genesis::{Genesis, Rules};
use crate::ids::{Address, BlockId, TxId};
use crate::ledger::Account;
use crate::store::{Changes, Ends, Store, StoreError, TxPlace};
use finality::Support;

pub use import::{Import, TipChange, Unfit};

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
            store,
            rules,
            ends,
            support: Support::default(),
            invalid: BTreeSet::new(),
            invalid_order: VecDeque::new(),
        };
        chain.support = chain.support_below(ends.tip, Support::default())?;
        Ok(chain)
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

    /// Blocks of the main chain, lowest first, that follow the first id of `locator` that is on
    /// it: at most `max_count`, and only as many as fit `max_bytes` (but one at least).
    ///
    /// # Errors
    /// Our disk's fault.
    pub fn blocks_after(
        &self,
        locator: &[BlockId],
        max_count: usize,
        max_bytes: usize,
    ) -> Result<Vec<VerifiedBlock>, StoreError> {
        let mut height = 0;
        for id in locator {
            if let Some(header) = self.store.header(id)?
                && self.is_main(id, header.fields.height)?
            {
                height = header.fields.height;
                break;
            }
        }
        let (mut blocks, mut bytes) = (Vec::new(), 0);
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
        self.store.block(&id)?.ok_or_else(|| missing("block", id))
    }

    fn header(&self, id: &BlockId) -> Result<Header, StoreError> {
        self.store.header(id)?.ok_or_else(|| missing("header", id))
    }

    /// Adds who built the blocks from `id` down to the last final one. What lies below is final
    /// already and can change nothing.
    fn support_below(&self, mut id: BlockId, mut support: Support) -> Result<Support, StoreError> {
        loop {
            let header = self.header(&id)?;
            if header.fields.height <= self.ends.final_height {
                return Ok(support);
            }
            support.add(header.fields.proposer, header.fields.height);
            id = header.fields.parent;
        }
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
