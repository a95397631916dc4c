//! What a node tells of its pool: figures, senders, fees, and single transactions with their states.

use hearsay_chain::{Address, TxId};
use hearsay_mempool::Departure;
use serde::{Deserialize, Serialize};

/// The pool of waiting transactions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MempoolStatus {
    /// Transactions in it.
    pub count: u64,
    /// Those that could go into a block now.
    pub ready: u64,
    /// Those that wait for an earlier nonce, or for money.
    pub queued: u64,
    /// The sum of their sizes, in bytes.
    pub bytes: u64,
    /// What they and the pool's indexes take in memory, in bytes.
    pub memory: u64,
    /// How many it may hold.
    pub max_count: u64,
    /// How much memory it may take, in bytes.
    pub max_memory: u64,
    /// Distinct senders.
    pub senders: u64,
    /// Those that were handed in here, and are never pushed out for it.
    #[serde(default)]
    pub local: u64,
    /// Those that were handed in here, and that no peer is known to have yet.
    #[serde(default)]
    pub unbroadcast: u64,
    /// What 1,000 bytes from elsewhere must pay now: it rises when others were pushed out.
    #[serde(default)]
    pub min_fee_per_kb: u64,
}

/// Why a transaction left the pool without a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DropReason {
    /// Another of its sender and nonce stands in a block.
    NonceUsed,
    /// Another of its sender and nonce pays more.
    Replaced,
    /// The pool was full, and others pay more.
    Evicted,
    /// The last height at which it was valid has passed.
    Expired,
    /// It waited longer than the pool keeps anything.
    TooOld,
    /// After a restart: it pays less than the pool takes now.
    FeeTooLow,
    /// After a restart: its sender cannot pay for it.
    Balance,
    /// After a restart: its nonce is further ahead than the pool takes now.
    NonceTooFar,
    /// After a restart: its sender has as much behind gaps as the pool takes now.
    QueuedLimit,
    /// After a restart: it is not valid, and never will be.
    Invalid,
}

impl DropReason {
    /// The pool's word for it; none if a block took it.
    #[must_use]
    pub const fn of(departure: Departure) -> Option<Self> {
        match departure {
            Departure::Included => None,
            Departure::NonceUsed => Some(Self::NonceUsed),
            Departure::Replaced => Some(Self::Replaced),
            Departure::Evicted => Some(Self::Evicted),
            Departure::Expired => Some(Self::Expired),
            Departure::TooOld => Some(Self::TooOld),
        }
    }

    /// The stable word that logs carry too.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NonceUsed => "nonce-used",
            Self::Replaced => "replaced",
            Self::Evicted => "evicted",
            Self::Expired => "expired",
            Self::TooOld => "too-old",
            Self::FeeTooLow => "fee-too-low",
            Self::Balance => "balance",
            Self::NonceTooFar => "nonce-too-far",
            Self::QueuedLimit => "queued-limit",
            Self::Invalid => "invalid",
        }
    }
}

/// What a node would say to a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestResult {
    /// The transaction's id.
    pub id: TxId,
    /// Whether the pool would take it.
    pub accepted: bool,
    /// Whether it could go into a block at once; otherwise it would be queued.
    pub ready: bool,
    /// The one of the same sender and nonce that it would replace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<TxId>,
    /// Those that would be pushed out for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evicts: Vec<TxId>,
    /// What gossip would be told of it, had a peer sent it: `accept`, `ignore` or `reject`. What is
    /// handed in here is taken for less while the pool's floor is raised.
    pub verdict: TestVerdict,
    /// Why not: the stable word that logs and counters carry too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why not: a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The least fee with which gossip takes it now, or what the reason against it asks for; none if
    /// that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_fee: Option<u64>,
}

/// A verdict as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestVerdict {
    /// It would be taken and relayed.
    Accept,
    /// It would be left alone, and nobody would be blamed.
    Ignore,
    /// It is never valid; whoever relays it is at fault.
    Reject,
}

/// What a transaction should pay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeEstimate {
    /// The transaction's size that this is for, in bytes.
    pub bytes: u64,
    /// What 1,000 bytes from elsewhere must pay now.
    pub floor_per_kb: u64,
    /// What these bytes must pay now to be relayed.
    pub least_fee: u64,
    /// What they should pay to be among the next so many blocks, as the pool stands.
    pub blocks: Vec<BlockFee>,
}

/// What a transaction should pay to be among the next blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockFee {
    /// How many blocks.
    pub blocks: u32,
    /// Units for each 1,000 bytes.
    pub per_kb: u64,
    /// Units for the size asked for.
    pub fee: u64,
}

/// The most blocks that fees are estimated for. The estimate walks over as many as that and half of
/// them, and a quarter, and so on.
pub const MAX_ESTIMATE_BLOCKS: u32 = 8;

/// The most senders or transactions in one answer.
pub const MAX_LISTED: u32 = 1_000;

/// Which transactions of the pool are meant, and in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TxFilter {
    /// Those of one sender.
    pub sender: Option<Address>,
    /// Those in one state.
    pub state: Option<PoolState>,
    /// Those that pay at least so many units for each 1,000 bytes.
    pub min_fee_per_kb: Option<u64>,
    /// Those that came at least so many milliseconds ago.
    pub older_than_ms: Option<u64>,
    /// What comes first.
    pub order: TxOrder,
    /// How many, at most [`MAX_LISTED`]; none: as many.
    pub limit: Option<u32>,
}

/// How transactions are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum TxOrder {
    /// The highest fee per byte first.
    #[default]
    Fee,
    /// The oldest first.
    Age,
    /// By sender, and of each the lowest nonce first.
    Nonce,
}

/// A property of a transaction in the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum PoolState {
    /// Fit for the next block.
    Ready,
    /// Behind a gap.
    Queued,
    /// The balance does not last as far as this.
    Unfunded,
    /// Handed in here, and no peer is known to have it.
    Unbroadcast,
    /// Handed in here.
    Local,
}

/// A transaction of the pool as it is listed: without its payload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PooledTx {
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
    /// The same for each 1,000 bytes.
    pub fee_per_kb: f64,
    /// The last height at which it is valid.
    pub expiry: Option<u64>,
    /// Its encoded size.
    pub size: u64,
    /// How it stands: `ready`, `queued` or `unfunded`.
    pub state: PoolState,
    /// The nonce that is missing, or that cannot be paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<u64>,
    /// Whether it was handed in here, and is never pushed out for it.
    pub local: bool,
    /// Whether it was handed in here, and no peer is known to have it.
    pub unbroadcast: bool,
    /// How long ago it came, in milliseconds.
    pub age_ms: u64,
}

/// Which senders are meant, and in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SenderFilter {
    /// This one alone.
    pub address: Option<Address>,
    /// Those alone that have a gap in their nonces.
    pub gaps: bool,
    /// What comes first.
    pub order: SenderOrder,
    /// How many, at most [`MAX_LISTED`]; none: as many.
    pub limit: Option<u32>,
}

/// How senders are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum SenderOrder {
    /// The most transactions first.
    #[default]
    Count,
    /// The most bytes first.
    Bytes,
    /// The oldest transaction first.
    Age,
}

/// A sender that has transactions waiting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolSender {
    /// Its address.
    pub address: Address,
    /// The nonce its next transaction must have on the chain.
    pub nonce: u64,
    /// What its account holds.
    pub balance: u64,
    /// How many of its transactions could go into a block now.
    pub ready: u64,
    /// How many wait behind a gap, or cannot be paid.
    pub queued: u64,
    /// The nonces that are missing, in runs; the first few of them.
    pub gaps: Vec<Gap>,
    /// The sum of the sizes, in bytes.
    pub bytes: u64,
    /// What amounts and fees come to, in units.
    pub cost: u64,
    /// How long ago its oldest came, in milliseconds.
    pub oldest_ms: u64,
}

/// Nonces that are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
}

/// How many pay what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolFees {
    /// What 1,000 bytes from elsewhere must pay now.
    pub floor_per_kb: u64,
    /// Bands whose least fees double, the lowest first.
    pub bands: Vec<FeeBand>,
}

/// Transactions whose fee for each 1,000 bytes lies in one band.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeBand {
    /// The least of the band. The next band begins at twice that; the first begins at 0 and ends
    /// at 1.
    pub from_per_kb: u64,
    /// Transactions.
    pub count: u64,
    /// Of these, fit for the next block.
    pub ready: u64,
    /// The sum of their sizes, in bytes.
    pub bytes: u64,
}
