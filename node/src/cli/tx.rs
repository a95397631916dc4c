//! `hearsay tx`.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use hearsay_chain::TxId;
use serde::Serialize;

use super::console::{Console, Facts};
use super::failure::Failure;
use super::node::Node;
use super::tx_fee::Fee;
use super::tx_send::{Send, duration};
use super::wait::{Ended, Goal, Watch as Following};
use crate::api::TxStatus;
use crate::rpc::RpcClient;

/// Send transactions, and ask what became of them
#[derive(Debug, Subcommand)]
pub(super) enum Tx {
    // Boxed: it has many times the arguments of any other.
    Send(Box<Send>),
    Status(Status),
    Watch(Watch),
    Fee(Fee),
}

/// Show where a transaction is: unbroadcast, queued, unfunded, ready, included, final, dropped or
/// unknown
#[derive(Args, Debug)]
pub(super) struct Status {
    /// The transaction's id
    id: TxId,
    #[command(flatten)]
    node: Node,
}

const WATCH: &str = "\
Each new state is told on stderr, the last one on stdout. Exit codes: 0 it came as far as asked for,
4 it was dropped, or is unknown to the node, 5 the time is over.";

/// Follow a transaction until it is in a block, in a final block, or gone
#[derive(Args, Debug)]
#[command(after_help = WATCH)]
pub(super) struct Watch {
    /// The transaction's id
    id: TxId,
    /// How far it is to come
    #[arg(long, value_name = "STATE", default_value = "included")]
    until: Until,
    /// How long to wait, as in 500ms, 20s or 2m
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    timeout: Duration,
    #[command(flatten)]
    node: Node,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Until {
    Included,
    Final,
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
            Tx::Watch(watch) => watch.execute(console).await,
            Tx::Fee(fee) => fee.execute(console).await,
        }
    }
}

impl Status {
    async fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        let Self { id, node } = self;
        let status = node.ask(node.client()?.tx_status(id)).await?;
        show(console, node.json, id, status)
    }
}

impl Watch {
    async fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        let Self { id, until, timeout: patience, node } = self;
        let goal = match until {
            Until::Included => Goal::Included,
            Until::Final => Goal::Final,
        };
        let client = node.client()?;
        let watch = Following { node: &node, client: &client, id, goal, patience, known: false };
        let Ended { status, failure } = watch.run(console).await?;
        show(console, node.json, id, status)?;
        failure.map_or(Ok(()), Err)
    }
}

fn show(console: &mut Console<'_>, json: bool, id: TxId, status: TxStatus) -> Result<(), Failure> {
    console.show(json, &Found { id, status }, |found| {
        with_status(Facts::default().with("id", id), &found.status).to_string()
    })
}

/// The state in a word.
pub(super) const fn word(status: &TxStatus) -> &'static str {
    match status {
        TxStatus::Unknown => "unknown",
        TxStatus::Unbroadcast { .. } => "unbroadcast",
        TxStatus::Queued { .. } => "queued",
        TxStatus::Unfunded { .. } => "unfunded",
        TxStatus::Ready => "ready",
        TxStatus::Included { .. } => "included",
        TxStatus::Final { .. } => "final",
        TxStatus::Dropped { .. } => "dropped",
    }
}

/// The state with what belongs to it, but for what changes with every block.
pub(super) fn told(status: &TxStatus) -> String {
    let word = word(status);
    match status {
        TxStatus::Unknown | TxStatus::Unbroadcast { waiting_for: None } | TxStatus::Ready => {
            word.to_owned()
        }
        TxStatus::Unbroadcast { waiting_for: Some(nonce) }
        | TxStatus::Queued { waiting_for: nonce } => format!("{word} (waiting for nonce {nonce})"),
        TxStatus::Unfunded { nonce } => format!("{word} (cannot pay nonce {nonce})"),
        TxStatus::Included { height, .. } | TxStatus::Final { height, .. } => {
            format!("{word} (height {height})")
        }
        TxStatus::Dropped { reason, by: None } => format!("{word} ({})", reason.word()),
        TxStatus::Dropped { reason, by: Some(by) } => {
            format!("{word} ({} by {by})", reason.word())
        }
    }
}

/// Adds the lines of a state.
pub(super) fn with_status(facts: Facts, status: &TxStatus) -> Facts {
    let facts = facts.with("state", word(status));
    match status {
        TxStatus::Unknown | TxStatus::Ready => facts,
        TxStatus::Unbroadcast { waiting_for } => facts.with_some("waits for nonce", *waiting_for),
        TxStatus::Queued { waiting_for } => facts.with("waits for nonce", waiting_for),
        TxStatus::Unfunded { nonce } => facts.with("cannot pay nonce", nonce),
        TxStatus::Dropped { reason, by } => {
            facts.with("reason", reason.word()).with_some("by", *by)
        }
        TxStatus::Included { block, height, confirmations }
        | TxStatus::Final { block, height, confirmations } => {
            facts.with("block", block).with("height", height).with("confirmations", confirmations)
        }
    }
}
