//! A testnet of real nodes on this machine, each in a process or all in this one: planned, started,
//! waited for and stopped.
//!
//! Pure: the plan ([`Plan`]), the keys ([`keys`]) and when the network is at rest ([`Rest`]).
//! Shell: files ([`Layout`]), ports, processes and the RPC ([`Client`]).

mod client;
mod duty;
mod host;
pub mod keys;
mod layout;
mod plan;
mod ports;
mod process;
mod program;
mod ready;
mod rest;
mod seat;

#[cfg(test)]
pub(crate) mod testing;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use futures::future::join_all;
use hearsay_node::api::NodeStatus;
use hearsay_node::rpc::CallError;
use thiserror::Error;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

pub use self::client::Client;
pub use self::duty::Duty;
pub use self::host::{End, Exit};
pub use self::layout::Layout;
pub(crate) use self::layout::SUBMITTED;
pub use self::plan::{NodePlan, Plan, SPARE_SENDERS};
pub use self::ports::{Held, Ports, hold};
pub use self::program::{ProgramError, node_program};
pub use self::rest::Rest;
pub use self::seat::{Maker, Seat, State};

/// How long a node may take to answer one question of a round. One that takes longer is behind by
/// more than the round could tell.
const ANSWER: Duration = Duration::from_secs(2);

/// Settings in the environment begin with this. They are kept from the nodes, since a run is to
/// follow from its scenario alone …
const VARIABLES: &str = "HEARSAY_";

/// … but for this one, which only says how much the nodes tell in their `node.log`.
const LOG_VARIABLE: &str = "HEARSAY_LOG";

/// Why a testnet did not come up.
#[derive(Debug, Error)]
pub enum ClusterError {
    /// A node could not be started.
    #[error("{node} cannot be started: {source}")]
    Start {
        /// Its name.
        node: String,
        /// Why.
        source: io::Error,
    },
    /// The RPC cannot be used.
    #[error("the RPC of {node} cannot be called: {source}")]
    Rpc {
        /// Its node.
        node: String,
        /// Why.
        source: CallError,
    },
    /// A node was not ready in time.
    #[error("{node} is not ready after {} s: {lack}", .after.as_secs())]
    NotReady {
        /// The node.
        node: String,
        /// What it lacks.
        lack: String,
        /// How long it had.
        after: Duration,
    },
}

/// The places of all nodes. Processes that still run when it is dropped are killed when the runtime
/// ends.
#[derive(Debug)]
pub struct Cluster {
    seats: Vec<Seat>,
}

impl Cluster {
    /// Empty places for all nodes of a plan.
    ///
    /// # Errors
    /// An address that no client can use.
    pub fn new(plan: &Plan) -> Result<Self, ClusterError> {
        let seat = |(number, plan): (usize, &NodePlan)| Seat::new(number, plan.clone());
        Ok(Self { seats: plan.nodes.iter().enumerate().map(seat).collect::<Result<_, _>>()? })
    }

    /// The places in order.
    #[must_use]
    pub fn seats(&self) -> &[Seat] {
        &self.seats
    }

    /// The place of one node.
    pub fn seat(&mut self, node: usize) -> &mut Seat {
        &mut self.seats[node]
    }

    /// The numbers of the nodes in a state.
    #[must_use]
    pub fn with(&self, state: State) -> Vec<usize> {
        let nodes = self.seats.iter().enumerate();
        nodes.filter(|(_, seat)| seat.state() == state).map(|(node, _)| node).collect()
    }

    /// Waits until every node that runs answers and is connected as planned to the others that run.
    /// Returns the names of those whose meshes were smaller than gossip wants them for so long after
    /// that: in some graphs that is all there is.
    ///
    /// # Errors
    /// A node that was not, within the time.
    pub async fn ready(
        &self,
        within: Duration,
        meshes: Duration,
    ) -> Result<Vec<String>, ClusterError> {
        let deadline = Instant::now() + within;
        let mut waits = JoinSet::new();
        for seat in self.seats.iter().filter(|seat| seat.answers()) {
            let there = |node: &&usize| self.seats[**node].answers();
            let degree = seat.plan.neighbours.iter().filter(there).count();
            let (name, client, want) =
                (seat.plan.name.clone(), seat.client.clone(), ready::Want::of(&seat.plan, degree));
            waits.spawn(async move {
                match ready::wait(client, want, meshes, deadline).await {
                    Ok(meshed) => Ok((!meshed).then_some(name)),
                    Err(lack) => Err(ClusterError::NotReady { node: name, lack, after: within }),
                }
            });
        }
        let mut unmeshed = Vec::new();
        while let Some(joined) = waits.join_next().await {
            // A wait that panicked has no result of its own; the panic goes on here.
            let meshed =
                joined.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
            unmeshed.extend(meshed?);
        }
        unmeshed.sort();
        Ok(unmeshed)
    }

    /// Waits until one node answers.
    ///
    /// # Errors
    /// It does not within the time.
    pub async fn answers(&self, node: usize, within: Duration) -> Result<(), ClusterError> {
        let Seat { client, plan, .. } = &self.seats[node];
        ready::answers(client, Instant::now() + within)
            .await
            .map_err(|lack| ClusterError::NotReady { node: plan.name.clone(), lack, after: within })
    }

    /// Who is connected to whom now, each pair once, its smaller end first.
    pub async fn connections(&self) -> Vec<(usize, usize)> {
        let seats = self.seats.iter().enumerate();
        let numbers: BTreeMap<String, usize> =
            seats.clone().map(|(node, seat)| (seat.plan.peer().to_string(), node)).collect();
        let asked = seats.filter(|(_, seat)| seat.answers()).map(async |(node, seat)| {
            let peers = timeout(ANSWER, seat.client.peers()).await.ok()?.ok()?;
            Some((node, peers))
        });
        let known = join_all(asked).await.into_iter().flatten();
        let pairs: BTreeSet<(usize, usize)> = known
            .flat_map(|(node, peers)| {
                let others = peers.into_iter().filter_map(|peer| numbers.get(&peer.peer).copied());
                others.map(|other| (node.min(other), node.max(other))).collect::<Vec<_>>()
            })
            .collect();
        pairs.into_iter().collect()
    }

    /// Asks all nodes that run at once; one that does not answer is absent, as is one that is not
    /// there.
    pub async fn round(&self) -> Vec<Option<NodeStatus>> {
        let asked = self.seats.iter().map(async |seat| {
            if !seat.answers() {
                return None;
            }
            timeout(ANSWER, seat.client.status()).await.ok()?.ok()
        });
        join_all(asked).await
    }

    /// Tells some nodes to stop, and kills those that have not within some seconds. Returns those that
    /// did not end in order, as [`stop`](Self::stop) does.
    pub async fn stop_some(&mut self, nodes: &[usize]) -> Vec<(usize, Option<End>)> {
        let seats = self.seats.iter_mut().enumerate().filter(|(node, _)| nodes.contains(node));
        let stopped = seats.map(async |(node, seat)| seat.stop().await.map(|end| (node, end)));
        join_all(stopped).await.into_iter().flatten().collect()
    }

    /// Tells all nodes to stop, and kills those that have not within some seconds. Returns the names
    /// of those that ended with an error, with how, or without if they had to be killed. When it
    /// returns no node is left.
    pub async fn stop(&mut self) -> Vec<(String, Option<End>)> {
        let stopped = self
            .seats
            .iter_mut()
            .map(async |seat| seat.stop().await.map(|end| (seat.plan.name.clone(), end)));
        join_all(stopped).await.into_iter().flatten().collect()
    }

    /// Kills all nodes. When it returns none is left.
    pub async fn kill(&mut self) {
        join_all(self.seats.iter_mut().map(Seat::kill)).await;
    }
}
