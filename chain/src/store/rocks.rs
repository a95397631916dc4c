//! The store on disk: RocksDB, one column family for each kind of thing, one batch for each
//! commit.

use std::fmt;
use std::path::Path;

use borsh::BorshDeserialize;
use rocksdb::{ColumnFamily, DB, DBPinnableSlice, ErrorKind, WriteBatch};

use super::{Changes, Ends, Store, StoreError, TxPlace};
use crate::block::{Header, VerifiedBlock};
use crate::codec;
use crate::ids::{Address, BlockId, GenesisId, TxId};
use crate::ledger::{Account, Accounts, Undo};
use crate::transaction::{Transaction, UnverifiedTx, VerifiedTx};

pub(super) mod look;
pub(super) mod meta;
pub(super) mod options;
pub(super) mod refusal;

use options::{ACCOUNTS, BODIES, HEADERS, HEIGHTS, META, TRANSACTIONS, UNDO};
pub use options::{Durability, RocksOptions};

/// Where the ends of the chain stand in [`META`].
const ENDS_KEY: &[u8] = b"ends";

/// Keeps everything in a directory of its own.
pub struct RocksStore {
    db: DB,
    genesis: GenesisId,
    durability: Durability,
}

impl RocksStore {
    /// Opens the store of a network, and makes it if there is none.
    ///
    /// # Errors
    /// [`StoreError::Open`] if the directory is open elsewhere, not a store, damaged, of another
    /// network or a newer schema, not ours to read and write, or on a full disk. It says which,
    /// and what to do; nothing in the directory was changed.
    pub fn open(
        path: impl AsRef<Path>,
        genesis: GenesisId,
        options: RocksOptions,
    ) -> Result<Self, StoreError> {
        let db = super::rocks_open::open(path.as_ref(), genesis, options)?;
        Ok(Self { db, genesis, durability: options.durability })
    }

    fn family(&self, name: &'static str) -> Result<&ColumnFamily, StoreError> {
        let missing = || StoreError::Corrupt(format!("column family {name} is missing"));
        self.db.cf_handle(name).ok_or_else(missing)
    }

    fn bytes(
        &self,
        family: &'static str,
        key: &[u8],
        whose: &dyn fmt::Display,
    ) -> Result<Option<DBPinnableSlice<'_>>, StoreError> {
        let read = self.db.get_pinned_cf(self.family(family)?, key);
        read.map_err(|error| read_error(family, whose, &error))
    }

    fn read<T: BorshDeserialize>(
        &self,
        family: &'static str,
        key: &[u8],
        whose: &dyn fmt::Display,
    ) -> Result<Option<T>, StoreError> {
        let Some(bytes) = self.bytes(family, key, whose)? else {
            return Ok(None);
        };
        // No limit: we wrote these bytes, and RocksDB has compared their checksum.
        match codec::decode(&bytes, usize::MAX) {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(corrupt(family, whose, &error)),
        }
    }
}

impl fmt::Debug for RocksStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RocksStore")
            .field("path", &self.db.path())
            .field("genesis", &self.genesis)
            .finish_non_exhaustive()
    }
}

fn corrupt(family: &str, whose: &dyn fmt::Display, what: &dyn fmt::Display) -> StoreError {
    StoreError::Corrupt(format!("{family} of {whose}: {what}"))
}

fn read_error(family: &str, whose: &dyn fmt::Display, error: &rocksdb::Error) -> StoreError {
    match error.kind() {
        ErrorKind::Corruption => corrupt(family, whose, error),
        _ => StoreError::Io(format!("reading {family} of {whose}: {error}")),
    }
}

impl Accounts for RocksStore {
    fn account(&self, address: &Address) -> Result<Account, StoreError> {
        Ok(self.read(ACCOUNTS, &address.0, address)?.unwrap_or_default())
    }
}

impl Store for RocksStore {
    fn genesis(&self) -> GenesisId {
        self.genesis
    }

    fn ends(&self) -> Result<Option<Ends>, StoreError> {
        self.read(META, ENDS_KEY, &"the chain's ends")
    }

    fn header(&self, id: &BlockId) -> Result<Option<Header>, StoreError> {
        self.read(HEADERS, &id.0, id)
    }

    fn block(&self, id: &BlockId) -> Result<Option<VerifiedBlock>, StoreError> {
        let Some(transactions) = self.read::<Vec<Transaction>>(BODIES, &id.0, id)? else {
            return Ok(None);
        };
        let Some(header) = self.header(id)? else {
            return Err(corrupt(BODIES, id, &"there is no header for it"));
        };
        let transactions = transactions
            .into_iter()
            .map(|tx| VerifiedTx::from_own_store(UnverifiedTx::from(tx)))
            .collect();
        let block = VerifiedBlock::from_own_store(header, transactions);
        // The checksums cover bytes, these two cover meaning; both are at hand.
        if block.id() != *id {
            return Err(corrupt(HEADERS, id, &"it holds another block's header"));
        }
        if block.transactions().len() != block.header().fields.tx_count as usize {
            return Err(corrupt(BODIES, id, &"the header counts other transactions"));
        }
        Ok(Some(block))
    }

    fn undo(&self, id: &BlockId) -> Result<Option<Undo>, StoreError> {
        self.read(UNDO, &id.0, id)
    }

    fn block_at(&self, height: u64) -> Result<Option<BlockId>, StoreError> {
        self.read(HEIGHTS, &height.to_be_bytes(), &height)
    }

    fn find_transaction(&self, id: &TxId) -> Result<Option<TxPlace>, StoreError> {
        self.read(TRANSACTIONS, &id.0, id)
    }

    fn commit(&mut self, changes: Changes) -> Result<(), StoreError> {
        let batch = self.batch(changes)?;
        if batch.is_empty() {
            return Ok(());
        }
        let written = self.db.write_opt(batch, &options::write(self.durability));
        written.map_err(|error| StoreError::Io(format!("writing a commit: {error}")))
    }
}

impl RocksStore {
    fn batch(&self, changes: Changes) -> Result<WriteBatch, StoreError> {
        let mut batch = WriteBatch::default();
        let headers = self.family(HEADERS)?;
        if let Some((id, header)) = changes.bare_header {
            batch.put_cf(headers, id.0, codec::encode(&header));
        }
        let bodies = self.family(BODIES)?;
        for block in changes.blocks {
            let id = block.id().0;
            let transactions = block.transactions().iter().map(VerifiedTx::transaction);
            batch.put_cf(headers, id, codec::encode(block.header()));
            batch.put_cf(bodies, id, codec::encode(&transactions.collect::<Vec<_>>()));
        }
        let rows = changes.undo.iter().map(|(id, undo)| (id.0, undo.as_ref().map(codec::encode)));
        merge(&mut batch, self.family(UNDO)?, rows);
        // The default account reads the same with and without a row.
        let rows = changes.accounts.iter().map(|(address, account)| {
            let row = Some(account).filter(|account| **account != Account::default());
            (address.0, row.map(codec::encode))
        });
        merge(&mut batch, self.family(ACCOUNTS)?, rows);
        let rows = changes
            .heights
            .iter()
            .map(|(height, id)| (height.to_be_bytes(), id.as_ref().map(codec::encode)));
        merge(&mut batch, self.family(HEIGHTS)?, rows);
        let rows = changes
            .transactions
            .iter()
            .map(|(id, place)| (id.0, place.as_ref().map(codec::encode)));
        merge(&mut batch, self.family(TRANSACTIONS)?, rows);
        if let Some(ends) = changes.ends {
            batch.put_cf(self.family(META)?, ENDS_KEY, codec::encode(&ends));
        }
        Ok(batch)
    }
}

/// Sets or removes each row.
fn merge<K: AsRef<[u8]>>(
    batch: &mut WriteBatch,
    family: &ColumnFamily,
    rows: impl Iterator<Item = (K, Option<Vec<u8>>)>,
) {
    for (key, row) in rows {
        match row {
            Some(row) => batch.put_cf(family, key, row),
            None => batch.delete_cf(family, key),
        }
    }
}

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod full_disk_tests;
#[cfg(test)]
mod open_tests;
#[cfg(test)]
mod testing;
