//! The names of peers as the log has them.

use std::num::NonZeroUsize;

use hearsay_network::PeerId;
use lru::LruCache;

/// Peers whose names are kept: several times as many as a node is connected to.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(1_024).expect("not zero");

/// Names that were worked out before. One costs more than all the rest of a line in the log, and each
/// copy of a message has a line with one.
#[derive(Debug)]
pub(super) struct Names {
    known: LruCache<PeerId, String>,
}

impl Default for Names {
    fn default() -> Self {
        Self { known: LruCache::new(CAPACITY) }
    }
}

impl Names {
    pub(super) fn of(&mut self, peer: &PeerId) -> String {
        self.known.get_or_insert(*peer, || peer.to_string()).clone()
    }
}
