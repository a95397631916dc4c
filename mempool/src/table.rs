//! Numbers by hash: which number in a slab has these 32 bytes.
//!
//! The bytes stay in the slab. The table holds a number and 32 bits of hash, so that it is small
//! enough to be at hand, grows without a look at the slab, and looks there only for a likely match.

use hashbrown::HashTable;

/// What turns bytes into a hash.
///
/// The bytes are hashes already, so any few of them would spread. But whoever makes transactions can
/// try until they share a place in the table, which would become a list to be walked: so where they
/// lie depends on a secret.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Secret([u64; 2]);

impl Secret {
    pub(crate) fn new(seed: u64) -> Self {
        // Odd constants, so that a seed of 0 is as good as any.
        Self([seed ^ 0x9e37_79b9_7f4a_7c15, seed.rotate_left(32) ^ 0xd1b5_4a32_d192_ed03])
    }

    /// Two words, each mixed with a secret, multiplied to twice their width and folded.
    #[allow(clippy::cast_possible_truncation, reason = "halves of the product are wanted")]
    fn tag(self, bytes: &[u8; 32]) -> u32 {
        let word = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        let product = u128::from(word(0) ^ self.0[0]) * u128::from(word(8) ^ self.0[1]);
        let folded = (product >> 64) as u64 ^ product as u64;
        (folded >> 32) as u32 ^ folded as u32
    }
}

#[derive(Clone, Copy, Debug)]
struct Item {
    number: u32,
    tag: u32,
}

/// Spreads a tag over 64 bits: the table takes its place from the low ones, and a first comparison
/// from the high ones.
fn spread(tag: u32) -> u64 {
    u64::from(tag).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Numbers by the hash of their bytes.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    items: HashTable<Item>,
    secret: Secret,
}

impl Table {
    pub(crate) fn new(secret: Secret) -> Self {
        Self { items: HashTable::new(), secret }
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// The number whose bytes these are, as `is_it` tells.
    pub(crate) fn find(&self, bytes: &[u8; 32], is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let tag = self.secret.tag(bytes);
        let found = self.items.find(spread(tag), |it| it.tag == tag && is_it(it.number));
        found.map(|it| it.number)
    }

    /// Adds a number whose bytes are not here.
    pub(crate) fn insert(&mut self, bytes: &[u8; 32], number: u32) {
        let tag = self.secret.tag(bytes);
        self.items.insert_unique(spread(tag), Item { number, tag }, |it| spread(it.tag));
    }

    pub(crate) fn remove(&mut self, bytes: &[u8; 32], number: u32) {
        let tag = self.secret.tag(bytes);
        if let Ok(entry) = self.items.find_entry(spread(tag), |it| it.number == number) {
            entry.remove();
        }
        if self.items.is_empty() {
            self.items = HashTable::new();
        }
    }
}
