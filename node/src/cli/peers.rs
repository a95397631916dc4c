//! `hearsay peers`.

use clap::Args;

use super::console::{Console, table};
use super::failure::Failure;
use super::node::Node;
use crate::api::PeerInfo;
use crate::rpc::RpcClient;

/// List a node's peers
#[derive(Args, Debug)]
pub(super) struct Peers {
    #[command(flatten)]
    node: Node,
}

impl Peers {
    pub(super) async fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
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
