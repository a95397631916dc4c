//! The behaviours of a node, as one.

use std::time::Duration;

use hearsay_chain::GenesisId;
use libp2p::allow_block_list::{self, BlockedPeers};
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::identity::Keypair;
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::NetworkBehaviour;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::{identify, mdns, ping};

use crate::gossip::{FRAME_SLACK, Mode};
use crate::gossip_score;
use crate::members::MAX_FRAME;
use crate::members::stream::Datagrams;
use crate::probe::ProbeCodec;
use crate::push;
use crate::push::stream::{Push, TrafficCount};
use crate::service::{Config, NetworkError};
use crate::sync_codec::SyncCodec;
use crate::table::Table;
use crate::tap::Tap;
use crate::topic::{Topic, Topics};

/// Requests that one connection may have open, both directions together; the default is 100.
const MAX_REQUESTS: usize = 8;

/// A request that takes longer has failed. Four mebibytes in this time are 140 kB a second.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// How often a peer's round trip is measured: libp2p's default. It hardly changes, and both sides
/// measure it.
const PING_INTERVAL: Duration = Duration::from_secs(15);

/// A peer that does not answer a ping in this time: libp2p's default.
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// How often peers tell each other what they are: libp2p's default.
const IDENTIFY_INTERVAL: Duration = Duration::from_secs(300);

/// Connections that may be in their handshake at once.
const MAX_PENDING: u32 = 64;

/// Two nodes that dial each other at the same moment have two connections; more are of no use.
const MAX_PER_PEER: u32 = 2;

/// Every behaviour of a node.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    limits: connection_limits::Behaviour,
    pub(crate) banned: allow_block_list::Behaviour<BlockedPeers>,
    pub(crate) gossip: Tap,
    /// Only in the modes that push; others have never heard of the protocol.
    pub(crate) push: Toggle<Push>,
    /// Only in nodes that take part in membership.
    pub(crate) members: Toggle<Datagrams>,
    /// Only in nodes that find peers by Kademlia.
    pub(crate) table: Toggle<Table>,
    /// Only in nodes that tell the local network of themselves.
    local: Toggle<mdns::tokio::Behaviour>,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    pub(crate) sync: request_response::Behaviour<SyncCodec>,
    /// Only where links are shaped; others have never heard of the protocol.
    pub(crate) probe: Toggle<request_response::Behaviour<ProbeCodec>>,
}

/// What identify says that this node speaks: it names the network, so that a node of another one
/// can be turned away and told why.
pub(crate) fn protocol_version(genesis: GenesisId) -> String {
    format!("/hearsay/{genesis}/1")
}

impl Behaviour {
    pub(crate) fn new(
        identity: &Keypair,
        config: &Config,
        traffic: &TrafficCount,
    ) -> Result<Self, NetworkError> {
        let settings = |why: &dyn std::fmt::Display| NetworkError::Settings(why.to_string());
        let (genesis, dilation) = (config.genesis, config.dilation.max(1));
        let slowed = |time: Duration| time.saturating_mul(dilation);
        let gossip = config.gossip.build(config.largest_message, dilation);
        let gossip = gossip.map_err(|error| settings(&error))?;
        let (topics, pushes) = (Topics::new(genesis), config.gossip.mode.pushes());
        let mut tap = Tap::new(gossip, topics.clone(), pushes, config.gossip.loss, dilation)
            .map_err(|error| settings(&error))?;
        tap.with_peer_score(gossip_score::params(&topics, dilation), gossip_score::thresholds())
            .map_err(|error| settings(&error))?;
        for topic in [Topic::Tx, Topic::Block] {
            tap.subscribe(topics.ident(topic)).map_err(|error| settings(&error))?;
        }
        let limits = ConnectionLimits::default()
            .with_max_pending_incoming(Some(MAX_PENDING))
            .with_max_pending_outgoing(Some(MAX_PENDING))
            .with_max_established_incoming(Some(config.connections.max_inbound))
            .with_max_established_outgoing(Some(config.connections.max_outbound))
            .with_max_established_per_peer(Some(MAX_PER_PEER));
        let identify = identify::Config::new(protocol_version(genesis), identity.public())
            .with_agent_version(concat!("hearsay/", env!("CARGO_PKG_VERSION")).to_owned())
            .with_interval(slowed(IDENTIFY_INTERVAL))
            .with_cache_size(0);
        let sync = request_response::Behaviour::with_codec(
            SyncCodec,
            [(format!("/hearsay/{genesis}/sync/1"), ProtocolSupport::Full)],
            request_response::Config::default()
                .with_request_timeout(slowed(REQUEST_TIMEOUT))
                .with_max_concurrent_streams(MAX_REQUESTS),
        );
        let router = match config.gossip.mode {
            Mode::Flood | Mode::Bundled => None,
            Mode::Lean => Some(push::Config::default()),
            Mode::Announce => Some(push::Config::announce()),
        };
        let largest_frame = config.largest_message.saturating_add(FRAME_SLACK);
        let push = router.map(|router| {
            let loss = config.gossip.loss;
            Push::new(genesis, router, largest_frame, dilation, traffic.clone(), loss)
        });
        let members = config.members.as_ref();
        let members = members.map(|_| Datagrams::new(genesis, MAX_FRAME, dilation));
        let own = identity.public().to_peer_id();
        let table = config.discovery.kademlia.then(|| Table::new(genesis, own, dilation));
        let local = config.discovery.mdns.then(|| {
            mdns::tokio::Behaviour::new(mdns::Config::default(), own)
                .map_err(|error| settings(&format!("the local network: {error}")))
        });
        let ping = ping::Config::new()
            .with_interval(slowed(PING_INTERVAL))
            .with_timeout(slowed(PING_TIMEOUT));
        Ok(Self {
            limits: connection_limits::Behaviour::new(limits),
            banned: allow_block_list::Behaviour::default(),
            gossip: tap,
            push: push.into(),
            members: members.into(),
            table: table.into(),
            local: local.transpose()?.into(),
            identify: identify::Behaviour::new(identify),
            ping: ping::Behaviour::new(ping),
            sync,
            probe: config.links.as_ref().map(|links| crate::probe::behaviour(links.clock())).into(),
        })
    }
}
