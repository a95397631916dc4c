//! Topologies of a plain shape.

use super::{Topology, edge};

impl Topology {
    /// Everyone knows everyone.
    #[must_use]
    pub fn full(nodes: usize) -> Self {
        let edges = (0..nodes).flat_map(|a| (a + 1..nodes).map(move |b| (a, b))).collect();
        Self { nodes, edges }
    }

    /// Each knows the one before and the one after it.
    #[must_use]
    pub fn line(nodes: usize) -> Self {
        Self { nodes, edges: (1..nodes).map(|node| (node - 1, node)).collect() }
    }

    /// A line whose ends know each other; of fewer than three nodes, the line.
    #[must_use]
    pub fn ring(nodes: usize) -> Self {
        let mut ring = Self::line(nodes);
        if nodes > 2 {
            ring.add(0, nodes - 1);
        }
        ring
    }

    /// Everyone knows the hub, and nobody else.
    #[must_use]
    pub fn star(nodes: usize, hub: usize) -> Self {
        let others = (0..nodes).filter(|&node| node != hub);
        Self { nodes, edges: others.map(|node| edge(hub, node)).collect() }
    }

    /// Two clusters, the first of `size` nodes, each a random graph of a degree (or
    /// [full](Self::full), if the degree is as large as that), and one link between them: from the
    /// last node of the first to the first of the second.
    ///
    /// # Panics
    /// One of the clusters would be empty.
    #[must_use]
    pub fn bridge(nodes: usize, size: usize, degree: usize, seed: u64) -> Self {
        assert!((1..nodes).contains(&size), "{nodes} nodes, of which {size} in the first cluster");
        let first = Self::random(size, degree, seed);
        // Clusters of one size are to be two drawings.
        let second = Self::random(nodes - size, degree, seed.wrapping_add(1));
        let shifted = second.edges.into_iter().map(|(a, b)| (a + size, b + size));
        let edges = first.edges.into_iter().chain(shifted).chain([(size - 1, size)]).collect();
        Self { nodes, edges }
    }
}
