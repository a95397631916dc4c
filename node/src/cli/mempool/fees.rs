//! `hearsay mempool fees`.

use clap::Args;

use super::super::console::Console;
use super::super::failure::Failure;
use super::super::node::Node;
use crate::rpc::RpcClient;

/// List how many transactions pay what
#[derive(Args, Debug)]
pub(in crate::cli) struct Fees {
    #[command(flatten)]
    node: Node,
}

impl Fees {
    pub(in crate::cli) async fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        let found = self.node.ask(self.node.client()?.mempool_fees()).await?;
        console.show(self.node.json, &found, |found| format!("{found:#?}"))
    }
}
