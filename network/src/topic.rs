//! What is gossiped: one topic for transactions, one for blocks, each of one network.

use borsh::{BorshDeserialize, BorshSerialize};
use hearsay_chain::hash::tagged;
use hearsay_chain::{GenesisId, UnverifiedBlock, UnverifiedTx};
use libp2p::gossipsub::{IdentTopic, TopicHash};

/// What a gossip message carries.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub enum Topic {
    /// One transaction, encoded.
    Tx,
    /// One block, encoded.
    Block,
}

impl Topic {
    /// The id of what a message carries: the transaction's or the block's. A message that is too
    /// short to be a block goes by the hash of its bytes, so that its copies can still be counted.
    #[must_use]
    pub fn content_id(self, data: &[u8]) -> [u8; 32] {
        match self {
            Topic::Tx => UnverifiedTx::id_of(data).0,
            Topic::Block => UnverifiedBlock::id_of(data)
                .map_or_else(|| tagged("hearsay/garbage/1", &[data]), |id| id.0),
        }
    }
}

/// The topics of one network. The genesis id is part of their names, so that nodes of two networks
/// never share a mesh.
#[derive(Clone, Debug)]
pub struct Topics {
    tx: IdentTopic,
    block: IdentTopic,
}

impl Topics {
    /// The topics of a network.
    #[must_use]
    pub fn new(genesis: GenesisId) -> Self {
        Self {
            tx: IdentTopic::new(format!("/hearsay/{genesis}/tx/1")),
            block: IdentTopic::new(format!("/hearsay/{genesis}/block/1")),
        }
    }

    /// As gossipsub names it.
    #[must_use]
    pub fn ident(&self, topic: Topic) -> &IdentTopic {
        match topic {
            Topic::Tx => &self.tx,
            Topic::Block => &self.block,
        }
    }

    /// Which topic a hash stands for; none if it is not one of ours.
    #[must_use]
    pub fn of(&self, hash: &TopicHash) -> Option<Topic> {
        [Topic::Tx, Topic::Block].into_iter().find(|topic| self.ident(*topic).hash() == *hash)
    }
}

/// The id of a gossip message: the first 20 bytes of SHA-256 over domain, topic and data.
///
/// Gossipsub's own default is source and sequence number: one transaction that two nodes send would
/// then be two messages, and flood twice.
#[must_use]
pub fn message_id(topic: &str, data: &[u8]) -> [u8; 20] {
    let hash = tagged("hearsay/gossip/1", &[topic.as_bytes(), &[0], data]);
    let mut id = [0; 20];
    id.copy_from_slice(&hash[..20]);
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_on_two_topics_are_two_messages() {
        assert_ne!(message_id("a", b"x"), message_id("b", b"x"));
        assert_eq!(message_id("a", b"x"), message_id("a", b"x"));
    }

    #[test]
    fn networks_do_not_share_topics() {
        let (one, two) = (Topics::new(GenesisId([1; 32])), Topics::new(GenesisId([2; 32])));
        assert_eq!(one.of(&two.ident(Topic::Tx).hash()), None);
        assert_eq!(one.of(&one.ident(Topic::Block).hash()), Some(Topic::Block));
    }
}
