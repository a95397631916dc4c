//! Peers that may not connect, and until when. Pure: time is given. Who is kept away and how long is
//! decided by [`crate::score`].

use std::collections::BTreeMap;
use std::time::Duration;

use libp2p::PeerId;

/// Peers that are kept away at one time. A peer id costs nothing to make, so a longer list would keep
/// no more out; the connection limits do.
const MAX_BANNED: usize = 1_024;

/// Every ban.
#[derive(Debug, Default)]
pub(super) struct Bans {
    until: BTreeMap<PeerId, Duration>,
}

impl Bans {
    /// Bans a peer until then; returns one whose ban has to end for it: that which ends first.
    pub(super) fn add(&mut self, peer: PeerId, until: Duration) -> Option<PeerId> {
        let full = self.until.len() >= MAX_BANNED && !self.until.contains_key(&peer);
        let first = self.until.iter().min_by_key(|(_, until)| **until).map(|(peer, _)| *peer);
        let let_go = first.filter(|_| full);
        if let Some(first) = &let_go {
            self.until.remove(first);
        }
        self.until.insert(peer, until);
        let_go
    }

    /// Ends a ban.
    pub(super) fn end(&mut self, peer: &PeerId) {
        self.until.remove(peer);
    }

    /// The peers that may connect again.
    pub(super) fn over(&mut self, now: Duration) -> Vec<PeerId> {
        let over = |until: &Duration| *until <= now;
        let peers: Vec<PeerId> =
            self.until.iter().filter(|(_, until)| over(until)).map(|(peer, _)| *peer).collect();
        self.until.retain(|_, until| !over(until));
        peers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_ban_ends_and_a_later_one_of_the_same_peer_takes_its_place() {
        let peer = crate::peer_id(&[1; 32]);
        let mut bans = Bans::default();
        assert_eq!(bans.add(peer, MINUTE), None);
        assert_eq!(bans.add(peer, MINUTE * 2), None);
        assert!(bans.over(MINUTE).is_empty());
        assert_eq!(bans.over(MINUTE * 2), [peer]);
        bans.add(peer, MINUTE * 3);
        bans.end(&peer);
        assert!(bans.over(MINUTE * 4).is_empty());
    }

    #[test]
    fn a_full_list_lets_the_one_go_that_ends_first() {
        let mut bans = Bans::default();
        let let_go = (0..=MAX_BANNED as u64).filter_map(|n| {
            let mut seed = [0; 32];
            seed[..8].copy_from_slice(&n.to_le_bytes());
            bans.add(crate::peer_id(&seed), MINUTE + Duration::from_secs(n))
        });
        assert_eq!(let_go.collect::<Vec<_>>(), [crate::peer_id(&[0; 32])]);
    }
}
