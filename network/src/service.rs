//! The swarm's task: the shell around libp2p.

mod bans;
mod bridge;
mod drops;
mod members;
mod peers;
mod probes;
mod run;

use std::net::IpAddr;

use hearsay_chain::GenesisId;
use libp2p::core::transport::ListenerId;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::{Config as SwarmConfig, Swarm};
use libp2p::{Multiaddr, PeerId, TransportError};
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::behaviour::Behaviour;
use crate::event::{Command, NetEvent};
use crate::gossip::GossipConfig;
use crate::link::Links;
use crate::members as members_of;
use crate::push::stream::TrafficCount;
use crate::transport::{self, WireCount};

/// Commands that may wait for the swarm. Whoever sends waits when it is full, and the swarm never
/// waits for the sender, so this only smooths.
pub const COMMAND_QUEUE: usize = 1_024;

/// Events that may wait for the engine: about a second of what it can handle. When it is full,
/// gossip is answered Ignore and counted.
pub const EVENT_QUEUE: usize = 16_384;

/// Bounds on connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionConfig {
    /// Connections that others may have opened.
    pub max_inbound: u32,
    /// Connections that this node may have opened.
    pub max_outbound: u32,
}

impl Default for ConnectionConfig {
    fn default() -> Self {
        Self { max_inbound: 64, max_outbound: 64 }
    }
}

/// How a node takes part in membership.
#[derive(Clone, Debug)]
pub struct MembersConfig {
    /// Its times.
    pub machine: members_of::Config,
    /// What it says of itself. Without addresses it says those that it listens on.
    pub about: members_of::About,
    /// Milliseconds since the Unix epoch when it started.
    pub started: u64,
    /// What its choices are drawn from.
    pub seed: u64,
}

/// How a node finds peers beside its bootstrap addresses. The default is: not at all.
#[derive(Clone, Debug, Default)]
pub struct DiscoveryConfig {
    /// What its choices are drawn from.
    pub seed: u64,
    /// To how many to connect; none: only to the bootstrap addresses.
    pub slots: Option<members_of::slots::SlotsConfig>,
    /// The file of the address book; none: it is not kept.
    pub book: Option<std::path::PathBuf>,
    /// Whether it asks others for peers, and answers them, by Kademlia: for networks with more nodes
    /// than a list of members may have.
    pub kademlia: bool,
    /// Whether it tells the local network of itself, and listens to who else is there. Everybody on that
    /// network learns of this node, whatever network of nodes it belongs to.
    pub mdns: bool,
}

/// How to run the network side of a node.
#[derive(Clone, Debug)]
pub struct Config {
    /// The seed of the node's Ed25519 identity.
    pub identity: [u8; 32],
    /// The network.
    pub genesis: GenesisId,
    /// Where to listen.
    pub listen: Vec<Multiaddr>,
    /// Whom to stay connected to.
    pub bootstrap: Vec<Multiaddr>,
    /// Gossip's settings.
    pub gossip: GossipConfig,
    /// Bounds on connections.
    pub connections: ConnectionConfig,
    /// Membership; none: this node takes no part.
    pub members: Option<MembersConfig>,
    /// How to find peers.
    pub discovery: DiscoveryConfig,
    /// The largest payload of a gossip message, in bytes.
    pub largest_message: usize,
    /// Links to shape; none outside a lab. Their dilation must be [`Config::dilation`].
    pub links: Option<Links>,
    /// How many times slower than usual the network's clocks run: intervals, waits and limits of
    /// time are so much longer, and round trips are told as if they were not. At least 1; 1 outside
    /// a lab. A few clocks inside libp2p cannot be slowed: gossip forgets after three seconds what
    /// a peer does not want, a stream has ten seconds to agree on its protocol, and yamux pings
    /// every ten.
    pub dilation: u32,
}

/// The network side could not start.
#[derive(Debug, Error)]
pub enum NetworkError {
    /// Settings that contradict each other.
    #[error("the network settings do not work: {0}")]
    Settings(String),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {why}")]
    Listen {
        /// The address.
        address: Multiaddr,
        /// What is wrong and what to do.
        why: String,
    },
}

/// A running network side.
#[derive(Debug)]
pub struct Network {
    /// This node's id.
    pub peer: PeerId,
    /// The addresses it listens on, ports resolved.
    pub listen: Vec<Multiaddr>,
    /// Takes commands.
    pub commands: mpsc::Sender<Command>,
    /// Gives events.
    pub events: mpsc::Receiver<NetEvent>,
    /// Bytes on sockets.
    pub wire: WireCount,
    /// What was gossiped.
    pub traffic: TrafficCount,
    /// Ends when the swarm has ended.
    pub task: JoinHandle<()>,
}

/// Starts the swarm and returns once it listens everywhere it should.
///
/// # Errors
/// Settings that do not work, or an address that cannot be listened on.
pub async fn start(config: Config) -> Result<Network, NetworkError> {
    let identity = crate::identity(&config.identity);
    let peer = identity.public().to_peer_id();
    let wire = WireCount::default();
    let dilation = config.dilation.max(1);
    if let Some(links) = &config.links
        && links.clock().dilation() != dilation
    {
        let why = "the links have another dilation than the rest of the network".to_owned();
        return Err(NetworkError::Settings(why));
    }
    let transport = transport::build(&identity, &wire, config.links.as_ref(), dilation)
        .map_err(|error| NetworkError::Settings(error.to_string()))?;
    let traffic = TrafficCount::default();
    let behaviour = Behaviour::new(&identity, &config, &traffic)?;
    // Connections carry gossip for as long as both sides live, so none of them counts as idle.
    let swarm_config = SwarmConfig::with_tokio_executor()
        .with_idle_connection_timeout(std::time::Duration::from_secs(u64::from(u32::MAX)));
    let mut swarm = Swarm::new(transport, behaviour, peer, swarm_config);
    let listen = listen_all(&mut swarm, &config.listen).await?;
    let (commands, command_queue) = mpsc::channel(COMMAND_QUEUE);
    let (event_queue, events) = mpsc::channel(EVENT_QUEUE);
    let queues = (event_queue, &listen[..]);
    let service = run::Service::new(swarm, config, &identity, queues, traffic.clone())?;
    let task = tokio::spawn(service.run(command_queue));
    Ok(Network { peer, listen, commands, events, wire, traffic, task })
}

/// Listens on each address and waits until the kernel has given it a port, so that one in use is
/// an error here and not a line in a log.
async fn listen_all(
    swarm: &mut Swarm<Behaviour>,
    addresses: &[Multiaddr],
) -> Result<Vec<Multiaddr>, NetworkError> {
    use futures::StreamExt;
    use libp2p::swarm::SwarmEvent;

    let mut waiting: Vec<(ListenerId, &Multiaddr)> = Vec::new();
    for address in addresses {
        probe_port(address)?;
        let listener =
            swarm.listen_on(address.clone()).map_err(|error| listen_error(address, error))?;
        waiting.push((listener, address));
    }
    let mut listening = Vec::new();
    while !waiting.is_empty() {
        match swarm.select_next_some().await {
            SwarmEvent::NewListenAddr { listener_id, address } => {
                listening.push(address);
                waiting.retain(|(listener, _)| *listener != listener_id);
            }
            SwarmEvent::ListenerClosed { listener_id, reason, .. } => {
                if let Some((_, address)) = waiting.iter().find(|(id, _)| *id == listener_id) {
                    let why =
                        reason.map_or_else(|error| error.to_string(), |()| "closed".to_owned());
                    return Err(NetworkError::Listen { address: (*address).clone(), why });
                }
            }
            _ => {}
        }
    }
    Ok(listening)
}

/// Finds out whether another program listens on a port. libp2p's TCP shares ports
/// (`SO_REUSEPORT`), so that a second node on the same one would start in silence and get some of
/// the first one's connections. A socket that does not share is refused.
fn probe_port(address: &Multiaddr) -> Result<(), NetworkError> {
    let mut parts = address.iter();
    let ip = match parts.next() {
        Some(Protocol::Ip4(ip)) => IpAddr::V4(ip),
        Some(Protocol::Ip6(ip)) => IpAddr::V6(ip),
        _ => return Ok(()),
    };
    let Some(Protocol::Tcp(port)) = parts.next() else { return Ok(()) };
    match std::net::TcpListener::bind((ip, port)) {
        Ok(_) => Ok(()),
        Err(error) => Err(listen_error(address, TransportError::Other(error))),
    }
}

fn listen_error(address: &Multiaddr, error: TransportError<std::io::Error>) -> NetworkError {
    let why = match error {
        TransportError::MultiaddrNotSupported(_) => {
            "only TCP is spoken here, as in /ip4/127.0.0.1/tcp/7700, and within one process \
             channels, as in /memory/7"
                .to_owned()
        }
        // Libp2p's own words are "no listener on the given port".
        TransportError::Other(_) if matches!(address.iter().next(), Some(Protocol::Memory(_))) => {
            "another node of this process has that number; choose another".to_owned()
        }
        TransportError::Other(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            "the port is in use; stop the program that has it, or choose another port".to_owned()
        }
        TransportError::Other(error) => error.to_string(),
    };
    NetworkError::Listen { address: address.clone(), why }
}
