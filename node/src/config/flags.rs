//! The same settings as flags and environment variables, each of them optional.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::members::{DiscoveryFlags, MembersFlags};
use super::mempool::MempoolFlags;
use super::settings::{Blocks, Mode, SyncPeers};

/// What the command line and the environment say; clap puts the flag before the variable.
///
/// A list may be repeated as a flag, or separated by commas.
#[derive(Args, Clone, Debug, Default, Serialize)]
pub struct Flags {
    /// This node's name in logs [default: the beginning of its peer id]
    #[arg(long, env = "HEARSAY_NAME")]
    pub name: Option<String>,
    /// The directory that holds the chain [default: ~/.hearsay/data]
    #[arg(long, env = "HEARSAY_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// The network's genesis file, the same at every node [default: DATA_DIR/genesis.toml]
    #[arg(long, env = "HEARSAY_GENESIS", value_name = "FILE")]
    pub genesis: Option<PathBuf>,
    /// A multiaddr to listen on for peers [default: /ip4/0.0.0.0/tcp/7700]
    #[arg(long, env = "HEARSAY_LISTEN", value_name = "MULTIADDR", value_delimiter = ',')]
    pub listen: Option<Vec<String>>,
    /// A multiaddr to tell others, where they reach this node by another than those it listens on, as behind
    /// a router [default: all that it listens on]
    #[arg(long, env = "HEARSAY_ANNOUNCE", value_name = "MULTIADDR", value_delimiter = ',')]
    pub announce: Option<Vec<String>>,
    /// The multiaddr of a first peer, as in /ip4/192.0.2.1/tcp/7700
    #[arg(long, env = "HEARSAY_BOOTSTRAP", value_name = "MULTIADDR", value_delimiter = ',')]
    pub bootstrap: Option<Vec<String>>,
    /// The address that commands, Prometheus and programs reach this node at [default:
    /// 127.0.0.1:7780]
    #[arg(long, env = "HEARSAY_RPC", value_name = "IP:PORT")]
    pub rpc: Option<SocketAddr>,
    /// A host name, besides the local ones, that the RPC answers to
    #[arg(
        long = "rpc-host",
        env = "HEARSAY_RPC_HOSTS",
        value_name = "NAME",
        value_delimiter = ','
    )]
    pub rpc_hosts: Option<Vec<String>>,
    /// The origin of a web page that may use the RPC, as in `https://wallet.example`
    #[arg(
        long = "rpc-origin",
        env = "HEARSAY_RPC_ORIGINS",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    pub rpc_origins: Option<Vec<String>>,
    /// The key to propose blocks with, by its name or file; without it this node proposes none
    #[arg(long, env = "HEARSAY_AUTHORITY_KEY", value_name = "KEY")]
    pub authority_key: Option<PathBuf>,
    /// The file of this node's own key, made if it is missing [default: DATA_DIR/node.pem]
    #[arg(long, env = "HEARSAY_NODE_KEY", value_name = "FILE")]
    pub node_key: Option<PathBuf>,
    /// The propagation log [default: DATA_DIR/events.jsonl]
    #[arg(long, env = "HEARSAY_EVENTS", value_name = "FILE")]
    pub events: Option<PathBuf>,
    /// Keep the transactions of the last N blocks alone; headers, balances and the index of
    /// transactions stay [default: of all blocks; at least 64]
    #[arg(long, env = "HEARSAY_KEEP_BODIES", value_name = "N")]
    pub keep_bodies: Option<u64>,
    /// What to tell on stderr: error, warn, info, debug, trace, or a filter by module [default:
    /// info]
    #[arg(long, env = "HEARSAY_LOG", value_name = "FILTER")]
    pub log: Option<String>,
    /// How messages spread.
    #[command(flatten)]
    pub gossip: GossipFlags,
    /// How much waits for a block.
    #[command(flatten)]
    pub mempool: MempoolFlags,
    /// Who is in the network.
    #[command(flatten)]
    pub members: MembersFlags,
    /// To whom this node connects by itself.
    #[command(flatten)]
    pub discovery: DiscoveryFlags,
    /// How many connections there are.
    #[command(flatten)]
    pub peers: PeerFlags,
    /// How a node that is behind catches up.
    #[command(flatten)]
    pub sync: SyncFlags,
}

/// The flags of `[gossip]`.
#[derive(Args, Clone, Debug, Default, Serialize)]
#[command(next_help_heading = "Gossip")]
pub struct GossipFlags {
    /// How messages spread [default: lean]
    #[arg(long = "gossip-mode", env = "HEARSAY_GOSSIP_MODE", value_name = "MODE")]
    pub mode: Option<Mode>,
    /// How blocks are gossiped [default: compact]
    #[arg(long = "gossip-blocks", env = "HEARSAY_GOSSIP_BLOCKS", value_name = "FORM")]
    pub blocks: Option<Blocks>,
    /// Milliseconds for which transactions to be published are collected, in mode bundled [default: 5]
    #[arg(long = "gossip-bundle-ms", env = "HEARSAY_GOSSIP_BUNDLE_MS", value_name = "MS")]
    pub bundle_ms: Option<u64>,
    /// Decline messages of this many bytes or more once they are here, with gossipsub [default: 1000]
    #[arg(
        long = "gossip-idontwant-bytes",
        env = "HEARSAY_GOSSIP_IDONTWANT_BYTES",
        value_name = "BYTES"
    )]
    pub idontwant_bytes: Option<usize>,
    /// Whether ids of recent messages are announced beyond the mesh, with gossipsub [default: true]
    #[arg(long = "gossip-lazy", env = "HEARSAY_GOSSIP_LAZY", value_name = "BOOL")]
    pub lazy: Option<bool>,
    /// How the peer is chosen that the pool is compared with [default: weighted]
    #[arg(long = "gossip-partners", env = "HEARSAY_GOSSIP_PARTNERS", value_name = "STRATEGY")]
    pub partners: Option<SyncPeers>,
    /// Milliseconds between two comparisons of the pool with a peer's; 0 for none [default: 5000]
    #[arg(long = "gossip-reconcile-ms", env = "HEARSAY_GOSSIP_RECONCILE_MS", value_name = "MS")]
    pub reconcile_ms: Option<u64>,
    /// Peers that a message is pushed to, with gossipsub [default: 6]
    #[arg(long = "gossip-mesh", env = "HEARSAY_GOSSIP_MESH", value_name = "N")]
    pub mesh: Option<usize>,
    /// Below this many, peers are added [default: 5]
    #[arg(long = "gossip-mesh-low", env = "HEARSAY_GOSSIP_MESH_LOW", value_name = "N")]
    pub mesh_low: Option<usize>,
    /// Above this many, peers are removed [default: 12]
    #[arg(long = "gossip-mesh-high", env = "HEARSAY_GOSSIP_MESH_HIGH", value_name = "N")]
    pub mesh_high: Option<usize>,
    /// Milliseconds between two looks at the mesh [default: 700]
    #[arg(long = "gossip-heartbeat-ms", env = "HEARSAY_GOSSIP_HEARTBEAT_MS", value_name = "MS")]
    pub heartbeat_ms: Option<u64>,
    /// Whether a new message goes to every peer at once, not to the mesh alone [default: true]
    #[arg(
        long = "gossip-flood-publish",
        env = "HEARSAY_GOSSIP_FLOOD_PUBLISH",
        value_name = "BOOL"
    )]
    pub flood_publish: Option<bool>,
}

/// The flags of `[sync]`.
#[derive(Args, Clone, Debug, Default, Serialize)]
#[command(next_help_heading = "Sync")]
pub struct SyncFlags {
    /// How a node that is behind chooses the peers to ask [default: weighted]
    #[arg(long = "sync-peers", env = "HEARSAY_SYNC_PEERS", value_name = "STRATEGY")]
    pub peers: Option<SyncPeers>,
}

/// The flags of `[peers]`.
#[derive(Args, Clone, Debug, Default, Serialize)]
#[command(next_help_heading = "Peers")]
pub struct PeerFlags {
    /// The most connections that others make to this node [default: 100]
    #[arg(long = "peers-max-inbound", env = "HEARSAY_PEERS_MAX_INBOUND", value_name = "N")]
    pub max_inbound: Option<u32>,
    /// The most connections that this node makes to others [default: 50]
    #[arg(long = "peers-max-outbound", env = "HEARSAY_PEERS_MAX_OUTBOUND", value_name = "N")]
    pub max_outbound: Option<u32>,
}
