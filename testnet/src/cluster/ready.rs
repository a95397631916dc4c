//! When a node is ready for the load: it answers, it is connected to those it is to know, and it
//! has gossip meshes with them.

use std::time::Duration;

use hearsay_node::api::{NodeStatus, PeerInfo};
use hearsay_node::config::{Discovery, Gossip};
use tokio::time::{Instant, interval, timeout_at};

use super::{Client, NodePlan};

/// The time between two looks.
const POLL: Duration = Duration::from_millis(50);

/// What makes a node ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Want {
    /// Peers.
    degree: usize,
    /// Peers in each mesh.
    mesh: usize,
}

impl Want {
    /// A node with so many of its planned peers there. One that finds them itself is ready when it has
    /// found as many as it is to connect to by itself: it looks for better ones as long as it runs.
    pub(super) fn of(plan: &NodePlan, degree: usize) -> Self {
        let degree = if plan.finds { degree.min(least_found()) } else { degree };
        let gossip = plan.overrides.get("gossip").and_then(toml::Value::as_table);
        let set = |key: &str| gossip?.get(key)?.as_integer()?.try_into().ok();
        let low = set("mesh_low").unwrap_or(Gossip::default().mesh_low);
        Self { degree, mesh: degree.min(low) }
    }
}

fn least_found() -> usize {
    Discovery::default().min_outbound as usize
}

/// What a node still lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Lack {
    Peers(String),
    Mesh(String),
}

/// What a node still lacks, if anything. Pure.
///
/// Gossip makes its mesh of at least `mesh_low` of the peers, or of all when there are fewer; in a
/// mesh that is smaller the load's first transactions would spread in another way than the rest.
/// Peers that messages are pushed to count like those of a mesh.
fn lack(status: &NodeStatus, peers: &[PeerInfo], want: Want) -> Option<Lack> {
    let Want { degree, mesh } = want;
    if (status.peers as usize) < degree {
        return Some(Lack::Peers(format!("it has {} of {degree} peers", status.peers)));
    }
    let tx = peers.iter().filter(|peer| peer.hears_transactions()).count();
    let block = peers.iter().filter(|peer| peer.hears_blocks()).count();
    for (what, found) in [("transactions", tx), ("blocks", block)] {
        if found < mesh {
            return Some(Lack::Mesh(format!("its mesh for {what} has {found} of {mesh} peers")));
        }
    }
    None
}

/// Waits until the node has its peers, and then for some time until it has the meshes that go with
/// them. Returns whether it has.
///
/// # Errors
/// What it lacked when the deadline had come.
pub(super) async fn wait(
    client: Client,
    want: Want,
    meshes: Duration,
    deadline: Instant,
) -> Result<bool, String> {
    let mut lacking = "it does not answer".to_owned();
    let mut connected = None;
    let looking = async {
        let mut looks = interval(POLL);
        loop {
            looks.tick().await;
            match look(&client, want).await {
                Ok(None) => return true,
                Ok(Some(Lack::Peers(lack))) => lacking = lack,
                Ok(Some(Lack::Mesh(lack))) => {
                    let since: &mut Instant = connected.get_or_insert_with(Instant::now);
                    if since.elapsed() >= meshes {
                        return false;
                    }
                    lacking = lack;
                }
                Err(error) => lacking = format!("it does not answer: {error}"),
            }
        }
    };
    timeout_at(deadline, looking).await.map_err(|_| lacking)
}

/// Waits until the node answers at all.
///
/// # Errors
/// Why it had not when the deadline had come.
pub(super) async fn answers(client: &Client, deadline: Instant) -> Result<(), String> {
    let mut lacking = "it does not answer".to_owned();
    let asking = async {
        let mut looks = interval(POLL);
        loop {
            looks.tick().await;
            match client.status().await {
                Ok(_) => return,
                Err(error) => lacking = format!("it does not answer: {error}"),
            }
        }
    };
    timeout_at(deadline, asking).await.map_err(|_| lacking)
}

async fn look(client: &Client, want: Want) -> Result<Option<Lack>, hearsay_node::rpc::CallError> {
    let status = client.status().await?;
    let peers = client.peers().await?;
    Ok(lack(&status, &peers, want))
}

#[cfg(test)]
mod tests {
    use hearsay_node::api::PeerRoute;

    use super::*;
    use crate::cluster::testing::{peer, status};

    fn want(degree: usize) -> Want {
        Want { degree, mesh: degree.min(Gossip::default().mesh_low) }
    }

    #[test]
    fn a_node_is_ready_when_it_has_its_peers_and_they_are_in_its_meshes() {
        let status = |peers| NodeStatus { peers, ..status() };
        let meshed = vec![peer(true); 3];
        assert_eq!(lack(&status(3), &meshed, want(3)), None);
        let few = lack(&status(2), &meshed, want(3));
        assert_eq!(few, Some(Lack::Peers("it has 2 of 3 peers".to_owned())));
        let apart = [peer(true), peer(true), peer(false)];
        assert!(matches!(lack(&status(3), &apart, want(3)), Some(Lack::Mesh(_))));
    }

    #[test]
    fn of_many_peers_a_meshful_is_enough() {
        let status = NodeStatus { peers: 9, ..status() };
        let meshed = [vec![peer(true); 5], vec![peer(false); 4]].concat();
        assert_eq!(lack(&status, &meshed, want(9)), None);
        assert!(lack(&status, &meshed[1..], want(9)).is_some());
    }

    #[test]
    fn peers_that_messages_are_pushed_to_need_no_mesh() {
        let pushed = PeerInfo { route: PeerRoute::Push, ..peer(false) };
        assert_eq!(lack(&NodeStatus { peers: 1, ..status() }, &[pushed], want(1)), None);
    }

    #[test]
    fn a_node_alone_is_ready_at_once() {
        assert_eq!(lack(&status(), &[], want(0)), None);
    }
}
