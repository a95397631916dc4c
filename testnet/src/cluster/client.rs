//! A node as the lab asks it: over its RPC, or directly where it runs in this process.

use std::time::Duration;

use hearsay_chain::{UnverifiedTx, codec};
use hearsay_node::api::{NodeStatus, PeerInfo, Submitted, Taker};
use hearsay_node::handle::Handle;
use hearsay_node::lab::{LabChange, ProbeRequest, ProbeResult};
use hearsay_node::rpc::{self, CallError, HexBytes, LabClient, NodeUrl, RpcClient, RpcError};
use jsonrpsee::http_client::HttpClient;
use tokio::sync::watch;

/// How long a probe may take: the network side, which knows how slow everything runs, gives up before.
const PROBING: Duration = Duration::from_secs(30 * 60);

/// Asks one node. Cheap to clone; stays the same when its node is started anew.
#[derive(Clone, Debug)]
pub struct Client(Way);

#[derive(Clone, Debug)]
enum Way {
    /// Connects at the first call.
    Rpc {
        client: HttpClient,
        /// For calls that take as long as a slow link does.
        patient: HttpClient,
    },
    /// Empty while the node is down.
    Embedded(watch::Receiver<Option<Handle>>),
}

impl Client {
    /// A client of the node at `url`.
    ///
    /// # Errors
    /// A URL that no client can use.
    pub fn new(url: &str) -> Result<Self, CallError> {
        let url: NodeUrl = url.parse().map_err(CallError::Protocol)?;
        let patient = rpc::connect_within(&url, PROBING)?;
        Ok(Self(Way::Rpc { client: rpc::connect(&url)?, patient }))
    }

    /// A client of a node in this process, whose handle changes with each start.
    #[must_use]
    pub fn embedded(handle: watch::Receiver<Option<Handle>>) -> Self {
        Self(Way::Embedded(handle))
    }

    /// The node as a whole.
    ///
    /// # Errors
    /// No answer.
    pub async fn status(&self) -> Result<NodeStatus, CallError> {
        match &self.0 {
            Way::Rpc { client, .. } => Ok(client.node_status().await?),
            Way::Embedded(handle) => Ok(present(handle)?.status().await.map_err(RpcError::from)?),
        }
    }

    /// The peers that it is connected to.
    ///
    /// # Errors
    /// No answer.
    pub async fn peers(&self) -> Result<Vec<PeerInfo>, CallError> {
        match &self.0 {
            Way::Rpc { client, .. } => Ok(client.net_peers().await?),
            Way::Embedded(handle) => Ok(present(handle)?.peers().await.map_err(RpcError::from)?),
        }
    }

    /// Hands in a transaction, for a member to take; none: as the node's settings say.
    ///
    /// # Errors
    /// A refusal, or no answer.
    pub async fn submit(
        &self,
        tx: &UnverifiedTx,
        via: Option<&Taker>,
    ) -> Result<Submitted, CallError> {
        match &self.0 {
            Way::Rpc { client, .. } => {
                let bytes = HexBytes(codec::encode(tx.transaction()));
                Ok(client.tx_submit(bytes, via.map(word)).await?)
            }
            Way::Embedded(handle) => {
                let answer = present(handle)?.submit_via(tx.clone(), via.cloned()).await;
                let answer = answer.map_err(RpcError::from)?;
                Ok(answer.map_err(RpcError::from)?)
            }
        }
    }

    /// Changes what the lab does to the node.
    ///
    /// # Errors
    /// A node outside the lab, a value out of range, or no answer.
    pub async fn lab_set(&self, change: LabChange) -> Result<(), CallError> {
        match &self.0 {
            Way::Rpc { client, .. } => Ok(client.lab_set(change).await?),
            Way::Embedded(handle) => {
                Ok(present(handle)?.lab_set(&change).map_err(RpcError::from)?)
            }
        }
    }

    /// Measures the link to a peer of the node's.
    ///
    /// # Errors
    /// A node outside the lab, a peer that it is not connected to, or no answer.
    pub async fn lab_probe(&self, request: ProbeRequest) -> Result<ProbeResult, CallError> {
        match &self.0 {
            Way::Rpc { patient, .. } => Ok(patient.lab_probe(request).await?),
            Way::Embedded(handle) => {
                let answer = present(handle)?.lab_probe(request).await.map_err(RpcError::from)?;
                Ok(answer.map_err(RpcError::from)?)
            }
        }
    }
}

/// A taker as the RPC names it.
fn word(via: &Taker) -> String {
    match via {
        Taker::Here => "here".to_owned(),
        Taker::Auto => "auto".to_owned(),
        Taker::Member(name) => name.clone(),
    }
}

fn present(handle: &watch::Receiver<Option<Handle>>) -> Result<Handle, CallError> {
    let handle = handle.borrow().clone();
    handle.ok_or_else(|| CallError::Unreachable("the node is down".to_owned()))
}
