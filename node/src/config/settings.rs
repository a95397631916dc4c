//! Every setting with its value.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use hearsay_network::choice::Strategy;
use serde::{Deserialize, Serialize};

use super::{ConfigError, Discovery, Members, Mempool};
use crate::engine::BlockForm;
use crate::lab::LabSettings;

/// Where a node listens for peers unless told otherwise: every interface.
const LISTEN: &str = "/ip4/0.0.0.0/tcp/7700";

/// Where a node listens for its user unless told otherwise: this machine alone.
const RPC: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7780);

/// The fewest bodies that a node may be told to keep: as many as one answer to a node that catches
/// up may hold, so that one which was away for a moment finds what it lacks.
pub const LEAST_BODIES: u64 = 64;

/// All settings of a node. Paths are relative to the directory that the node is started in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default = "Settings::without_data")]
pub struct Settings {
    /// Its name in logs; none: the beginning of its peer id.
    pub name: Option<String>,
    /// The directory that holds its chain.
    pub data_dir: PathBuf,
    /// The genesis file.
    pub genesis: PathBuf,
    /// The multiaddrs to listen on for peers.
    pub listen: Vec<String>,
    /// The multiaddrs to tell other members, up to four; none: all that it listens on.
    pub announce: Vec<String>,
    /// The multiaddrs of the first peers to dial.
    pub bootstrap: Vec<String>,
    /// The address that the RPC listens on.
    pub rpc: SocketAddr,
    /// Host names, besides the local ones, that the RPC answers to.
    pub rpc_hosts: Vec<String>,
    /// Origins of web pages that may use the RPC.
    pub rpc_origins: Vec<String>,
    /// The key file to propose blocks with; none: this node proposes none.
    pub authority_key: Option<PathBuf>,
    /// The key file that the peer id comes from; made if it is missing.
    pub node_key: PathBuf,
    /// The propagation log.
    pub events: PathBuf,
    /// How many of the last blocks keep their transactions, at least 64; none: all. Blocks that are
    /// not final keep theirs in any case.
    pub keep_bodies: Option<u64>,
    /// What is told on stderr, as a `tracing` filter.
    pub log: String,
    /// How messages spread.
    pub gossip: Gossip,
    /// How much waits for a block.
    pub mempool: Mempool,
    /// Who is in the network.
    pub members: Members,
    /// To whom this node connects by itself.
    pub discovery: Discovery,
    /// How many connections there are.
    pub peers: Peers,
    /// How a node that is behind catches up.
    pub sync: Sync,
    /// What a lab does to this node; none outside the lab. It has no flags: whoever runs a lab writes
    /// files.
    pub lab: Option<LabSettings>,
}

impl Settings {
    /// The defaults of a node that keeps everything in `data_dir`.
    pub fn in_dir(data_dir: impl Into<PathBuf>) -> Self {
        let data_dir = data_dir.into();
        Self {
            name: None,
            genesis: data_dir.join("genesis.toml"),
            listen: vec![LISTEN.to_owned()],
            announce: Vec::new(),
            bootstrap: Vec::new(),
            rpc: RPC,
            rpc_hosts: Vec::new(),
            rpc_origins: Vec::new(),
            authority_key: None,
            node_key: data_dir.join("node.pem"),
            events: data_dir.join("events.jsonl"),
            keep_bodies: None,
            log: "info".to_owned(),
            gossip: Gossip::default(),
            mempool: Mempool::default(),
            members: Members::default(),
            discovery: Discovery::default(),
            peers: Peers::default(),
            sync: Sync::default(),
            lab: None,
            data_dir,
        }
    }

    /// For reading a file that leaves the paths out: they are filled in before the last reading.
    fn without_data() -> Self {
        Self::in_dir(PathBuf::new())
    }

    /// Checks what can be checked without the network's rules.
    ///
    /// # Errors
    /// The first setting that is out of range, named with what it must be.
    pub fn check(&self) -> Result<(), ConfigError> {
        let Gossip { mesh, mesh_low, mesh_high, heartbeat_ms, .. } = self.gossip;
        if mesh_low == 0 || mesh_low > mesh || mesh > mesh_high {
            return Err(ConfigError::Range(format!(
                "gossip.mesh_low, gossip.mesh and gossip.mesh_high are {mesh_low}, {mesh} and \
                 {mesh_high}; they must be at least 1 and in rising order"
            )));
        }
        let least_one = [
            ("gossip.heartbeat_ms", heartbeat_ms),
            ("mempool.max_age_ms", self.mempool.max_age_ms),
            ("mempool.floor_half_life_ms", self.mempool.floor_half_life_ms),
        ];
        for (key, value) in least_one {
            if value == 0 {
                return Err(ConfigError::Range(format!("{key} is 0; it must be at least 1")));
            }
        }
        self.mempool
            .bounds(0)
            .check()
            .map_err(|error| ConfigError::Range(format!("mempool.{error}")))?;
        if let Some(count) = self.keep_bodies.filter(|count| *count < LEAST_BODIES) {
            return Err(ConfigError::Range(format!(
                "keep_bodies is {count}; it must be at least {LEAST_BODIES}, or be left out to keep \
                 all"
            )));
        }
        if self.peers.max_inbound == 0 && self.peers.max_outbound == 0 {
            return Err(ConfigError::Range(
                "peers.max_inbound and peers.max_outbound are both 0; a node without peers hears \
                 nothing"
                    .to_owned(),
            ));
        }
        self.members.check()?;
        self.discovery.check()?;
        self.lab.as_ref().map_or(Ok(()), LabSettings::check).map_err(ConfigError::Range)
    }
}

/// `[gossip]`: how messages spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gossip {
    /// How messages spread.
    pub mode: Mode,
    /// How blocks are gossiped.
    pub blocks: Blocks,
    /// How long what is to be published is collected after something has left, in milliseconds: mode
    /// `bundled`.
    pub bundle_ms: u64,
    /// Messages of this many bytes or more are declined once they are here (gossipsub's IDONTWANT).
    pub idontwant_bytes: usize,
    /// Whether ids of recent messages are announced to peers outside the mesh (gossipsub's IHAVE).
    pub lazy: bool,
    /// How the peer is chosen that the pool is compared with.
    pub partners: SyncPeers,
    /// Milliseconds between two comparisons of the pool with a peer's; 0: none.
    pub reconcile_ms: u64,
    /// Peers that a message is pushed to.
    pub mesh: usize,
    /// Below this many, peers are added.
    pub mesh_low: usize,
    /// Above this many, peers are removed.
    pub mesh_high: usize,
    /// Milliseconds between two looks at the mesh.
    pub heartbeat_ms: u64,
    /// Whether a new message goes to every peer at once, not to the mesh alone.
    pub flood_publish: bool,
}

impl Default for Gossip {
    /// The values of the gossipsub specification, but for the heartbeat, which is a little faster.
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            blocks: Blocks::default(),
            bundle_ms: 5,
            idontwant_bytes: 1_000,
            lazy: true,
            partners: SyncPeers::default(),
            reconcile_ms: 5_000,
            mesh: 6,
            mesh_low: 5,
            mesh_high: 12,
            heartbeat_ms: 700,
            flood_publish: true,
        }
    }
}

/// How messages spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Stock gossipsub, one message a transaction: the baseline.
    Flood,
    /// Gossipsub, with what is published within a few milliseconds as one message.
    Bundled,
    /// Trees that are learned from duplicates, and announcements along all other links.
    #[default]
    Lean,
    /// Announcements along all links; what they announce is asked for.
    Announce,
}

impl From<Mode> for hearsay_network::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Flood => Self::Flood,
            Mode::Bundled => Self::Bundled,
            Mode::Lean => Self::Lean,
            Mode::Announce => Self::Announce,
        }
    }
}

/// How blocks are gossiped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Blocks {
    /// Whole.
    Full,
    /// A header, and short names for the transactions.
    #[default]
    Compact,
}

impl From<Blocks> for BlockForm {
    fn from(blocks: Blocks) -> Self {
        match blocks {
            Blocks::Full => Self::Full,
            Blocks::Compact => Self::Compact,
        }
    }
}

/// `[sync]`: how a node that is behind catches up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sync {
    /// How the peers to ask are chosen.
    pub peers: SyncPeers,
}

/// How the peers to ask are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum SyncPeers {
    /// Each with the same chance.
    Random,
    /// One after the other.
    RoundRobin,
    /// By measured speed and load.
    #[default]
    Weighted,
}

impl From<SyncPeers> for Strategy {
    fn from(peers: SyncPeers) -> Self {
        match peers {
            SyncPeers::Random => Strategy::Random,
            SyncPeers::RoundRobin => Strategy::RoundRobin,
            SyncPeers::Weighted => Strategy::Weighted,
        }
    }
}

/// `[peers]`: how many connections there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Peers {
    /// The most connections that others made to this node.
    pub max_inbound: u32,
    /// The most connections that this node made to others.
    pub max_outbound: u32,
}

impl Default for Peers {
    /// Outbound: several times the mesh, so that it can heal. Inbound: twice as many, so that new
    /// nodes find room.
    fn default() -> Self {
        Self { max_inbound: 100, max_outbound: 50 }
    }
}
