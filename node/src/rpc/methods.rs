//! The methods' answers, fetched from the node within bounds.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hearsay_chain::transaction::{MAX_PAYLOAD_BYTES, MAX_TX_BYTES};
use hearsay_chain::{Address, Judged, TxId, UnverifiedTx};
use hearsay_network::PeerId;
use jsonrpsee::PendingSubscriptionSink;
use jsonrpsee::core::{RegisterMethodError, SubscriptionResult};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::api::{LabServer, RpcServer};
use super::error::RpcError;
use super::exports::Exports;
use super::follow::follow;
use super::front::LAB_REQUEST_TIMEOUT;
use super::params::{BlockSelector, HexBytes};
use crate::api::{
    AccountView, BlockView, EvidenceView, ExportPage, FeeEstimate, MAX_EVIDENCE, MemberInfo,
    MemberStats, MempoolStatus, NodeStatus, PeerInfo, PoolFees, PoolSender, PooledTx, ScoreView,
    SenderFilter, SnapshotView, Submitted, Taker, TestResult, TxFilter, TxStatus,
};
use crate::handle::Handle;
use crate::lab::{LabChange, ProbeRequest, ProbeResult};
use crate::metrics::Metrics;

/// Calls that may be under way at once. A WebSocket may send calls without reading answers, and
/// each is a task; this bounds them. Twice the node's own queue, so that it can stay full.
pub(super) const MAX_CALLS: usize = 2 * crate::handle::REQUEST_QUEUE;

/// A call that the engine has not answered by then is given up. The engine needs microseconds, so
/// it is stuck or buried; and clients give up soon after.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// How long a peer is kept away unless said.
const BAN_S: u64 = 24 * 3_600;

/// The size of a transaction without payload.
const WITHOUT_PAYLOAD: u64 = (MAX_TX_BYTES - MAX_PAYLOAD_BYTES) as u64;

/// The server side of the RPC. Clones share one bound on calls.
#[derive(Clone)]
pub(super) struct Methods {
    node: Handle,
    metrics: Arc<Metrics>,
    calls: Arc<Semaphore>,
    /// Walks over the whole pool: the engine does nothing else meanwhile, so there is one at a time.
    walks: Arc<Semaphore>,
    exports: Exports,
}

impl Methods {
    pub(super) fn new(node: Handle, metrics: Arc<Metrics>) -> Self {
        Self {
            node,
            metrics,
            calls: Arc::new(Semaphore::new(MAX_CALLS)),
            walks: Arc::new(Semaphore::new(1)),
            exports: Exports::default(),
        }
    }

    /// The methods that there are at this node.
    pub(super) fn into_module(self) -> Result<jsonrpsee::Methods, RegisterMethodError> {
        let mut all = RpcServer::into_rpc(self.clone());
        if self.node.is_in_lab() {
            all.merge(LabServer::into_rpc(self))?;
        }
        Ok(all.into())
    }

    /// Waits for `answer` within the bounds above, and counts the outcome.
    async fn call<T>(
        &self,
        method: &'static str,
        answer: impl Future<Output = Result<T, RpcError>> + Send,
    ) -> Result<T, RpcError> {
        self.call_within(method, PATIENCE, answer).await
    }

    /// Walks over the pool, unless another walk is under way. It is under way until it is answered, also
    /// if whoever asked has given up.
    async fn walk<T: Send + 'static>(
        &self,
        answer: impl Future<Output = Result<T, RpcError>> + Send + 'static,
    ) -> Result<T, RpcError> {
        let walks = Arc::clone(&self.walks);
        let permit = walks.try_acquire_owned().map_err(|_| RpcError::Busy)?;
        let walk = tokio::spawn(async move {
            let answer = answer.await;
            drop(permit);
            answer
        });
        walk.await.unwrap_or(Err(RpcError::Stopping))
    }

    async fn call_within<T>(
        &self,
        method: &'static str,
        patience: Duration,
        answer: impl Future<Output = Result<T, RpcError>> + Send,
    ) -> Result<T, RpcError> {
        let result = match self.calls.try_acquire() {
            Ok(_permit) => timeout(patience, answer).await.unwrap_or(Err(RpcError::Busy)),
            Err(_) => Err(RpcError::Busy),
        };
        self.metrics.rpc_call(method, result.as_ref().map_or_else(RpcError::kind, |_| "ok"));
        result
    }
}

fn named(peer: &str) -> Result<PeerId, RpcError> {
    peer.parse().map_err(|error| RpcError::NotFound(format!("{peer:?} is no peer id: {error}")))
}

fn decoded(transaction: &HexBytes) -> Result<UnverifiedTx, RpcError> {
    UnverifiedTx::decode(&transaction.0).map_err(|error| RpcError::Rejected {
        reason: error.reason().to_owned(),
        message: format!("this is no transaction: {error}"),
    })
}

#[jsonrpsee::core::async_trait]
impl RpcServer for Methods {
    async fn tx_submit(
        &self,
        transaction: HexBytes,
        via: Option<String>,
    ) -> Result<Submitted, RpcError> {
        let via = via.map(|via| via.parse::<Taker>().unwrap_or_else(|never| match never {}));
        self.call("tx_submit", async {
            Ok(self.node.submit_via(decoded(&transaction)?, via).await??)
        })
        .await
    }

    async fn tx_test(&self, transaction: HexBytes) -> Result<TestResult, RpcError> {
        self.call("tx_test", async { Ok(self.node.test(decoded(&transaction)?).await?) }).await
    }

    async fn tx_estimate_fee(
        &self,
        bytes: Option<u64>,
        blocks: Option<u32>,
    ) -> Result<FeeEstimate, RpcError> {
        let estimate = self.node.estimate(bytes.unwrap_or(WITHOUT_PAYLOAD), blocks.unwrap_or(1));
        self.call("tx_estimateFee", async { Ok(estimate.await?) }).await
    }

    async fn tx_status(&self, id: TxId) -> Result<TxStatus, RpcError> {
        self.call("tx_status", async { self.node.transaction(id).await?.ok_or(RpcError::Busy) })
            .await
    }

    async fn account_get(&self, address: Address) -> Result<AccountView, RpcError> {
        self.call("account_get", async { Ok(self.node.account(address).await?) }).await
    }

    async fn block_get(&self, block: BlockSelector) -> Result<BlockView, RpcError> {
        self.call("block_get", async {
            let found = self.node.block(block.0).await?;
            found.ok_or_else(|| RpcError::NotFound(format!("this node has no block {block}")))
        })
        .await
    }

    async fn node_status(&self) -> Result<NodeStatus, RpcError> {
        self.call("node_status", async { Ok(self.node.status().await?) }).await
    }

    async fn net_peers(&self) -> Result<Vec<PeerInfo>, RpcError> {
        self.call("net_peers", async { Ok(self.node.peers().await?) }).await
    }

    async fn members_list(&self) -> Result<Vec<MemberInfo>, RpcError> {
        self.call("members_list", async { Ok(self.node.members().await?) }).await
    }

    async fn members_stats(&self) -> Result<MemberStats, RpcError> {
        self.call("members_stats", async { Ok(self.node.member_stats().await?) }).await
    }

    async fn members_subscribe(&self, pending: PendingSubscriptionSink) -> SubscriptionResult {
        let news = self.node.member_news();
        self.metrics.rpc_call("members_subscribe", "ok");
        follow(pending.accept().await?, news).await
    }

    async fn net_scores(&self) -> Result<Vec<ScoreView>, RpcError> {
        self.call("net_scores", async { Ok(self.node.scores().await?) }).await
    }

    async fn net_ban(&self, peer: String, seconds: Option<u64>) -> Result<(), RpcError> {
        self.call("net_ban", async {
            Ok(self.node.ban(named(&peer)?, seconds.unwrap_or(BAN_S)).await?)
        })
        .await
    }

    async fn net_unban(&self, peer: String) -> Result<bool, RpcError> {
        self.call("net_unban", async { Ok(self.node.unban(named(&peer)?).await?) }).await
    }

    async fn mempool_status(&self) -> Result<MempoolStatus, RpcError> {
        self.call("mempool_status", async { Ok(self.node.mempool().await?) }).await
    }

    async fn mempool_senders(
        &self,
        filter: Option<SenderFilter>,
    ) -> Result<Vec<PoolSender>, RpcError> {
        let (node, filter) = (self.node.clone(), filter.unwrap_or_default());
        let walk = self.walk(async move { Ok(node.pool_senders(filter).await?) });
        self.call("mempool_senders", walk).await
    }

    async fn mempool_transactions(
        &self,
        filter: Option<TxFilter>,
    ) -> Result<Vec<PooledTx>, RpcError> {
        let (node, filter) = (self.node.clone(), filter.unwrap_or_default());
        let walk = self.walk(async move { Ok(node.pool_transactions(filter).await?) });
        self.call("mempool_transactions", walk).await
    }

    async fn mempool_export(&self, cursor: Option<String>) -> Result<ExportPage, RpcError> {
        self.call("mempool_export", async {
            if let Some(cursor) = cursor {
                return self.exports.go_on(&cursor);
            }
            let (node, exports) = (self.node.clone(), self.exports.clone());
            let first = async move { exports.begin(async move { node.export().await }).await };
            self.walk(first).await
        })
        .await
    }

    async fn mempool_fees(&self) -> Result<PoolFees, RpcError> {
        let node = self.node.clone();
        let walk = self.walk(async move { Ok(node.pool_fees().await?) });
        self.call("mempool_fees", walk).await
    }

    async fn chain_evidence(&self, from_slot: u64) -> Result<Vec<EvidenceView>, RpcError> {
        let answer = self.node.evidence(from_slot, MAX_EVIDENCE);
        self.call("chain_evidence", async { Ok(answer.await?) }).await
    }

    async fn db_snapshot(&self, name: String) -> Result<SnapshotView, RpcError> {
        self.call("db_snapshot", async { Ok(self.node.snapshots().take(name).await?) }).await
    }
}

#[jsonrpsee::core::async_trait]
impl LabServer for Methods {
    async fn lab_set(&self, change: LabChange) -> Result<(), RpcError> {
        self.call("lab_set", async { Ok(self.node.lab_set(&change)?) }).await
    }

    async fn lab_probe(&self, request: ProbeRequest) -> Result<ProbeResult, RpcError> {
        // It takes as long as the link does; the network side bounds it.
        let probe = async { Ok(self.node.lab_probe(request).await??) };
        self.call_within("lab_probe", LAB_REQUEST_TIMEOUT, probe).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_call_that_the_engine_does_not_answer_is_given_up() {
        let (node, _never_taken_from) = Handle::new();
        let metrics = Arc::new(Metrics::new());
        let methods = Methods::new(node, Arc::clone(&metrics));
        let asked = tokio::time::Instant::now();
        assert_eq!(methods.node_status().await, Err(RpcError::Busy));
        assert_eq!(asked.elapsed(), PATIENCE);
        let text = metrics.encode();
        let line = "hearsay_rpc_calls_total{method=\"node_status\",outcome=\"busy\"} 1\n";
        assert!(text.contains(line), "{text}");
        // What it held while it waited is free again.
        assert_eq!(methods.calls.available_permits(), MAX_CALLS);
    }

    #[tokio::test(start_paused = true)]
    async fn one_walk_over_the_pool_is_under_way_at_a_time_until_it_is_answered() {
        let (node, mut requests) = Handle::new();
        let methods = Methods::new(node, Arc::new(Metrics::new()));
        assert_eq!(methods.mempool_fees().await, Err(RpcError::Busy), "nobody answers");
        let asked = tokio::time::Instant::now();
        assert_eq!(methods.mempool_senders(None).await, Err(RpcError::Busy));
        assert_eq!(methods.mempool_transactions(None).await, Err(RpcError::Busy));
        assert_eq!(methods.mempool_export(None).await, Err(RpcError::Busy));
        assert!(asked.elapsed().is_zero(), "at once");
        let walk = requests.recv().await.unwrap();
        assert!(requests.try_recv().is_err(), "the others have not reached the engine");
        drop(walk);
        drop(requests);
        let free = methods.walks.acquire().await.unwrap();
        drop(free);
        assert_eq!(methods.mempool_fees().await, Err(RpcError::Stopping));
    }
}
