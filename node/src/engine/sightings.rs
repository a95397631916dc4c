//! How many copies of each message this node has had, for the log, and by which way the first came.

use std::num::NonZeroUsize;

use lru::LruCache;

use crate::trace::event::Via;

/// Messages whose copies are counted, about 6 MiB. A copy of one that has been forgotten counts as
/// a first copy again; at fifty messages a second that takes twenty minutes.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(65_536).expect("not zero");

/// The copies of one message.
#[derive(Clone, Copy, Debug)]
struct Copies {
    count: u32,
    /// How the first came; nothing of one that this node introduced.
    via: Option<Via>,
}

/// Copies by content id.
#[derive(Debug)]
pub(super) struct Sightings {
    copies: LruCache<[u8; 32], Copies>,
}

impl Default for Sightings {
    fn default() -> Self {
        Self { copies: LruCache::new(CAPACITY) }
    }
}

impl Sightings {
    /// Counts a copy; returns which one it is, from 1.
    pub(super) fn count(&mut self, id: [u8; 32], via: Option<Via>) -> u32 {
        let copies = self.copies.get_or_insert_mut(id, || Copies { count: 0, via });
        copies.count = copies.count.saturating_add(1);
        copies.count
    }

    /// Whether there was one.
    pub(super) fn has(&self, id: &[u8; 32]) -> bool {
        self.copies.contains(id)
    }

    /// How the first one came.
    pub(super) fn via(&self, id: &[u8; 32]) -> Option<Via> {
        self.copies.peek(id)?.via
    }
}
