//! `hearsay mempool`.

mod export;
mod fees;
mod file;
mod import;
mod senders;
mod transactions;

use clap::{Args, Subcommand};

use self::export::Export;
use self::fees::Fees;
use self::import::Import;
use self::senders::Senders;
use self::transactions::Transactions;
use super::console::{Console, Facts};
use super::failure::Failure;
use super::node::Node;
use crate::rpc::RpcClient;

/// Show what waits for a block
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
        let pool = self.node.ask(self.node.client()?.mempool_status()).await?;
        console.show(self.node.json, &pool, |pool| {
            Facts::default()
                .with("transactions", format_args!("{} of {}", pool.count, pool.max_count))
                .with("ready", pool.ready)
                .with("queued", pool.queued)
                .with("size", format_args!("{} bytes", pool.bytes))
                .with("memory", format_args!("{} of {} bytes", pool.memory, pool.max_memory))
                .with("senders", pool.senders)
                .to_string()
        })
    }
}

#[cfg(test)]
mod tests;
