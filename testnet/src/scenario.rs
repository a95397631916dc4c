//! Scenarios: a network and what happens to it, as a TOML file that a person writes.
//!
//! ```text
//!  text ── tree ── (set) ── read: every key, with its place ── Scenario ── layout ── LabPlan
//!            └── write: the same again, canonical                 └── asserts, over a report
//! ```
//!
//! Whatever can be known to be wrong is refused before anything starts, with line and column, and all
//! of it at once. Everything random follows from the seed, each purpose from its own stream, so that
//! changing the load does not move the topology. Nothing here reads a clock or a file.

pub mod asserts;
pub mod plan;
mod problem;
mod wish;

use std::time::Duration;

use hearsay_chain::genesis::Schedule;

pub use self::asserts::Asserts;
pub use self::plan::{
    Access, Action, Heal, LabPlan, Link, LinkChange, LoadPlan, Slow, TimedAction,
};
pub use self::problem::{Place, Problem, Wrong};
pub use self::wish::{Wish, list};

/// A network and what happens to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Its name, in reports.
    pub name: String,
    /// What it shows.
    pub description: Option<String>,
    /// What everything random follows from.
    pub seed: u64,
    /// From the first load or action to the end of what is measured.
    pub duration: Duration,
    /// How long what is under way may take to arrive after that; none: as long as the lab thinks
    /// right for the length of a slot.
    pub settle: Option<Duration>,
    /// The network runs so many times slower than its clocks say.
    pub dilation: u32,
    /// The nodes.
    pub nodes: Nodes,
    /// A run whose 99th percentile of scheduler lag is above this is not valid.
    pub lag_p99: Duration,
    /// The name of the region matrix.
    pub profile: Option<String>,
    /// What the report must say.
    pub asserts: Asserts,
}

/// `[nodes]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nodes {
    /// How many.
    pub count: usize,
    /// Whether all run in one process, instead of each in its own.
    pub in_process: bool,
    /// How many of them, the first ones, propose blocks.
    pub authorities: usize,
    /// The length of a slot.
    pub slot: Duration,
    /// Who proposes in which slot.
    pub schedule: Schedule,
    /// Where chains are kept.
    pub store: StoreKind,
    /// What carries the bytes.
    pub transport: Transport,
}

/// Where chains are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// In memory: a node that is killed forgets its chain.
    Memory,
    /// On disk.
    RocksDb,
}

/// What carries the bytes between nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP over the loopback interface.
    Tcp,
    /// Memory of the one process that all nodes run in.
    Memory,
}

impl Scenario {
    /// Reads a scenario. `file` is what its problems call it.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the text.
    pub fn parse(_text: &str, file: &str) -> Result<Self, Vec<Problem>> {
        let wrong = Wrong::new("scenarios cannot be read yet");
        let problems = problem::Problems::new(&file.into());
        problems.add(&Place::START, wrong);
        Err(problems.into_sorted())
    }

    /// The same scenario with one value replaced: `key` is dotted (`gossip.mesh`), `value` is TOML,
    /// or text that need not be quoted (`50ms`).
    ///
    /// # Errors
    /// What is wrong with the scenario that results.
    pub fn set(&self, _key: &str, _value: &str) -> Result<Self, Vec<Problem>> {
        Ok(self.clone())
    }

    /// The scenario as text, without comments and with all that was [set](Self::set).
    #[must_use]
    pub fn to_toml(&self) -> String {
        String::new()
    }

    /// What it comes to.
    #[must_use]
    pub fn layout(&self) -> LabPlan {
        LabPlan {
            edges: Vec::new(),
            region_names: Vec::new(),
            node_region: vec![0; self.nodes.count],
            one_way_us: vec![vec![0]],
            access: vec![Access::default(); self.nodes.count],
            jitter: 0.0,
            loss: 0.0,
            window: false,
            link_rate: None,
            links: std::collections::BTreeMap::new(),
            overrides: vec![toml::Table::new(); self.nodes.count],
            starts: vec![Duration::ZERO; self.nodes.count],
            authorities: (0..self.nodes.authorities).collect(),
            senders: 0,
            loads: Vec::new(),
            actions: Vec::new(),
        }
    }
}
