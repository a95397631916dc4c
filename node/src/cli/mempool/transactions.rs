//! `hearsay mempool transactions`.

use clap::Args;

use super::super::console::Console;
use super::super::failure::Failure;
use super::super::node::Node;
use crate::rpc::RpcClient;

/// List transactions that wait, with filters
#[derive(Args, Debug)]
pub(in crate::cli) struct Transactions {
    #[command(flatten)]
    node: Node,
}

impl Transactions {
    pub(in crate::cli) async fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        let found = self.node.ask(self.node.client()?.mempool_transactions(None)).await?;
        console.show(self.node.json, &found, |found| format!("{found:#?}"))
    }
}
