//! Peers that somebody other than a member told of: a Kademlia table, or the local network. Nobody probes
//! them, so each is believed to be there for a while only.

use std::num::NonZeroUsize;
use std::time::Duration;

use libp2p::{Multiaddr, PeerId};
use lru::LruCache;

/// Peers that are kept: a dozen of Kademlia's answers, and far more than there are slots. Those told of
/// last push out the others.
const MOST: NonZeroUsize = NonZeroUsize::new(256).expect("it is not nought");

/// How long a peer counts as there without being told of again: several rounds of asking.
const LASTS: Duration = Duration::from_secs(600);

/// The peers, and when they were told of.
pub(super) struct Found {
    peers: LruCache<PeerId, (Vec<Multiaddr>, Duration)>,
}

impl Default for Found {
    fn default() -> Self {
        Self { peers: LruCache::new(MOST) }
    }
}

impl Found {
    /// A peer is at these addresses, which are of use here. Without any it is not kept.
    pub(super) fn told(&mut self, now: Duration, peer: PeerId, addresses: &[Multiaddr]) {
        if !addresses.is_empty() {
            self.peers.put(peer, (addresses.to_vec(), now));
        }
    }

    /// Those that were told of not long ago.
    pub(super) fn all(&self, now: Duration) -> impl Iterator<Item = (PeerId, &[Multiaddr])> {
        let fresh = move |at: Duration| now.saturating_sub(at) < LASTS;
        let peers = self.peers.iter().filter(move |(_, (_, at))| fresh(*at));
        peers.map(|(peer, (addresses, _))| (*peer, &addresses[..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> Multiaddr {
        format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap()
    }

    fn peer(number: u16) -> PeerId {
        let mut seed = [0; 32];
        seed[..2].copy_from_slice(&number.to_be_bytes());
        crate::peer_id(&seed)
    }

    #[test]
    fn the_last_word_on_a_peer_holds_until_it_is_old() {
        let mut found = Found::default();
        found.told(Duration::ZERO, peer(1), &[address(1)]);
        found.told(Duration::from_secs(60), peer(1), &[address(2)]);
        found.told(Duration::from_secs(60), peer(2), &[]);
        let at = |seconds| found.all(Duration::from_secs(seconds)).collect::<Vec<_>>();
        assert_eq!(at(659), [(peer(1), &[address(2)][..])]);
        assert!(at(660).is_empty());
    }

    #[test]
    fn whoever_invents_peers_pushes_out_others_and_takes_no_more_room() {
        let mut found = Found::default();
        for number in 0..1_000 {
            found.told(Duration::ZERO, peer(number), &[address(1)]);
        }
        assert_eq!(found.all(Duration::ZERO).count(), MOST.get());
        assert!(found.all(Duration::ZERO).any(|(it, _)| it == peer(999)));
    }
}
