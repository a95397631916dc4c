//! The words that events are made of.

use std::fmt;

use hearsay_network::Topic;
use serde::{Deserialize, Serialize};

/// What a message carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A transaction.
    Tx,
    /// A block.
    Block,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Tx => "tx",
            Kind::Block => "block",
        })
    }
}

/// How a message came into being at the node that introduces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Handed in over the RPC.
    Rpc,
    /// Made by this node in its slot.
    Produced,
}

/// The path by which a copy came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// Pushed by a gossip peer.
    Gossip,
    /// Announced by a gossip peer, and asked for.
    Lazy,
    /// A block: as a header and names. A transaction: carried whole by such a block.
    Compact,
    /// Asked for by id or by its place in a block, or handed over by a peer that was told that it is
    /// not here.
    Fetch,
    /// Exchanged by set reconciliation.
    Reconcile,
    /// Part of catching up with the chain.
    Sync,
}

impl From<Topic> for Kind {
    fn from(topic: Topic) -> Self {
        match topic {
            Topic::Tx => Kind::Tx,
            Topic::Block => Kind::Block,
        }
    }
}

/// The answer of validation, as the network understands it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictName {
    /// Useful: relayed.
    Accept,
    /// Not useful and nobody's fault: dropped.
    Ignore,
    /// Never valid: dropped, and the sender is at fault.
    Reject,
}

/// The state that a neighbour has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeerState {
    /// The first connection to it stands.
    Connected,
    /// The last connection to it is gone.
    Disconnected,
    /// It speaks for another genesis and was turned away.
    Foreign,
    /// A round trip to it was measured.
    Measured,
}
