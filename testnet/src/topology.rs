//! Who knows whom: the connections of a testnet, as edges between node numbers. Pure, and the same
//! for the same seed.

use std::collections::BTreeSet;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

/// A random graph is drawn this often at most, and the one with the most edges is taken: a drawing
/// ends early when the nodes that still lack edges all know each other already.
const DRAWINGS: usize = 64;

/// The connections of a testnet. Every node can reach every other one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    nodes: usize,
    /// Each with its smaller end first.
    edges: BTreeSet<(usize, usize)>,
}

impl Topology {
    /// Everyone knows everyone.
    #[must_use]
    pub fn full(nodes: usize) -> Self {
        let edges = (0..nodes).flat_map(|a| (a + 1..nodes).map(move |b| (a, b))).collect();
        Self { nodes, edges }
    }

    /// Each node knows `degree` others at most, drawn at random: a ring through all nodes, which
    /// makes the graph connected, and then as many more edges as the degree leaves room for.
    ///
    /// A degree of less than two is taken as two, since nodes in a row of which each knows one
    /// other are not connected; one of `nodes - 1` or more gives [`Topology::full`].
    #[must_use]
    pub fn random(nodes: usize, degree: usize, seed: u64) -> Self {
        let degree = degree.max(2);
        if degree + 1 >= nodes {
            return Self::full(nodes);
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let most = nodes * degree / 2;
        let mut best = Self { nodes, edges: BTreeSet::new() };
        for _ in 0..DRAWINGS {
            let drawn = Self::draw(nodes, degree, &mut rng);
            if drawn.edges.len() > best.edges.len() {
                best = drawn;
            }
            if best.edges.len() == most {
                break;
            }
        }
        best
    }

    fn draw(nodes: usize, degree: usize, rng: &mut ChaCha8Rng) -> Self {
        let mut ring: Vec<usize> = (0..nodes).collect();
        ring.shuffle(rng);
        let next = ring.iter().cycle().skip(1);
        let mut edges: BTreeSet<_> = ring.iter().zip(next).map(|(&a, &b)| edge(a, b)).collect();
        let mut free = vec![degree - 2; nodes];
        let mut others: Vec<_> = Self::full(nodes).edges.difference(&edges).copied().collect();
        others.shuffle(rng);
        for (a, b) in others {
            if free[a] > 0 && free[b] > 0 {
                free[a] -= 1;
                free[b] -= 1;
                edges.insert((a, b));
            }
        }
        Self { nodes, edges }
    }

    /// How many nodes there are.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// The connections, each with its smaller end first.
    pub fn edges(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.edges.iter().copied()
    }

    /// How many others `node` knows.
    #[must_use]
    pub fn degree(&self, node: usize) -> usize {
        self.edges.iter().filter(|&&(a, b)| a == node || b == node).count()
    }

    /// Whom `node` dials. Of the two ends of an edge one dials, so that there is one connection;
    /// and which one alternates, so that nodes dial about as often as they are dialled.
    pub fn dials(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        self.edges.iter().filter_map(move |&(a, b)| {
            let (from, to) = if (a + b) % 2 == 0 { (a, b) } else { (b, a) };
            (from == node).then_some(to)
        })
    }
}

fn edge(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reachable(topology: &Topology) -> usize {
        let (mut seen, mut open) = (BTreeSet::from([0]), vec![0]);
        while let Some(node) = open.pop() {
            for (a, b) in topology.edges() {
                let other = if a == node {
                    b
                } else if b == node {
                    a
                } else {
                    continue;
                };
                if seen.insert(other) {
                    open.push(other);
                }
            }
        }
        seen.len()
    }

    proptest! {
        #[test]
        fn every_node_reaches_every_other(nodes in 1..40usize, degree in 0..45usize, seed: u64) {
            prop_assert_eq!(reachable(&Topology::random(nodes, degree, seed)), nodes);
        }

        #[test]
        fn no_node_knows_more_others_than_the_degree_and_hardly_one_knows_fewer(
            nodes in 4..40usize, degree in 2..12usize, seed: u64,
        ) {
            let topology = Topology::random(nodes, degree, seed);
            let degree = degree.min(nodes - 1);
            let degrees: Vec<_> = (0..nodes).map(|node| topology.degree(node)).collect();
            prop_assert!(degrees.iter().all(|&found| (2..=degree).contains(&found)));
            let missing: usize = degrees.iter().map(|found| degree - found).sum();
            prop_assert!(missing <= 2, "{degrees:?}");
        }

        #[test]
        fn each_connection_is_dialled_from_one_end(nodes in 1..30usize, seed: u64) {
            let topology = Topology::random(nodes, 5, seed);
            let dialled: Vec<_> = (0..nodes)
                .flat_map(|from| topology.dials(from).map(move |to| edge(from, to)))
                .collect();
            prop_assert_eq!(dialled.len(), topology.edges.len());
            prop_assert_eq!(dialled.into_iter().collect::<BTreeSet<_>>(), topology.edges);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_graph_and_another_seed_another() {
        assert_eq!(Topology::random(20, 6, 7), Topology::random(20, 6, 7));
        assert_ne!(Topology::random(20, 6, 7), Topology::random(20, 6, 8));
    }

    #[test]
    fn one_node_knows_nobody_and_a_few_know_everyone() {
        assert_eq!(Topology::random(1, 6, 1).edges().count(), 0);
        assert_eq!(Topology::random(2, 1, 1).edges().collect::<Vec<_>>(), [(0, 1)]);
        assert_eq!(Topology::random(5, 6, 1), Topology::full(5));
        assert_eq!(Topology::full(5).edges().count(), 10);
    }
}
