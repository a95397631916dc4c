//! `hearsay tx`.

use clap::{Args, Subcommand};
use hearsay_chain::TxId;
use serde::Serialize;

use super::console::{Console, Facts};
use super::failure::Failure;
use super::node::Node;
use super::tx_send::Send;
use crate::api::TxStatus;
use crate::rpc::RpcClient;

/// Send transactions, and ask what became of them
#[derive(Debug, Subcommand)]
pub(super) enum Tx {
    Send(Send),
    Status(Status),
}

/// Show where a transaction is: unknown, queued, unfunded, ready, included or final
#[derive(Args, Debug)]
pub(super) struct Status {
    /// The transaction's id
    id: TxId,
    #[command(flatten)]
    node: Node,
}

/// A transaction's id and state, flat in JSON.
#[derive(Serialize)]
struct Found {
    id: TxId,
    #[serde(flatten)]
    status: TxStatus,
}

impl Tx {
    pub(super) async fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        match self {
            Tx::Send(send) => send.execute(console).await,
            Tx::Status(status) => status.execute(console).await,
        }
    }
}

impl Status {
    async fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        let Self { id, node } = self;
        let status = node.ask(node.client()?.tx_status(id)).await?;
        console.show(node.json, &Found { id, status }, |found| {
            with_status(Facts::default().with("id", id), &found.status).to_string()
        })
    }
}

/// The state in a word.
pub(super) const fn word(status: &TxStatus) -> &'static str {
    match status {
        TxStatus::Unknown => "unknown",
        TxStatus::Queued { .. } => "queued",
        TxStatus::Unfunded { .. } => "unfunded",
        TxStatus::Unbroadcast { .. } => "unbroadcast",
        TxStatus::Ready => "ready",
        TxStatus::Dropped { .. } => "dropped",
        TxStatus::Included { .. } => "included",
        TxStatus::Final { .. } => "final",
    }
}

/// Adds the lines of a state.
pub(super) fn with_status(facts: Facts, status: &TxStatus) -> Facts {
    let facts = facts.with("state", word(status));
    match status {
        TxStatus::Unknown | TxStatus::Ready => facts,
        TxStatus::Queued { waiting_for } => facts.with("waits for nonce", waiting_for),
        TxStatus::Unfunded { nonce } => facts.with("cannot pay nonce", nonce),
        TxStatus::Unbroadcast { waiting_for } => facts.with_some("waits for nonce", *waiting_for),
        TxStatus::Dropped { reason, by } => {
            facts.with("reason", reason.word()).with_some("by", *by)
        }
        TxStatus::Included { block, height, confirmations }
        | TxStatus::Final { block, height, confirmations } => {
            facts.with("block", block).with("height", height).with("confirmations", confirmations)
        }
    }
}
