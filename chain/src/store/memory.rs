//! A store in memory: for tests, simulations and tools.

#[cfg(test)]
mod damage;

use std::collections::{BTreeMap, BTreeSet};

use borsh::BorshSerialize;

use super::{Changes, Ends, Store, StoreError, Table, TxPlace, Visit, side_key, turn_key};
use crate::block::{Header, VerifiedBlock};
use crate::codec;
use crate::evidence::{Evidence, Turn};
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
    side: BTreeSet<(u64, BlockId)>,
    turns: BTreeMap<Turn, BlockId>,
    evidence: BTreeMap<Turn, Evidence>,
    first_body: u64,
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
            side: BTreeSet::new(),
            turns: BTreeMap::new(),
            evidence: BTreeMap::new(),
            first_body: 1,
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

fn show<K: AsRef<[u8]>, V: BorshSerialize>(
    rows: impl Iterator<Item = (K, V)>,
    visit: Visit<'_>,
) -> Result<(), StoreError> {
    for (key, row) in rows {
        visit(key.as_ref(), &codec::encode(&row))?;
    }
    Ok(())
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

    fn body(&self, id: &BlockId) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.blocks.get(id).map(VerifiedBlock::encode_body))
    }

    fn first_body(&self) -> Result<u64, StoreError> {
        Ok(self.first_body)
    }

    fn side(&self, from: u64, to: u64) -> Result<Vec<(u64, BlockId)>, StoreError> {
        let range = (from, BlockId([0; 32]))..=(to, BlockId([255; 32]));
        Ok(if from > to { Vec::new() } else { self.side.range(range).copied().collect() })
    }

    fn turn(&self, turn: &Turn) -> Result<Option<BlockId>, StoreError> {
        Ok(self.turns.get(turn).copied())
    }

    fn evidence(&self, turn: &Turn) -> Result<Option<Evidence>, StoreError> {
        Ok(self.evidence.get(turn).cloned())
    }

    fn evidence_from(&self, slot: u64, max: usize) -> Result<Vec<Evidence>, StoreError> {
        let later = self.evidence.iter().filter(|(turn, _)| turn.slot >= slot);
        Ok(later.take(max).map(|(_, evidence)| evidence.clone()).collect())
    }

    fn scan(&self, table: Table, visit: Visit<'_>) -> Result<(), StoreError> {
        match table {
            Table::Headers => show(self.headers.iter().map(|(id, row)| (id.0, row)), visit),
            Table::Bodies => {
                self.blocks.iter().try_for_each(|(id, row)| visit(&id.0, &row.encode_body()))
            }
            Table::Undo => show(self.undo.iter().map(|(id, row)| (id.0, row)), visit),
            Table::Accounts => show(self.accounts.iter().map(|(key, row)| (key.0, row)), visit),
            Table::Heights => {
                show(self.heights.iter().map(|(height, row)| (height.to_be_bytes(), row)), visit)
            }
            Table::Transactions => {
                show(self.transactions.iter().map(|(id, row)| (id.0, row)), visit)
            }
            Table::Side => {
                self.side.iter().try_for_each(|(height, id)| visit(&side_key(*height, id), &[]))
            }
            Table::Turns => show(self.turns.iter().map(|(turn, id)| (turn_key(turn), id)), visit),
            Table::Evidence => {
                show(self.evidence.iter().map(|(turn, row)| (turn_key(turn), row)), visit)
            }
        }
    }

    fn recover(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn commit(&mut self, changes: Changes) -> Result<(), StoreError> {
        self.headers.extend(changes.bare_header);
        for block in changes.blocks {
            self.headers.insert(block.id(), block.header().clone());
            self.blocks.insert(block.id(), block);
        }
        for id in &changes.forgotten {
            self.headers.remove(id);
        }
        for id in changes.forgotten.iter().chain(&changes.pruned) {
            self.blocks.remove(id);
        }
        merge(&mut self.undo, changes.undo);
        let rows = changes.accounts.into_iter();
        // The default account reads the same with and without a row.
        let rows = rows.map(|(key, row)| (key, Some(row).filter(|row| *row != Account::default())));
        merge(&mut self.accounts, rows.collect());
        merge(&mut self.heights, changes.heights);
        merge(&mut self.transactions, changes.transactions);
        for (row, kept) in changes.side {
            let _ = if kept { self.side.insert(row) } else { self.side.remove(&row) };
        }
        merge(&mut self.turns, changes.turns);
        self.evidence.extend(changes.evidence.into_iter().map(|proof| (proof.turn(), proof)));
        self.first_body = changes.first_body.unwrap_or(self.first_body);
        self.ends = changes.ends.or(self.ends);
        Ok(())
    }
}
