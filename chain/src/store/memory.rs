//! A store in memory: for tests, simulations and tools.

use std::collections::BTreeMap;

use super::{Changes, Ends, Store, StoreError, TxPlace};
use crate::block::{Header, VerifiedBlock};
use crate::ids::{Address, BlockId, GenesisId, TxId};
use crate::ledger::{Account, Accounts, Undo};

/// Keeps everything in ordered maps.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    genesis: GenesisId,
    headers: BTreeMap<BlockId, Header>,
    blocks: BTreeMap<BlockId, VerifiedBlock>,
    undo: BTreeMap<BlockId, Undo>,
    accounts: BTreeMap<Address, Account>,
    heights: BTreeMap<u64, BlockId>,
    transactions: BTreeMap<TxId, TxPlace>,
    ends: Option<Ends>,
}

impl MemoryStore {
    /// An empty store for a network.
    #[must_use]
    pub fn new(genesis: GenesisId) -> Self {
        Self {
            genesis,
            headers: BTreeMap::new(),
            blocks: BTreeMap::new(),
            undo: BTreeMap::new(),
            accounts: BTreeMap::new(),
            heights: BTreeMap::new(),
            transactions: BTreeMap::new(),
            ends: None,
        }
    }
}

/// Sets or removes each key.
fn merge<K: Ord, V>(map: &mut BTreeMap<K, V>, changes: BTreeMap<K, Option<V>>) {
    for (key, value) in changes {
        match value {
            Some(value) => map.insert(key, value),
            None => map.remove(&key),
        };
    }
}

impl Accounts for MemoryStore {
    fn account(&self, address: &Address) -> Result<Account, StoreError> {
        Ok(self.accounts.get(address).copied().unwrap_or_default())
    }
}

impl Store for MemoryStore {
    fn genesis(&self) -> GenesisId {
        self.genesis
    }

    fn ends(&self) -> Result<Option<Ends>, StoreError> {
        Ok(self.ends)
    }

    fn header(&self, id: &BlockId) -> Result<Option<Header>, StoreError> {
        Ok(self.headers.get(id).cloned())
    }

    fn block(&self, id: &BlockId) -> Result<Option<VerifiedBlock>, StoreError> {
        Ok(self.blocks.get(id).cloned())
    }

    fn undo(&self, id: &BlockId) -> Result<Option<Undo>, StoreError> {
        Ok(self.undo.get(id).cloned())
    }

    fn block_at(&self, height: u64) -> Result<Option<BlockId>, StoreError> {
        Ok(self.heights.get(&height).copied())
    }

    fn find_transaction(&self, id: &TxId) -> Result<Option<TxPlace>, StoreError> {
        Ok(self.transactions.get(id).copied())
    }

    fn commit(&mut self, changes: Changes) -> Result<(), StoreError> {
        self.headers.extend(changes.bare_header);
        for block in changes.blocks {
            self.headers.insert(block.id(), block.header().clone());
            self.blocks.insert(block.id(), block);
        }
        merge(&mut self.undo, changes.undo);
        self.accounts.extend(changes.accounts);
        merge(&mut self.heights, changes.heights);
        merge(&mut self.transactions, changes.transactions);
        self.ends = changes.ends.or(self.ends);
        Ok(())
    }
}
