//! Looks at a store that a killed node has left: every link, root, signature, index and account.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use borsh::BorshDeserialize;
use hearsay_chain::chain::check_step;
use hearsay_chain::header::HeaderFields;
use hearsay_chain::ledger::{Account, Accounts, Overlay, Undo, apply_block};
use hearsay_chain::store::{Durability, Ends, RocksOptions, RocksStore, Table, TxPlace, split_key};
use hearsay_chain::{
    Address, BlockId, Genesis, Rules, Store, StoreError, TxId, UnverifiedBlock, VerifiedBlock,
    VerifiedTx, codec,
};

#[cfg(test)]
mod tests;

/// What a store holds.
#[derive(Debug, Default)]
pub struct Report {
    /// The ends of the chain; none: the node was killed before it wrote the genesis block.
    pub ends: Option<Ends>,
    /// The main chain by height.
    pub main: Vec<BlockId>,
    /// Every block that is kept, on the main chain or beside it.
    pub kept: BTreeSet<BlockId>,
    /// Transactions of the main chain.
    pub transactions: BTreeMap<TxId, TxPlace>,
}

/// Examines the store in `path` without changing it: everything, from the tip down to the genesis
/// block.
///
/// # Errors
/// The first thing that is wrong.
pub fn examine(path: &Path, genesis: &Genesis) -> Result<Report> {
    Examiner::new(Rules::new(genesis.clone())).examine(path)
}

/// Examines the same store again and again.
///
/// A block's id covers its header and signature, and the header's root covers the transactions with
/// theirs. So signatures that held once hold for good where id and root still do; those two are
/// computed from the stored bytes every time.
#[derive(Debug)]
pub struct Examiner {
    rules: Rules,
    verified: BTreeSet<BlockId>,
}

impl Examiner {
    /// Nothing examined yet.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self { rules, verified: BTreeSet::new() }
    }

    /// Examines the store in `path` without changing it.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn examine(&mut self, path: &Path) -> Result<Report> {
        if !path.exists() {
            return Ok(Report::default());
        }
        let beside = path.parent().context("a store is in a directory")?;
        let copy = tempfile::tempdir_in(beside)?;
        copy_store(path, copy.path())?;
        let options = RocksOptions { durability: Durability::Buffered, ..RocksOptions::default() };
        let store = RocksStore::open(copy.path(), self.rules.id(), options)?;
        let Some(ends) = store.ends()? else { return Ok(Report::default()) };
        let main = self.walk(&store, ends)?;
        let kept = self.all_kept(&store, &main)?;
        let transactions = self.replay(&store, ends, &main)?;
        Ok(Report { ends: Some(ends), main, kept, transactions })
    }

    /// The main chain by height, walked from the tip down.
    fn walk(&self, store: &RocksStore, ends: Ends) -> Result<Vec<BlockId>> {
        ensure!(ends.final_height <= ends.height, "final above the tip: {ends:?}");
        let mut main = Vec::new();
        let mut id = ends.tip;
        for height in (0..=ends.height).rev() {
            ensure!(store.block_at(height)? == Some(id), "height {height} does not lead to {id}");
            main.push(id);
            id = self.check_header(store, &id, height)?.parent;
        }
        main.reverse();
        ensure!(main.first() == Some(&self.rules.genesis().block().id()), "no genesis below");
        let mut heights = 0;
        store.scan(Table::Heights, &mut |_, _| {
            heights += 1;
            Ok(())
        })?;
        ensure!(heights == main.len(), "{heights} heights for {} blocks", main.len());
        Ok(main)
    }

    /// Checks a stored header against its id, its height and its parent.
    fn check_header(&self, store: &RocksStore, id: &BlockId, height: u64) -> Result<HeaderFields> {
        let header = store.header(id)?.with_context(|| format!("header {id} is missing"))?;
        let fields = header.fields.clone();
        ensure!(header.id() == *id, "another header stands under {id}");
        ensure!(fields.height == height, "block {id} stands at {}, not {height}", fields.height);
        if height > 0 {
            let parent = store.header(&fields.parent)?;
            let parent = parent.with_context(|| format!("the parent of {id} is missing"))?;
            check_step(&fields, &parent.fields, u64::MAX).with_context(|| id.to_string())?;
        }
        Ok(fields)
    }

    /// Reads a block and checks it by itself.
    fn check_block(&mut self, store: &RocksStore, id: &BlockId) -> Result<VerifiedBlock> {
        let header = store.header(id)?.with_context(|| format!("header {id} is missing"))?;
        let body = store.body(id)?.with_context(|| format!("body {id} is missing"))?;
        let limit = self.rules.genesis().limits.block_bytes as usize;
        let block = UnverifiedBlock::from_body((*id, header.clone()), &body, limit);
        let block = block.with_context(|| id.to_string())?;
        let transactions =
            block.transactions().iter().cloned().map(VerifiedTx::from_own_store).collect();
        let block = block.check_form(&self.rules, |_| None).with_context(|| id.to_string())?;
        if !self.verified.contains(id) {
            block.verify().with_context(|| id.to_string())?;
            self.verified.insert(*id);
        }
        Ok(VerifiedBlock::from_own_store(header, transactions))
    }

    /// Every block that is kept; those beside the main chain are checked, with their index.
    fn all_kept(&mut self, store: &RocksStore, main: &[BlockId]) -> Result<BTreeSet<BlockId>> {
        let mut kept: BTreeSet<BlockId> = main.iter().copied().collect();
        let mut side = Vec::new();
        store.scan(Table::Side, &mut |key, _| {
            side.extend(split_key(key).map(|(height, id)| (height, BlockId(id))));
            Ok(())
        })?;
        for (height, id) in side {
            ensure!(kept.insert(id), "block {id} stands on and beside the main chain");
            self.check_header(store, &id, height)?;
            self.check_block(store, &id)?;
        }
        let (mut headers, mut bodies) = (0, 0);
        store.scan(Table::Headers, &mut |_, _| {
            headers += 1;
            Ok(())
        })?;
        store.scan(Table::Bodies, &mut |_, _| {
            bodies += 1;
            Ok(())
        })?;
        ensure!(
            headers == kept.len() && bodies + 1 == kept.len(),
            "{headers} headers and {bodies} bodies for {} blocks",
            kept.len()
        );
        Ok(kept)
    }

    /// Checks the blocks of the main chain and applies them anew, and compares accounts, undos and places of transactions.
    fn replay(
        &mut self,
        store: &RocksStore,
        ends: Ends,
        main: &[BlockId],
    ) -> Result<BTreeMap<TxId, TxPlace>> {
        let rules = self.rules.clone();
        let start = Start(&rules.genesis().allocations);
        let mut overlay = Overlay::new(&start);
        let (mut places, mut undos) = (BTreeMap::new(), BTreeMap::new());
        for (height, id) in (0u64..).zip(main).skip(1) {
            let block = self.check_block(store, id)?;
            let undo = apply_block(&mut overlay, &block)?.with_context(|| id.to_string())?;
            if height > ends.final_height {
                undos.insert(*id, undo);
            }
            let ids = block.transactions().iter().map(|tx| tx.id());
            places.extend((0..).zip(ids).map(|(index, id)| (id, TxPlace { height, index })));
        }
        let changed = overlay.into_changes();
        let allocated = start.0.keys().map(|address| Ok((*address, start.account(address)?)));
        let mut accounts = allocated.collect::<Result<BTreeMap<Address, Account>>>()?;
        accounts.extend(changed);
        accounts.retain(|_, account| *account != Account::default());
        same("accounts", &accounts, &rows(store, Table::Accounts, Address)?)?;
        same("places of transactions", &places, &rows(store, Table::Transactions, TxId)?)?;
        same("undos", &undos, &rows::<_, Undo>(store, Table::Undo, BlockId)?)?;
        Ok(places)
    }
}

/// The first balances.
struct Start<'a>(&'a BTreeMap<Address, u64>);

impl Accounts for Start<'_> {
    fn account(&self, address: &Address) -> Result<Account, StoreError> {
        let balance = self.0.get(address).copied().unwrap_or_default();
        Ok(Account { balance, nonce: 0 })
    }
}

/// Every row of a table whose keys are 32 bytes.
fn rows<K: Ord, V: BorshDeserialize>(
    store: &RocksStore,
    table: Table,
    key_of: impl Fn([u8; 32]) -> K,
) -> Result<BTreeMap<K, V>> {
    let mut found = Vec::new();
    store.scan(table, &mut |key, row| {
        found.push((key.to_vec(), row.to_vec()));
        Ok(())
    })?;
    let decode = |(key, row): (Vec<u8>, Vec<u8>)| {
        let key: [u8; 32] = key.as_slice().try_into()?;
        Ok((key_of(key), codec::decode(&row, usize::MAX)?))
    };
    found.into_iter().map(decode).collect()
}

fn same<K: Ord + std::fmt::Debug, V: PartialEq + std::fmt::Debug>(
    what: &str,
    replayed: &BTreeMap<K, V>,
    stored: &BTreeMap<K, V>,
) -> Result<()> {
    let keys: BTreeSet<&K> = replayed.keys().chain(stored.keys()).collect();
    for key in keys {
        let (replayed, stored) = (replayed.get(key), stored.get(key));
        if replayed != stored {
            bail!("{what}: {key:?} is {replayed:?} after a replay and {stored:?} in the store");
        }
    }
    Ok(())
}

/// Copies a store. Its tables are never written again once they are there, so links do for them.
fn copy_store(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from)? {
        let (name, path) = entry.map(|entry| (entry.file_name(), entry.path()))?;
        let target = to.join(name);
        if path.is_dir() {
            fs::create_dir(&target)?;
            copy_store(&path, &target)?;
        } else if path.extension().is_some_and(|extension| extension == "sst") {
            fs::hard_link(&path, &target)?;
        } else {
            fs::copy(&path, &target)?;
        }
    }
    Ok(())
}
