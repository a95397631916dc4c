//! The words that events are made of.

use std::fmt;

use hearsay_network::Topic;
use hearsay_network::members::{Cause, Change, State};
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

impl From<Kind> for Topic {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Tx => Topic::Tx,
            Kind::Block => Topic::Block,
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

/// What changed about a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberChange {
    /// It is on the list for the first time.
    Joined,
    /// It is suspected.
    Suspected,
    /// It refuted a suspicion.
    Refuted,
    /// It is held to be down.
    Down,
    /// It has a new generation: it restarted, or came back.
    Renewed,
    /// It says something else of itself: neighbours, addresses, name or version.
    Updated,
    /// It was down for so long that it is taken off the list.
    Forgotten,
}

impl From<Change> for MemberChange {
    fn from(change: Change) -> Self {
        match change {
            Change::Joined => Self::Joined,
            Change::Suspected => Self::Suspected,
            Change::Refuted => Self::Refuted,
            Change::Down(_) => Self::Down,
            Change::Renewed { .. } => Self::Renewed,
            Change::Updated => Self::Updated,
            Change::Forgotten => Self::Forgotten,
        }
    }
}

/// Whether a member is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberState {
    /// As far as anybody knows.
    Alive,
    /// Somebody doubts it; it still counts as there.
    Suspect,
    /// No longer.
    Down,
}

impl MemberState {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Suspect => "suspect",
            Self::Down => "down",
        }
    }
}

impl From<State> for MemberState {
    fn from(state: State) -> Self {
        match state {
            State::Alive => Self::Alive,
            State::Suspect => Self::Suspect,
            State::Down(_) => Self::Down,
        }
    }
}

/// Why a member is held to be down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberCause {
    /// Probes went unanswered.
    Probe,
    /// A connection to it broke, and it did not answer by another way.
    Link,
    /// It said goodbye.
    Left,
}

impl MemberCause {
    /// Why a member in this state is down, if it is.
    #[must_use]
    pub fn of(state: State) -> Option<Self> {
        match state {
            State::Alive | State::Suspect => None,
            State::Down(Cause::Probe) => Some(Self::Probe),
            State::Down(Cause::Link) => Some(Self::Link),
            State::Down(Cause::Left) => Some(Self::Left),
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Probe => "probe",
            Self::Link => "link",
            Self::Left => "left",
        }
    }
}
