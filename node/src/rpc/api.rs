//! The methods, for server and client alike.

use hearsay_chain::{Address, TxId};
use jsonrpsee::core::SubscriptionResult;
use jsonrpsee::proc_macros::rpc;

use super::error::RpcError;
use super::params::{BlockSelector, HexBytes};
use crate::api::{
    AccountView, BlockView, EvidenceView, ExportPage, FeeEstimate, MemberInfo, MemberNews,
    MemberStats, MempoolStatus, NodeStatus, PeerInfo, PoolFees, PoolSender, PooledTx, ScoreView,
    SenderFilter, SnapshotView, Submitted, TestResult, TxFilter, TxStatus,
};
use crate::lab::{LabChange, ProbeRequest, ProbeResult};

/// What a node answers. Parameters may be given by position or by name; errors have the codes of
/// [`RpcError`].
#[rpc(server, client)]
pub trait Rpc {
    /// Hands in a signed transaction, as the hex of its borsh encoding. Answered when the pool has
    /// taken it; then it is on its way to the network. Handing the same one in again is harmless.
    ///
    /// With `via` another member takes it: `"auto"` is the node itself or one of its neighbours,
    /// whichever has room, `"here"` the node itself, anything else a neighbour by its name or peer id.
    /// Answered then when that one has it; if it does not answer, this node takes the transaction.
    #[method(name = "tx_submit")]
    async fn tx_submit(
        &self,
        transaction: HexBytes,
        via: Option<String>,
    ) -> Result<Submitted, RpcError>;

    /// Where a transaction is in its life.
    #[method(name = "tx_status")]
    async fn tx_status(&self, id: TxId) -> Result<TxStatus, RpcError>;

    /// Says what the pool would say to a signed transaction now, and changes nothing.
    #[method(name = "tx_test")]
    async fn tx_test(&self, transaction: HexBytes) -> Result<TestResult, RpcError>;

    /// What a transaction of so many bytes must pay now, and what it should pay to be among the next
    /// blocks. Without `bytes` one without payload is meant; without `blocks`, the next block.
    #[method(name = "tx_estimateFee")]
    async fn tx_estimate_fee(
        &self,
        bytes: Option<u64>,
        blocks: Option<u32>,
    ) -> Result<FeeEstimate, RpcError>;

    /// An account at the tip. Every address has one; it may be empty.
    #[method(name = "account_get")]
    async fn account_get(&self, address: Address) -> Result<AccountView, RpcError>;

    /// A block: `"latest"`, a height on the main chain, or an id.
    #[method(name = "block_get")]
    async fn block_get(&self, block: BlockSelector) -> Result<BlockView, RpcError>;

    /// The node as a whole.
    #[method(name = "node_status")]
    async fn node_status(&self) -> Result<NodeStatus, RpcError>;

    /// The connected peers.
    #[method(name = "net_peers")]
    async fn net_peers(&self) -> Result<Vec<PeerInfo>, RpcError>;

    /// The members of the network as this node knows them, itself first and the others by name.
    #[method(name = "members_list")]
    async fn members_list(&self) -> Result<Vec<MemberInfo>, RpcError>;

    /// What happened with the membership since the node started, in numbers.
    #[method(name = "members_stats")]
    async fn members_stats(&self) -> Result<MemberStats, RpcError>;

    /// Tells each change of a member from now on, over a WebSocket. Who does not keep up is told so,
    /// and told no more.
    #[subscription(
        name = "members_subscribe" => "members_news",
        unsubscribe = "members_unsubscribe",
        item = MemberNews
    )]
    async fn members_subscribe(&self) -> SubscriptionResult;

    /// What is known against peers, the worst first: those that did what nobody does by mistake, and
    /// those that are kept away.
    #[method(name = "net_scores")]
    async fn net_scores(&self) -> Result<Vec<ScoreView>, RpcError>;

    /// Disconnects a peer and keeps it away for so many seconds: a day unless said, a year at most. A
    /// restart of the node ends it.
    #[method(name = "net_ban")]
    async fn net_ban(&self, peer: String, seconds: Option<u64>) -> Result<(), RpcError>;

    /// Lets a peer come back, and forgets what it did. Says whether there was anything.
    #[method(name = "net_unban")]
    async fn net_unban(&self, peer: String) -> Result<bool, RpcError>;

    /// The pool of waiting transactions.
    #[method(name = "mempool_status")]
    async fn mempool_status(&self) -> Result<MempoolStatus, RpcError>;

    /// Who has transactions waiting, with the gaps in their nonces; 1,000 senders at most.
    #[method(name = "mempool_senders")]
    async fn mempool_senders(
        &self,
        filter: Option<SenderFilter>,
    ) -> Result<Vec<PoolSender>, RpcError>;

    /// Transactions that wait, without their payloads; 1,000 at most.
    #[method(name = "mempool_transactions")]
    async fn mempool_transactions(
        &self,
        filter: Option<TxFilter>,
    ) -> Result<Vec<PooledTx>, RpcError>;

    /// All that waits, in full, in pages: each sender's in the order of their nonces. Without a cursor
    /// the first page, of what waits now; the next one by the cursor that the last one ends with,
    /// within a minute.
    #[method(name = "mempool_export")]
    async fn mempool_export(&self, cursor: Option<String>) -> Result<ExportPage, RpcError>;

    /// How many of those that wait pay what.
    #[method(name = "mempool_fees")]
    async fn mempool_fees(&self) -> Result<PoolFees, RpcError>;

    /// Proofs that authorities made two blocks in one slot, from a slot on, earliest first, 256 at
    /// most. Each holds both signed headers.
    #[method(name = "chain_evidence")]
    async fn chain_evidence(&self, from_slot: u64) -> Result<Vec<EvidenceView>, RpcError>;

    /// Takes a snapshot of the store into `snapshots/NAME` below the node's data directory, and
    /// nowhere else. A name has letters, digits, `-`, `_` and `.`, which does not come first; none
    /// may be taken already. The node goes on meanwhile.
    #[method(name = "db_snapshot")]
    async fn db_snapshot(&self, name: String) -> Result<SnapshotView, RpcError>;
}

/// What a node of the lab answers in addition; elsewhere these methods do not exist.
#[rpc(server, client)]
pub trait Lab {
    /// Changes links and clock of the node; it acts at once, on live connections too. What is left
    /// out stays as it is.
    #[method(name = "lab_set")]
    async fn lab_set(&self, change: LabChange) -> Result<(), RpcError>;

    /// Measures round trips to a connected peer and, if asked, the rate at which bytes reach it. The
    /// answer comes when it is done.
    #[method(name = "lab_probe")]
    async fn lab_probe(&self, request: ProbeRequest) -> Result<ProbeResult, RpcError>;
}
