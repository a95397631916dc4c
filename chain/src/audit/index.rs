//! The index of transactions: no row beyond those of the main chain's blocks.
//!
//! Where bodies are kept, the walk over the main chain has looked up each transaction, so here it
//! is enough to count. Where they were pruned, the ids in the index are hashed into the root that
//! the header has, for some blocks at a time.

use super::Walk;
use crate::hash::merkle_root;
use crate::ids::TxId;
use crate::store::{Store, StoreError, Table, TxPlace};

/// Transactions of pruned blocks whose rows are held at once: about 24 MiB. The table is read once
/// for each so many.
const WINDOW: u64 = 1 << 19;

impl<S: Store> Walk<'_, S> {
    pub(super) fn transactions(&mut self) -> Result<(), StoreError> {
        let mut above = 0;
        self.each_row(Table::Transactions, |walk, key, row| {
            if let Some((_, place)) = walk.place_row(key, row, true)
                && place.height >= walk.first_body
            {
                above += 1;
            }
            Ok(())
        })?;
        if above > self.tally.indexed {
            self.name_surplus(above - self.tally.indexed)?;
        }
        self.pruned_transactions()
    }

    /// A row taken apart; none, and a finding if that is wanted, where it names no place.
    fn place_row(&mut self, key: &[u8], row: &[u8], tell: bool) -> Option<(TxId, TxPlace)> {
        let Ok(id) = key.try_into().map(TxId) else {
            if tell {
                let named = format!("key {}", hex::encode(key));
                self.report.note("transactions", &named, "it is no transaction's id");
            }
            return None;
        };
        let name = format_args!("transaction {id}");
        let place: TxPlace = match crate::codec::decode(row, usize::MAX) {
            Ok(place) => place,
            Err(error) => {
                if tell {
                    self.report.note("transactions", &name, error);
                }
                return None;
            }
        };
        if place.height == 0 || place.height > self.ends.height {
            if tell {
                let what = format!("it names height {}, which has no transactions", place.height);
                self.report.note("transactions", &name, what);
            }
            return None;
        }
        Some((id, place))
    }

    /// Finds the rows that no transaction belongs to, which reads a block for each row; there are
    /// at least `count`.
    fn name_surplus(&mut self, count: u64) -> Result<(), StoreError> {
        let mut left = count;
        self.each_row(Table::Transactions, |walk, key, row| {
            let Some((id, place)) = walk.place_row(key, row, false) else { return Ok(()) };
            if left == 0 || place.height < walk.first_body {
                return Ok(());
            }
            let block = walk.store.block_at(place.height).and_then(|id| match id {
                Some(id) => walk.store.block(&id),
                None => Ok(None),
            });
            let block = match block {
                Ok(Some(block)) => block,
                // Told where the block is looked at.
                Ok(None) | Err(StoreError::Corrupt(_)) => return Ok(()),
                Err(error) => return Err(error),
            };
            let at = usize::try_from(place.index).unwrap_or(usize::MAX);
            if block.transactions().get(at).is_none_or(|tx| tx.id() != id) {
                left -= 1;
                let what =
                    format!("height {}, place {at}, has another transaction or none", place.height);
                walk.report.note("transactions", &format_args!("transaction {id}"), what);
            }
            Ok(())
        })
    }

    fn pruned_transactions(&mut self) -> Result<(), StoreError> {
        let mut from = 1;
        while from < self.first_body {
            let (mut to, mut count) = (from, 0);
            while to < self.first_body {
                count += u64::from(self.tx_count(to)?.map_or(0, |(count, _)| count));
                if count > WINDOW && to > from {
                    break;
                }
                to += 1;
            }
            self.pruned_window(from, to)?;
            from = to;
        }
        Ok(())
    }

    /// Compares the rows of the blocks at heights `from` up to, not including, `to`.
    fn pruned_window(&mut self, from: u64, to: u64) -> Result<(), StoreError> {
        let mut rows: Vec<(u64, u32, TxId)> = Vec::new();
        self.each_row(Table::Transactions, |walk, key, row| {
            if let Some((id, place)) = walk.place_row(key, row, false)
                && (from..to).contains(&place.height)
            {
                rows.push((place.height, place.index, id));
            }
            Ok(())
        })?;
        rows.sort_unstable();
        let mut rows = rows.as_slice();
        for height in from..to {
            let end = rows.partition_point(|(at, ..)| *at <= height);
            let (own, rest) = rows.split_at(end);
            rows = rest;
            let Some((count, root)) = self.tx_count(height)? else { continue };
            let in_order = own.iter().zip(0..).all(|((_, index, _), at)| *index == at);
            if own.len() != count as usize
                || !in_order
                || merkle_root(own.iter().map(|(_, _, id)| id.0)) != root
            {
                let what = format!(
                    "{} rows name it, and they are not the {count} transactions that its header is \
                     for",
                    own.len()
                );
                self.report.note("transactions", &format_args!("height {height}"), what);
            }
        }
        Ok(())
    }

    /// How many transactions the header at a height counts, and their root; none if it is damaged.
    fn tx_count(&self, height: u64) -> Result<Option<(u32, [u8; 32])>, StoreError> {
        let header = self.store.block_at(height).and_then(|id| match id {
            Some(id) => self.store.header(&id),
            None => Ok(None),
        });
        match header {
            Ok(header) => Ok(header.map(|header| (header.fields.tx_count, header.fields.tx_root))),
            // Told where the header is looked at.
            Err(StoreError::Corrupt(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
