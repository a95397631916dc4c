//! The links of a testnet as they are now: what the scenario gave them, what is cut, and what was
//! slowed. Pure.
//!
//! Each node shapes what it sends, so a change concerns the node at the sending end of a link: what it
//! is to be told is worked out here.

use std::collections::{BTreeMap, BTreeSet};

use hearsay_network::link::LOWEST_RATE;
use hearsay_node::lab::{AccessSettings, LabChange, LinkSettings};

use crate::scenario::{Access, LONGEST_DELAY, LabPlan};

/// What a node refuses is not asked of it, however slow it is made.
const LONGEST_DELAY_US: u64 = LONGEST_DELAY.as_micros() as u64;

/// A link, one way: the number of the node that sends, and of the one that receives.
pub type Way = (usize, usize);

/// What the scenario gave the links.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Given {
    /// What every link has, unless `odd` says otherwise, but for its delay.
    pub common: LinkSettings,
    /// The region of each node.
    pub node_region: Vec<usize>,
    /// The delay from a region to another, in microseconds.
    pub one_way_us: Vec<Vec<u64>>,
    /// Links that differ.
    pub odd: BTreeMap<Way, LinkSettings>,
    /// The access of each node.
    pub access: Vec<AccessSettings>,
}

/// A node that was made slower.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Slowed {
    /// The rates of its links and of its access are so many times lower.
    pub factor: Option<f64>,
    /// Its links have this delay more, each way, in microseconds.
    pub more_delay_us: u64,
    /// Its access instead of the given one.
    pub up: Option<u64>,
    /// Its access instead of the given one.
    pub down: Option<u64>,
}

/// The links now.
#[derive(Clone, Debug)]
pub struct Links {
    given: Given,
    edges: BTreeSet<Way>,
    cut: BTreeSet<Way>,
    slowed: BTreeMap<usize, Slowed>,
    /// Whether delays are even and nothing is lost for now.
    even: bool,
}

impl Links {
    /// The links between `edges` as they were given. Edges are named once, for both ways.
    #[must_use]
    pub fn new(given: Given, edges: impl IntoIterator<Item = Way>) -> Self {
        let edges = edges.into_iter().flat_map(|(a, b)| [(a, b), (b, a)]).collect();
        Self { given, edges, cut: BTreeSet::new(), slowed: BTreeMap::new(), even: false }
    }

    /// What a link is like now.
    #[must_use]
    pub fn link(&self, way: Way) -> LinkSettings {
        let (from, to) = way;
        let matrix = || {
            let [a, b] = [from, to].map(|node| self.given.node_region.get(node).copied());
            let row = self.given.one_way_us.get(a.unwrap_or(0));
            let delay_us = row.and_then(|row| row.get(b.unwrap_or(0))).copied().unwrap_or(0);
            LinkSettings { delay_us, ..self.given.common }
        };
        let mut link = self.given.odd.get(&way).cloned().unwrap_or_else(matrix);
        for slowed in [from, to].iter().filter_map(|node| self.slowed.get(node)) {
            let factor = slowed.factor.unwrap_or(1.0);
            link.delay_us = (link.delay_us + slowed.more_delay_us).min(LONGEST_DELAY_US);
            link.rate = link.rate.map(|rate| lower(rate, factor));
        }
        if self.even {
            (link.jitter, link.loss) = (0.0, 0.0);
        }
        link.cut = self.cut.contains(&way);
        link
    }

    /// A node's access now.
    #[must_use]
    pub fn access(&self, node: usize) -> AccessSettings {
        let mut access = self.given.access.get(node).cloned().unwrap_or_default();
        if let Some(slowed) = self.slowed.get(&node) {
            let factor = slowed.factor.unwrap_or(1.0);
            access.up = slowed.up.or(access.up.map(|rate| lower(rate, factor)));
            access.down = slowed.down.or(access.down.map(|rate| lower(rate, factor)));
        }
        access
    }

    /// The links over which nothing goes.
    pub fn cut_ways(&self) -> impl Iterator<Item = Way> + '_ {
        self.cut.iter().copied()
    }

    /// The nodes that `node` has a link to.
    pub fn neighbours(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        self.edges.range((node, 0)..(node + 1, 0)).map(|(_, to)| *to)
    }

    /// Whether there is any link between these nodes.
    #[must_use]
    pub fn any_between(&self, from: &[usize], to: &[usize]) -> bool {
        !self.ways(from, to, false).is_empty()
    }

    /// Cuts what goes from any of `from` to any of `to`, and the other way round too unless one way
    /// is asked for. Returns the nodes that must be told.
    pub fn cut(&mut self, from: &[usize], to: &[usize], one_way: bool) -> BTreeSet<usize> {
        let ways = self.ways(from, to, one_way);
        self.change(|links| links.cut.extend(ways))
    }

    /// Mends the links between these nodes, or all; whoever was slowed remains so.
    pub fn heal(&mut self, between: Option<(&[usize], &[usize])>) -> BTreeSet<usize> {
        match between {
            None => self.change(|links| links.cut.clear()),
            Some((a, b)) => {
                let ways = self.ways(a, b, false);
                self.change(|links| links.cut.retain(|way| !ways.contains(way)))
            }
        }
    }

    /// Takes jitter and loss from all links, or gives them back: a median of some round trips could not
    /// be told from what was asked for otherwise.
    pub fn even_out(&mut self, even: bool) -> BTreeSet<usize> {
        self.change(|links| links.even = even)
    }

    /// Slows nodes, or lets them be as they were given.
    pub fn slow(&mut self, nodes: &[usize], slowed: Option<Slowed>) -> BTreeSet<usize> {
        self.change(|links| {
            for node in nodes {
                match slowed {
                    Some(slowed) => drop(links.slowed.insert(*node, slowed)),
                    None => drop(links.slowed.remove(node)),
                }
            }
        })
    }

    /// Everything that a node is to be told, by the place of its neighbours.
    #[must_use]
    pub fn told(&self, node: usize, peer: impl Fn(usize) -> String) -> LabChange {
        let peers = self.neighbours(node).map(|to| (peer(to), self.link((node, to)))).collect();
        LabChange { access: Some(self.access(node)), peers, ..LabChange::default() }
    }

    fn ways(&self, from: &[usize], to: &[usize], one_way: bool) -> BTreeSet<Way> {
        let within = |way: &&Way| from.contains(&way.0) && to.contains(&way.1);
        let back = |way: &&Way| !one_way && from.contains(&way.1) && to.contains(&way.0);
        self.edges.iter().filter(|way| within(way) || back(way)).copied().collect()
    }

    /// Makes a change, and finds out whom it concerns.
    fn change(&mut self, change: impl FnOnce(&mut Self)) -> BTreeSet<usize> {
        let before = self.clone();
        change(self);
        let differs = |way: &&Way| before.link(**way) != self.link(**way);
        let ways = self.edges.iter().filter(differs).map(|(from, _)| *from);
        let accesses =
            (0..self.given.access.len()).filter(|node| before.access(*node) != self.access(*node));
        ways.chain(accesses).collect()
    }
}

/// What a plan gives the links.
pub(super) fn given(plan: &LabPlan) -> Given {
    let link = |(from, to): (usize, usize)| {
        let link = plan.link(from, to);
        LinkSettings {
            delay_us: u64::try_from(link.delay.as_micros()).unwrap_or(u64::MAX),
            jitter: link.jitter,
            rate: link.rate,
            loss: link.loss,
            cut: false,
        }
    };
    let access = |access: &Access| AccessSettings { up: access.up, down: access.down };
    Given {
        common: LinkSettings {
            jitter: plan.jitter,
            rate: plan.link_rate,
            loss: plan.loss,
            ..LinkSettings::default()
        },
        node_region: plan.node_region.clone(),
        one_way_us: plan.one_way_us.clone(),
        odd: plan.links.keys().map(|way| (*way, link(*way))).collect(),
        access: plan.access.iter().map(access).collect(),
    }
}

fn lower(rate: u64, factor: f64) -> u64 {
    ((rate as f64 / factor) as u64).max(LOWEST_RATE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ring of four in two regions: n0 and n1 in one, n2 and n3 in the other.
    fn ring() -> Links {
        let given = Given {
            common: LinkSettings { jitter: 0.1, rate: Some(100_000), ..LinkSettings::default() },
            node_region: vec![0, 0, 1, 1],
            one_way_us: vec![vec![1_000, 40_000], vec![50_000, 2_000]],
            odd: BTreeMap::new(),
            access: vec![AccessSettings { up: Some(500), down: None }; 4],
        };
        Links::new(given, [(0, 1), (1, 2), (2, 3), (0, 3)])
    }

    #[test]
    fn a_link_has_the_delay_between_the_regions_of_its_ends() {
        let links = ring();
        assert_eq!(links.link((0, 1)).delay_us, 1_000);
        assert_eq!(links.link((1, 2)).delay_us, 40_000);
        assert_eq!(links.link((2, 1)).delay_us, 50_000);
        assert_eq!(links.link((2, 1)).jitter, 0.1);
        assert_eq!(links.neighbours(0).collect::<Vec<_>>(), [1, 3]);
    }

    #[test]
    fn a_cut_concerns_both_sides_and_healing_undoes_it() {
        let mut links = ring();
        assert_eq!(links.cut(&[0, 1], &[2, 3], false), BTreeSet::from([0, 1, 2, 3]));
        assert!(links.link((1, 2)).cut && links.link((2, 1)).cut && links.link((0, 3)).cut);
        assert!(!links.link((0, 1)).cut);
        assert_eq!(links.heal(Some((&[0], &[3]))), BTreeSet::from([0, 3]));
        assert!(links.link((1, 2)).cut && !links.link((3, 0)).cut);
        assert_eq!(links.heal(None), BTreeSet::from([1, 2]));
        assert!(links.heal(None).is_empty(), "nothing is left to heal");
    }

    #[test]
    fn a_cut_may_be_one_way() {
        let mut links = ring();
        assert_eq!(links.cut(&[0], &[1], true), BTreeSet::from([0]));
        assert!(links.link((0, 1)).cut && !links.link((1, 0)).cut);
    }

    #[test]
    fn a_slow_node_has_slow_links_both_ways_and_can_be_let_go() {
        let mut links = ring();
        let slowed = Slowed { factor: Some(10.0), more_delay_us: 5, up: Some(7), down: None };
        assert_eq!(links.slow(&[0], Some(slowed)), BTreeSet::from([0, 1, 3]));
        assert_eq!(links.link((0, 1)).delay_us, 1_005);
        assert_eq!(links.link((1, 0)).rate, Some(10_000));
        assert_eq!((links.access(0).up, links.access(1).up), (Some(7), Some(500)));
        assert_eq!(links.link((1, 2)).delay_us, 40_000);
        assert_eq!(links.slow(&[0], None), BTreeSet::from([0, 1, 3]));
        assert_eq!(links.link((0, 1)).delay_us, 1_000);
    }

    #[test]
    fn links_are_evened_out_for_a_while_and_are_as_given_afterwards() {
        let mut links = ring();
        assert_eq!(links.even_out(true).len(), 4);
        assert_eq!(links.link((0, 1)).jitter, 0.0);
        assert_eq!(links.link((0, 1)).delay_us, 1_000);
        assert_eq!(links.even_out(false).len(), 4);
        assert_eq!(links.link((0, 1)).jitter, 0.1);
    }

    #[test]
    fn a_node_is_told_of_its_neighbours_and_of_nobody_else() {
        let told = ring().told(1, |node| format!("peer {node}"));
        assert_eq!(told.peers.keys().collect::<Vec<_>>(), ["peer 0", "peer 2"]);
        assert_eq!(told.access.unwrap().up, Some(500));
    }
}
