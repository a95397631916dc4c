//! Random graphs of a given degree.

use std::collections::BTreeSet;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

use super::{Topology, edge};

/// A random graph is drawn this often at most, and the one with the most edges is taken: a drawing
/// ends early when the nodes that still lack edges all know each other already.
const DRAWINGS: usize = 64;

impl Topology {
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
}
