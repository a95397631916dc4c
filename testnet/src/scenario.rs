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

mod actions;
pub mod asserts;
mod links;
mod loads;
mod names;
mod nodes;
mod order;
pub mod plan;
mod problem;
mod read;
mod section;
mod set;
mod settings;
mod shape;
mod some_nodes;
pub mod streams;
#[cfg(test)]
mod tests;
mod tree;
pub mod units;
mod wish;
mod write;

use std::sync::Arc;
use std::time::Duration;

use hearsay_chain::genesis::Schedule;

pub use self::asserts::Asserts;
pub(crate) use self::links::LONGEST_DELAY;
pub use self::plan::{
    Access, Action, Heal, LabPlan, Link, LinkChange, LoadPlan, Slow, TimedAction,
};
pub use self::problem::{Place, Problem, Wrong};
pub use self::wish::{Wish, list};

/// A network and what happens to it. To change one, [set](Self::set) its keys: all that follows from
/// them is worked out anew.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name, in reports.
    pub name: String,
    /// What it shows.
    pub description: Option<String>,
    /// What everything random follows from.
    pub seed: u64,
    /// How long what is measured goes on: loads and actions lie within it.
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
    plan: LabPlan,
    source: Source,
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

/// What a scenario was read from.
#[derive(Clone, Debug)]
struct Source {
    /// What problems call it.
    file: Arc<str>,
    tree: tree::Table,
}

impl Scenario {
    /// Reads a scenario. `file` is what its problems call it.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the text.
    pub fn parse(text: &str, file: &str) -> Result<Self, Vec<Problem>> {
        let file: Arc<str> = file.into();
        let problems = problem::Problems::new(&file);
        let tree = tree::parse(text, &problems);
        match problems.into_sorted() {
            (found, _) if !found.is_empty() => Err(found),
            _ => read::read(Source { file, tree }),
        }
    }

    /// The same scenario with one value replaced: `key` is dotted (`gossip.mesh`, `at.0.time`),
    /// `value` is TOML, or text that need not be quoted (`50ms`). What cannot stand beside the new
    /// value gives way to it: `nodes.in-process` replaces `nodes.count`, another kind of topology
    /// makes no use of a `degree`.
    ///
    /// # Errors
    /// What is wrong with the scenario that results.
    pub fn set(&self, key: &str, value: &str) -> Result<Self, Vec<Problem>> {
        self.set_all([(key, value)])
    }

    /// The same for several values at once, when one without the others would not do.
    ///
    /// # Errors
    /// What is wrong with the scenario that results.
    pub fn set_all<'a>(
        &self,
        sets: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Vec<Problem>> {
        let mut source = self.source.clone();
        let problems = problem::Problems::new(&source.file);
        for (key, value) in sets {
            let words = set::words(key, value);
            let item = tree::parse_override(value, &words);
            if let Err(wrong) = source.tree.set(key, item) {
                problems.add(&Place::Set(words), wrong);
            }
        }
        match problems.into_sorted() {
            (found, _) if !found.is_empty() => Err(found),
            _ => read::read(source),
        }
    }

    /// One scenario for each value of an override such as `gossip.mesh=4,6,8`, each with what was
    /// set: `gossip.mesh=4` and so on.
    ///
    /// # Errors
    /// What is wrong with the override, or with one of the scenarios that result.
    pub fn variants(&self, set: &str) -> Result<Vec<(String, Self)>, Vec<Problem>> {
        let split = set::split(set).map_err(|wrong| {
            let problems = problem::Problems::new(&self.source.file);
            problems.add(&Place::Set(set.into()), wrong);
            problems.into_sorted().0
        });
        let (key, values) = split?;
        let variant = |value: &str| Ok((format!("{key}={value}"), self.set(key, value)?));
        values.into_iter().map(variant).collect()
    }

    /// The scenario as text, without comments and with all that was [set](Self::set).
    #[must_use]
    pub fn to_toml(&self) -> String {
        write::write(&self.source.tree)
    }

    /// What it comes to. It was worked out when the scenario was read.
    #[must_use]
    pub fn layout(&self) -> LabPlan {
        self.plan.clone()
    }

    /// The largest payload that any load may have, in bytes.
    #[must_use]
    pub fn largest_payload(&self) -> u64 {
        self.plan.loads.iter().map(|load| load.spec.payload.max()).max().unwrap_or_default()
    }
}
