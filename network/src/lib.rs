//! Gossip, sync and peers over libp2p.
//!
//! Pure: the wire format ([`wire`], [`bundle`], [`compact`]), topics ([`topic`]), the router of
//! [`push`], [`reconcile`], scores ([`score`]) and the dialling plan. Shell: the swarm, which runs in one task ([`start`]), takes [`Command`]s and gives [`NetEvent`]s. The swarm
//! never waits for whoever reads its events; therefore anyone may wait for the swarm.

pub mod bundle;
pub mod choice;
pub mod compact;
pub mod link;
pub mod members;
pub mod push;
pub mod reconcile;
pub mod score;
pub mod short_id;
pub mod sync;
pub mod topic;
pub mod wire;

mod behaviour;
mod bundler;
mod dialer;
mod event;
mod gossip;
mod gossip_score;
mod hold;
mod lanes;
mod outbox;
mod probe;
mod service;
mod sync_codec;
mod table;
mod tap;
mod transport;

pub use event::{
    Command, CopyNote, MemberList, NetEvent, PeerView, Probed, PublishFailure, RequestId,
    Responder, Route, Ticket, Traffic,
};
pub use gossip::{GossipConfig, Mode};
pub use lanes::Lanes;
pub use libp2p::{Multiaddr, PeerId, multiaddr};
pub use push::stream::{Tally, TrafficCount};
pub use service::{
    COMMAND_QUEUE, Config, ConnectionConfig, DiscoveryConfig, EVENT_QUEUE, MembersConfig, Network,
    NetworkError, start,
};
pub use topic::Topic;
pub use transport::{Connections, WireCount, transport};

/// The peer id that belongs to an Ed25519 seed.
///
/// # Panics
/// Never: any 32 bytes are a seed.
#[must_use]
pub fn peer_id(seed: &[u8; 32]) -> PeerId {
    identity(seed).public().to_peer_id()
}

fn identity(seed: &[u8; 32]) -> libp2p::identity::Keypair {
    libp2p::identity::Keypair::ed25519_from_bytes(*seed).expect("any 32 bytes are an Ed25519 seed")
}
