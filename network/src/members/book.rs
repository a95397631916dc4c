//! The address book: peers that a node has met, kept on disk so that it finds the network again
//! without its bootstrap node. Pure: text in, text out, and the time is given in Unix seconds.
//!
//! One line a peer, to be read and mended by hand:
//! `peer-id last-seen last-success failures address[,address…]`, after a line that names the format,
//! its version and the network. What is wrong in a line costs that line.

mod text;

use std::collections::BTreeMap;

use hearsay_chain::GenesisId;
use libp2p::{Multiaddr, PeerId};

use super::address::{Reach, usable};
use super::profile::MAX_ADDRESSES;

pub use text::{BookError, MAX_BOOK_BYTES, Parsed};

/// Peers that are kept: as many as members are known at most, in round figures. A few that answer
/// would be enough to find all others.
pub const MAX_ENTRIES: usize = 1_000;

/// Each failure since the last success makes a peer's last success count as so much longer ago, and
/// twice as long for each further one, in seconds: an hour.
const FAILURE_S: u64 = 3_600;

/// Beyond so many failures nothing gets worse: the last doubling stands for 42 days.
const MAX_DOUBLINGS: u32 = 10;

/// A peer that never answered counts as one that last did so much earlier than it was seen, in
/// seconds: a day. What others tell is worth less than what was tried.
const UNTRIED_S: u64 = 86_400;

/// What is known of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where: at most [`MAX_ADDRESSES`], all worth dialling, without the peer's own id.
    pub addresses: Vec<Multiaddr>,
    /// When somebody last said that it is there, in Unix seconds.
    pub last_seen: u64,
    /// When a connection to it last stood, in Unix seconds; 0 for never.
    pub last_success: u64,
    /// Dials that failed since then.
    pub failures: u32,
}

impl Entry {
    /// How little hope there is, in seconds: since the last success, and more for each failure.
    fn staleness(&self, now: u64) -> u64 {
        let since = if self.last_success > 0 {
            now.saturating_sub(self.last_success)
        } else {
            now.saturating_sub(self.last_seen).saturating_add(UNTRIED_S)
        };
        match self.failures {
            0 => since,
            failures => since.saturating_add(FAILURE_S << (failures - 1).min(MAX_DOUBLINGS)),
        }
    }

    /// What is decided by who was seen last, in an order without ties.
    fn rank(&self) -> (u64, u32, &[Multiaddr]) {
        (self.last_seen, self.failures, &self.addresses)
    }
}

/// Peers of one network, at most [`MAX_ENTRIES`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Book {
    genesis: GenesisId,
    entries: BTreeMap<PeerId, Entry>,
}

impl Book {
    /// Of a network nobody of which was met yet.
    #[must_use]
    pub fn new(genesis: GenesisId) -> Self {
        Self { genesis, entries: BTreeMap::new() }
    }

    /// The peers in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What is known of a peer.
    #[must_use]
    pub fn get(&self, peer: &PeerId) -> Option<&Entry> {
        self.entries.get(peer)
    }

    /// A peer is there at these addresses, as a member's profile says. Addresses must have been
    /// found of use by whoever knows who told; what is not even an address to dial is left out, and
    /// a peer without any is not kept.
    pub fn seen(&mut self, peer: PeerId, addresses: &[Multiaddr], now: u64) {
        let addresses = dialable(&peer, addresses);
        if addresses.is_empty() {
            return;
        }
        match self.entries.get_mut(&peer) {
            Some(entry) => {
                entry.addresses = addresses;
                entry.last_seen = entry.last_seen.max(now);
            }
            None => {
                let entry = Entry { addresses, last_seen: now, last_success: 0, failures: 0 };
                self.entries.insert(peer, entry);
                self.evict(now);
            }
        }
    }

    /// A connection to a peer stands.
    pub fn succeeded(&mut self, peer: &PeerId, now: u64) {
        if let Some(entry) = self.entries.get_mut(peer) {
            entry.last_seen = entry.last_seen.max(now);
            entry.last_success = entry.last_success.max(now);
            entry.failures = 0;
        }
    }

    /// Dialling a peer came to nothing.
    pub fn failed(&mut self, peer: &PeerId) {
        if let Some(entry) = self.entries.get_mut(peer) {
            entry.failures = entry.failures.saturating_add(1);
        }
    }

    /// A peer is not to be dialled again: it left for good, or is of another network.
    pub fn remove(&mut self, peer: &PeerId) {
        self.entries.remove(peer);
    }

    /// Whom to dial first: those that answered lately and have not failed since, and last those that
    /// only ever failed.
    #[must_use]
    pub fn candidates(&self, now: u64) -> Vec<(PeerId, &Entry)> {
        let mut list: Vec<(PeerId, &Entry)> =
            self.entries.iter().map(|(peer, entry)| (*peer, entry)).collect();
        list.sort_by_key(|(peer, entry)| (entry.staleness(now), *peer));
        list
    }

    /// Takes over what another book of the same network says: of each peer what was seen last, and
    /// the last success of either. A book of another network changes nothing.
    pub fn merge(&mut self, other: &Self, now: u64) {
        if other.genesis != self.genesis {
            return;
        }
        for (peer, theirs) in &other.entries {
            let ours = self.entries.entry(*peer).or_insert_with(|| theirs.clone());
            let last_success = ours.last_success.max(theirs.last_success);
            if theirs.rank() > ours.rank() {
                ours.clone_from(theirs);
            }
            ours.last_success = last_success;
        }
        self.evict(now);
    }

    fn evict(&mut self, now: u64) {
        while self.entries.len() > MAX_ENTRIES {
            let worst = self.entries.iter().max_by_key(|(peer, e)| (e.staleness(now), **peer));
            let Some(worst) = worst.map(|(peer, _)| *peer) else { break };
            self.entries.remove(&worst);
        }
    }
}

/// What can be dialled of some addresses, wherever it is.
fn dialable(peer: &PeerId, addresses: &[Multiaddr]) -> Vec<Multiaddr> {
    let usable = addresses.iter().filter_map(|address| usable(address, peer, Reach::Loopback));
    usable.take(MAX_ADDRESSES).collect()
}

#[cfg(test)]
mod tests;
