//! Kademlia as a way to find peers, for networks with more nodes than a list of members may have.
//!
//! Only the routing table is used: nothing is stored for anybody. A node looks for whoever is nearest to
//! a point drawn at random, and so meets peers from all over the network. Where others say that peers
//! are is judged here as everywhere ([`address::usable`]), also what the lookup itself dials: a
//! thousand nodes that dial what one of them made up are a weapon.

use std::task::{Context, Poll};
use std::time::Duration;

use hearsay_chain::GenesisId;
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::kad::store::{MemoryStore, MemoryStoreConfig};
use libp2p::kad::{
    Behaviour as Kademlia, BucketInserts, Config, Event, GetClosestPeersError, GetClosestPeersOk,
    Mode, QueryResult, StoreInserts,
};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, StreamProtocol, THandler,
    THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};

use crate::members::address::{Reach, usable};

/// The largest message: twenty peers with four addresses each take a quarter of it.
const MAX_MESSAGE: usize = 16 << 10;

/// A lookup ends after this: a few round trips across the world and one dial that times out.
const LOOKUP_LIMIT: Duration = Duration::from_secs(30);

/// A peer and the addresses at which it is said to be.
pub(crate) type Told = (PeerId, Vec<Multiaddr>);

/// A node's part of the table.
pub(crate) struct Table {
    kademlia: Kademlia<MemoryStore>,
    /// Where the nearest neighbour is: addresses nearer than that are not dialled.
    reach: Reach,
    in_process: bool,
}

/// The name of the protocol in a network.
pub(crate) fn protocol(genesis: GenesisId) -> String {
    format!("/hearsay/{genesis}/kad/1")
}

impl Table {
    pub(crate) fn new(genesis: GenesisId, own: PeerId, dilation: u32) -> Self {
        let name = StreamProtocol::try_from_owned(protocol(genesis));
        let mut config = Config::new(name.expect("it begins with a slash"));
        config
            .set_kbucket_inserts(BucketInserts::Manual)
            .set_record_filtering(StoreInserts::FilterBoth)
            .set_replication_interval(None)
            .set_publication_interval(None)
            .set_provider_publication_interval(None)
            // The lookups below do as much, and tell of whom they found.
            .set_periodic_bootstrap_interval(None)
            .set_max_packet_size(MAX_MESSAGE)
            .set_query_timeout(LOOKUP_LIMIT.saturating_mul(dilation));
        let nothing = MemoryStoreConfig {
            max_records: 0,
            max_value_bytes: 0,
            max_providers_per_key: 0,
            max_provided_keys: 0,
        };
        let store = MemoryStore::with_config(own, nothing);
        let mut kademlia = Kademlia::with_config(own, store, config);
        // Whoever takes part answers.
        kademlia.set_mode(Some(Mode::Server));
        Self { kademlia, reach: Reach::Public, in_process: false }
    }

    /// From how near addresses are believed.
    pub(crate) fn set_reach(&mut self, reach: Reach, in_process: bool) {
        self.reach = reach;
        self.in_process = in_process;
    }

    /// A peer answers questions at these addresses, which are of use here.
    pub(crate) fn insert(&mut self, peer: &PeerId, addresses: Vec<Multiaddr>) {
        for address in addresses {
            // A full bucket keeps those that it has: they have proved themselves.
            let _ = self.kademlia.add_address(peer, address);
        }
    }

    /// Whether a lookup is under way.
    pub(crate) fn is_looking(&self) -> bool {
        self.kademlia.iter_queries().next().is_some()
    }

    /// Looks for those that are nearest to a point.
    pub(crate) fn look_for(&mut self, point: PeerId) {
        self.kademlia.get_closest_peers(point);
    }
}

/// Whom a lookup found, if the event tells of one that ended.
pub(crate) fn found(event: Event) -> Vec<Told> {
    let Event::OutboundQueryProgressed { result: QueryResult::GetClosestPeers(result), .. } = event
    else {
        return Vec::new();
    };
    let peers = match result {
        Ok(GetClosestPeersOk { peers, .. }) | Err(GetClosestPeersError::Timeout { peers, .. }) => {
            peers
        }
    };
    peers.into_iter().map(|peer| (peer.peer_id, peer.addrs)).collect()
}

impl NetworkBehaviour for Table {
    type ConnectionHandler = <Kademlia<MemoryStore> as NetworkBehaviour>::ConnectionHandler;
    type ToSwarm = Event;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.kademlia.handle_established_inbound_connection(connection, peer, local, remote)
    }

    /// What Kademlia would have dialled, without what is not worth it.
    fn handle_pending_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        let Some(peer) = peer else { return Ok(Vec::new()) };
        let all = self.kademlia.handle_pending_outbound_connection(
            connection,
            Some(peer),
            addresses,
            role,
        )?;
        let is_memory = |it: &Multiaddr| matches!(it.iter().next(), Some(Protocol::Memory(_)));
        let worth = |address: Multiaddr| match is_memory(&address) {
            true => Some(address).filter(|_| self.in_process),
            false => usable(&address, &peer, self.reach),
        };
        Ok(all.into_iter().filter_map(worth).collect())
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port_use: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.kademlia
            .handle_established_outbound_connection(connection, peer, address, role, port_use)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        self.kademlia.on_swarm_event(event);
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        self.kademlia.on_connection_handler_event(peer, connection, event);
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.kademlia.poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_lookup_would_dial_is_judged_by_where_the_neighbours_are() {
        let peer = crate::peer_id(&[2; 32]);
        let mut table = Table::new(GenesisId([1; 32]), crate::peer_id(&[1; 32]), 1);
        let told =
            ["/ip4/10.0.0.1/tcp/22", "/ip4/1.2.3.4/tcp/7700", "/memory/7", "/dns4/a.b/tcp/1"];
        table.insert(&peer, told.map(|it| it.parse().unwrap()).to_vec());
        let mut dialled = |reach, in_process| {
            table.set_reach(reach, in_process);
            let connection = ConnectionId::new_unchecked(1);
            let role = Endpoint::Dialer;
            let all = table.handle_pending_outbound_connection(connection, Some(peer), &[], role);
            let mut all: Vec<String> = all.unwrap().iter().map(ToString::to_string).collect();
            all.sort();
            all
        };
        assert_eq!(dialled(Reach::Public, false), ["/ip4/1.2.3.4/tcp/7700"]);
        let near = dialled(Reach::Private, false);
        assert_eq!(near, ["/ip4/1.2.3.4/tcp/7700", "/ip4/10.0.0.1/tcp/22"]);
        assert_eq!(dialled(Reach::Public, true).len(), 2, "one is within this process");
    }
}
