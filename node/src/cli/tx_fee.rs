//! `hearsay tx fee`.

use clap::Args;

use super::console::{Console, Facts, table, units};
use super::failure::Failure;
use super::node::Node;
use crate::api::FeeEstimate;
use crate::rpc::RpcClient;

/// Show what a transaction must pay now, and what it should pay to be in one of the next blocks
#[derive(Args, Debug)]
pub(super) struct Fee {
    /// The size of the transaction, in bytes [default: that of one without payload]
    #[arg(long, value_name = "N")]
    bytes: Option<u64>,
    /// For how many blocks; at most 8
    #[arg(long, value_name = "N", default_value_t = 4)]
    blocks: u32,
    #[command(flatten)]
    node: Node,
}

impl Fee {
    pub(super) async fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        let Self { bytes, blocks, node } = self;
        let estimate = node.ask(node.client()?.tx_estimate_fee(bytes, Some(blocks))).await?;
        console.show(node.json, &estimate, human)
    }
}

fn human(estimate: &FeeEstimate) -> String {
    let rows: Vec<[String; 3]> = estimate
        .blocks
        .iter()
        .map(|it| [it.blocks.to_string(), it.per_kb.to_string(), it.fee.to_string()])
        .collect();
    let facts = Facts::default()
        .with("size", format_args!("{} bytes", estimate.bytes))
        .with("least fee", units(estimate.least_fee))
        .with("least for 1,000 bytes", units(estimate.floor_per_kb));
    format!("{facts}\n{}", table(["WITHIN BLOCKS", "FOR 1,000 BYTES", "FEE"], &rows))
}
