//! Where blocks and accounts are kept: one trait, two stores, one suite of tests over both.
//!
//! A store keeps what it is told and knows no rules. Everything that changes goes through
//! [`Store::commit`], in whole or not at all.

use std::collections::BTreeMap;

use borsh::{BorshDeserialize, BorshSerialize};
use thiserror::Error;

use crate::block::{Header, VerifiedBlock};
use crate::evidence::{Evidence, Turn};
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
pub use rocks::{Durability, RocksOptions, RocksStore, Snapshot, Snapshots};

/// Our disk's fault, never a peer's: the node stops and says why.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The directory cannot be opened as a store; nothing in it was changed.
    #[error("{path}: {why}")]
    Open {
        /// The directory.
        path: String,
        /// What is wrong, for programs.
        kind: OpenErrorKind,
        /// What is wrong and what to do.
        why: String,
    },
    /// The disk is full. What is stored is whole; [`Store::recover`] once there is room again.
    #[error("the disk is full: {0}")]
    Full(String),
    /// The disk refused to read or write.
    #[error("the chain's store failed: {0}")]
    Io(String),
    /// What was read is not what was written.
    #[error("the chain's store is damaged: {0}")]
    Corrupt(String),
}

/// What is wrong with a directory that cannot be opened as a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OpenErrorKind {
    /// It is open already, in this process or another one.
    Locked,
    /// It is a file, or holds what is not ours.
    Foreign,
    /// It is damaged.
    Damaged,
    /// A newer program wrote it.
    Newer,
    /// It belongs to another network.
    OtherNetwork,
    /// This user may not read or write it.
    Permission,
    /// Its file system is mounted read-only.
    ReadOnly,
    /// Its disk is full.
    Full,
    /// Its disk failed.
    Failed,
    /// An older program wrote it, and it was to be read without a change.
    Older,
    /// There is none, and none was to be made.
    Missing,
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
    /// Heights and ids of blocks that stand beside the main chain; false: no longer.
    pub side: BTreeMap<(u64, BlockId), bool>,
    /// Blocks to forget, header and body.
    pub forgotten: Vec<BlockId>,
    /// Blocks of which the body is forgotten and the header kept.
    pub pruned: Vec<BlockId>,
    /// The lowest height of the main chain whose body is kept, if it moves.
    pub first_body: Option<u64>,
    /// The block that an authority made in a slot: the first one seen; none: forget it.
    pub turns: BTreeMap<Turn, Option<BlockId>>,
    /// Proofs of equivocation.
    pub evidence: Vec<Evidence>,
}

/// What a store keeps, one kind of row each. Keys are ids and addresses as they are, numbers
/// big-endian so that their order is the rows' order; values are borsh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Block id → header, of every block kept.
    Headers,
    /// Block id → list of transactions, of every block kept and not pruned.
    Bodies,
    /// Block id → undo, of the main chain above the last final block.
    Undo,
    /// Address → account at the tip.
    Accounts,
    /// Height → block id, of the main chain.
    Heights,
    /// Transaction id → place, of the main chain.
    Transactions,
    /// Height and block id → nothing, of the blocks beside the main chain.
    Side,
    /// Slot and authority → block id, the first one seen.
    Turns,
    /// Slot and authority → evidence of equivocation.
    Evidence,
}

impl Table {
    /// All of them.
    pub const ALL: [Table; 9] = [
        Table::Headers,
        Table::Bodies,
        Table::Undo,
        Table::Accounts,
        Table::Heights,
        Table::Transactions,
        Table::Side,
        Table::Turns,
        Table::Evidence,
    ];

    /// Its name: the column family of the store on disk.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Table::Headers => "headers",
            Table::Bodies => "bodies",
            Table::Undo => "undo",
            Table::Accounts => "accounts",
            Table::Heights => "heights",
            Table::Transactions => "transactions",
            Table::Side => "side",
            Table::Turns => "turns",
            Table::Evidence => "evidence",
        }
    }
}

/// The key of a row of [`Table::Side`].
#[must_use]
pub fn side_key(height: u64, id: &BlockId) -> [u8; 40] {
    joined(height, &id.0)
}

/// The key of a row of [`Table::Turns`] and [`Table::Evidence`].
#[must_use]
pub fn turn_key(turn: &Turn) -> [u8; 40] {
    joined(turn.slot, &turn.proposer.0)
}

fn joined(number: u64, bytes: &[u8; 32]) -> [u8; 40] {
    let mut key = [0; 40];
    key[..8].copy_from_slice(&number.to_be_bytes());
    key[8..].copy_from_slice(bytes);
    key
}

/// Takes the keys of [`Table::Side`], [`Table::Turns`] and [`Table::Evidence`] apart.
#[must_use]
pub fn split_key(key: &[u8]) -> Option<(u64, [u8; 32])> {
    let (number, bytes) = key.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*number), bytes.try_into().ok()?))
}

/// Is shown the key and the value of a row.
pub type Visit<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> Result<(), StoreError>;

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

    /// The encoded list of a kept block's transactions, as it is sent.
    ///
    /// # Errors
    /// Our disk's fault.
    fn body(&self, id: &BlockId) -> Result<Option<Vec<u8>>, StoreError>;

    /// The lowest height of the main chain whose body is kept: 1 unless older ones were pruned.
    ///
    /// # Errors
    /// Our disk's fault.
    fn first_body(&self) -> Result<u64, StoreError>;

    /// Blocks beside the main chain at heights `from` to `to`, both included, lowest first.
    ///
    /// # Errors
    /// Our disk's fault.
    fn side(&self, from: u64, to: u64) -> Result<Vec<(u64, BlockId)>, StoreError>;

    /// The block that an authority made in a slot: the first one seen.
    ///
    /// # Errors
    /// Our disk's fault.
    fn turn(&self, turn: &Turn) -> Result<Option<BlockId>, StoreError>;

    /// The proof that an authority made two blocks in a slot.
    ///
    /// # Errors
    /// Our disk's fault.
    fn evidence(&self, turn: &Turn) -> Result<Option<Evidence>, StoreError>;

    /// Proofs of equivocation from a slot on, `max` of them at most, earliest first.
    ///
    /// # Errors
    /// Our disk's fault.
    fn evidence_from(&self, slot: u64, max: usize) -> Result<Vec<Evidence>, StoreError>;

    /// Shows every row of a table, in the order of its keys, until `visit` fails.
    ///
    /// # Errors
    /// Our disk's fault, or that of `visit`.
    fn scan(&self, table: Table, visit: Visit<'_>) -> Result<(), StoreError>;

    /// Makes the store usable again after a commit failed with [`StoreError::Full`]. That commit
    /// may have happened or not: [`Store::ends`] tells.
    ///
    /// # Errors
    /// [`StoreError::Full`] while there is still no room; else our disk's fault.
    fn recover(&mut self) -> Result<(), StoreError>;

    /// Does all of `changes`, or nothing. When it returns, a crash of the process loses none of it.
    ///
    /// # Errors
    /// Our disk's fault.
    fn commit(&mut self, changes: Changes) -> Result<(), StoreError>;
}
