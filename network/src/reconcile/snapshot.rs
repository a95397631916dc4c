//! A pool's ids as they are at one moment, under a key.

use hearsay_chain::TxId;

use super::part::{MAX_SET, Part};
use crate::short_id::ShortKey;

/// Bits of a name by which most names that were not asked for are passed over at once.
const FILTER_BITS: u32 = 16;

/// The ids of a part of a pool, each with its name.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    names: Vec<u64>,
    ids: Vec<TxId>,
}

impl Snapshot {
    /// Names those of `ids` that belong to `part`; none if that is more than [`MAX_SET`].
    pub fn of(key: ShortKey, part: Part, ids: impl IntoIterator<Item = TxId>) -> Option<Self> {
        let mut of = Self::default();
        for id in ids.into_iter().filter(|id| part.has(id)) {
            if of.ids.len() >= MAX_SET {
                return None;
            }
            of.names.push(key.of(&id));
            of.ids.push(id);
        }
        Some(of)
    }

    /// How many it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = u64> + '_ {
        self.names.iter().copied()
    }

    /// The ids behind names, which must ascend; in their order, those that are not here left out.
    #[must_use]
    pub fn find(&self, names: &[u64]) -> Vec<TxId> {
        // One bit for each value of a name's lowest bits. Names are hashes, so with a thousand asked
        // for, one of 64 others passes.
        let bit = |name: u64| {
            let low = (name & ((1 << FILTER_BITS) - 1)) as usize;
            (low / 64, 1_u64 << (low % 64))
        };
        let mut filter = vec![0_u64; (1 << FILTER_BITS) / 64];
        for name in names {
            let (word, mask) = bit(*name);
            filter[word] |= mask;
        }
        let mut found = Vec::with_capacity(names.len().min(self.ids.len()));
        for (name, id) in self.names.iter().zip(&self.ids) {
            let (word, mask) = bit(*name);
            if filter[word] & mask != 0 && names.binary_search(name).is_ok() {
                found.push((*name, *id));
            }
        }
        found.sort_unstable_by_key(|(name, _)| *name);
        found.into_iter().map(|(_, id)| id).collect()
    }
}
