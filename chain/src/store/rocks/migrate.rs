//! Brings a store of an older schema up to ours. Each step may be cut short and begun again: the
//! schema is written last, in one synced batch.
//!
//! * 1 → 2: blocks beside the main chain and the turns of authorities are indexed.

use rocksdb::{DB, IteratorMode, WriteBatch};

use super::meta::{SCHEMA, SCHEMA_KEY};
use super::options::{self, Durability, META};
use super::refusal::Refusal;
use crate::block::Header;
use crate::codec;
use crate::evidence::{Evidence, Turn};
use crate::ids::BlockId;
use crate::store::{Table, side_key, turn_key};

/// Headers taken in one batch: half a mebibyte of rows.
const BATCH: usize = 4_096;

/// The schema that first had a column family.
pub(in crate::store) fn schema_of(family: &str) -> u32 {
    let newer = [Table::Side, Table::Turns, Table::Evidence];
    if newer.iter().any(|table| table.name() == family) { 2 } else { 1 }
}

/// Brings a store up to our schema.
pub(in crate::store) fn migrate(db: &DB, schema: u32) -> Result<(), Refusal> {
    if schema == SCHEMA {
        return Ok(());
    }
    for_each_header(db, index)?;
    for_each_header(db, note_evidence)?;
    let mut last = WriteBatch::default();
    last.put_cf(family(db, META)?, SCHEMA_KEY, SCHEMA.to_be_bytes());
    Ok(db.write_opt(last, &options::write(Durability::Synced))?)
}

/// What is done about one header, given its key and itself.
type Step = fn(&DB, &mut WriteBatch, &[u8], &Header) -> Result<(), Refusal>;

fn for_each_header(db: &DB, step: Step) -> Result<(), Refusal> {
    let mut batch = WriteBatch::default();
    for row in db.iterator_cf(family(db, Table::Headers.name())?, IteratorMode::Start) {
        let (key, row) = row?;
        step(db, &mut batch, &key, &decode(&row)?)?;
        if batch.len() >= BATCH {
            db.write(std::mem::take(&mut batch))?;
        }
    }
    Ok(db.write(batch)?)
}

fn index(db: &DB, batch: &mut WriteBatch, key: &[u8], header: &Header) -> Result<(), Refusal> {
    let height = header.fields.height;
    if height == 0 {
        return Ok(());
    }
    let heights = family(db, Table::Heights.name())?;
    let is_main =
        db.get_pinned_cf(heights, height.to_be_bytes())?.is_some_and(|main| main.as_ref() == key);
    let id = BlockId(
        key.try_into().map_err(|_| Refusal::Damaged("a header's key is malformed".to_owned()))?,
    );
    if !is_main {
        batch.put_cf(family(db, Table::Side.name())?, side_key(height, &id), []);
    }
    let turns = family(db, Table::Turns.name())?;
    batch.put_cf(turns, turn_key(&Turn::of(header)), codec::encode(&id));
    Ok(())
}

/// Of two blocks of one turn, one has the row; the other one makes the proof.
fn note_evidence(
    db: &DB,
    batch: &mut WriteBatch,
    key: &[u8],
    header: &Header,
) -> Result<(), Refusal> {
    let turn = turn_key(&Turn::of(header));
    let Some(first) = db.get_pinned_cf(family(db, Table::Turns.name())?, turn)? else {
        return Ok(());
    };
    if first.as_ref() == key {
        return Ok(());
    }
    let Some(first) = db.get_pinned_cf(family(db, Table::Headers.name())?, first)? else {
        return Ok(());
    };
    if let Some(evidence) = Evidence::of(decode(&first)?, header.clone()) {
        batch.put_cf(family(db, Table::Evidence.name())?, turn, codec::encode(&evidence));
    }
    Ok(())
}

fn family<'a>(db: &'a DB, name: &str) -> Result<&'a rocksdb::ColumnFamily, Refusal> {
    db.cf_handle(name).ok_or_else(|| Refusal::Damaged(format!("column family {name:?} is missing")))
}

fn decode<T: borsh::BorshDeserialize>(row: &[u8]) -> Result<T, Refusal> {
    codec::decode(row, usize::MAX).map_err(|error| Refusal::Damaged(error.to_string()))
}
