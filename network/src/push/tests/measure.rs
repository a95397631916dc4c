//! What a simulation measures.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::Duration;

use rand::RngExt;

use super::sim::{CHECK, Fate, JITTER, Sim};
use crate::push::{Router, Traffic};

impl Sim {
    /// What went over all connections.
    pub(super) fn traffic(&self) -> Traffic {
        let open = self
            .nodes
            .iter()
            .flat_map(|node| node.peers().map(|peer| node.stats(&peer).sent).collect::<Vec<_>>());
        open.chain(self.past.iter().copied()).fold(Traffic::default(), |sum, it| Traffic {
            frames: sum.frames + it.frames,
            pushed: sum.pushed + it.pushed,
            pushed_bytes: sum.pushed_bytes + it.pushed_bytes,
            asked: sum.asked + it.asked,
            asked_bytes: sum.asked_bytes + it.asked_bytes,
            duplicates: 0,
            announced: sum.announced + it.announced,
            wanted: sum.wanted + it.wanted,
            turns: sum.turns + it.turns,
            beacons: sum.beacons + it.beacons,
            control_bytes: sum.control_bytes + it.control_bytes,
            beacon_bytes: sum.beacon_bytes + it.beacon_bytes,
        })
    }

    /// When each node would have had each message, had every node passed it on over every link: with
    /// delays drawn anew for each.
    pub(super) fn flooded(&mut self) -> Vec<Duration> {
        let mut links: Vec<Vec<(usize, Duration)>> = vec![Vec::new(); self.nodes.len()];
        for ((a, b), line) in &self.lines {
            links[*a].push((*b, line.delay));
            links[*b].push((*a, line.delay));
        }
        let mut latencies = Vec::new();
        for fate in self.fates.values() {
            let mut best: BTreeMap<usize, Duration> = BTreeMap::new();
            let mut open = BinaryHeap::from([Reverse((Duration::ZERO, fate.origin))]);
            while let Some(Reverse((at, node))) = open.pop() {
                if best.contains_key(&node) {
                    continue;
                }
                best.insert(node, at);
                let check = if node == fate.origin { Duration::ZERO } else { CHECK };
                for (other, delay) in &links[node] {
                    let jitter = 1.0 + self.random.random_range(-JITTER..JITTER);
                    open.push(Reverse((at + check + delay.mul_f64(jitter), *other)));
                }
            }
            latencies.extend(best.into_iter().filter(|it| it.0 != fate.origin).map(|it| it.1));
        }
        latencies
    }

    /// Deliveries to these nodes of messages that these introduced, and how many there should be.
    pub(super) fn coverage(&self, nodes: &BTreeSet<usize>) -> (usize, usize) {
        let fates = self.fates.values().filter(|fate| nodes.contains(&fate.origin));
        let had = |fate: &Fate| fate.arrived.keys().filter(|it| nodes.contains(it)).count();
        fates.fold((0, 0), |(got, all), fate| (got + had(fate), all + nodes.len() - 1))
    }

    pub(super) fn latencies(&self) -> Vec<Duration> {
        let fates = self.fates.values();
        fates.flat_map(|fate| fate.arrived.values().map(move |at| *at - fate.at)).collect()
    }

    pub(super) fn copies(&self) -> f64 {
        let copies: u64 = self.fates.values().map(|fate| fate.copies).sum();
        copies as f64 / (self.fates.len() * (self.nodes.len() - 1)) as f64
    }

    pub(super) fn unjudged(&self) -> usize {
        let of =
            |node: &Router<usize>| node.peers().map(|peer| node.unjudged(&peer)).sum::<usize>();
        self.nodes.iter().map(of).sum()
    }
}

/// The quantile of some times, in milliseconds.
pub(super) fn quantile(mut times: Vec<Duration>, at: f64) -> f64 {
    times.sort();
    let index = ((times.len() as f64 * at) as usize).min(times.len().saturating_sub(1));
    times.get(index).map_or(0.0, |it| it.as_secs_f64() * 1e3)
}
