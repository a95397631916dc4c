//! The behaviours of a node, as one.

use std::time::Duration;

use hearsay_chain::GenesisId;
use libp2p::allow_block_list::{self, BlockedPeers};
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::identity::Keypair;
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::NetworkBehaviour;
use libp2p::{identify, ping};

use crate::gossip::GossipConfig;
use crate::service::{ConnectionConfig, NetworkError};
use crate::sync_codec::SyncCodec;
use crate::tap::Tap;
use crate::topic::{Topic, Topics};

/// Requests that one connection may have open in each direction; the default is 100.
const MAX_REQUESTS: usize = 8;

/// A request that takes longer has failed. Four mebibytes in this time are 140 kB a second.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

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
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    pub(crate) sync: request_response::Behaviour<SyncCodec>,
}

/// What identify says that this node speaks: it names the network, so that a node of another one
/// can be turned away and told why.
pub(crate) fn protocol_version(genesis: GenesisId) -> String {
    format!("/hearsay/{genesis}/1")
}

impl Behaviour {
    pub(crate) fn new(
        identity: &Keypair,
        genesis: GenesisId,
        gossip: &GossipConfig,
        connections: &ConnectionConfig,
        largest_message: usize,
    ) -> Result<Self, NetworkError> {
        let settings = |why: &dyn std::fmt::Display| NetworkError::Settings(why.to_string());
        let config = gossip.build(largest_message).map_err(|error| settings(&error))?;
        let topics = Topics::new(genesis);
        let mut tap = Tap::new(config, topics.clone()).map_err(|error| settings(&error))?;
        for topic in [Topic::Tx, Topic::Block] {
            tap.subscribe(topics.ident(topic)).map_err(|error| settings(&error))?;
        }
        let limits = ConnectionLimits::default()
            .with_max_pending_incoming(Some(MAX_PENDING))
            .with_max_pending_outgoing(Some(MAX_PENDING))
            .with_max_established_incoming(Some(connections.max_inbound))
            .with_max_established_outgoing(Some(connections.max_outbound))
            .with_max_established_per_peer(Some(MAX_PER_PEER));
        let identify = identify::Config::new(protocol_version(genesis), identity.public())
            .with_agent_version(concat!("hearsay/", env!("CARGO_PKG_VERSION")).to_owned())
            .with_cache_size(0);
        let sync = request_response::Behaviour::with_codec(
            SyncCodec,
            [(format!("/hearsay/{genesis}/sync/1"), ProtocolSupport::Full)],
            request_response::Config::default()
                .with_request_timeout(REQUEST_TIMEOUT)
                .with_max_concurrent_streams(MAX_REQUESTS),
        );
        Ok(Self {
            limits: connection_limits::Behaviour::new(limits),
            banned: allow_block_list::Behaviour::default(),
            gossip: tap,
            identify: identify::Behaviour::new(identify),
            ping: ping::Behaviour::new(ping::Config::new().with_interval(Duration::from_secs(5))),
            sync,
        })
    }
}
