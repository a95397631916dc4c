//! Which bootstrap address to dial when: each again and again, less and less often, until it is
//! connected; and again when that ends. Pure: time is given as the moment since the start.

use std::time::Duration;

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

/// The wait after the first failure; doubled after each further one.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// The longest wait. A node that was away for long is found again within this.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// The wait after a peer turned out to be of another network, or to be this node itself.
const FOREIGN_WAIT: Duration = Duration::from_secs(120);

/// One address to keep connected.
#[derive(Clone, Debug)]
struct Entry {
    address: Multiaddr,
    /// The peer at the address, once known.
    peer: Option<PeerId>,
    connected: bool,
    dialling: bool,
    wait: Duration,
    due: Duration,
}

/// The plan for all bootstrap addresses.
#[derive(Clone, Debug)]
pub(crate) struct Dialer {
    entries: Vec<Entry>,
}

impl Dialer {
    /// Every address is due at once, but not `own`, which nobody needs to dial.
    pub(crate) fn new(addresses: Vec<Multiaddr>, own: PeerId) -> Self {
        let entries = addresses
            .into_iter()
            .map(|address| Entry {
                peer: peer_of(&address),
                address,
                connected: false,
                dialling: false,
                wait: FIRST_WAIT,
                due: Duration::ZERO,
            })
            .filter(|entry| entry.peer != Some(own))
            .collect();
        Self { entries }
    }

    /// The addresses to dial now. Each must be answered by [`Dialer::failed`],
    /// [`Dialer::connected`] or [`Dialer::foreign`].
    pub(crate) fn due(&mut self, now: Duration) -> Vec<Multiaddr> {
        let mut due = Vec::new();
        for entry in &mut self.entries {
            if !entry.connected && !entry.dialling && entry.due <= now {
                entry.dialling = true;
                due.push(entry.address.clone());
            }
        }
        due
    }

    /// Whether a peer is at one of the addresses to keep connected.
    pub(crate) fn keeps(&self, peer: &PeerId) -> bool {
        self.entries.iter().any(|entry| entry.peer.as_ref() == Some(peer))
    }

    /// A connection to a peer stands; `dialled` is the address if this node dialled it.
    pub(crate) fn connected(&mut self, peer: PeerId, dialled: Option<&Multiaddr>) {
        for entry in &mut self.entries {
            let reached = dialled
                .is_some_and(|address| without_peer(&entry.address) == without_peer(address));
            if reached {
                entry.peer = Some(peer);
            }
            if entry.peer == Some(peer) {
                entry.connected = true;
                entry.dialling = false;
                entry.wait = FIRST_WAIT;
            }
        }
    }

    /// The last connection to a peer is gone.
    pub(crate) fn disconnected(&mut self, peer: PeerId, now: Duration) {
        for entry in self.entries.iter_mut().filter(|entry| entry.peer == Some(peer)) {
            if entry.connected {
                entry.connected = false;
                entry.due = entry.due.max(now + entry.wait);
            }
        }
    }

    /// Dialling these addresses came to nothing.
    pub(crate) fn failed(&mut self, addresses: &[&Multiaddr], now: Duration) {
        for entry in &mut self.entries {
            let tried = addresses
                .iter()
                .any(|address| without_peer(address) == without_peer(&entry.address));
            if tried && entry.dialling {
                entry.dialling = false;
                entry.due = now + entry.wait;
                entry.wait = (entry.wait * 2).min(LONGEST_WAIT);
            }
        }
    }

    /// A peer is of another network, or is this node itself: it is left alone for long.
    pub(crate) fn foreign(&mut self, peer: PeerId, now: Duration) {
        for entry in self.entries.iter_mut().filter(|entry| entry.peer == Some(peer)) {
            entry.dialling = false;
            entry.due = now + FOREIGN_WAIT;
        }
    }
}

fn peer_of(address: &Multiaddr) -> Option<PeerId> {
    address.iter().find_map(|part| match part {
        Protocol::P2p(peer) => Some(peer),
        _ => None,
    })
}

fn without_peer(address: &Multiaddr) -> Multiaddr {
    address.iter().filter(|part| !matches!(part, Protocol::P2p(_))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> Multiaddr {
        format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap()
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn an_address_that_fails_is_tried_ever_less_often_but_for_ever() {
        let mut dialer = Dialer::new(vec![address(1)], PeerId::random());
        let (mut now, mut dials) = (Duration::ZERO, Vec::new());
        while now < seconds(120) {
            if !dialer.due(now).is_empty() {
                dials.push(now);
                dialer.failed(&[&address(1)], now);
            }
            now += Duration::from_millis(50);
        }
        let gaps: Vec<Duration> = dials.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.windows(2).all(|pair| pair[0] <= pair[1]), "{gaps:?}");
        assert_eq!(gaps.first(), Some(&FIRST_WAIT));
        assert_eq!(gaps.last(), Some(&LONGEST_WAIT));
    }

    #[test]
    fn a_connected_address_is_left_alone_until_the_connection_ends() {
        let peer = PeerId::random();
        let mut dialer = Dialer::new(vec![address(1)], PeerId::random());
        assert_eq!(dialer.due(Duration::ZERO), vec![address(1)]);
        dialer.connected(peer, Some(&address(1)));
        assert!(dialer.due(seconds(60)).is_empty());
        dialer.disconnected(peer, seconds(60));
        assert!(dialer.due(seconds(60)).is_empty());
        assert_eq!(dialer.due(seconds(61)), vec![address(1)]);
    }

    #[test]
    fn a_peer_that_dialled_us_need_not_be_dialled() {
        let peer = PeerId::random();
        let named = address(1).with(Protocol::P2p(peer));
        let mut dialer = Dialer::new(vec![named], PeerId::random());
        dialer.connected(peer, None);
        assert!(dialer.due(seconds(60)).is_empty());
    }

    #[test]
    fn a_node_never_dials_itself() {
        let own = PeerId::random();
        let mut dialer = Dialer::new(vec![address(1).with(Protocol::P2p(own))], own);
        assert!(dialer.due(Duration::ZERO).is_empty());
    }

    #[test]
    fn a_foreign_peer_is_left_alone_for_long() {
        let peer = PeerId::random();
        let mut dialer = Dialer::new(vec![address(1)], PeerId::random());
        dialer.due(Duration::ZERO);
        dialer.connected(peer, Some(&address(1)));
        dialer.foreign(peer, Duration::ZERO);
        dialer.disconnected(peer, Duration::ZERO);
        assert!(dialer.due(seconds(119)).is_empty());
        assert_eq!(dialer.due(seconds(121)).len(), 1);
    }
}
