//! `hearsay mempool transactions`.

use std::time::Duration;

use clap::Args;

use super::super::console::{Console, table};
use super::super::failure::Failure;
use super::super::node::Node;
use super::super::status::span;
use super::super::tx_send::duration;
use super::super::who::{Home, Who};
use crate::api::{PoolState, PooledTx, TxFilter, TxOrder};
use crate::rpc::RpcClient;

/// List transactions that wait, with filters
#[derive(Args, Debug)]
pub(in crate::cli) struct Transactions {
    /// Only those of this sender: an address, or a key of your own
    #[arg(long, value_name = "ADDRESS|KEY")]
    sender: Option<Who>,
    /// Only those in this state
    #[arg(long, value_name = "STATE")]
    state: Option<PoolState>,
    /// Only those that pay at least so many units for each 1,000 bytes
    #[arg(long, value_name = "UNITS")]
    min_fee_per_kb: Option<u64>,
    /// Only those that came at least so long ago, as in 500ms, 20s or 2m
    #[arg(long, value_name = "TIME", value_parser = duration)]
    older_than: Option<Duration>,
    /// What comes first: the highest fee, the oldest, or each sender's lowest nonce
    #[arg(long, value_name = "ORDER", default_value = "fee")]
    order: TxOrder,
    /// How many to list, at most 1000
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    home: Home,
}

impl Transactions {
    pub(in crate::cli) async fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let filter = TxFilter {
            sender: self.sender.map(|who| self.home.address(&who)).transpose()?,
            state: self.state,
            min_fee_per_kb: self.min_fee_per_kb,
            older_than_ms: self.older_than.map(ms),
            order: self.order,
            limit: Some(self.limit),
        };
        let found = self.node.ask(self.node.client()?.mempool_transactions(Some(filter))).await?;
        console.show(self.node.json, &found, |found| human(found))
    }
}

fn human(transactions: &[PooledTx]) -> String {
    let rows: Vec<[String; 7]> = transactions
        .iter()
        .map(|it| {
            [
                it.id.to_string(),
                it.sender.to_string(),
                it.nonce.to_string(),
                it.fee.to_string(),
                it.size.to_string(),
                span(it.age_ms),
                state(it),
            ]
        })
        .collect();
    table(["ID", "SENDER", "NONCE", "FEE", "BYTES", "AGE", "STATE"], &rows)
}

fn state(it: &PooledTx) -> String {
    let mut text = match (it.state, it.waiting_for) {
        (PoolState::Queued, Some(nonce)) => format!("queued (waiting for nonce {nonce})"),
        (PoolState::Queued, None) => "queued".to_owned(),
        (PoolState::Unfunded, Some(nonce)) => format!("unfunded (cannot pay nonce {nonce})"),
        (PoolState::Unfunded, None) => "unfunded".to_owned(),
        (PoolState::Ready | PoolState::Unbroadcast | PoolState::Local, _) => "ready".to_owned(),
    };
    for (is, word) in [(it.local, ", local"), (it.unbroadcast, ", unbroadcast")] {
        if is {
            text += word;
        }
    }
    text
}
