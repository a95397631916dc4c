//! Which of a peer's connections carries frames. Pure.
//!
//! Two nodes that dial each other at the same moment have two connections, and a stream on each. The
//! first that stands is used; the other takes over when it is gone.

use std::collections::BTreeMap;

use libp2p::PeerId;
use libp2p::swarm::ConnectionId;

/// What a change of its streams means for a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing.
    None,
    /// Frames can be sent to it.
    Joined,
    /// No longer.
    Left,
    /// They go over another connection from now on.
    Moved,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    id: ConnectionId,
    /// Our stream stands.
    open: bool,
    /// A frame is on its way out.
    sending: bool,
    /// It may read a frame.
    reading: bool,
}

#[derive(Debug, Default)]
struct Peer {
    links: Vec<Link>,
    active: Option<ConnectionId>,
}

impl Peer {
    fn link(&mut self, id: ConnectionId) -> Option<&mut Link> {
        self.links.iter_mut().find(|link| link.id == id)
    }

    /// Chooses the connection to use.
    fn choose(&mut self) -> Change {
        let open = |id: ConnectionId| self.links.iter().any(|link| link.id == id && link.open);
        if self.active.is_some_and(open) {
            return Change::None;
        }
        let next = self.links.iter().find(|link| link.open).map(|link| link.id);
        match (std::mem::replace(&mut self.active, next), next) {
            (None, None) => Change::None,
            (None, Some(_)) => Change::Joined,
            (Some(_), None) => Change::Left,
            (Some(_), Some(_)) => Change::Moved,
        }
    }
}

/// All connections; bounded by the connection limits.
#[derive(Debug, Default)]
pub(super) struct Links {
    peers: BTreeMap<PeerId, Peer>,
}

impl Links {
    pub(super) fn connected(&mut self, peer: PeerId, id: ConnectionId) {
        let link = Link { id, open: false, sending: false, reading: false };
        self.peers.entry(peer).or_default().links.push(link);
    }

    pub(super) fn disconnected(&mut self, peer: &PeerId, id: ConnectionId) -> Change {
        let Some(known) = self.peers.get_mut(peer) else { return Change::None };
        known.links.retain(|link| link.id != id);
        let change = known.choose();
        if known.links.is_empty() {
            self.peers.remove(peer);
        }
        change
    }

    /// Our stream on this connection stands.
    pub(super) fn opened(&mut self, peer: &PeerId, id: ConnectionId) -> Change {
        self.set_open(peer, id, true)
    }

    /// Our stream on this connection has failed.
    pub(super) fn lost(&mut self, peer: &PeerId, id: ConnectionId) -> Change {
        self.set_open(peer, id, false)
    }

    fn set_open(&mut self, peer: &PeerId, id: ConnectionId, open: bool) -> Change {
        let Some(known) = self.peers.get_mut(peer) else { return Change::None };
        if let Some(link) = known.link(id) {
            link.open = open;
            link.sending = false;
        }
        known.choose()
    }

    /// The connection that is used for a peer, if there is one.
    pub(super) fn active(&self, peer: &PeerId) -> Option<ConnectionId> {
        self.peers.get(peer)?.active
    }

    /// The same, if it can take a frame.
    pub(super) fn idle(&self, peer: &PeerId) -> Option<ConnectionId> {
        let peer = self.peers.get(peer)?;
        let link = peer.links.iter().find(|link| Some(link.id) == peer.active)?;
        (!link.sending).then_some(link.id)
    }

    pub(super) fn connections(&self, peer: &PeerId) -> Vec<ConnectionId> {
        let links = self.peers.get(peer).map(|peer| peer.links.iter());
        links.into_iter().flatten().map(|link| link.id).collect()
    }

    pub(super) fn begin_send(&mut self, peer: &PeerId, id: ConnectionId) {
        self.set_sending(peer, id, true);
    }

    pub(super) fn end_send(&mut self, peer: &PeerId, id: ConnectionId) {
        self.set_sending(peer, id, false);
    }

    fn set_sending(&mut self, peer: &PeerId, id: ConnectionId, sending: bool) {
        if let Some(link) = self.peers.get_mut(peer).and_then(|peer| peer.link(id)) {
            link.sending = sending;
        }
    }

    /// Notes that a connection may read; false if it may already, or is gone.
    pub(super) fn begin_read(&mut self, peer: &PeerId, id: ConnectionId) -> bool {
        let link = self.peers.get_mut(peer).and_then(|peer| peer.link(id));
        link.is_some_and(|link| !std::mem::replace(&mut link.reading, true))
    }

    pub(super) fn end_read(&mut self, peer: &PeerId, id: ConnectionId) {
        if let Some(link) = self.peers.get_mut(peer).and_then(|peer| peer.link(id)) {
            link.reading = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_stream_that_stands_is_used_and_the_other_takes_over() {
        let (peer, mut links) = (PeerId::random(), Links::default());
        let [one, two] = [1, 2].map(ConnectionId::new_unchecked);
        links.connected(peer, one);
        links.connected(peer, two);
        assert_eq!(links.opened(&peer, two), Change::Joined);
        assert_eq!(links.opened(&peer, one), Change::None);
        assert_eq!(links.active(&peer), Some(two));
        assert_eq!(links.lost(&peer, two), Change::Moved);
        assert_eq!(links.opened(&peer, two), Change::None, "it stays where it is");
        assert_eq!(links.disconnected(&peer, one), Change::Moved);
        assert_eq!(links.disconnected(&peer, two), Change::Left);
        assert_eq!(links.active(&peer), None);
    }

    #[test]
    fn a_connection_sends_and_reads_one_frame_at_a_time() {
        let (peer, mut links) = (PeerId::random(), Links::default());
        let one = ConnectionId::new_unchecked(1);
        links.connected(peer, one);
        assert_eq!(links.idle(&peer), None);
        links.opened(&peer, one);
        assert_eq!(links.idle(&peer), Some(one));
        links.begin_send(&peer, one);
        assert_eq!(links.idle(&peer), None);
        links.end_send(&peer, one);
        assert_eq!(links.idle(&peer), Some(one));
        assert!(links.begin_read(&peer, one));
        assert!(!links.begin_read(&peer, one));
        links.end_read(&peer, one);
        assert!(links.begin_read(&peer, one));
    }

    #[test]
    fn a_stream_that_failed_while_it_sent_can_send_again_when_it_is_back() {
        let (peer, mut links) = (PeerId::random(), Links::default());
        let one = ConnectionId::new_unchecked(1);
        links.connected(peer, one);
        links.opened(&peer, one);
        links.begin_send(&peer, one);
        assert_eq!(links.lost(&peer, one), Change::Left);
        assert_eq!(links.opened(&peer, one), Change::Joined);
        assert_eq!(links.idle(&peer), Some(one));
    }
}
