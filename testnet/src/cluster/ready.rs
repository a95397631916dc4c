//! When a node is ready for the load: it answers, it is connected to those it is to know, and it
//! has gossip meshes with them.

use std::time::Duration;

use hearsay_network::GossipConfig;
use hearsay_node::api::{NodeStatus, PeerInfo};
use tokio::time::{Instant, interval, timeout_at};

use super::Client;

/// The time between two looks.
const POLL: Duration = Duration::from_millis(50);

/// What a node still lacks, if anything. Pure.
///
/// Gossip makes its mesh of at least `mesh_low` of the peers, or of all when there are fewer; in a
/// mesh that is smaller the load's first transactions would spread in another way than the rest.
fn lack(status: &NodeStatus, peers: &[PeerInfo], degree: usize) -> Option<String> {
    if (status.peers as usize) < degree {
        return Some(format!("it has {} of {degree} peers", status.peers));
    }
    let mesh = degree.min(GossipConfig::default().mesh_low);
    let tx = peers.iter().filter(|peer| peer.mesh_tx).count();
    let block = peers.iter().filter(|peer| peer.mesh_block).count();
    for (what, found) in [("transactions", tx), ("blocks", block)] {
        if found < mesh {
            return Some(format!("its mesh for {what} has {found} of {mesh} peers"));
        }
    }
    None
}

/// Waits until the node has `degree` peers and the meshes that go with them.
///
/// # Errors
/// What it lacked when the deadline had come.
pub(super) async fn wait(client: Client, degree: usize, deadline: Instant) -> Result<(), String> {
    let mut lacking = "it does not answer".to_owned();
    let looking = async {
        let mut looks = interval(POLL);
        loop {
            looks.tick().await;
            match look(&client, degree).await {
                Ok(None) => return,
                Ok(Some(lack)) => lacking = lack,
                Err(error) => lacking = format!("it does not answer: {error}"),
            }
        }
    };
    timeout_at(deadline, looking).await.map_err(|_| lacking)
}

async fn look(
    client: &Client,
    degree: usize,
) -> Result<Option<String>, hearsay_node::rpc::CallError> {
    let status = client.status().await?;
    let peers = client.peers().await?;
    Ok(lack(&status, &peers, degree))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::testing::{peer, status};

    #[test]
    fn a_node_is_ready_when_it_has_its_peers_and_they_are_in_its_meshes() {
        let status = |peers| NodeStatus { peers, ..status() };
        let meshed = vec![peer(true); 3];
        assert_eq!(lack(&status(3), &meshed, 3), None);
        assert!(lack(&status(2), &meshed, 3).unwrap().contains("2 of 3 peers"));
        let apart = [peer(true), peer(true), peer(false)];
        assert!(lack(&status(3), &apart, 3).unwrap().contains("2 of 3"));
    }

    #[test]
    fn of_many_peers_a_meshful_is_enough() {
        let status = NodeStatus { peers: 9, ..status() };
        let meshed = [vec![peer(true); 5], vec![peer(false); 4]].concat();
        assert_eq!(lack(&status, &meshed, 9), None);
        assert!(lack(&status, &meshed[1..], 9).is_some());
    }

    #[test]
    fn a_node_alone_is_ready_at_once() {
        assert_eq!(lack(&status(), &[], 0), None);
    }
}
