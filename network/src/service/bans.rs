//! Peers that may not connect, and until when. Pure: time is given.

use std::collections::VecDeque;
use std::time::Duration;

use libp2p::PeerId;

/// How long a peer that did what nobody does by mistake may not connect: long enough to make it
/// useless as an attack, short enough that a repaired node is soon back.
const BAN: Duration = Duration::from_secs(120);

/// Peers that are kept away at one time. A peer id costs nothing to make, so a longer list would keep
/// no more out; the connection limits do.
const MAX_BANNED: usize = 1_024;

/// Every ban, the first one first.
#[derive(Debug, Default)]
pub(super) struct Bans {
    until: VecDeque<(PeerId, Duration)>,
}

impl Bans {
    /// Bans a peer; returns one whose ban has to end for it.
    pub(super) fn add(&mut self, peer: PeerId, now: Duration) -> Option<PeerId> {
        let oldest = if self.until.len() >= MAX_BANNED { self.until.pop_front() } else { None };
        self.until.push_back((peer, now + BAN));
        oldest.map(|(peer, _)| peer)
    }

    /// The peers that may connect again.
    pub(super) fn over(&mut self, now: Duration) -> Vec<PeerId> {
        let mut over = Vec::new();
        while let Some((peer, until)) = self.until.front().copied()
            && until <= now
        {
            self.until.pop_front();
            if !self.until.iter().any(|(other, _)| *other == peer) {
                over.push(peer);
            }
        }
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ban_ends_and_a_later_one_of_the_same_peer_prolongs_it() {
        let peer = crate::peer_id(&[1; 32]);
        let mut bans = Bans::default();
        assert_eq!(bans.add(peer, Duration::ZERO), None);
        assert_eq!(bans.add(peer, BAN / 2), None);
        assert!(bans.over(BAN).is_empty());
        assert_eq!(bans.over(BAN + BAN / 2), [peer]);
    }

    #[test]
    fn a_full_list_lets_the_first_one_go() {
        let mut bans = Bans::default();
        let let_go = (0..=MAX_BANNED as u64).filter_map(|n| {
            let mut seed = [0; 32];
            seed[..8].copy_from_slice(&n.to_le_bytes());
            bans.add(crate::peer_id(&seed), Duration::ZERO)
        });
        assert_eq!(let_go.collect::<Vec<_>>(), [crate::peer_id(&[0; 32])]);
    }
}
