//! `hearsay peers`.

use clap::Args;

use super::console::{Console, table};
use super::failure::Failure;
use super::node::Node;
use crate::api::{PeerInfo, PeerRoute, ScoreView};
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
            let route = match (peer.route, peer.mesh_tx, peer.mesh_block) {
                (PeerRoute::Push, ..) => "push",
                (PeerRoute::Gossipsub, true, true) => "tx, block",
                (PeerRoute::Gossipsub, true, false) => "tx",
                (PeerRoute::Gossipsub, false, true) => "block",
                (PeerRoute::Gossipsub, false, false) => "-",
            };
            [
                peer.peer.clone(),
                if peer.outbound { "out" } else { "in" }.to_owned(),
                peer.rtt_ms.map_or_else(|| "-".to_owned(), |rtt| format!("{rtt:.1} ms")),
                route.to_owned(),
                peer.first_copies.to_string(),
                peer.duplicates.to_string(),
                peer.lazy.to_string(),
                peer.sent_copies.to_string(),
                kilobytes(peer.payload_bytes.saturating_add(peer.sent_bytes)),
                kilobytes(peer.control_received.saturating_add(peer.control_sent)),
                peer.address.clone(),
                peer.agent.clone().unwrap_or_else(|| "-".to_owned()),
            ]
        })
        .collect();
    // Copies that came first and later, and those of both that had to be asked for; and then what
    // went either way.
    let heading = [
        "PEER", "WAY", "RTT", "ROUTE", "FIRST", "LATER", "ASKED", "SENT", "PAYLOAD", "CONTROL",
        "ADDRESS", "AGENT",
    ];
    table(heading, &rows)
}

fn kilobytes(bytes: u64) -> String {
    format!("{:.1} kB", bytes as f64 / 1e3)
}
