//! What a node tells about itself: the values that the RPC carries, the CLI prints and the lab
//! reads. Plain data; the engine fills it in. Ids and keys are hex, addresses bech32, amounts and
//! fees in units, sizes in bytes.

mod export;
mod member;
mod peer;
mod pool;
mod scores;
mod taker;

use hearsay_chain::keys::PublicKey;
use hearsay_chain::{Address, BlockId, GenesisId, TxId, UnverifiedTx};
use hearsay_network::PeerId;
use serde::{Deserialize, Serialize};

pub use self::export::{ExportPage, ExportedTx, WaitingTx};
pub(crate) use self::member::mistaken;
pub use self::member::{
    MemberInfo, MemberLoad, MemberNews, MemberRefusals, MemberRole, MemberSlot, MemberStats,
    MemberTraffic, sort_members,
};
pub use self::peer::{PeerInfo, PeerRoute};
pub use self::pool::{
    BlockFee, DropReason, FeeBand, FeeEstimate, Gap, MAX_ESTIMATE_BLOCKS, MAX_LISTED,
    MempoolStatus, PoolFees, PoolSender, PoolState, PooledTx, SenderFilter, SenderOrder,
    TestResult, TestVerdict, TxFilter, TxOrder,
};
pub use self::scores::{BanView, ScoreView};
pub use self::taker::Taker;

/// The node as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// Its name in logs.
    pub name: String,
    /// Its libp2p peer id.
    pub peer: String,
    /// The version of the program.
    pub version: String,
    /// The network's name.
    pub network: String,
    /// The network's id.
    pub genesis: GenesisId,
    /// Addresses it listens on for peers.
    pub listen: Vec<String>,
    /// The key it proposes with, if it is an authority.
    pub authority: Option<PublicKey>,
    /// Milliseconds since the process started.
    pub uptime_ms: u64,
    /// The slot that it is now.
    pub slot: u64,
    /// The length of a slot in milliseconds.
    pub slot_ms: u64,
    /// The tip.
    pub tip: BlockId,
    /// The tip's height.
    pub height: u64,
    /// The height of the last final block.
    pub final_height: u64,
    /// The lowest height whose transactions are kept; 1 unless this node was told to keep fewer.
    pub first_body: u64,
    /// Connected peers.
    pub peers: u64,
    /// The pool.
    pub mempool: MempoolStatus,
    /// Catching up, if it is behind.
    pub sync: Option<SyncStatus>,
    /// Messages judged since the process started.
    pub verdicts: VerdictCounts,
    /// In the lab: how late things came to run in the last second, in microseconds; of a hundred
    /// samples one was later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_p99_us: Option<u64>,
}

/// How far catching up has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SyncStatus {
    /// The best height that a peer has told of; once all headers are known, that of the last one.
    pub target: u64,
    /// The height up to which headers are known and checked.
    #[serde(default)]
    pub headers: u64,
    /// The height up to which blocks are stored.
    #[serde(default)]
    pub height: u64,
    /// Blocks stored a second, over the last few seconds.
    #[serde(default)]
    pub per_second: f64,
    /// Seconds left at that rate; none while it is unknown.
    #[serde(default)]
    pub left_s: Option<f64>,
    /// The peer that gives the headers.
    pub peer: Option<String>,
}

/// Messages judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictCounts {
    /// Relayed.
    pub accept: u64,
    /// Dropped without blame.
    pub ignore: u64,
    /// Dropped, and the sender blamed.
    pub reject: u64,
}

/// An account at the tip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// Its address.
    pub address: Address,
    /// What it holds.
    pub balance: u64,
    /// The nonce its next transaction must have on the chain.
    pub nonce: u64,
    /// The nonce its next transaction should have, counting those ready in the pool.
    pub next_nonce: u64,
    /// The height that this is true at.
    pub height: u64,
}

/// A transaction as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TxView {
    /// Its id.
    pub id: TxId,
    /// Who pays.
    pub sender: Address,
    /// Its place among the sender's transactions.
    pub nonce: u64,
    /// Who is paid.
    pub recipient: Address,
    /// What the recipient gets.
    pub amount: u64,
    /// What the proposer gets.
    pub fee: u64,
    /// The last height at which it is valid.
    pub expiry: Option<u64>,
    /// The payload in hex.
    pub payload: String,
    /// Its encoded size.
    pub size: u64,
}

/// A block as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockView {
    /// Its id.
    pub id: BlockId,
    /// Its height.
    pub height: u64,
    /// The slot it was made in.
    pub slot: u64,
    /// When that slot began: milliseconds since the Unix epoch.
    pub slot_start_ms: u64,
    /// The block it stands on.
    pub parent: BlockId,
    /// Who made it.
    pub proposer: PublicKey,
    /// The Merkle root over its transactions, in hex.
    pub tx_root: String,
    /// Its encoded size; of a pruned block the header's alone.
    pub size: u64,
    /// Whether this node has forgotten its transactions, and keeps its header alone.
    pub pruned: bool,
    /// Whether it is on the main chain.
    pub main: bool,
    /// Whether it is final.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// Its transactions, in order.
    pub transactions: Vec<TxView>,
}

/// A snapshot of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotView {
    /// Its directory, at the node.
    pub path: String,
    /// The sizes of its files, in bytes. It shares most of them with the store.
    pub bytes: u64,
    /// How many files it has.
    pub files: u64,
}

/// A proof that an authority made two blocks in one slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceView {
    /// The slot.
    pub slot: u64,
    /// The authority.
    pub proposer: PublicKey,
    /// The block with the smaller id.
    pub first: BlockId,
    /// The other one.
    pub second: BlockId,
    /// The first block's signed header, in hex of its borsh encoding.
    pub first_header: String,
    /// The second block's.
    pub second_header: String,
}

/// The most proofs in one answer.
pub const MAX_EVIDENCE: u32 = 256;

/// Which block is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockRef {
    /// By its id, on the main chain or beside it.
    Id(BlockId),
    /// By its height on the main chain.
    Height(u64),
    /// The tip.
    Latest,
}

/// Where a transaction is in its life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum TxStatus {
    /// Neither in the pool nor in the chain, and not known to have been dropped.
    Unknown,
    /// In the pool, handed in here, and no peer is known to have it yet.
    Unbroadcast {
        /// The nonce that is missing, if it is behind a gap too.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waiting_for: Option<u64>,
    },
    /// In the pool, behind a gap.
    Queued {
        /// The nonce that is missing.
        waiting_for: u64,
    },
    /// In the pool, but the balance does not last as far as this.
    Unfunded {
        /// The first nonce that cannot be paid.
        nonce: u64,
    },
    /// In the pool, fit for the next block.
    Ready,
    /// In a block of the main chain.
    Included {
        /// The block.
        block: BlockId,
        /// Its height.
        height: u64,
        /// Blocks on top of it.
        confirmations: u64,
    },
    /// In a final block.
    Final {
        /// The block.
        block: BlockId,
        /// Its height.
        height: u64,
        /// Blocks on top of it.
        confirmations: u64,
    },
    /// It was in the pool and left it without a block, since this process started. It may be handed
    /// in again.
    Dropped {
        /// Why.
        reason: DropReason,
        /// The one that it had to leave for, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<TxId>,
    },
}

/// A submission that the pool took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    /// The transaction's id.
    pub id: TxId,
    /// Whether it waits behind a gap.
    pub queued: bool,
    /// Whether it was there already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub known: bool,
    /// The member that took it, if it was handed on: its name, or its peer id if it has none. Whether
    /// it waits behind a gap there is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_by: Option<String>,
}

/// A submission that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// Whether it can never be valid; otherwise it may be taken at another time or place.
    pub invalid: bool,
    /// A stable word, the same as in logs and counters.
    pub reason: String,
    /// A sentence.
    pub message: String,
}

/// What may be asked of the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// [`Answer::Status`].
    Status,
    /// [`Answer::Mempool`].
    Mempool,
    /// [`Answer::Senders`].
    Senders(SenderFilter),
    /// [`Answer::Transactions`].
    Transactions(Box<TxFilter>),
    /// [`Answer::Export`].
    Export,
    /// [`Answer::Fees`].
    Fees,
    /// [`Answer::Estimate`].
    Estimate {
        /// The size of a transaction, in bytes.
        bytes: u64,
        /// For how many blocks; [`MAX_ESTIMATE_BLOCKS`] at most.
        blocks: u32,
    },
    /// [`Answer::Test`], once its signature was checked.
    Test(UnverifiedTx),
    /// [`Answer::Account`].
    Account(Address),
    /// [`Answer::Block`].
    Block(BlockRef),
    /// [`Answer::Tx`].
    Tx(TxId),
    /// [`Answer::Scores`].
    Scores,
    /// Keep a peer away. [`Answer::Done`].
    Ban {
        /// Whom.
        peer: PeerId,
        /// How long.
        seconds: u64,
    },
    /// Let a peer come back, and forget what it did. [`Answer::Done`]: whether there was anything.
    Unban {
        /// Whom.
        peer: PeerId,
    },
    /// [`Answer::Evidence`].
    Evidence {
        /// From this slot on.
        from_slot: u64,
        /// The most proofs wanted; [`MAX_EVIDENCE`] at most are given.
        max: u32,
    },
}

/// What the engine answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// To [`Query::Status`]; the shell adds what only it knows (name, addresses, uptime).
    Status(Box<NodeStatus>),
    /// To [`Query::Scores`].
    Scores(Vec<ScoreView>),
    /// To a query that changes something: whether it did.
    Done(bool),
    /// To [`Query::Mempool`].
    Mempool(MempoolStatus),
    /// To [`Query::Senders`].
    Senders(Vec<PoolSender>),
    /// To [`Query::Transactions`].
    Transactions(Vec<PooledTx>),
    /// To [`Query::Export`]: the network, and all that waits, in no particular order.
    Export(GenesisId, Vec<WaitingTx>),
    /// To [`Query::Fees`].
    Fees(PoolFees),
    /// To [`Query::Estimate`].
    Estimate(FeeEstimate),
    /// To [`Query::Test`].
    Test(TestResult),
    /// To [`Query::Account`].
    Account(AccountView),
    /// To [`Query::Block`]; none if there is no such block.
    Block(Option<Box<BlockView>>),
    /// To [`Query::Tx`].
    Tx(TxStatus),
    /// To [`Query::Tx`] as well: it is not known, and not all is back that waited before the restart.
    Restoring,
    /// To [`Query::Evidence`]; earliest first.
    Evidence(Vec<EvidenceView>),
}
