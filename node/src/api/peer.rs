//! What a node tells of its peers.

use serde::{Deserialize, Serialize};

/// The way by which messages go to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PeerRoute {
    /// A stream of frames, along a tree of each origin.
    Push,
    /// Gossipsub, as far as one is in the other's mesh.
    Gossipsub,
}

/// One connected peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeerInfo {
    /// Its peer id.
    pub peer: String,
    /// The address of the oldest connection to it.
    pub address: String,
    /// Whether this node dialled that connection.
    pub outbound: bool,
    /// The last measured round trip, in milliseconds.
    pub rtt_ms: Option<f64>,
    /// Its program, as it says itself.
    pub agent: Option<String>,
    /// The way by which messages go to it.
    pub route: PeerRoute,
    /// Whether it is in this node's mesh for transactions.
    pub mesh_tx: bool,
    /// Whether it is in this node's mesh for blocks.
    pub mesh_block: bool,
    /// Gossip messages of which it sent the first copy.
    pub first_copies: u64,
    /// Gossip messages of which it sent a later copy.
    pub duplicates: u64,
    /// Gossip payload that it sent, in bytes.
    pub payload_bytes: u64,
    /// Copies that it sent unasked.
    pub eager: u64,
    /// Their payload, in bytes.
    pub eager_bytes: u64,
    /// Copies that it was asked for.
    pub lazy: u64,
    /// Their payload, in bytes.
    pub lazy_bytes: u64,
    /// What it sent over its stream beside payload, in bytes, since it is connected; gossipsub does
    /// not tell it.
    pub control_received: u64,
    /// What was sent to it over its stream beside payload, in bytes.
    pub control_sent: u64,
    /// Copies that were sent to it over its stream.
    pub sent_copies: u64,
    /// Their payload, in bytes.
    pub sent_bytes: u64,
}

impl PeerInfo {
    /// Whether transactions go to it as they come.
    #[must_use]
    pub fn hears_transactions(&self) -> bool {
        self.mesh_tx || self.route == PeerRoute::Push
    }

    /// Whether blocks go to it as they come.
    #[must_use]
    pub fn hears_blocks(&self) -> bool {
        self.mesh_block || self.route == PeerRoute::Push
    }
}
