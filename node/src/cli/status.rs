//! `hearsay status`.

use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;

use super::console::{Console, Facts};
use super::failure::Failure;
use super::node::Node;
use crate::api::NodeStatus;
use crate::rpc::RpcClient;

/// Show a node's name, chain, peers and pool
#[derive(Args, Debug)]
pub(super) struct Status {
    #[command(flatten)]
    node: Node,
}

impl Status {
    pub(super) async fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        let status = self.node.ask(self.node.client()?.node_status()).await?;
        console.show(self.node.json, &status, human)
    }
}

fn human(status: &NodeStatus) -> String {
    let sync = status.sync.as_ref().map(|sync| format!("catching up to height {}", sync.target));
    let kept = (status.first_body > 1).then(|| {
        format!("from height {} on; those of earlier blocks were pruned", status.first_body)
    });
    let verdicts = status.verdicts;
    Facts::default()
        .with("name", &status.name)
        .with("peer id", &status.peer)
        .with("version", &status.version)
        .with("network", &status.network)
        .with("genesis", status.genesis)
        .with("listens on", status.listen.join(", "))
        .with_some("authority", status.authority)
        .with("up for", span(status.uptime_ms))
        .with("slot", format_args!("{} of {}", status.slot, span(status.slot_ms)))
        .with("height", status.height)
        .with("final height", status.final_height)
        .with("tip", status.tip)
        .with_some("transactions kept", kept)
        .with_some("sync", sync)
        .with("peers", status.peers)
        .with(
            "mempool",
            format_args!("{} ready, {} queued", status.mempool.ready, status.mempool.queued),
        )
        .with(
            "verdicts",
            format_args!(
                "{} accepted, {} ignored, {} rejected",
                verdicts.accept, verdicts.ignore, verdicts.reject
            ),
        )
        .to_string()
}

/// A length of time as people say it.
fn span(ms: u64) -> String {
    let span = SignedDuration::try_from(Duration::from_millis(ms)).unwrap_or(SignedDuration::MAX);
    format!("{span:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_its_units() {
        assert_eq!(span(61_000), "1m 1s");
        assert_eq!(span(250), "250ms");
    }
}
