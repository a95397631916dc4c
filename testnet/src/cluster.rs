//! A testnet of real node processes on this machine: planned, started, waited for and stopped.
//!
//! Pure: the plan ([`Plan`]), the keys ([`keys`]) and when the network is at rest ([`Rest`]).
//! Shell: files ([`Layout`]), ports, processes and the RPC ([`Client`]).

mod client;
pub mod keys;
mod layout;
mod plan;
mod ports;
mod process;
mod program;
mod ready;
mod rest;

#[cfg(test)]
pub(crate) mod testing;

use std::fs::File;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use hearsay_node::api::NodeStatus;
use hearsay_node::rpc::CallError;
use rustix::process::Signal;
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

pub use self::client::Client;
pub use self::layout::Layout;
pub use self::plan::{DEGREE, FULL_UP_TO, NodePlan, Plan, Spec};
pub use self::ports::{Held, Ports, hold};
pub use self::process::{Exit, Process};
pub use self::program::{ProgramError, node_program};
pub use self::rest::Rest;

/// How long a node may take to answer one question of a round. One that takes longer is behind by
/// more than the round could tell.
const ANSWER: Duration = Duration::from_secs(2);

/// How long nodes that were told to stop may take before they are killed: the node itself waits
/// two seconds for its connections to close, and writes its log out.
const STOPPING: Duration = Duration::from_secs(8);

/// Settings in the environment begin with this. They are kept from the nodes, since a run is to
/// follow from its flags alone …
const VARIABLES: &str = "HEARSAY_";

/// … but for this one, which only says how much the nodes tell in their `node.log`.
const LOG_VARIABLE: &str = "HEARSAY_LOG";

/// Why a testnet did not come up.
#[derive(Debug, Error)]
pub enum ClusterError {
    /// A process could not be started.
    #[error("{node} cannot be started: {source}")]
    Start {
        /// Its node.
        node: String,
        /// What the system said.
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

/// A running node.
#[derive(Debug)]
pub struct Node {
    /// What it was started as.
    pub plan: NodePlan,
    /// Its process.
    pub process: Process,
    /// Its RPC.
    pub client: Client,
}

/// Running nodes. Those that still run when it is dropped are killed when the runtime ends.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Node>,
}

impl Cluster {
    /// Starts all nodes of a plan whose files are written, giving each its ports free just before.
    /// The channel tells of each process that ends.
    ///
    /// # Errors
    /// A node that cannot be started; those that were are killed.
    pub fn start(
        program: &Path,
        layout: &Layout,
        plan: &Plan,
        mut held: Held,
    ) -> Result<(Self, mpsc::Receiver<Exit>), ClusterError> {
        // Each process ends once, so no end ever waits for room.
        let (exits, ends) = mpsc::channel(plan.nodes.len().max(1));
        let mut nodes = Vec::new();
        for (number, plan) in plan.nodes.iter().enumerate() {
            let client = Client::new(&plan.rpc())
                .map_err(|source| ClusterError::Rpc { node: plan.name.clone(), source })?;
            let started = command(program, layout, plan).and_then(|command| {
                held.release(number);
                Process::start(number, command, exits.clone())
            });
            let process = started
                .map_err(|source| ClusterError::Start { node: plan.name.clone(), source })?;
            nodes.push(Node { plan: plan.clone(), process, client });
        }
        Ok((Self { nodes }, ends))
    }

    /// The nodes in order.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Waits until every node answers and is connected as planned.
    ///
    /// # Errors
    /// A node that was not, within the time.
    pub async fn ready(&self, within: Duration) -> Result<(), ClusterError> {
        let deadline = Instant::now() + within;
        let mut waits = JoinSet::new();
        for node in &self.nodes {
            let (name, client, degree) =
                (node.plan.name.clone(), node.client.clone(), node.plan.degree);
            waits.spawn(async move {
                let ready = ready::wait(client, degree, deadline).await;
                ready.map_err(|lack| ClusterError::NotReady { node: name, lack, after: within })
            });
        }
        while let Some(joined) = waits.join_next().await {
            // A wait that panicked has no result of its own; the panic goes on here.
            joined.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?;
        }
        Ok(())
    }

    /// Asks all nodes at once; one that does not answer is absent.
    pub async fn round(&self) -> Vec<Option<NodeStatus>> {
        let mut asked = JoinSet::new();
        for (number, node) in self.nodes.iter().enumerate() {
            let client = node.client.clone();
            asked.spawn(async move { (number, timeout(ANSWER, client.status()).await) });
        }
        let mut round = vec![None; self.nodes.len()];
        while let Some(answer) = asked.join_next().await {
            if let Ok((number, Ok(Ok(status)))) = answer {
                round[number] = Some(status);
            }
        }
        round
    }

    /// Tells all nodes to stop, and kills those that have not within some seconds. Returns the names
    /// of those that had to be killed, and of those that ended with an error, with how. When it
    /// returns no node is left.
    pub async fn stop(&self) -> Vec<(String, Option<ExitStatus>)> {
        for node in &self.nodes {
            node.process.stop();
        }
        let deadline = Instant::now() + STOPPING;
        let mut unclean = Vec::new();
        for node in &self.nodes {
            let status = match timeout_at(deadline, node.process.ended()).await {
                Ok(status) => status,
                Err(_) => {
                    node.process.kill();
                    node.process.ended().await;
                    None
                }
            };
            if !status.is_some_and(in_order) {
                unclean.push((node.plan.name.clone(), status));
            }
        }
        unclean
    }

    /// Kills all nodes. When it returns none is left.
    pub async fn kill(&self) {
        for node in &self.nodes {
            node.process.kill();
        }
        for node in &self.nodes {
            node.process.ended().await;
        }
    }
}

/// Whether a node that was told to stop ended as it should. One that had not come so far as to listen
/// for signals yet is ended by the signal itself, and had nothing to put in order.
fn in_order(status: ExitStatus) -> bool {
    status.success() || status.signal() == Some(Signal::TERM.as_raw())
}

fn command(program: &Path, layout: &Layout, node: &NodePlan) -> io::Result<Command> {
    let log = File::create(layout.log(&node.name))?;
    let mut command = Command::new(program);
    command.args(node.arguments(layout)).stdout(log.try_clone()?).stderr(log);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with(VARIABLES) && text != LOG_VARIABLE {
            command.env_remove(&name);
        }
    }
    Ok(command)
}
