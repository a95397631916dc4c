//! What a network agrees on before its first block.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::codec;
use crate::hash::tagged;
use crate::header::{Header, HeaderFields, MAX_BLOCK_BYTES};
use crate::ids::{Address, BlockId, ChainId, GenesisId};
use crate::keys::{PublicKey, Signature};
pub use crate::schedule::{DEFAULT_PER_MILLE, Schedule};
use crate::transaction::MAX_PAYLOAD_BYTES;

/// The rules and the first balances of a network: one TOML file, the same at every node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// A name for people; part of the id, so that two tests never meet.
    pub name: String,
    /// When slot 0 begins: milliseconds since the Unix epoch.
    pub time_ms: u64,
    /// The length of a slot in milliseconds.
    pub slot_ms: u64,
    /// Who may propose in which slot.
    pub schedule: Schedule,
    /// The keys that may propose, in the order of the schedule.
    pub authorities: Vec<PublicKey>,
    /// Bounds on what blocks and transactions may hold.
    #[serde(default)]
    pub limits: Limits,
    /// The first balances, in units.
    #[serde(default)]
    pub allocations: BTreeMap<Address, u64>,
}

/// Bounds on what blocks and transactions may hold.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize,
)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The largest encoding of a block, in bytes.
    pub block_bytes: u32,
    /// The most transactions in a block.
    pub block_transactions: u32,
    /// The largest payload of a transaction, in bytes.
    pub payload_bytes: u32,
}

impl Default for Limits {
    /// 1 MiB and 5,000 transactions a block, payloads of 4 KiB.
    fn default() -> Self {
        Self { block_bytes: 1 << 20, block_transactions: 5_000, payload_bytes: 4 << 10 }
    }
}

/// A genesis that no network can run by.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GenesisError {
    /// No name, or one over 64 bytes.
    #[error("name must have 1 to 64 bytes")]
    Name,
    /// A slot is shorter than 10 ms or longer than an hour.
    #[error("slot_ms is {0}; it must be 10 to 3600000")]
    Slot(u64),
    /// No authority, or more than 1,024.
    #[error("{0} authorities; there must be 1 to 1024")]
    AuthorityCount(usize),
    /// One key stands twice among the authorities.
    #[error("authority {0} stands twice")]
    AuthorityTwice(PublicKey),
    /// An authority's key is no point of the curve, or anybody could sign for it.
    #[error("authority {0} is not a key that can sign; make one with `hearsay key new`")]
    AuthorityUnsound(PublicKey),
    /// In a lottery each authority wins between 1 and 1,000 of 1,000 slots.
    #[error("schedule.lottery.per_mille is {0}; it must be 1 to 1000")]
    Lottery(u16),
    /// A limit is outside what the program can bear.
    #[error("limits.{name} is {found}; it must be {least} to {most}")]
    Limit {
        /// The limit's name.
        name: &'static str,
        /// Its value.
        found: u32,
        /// The least value.
        least: usize,
        /// The greatest value.
        most: usize,
    },
    /// The balances sum to more than `u64::MAX`, so that some transfer could overflow.
    #[error("the allocations sum to more than 2^64 - 1 units")]
    Supply,
}

/// More authorities than this make finality slow to compute and no longer resemble proof of
/// authority.
const MAX_AUTHORITIES: usize = 1_024;

impl Genesis {
    /// Checks that a network can run by it.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), GenesisError> {
        if self.name.is_empty() || self.name.len() > 64 {
            return Err(GenesisError::Name);
        }
        if !(10..=3_600_000).contains(&self.slot_ms) {
            return Err(GenesisError::Slot(self.slot_ms));
        }
        if self.authorities.is_empty() || self.authorities.len() > MAX_AUTHORITIES {
            return Err(GenesisError::AuthorityCount(self.authorities.len()));
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = self.authorities.iter().find(|key| !seen.insert(**key)) {
            return Err(GenesisError::AuthorityTwice(*twice));
        }
        if let Some(unsound) = self.authorities.iter().find(|key| !key.is_sound()) {
            return Err(GenesisError::AuthorityUnsound(*unsound));
        }
        if let Schedule::Lottery { per_mille } = self.schedule
            && !(1..=1_000).contains(&per_mille)
        {
            return Err(GenesisError::Lottery(per_mille));
        }
        self.limits.check()?;
        self.allocations
            .values()
            .try_fold(0u64, |sum, balance| sum.checked_add(*balance))
            .ok_or(GenesisError::Supply)?;
        Ok(())
    }

    /// The hash over everything above: what tells networks apart.
    #[must_use]
    pub fn id(&self) -> GenesisId {
        GenesisId(tagged("hearsay/genesis/1", &[&codec::encode(self)]))
    }

    /// What transactions and headers carry.
    #[must_use]
    pub fn chain(&self) -> ChainId {
        self.id().into()
    }

    /// The block of height 0: nobody signs it, and its root is the genesis id.
    #[must_use]
    pub fn block(&self) -> Header {
        Header {
            fields: HeaderFields {
                chain: self.chain(),
                height: 0,
                slot: 0,
                parent: BlockId([0; 32]),
                tx_root: self.id().0,
                tx_count: 0,
                proposer: PublicKey([0; 32]),
            },
            signature: Signature([0; 64]),
        }
    }

    /// The slot that a moment lies in; 0 before the network begins.
    #[must_use]
    pub fn slot_at(&self, unix_ms: u64) -> u64 {
        unix_ms.saturating_sub(self.time_ms) / self.slot_ms.max(1)
    }

    /// When a slot begins: milliseconds since the Unix epoch.
    #[must_use]
    pub fn slot_start_ms(&self, slot: u64) -> u64 {
        self.time_ms.saturating_add(slot.saturating_mul(self.slot_ms))
    }

    /// How many authorities are more than two thirds of them.
    #[must_use]
    pub fn quorum(&self) -> usize {
        self.authorities.len() * 2 / 3 + 1
    }
}

/// A genesis with its hash and the places of its authorities at hand: finding them anew for each
/// message would cost in proportion to its allocations. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    inner: Arc<Inner>,
}

#[derive(Debug, PartialEq, Eq)]
struct Inner {
    genesis: Genesis,
    id: GenesisId,
    places: BTreeMap<PublicKey, usize>,
}

impl Rules {
    /// Hashes the genesis, once.
    #[must_use]
    pub fn new(genesis: Genesis) -> Self {
        let places = genesis.authorities.iter().enumerate().map(|(at, key)| (*key, at)).collect();
        Self { inner: Arc::new(Inner { id: genesis.id(), places, genesis }) }
    }

    /// The place of an authority in the genesis, from 0; none for any other key.
    #[must_use]
    pub fn place_of(&self, key: &PublicKey) -> Option<usize> {
        self.inner.places.get(key).copied()
    }

    /// Whether `key` may propose in `slot`. Slot 0 is the genesis block's.
    #[must_use]
    pub fn may_propose(&self, slot: u64, key: &PublicKey) -> bool {
        let genesis = self.genesis();
        self.place_of(key).is_some_and(|place| {
            genesis.schedule.is_turn(self.id(), genesis.authorities.len(), slot, (place, key))
        })
    }

    /// The genesis.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        &self.inner.genesis
    }

    /// Its hash.
    #[must_use]
    pub fn id(&self) -> GenesisId {
        self.inner.id
    }

    /// What transactions and headers carry.
    #[must_use]
    pub fn chain(&self) -> ChainId {
        self.inner.id.into()
    }
}

impl Limits {
    fn check(&self) -> Result<(), GenesisError> {
        let bounds = [
            ("block_bytes", self.block_bytes, 32 << 10, MAX_BLOCK_BYTES),
            ("block_transactions", self.block_transactions, 1, 1 << 20),
            ("payload_bytes", self.payload_bytes, 0, MAX_PAYLOAD_BYTES),
        ];
        for (name, found, least, most) in bounds {
            if !(least..=most).contains(&(found as usize)) {
                return Err(GenesisError::Limit { name, found, least, most });
            }
        }
        Ok(())
    }
}
