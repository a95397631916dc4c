//! What a scenario comes to, worked out before anything starts: who is connected to whom, how each
//! link behaves, what differs from node to node, and what is done when. It follows from the
//! scenario's text alone; the same text gives the same plan, byte for byte.
//!
//! All times and rates are undilated, times count from the beginning of the run.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use crate::load;

/// A network that is ready to be made, and what happens to it.
#[derive(Clone, Debug, PartialEq)]
pub struct LabPlan {
    /// The connections, each with its smaller end first, in rising order. There are no others; but
    /// where nodes find each other it is they who make them, and this is empty.
    pub edges: Vec<(usize, usize)>,
    /// Where nodes find each other, the node whose address all others are given.
    pub bootstrap: Option<usize>,
    /// The names of the regions; none when all links have one delay.
    pub region_names: Vec<String>,
    /// The region of each node, as a place in `region_names` and `one_way_us`.
    pub node_region: Vec<usize>,
    /// Region by region, the delay from one to the other in microseconds. Without regions there is
    /// one region without a name.
    pub one_way_us: Vec<Vec<u64>>,
    /// The capacity of each node's own link.
    pub access: Vec<Access>,
    /// The standard deviation of a link's delay as a share of it.
    pub jitter: f64,
    /// The chance that a segment is lost.
    pub loss: f64,
    /// Whether the start-up window of TCP is modelled.
    pub window: bool,
    /// The share of frames of gossip that their receiver throws away.
    pub gossip_loss: f64,
    /// The rate of each link in bytes a second; none: no limit but the nodes' own.
    pub link_rate: Option<u64>,
    /// What jitter and loss follow from.
    pub link_seed: u64,
    /// Links that differ, by their two ends; each direction by itself.
    pub links: BTreeMap<(usize, usize), LinkChange>,
    /// What each node's settings say beyond the defaults: a table as in a node's TOML file.
    pub overrides: Vec<toml::Table>,
    /// When each node starts; zero for all but those that join late.
    pub starts: Vec<Duration>,
    /// The nodes that propose blocks.
    pub authorities: Vec<usize>,
    /// Accounts that send transactions, over all loads.
    pub senders: usize,
    /// The loads, in the order of the scenario. [`Action::Load`] starts each.
    pub loads: Vec<LoadPlan>,
    /// What is done when, in the order of time.
    pub actions: Vec<TimedAction>,
}

/// The capacity of a node's own link in bytes a second; none: no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// To the network.
    pub up: Option<u64>,
    /// From the network.
    pub down: Option<u64>,
}

/// How one direction of one link differs from what holds for all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LinkChange {
    /// Its delay.
    pub delay: Option<Duration>,
    /// The standard deviation of its delay as a share of it.
    pub jitter: Option<f64>,
    /// Its rate in bytes a second.
    pub rate: Option<u64>,
    /// The chance that a segment is lost.
    pub loss: Option<f64>,
}

/// How one direction of a link behaves, all told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// The time a byte is under way.
    pub delay: Duration,
    /// The standard deviation of that as a share of it.
    pub jitter: f64,
    /// Bytes a second; none: no limit.
    pub rate: Option<u64>,
    /// The chance that a segment is lost.
    pub loss: f64,
}

/// One load.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadPlan {
    /// When it begins.
    pub from: Duration,
    /// When it is over.
    pub until: Duration,
    /// Its accounts among all that send: no two loads share one, so that each has its own nonces.
    pub senders: Range<usize>,
    /// The nodes that it is handed to.
    pub entries: Vec<usize>,
    /// When its transactions are due, and what they hold.
    pub spec: load::Spec,
}

/// Something that is done at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct TimedAction {
    /// When.
    pub at: Duration,
    /// What.
    pub action: Action,
}

/// What can be done to a running network. Nodes are numbers, in rising order.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// End these nodes at once, as `kill -9` would.
    Kill(Vec<usize>),
    /// Let these nodes end in order: they say goodbye.
    Leave(Vec<usize>),
    /// Start these killed nodes again, with what they have on disk.
    Restart(Vec<usize>),
    /// Stop the clocks of these nodes' processes: they keep their sockets and say nothing.
    Pause(Vec<usize>),
    /// Let these paused nodes go on.
    Resume(Vec<usize>),
    /// Start these nodes for the first time.
    Start(Vec<usize>),
    /// Let nothing pass between these two groups.
    Cut {
        /// One group.
        from: Vec<usize>,
        /// The other one.
        to: Vec<usize>,
        /// Only what goes from the first to the second is held up.
        one_way: bool,
    },
    /// Let everything pass again.
    Heal(Heal),
    /// Make these nodes slower, or take that back.
    Slow {
        /// Them.
        nodes: Vec<usize>,
        /// How they are from then on.
        slow: Slow,
    },
    /// Let these nodes' processes run for a share of the time only, or all the time again.
    Starve {
        /// Them.
        nodes: Vec<usize>,
        /// The share of the time, up to 1.
        share: f64,
    },
    /// Begin the load with this place in [`LabPlan::loads`].
    Load(usize),
    /// Set the clocks of these nodes off by so many milliseconds from the true time.
    Skew {
        /// Them.
        nodes: Vec<usize>,
        /// By how much; a positive number is ahead.
        ms: i64,
    },
}

/// What is healed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heal {
    /// Everything that was cut.
    All,
    /// What was cut between these two groups, in both directions.
    Between {
        /// One group.
        from: Vec<usize>,
        /// The other one.
        to: Vec<usize>,
    },
}

/// How slow a node is. What is not given stays as the scenario began.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Slow {
    /// Its own link has one in so many of the bytes a second it began with, both ways; 1 takes
    /// slowness back.
    pub factor: Option<f64>,
    /// Its uplink in bytes a second.
    pub up: Option<u64>,
    /// Its downlink in bytes a second.
    pub down: Option<u64>,
    /// Added to the delay of each of its links, in both directions.
    pub delay: Option<Duration>,
}

impl LabPlan {
    /// How many nodes there are.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.node_region.len()
    }

    /// The name of a node's region.
    #[must_use]
    pub fn region(&self, node: usize) -> Option<&str> {
        self.region_names.get(*self.node_region.get(node)?).map(String::as_str)
    }

    /// How the link from one node to another behaves, whether they are connected or not.
    ///
    /// # Panics
    /// There are no such nodes.
    #[must_use]
    pub fn link(&self, from: usize, to: usize) -> Link {
        let change = self.links.get(&(from, to)).copied().unwrap_or_default();
        let regions = (self.node_region[from], self.node_region[to]);
        let far = Duration::from_micros(self.one_way_us[regions.0][regions.1]);
        Link {
            delay: change.delay.unwrap_or(far),
            jitter: change.jitter.unwrap_or(self.jitter),
            rate: change.rate.or(self.link_rate),
            loss: change.loss.unwrap_or(self.loss),
        }
    }

    /// Whether any link is other than a plain socket.
    #[must_use]
    pub fn shaped(&self) -> bool {
        let access = |access: &Access| access.up.is_some() || access.down.is_some();
        self.one_way_us.iter().flatten().any(|us| *us > 0)
            || self.access.iter().any(access)
            || !self.links.is_empty()
            || self.link_rate.is_some()
            || self.loss > 0.0
            || self.actions.iter().any(|timed| {
                matches!(timed.action, Action::Cut { .. } | Action::Heal(_) | Action::Slow { .. })
            })
    }

    /// The pairs of nodes that may be connected, each with its smaller end first.
    pub fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let all = if self.bootstrap.is_some() { self.nodes() } else { 0 };
        let all = (0..all).flat_map(move |a| (a + 1..all).map(move |b| (a, b)));
        self.edges.iter().copied().chain(all)
    }

    /// Whom `node` dials. Where nodes find each other, the bootstrap node. Else, of the two ends of an edge one dials, so that there is one connection:
    /// the one that starts later, so that the other is there to be dialled, and of two that start
    /// together it alternates, so that nodes dial about as often as they are dialled.
    pub fn dials(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        let first = self.bootstrap.filter(move |first| *first != node);
        let told = self.edges.iter().filter_map(move |&(a, b)| {
            let (from, to) = match self.starts[a].cmp(&self.starts[b]) {
                std::cmp::Ordering::Less => (b, a),
                std::cmp::Ordering::Greater => (a, b),
                std::cmp::Ordering::Equal if (a + b) % 2 == 0 => (a, b),
                std::cmp::Ordering::Equal => (b, a),
            };
            (from == node).then_some(to)
        });
        first.into_iter().chain(told)
    }

    /// With whom `node` is connected, or may be where nodes find each other.
    pub fn neighbours(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        self.pairs().filter_map(move |(a, b)| match node {
            _ if a == node => Some(b),
            _ if b == node => Some(a),
            _ => None,
        })
    }
}
