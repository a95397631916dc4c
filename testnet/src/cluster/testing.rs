//! Values for tests.

use hearsay_chain::{BlockId, GenesisId};
use hearsay_node::api::{MempoolStatus, NodeStatus, PeerInfo, PeerRoute, VerdictCounts};

/// What a node without peers and transactions says at its genesis.
pub(crate) fn status() -> NodeStatus {
    NodeStatus {
        name: "n0".to_owned(),
        peer: "12D3".to_owned(),
        version: "0.1.0".to_owned(),
        network: "test".to_owned(),
        genesis: GenesisId([0; 32]),
        listen: Vec::new(),
        authority: None,
        uptime_ms: 0,
        slot: 0,
        slot_ms: 1_000,
        tip: BlockId([0; 32]),
        height: 0,
        final_height: 0,
        first_body: 1,
        peers: 0,
        mempool: MempoolStatus::default(),
        sync: None,
        lag_p99_us: None,
        verdicts: VerdictCounts::default(),
    }
}

/// A peer that is in both meshes or in none.
pub(crate) fn peer(mesh: bool) -> PeerInfo {
    PeerInfo {
        peer: "12D3".to_owned(),
        address: "/ip4/127.0.0.1/tcp/7700".to_owned(),
        outbound: true,
        rtt_ms: None,
        agent: None,
        route: PeerRoute::Gossipsub,
        mesh_tx: mesh,
        mesh_block: mesh,
        first_copies: 0,
        duplicates: 0,
        payload_bytes: 0,
        eager: 0,
        eager_bytes: 0,
        lazy: 0,
        lazy_bytes: 0,
        control_received: 0,
        control_sent: 0,
        sent_copies: 0,
        sent_bytes: 0,
    }
}
