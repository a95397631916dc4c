//! A node's RPC, as the lab uses it.

use hearsay_chain::{UnverifiedTx, codec};
use hearsay_node::api::{NodeStatus, PeerInfo, Submitted};
use hearsay_node::rpc::{self, CallError, HexBytes, NodeUrl, RpcClient};
use jsonrpsee::http_client::HttpClient;

/// Calls one node. Cheap to clone; connects at the first call.
#[derive(Clone, Debug)]
pub struct Client(HttpClient);

impl Client {
    /// A client of the node at `url`.
    ///
    /// # Errors
    /// A URL that no client can use.
    pub fn new(url: &str) -> Result<Self, CallError> {
        let url: NodeUrl = url.parse().map_err(CallError::Protocol)?;
        rpc::connect(&url).map(Self)
    }

    /// The node as a whole.
    ///
    /// # Errors
    /// No answer.
    pub async fn status(&self) -> Result<NodeStatus, CallError> {
        Ok(self.0.node_status().await?)
    }

    /// The peers that it is connected to.
    ///
    /// # Errors
    /// No answer.
    pub async fn peers(&self) -> Result<Vec<PeerInfo>, CallError> {
        Ok(self.0.net_peers().await?)
    }

    /// Hands in a transaction.
    ///
    /// # Errors
    /// A refusal, or no answer.
    pub async fn submit(&self, tx: &UnverifiedTx) -> Result<Submitted, CallError> {
        Ok(self.0.tx_submit(HexBytes(codec::encode(tx.transaction()))).await?)
    }
}
