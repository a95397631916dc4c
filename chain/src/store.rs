//! Where blocks and accounts are kept: one trait, two stores, one suite of tests over both.
//!
//! A store keeps what it is told and knows no rules. Everything that changes goes through
//! [`Store::commit`], in whole or not at all.

use std::collections::BTreeMap;

use borsh::{BorshDeserialize, BorshSerialize};
use thiserror::Error;

use crate::block::{Header, VerifiedBlock};
use crate::ids::{Address, BlockId, GenesisId, TxId};
use crate::ledger::{Account, Accounts, Undo};

mod memory;
#[cfg(feature = "rocksdb")]
mod rocks;
#[cfg(feature = "rocksdb")]
mod rocks_open;
#[cfg(test)]
mod suite;

pub use memory::MemoryStore;
#[cfg(feature = "rocksdb")]
pub use rocks::{Durability, RocksOptions, RocksStore};

/// Our disk's fault, never a peer's: the node stops and says why.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The directory cannot be opened as a store; nothing in it was changed.
    #[error("{path}: {why}")]
    Open {
        /// The directory.
        path: String,
        /// What is wrong and what to do.
        why: String,
    },
    /// The disk refused to read or write.
    #[error("the chain's store failed: {0}")]
    Io(String),
    /// What was read is not what was written.
    #[error("the chain's store is damaged: {0}")]
    Corrupt(String),
}

/// The ends of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Ends {
    /// The block that the accounts stand at.
    pub tip: BlockId,
    /// Its height.
    pub height: u64,
    /// The height of the last final block; 0 is the genesis block, final from the start.
    pub final_height: u64,
}

/// Where a transaction stands in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct TxPlace {
    /// The block's height.
    pub height: u64,
    /// Its place in the block, from 0.
    pub index: u32,
}

/// One step of the store: all of it becomes true at once, or none of it.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Blocks to keep, header and body.
    pub blocks: Vec<VerifiedBlock>,
    /// A header without a body: the genesis block's.
    pub bare_header: Option<(BlockId, Header)>,
    /// What takes a block back, for each block that was applied; none: forget it.
    pub undo: BTreeMap<BlockId, Option<Undo>>,
    /// Accounts as they are now.
    pub accounts: BTreeMap<Address, Account>,
    /// The block of the main chain at a height; none: no longer any.
    pub heights: BTreeMap<u64, Option<BlockId>>,
    /// Where transactions stand in the main chain; none: nowhere any more.
    pub transactions: BTreeMap<TxId, Option<TxPlace>>,
    /// The ends of the chain, if they move.
    pub ends: Option<Ends>,
}

/// Keeps blocks and accounts.
pub trait Store: Accounts {
    /// The network this store belongs to.
    fn genesis(&self) -> GenesisId;

    /// The ends of the chain; none before the genesis block is committed.
    ///
    /// # Errors
    /// Our disk's fault, as everywhere below.
    fn ends(&self) -> Result<Option<Ends>, StoreError>;

    /// The header of any block that is kept, on the main chain or beside it.
    ///
    /// # Errors
    /// Our disk's fault.
    fn header(&self, id: &BlockId) -> Result<Option<Header>, StoreError>;

    /// A block that is kept, with its transactions.
    ///
    /// # Errors
    /// Our disk's fault.
    fn block(&self, id: &BlockId) -> Result<Option<VerifiedBlock>, StoreError>;

    /// What takes an applied block back.
    ///
    /// # Errors
    /// Our disk's fault.
    fn undo(&self, id: &BlockId) -> Result<Option<Undo>, StoreError>;

    /// The main chain's block at a height.
    ///
    /// # Errors
    /// Our disk's fault.
    fn block_at(&self, height: u64) -> Result<Option<BlockId>, StoreError>;

    /// Where a transaction stands in the main chain.
    ///
    /// # Errors
    /// Our disk's fault.
    fn find_transaction(&self, id: &TxId) -> Result<Option<TxPlace>, StoreError>;

    /// Does all of `changes`, or nothing. When it returns, a crash of the process loses none of it.
    ///
    /// # Errors
    /// Our disk's fault.
    fn commit(&mut self, changes: Changes) -> Result<(), StoreError>;
}
