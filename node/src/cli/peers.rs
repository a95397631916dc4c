//! `hearsay peers`.

use clap::Args;

use super::console::{Console, table};
use super::failure::Failure;
use super::node::Node;
use crate::api::{PeerInfo, ScoreView};
use crate::rpc::RpcClient;

/// List a node's peers
#[derive(Args, Debug)]
pub(super) struct Peers {
    /// Show what is held against peers, connected or not, and who is kept away
    #[arg(long)]
    scores: bool,
    #[command(flatten)]
    node: Node,
}

impl Peers {
    pub(super) async fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        if self.scores {
            let scores = self.node.ask(self.node.client()?.net_scores()).await?;
            return console.show(self.node.json, &scores, |scores| match scores.as_slice() {
                [] => "nothing is held against any peer\n".to_owned(),
                scores => against(scores),
            });
        }
        let peers = self.node.ask(self.node.client()?.net_peers()).await?;
        if peers.is_empty() {
            console.say(format_args!("no peers"));
        }
        console.show(self.node.json, &peers, |peers| match peers.as_slice() {
            [] => String::new(),
            peers => human(peers),
        })
    }
}

fn against(scores: &[ScoreView]) -> String {
    let rows: Vec<_> = scores
        .iter()
        .map(|score| {
            let kept = score.ban.as_ref();
            [
                score.peer.clone(),
                format!("{:.1}", score.points),
                score.offences.to_string(),
                score.last.clone().unwrap_or_else(|| "-".to_owned()),
                kept.map_or_else(|| "-".to_owned(), |ban| format!("{} s more", ban.left_s)),
                kept.map_or_else(|| "-".to_owned(), |ban| ban.reason.clone()),
            ]
        })
        .collect();
    table(["PEER", "POINTS", "OFFENCES", "LAST", "KEPT AWAY", "WHY"], &rows)
}

fn human(peers: &[PeerInfo]) -> String {
    let rows: Vec<_> = peers
        .iter()
        .map(|peer| {
            let mesh = match (peer.mesh_tx, peer.mesh_block) {
                (true, true) => "tx, block",
                (true, false) => "tx",
                (false, true) => "block",
                (false, false) => "-",
            };
            [
                peer.peer.clone(),
                if peer.outbound { "out" } else { "in" }.to_owned(),
                peer.rtt_ms.map_or_else(|| "-".to_owned(), |rtt| format!("{rtt:.1} ms")),
                mesh.to_owned(),
                peer.first_copies.to_string(),
                peer.duplicates.to_string(),
                peer.address.clone(),
                peer.agent.clone().unwrap_or_else(|| "-".to_owned()),
            ]
        })
        .collect();
    let heading = ["PEER", "WAY", "RTT", "MESH", "FIRST", "LATER", "ADDRESS", "AGENT"];
    table(heading, &rows)
}
