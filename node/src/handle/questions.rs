//! Questions about the chain and the pool. The engine answers them, and nothing changes by them.

use hearsay_chain::{Address, GenesisId, TxId};

use super::{Handle, Stopping};
use crate::api::{
    AccountView, Answer, BlockRef, BlockView, EvidenceView, FeeEstimate, MempoolStatus, NodeStatus,
    PoolFees, PoolSender, PooledTx, Query, SenderFilter, TxFilter, TxStatus, WaitingTx,
};

impl Handle {
    /// The node as a whole.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn status(&self) -> Result<NodeStatus, Stopping> {
        match self.ask(Query::Status).await? {
            Answer::Status(status) => Ok(*status),
            _ => Err(Stopping),
        }
    }

    /// The pool.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn mempool(&self) -> Result<MempoolStatus, Stopping> {
        match self.ask(Query::Mempool).await? {
            Answer::Mempool(status) => Ok(status),
            _ => Err(Stopping),
        }
    }

    /// Who has transactions in the pool.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn pool_senders(&self, filter: SenderFilter) -> Result<Vec<PoolSender>, Stopping> {
        match self.ask(Query::Senders(filter)).await? {
            Answer::Senders(senders) => Ok(senders),
            _ => Err(Stopping),
        }
    }

    /// Transactions in the pool.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn pool_transactions(&self, filter: TxFilter) -> Result<Vec<PooledTx>, Stopping> {
        match self.ask(Query::Transactions(Box::new(filter))).await? {
            Answer::Transactions(transactions) => Ok(transactions),
            _ => Err(Stopping),
        }
    }

    /// How many transactions in the pool pay what.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn pool_fees(&self) -> Result<PoolFees, Stopping> {
        match self.ask(Query::Fees).await? {
            Answer::Fees(fees) => Ok(fees),
            _ => Err(Stopping),
        }
    }

    /// All that waits in the pool, in no particular order, and the network.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn export(&self) -> Result<(GenesisId, Vec<WaitingTx>), Stopping> {
        match self.ask(Query::Export).await? {
            Answer::Export(genesis, waiting) => Ok((genesis, waiting)),
            _ => Err(Stopping),
        }
    }

    /// An account at the tip.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn account(&self, address: Address) -> Result<AccountView, Stopping> {
        match self.ask(Query::Account(address)).await? {
            Answer::Account(account) => Ok(account),
            _ => Err(Stopping),
        }
    }

    /// A block; none if there is no such block.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn block(&self, block: BlockRef) -> Result<Option<BlockView>, Stopping> {
        match self.ask(Query::Block(block)).await? {
            Answer::Block(block) => Ok(block.map(|block| *block)),
            _ => Err(Stopping),
        }
    }

    /// Proofs of equivocation from a slot on, earliest first.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn evidence(&self, from_slot: u64, max: u32) -> Result<Vec<EvidenceView>, Stopping> {
        match self.ask(Query::Evidence { from_slot, max }).await? {
            Answer::Evidence(proofs) => Ok(proofs),
            _ => Err(Stopping),
        }
    }

    /// What a transaction of so many bytes should pay.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn estimate(&self, bytes: u64, blocks: u32) -> Result<FeeEstimate, Stopping> {
        match self.ask(Query::Estimate { bytes, blocks }).await? {
            Answer::Estimate(estimate) => Ok(estimate),
            _ => Err(Stopping),
        }
    }

    /// Where a transaction is in its life. None: the node does not know it, but has not read back all
    /// that waited when it stopped.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn transaction(&self, id: TxId) -> Result<Option<TxStatus>, Stopping> {
        match self.ask(Query::Tx(id)).await? {
            Answer::Tx(status) => Ok(Some(status)),
            Answer::Restoring => Ok(None),
            _ => Err(Stopping),
        }
    }
}
