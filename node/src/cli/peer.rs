//! `hearsay peer ban` and `unban`.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::console::Console;
use super::failure::Failure;
use super::node::Node;
use super::tx_send::duration;
use crate::rpc::RpcClient;

/// Keep a peer away from a node, or let it back in
#[derive(Debug, Subcommand)]
pub(super) enum Peer {
    Ban(Ban),
    Unban(Unban),
}

/// Disconnect a peer and keep it away, until the time is over or the node restarts
#[derive(Args, Debug)]
pub(super) struct Ban {
    /// Its peer id, as `hearsay peers` shows it
    peer: String,
    /// How long, as in 90s, 10m or 1h; a year at most
    #[arg(long = "for", default_value = "24h", value_name = "TIME", value_parser = duration)]
    lasts: Duration,
    #[command(flatten)]
    node: Node,
}

/// Let a peer back in, and forget what it has done
#[derive(Args, Debug)]
pub(super) struct Unban {
    /// Its peer id, as `hearsay peers --scores` shows it
    peer: String,
    #[command(flatten)]
    node: Node,
}

impl Peer {
    pub(super) async fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        match self {
            Peer::Ban(Ban { peer, lasts, node }) => {
                // Less than a second would be none.
                let seconds = lasts.as_secs().max(1);
                node.ask(node.client()?.net_ban(peer.clone(), Some(seconds))).await?;
                console.show(node.json, &true, |_| format!("{peer} is kept away for {lasts:?}\n"))
            }
            Peer::Unban(Unban { peer, node }) => {
                let was = node.ask(node.client()?.net_unban(peer.clone())).await?;
                console.show(node.json, &was, |was| match was {
                    true => format!("{peer} may come back\n"),
                    false => format!("nothing was held against {peer}\n"),
                })
            }
        }
    }
}
