//! Everything around an engine: what its driver reads and writes, and what it fails by.

use std::sync::Arc;
use std::time::Duration;

use hearsay_chain::StoreError;
use hearsay_network::{Command, NetEvent, TrafficCount, WireCount};
use thiserror::Error;
use tokio::sync::mpsc;

use super::{Keeping, MemberEnds};
use crate::checkers::CheckerThreads;
use crate::clock::Clock;
use crate::halt::{Halt, Room};
use crate::handle::Request;
use crate::lag::LagReader;
use crate::metrics::Metrics;
use crate::trace::log::{Log, LogError};

/// What stops a node.
#[derive(Debug, Error)]
pub enum Fatal {
    /// Our disk's fault.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Our disk's fault.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The swarm's task is gone; it only ends when told to.
    #[error("the network side has ended by itself")]
    Network,
}

/// What only the shell knows of the node.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The node's name in logs.
    pub name: String,
    /// Its libp2p peer id.
    pub peer: String,
    /// The addresses it listens on.
    pub listen: Vec<String>,
}

/// Everything that the driver reads and writes.
#[derive(Debug)]
pub(crate) struct Ends {
    /// To the swarm.
    pub commands: mpsc::Sender<Command>,
    /// From the swarm.
    pub events: mpsc::Receiver<NetEvent>,
    /// From the RPC.
    pub requests: mpsc::Receiver<Request>,
    /// Bytes on the sockets.
    pub wire: WireCount,
    /// What was gossiped.
    pub traffic: TrafficCount,
    /// The propagation log.
    pub log: Log,
    /// The journal of the pool.
    pub keeping: Keeping,
    /// The threads that check signatures.
    pub checkers: CheckerThreads,
    /// What has to do with the other members.
    pub members: MemberEnds,
    /// How late things come to run; none outside the lab.
    pub lag: Option<LagReader>,
    /// Counters for `/metrics`.
    pub metrics: Arc<Metrics>,
    /// The clock.
    pub clock: Clock,
    /// Whether the node stands still.
    pub halt: Arc<Halt>,
    /// The places on disk that must have room.
    pub room: Room,
    /// How often they are looked at.
    pub look_every: Duration,
    /// Whether the store's commits wait for a disk, and must not hold up the runtime's other tasks. Only
    /// on a runtime of several threads.
    pub commits_block: bool,
}
