//! Compact blocks: what is gossiped of a block, and how one is put together again.
//!
//! ```text
//!  gossip ── arrival: header and names are signed ── verdict: relayed
//!                        │
//!                  rebuilding ── from the pool ── whole? ── finish: root, signatures, chain
//!                        │                          ▲
//!                        └── fetch: the deliverer, others, at last all of it
//! ```
//!
//! A block is relayed as soon as its header, its authority and its parent are checked, so that no hop
//! waits for the body. Therefore nobody answers for a body but its authority, who signed its root and
//! its names, and whoever gave a false part of it for the asking.

mod arrival;
mod fetch;
mod finish;
mod form;
mod rebuilding;
mod recent;
mod serve;

use std::num::NonZeroUsize;

use hearsay_chain::{BlockId, VerifiedBlock};
use hearsay_network::PeerId;
use lru::LruCache;

pub(super) use arrival::Arrived;
use arrival::Turns;
pub use form::BlockForm;
use rebuilding::Rebuildings;
use recent::Recent;

/// Blocks that came to nothing and are not to be rebuilt again: as many as come in some minutes if all
/// do.
const MAX_GIVEN_UP: NonZeroUsize = NonZeroUsize::new(256).expect("not zero");

/// The state of it.
#[derive(Debug)]
pub(super) struct Compact {
    form: BlockForm,
    /// What names are drawn from, with the block: others do not know it.
    seed: u64,
    rebuilding: Rebuildings,
    /// Blocks that were whole lately, for peers that lack parts of them.
    recent: Recent,
    /// The blocks that were relayed of late for each turn of an authority.
    turns: Turns,
    given_up: LruCache<BlockId, ()>,
}

impl Compact {
    pub(super) fn new(form: BlockForm, seed: u64) -> Self {
        Self {
            form,
            seed,
            rebuilding: Rebuildings::default(),
            recent: Recent::default(),
            turns: Turns::default(),
            given_up: LruCache::new(MAX_GIVEN_UP),
        }
    }

    /// Whether a block is being put together.
    pub(super) fn is_rebuilding(&self, id: &BlockId) -> bool {
        self.rebuilding.get(id).is_some()
    }

    /// A block is whole, and part of the chain or of a branch beside it.
    pub(super) fn is_whole(&mut self, block: &VerifiedBlock) {
        self.recent.note(block);
    }

    /// A peer sent a copy of a block.
    pub(super) fn was_sent(&mut self, id: BlockId, from: PeerId) {
        if let Some(rebuilding) = self.rebuilding.get_mut(&id) {
            rebuilding.was_sent_by(from);
        }
    }
}
