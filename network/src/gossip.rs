//! How gossipsub is set up. Each setting answers a trap of its defaults; the tests beside the
//! workspace's `tests` crate show each trap closed.

use std::time::Duration;

use libp2p::gossipsub::{Config, ConfigBuilder, ConfigBuilderError, ValidationMode};

use crate::topic::message_id;

/// How messages spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Stock gossipsub, one message a transaction: the baseline.
    Flood,
    /// Gossipsub, with what there is to publish within a few milliseconds as one message.
    Bundled,
    /// Trees that are learned from duplicates, announcements along all other links ([`crate::push`]).
    #[default]
    Lean,
    /// Announcements along all links; bodies are asked for.
    Announce,
}

impl Mode {
    /// Whether nodes speak the protocol of [`crate::push`] with each other.
    #[must_use]
    pub fn pushes(self) -> bool {
        matches!(self, Mode::Lean | Mode::Announce)
    }
}

/// What may be set of gossip.
#[derive(Clone, Debug, PartialEq)]
pub struct GossipConfig {
    /// How messages spread.
    pub mode: Mode,
    /// How long what is to be published is collected once something has left: [`Mode::Bundled`].
    pub bundle: Duration,
    /// Messages of this many bytes or more are declined once they are here: gossipsub's IDONTWANT.
    pub idontwant_bytes: usize,
    /// Whether ids of recent messages are announced to peers outside the mesh (IHAVE).
    pub lazy: bool,
    /// The share of frames that are thrown away on arrival; 0 outside a lab.
    pub loss: f64,
    /// Peers that a node aims to push each message to.
    pub mesh: usize,
    /// Below this many it looks for more.
    pub mesh_low: usize,
    /// Above this many it lets some go.
    pub mesh_high: usize,
    /// The time between two rounds of mesh keeping and lazy announcements.
    pub heartbeat: Duration,
    /// Whether a node's own messages go to every peer, not only to the mesh.
    pub flood_publish: bool,
    /// Messages that may wait for one peer before more are dropped.
    pub peer_queue: usize,
}

impl Default for GossipConfig {
    /// Gossipsub's defaults for the mesh; a heartbeat of 700 ms, as Ethereum's consensus layer
    /// has it (consensus-specs, phase 0, p2p-interface).
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            bundle: Duration::from_millis(5),
            idontwant_bytes: 1_000,
            lazy: true,
            loss: 0.0,
            mesh: 6,
            mesh_low: 5,
            mesh_high: 12,
            heartbeat: Duration::from_millis(700),
            flood_publish: true,
            peer_queue: 5_000,
        }
    }
}

/// A frame within 8 KiB of the limit can be refused when frames follow each other closely, and the
/// envelope takes some bytes: so the limit is the largest message and this.
pub(crate) const FRAME_SLACK: usize = 64 * 1024;

/// An announcement carries up to 5,000 ids of 20 bytes, 22 with their framing. The default limit of
/// 16 KiB would refuse it, and after five refusals a peer stops listening.
const CONTROL_BYTES: usize = 128 * 1024;

/// Messages in one RPC. Gossipsub's settings say 5,000 by default, but what reads RPCs has 500 unless
/// it is set, and an RPC of more ends the stream. Nodes put one into each; other implementations put
/// in as many as wait. The bytes of an RPC bound its messages too.
const MAX_MESSAGES: usize = 5_000;

/// A heartbeat soon after the start; the default of 5 s leaves a fresh network without a mesh.
const FIRST_HEARTBEAT: Duration = Duration::from_millis(200);

/// Ids are remembered this long. Whatever is replayed later is answered by pool and chain.
const SEEN: Duration = Duration::from_secs(120);

/// The longest that a peer is asked to stay away after it was pruned: gossipsub believes no more.
const LONGEST_BACKOFF: Duration = Duration::from_secs(3_600);

impl GossipConfig {
    /// Gossipsub's configuration for messages of `largest` bytes at most, all of whose clocks run
    /// `dilation` times slower. One cannot be slowed: it forgets after three seconds which messages
    /// a peer does not want.
    ///
    /// # Errors
    /// Mesh sizes that contradict each other.
    pub(crate) fn build(
        &self,
        largest: usize,
        dilation: u32,
    ) -> Result<Config, ConfigBuilderError> {
        // Gossipsub's builder accepts marks out of order, and its mesh then never comes to rest.
        if self.mesh_low > self.mesh || self.mesh > self.mesh_high {
            return Err(ConfigBuilderError::MeshParametersInvalid);
        }
        let usual = Config::default();
        let slowed = |time: Duration| time.saturating_mul(dilation);
        ConfigBuilder::default()
            // The author is in the payload; gossip knows none, so nothing is signed twice.
            .validation_mode(ValidationMode::Anonymous)
            // Nothing is forwarded before the engine has said Accept.
            .validate_messages()
            .message_id_fn(|message| message_id(message.topic.as_str(), &message.data).into())
            .max_transmit_size(largest + FRAME_SLACK)
            .max_control_message_size(CONTROL_BYTES)
            .max_publish_messages(MAX_MESSAGES)
            // Messages stay at hand for six heartbeats, so that a verdict which took long still
            // finds them, and are announced for three.
            .history_length(6)
            .history_gossip(3)
            .duplicate_cache_time(slowed(SEEN))
            .heartbeat_initial_delay(slowed(FIRST_HEARTBEAT))
            .heartbeat_interval(slowed(self.heartbeat))
            .fanout_ttl(slowed(usual.fanout_ttl()))
            .prune_backoff(slowed(usual.prune_backoff()).min(LONGEST_BACKOFF))
            .unsubscribe_backoff(slowed(usual.unsubscribe_backoff()))
            .graft_flood_threshold(slowed(usual.graft_flood_threshold()))
            .iwant_followup_time(slowed(usual.iwant_followup_time()))
            .publish_queue_duration(slowed(usual.publish_queue_duration()))
            .forward_queue_duration(slowed(usual.forward_queue_duration()))
            .mesh_n(self.mesh)
            .mesh_n_low(self.mesh_low)
            .mesh_n_high(self.mesh_high)
            .mesh_outbound_min((self.mesh / 2).min(self.mesh_low.saturating_sub(1)).min(2))
            .flood_publish(self.flood_publish)
            .idontwant_message_size_threshold(self.idontwant_bytes)
            .gossip_lazy(if self.lazy { usual.gossip_lazy() } else { 0 })
            .gossip_factor(if self.lazy { usual.gossip_factor() } else { 0.0 })
            .connection_handler_queue_len(self.peer_queue)
            .build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_accepted_and_close_the_traps() {
        let config = GossipConfig::default().build(1 << 20, 1).unwrap();
        assert!(config.validate_messages());
        assert!(config.max_transmit_size() >= (1 << 20) + 8 * 1024);
        assert!(config.max_control_message_size() >= 5_000 * 22);
        assert!(config.heartbeat_initial_delay() < Duration::from_secs(1));
        assert!(matches!(config.validation_mode(), ValidationMode::Anonymous));
    }

    #[test]
    fn small_meshes_are_accepted() {
        for mesh in 1..=4 {
            let config =
                GossipConfig { mesh, mesh_low: mesh, mesh_high: mesh, ..GossipConfig::default() };
            assert!(config.build(1_000, 1).is_ok(), "mesh {mesh}");
        }
    }

    #[test]
    fn a_low_mark_above_the_mesh_is_refused() {
        let config = GossipConfig { mesh: 4, mesh_low: 5, ..GossipConfig::default() };
        assert!(config.build(1_000, 1).is_err());
    }

    #[test]
    fn dilation_slows_every_clock_and_nothing_else() {
        let usual = GossipConfig::default().build(1_000, 1).unwrap();
        let slow = GossipConfig::default().build(1_000, 5).unwrap();
        let clocks = |config: &Config| {
            [
                config.heartbeat_initial_delay(),
                config.heartbeat_interval(),
                config.fanout_ttl(),
                config.duplicate_cache_time(),
                config.prune_backoff(),
                config.unsubscribe_backoff(),
                config.graft_flood_threshold(),
                config.iwant_followup_time(),
                config.publish_queue_duration(),
                config.forward_queue_duration(),
            ]
        };
        assert_eq!(clocks(&slow), clocks(&usual).map(|time| time * 5));
        assert_eq!(slow.history_length(), usual.history_length());
        assert_eq!(slow.mesh_n(), usual.mesh_n());
    }
}
