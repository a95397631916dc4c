//! Numbers by hash: which number in a slab has these 32 bytes.
//!
//! The bytes stay in the slab. The table holds a number and 32 bits of hash side by side, so that it
//! is small, mostly answers from one line of the cache, grows without a look at the slab, and looks
//! there only for a likely match. Places are tried one after the other (linear probing), and what
//! leaves is closed up behind, so that no marks are left in the way.

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

/// A number and its hash, or nothing.
#[derive(Clone, Copy, Debug)]
struct Place {
    number: u32,
    tag: u32,
}

/// No number: slabs count to 2^30.
const NOTHING: Place = Place { number: u32::MAX, tag: 0 };

impl Place {
    fn is_free(self) -> bool {
        self.number == NOTHING.number
    }
}

/// The least places of a table that has any.
const LEAST: usize = 16;

/// Numbers by the hash of their bytes.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    places: Vec<Place>,
    len: usize,
    secret: Secret,
}

impl Table {
    pub(crate) fn new(secret: Secret) -> Self {
        Self { places: Vec::new(), len: 0, secret }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The place where a tag is looked for first: as far into the table as it is into all tags. So
    /// the order by place is the order by tag, and a table that grows is written from end to end.
    fn home(&self, tag: u32) -> usize {
        usize::try_from((u64::from(tag) * self.places.len() as u64) >> 32).unwrap_or(0)
    }

    fn after(&self, at: usize) -> usize {
        if at + 1 == self.places.len() { 0 } else { at + 1 }
    }

    /// The place of a match, or the free one where it would be. There must be a free one.
    fn search(&self, tag: u32, is_it: impl Fn(u32) -> bool) -> Result<usize, usize> {
        let mut at = self.home(tag);
        loop {
            let place = self.places[at];
            if place.is_free() {
                return Err(at);
            }
            if place.tag == tag && is_it(place.number) {
                return Ok(at);
            }
            at = self.after(at);
        }
    }

    /// The number whose bytes these are, as `is_it` tells.
    pub(crate) fn find(&self, bytes: &[u8; 32], is_it: impl Fn(u32) -> bool) -> Option<u32> {
        if self.len == 0 {
            return None;
        }
        self.search(self.secret.tag(bytes), is_it).ok().map(|at| self.places[at].number)
    }

    /// Adds a number whose bytes are not here.
    pub(crate) fn insert(&mut self, bytes: &[u8; 32], number: u32) {
        if self.len >= self.places.len() / 4 * 3 {
            self.grow();
        }
        self.put(Place { number, tag: self.secret.tag(bytes) });
        self.len += 1;
    }

    fn put(&mut self, place: Place) {
        if let Err(at) = self.search(place.tag, |_| false) {
            self.places[at] = place;
        }
    }

    /// Makes it half full. By half as much again and not twice: that is memory of every pool.
    fn grow(&mut self) {
        let more = (self.places.len() / 2 * 3).max(LEAST);
        let before = std::mem::replace(&mut self.places, vec![NOTHING; more]);
        for place in before.into_iter().filter(|it| !it.is_free()) {
            self.put(place);
        }
    }

    pub(crate) fn remove(&mut self, bytes: &[u8; 32], number: u32) {
        if self.len == 0 {
            return;
        }
        let Ok(at) = self.search(self.secret.tag(bytes), |it| it == number) else { return };
        self.len -= 1;
        if self.len == 0 {
            self.places = Vec::new();
        } else {
            self.close_up(at);
        }
    }

    /// Frees a place, and lets those behind it move up that were only behind it because it was taken.
    fn close_up(&mut self, mut free: usize) {
        let mut at = free;
        loop {
            at = self.after(at);
            let place = self.places[at];
            if place.is_free() {
                break;
            }
            let size = self.places.len();
            let behind = |from: usize| (at + size - from) % size;
            if behind(self.home(place.tag)) >= behind(free) {
                self.places[free] = place;
                free = at;
            }
        }
        self.places[free] = NOTHING;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn bytes(of: u8) -> [u8; 32] {
        [of; 32]
    }

    proptest! {
        /// Few keys and many operations: places collide, wrap around the end and close up.
        #[test]
        fn a_table_finds_what_a_map_finds(
            seed in any::<u64>(),
            ops in prop::collection::vec((any::<bool>(), 0..60_u8), 1..400),
        ) {
            let mut table = Table::new(Secret::new(seed));
            let mut map = BTreeMap::new();
            for (number, (insert, key)) in (0..).zip(ops) {
                if let Some(number) = map.get(&key).filter(|_| !insert) {
                    table.remove(&bytes(key), *number);
                    map.remove(&key);
                } else if insert && !map.contains_key(&key) {
                    table.insert(&bytes(key), number);
                    map.insert(key, number);
                }
                prop_assert_eq!(table.len(), map.len());
                for key in 0..60 {
                    let number = map.get(&key).copied();
                    let found = table.find(&bytes(key), |it| Some(it) == number);
                    prop_assert_eq!(found, number);
                }
            }
        }
    }

    #[test]
    fn ids_made_to_collide_under_one_secret_spread_under_another() {
        let mine = Secret::new(1);
        let key = |n: u64| {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
            key[8..16].copy_from_slice(&n.wrapping_mul(0xd1b5_4a32_d192_ed03).to_le_bytes());
            key
        };
        let same: Vec<[u8; 32]> =
            (0..1 << 16).map(key).filter(|key| mine.tag(key) >> 24 == 7).collect();
        assert!(same.len() > 100, "{}", same.len());
        let mut homes: Vec<u32> = same.iter().map(|key| Secret::new(2).tag(key) >> 24).collect();
        homes.sort_unstable();
        homes.dedup();
        assert!(homes.len() > 128, "{} places of 256", homes.len());
    }
}
