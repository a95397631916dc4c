//! How many copies of each message this node has had, for the log.

use std::num::NonZeroUsize;

use lru::LruCache;

/// Messages whose copies are counted, about 6 MiB. A copy of one that has been forgotten counts as
/// a first copy again; at fifty messages a second that takes twenty minutes.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(65_536).expect("not zero");

/// Copies by content id.
#[derive(Debug)]
pub(super) struct Sightings {
    copies: LruCache<[u8; 32], u32>,
}

impl Default for Sightings {
    fn default() -> Self {
        Self { copies: LruCache::new(CAPACITY) }
    }
}

impl Sightings {
    /// Counts a copy; returns which one it is, from 1.
    pub(super) fn count(&mut self, id: [u8; 32]) -> u32 {
        let copies = self.copies.get_or_insert_mut(id, || 0);
        *copies = copies.saturating_add(1);
        *copies
    }
}
