//! `hearsay block`.

use clap::Args;
use jiff::Timestamp;

use super::console::{Console, Facts, table, units};
use super::failure::Failure;
use super::node::Node;
use crate::api::BlockView;
use crate::rpc::{BlockSelector, RpcClient};

/// Show a block and its transactions
#[derive(Args, Debug)]
pub(super) struct Block {
    /// `latest`, a height, or an id
    #[arg(value_name = "BLOCK")]
    block: BlockSelector,
    #[command(flatten)]
    node: Node,
}

impl Block {
    pub(super) async fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        let Self { block, node } = self;
        let block = node.ask(node.client()?.block_get(block)).await?;
        console.show(node.json, &block, human)
    }
}

fn human(block: &BlockView) -> String {
    let chain = match (block.main, block.is_final) {
        (true, true) => "main, final",
        (true, false) => "main",
        (false, _) => "side branch",
    };
    let transactions = match block.pruned {
        true => "pruned: this node no longer has them".to_owned(),
        false => block.transactions.len().to_string(),
    };
    let facts = Facts::default()
        .with("id", block.id)
        .with("height", block.height)
        .with("chain", chain)
        .with("slot", block.slot)
        .with("slot start", utc(block.slot_start_ms))
        .with("parent", block.parent)
        .with("proposer", block.proposer)
        .with("tx root", &block.tx_root)
        .with("size", format_args!("{} bytes", block.size))
        .with("transactions", transactions);
    if block.transactions.is_empty() {
        return facts.to_string();
    }
    let rows: Vec<_> = block
        .transactions
        .iter()
        .map(|tx| {
            [
                tx.id.to_string(),
                tx.sender.to_string(),
                tx.recipient.to_string(),
                units(tx.amount),
                units(tx.fee),
            ]
        })
        .collect();
    format!("{facts}\n{}", table(["ID", "SENDER", "RECIPIENT", "AMOUNT", "FEE"], &rows))
}

/// A moment in UTC, or the number where it lies beyond all calendars.
fn utc(unix_ms: u64) -> String {
    let moment = i64::try_from(unix_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    moment.map_or_else(|| format!("{unix_ms} ms"), |moment| moment.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_in_utc() {
        assert_eq!(utc(1_700_000_000_500), "2023-11-14T22:13:20.5Z");
        assert_eq!(utc(u64::MAX), format!("{} ms", u64::MAX));
    }
}
