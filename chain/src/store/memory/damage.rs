//! For tests: damage of every kind, as a broken disk or a broken program would do it.

use std::collections::BTreeMap;

use super::MemoryStore;
use crate::block::{Header, VerifiedBlock};
use crate::evidence::Turn;
use crate::ids::{Address, BlockId, TxId};
use crate::ledger::{Account, Undo};
use crate::store::{Ends, Store, Table, TxPlace};

fn remove<K: Copy + Ord, V>(rows: &mut BTreeMap<K, V>, at: usize) {
    let key = *rows.keys().nth(at).unwrap();
    rows.remove(&key);
}

fn altered(header: &Header) -> Header {
    let mut header = header.clone();
    header.signature.0[3] ^= 1;
    header
}

impl MemoryStore {
    /// How many rows a table has.
    pub(crate) fn rows(&self, table: Table) -> usize {
        let mut count = 0;
        self.scan(table, &mut |_, _| {
            count += 1;
            Ok(())
        })
        .unwrap();
        count
    }

    /// Takes away one row.
    pub(crate) fn remove_row(&mut self, table: Table, at: usize) {
        match table {
            Table::Headers => remove(&mut self.headers, at),
            Table::Bodies => remove(&mut self.blocks, at),
            Table::Undo => remove(&mut self.undo, at),
            Table::Accounts => remove(&mut self.accounts, at),
            Table::Heights => remove(&mut self.heights, at),
            Table::Transactions => remove(&mut self.transactions, at),
            Table::Side => {
                let row = *self.side.iter().nth(at).unwrap();
                self.side.remove(&row);
            }
            Table::Turns => remove(&mut self.turns, at),
            Table::Evidence => remove(&mut self.evidence, at),
        }
    }

    /// Changes one row a little.
    pub(crate) fn alter_row(&mut self, table: Table, at: usize) {
        match table {
            Table::Headers => {
                let row = self.headers.values_mut().nth(at).unwrap();
                *row = altered(row);
            }
            Table::Bodies => {
                let row = self.blocks.values_mut().nth(at).unwrap();
                let mut transactions = row.transactions().to_vec();
                transactions.swap(0, 1);
                *row = VerifiedBlock::from_own_store(row.header().clone(), transactions);
            }
            Table::Undo => {
                let row = self.undo.values_mut().nth(at).unwrap();
                row.accounts.first_entry().unwrap().get_mut().balance += 1;
            }
            Table::Accounts => self.accounts.values_mut().nth(at).unwrap().balance += 1,
            Table::Heights => self.heights.values_mut().nth(at).unwrap().0[5] ^= 1,
            Table::Transactions => self.transactions.values_mut().nth(at).unwrap().index ^= 1,
            Table::Side => {
                let (height, id) = *self.side.iter().nth(at).unwrap();
                self.side.remove(&(height, id));
                self.side.insert((height - 1, id));
            }
            Table::Turns => {
                let other = *self.turns.values().nth((at + 1) % self.turns.len()).unwrap();
                *self.turns.values_mut().nth(at).unwrap() = other;
            }
            Table::Evidence => {
                let row = self.evidence.values_mut().nth(at).unwrap();
                row.second = altered(&row.second);
            }
        }
    }

    /// Adds a row that belongs to nothing.
    pub(crate) fn add_row(&mut self, table: Table) {
        let none = BlockId([0xAB; 32]);
        match table {
            Table::Headers => {
                let header = altered(self.headers.values().nth(1).unwrap());
                self.headers.insert(header.id(), header);
            }
            Table::Bodies => {
                let block = self.blocks.values().next().unwrap().clone();
                self.blocks.insert(none, block);
            }
            Table::Undo => {
                self.undo.insert(none, Undo::default());
            }
            Table::Accounts => {
                self.accounts.insert(Address([0xAB; 32]), Account { balance: 1, nonce: 0 });
            }
            Table::Heights => {
                let above = self.heights.keys().last().unwrap() + 1;
                self.heights.insert(above, none);
            }
            Table::Transactions => {
                let place = TxPlace { height: 1, index: 0 };
                self.transactions.insert(TxId([0xAB; 32]), place);
            }
            Table::Side => {
                self.side.insert((9, none));
            }
            Table::Turns => {
                let turn = Turn { slot: 999, ..*self.turns.keys().next().unwrap() };
                self.turns.insert(turn, none);
            }
            Table::Evidence => {
                let proof = self.evidence.values().next().unwrap().clone();
                self.evidence.insert(Turn { slot: 999, ..proof.turn() }, proof);
            }
        }
    }

    /// Moves the ends of the chain.
    pub(crate) fn set_ends(&mut self, ends: Option<Ends>) {
        self.ends = ends;
    }

    /// Moves the lowest height with a body.
    pub(crate) fn set_first_body(&mut self, height: u64) {
        self.first_body = height;
    }

    /// Puts another block's body in the place of one.
    pub(crate) fn set_body(&mut self, id: BlockId, block: VerifiedBlock) {
        self.blocks.insert(id, block);
    }
}
