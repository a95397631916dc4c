//! `hearsay mempool`.

mod export;
mod fees;
mod file;
mod import;
mod senders;
mod transactions;

use clap::{Args, Subcommand};
use serde::Serialize;

use self::export::Export;
use self::fees::Fees;
use self::import::Import;
use self::senders::Senders;
use self::transactions::Transactions;
use super::console::{Console, Facts, units};
use super::failure::Failure;
use super::node::Node;
use super::status::span;
use crate::api::{MempoolStatus, PoolFees, PoolSender, SenderFilter, SenderOrder};
use crate::rpc::RpcClient;

/// Senders that the summary names.
const TOP: u32 = 5;

/// Show what waits for a block: figures, the senders with the most, and fees
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Mempool {
    #[command(subcommand)]
    look: Option<Look>,
    #[command(flatten)]
    node: Node,
}

/// What else to do with the pool.
#[derive(Debug, Subcommand)]
enum Look {
    Senders(Senders),
    Transactions(Transactions),
    Fees(Fees),
    Export(Export),
    Import(Import),
}

/// The pool at a glance, flat in JSON.
#[derive(Serialize)]
struct Summary {
    #[serde(flatten)]
    pool: MempoolStatus,
    /// How long ago the oldest transaction came, in milliseconds.
    oldest_ms: Option<u64>,
    top_senders: Vec<PoolSender>,
    fees: PoolFees,
}

impl Mempool {
    pub(super) async fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        if let Some(look) = self.look {
            return match look {
                Look::Senders(senders) => senders.execute(console).await,
                Look::Transactions(transactions) => transactions.execute(console).await,
                Look::Fees(fees) => fees.execute(console).await,
                Look::Export(export) => export.execute(console).await,
                Look::Import(import) => import.execute(console).await,
            };
        }
        let (node, client) = (&self.node, self.node.client()?);
        let senders = |order, limit| {
            let filter = SenderFilter { order, limit: Some(limit), ..SenderFilter::default() };
            client.mempool_senders(Some(filter))
        };
        let oldest = node.ask(senders(SenderOrder::Age, 1)).await?;
        let summary = Summary {
            pool: node.ask(client.mempool_status()).await?,
            oldest_ms: oldest.first().map(|sender| sender.oldest_ms),
            top_senders: node.ask(senders(SenderOrder::Count, TOP)).await?,
            fees: node.ask(client.mempool_fees()).await?,
        };
        console.show(node.json, &summary, human)
    }
}

fn human(summary: &Summary) -> String {
    let pool = &summary.pool;
    let mut text = Facts::default()
        .with("transactions", format_args!("{} of {}", pool.count, pool.max_count))
        .with("ready", pool.ready)
        .with("queued", pool.queued)
        .with("local", pool.local)
        .with("unbroadcast", pool.unbroadcast)
        .with("size", format_args!("{} bytes", pool.bytes))
        .with("memory", format_args!("{} of {} bytes", pool.memory, pool.max_memory))
        .with("senders", pool.senders)
        .with_some("oldest", summary.oldest_ms.map(span))
        .with("least fee", format_args!("{} for 1,000 bytes", units(pool.min_fee_per_kb)))
        .to_string();
    if !summary.top_senders.is_empty() {
        text += "\n";
        text += &senders::human(&summary.top_senders);
    }
    if !summary.fees.bands.is_empty() {
        text += "\n";
        text += &fees::bars(&summary.fees.bands);
    }
    text
}

#[cfg(test)]
mod tests;
