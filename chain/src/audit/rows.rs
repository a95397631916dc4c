//! Every row of the tables that are keyed by block or height: does it belong to a block that is
//! kept?

use std::fmt;

use borsh::BorshDeserialize;

use super::{Stage, Walk};
use crate::block::Header;
use crate::codec;
use crate::evidence::{Evidence, Turn};
use crate::ids::BlockId;
use crate::keys::PublicKey;
use crate::store::{Store, StoreError, Table, split_key, turn_key};

impl<S: Store> Walk<'_, S> {
    /// Shows every row of a table to `check`. A table that cannot be read to its end is a finding.
    pub(super) fn each_row(
        &mut self,
        table: Table,
        mut check: impl FnMut(&mut Self, &[u8], &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let (store, mut done) = (self.store, 0);
        let scanned = store.scan(table, &mut |key, row| {
            done += 1;
            self.tell(Stage::Rows(table), done, None);
            check(self, key, row)
        });
        self.report.readable(table.name(), &"the table", scanned)?;
        Ok(())
    }

    /// Each header is a block's of the main chain or beside it, and its turn is noted.
    pub(super) fn headers(&mut self) -> Result<(), StoreError> {
        self.each_row(Table::Headers, |walk, key, row| {
            let Some(id) = walk.block_key(Table::Headers, key) else { return Ok(()) };
            let name = format_args!("block {id}");
            let Some(header) = walk.decoded::<Header>(Table::Headers, &name, row) else {
                return Ok(());
            };
            if !walk.is_kept(id, &header)? {
                walk.report.note("headers", &name, "neither the main chain nor a branch has it");
                return Ok(());
            }
            walk.check_turn(id, &header)
        })
    }

    /// Each body has a header. (Whether it is the right one is asked where its block is.)
    pub(super) fn bodies(&mut self) -> Result<(), StoreError> {
        self.each_row(Table::Bodies, |walk, key, _| {
            let Some(id) = walk.block_key(Table::Bodies, key) else { return Ok(()) };
            let kept = match walk.store.header(&id) {
                Ok(Some(header)) => header.fields.height > 0 && walk.is_kept(id, &header)?,
                Ok(None) => false,
                // Told where the header is looked at.
                Err(StoreError::Corrupt(_)) => true,
                Err(error) => return Err(error),
            };
            if !kept {
                let name = format_args!("block {id}");
                walk.report.note("bodies", &name, "neither the main chain nor a branch has it");
            }
            Ok(())
        })
    }

    /// Each undo row is for a block of the main chain that is not final.
    pub(super) fn undo(&mut self) -> Result<(), StoreError> {
        self.each_row(Table::Undo, |walk, key, _| {
            let Some(id) = walk.block_key(Table::Undo, key) else { return Ok(()) };
            let name = format_args!("block {id}");
            let found = match walk.store.header(&id) {
                Ok(header) => header,
                Err(StoreError::Corrupt(_)) => return Ok(()),
                Err(error) => return Err(error),
            };
            let height = found.map_or(0, |header| header.fields.height);
            if height <= walk.ends.final_height {
                walk.report.note("undo", &name, "no block above the final height needs it");
            } else if !walk.is_main(id, height)? {
                walk.report.note("undo", &name, "its block is not on the main chain");
            }
            Ok(())
        })
    }

    /// No height is above the tip's.
    pub(super) fn heights(&mut self) -> Result<(), StoreError> {
        self.each_row(Table::Heights, |walk, key, _| {
            let Ok(height) = key.try_into().map(u64::from_be_bytes) else {
                let named = format!("key {}", hex::encode(key));
                walk.report.note("heights", &named, "it is no height");
                return Ok(());
            };
            if height > walk.ends.height {
                let what = format!("it is above the tip, whose height is {}", walk.ends.height);
                walk.report.note("heights", &format_args!("height {height}"), what);
            }
            Ok(())
        })
    }

    /// Each turn names a block that is kept and was made in it.
    pub(super) fn turns(&mut self) -> Result<(), StoreError> {
        self.each_row(Table::Turns, |walk, key, row| {
            let Some(turn) = walk.turn_key(Table::Turns, key) else { return Ok(()) };
            let name = named(&turn);
            let Some(id) = walk.decoded::<BlockId>(Table::Turns, &name, row) else {
                return Ok(());
            };
            let missing = format!("it names block {id}, which is not kept");
            let read = walk.store.header(&id);
            let Some(header) = walk.report.present("turns", &name, read, &missing)? else {
                return Ok(());
            };
            if Turn::of(&header) != turn {
                let what =
                    format!("it names block {id}, which is of {}", named(&Turn::of(&header)));
                walk.report.note("turns", &name, what);
            }
            Ok(())
        })
    }

    /// Each proof proves what its key says.
    pub(super) fn evidence(&mut self) -> Result<(), StoreError> {
        self.each_row(Table::Evidence, |walk, key, row| {
            let Some(turn) = walk.turn_key(Table::Evidence, key) else { return Ok(()) };
            let name = named(&turn);
            let Some(evidence) = walk.decoded::<Evidence>(Table::Evidence, &name, row) else {
                return Ok(());
            };
            if turn_key(&evidence.turn()) != key {
                walk.report.note("evidence", &name, "it is about another turn");
            }
            if evidence.first.fields.chain != walk.rules.chain() {
                walk.report.note("evidence", &name, "it is about another network");
            }
            if walk.rules.place_of(&evidence.turn().proposer).is_none() {
                walk.report.note("evidence", &name, "it is about a key that is no authority");
            }
            walk.report.audit.signatures += 2;
            if !evidence.holds() {
                walk.report.note("evidence", &name, "it proves nothing");
            }
            Ok(())
        })
    }

    /// Whether a block is on the main chain or indexed beside it.
    fn is_kept(&mut self, id: BlockId, header: &Header) -> Result<bool, StoreError> {
        let height = header.fields.height;
        Ok(self.is_main(id, height)? || self.is_side(id, height)?)
    }

    fn is_side(&self, id: BlockId, height: u64) -> Result<bool, StoreError> {
        match self.store.side(height, height) {
            Ok(rows) => Ok(rows.contains(&(height, id))),
            Err(StoreError::Corrupt(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Of two blocks of one turn only the first seen has the row, and the two are kept as proof.
    fn check_turn(&mut self, id: BlockId, header: &Header) -> Result<(), StoreError> {
        if header.fields.height == 0 || header.id() != id {
            return Ok(());
        }
        let turn = Turn::of(header);
        let name = named(&turn);
        let read = self.report.readable("turns", &name, self.store.turn(&turn))?;
        let Some(first) = read else { return Ok(()) };
        if first == Some(id) {
            return Ok(());
        }
        let read = self.report.readable("evidence", &name, self.store.evidence(&turn))?;
        match (first, read) {
            (_, None) | (Some(_), Some(Some(_))) => {}
            (None, Some(Some(proof))) => {
                // The first seen may have been forgotten since; the proof stays.
                if self.is_kept(proof.first.id(), &proof.first)?
                    && self.is_kept(proof.second.id(), &proof.second)?
                {
                    let what = format!("it is missing, and block {id} was made in it");
                    self.report.note("turns", &name, what);
                }
            }
            (Some(first), Some(None)) => {
                let what = format!("it is missing, and blocks {first} and {id} prove it");
                self.report.note("evidence", &name, what);
            }
            (None, Some(None)) => {
                let what = format!("it is missing, and block {id} was made in it");
                self.report.note("turns", &name, what);
            }
        }
        Ok(())
    }

    fn block_key(&mut self, table: Table, key: &[u8]) -> Option<BlockId> {
        let id = key.try_into().map(BlockId).ok();
        if id.is_none() {
            let named = format!("key {}", hex::encode(key));
            self.report.note(table.name(), &named, "it is no block's id");
        }
        id
    }

    fn turn_key(&mut self, table: Table, key: &[u8]) -> Option<Turn> {
        let turn =
            split_key(key).map(|(slot, proposer)| Turn { slot, proposer: PublicKey(proposer) });
        if turn.is_none() {
            let named = format!("key {}", hex::encode(key));
            self.report.note(table.name(), &named, "it is no slot and authority");
        }
        turn
    }

    pub(super) fn decoded<T: BorshDeserialize>(
        &mut self,
        table: Table,
        name: &dyn fmt::Display,
        row: &[u8],
    ) -> Option<T> {
        match codec::decode(row, usize::MAX) {
            Ok(value) => Some(value),
            Err(error) => {
                self.report.note(table.name(), name, error);
                None
            }
        }
    }
}

fn named(turn: &Turn) -> String {
    format!("slot {} of {}", turn.slot, turn.proposer)
}
