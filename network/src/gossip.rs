//! How gossipsub is set up. Each setting answers a trap of its defaults; the tests beside the
//! workspace's `tests` crate show each trap closed.

use std::time::Duration;

use libp2p::gossipsub::{Config, ConfigBuilder, ConfigBuilderError, ValidationMode};

use crate::topic::message_id;

/// What may be set of gossip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GossipConfig {
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
const FRAME_SLACK: usize = 64 * 1024;

/// An announcement carries up to 5,000 ids of 20 bytes, 22 with their framing. The default limit of
/// 16 KiB would refuse it, and after five refusals a peer stops listening.
const CONTROL_BYTES: usize = 128 * 1024;

/// A heartbeat soon after the start; the default of 5 s leaves a fresh network without a mesh.
const FIRST_HEARTBEAT: Duration = Duration::from_millis(200);

/// Ids are remembered this long. Whatever is replayed later is answered by pool and chain.
const SEEN: Duration = Duration::from_secs(120);

impl GossipConfig {
    /// Gossipsub's configuration for messages of `largest` bytes at most.
    ///
    /// # Errors
    /// Mesh sizes that contradict each other.
    pub(crate) fn build(&self, largest: usize) -> Result<Config, ConfigBuilderError> {
        // Gossipsub's builder accepts marks out of order, and its mesh then never comes to rest.
        if self.mesh_low > self.mesh || self.mesh > self.mesh_high {
            return Err(ConfigBuilderError::MeshParametersInvalid);
        }
        ConfigBuilder::default()
            // The author is in the payload; gossip knows none, so nothing is signed twice.
            .validation_mode(ValidationMode::Anonymous)
            // Nothing is forwarded before the engine has said Accept.
            .validate_messages()
            .message_id_fn(|message| message_id(message.topic.as_str(), &message.data).into())
            .max_transmit_size(largest + FRAME_SLACK)
            .max_control_message_size(CONTROL_BYTES)
            // Messages stay at hand for six heartbeats, so that a verdict which took long still
            // finds them, and are announced for three.
            .history_length(6)
            .history_gossip(3)
            .duplicate_cache_time(SEEN)
            .heartbeat_initial_delay(FIRST_HEARTBEAT)
            .heartbeat_interval(self.heartbeat)
            .mesh_n(self.mesh)
            .mesh_n_low(self.mesh_low)
            .mesh_n_high(self.mesh_high)
            .mesh_outbound_min((self.mesh / 2).min(self.mesh_low.saturating_sub(1)).min(2))
            .flood_publish(self.flood_publish)
            .connection_handler_queue_len(self.peer_queue)
            .build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_accepted_and_close_the_traps() {
        let config = GossipConfig::default().build(1 << 20).unwrap();
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
            assert!(config.build(1_000).is_ok(), "mesh {mesh}");
        }
    }

    #[test]
    fn a_low_mark_above_the_mesh_is_refused() {
        let config = GossipConfig { mesh: 4, mesh_low: 5, ..GossipConfig::default() };
        assert!(config.build(1_000).is_err());
    }
}
