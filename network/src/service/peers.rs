//! What the swarm knows of each connected peer.

use std::collections::HashMap;
use std::time::Duration;

use libp2p::core::ConnectedPoint;
use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, PeerId};

use crate::event::{CopyNote, PeerView, Route, Traffic};
use crate::members::slots::Connected;
use crate::push::PeerStats;

/// How long a foreign peer may take to ask what we are before it is disconnected all the same.
const FAREWELL: Duration = Duration::from_secs(2);

/// The longest program name that is kept of what a peer says of itself.
const MAX_AGENT: usize = 64;

/// One peer. It counts as joined once identify has shown that it is of this network.
#[derive(Debug)]
pub(super) struct Peer {
    /// Open connections, oldest first.
    connections: Vec<(ConnectionId, Multiaddr, bool)>,
    pub(super) joined: bool,
    /// Whether identify has told it what we are.
    told: bool,
    /// Since when it is known to be of another network.
    foreign: Option<Duration>,
    rtt: Option<Duration>,
    agent: Option<String>,
    first_copies: u64,
    duplicates: u64,
    eager: Copies,
    lazy: Copies,
}

/// Copies that a peer sent.
#[derive(Debug, Default)]
struct Copies {
    count: u64,
    bytes: u64,
}

/// What is known elsewhere of how messages go to a peer.
pub(super) struct Spread {
    pub(super) mesh_tx: bool,
    pub(super) mesh_block: bool,
    /// What went over its stream, if it has one.
    pub(super) pushed: Option<PeerStats>,
}

/// Every connected peer; bounded by the connection limits.
#[derive(Debug, Default)]
pub(super) struct Peers {
    by_id: HashMap<PeerId, Peer>,
}

impl Peers {
    pub(super) fn connected(&mut self, peer: PeerId, id: ConnectionId, endpoint: &ConnectedPoint) {
        let connection = (id, endpoint.get_remote_address().clone(), endpoint.is_dialer());
        self.by_id
            .entry(peer)
            .or_insert_with(|| Peer {
                connections: Vec::new(),
                joined: false,
                told: false,
                foreign: None,
                rtt: None,
                agent: None,
                first_copies: 0,
                duplicates: 0,
                eager: Copies::default(),
                lazy: Copies::default(),
            })
            .connections
            .push(connection);
    }

    /// Forgets a connection; with the last one the peer, which is then returned.
    pub(super) fn disconnected(&mut self, peer: &PeerId, id: ConnectionId) -> Option<Peer> {
        let known = self.by_id.get_mut(peer)?;
        known.connections.retain(|(connection, ..)| *connection != id);
        if known.connections.is_empty() { self.by_id.remove(peer) } else { None }
    }

    /// Notes that a peer is of this network; true the first time.
    pub(super) fn identified(&mut self, peer: &PeerId, agent: &str) -> bool {
        let Some(known) = self.by_id.get_mut(peer) else { return false };
        known.agent = Some(agent.chars().filter(|c| !c.is_control()).take(MAX_AGENT).collect());
        !std::mem::replace(&mut known.joined, true)
    }

    /// Notes that identify has told a peer what we are.
    pub(super) fn told(&mut self, peer: &PeerId) {
        if let Some(known) = self.by_id.get_mut(peer) {
            known.told = true;
        }
    }

    /// Notes that a peer is of another network.
    pub(super) fn foreign(&mut self, peer: &PeerId, now: Duration) {
        if let Some(known) = self.by_id.get_mut(peer) {
            known.foreign.get_or_insert(now);
        }
    }

    /// Foreign peers to disconnect: those that know why, and those that would not listen.
    pub(super) fn to_turn_away(&self, now: Duration) -> Vec<PeerId> {
        let due =
            |known: &Peer| known.foreign.is_some_and(|since| known.told || now >= since + FAREWELL);
        self.by_id.iter().filter(|(_, known)| due(known)).map(|(peer, _)| *peer).collect()
    }

    pub(super) fn measured(&mut self, peer: &PeerId, rtt: Duration) {
        if let Some(known) = self.by_id.get_mut(peer) {
            known.rtt = Some(rtt);
        }
    }

    pub(super) fn copy(&mut self, note: &CopyNote) {
        if let Some(known) = self.by_id.get_mut(&note.from) {
            known.duplicates += 1;
            let copies = match note.traffic {
                Traffic::Eager => &mut known.eager,
                Traffic::Lazy => &mut known.lazy,
            };
            copies.count += 1;
            copies.bytes += note.bytes as u64;
        }
    }

    /// A copy that [`Peers::copy`] has counted turned out to be the first of its message.
    pub(super) fn first(&mut self, peer: &PeerId) {
        if let Some(known) = self.by_id.get_mut(peer) {
            known.first_copies += 1;
            known.duplicates = known.duplicates.saturating_sub(1);
        }
    }

    /// The peers that have joined, as the plan of the slots wants them; since when is not known here.
    pub(super) fn joined(&self) -> impl Iterator<Item = (Connected, &Multiaddr)> {
        self.by_id.iter().filter(|(_, known)| known.joined).filter_map(|(peer, known)| {
            let (_, address, outbound) = known.connections.first()?;
            let connected = Connected {
                peer: *peer,
                outbound: *outbound,
                rtt: known.rtt,
                since: Duration::ZERO,
                protected: false,
            };
            Some((connected, address))
        })
    }

    /// The peers that have joined; `spread` says how messages go to one.
    pub(super) fn views(&self, spread: impl Fn(&PeerId) -> Spread) -> Vec<PeerView> {
        let mut views: Vec<PeerView> = self
            .by_id
            .iter()
            .filter(|(_, known)| known.joined)
            .filter_map(|(peer, known)| {
                let (_, address, outbound) = known.connections.first()?;
                let Spread { mesh_tx, mesh_block, pushed } = spread(peer);
                let route = if pushed.is_some() { Route::Push } else { Route::Gossipsub };
                let PeerStats { sent, received } = pushed.unwrap_or_default();
                Some(PeerView {
                    peer: *peer,
                    address: address.clone(),
                    outbound: *outbound,
                    rtt: known.rtt,
                    agent: known.agent.clone(),
                    route,
                    mesh_tx,
                    mesh_block,
                    first_copies: known.first_copies,
                    duplicates: known.duplicates,
                    payload_bytes: known.eager.bytes + known.lazy.bytes,
                    eager: known.eager.count,
                    eager_bytes: known.eager.bytes,
                    lazy: known.lazy.count,
                    lazy_bytes: known.lazy.bytes,
                    control_received: received.control_bytes + received.beacon_bytes,
                    control_sent: sent.control_bytes + sent.beacon_bytes,
                    sent_copies: sent.pushed + sent.asked,
                    sent_bytes: sent.pushed_bytes + sent.asked_bytes,
                })
            })
            .collect();
        views.sort_by_key(|view| view.peer);
        views
    }
}
