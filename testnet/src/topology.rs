//! Who knows whom: the connections of a testnet, as edges between node numbers. Pure, and the same
//! for the same seed.

mod random;
mod shapes;
mod small_world;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

/// The connections of a testnet. But for one that is put together edge by edge, every node can reach
/// every other one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    nodes: usize,
    /// Each with its smaller end first.
    edges: BTreeSet<(usize, usize)>,
}

impl Topology {
    /// Nobody knows anybody yet.
    #[must_use]
    pub fn empty(nodes: usize) -> Self {
        Self { nodes, edges: BTreeSet::new() }
    }

    /// Makes two nodes know each other. Returns whether they did not before.
    pub fn add(&mut self, a: usize, b: usize) -> bool {
        self.edges.insert(edge(a, b))
    }

    /// How many nodes there are.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// The connections, each with its smaller end first, in rising order.
    pub fn edges(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.edges.iter().copied()
    }

    /// Whether two nodes know each other.
    #[must_use]
    pub fn joins(&self, a: usize, b: usize) -> bool {
        self.edges.contains(&edge(a, b))
    }

    /// How many others `node` knows.
    #[must_use]
    pub fn degree(&self, node: usize) -> usize {
        self.edges.iter().filter(|&&(a, b)| a == node || b == node).count()
    }

    /// How many others each node knows.
    #[must_use]
    pub fn degrees(&self) -> Vec<usize> {
        let mut degrees = vec![0; self.nodes];
        for &(a, b) in &self.edges {
            degrees[a] += 1;
            degrees[b] += 1;
        }
        degrees
    }

    /// Whom `node` dials. Of the two ends of an edge one dials, so that there is one connection;
    /// and which one alternates, so that nodes dial about as often as they are dialled.
    pub fn dials(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        self.edges.iter().filter_map(move |&(a, b)| {
            let (from, to) = if (a + b) % 2 == 0 { (a, b) } else { (b, a) };
            (from == node).then_some(to)
        })
    }

    /// The nodes that node 0 cannot reach, in rising order.
    #[must_use]
    pub fn unreachable(&self) -> Vec<usize> {
        let mut neighbours = vec![Vec::new(); self.nodes];
        for &(a, b) in &self.edges {
            neighbours[a].push(b);
            neighbours[b].push(a);
        }
        let mut reached = vec![false; self.nodes];
        let mut open: Vec<usize> = (0..self.nodes.min(1)).collect();
        while let Some(node) = open.pop() {
            if !std::mem::replace(&mut reached[node], true) {
                open.append(&mut neighbours[node]);
            }
        }
        (0..self.nodes).filter(|&node| !reached[node]).collect()
    }
}

fn edge(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}
