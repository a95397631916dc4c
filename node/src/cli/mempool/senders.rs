//! `hearsay mempool senders`.

use clap::Args;

use super::super::console::Console;
use super::super::failure::Failure;
use super::super::node::Node;
use crate::rpc::RpcClient;

/// List who has transactions waiting, and the gaps in their nonces
#[derive(Args, Debug)]
pub(in crate::cli) struct Senders {
    #[command(flatten)]
    node: Node,
}

impl Senders {
    pub(in crate::cli) async fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        let found = self.node.ask(self.node.client()?.mempool_senders(None)).await?;
        console.show(self.node.json, &found, |found| format!("{found:#?}"))
    }
}
