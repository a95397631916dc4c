//! `hearsay evidence`.

use std::fmt::Write;

use clap::Args;

use super::console::Console;
use super::failure::Failure;
use super::node::Node;
use crate::api::EvidenceView;
use crate::rpc::RpcClient;

/// Show authorities that made two blocks in one slot, as a node knows them
#[derive(Args, Debug)]
pub(super) struct Evidence {
    /// From this slot on; 256 proofs at most are shown at once
    #[arg(long, default_value_t = 0, value_name = "SLOT")]
    from: u64,
    #[command(flatten)]
    node: Node,
}

impl Evidence {
    pub(super) async fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        let client = self.node.client()?;
        let proofs = self.node.ask(client.chain_evidence(self.from)).await?;
        console.show(self.node.json, &proofs, |proofs| human(proofs))
    }
}

fn human(proofs: &[EvidenceView]) -> String {
    if proofs.is_empty() {
        return "no authority is known to have made two blocks in one slot\n".to_owned();
    }
    let mut text = String::new();
    for proof in proofs {
        let EvidenceView { slot, proposer, first, second, .. } = proof;
        // Writing to a string does not fail.
        let _ =
            writeln!(text, "slot {slot}  authority {proposer}\n  block {first}\n  block {second}");
    }
    text
}
