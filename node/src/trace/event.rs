//! What a node writes down: the events of `events.jsonl`, schema 1.
//!
//! One JSON object a line. Fields are only ever added within a schema number; a reader skips the
//! fields and events that it does not know. Times are microseconds, sizes are bytes, ids are
//! lower-case hex, peers are libp2p peer ids in base58.

use serde::{Deserialize, Serialize};

pub use super::words::{
    Kind, MemberCause, MemberChange, MemberState, Origin, PeerState, VerdictName, Via,
};

/// The version of the fields below, carried by each [`Event::Start`].
pub const SCHEMA: u32 = 1;

/// One line of the log. All its times are undilated, and of a clock without skew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Wall clock: RFC 3339, UTC, six decimals.
    pub t: String,
    /// Microseconds since this process started its clock; never steps back.
    pub mono_us: u64,
    /// The name of the node that writes.
    pub node: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// One thing that happened at a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// First line of every run of the process.
    Start {
        /// [`SCHEMA`].
        schema: u32,
        /// This node's peer id: what other nodes' `from` and `peer` name.
        peer: String,
        /// The genesis id.
        genesis: String,
        /// The version of the program.
        version: String,
        /// How many times slower than real time the network runs; every time in the log is told as
        /// if it were not.
        #[serde(default = "undilated")]
        dilation: u32,
    },
    /// Last line of a run that ended in order.
    Stop {
        /// Why it ended.
        reason: String,
    },
    /// This node introduces a message to the network.
    Published {
        /// What it is.
        kind: Kind,
        /// The transaction's or the block's id.
        id: String,
        /// Its encoded size.
        bytes: u64,
        /// Where this node has it from.
        origin: Origin,
    },
    /// The first copy arrived: of a transaction possibly within a block, once that is whole and if
    /// nothing was heard of it before. Blocks whose slots are over for a minute do not count so.
    Received {
        /// What it is.
        kind: Kind,
        /// The transaction's or the block's id.
        id: String,
        /// The peer that sent the copy.
        from: String,
        /// The path it came by.
        via: Via,
        /// The size of the copy.
        bytes: u64,
        /// The gossip message that carried it: 20 bytes in hex; absent off gossip.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// A later copy arrived.
    Duplicate {
        /// What it is.
        kind: Kind,
        /// The transaction's or the block's id.
        id: String,
        /// The peer that sent the copy.
        from: String,
        /// The path it came by.
        via: Via,
        /// The size of the copy.
        bytes: u64,
        /// Which copy it is at this node: 2 for the first one after the one that was received. At
        /// the origin, whose own copy is the first, likewise.
        copy: u32,
    },
    /// A message was judged.
    Verdict {
        /// What it is.
        kind: Kind,
        /// The transaction's or the block's id.
        id: String,
        /// The answer.
        verdict: VerdictName,
        /// Why, for anything but `accept`: a stable word.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// From arrival at the socket side to the moment the engine took it up.
        queue_us: u64,
        /// From there to the verdict, signature checks included.
        check_us: u64,
    },
    /// A transaction entered the pool.
    Pooled {
        /// Always [`Kind::Tx`].
        kind: Kind,
        /// The transaction's id.
        id: String,
        /// Whether its nonce run is complete.
        ready: bool,
    },
    /// A transaction left the pool without a block.
    Evicted {
        /// Always [`Kind::Tx`].
        kind: Kind,
        /// The transaction's id.
        id: String,
        /// Why: a stable word.
        reason: String,
    },
    /// A transaction's block became part of this node's chain.
    Included {
        /// Always [`Kind::Tx`].
        kind: Kind,
        /// The transaction's id.
        id: String,
        /// The block's id.
        block: String,
        /// The block's height.
        height: u64,
    },
    /// This node has a new tip.
    Tip {
        /// Always [`Kind::Block`].
        kind: Kind,
        /// The new tip.
        id: String,
        /// The new tip's height.
        height: u64,
        /// The tip before it.
        previous: String,
        /// The height of the tip before it.
        #[serde(default)]
        previous_height: u64,
        /// Blocks undone to get there; 0 when the chain only grew.
        depth: u64,
        /// Blocks applied to get there, this one included.
        #[serde(default)]
        applied: u64,
        /// Transactions in the new tip.
        transactions: u64,
        /// From the moment the engine was given what made it the tip to the moment it had answered:
        /// the ledger's rules, the store's commit and the pool.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        store_us: Option<u64>,
    },
    /// This node has stored a block for the first time, on the main chain or beside it. Blocks whose
    /// slots are over for a minute are not written down: a node that catches up would write much.
    Block {
        /// Always [`Kind::Block`].
        kind: Kind,
        /// The block's id.
        id: String,
        /// The block's height.
        height: u64,
        /// The slot it was made in.
        slot: u64,
        /// The block it stands on.
        parent: String,
        /// The key it was made with.
        proposer: String,
        /// Its transactions.
        transactions: u64,
        /// Its encoded size.
        bytes: u64,
        /// As with [`Event::Tip`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        store_us: Option<u64>,
    },
    /// A block that came compact is whole.
    Rebuilt {
        /// Always [`Kind::Block`].
        kind: Kind,
        /// The block's id.
        id: String,
        /// Its transactions that were in the pool.
        from_pool: u64,
        /// Those that the message carried.
        carried: u64,
        /// Those that were asked for, or came with all of the block.
        fetched: u64,
        /// The size of the message.
        compact_bytes: u64,
        /// The encoded size of the block.
        full_bytes: u64,
        /// From the moment the engine took the message up to that when nothing was missing.
        took_us: u64,
    },
    /// A block that came compact could not be completed: it is waited for no longer, and comes with
    /// its branch, or whole.
    GivenUp {
        /// Always [`Kind::Block`].
        kind: Kind,
        /// The block's id.
        id: String,
        /// Why: `late` if nobody gave what is missing in time, `room` if others took its place.
        reason: String,
        /// Its transactions.
        transactions: u64,
        /// Those that are not here.
        missing: u64,
        /// From the moment the engine took the message up.
        took_us: u64,
    },
    /// An authority signed for a block that never holds, or named transactions that are not in it.
    BadBody {
        /// Always [`Kind::Block`].
        kind: Kind,
        /// The block's id.
        id: String,
        /// The key it was made with.
        proposer: String,
        /// What is wrong with it: a stable word.
        reason: String,
    },
    /// A block became final.
    Final {
        /// Always [`Kind::Block`].
        kind: Kind,
        /// The block's id.
        id: String,
        /// The block's height.
        height: u64,
    },
    /// An authority made two blocks in one slot.
    Equivocation {
        /// The slot.
        slot: u64,
        /// The authority's key.
        proposer: String,
        /// The block with the smaller id.
        first: String,
        /// The other one.
        second: String,
    },
    /// How far catching up has come; written about every second while it lasts.
    Sync {
        /// The best height that a peer claims.
        target: u64,
        /// The height up to which headers are known and checked.
        headers: u64,
        /// The height up to which blocks are stored.
        height: u64,
        /// Blocks stored a second, over the last few seconds.
        per_second: u64,
    },
    /// A peer was disconnected for what it did, and is kept away.
    Penalised {
        /// The peer.
        peer: String,
        /// What it did last: a stable word.
        reason: String,
        /// How long it is kept away, in seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lasts_s: Option<u64>,
    },
    /// A message is known to be with every neighbour, or nothing more is done to make it so. Only
    /// where neighbours acknowledge what they have.
    Settled {
        /// What it is.
        kind: Kind,
        /// The transaction's or the block's id.
        id: String,
        /// Neighbours that sent, announced or acknowledged it.
        known: u32,
        /// Neighbours that refused it.
        refused: u32,
        /// Neighbours that nothing was heard of; with any, the budget is spent.
        unsure: u32,
        /// How often this node pushed it.
        pushed: u32,
        /// How often this node announced it.
        announced: u32,
    },
    /// This node compared its pool with a peer's, and each was handed what it lacks.
    Reconciled {
        /// The peer.
        peer: String,
        /// How it was chosen: `random`, `round-robin` or `weighted`.
        strategy: String,
        /// How many transactions the peer compared.
        size: u64,
        /// How many of them were not here.
        theirs: u64,
        /// How many that are here were not there.
        ours: u64,
        /// Symbols that it took to tell.
        symbols: u64,
        /// Bytes of questions, symbols and names, both ways. The transactions are not counted.
        bytes: u64,
        /// From the first question to the end of the exchange.
        took_us: u64,
        /// Transactions that the peer gave. The others of `theirs` came by gossip meanwhile, were
        /// about to, are gone, or were refused here before.
        gained: u64,
        /// Transactions that it was offered.
        given: u64,
    },
    /// A neighbour changed.
    Peer {
        /// The neighbour.
        peer: String,
        /// What it came to.
        state: PeerState,
        /// The measured round trip, with [`PeerState::Measured`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rtt_us: Option<u64>,
    },
    /// Something changed about a member of the network, as far as this node knows.
    Member {
        /// The member; this node itself if it came back after the others held it to be down.
        peer: String,
        /// The name it goes by; empty if it has none.
        name: String,
        /// What changed.
        change: MemberChange,
        /// What the list says of it after that.
        state: MemberState,
        /// Why it is held to be down, with [`MemberState::Down`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<MemberCause>,
        /// With [`MemberChange::Renewed`]: whether it had been held to be down and was not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mistaken: Option<bool>,
        /// Milliseconds since the Unix epoch at its start, rounded down to a multiple of 256, and one
        /// more for each time that it came back after it was held to be down.
        generation: u64,
        /// Rises by 65,536 with each such return, and by one with each suspicion that it refuted.
        incarnation: u32,
    },
    /// In the lab, once a second: how late something that was due at a moment came to run, over the
    /// samples since the last such line. The nodes of one process share the samples.
    Lag {
        /// Half of the samples were later.
        p50_us: u64,
        /// One of a hundred samples was later.
        p99_us: u64,
        /// The latest.
        max_us: u64,
        /// How many there were.
        samples: u64,
    },
    /// Bytes on this node's sockets since its process started, encryption and framing included.
    Wire {
        /// Bytes written.
        sent: u64,
        /// Bytes read.
        received: u64,
        /// Bytes of the membership protocol's frames among those written, of this node's own and
        /// carried on for others; up to a second old, and absent when it takes no part.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        members_sent: Option<u64>,
        /// The same among those read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        members_received: Option<u64>,
    },
}

/// What a start line without the field means.
fn undilated() -> u32 {
    1
}
