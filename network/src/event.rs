//! What goes into the swarm and what comes out of it.

use std::time::{Duration, Instant};

use hearsay_chain::Verdict;
use libp2p::request_response::ResponseChannel;
use libp2p::{Multiaddr, PeerId};
use tokio::sync::oneshot;

use crate::members::slots::Kind;
use crate::members::{Load, MemberView, News, Stats};
use crate::topic::Topic;
use crate::wire::{Request, Response};

/// The way by which a message came, and on which its verdict goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Route {
    /// Gossipsub. What it carries on the topic of transactions is a [`crate::bundle`].
    Gossipsub,
    /// A stream of [`crate::push`]. What it carries on the topic of transactions is one of them.
    Push,
}

/// A gossiped message that is owed a verdict: exactly one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The message.
    pub message: [u8; 20],
    /// The peer whose copy came first.
    pub from: PeerId,
    /// How it came.
    pub route: Route,
}

/// What made a peer send a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Traffic {
    /// It came unasked.
    Eager,
    /// It was announced, and asked for.
    Lazy,
}

/// Names a request that this node made, chosen by whoever made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// The way back for a peer's request. Dropping it lets the request fail at the peer's side.
#[derive(Debug)]
pub struct Responder(pub(crate) ResponseChannel<Response>);

/// What the swarm is told to do.
#[derive(Debug)]
pub enum Command {
    /// Gossip a message of this node's own.
    Publish {
        /// On which topic.
        topic: Topic,
        /// One encoded transaction, or a block as [`crate::compact::BlockMessage`] has it.
        data: Vec<u8>,
        /// Whether most nodes are likely to have it: it came by repair. Then it is announced, where
        /// that is known, and not pushed.
        known: bool,
    },
    /// Answer for a gossiped message. [`Verdict::Accept`] is what forwards it.
    Judge {
        /// Which one.
        ticket: Ticket,
        /// What it carries.
        topic: Topic,
        /// The answer.
        verdict: Verdict,
    },
    /// Ask a peer. Exactly one [`NetEvent::Response`] follows.
    Ask {
        /// Whom.
        peer: PeerId,
        /// The asker's name for it.
        id: RequestId,
        /// What.
        request: Request,
    },
    /// Disconnect a peer, and let it back only after a while.
    Ban {
        /// Whom.
        peer: PeerId,
        /// How long, in undilated time.
        lasts: Duration,
    },
    /// Let a peer connect again.
    Unban {
        /// Whom.
        peer: PeerId,
    },
    /// Answer a peer's request.
    Respond {
        /// Which one.
        responder: Responder,
        /// The answer.
        response: Response,
    },
    /// Describe the connected peers.
    Peers {
        /// The way back.
        reply: oneshot::Sender<Vec<PeerView>>,
    },
    /// Measure the way to a connected peer. Only nodes whose links are shaped know how; between
    /// others it fails.
    Probe {
        /// Whom.
        peer: PeerId,
        /// How many small round trips to time, one after another.
        rounds: u32,
        /// How many bytes to send after them to measure the rate; none if 0.
        bytes: u64,
        /// The way back.
        reply: oneshot::Sender<Result<Probed, String>>,
    },
    /// Describe the members.
    Members {
        /// The way back. Dropped without an answer by a node that takes no part.
        reply: oneshot::Sender<MemberList>,
    },
    /// Tell other members this node's load, from now on.
    Load(Load),
    /// Say goodbye to all members. [`Command::Stop`] follows.
    Leave,
    /// Close every connection and end.
    Stop,
}

impl Command {
    /// Whether it goes before others that wait: blocks and what they lack are few, and everybody
    /// waits for them.
    pub(crate) fn is_urgent(&self) -> bool {
        match self {
            Self::Publish { topic, .. } | Self::Judge { topic, .. } => *topic == Topic::Block,
            Self::Ask { .. } | Self::Respond { .. } => true,
            _ => false,
        }
    }
}

/// What [`Command::Probe`] measured, in undilated time.
#[derive(Clone, Debug, PartialEq)]
pub struct Probed {
    /// Each round trip, in microseconds.
    pub rtt_us: Vec<u64>,
    /// Bytes a second, if any were sent.
    pub bytes_per_s: Option<f64>,
}

/// The members as this node knows them.
#[derive(Clone, Debug)]
pub struct MemberList {
    /// All of them, this node among them.
    pub members: Vec<MemberView>,
    /// What happened so far.
    pub stats: Stats,
    /// The time on the clock of [`MemberView::since`].
    pub now: Duration,
    /// What connections are for.
    pub slots: Vec<(PeerId, Kind)>,
}

/// A copy of a gossiped message, the first or a later one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyNote {
    /// What it carries.
    pub topic: Topic,
    /// The transaction's or block's id.
    pub id: [u8; 32],
    /// Who sent this copy.
    pub from: PeerId,
    /// Payload size in bytes.
    pub bytes: usize,
    /// The gossip message.
    pub message: [u8; 20],
    /// What made the peer send it.
    pub traffic: Traffic,
    /// Whether it is a compact block.
    pub compact: bool,
    /// When it was read.
    pub at: Instant,
}

/// Why a message of this node's own did not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishFailure {
    /// No peer listens to the topic yet.
    NoPeers,
    /// The queues to all peers are full.
    QueuesFull,
    /// It left, or came by, not long ago; gossip would not spread it again.
    Duplicate,
    /// Anything else; it would fail again.
    Refused,
}

/// What the swarm tells.
#[derive(Debug)]
pub enum NetEvent {
    /// A copy of a gossiped message came in.
    Copy(CopyNote),
    /// The first copy of a gossiped message, which is owed a verdict.
    Gossip {
        /// On which topic.
        topic: Topic,
        /// Its payload.
        data: Vec<u8>,
        /// What the verdict must name.
        ticket: Ticket,
        /// When it was read.
        at: Instant,
    },
    /// What became of [`Command::Publish`].
    Published {
        /// On which topic.
        topic: Topic,
        /// The id of the content.
        id: [u8; 32],
        /// Why it did not leave, if it did not.
        failure: Option<PublishFailure>,
    },
    /// A peer is known to have a message of this node's own.
    Taken {
        /// On which topic.
        topic: Topic,
        /// The id of the content.
        id: [u8; 32],
        /// Which peer.
        by: PeerId,
    },
    /// Every peer is known to have a message, or no more is done to make it so.
    Settled {
        /// On which topic.
        topic: Topic,
        /// The id of the content.
        id: [u8; 32],
        /// Peers that sent, announced or acknowledged it.
        known: u32,
        /// Peers that refused it.
        refused: u32,
        /// Peers that nothing was heard of: 0, unless its budget is spent.
        unsure: u32,
        /// How often this node pushed it.
        pushed: u32,
        /// How often this node announced it.
        announced: u32,
    },
    /// A peer did what nobody does by mistake.
    Offence {
        /// Which.
        peer: PeerId,
        /// What: a stable word.
        what: &'static str,
    },
    /// The first connection to a peer stands, and both are of one network.
    Joined(PeerId),
    /// A peer listens to one of our topics, so that what found no peer may be published again.
    Listening(PeerId),
    /// The last connection to a peer is gone.
    Left(PeerId),
    /// A peer of another network, or no Hearsay node at all, was turned away.
    Foreign {
        /// Which.
        peer: PeerId,
        /// What it said that it speaks.
        speaks: String,
    },
    /// Something changed about a member.
    Member(Box<News>),
    /// A round trip to a peer was measured.
    RoundTrip(PeerId, Duration),
    /// A peer asks.
    Request {
        /// Who.
        from: PeerId,
        /// What.
        request: Request,
        /// The way back.
        responder: Responder,
    },
    /// A peer answered, or did not: then there is a reason.
    Response {
        /// Who.
        from: PeerId,
        /// The asker's name for the request.
        id: RequestId,
        /// The answer.
        result: Result<Response, String>,
    },
    /// Something was dropped rather than let grow.
    Dropped {
        /// Where: a stable word.
        place: &'static str,
        /// How many.
        count: u64,
    },
}

impl NetEvent {
    /// Whether it goes before others that wait. What says who is there does not, as its order matters;
    /// nor do answers: one about the pool is to find there what came before it.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        match self {
            Self::Copy(CopyNote { topic, .. }) | Self::Gossip { topic, .. } => {
                *topic == Topic::Block
            }
            _ => false,
        }
    }
}

/// A connected peer as the swarm sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct PeerView {
    /// Its id.
    pub peer: PeerId,
    /// The address of the oldest connection.
    pub address: Multiaddr,
    /// Whether this node dialled that connection.
    pub outbound: bool,
    /// The last measured round trip.
    pub rtt: Option<Duration>,
    /// Its program, as it says itself.
    pub agent: Option<String>,
    /// The way by which messages go to it.
    pub route: Route,
    /// Whether it is in the mesh for transactions: gossipsub's.
    pub mesh_tx: bool,
    /// Whether it is in the mesh for blocks: gossipsub's.
    pub mesh_block: bool,
    /// Messages of which it sent the first copy.
    pub first_copies: u64,
    /// Messages of which it sent a later copy.
    pub duplicates: u64,
    /// Gossip payload that it sent, in bytes.
    pub payload_bytes: u64,
    /// Copies that it sent unasked.
    pub eager: u64,
    /// Their payload, in bytes.
    pub eager_bytes: u64,
    /// Copies that it was asked for.
    pub lazy: u64,
    /// Their payload, in bytes.
    pub lazy_bytes: u64,
    /// What it sent over its streams beside payload, in bytes, since it is connected: frames of
    /// [`crate::push`] without their lengths. Gossipsub does not tell it.
    pub control_received: u64,
    /// What was sent to it beside payload; the same holds.
    pub control_sent: u64,
    /// Copies that were sent to it; the same holds.
    pub sent_copies: u64,
    /// Their payload, in bytes; the same holds.
    pub sent_bytes: u64,
}
