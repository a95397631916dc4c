//! The shortest paths that the links as asked for allow: what an ideal protocol would need.
//!
//! The delay of a link is what the shape says for the regions of its two ends, one way, or for the
//! link itself; jitter, rates and what the scenario changed on the way are not part of it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::manifest::Manifest;
use super::run::{NodeIx, Run};
use super::shape::Shape;
use super::spread::Stretch;
use super::stats::Pair;
use super::window::Counted;

/// Regions and delays of a run's nodes.
#[derive(Debug)]
pub(crate) struct Shortest<'a> {
    /// What was asked for.
    pub(crate) shape: &'a Shape,
    /// The region of each node of the run; `None` of one that the manifest does not know.
    pub(crate) regions: Vec<Option<usize>>,
    neighbours: Vec<Vec<NodeIx>>,
    /// Per node, the delays of its links that differ from what the regions say.
    odd: Vec<BTreeMap<NodeIx, u64>>,
    /// The least sum of delays between regions, over regions that have a node.
    full: Vec<Vec<u64>>,
}

impl<'a> Shortest<'a> {
    /// Of the nodes of `run`; `None` when the manifest has no shape.
    pub(crate) fn of(run: &Run, manifest: &'a Manifest) -> Option<Self> {
        let shape = manifest.shape.as_ref()?;
        let mut regions = vec![None; run.nodes.len()];
        for (entry, &region) in manifest.nodes.iter().zip(&shape.node_region) {
            if let Some(node) = run.node_named(&entry.name) {
                regions[node] = Some(region);
            }
        }
        let mut neighbours = vec![Vec::new(); run.nodes.len()];
        for [one, other] in &manifest.edges {
            if let (Some(one), Some(other)) = (run.node_named(one), run.node_named(other)) {
                neighbours[one].push(other);
                neighbours[other].push(one);
            }
        }
        let mut odd = vec![BTreeMap::new(); run.nodes.len()];
        for link in &shape.links {
            let ends = (run.node_named(&link.from), run.node_named(&link.to));
            if let (Some(from), Some(to)) = ends {
                odd[from].insert(to, link.delay_us);
            }
        }
        let full = full(shape, &regions);
        Some(Shortest { shape, regions, neighbours, odd, full })
    }

    /// Latency over the shortest path, over the deliveries of `counted`.
    pub(crate) fn stretch(&self, counted: &[Counted<'_>]) -> Stretch {
        let (mut connections, mut full) = (Vec::new(), Vec::new());
        let mut by_origin: Vec<Option<[Vec<Option<u64>>; 2]>> = vec![None; self.regions.len()];
        for one in counted {
            let origin = one.origin;
            let [paths, all] =
                by_origin[origin].get_or_insert_with(|| [self.from(origin), self.over_all(origin)]);
            for (node, receipt) in one.deliveries() {
                let over = |delay: Option<u64>| {
                    let delay = delay.filter(|&delay| delay > 0)?;
                    Some(one.since(receipt.at) as f64 / delay as f64)
                };
                connections.extend(over(paths[node]));
                full.extend(over(all[node]));
            }
        }
        Stretch { connections: Pair::of(connections), full: Pair::of(full) }
    }

    /// The least sums of delays from one node to every other if all were connected to all.
    fn over_all(&self, origin: NodeIx) -> Vec<Option<u64>> {
        if self.odd.iter().any(|odd| !odd.is_empty()) {
            return self.dense(origin);
        }
        let direct = |to: &Option<usize>| Some(self.full[self.regions[origin]?][(*to)?]);
        self.regions.iter().map(direct).collect()
    }

    /// The same where links differ, so that regions do not say it all (E. W. Dijkstra's algorithm
    /// in its first form, without a heap: all nodes are neighbours).
    fn dense(&self, origin: NodeIx) -> Vec<Option<u64>> {
        let mut least: Vec<Option<u64>> = vec![None; self.regions.len()];
        let mut done = vec![false; self.regions.len()];
        least[origin] = Some(0);
        loop {
            let open = (0..least.len()).filter(|&node| !done[node]);
            let next = open.filter_map(|node| Some((least[node]?, node))).min();
            let Some((sum, node)) = next else { return least };
            done[node] = true;
            for to in (0..least.len()).filter(|&to| !done[to]) {
                let by = self.delay(node, to).map(|delay| sum.saturating_add(delay));
                least[to] = [least[to], by].into_iter().flatten().min();
            }
        }
    }

    /// The delay of the link from one node to another.
    pub(crate) fn delay(&self, from: NodeIx, to: NodeIx) -> Option<u64> {
        if let Some(&odd) = self.odd[from].get(&to) {
            return Some(odd);
        }
        Some(self.shape.one_way_us[self.regions[from]?][self.regions[to]?])
    }

    /// The least sums of delays from one node to every other over the connections.
    fn from(&self, origin: NodeIx) -> Vec<Option<u64>> {
        let mut least = vec![None; self.regions.len()];
        let mut waiting = BinaryHeap::from([Reverse((0, origin))]);
        while let Some(Reverse((sum, node))) = waiting.pop() {
            if least[node].is_some() {
                continue;
            }
            least[node] = Some(sum);
            for &next in self.neighbours[node].iter().filter(|&&next| least[next].is_none()) {
                if let Some(delay) = self.delay(node, next) {
                    waiting.push(Reverse((sum + delay, next)));
                }
            }
        }
        least
    }
}

/// The least sums between all regions (R. W. Floyd's algorithm 97). A detour by another region can
/// be shorter than the direct way, as measured matrices do not keep to the triangle inequality; it
/// needs a node there.
fn full(shape: &Shape, regions: &[Option<usize>]) -> Vec<Vec<u64>> {
    let mut least = shape.one_way_us.clone();
    for by in 0..least.len() {
        if !regions.contains(&Some(by)) {
            continue;
        }
        for from in 0..least.len() {
            for to in 0..least.len() {
                let detour = least[from][by].saturating_add(least[by][to]);
                least[from][to] = least[from][to].min(detour);
            }
        }
    }
    least
}
