//! `hearsay mempool`.

use clap::Args;

use super::console::{Console, Facts};
use super::failure::Failure;
use super::node::Node;
use crate::rpc::RpcClient;

/// Show what waits for a block
#[derive(Args, Debug)]
pub(super) struct Mempool {
    #[command(flatten)]
    node: Node,
}

impl Mempool {
    pub(super) async fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
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
