//! `hearsay status`.

use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;

use super::console::{Console, Facts};
use super::failure::Failure;
use super::node::Node;
use crate::api::{NodeStatus, SyncStatus};
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
    let sync = status.sync.as_ref().map(progress);
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

/// How far catching up has come, and how long it will take.
fn progress(sync: &SyncStatus) -> String {
    let SyncStatus { target, headers, height, per_second, left_s, .. } = sync;
    let left = left_s
        .map_or(String::new(), |left| format!(", about {} left", span((left.ceil() * 1e3) as u64)));
    format!("block {height} of {target}, headers to {headers}, {per_second:.0} blocks/s{left}")
}

/// A length of time as people say it.
pub(super) fn span(ms: u64) -> String {
    let span = SignedDuration::try_from(Duration::from_millis(ms)).unwrap_or(SignedDuration::MAX);
    format!("{span:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_says_how_far_how_fast_and_how_long() {
        let sync = SyncStatus {
            target: 900,
            headers: 600,
            height: 300,
            per_second: 59.7,
            left_s: Some(9.4),
            peer: None,
        };
        let text = "block 300 of 900, headers to 600, 60 blocks/s, about 10s left";
        assert_eq!(progress(&sync), text);
    }

    #[test]
    fn a_length_of_time_has_its_units() {
        assert_eq!(span(61_000), "1m 1s");
        assert_eq!(span(250), "250ms");
    }
}
