//! Links that behave like wide-area ones, inside the node's own transport: delay, jitter, rates,
//! TCP's slow start, stalls for lost segments, and cuts.

mod spec;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use libp2p::PeerId;

pub use spec::{Access, LONGEST_DELAY, LOWEST_RATE, LinkSpec, LinksConfig, MOST_LOSS};

/// The links of one node, shared by all its connections. A change acts at once, on connections that
/// stand as on later ones.
#[derive(Clone, Debug)]
pub struct Links(Arc<Mutex<LinksConfig>>);

impl Links {
    /// Links as asked, each value bounded to what can be played.
    #[must_use]
    pub fn new(config: LinksConfig) -> Self {
        Self(Arc::new(Mutex::new(config)))
    }

    /// Changes the way to one peer.
    pub fn set(&self, peer: PeerId, spec: LinkSpec) {
        self.lock().peers.insert(peer, spec.bounded());
    }

    /// Changes the way to every peer that has none of its own.
    pub fn set_default(&self, spec: LinkSpec) {
        self.lock().default = spec.bounded();
    }

    /// Changes the node's access.
    pub fn set_access(&self, access: Access) {
        self.lock().access = access.bounded();
    }

    /// The way to a peer as it is now.
    #[must_use]
    pub fn spec(&self, peer: &PeerId) -> LinkSpec {
        let config = self.lock();
        config.peers.get(peer).copied().unwrap_or(config.default)
    }

    fn lock(&self) -> MutexGuard<'_, LinksConfig> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
