//! The store on disk: RocksDB, one column family for each kind of thing, one batch for each
//! commit.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use borsh::BorshDeserialize;
use rocksdb::{ColumnFamily, DB, DBPinnableSlice, Direction, ErrorKind, IteratorMode, WriteBatch};

use super::{
    Changes, Ends, Store, StoreError, Table, TxPlace, Visit, side_key, split_key, turn_key,
};
use crate::block::{Header, VerifiedBlock};
use crate::codec;
use crate::evidence::{Evidence, Turn};
use crate::ids::{Address, BlockId, GenesisId, TxId};
use crate::ledger::{Account, Accounts, Undo};
use crate::transaction::{Transaction, UnverifiedTx, VerifiedTx};

pub(super) mod frames;
pub(super) mod look;
pub(super) mod meta;
pub(super) mod migrate;
pub(super) mod options;
mod read_only;
mod recover;
pub(super) mod refusal;
mod snapshot;

use options::META;
pub use options::{Durability, RocksOptions};
pub use snapshot::{Snapshot, Snapshots};

/// Where the ends of the chain stand in [`META`].
const ENDS_KEY: &[u8] = b"ends";

/// Where the lowest height with a body stands in [`META`], once there is one above 1.
const FIRST_BODY_KEY: &[u8] = b"first body";

/// Keeps everything in a directory of its own.
pub struct RocksStore {
    /// None only when the disk filled up again while it was being opened again.
    db: Option<Arc<DB>>,
    snapshots: Snapshots,
    path: PathBuf,
    genesis: GenesisId,
    options: RocksOptions,
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
        let path = path.as_ref();
        let db = super::rocks_open::open(path, genesis, options)?;
        Ok(Self::with(db, path, genesis, options))
    }

    fn with(db: DB, path: &Path, genesis: GenesisId, options: RocksOptions) -> Self {
        let db = Arc::new(db);
        let snapshots = Snapshots::of(&db);
        Self { db: Some(db), snapshots, path: path.to_owned(), genesis, options }
    }

    /// What takes snapshots of this store, on any thread.
    #[must_use]
    pub fn snapshots(&self) -> Snapshots {
        self.snapshots.clone()
    }

    fn db(&self) -> Result<&DB, StoreError> {
        self.db.as_deref().ok_or_else(|| StoreError::Full("the store waits for room".to_owned()))
    }

    fn family(&self, name: &'static str) -> Result<&ColumnFamily, StoreError> {
        let missing = || StoreError::Corrupt(format!("column family {name} is missing"));
        self.db()?.cf_handle(name).ok_or_else(missing)
    }

    fn bytes(
        &self,
        family: &'static str,
        key: &[u8],
        whose: &dyn fmt::Display,
    ) -> Result<Option<DBPinnableSlice<'_>>, StoreError> {
        let read = self.db()?.get_pinned_cf(self.family(family)?, key);
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
            .field("path", &self.path)
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

fn write_error(error: &rocksdb::Error) -> StoreError {
    let text = format!("writing a commit: {error}");
    match error.as_ref().contains("No space left on device")
        || error.as_ref().contains("Disk quota exceeded")
    {
        true => StoreError::Full(text),
        false => StoreError::Io(text),
    }
}

impl Accounts for RocksStore {
    fn account(&self, address: &Address) -> Result<Account, StoreError> {
        Ok(self.read(Table::Accounts.name(), &address.0, address)?.unwrap_or_default())
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
        self.read(Table::Headers.name(), &id.0, id)
    }

    fn block(&self, id: &BlockId) -> Result<Option<VerifiedBlock>, StoreError> {
        let Some(transactions) = self.read::<Vec<Transaction>>(Table::Bodies.name(), &id.0, id)?
        else {
            return Ok(None);
        };
        let Some(header) = self.header(id)? else {
            return Err(corrupt(Table::Bodies.name(), id, &"there is no header for it"));
        };
        let transactions = transactions
            .into_iter()
            .map(|tx| VerifiedTx::from_own_store(UnverifiedTx::from(tx)))
            .collect();
        let block = VerifiedBlock::from_own_store(header, transactions);
        // The checksums cover bytes, these two cover meaning; both are at hand.
        if block.id() != *id {
            return Err(corrupt(Table::Headers.name(), id, &"it holds another block's header"));
        }
        if block.transactions().len() != block.header().fields.tx_count as usize {
            return Err(corrupt(Table::Bodies.name(), id, &"the header counts other transactions"));
        }
        Ok(Some(block))
    }

    fn undo(&self, id: &BlockId) -> Result<Option<Undo>, StoreError> {
        self.read(Table::Undo.name(), &id.0, id)
    }

    fn block_at(&self, height: u64) -> Result<Option<BlockId>, StoreError> {
        self.read(Table::Heights.name(), &height.to_be_bytes(), &height)
    }

    fn find_transaction(&self, id: &TxId) -> Result<Option<TxPlace>, StoreError> {
        self.read(Table::Transactions.name(), &id.0, id)
    }

    fn body(&self, id: &BlockId) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.bytes(Table::Bodies.name(), &id.0, id)?.map(|bytes| bytes.to_vec()))
    }

    fn first_body(&self) -> Result<u64, StoreError> {
        Ok(self.read(META, FIRST_BODY_KEY, &"the first body")?.unwrap_or(1))
    }

    fn side(&self, from: u64, to: u64) -> Result<Vec<(u64, BlockId)>, StoreError> {
        let mut found = Vec::new();
        let start = side_key(from, &BlockId([0; 32]));
        self.rows(Table::Side, &start, &mut |key, _| {
            let (height, id) = split_key(key)
                .ok_or_else(|| corrupt("side", &"a key", &"it has another length"))?;
            let wanted = height <= to;
            if wanted {
                found.push((height, BlockId(id)));
            }
            Ok(wanted)
        })?;
        Ok(found)
    }

    fn turn(&self, turn: &Turn) -> Result<Option<BlockId>, StoreError> {
        self.read(Table::Turns.name(), &turn_key(turn), &turn.slot)
    }

    fn evidence(&self, turn: &Turn) -> Result<Option<Evidence>, StoreError> {
        self.read(Table::Evidence.name(), &turn_key(turn), &turn.slot)
    }

    fn evidence_from(&self, slot: u64, max: usize) -> Result<Vec<Evidence>, StoreError> {
        let mut found = Vec::new();
        self.rows(Table::Evidence, &slot.to_be_bytes(), &mut |_, row| {
            if found.len() < max {
                let read = codec::decode(row, usize::MAX);
                found.push(read.map_err(|error| corrupt("evidence", &"a slot", &error))?);
            }
            Ok(found.len() < max)
        })?;
        Ok(found)
    }

    fn scan(&self, table: Table, visit: Visit<'_>) -> Result<(), StoreError> {
        self.rows(table, &[], &mut |key, row| visit(key, row).map(|()| true))
    }

    fn recover(&mut self) -> Result<(), StoreError> {
        self.open_again()
    }

    fn commit(&mut self, changes: Changes) -> Result<(), StoreError> {
        let batch = self.batch(changes)?;
        if batch.is_empty() {
            return Ok(());
        }
        let written = self.db()?.write_opt(batch, &options::write(self.options.durability));
        written.map_err(|error| write_error(&error))
    }
}

/// Is shown the key and the value of a row, and says whether it wants more.
type VisitUntil<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> Result<bool, StoreError>;

impl RocksStore {
    /// Shows the rows of a table from a key on, until `visit` has enough.
    fn rows(&self, table: Table, from: &[u8], visit: VisitUntil<'_>) -> Result<(), StoreError> {
        let mode = IteratorMode::From(from, Direction::Forward);
        for row in self.db()?.iterator_cf(self.family(table.name())?, mode) {
            let (key, value) = row.map_err(|error| read_error(table.name(), &"a row", &error))?;
            if !visit(&key, &value)? {
                break;
            }
        }
        Ok(())
    }

    fn batch(&self, changes: Changes) -> Result<WriteBatch, StoreError> {
        let mut batch = WriteBatch::default();
        let headers = self.family(Table::Headers.name())?;
        if let Some((id, header)) = changes.bare_header {
            batch.put_cf(headers, id.0, codec::encode(&header));
        }
        let bodies = self.family(Table::Bodies.name())?;
        for block in changes.blocks {
            let id = block.id().0;
            batch.put_cf(headers, id, codec::encode(block.header()));
            batch.put_cf(bodies, id, block.encode_body());
        }
        for id in &changes.forgotten {
            batch.delete_cf(headers, id.0);
        }
        for id in changes.forgotten.iter().chain(&changes.pruned) {
            batch.delete_cf(bodies, id.0);
        }
        let rows = changes.undo.iter().map(|(id, undo)| (id.0, undo.as_ref().map(codec::encode)));
        merge(&mut batch, self.family(Table::Undo.name())?, rows);
        // The default account reads the same with and without a row.
        let rows = changes.accounts.iter().map(|(address, account)| {
            let row = Some(account).filter(|account| **account != Account::default());
            (address.0, row.map(codec::encode))
        });
        merge(&mut batch, self.family(Table::Accounts.name())?, rows);
        let rows = changes
            .heights
            .iter()
            .map(|(height, id)| (height.to_be_bytes(), id.as_ref().map(codec::encode)));
        merge(&mut batch, self.family(Table::Heights.name())?, rows);
        let rows = changes
            .transactions
            .iter()
            .map(|(id, place)| (id.0, place.as_ref().map(codec::encode)));
        merge(&mut batch, self.family(Table::Transactions.name())?, rows);
        let rows = changes.side.iter().map(|((height, id), kept)| {
            let row = kept.then(Vec::new);
            (side_key(*height, id), row)
        });
        merge(&mut batch, self.family(Table::Side.name())?, rows);
        let rows =
            changes.turns.iter().map(|(turn, id)| (turn_key(turn), id.as_ref().map(codec::encode)));
        merge(&mut batch, self.family(Table::Turns.name())?, rows);
        let rows = changes
            .evidence
            .iter()
            .map(|evidence| (turn_key(&evidence.turn()), Some(codec::encode(evidence))));
        merge(&mut batch, self.family(Table::Evidence.name())?, rows);
        if let Some(height) = changes.first_body {
            batch.put_cf(self.family(META)?, FIRST_BODY_KEY, codec::encode(&height));
        }
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
mod migrate_tests;
#[cfg(test)]
mod open_tests;
#[cfg(test)]
mod snapshot_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod torn_tests;
