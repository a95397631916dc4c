//! What each part of a node is set up with, out of the node's settings.
//!
//! The parts know nothing of those settings, and each has a configuration of its own.

use std::time::Duration;

use anyhow::Context;
use hearsay_chain::{Genesis, Keypair};
use hearsay_mempool::Pool;
use hearsay_network::{
    ConnectionConfig, DiscoveryConfig, GossipConfig, MembersConfig, Multiaddr, Network,
};

use crate::clock::Clock;
use crate::config::{self, Settings};
use crate::driver::Identity;
use crate::engine::{Reconciliation, Setup};
use crate::lab::LabDesk;

pub(super) fn network_config(
    settings: &Settings,
    genesis: &Genesis,
    node_key: &Keypair,
    (lab, members): (Option<&LabDesk>, Option<MembersConfig>),
) -> anyhow::Result<hearsay_network::Config> {
    let Settings { gossip, peers, .. } = settings;
    Ok(hearsay_network::Config {
        identity: node_key.seed(),
        genesis: genesis.id(),
        listen: parse_all("listen", &settings.listen)?,
        bootstrap: parse_all("bootstrap", &settings.bootstrap)?,
        gossip: GossipConfig {
            mode: gossip.mode.into(),
            bundle: Duration::from_millis(gossip.bundle_ms),
            idontwant_bytes: gossip.idontwant_bytes,
            lazy: gossip.lazy,
            loss: settings.lab.as_ref().map_or(0.0, |lab| lab.gossip_loss),
            mesh: gossip.mesh,
            mesh_low: gossip.mesh_low,
            mesh_high: gossip.mesh_high,
            heartbeat: Duration::from_millis(gossip.heartbeat_ms),
            flood_publish: gossip.flood_publish,
            ..GossipConfig::default()
        },
        connections: ConnectionConfig {
            max_inbound: peers.max_inbound,
            max_outbound: peers.max_outbound,
        },
        largest_message: genesis.limits.block_bytes as usize,
        links: lab.map(|lab| lab.links().clone()),
        dilation: settings.lab.as_ref().map_or(1, |lab| lab.dilation),
        members,
        discovery: discovery_config(settings),
    })
}

/// What this node has to do with the other members; none: it takes no part.
pub(super) fn members_config(
    settings: &Settings,
    node_key: &Keypair,
    authority: bool,
    clock: &Clock,
) -> anyhow::Result<Option<MembersConfig>> {
    let Settings { members, .. } = settings;
    let name = settings.name.clone().unwrap_or_else(|| short(&node_key_peer(node_key)));
    if !members.enabled {
        return Ok(None);
    }
    let addresses = parse_all("announce", &settings.announce)?;
    Ok(Some(MembersConfig {
        machine: members.machine(),
        about: config::about(&name, authority, addresses),
        started: clock.without_skew(clock.now()).unix_ms(),
        seed: rand::random(),
    }))
}

/// How this node finds others.
fn discovery_config(settings: &Settings) -> DiscoveryConfig {
    let Settings { discovery, data_dir, .. } = settings;
    // A node whose chain is in memory alone may have no data directory.
    let in_memory = settings.lab.as_ref().is_some_and(|lab| lab.memory_store);
    let book = discovery.book.clone().or_else(|| (!in_memory).then(|| data_dir.join("peers.txt")));
    DiscoveryConfig {
        seed: rand::random(),
        slots: discovery.plan(),
        book: book.filter(|_| discovery.slots),
        kademlia: discovery.kademlia,
        mdns: discovery.mdns,
    }
}

fn node_key_peer(node_key: &Keypair) -> String {
    hearsay_network::peer_id(&node_key.seed()).to_string()
}

/// The end of a peer id: those of Ed25519 keys begin alike.
fn short(peer: &str) -> String {
    peer.chars().skip(peer.len().saturating_sub(8)).collect()
}

fn parse_all(what: &str, addresses: &[String]) -> anyhow::Result<Vec<Multiaddr>> {
    let parse = |address: &String| {
        address.parse().with_context(|| {
            format!("{what} address {address:?} is not a multiaddr such as /ip4/127.0.0.1/tcp/7700")
        })
    };
    addresses.iter().map(parse).collect()
}

pub(super) fn setup(settings: &Settings, authority: Option<Keypair>) -> anyhow::Result<Setup> {
    let pool = Pool::new(settings.mempool.bounds(rand::random()))?;
    let sync_peers = settings.sync.peers.into();
    let gossip = settings.gossip;
    Ok(Setup {
        authority,
        pool,
        sync_peers,
        blocks: gossip.blocks.into(),
        reconcile: Reconciliation {
            peers: gossip.partners.into(),
            every_us: gossip.reconcile_ms.saturating_mul(1_000),
        },
        forward: settings.members.forward.strategy().filter(|_| settings.members.enabled),
        seed: rand::random(),
    })
}

pub(super) fn identity(settings: &Settings, network: &Network) -> Identity {
    let peer = network.peer.to_string();
    Identity {
        name: settings.name.clone().unwrap_or_else(|| short(&peer)),
        listen: network.listen.iter().map(ToString::to_string).collect(),
        peer,
    }
}
