//! What a store says about itself: its schema and its network.

use rocksdb::{DB, WriteBatch};

use super::options::META;
use super::refusal::Refusal;
use crate::ids::GenesisId;

/// The version of what stands where, and how it is encoded. A change of either is a new version,
/// with a migration from the one before.
pub(in crate::store) const SCHEMA: u32 = 2;

/// Where the schema stands: four bytes, big-endian, in this and every later version, so that any
/// program can tell which version any store has.
pub(in crate::store) const SCHEMA_KEY: &[u8] = b"schema";

/// Where the genesis id stands: 32 bytes.
pub(in crate::store) const GENESIS_KEY: &[u8] = b"genesis";

/// What a store says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Meta {
    schema: u32,
    genesis: Option<GenesisId>,
}

impl Meta {
    /// Reads it; none if there is no schema.
    pub(in crate::store) fn read(db: &DB) -> Result<Option<Self>, Refusal> {
        let meta = db.cf_handle(META).ok_or_else(|| damaged("column family", META))?;
        let Some(schema) = db.get_pinned_cf(meta, SCHEMA_KEY)? else {
            return Ok(None);
        };
        let schema = <[u8; 4]>::try_from(&*schema).map_err(|_| damaged("its", "schema"))?;
        let genesis = db.get_pinned_cf(meta, GENESIS_KEY)?;
        let genesis = genesis.and_then(|bytes| <[u8; 32]>::try_from(&*bytes).ok()).map(GenesisId);
        Ok(Some(Self { schema: u32::from_be_bytes(schema), genesis }))
    }

    /// Refuses a schema that we do not know, then another network than ours. Gives the schema.
    pub(in crate::store) fn check(&self, genesis: GenesisId) -> Result<u32, Refusal> {
        if self.schema > SCHEMA {
            return Err(Refusal::Newer { found: self.schema, known: SCHEMA });
        }
        if self.schema == 0 {
            return Err(Refusal::Damaged("schema 0 never existed".to_owned()));
        }
        match self.genesis {
            Some(found) if found == genesis => Ok(self.schema),
            Some(found) => Err(Refusal::OtherNetwork { found, expected: genesis }),
            None => Err(damaged("its", "genesis id")),
        }
    }

    /// What a new store of a network says.
    pub(in crate::store) fn first_batch(
        db: &DB,
        genesis: GenesisId,
    ) -> Result<WriteBatch, Refusal> {
        let meta = db.cf_handle(META).ok_or_else(|| damaged("column family", META))?;
        let mut batch = WriteBatch::default();
        batch.put_cf(meta, SCHEMA_KEY, SCHEMA.to_be_bytes());
        batch.put_cf(meta, GENESIS_KEY, genesis.0);
        Ok(batch)
    }
}

fn damaged(whose: &str, what: &str) -> Refusal {
    Refusal::Damaged(format!("{whose} {what} is missing or malformed"))
}
