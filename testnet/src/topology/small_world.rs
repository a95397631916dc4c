//! Small worlds, after Watts and Strogatz, "Collective dynamics of small-world networks", Nature 393
//! (1998): a ring in which everyone knows its nearest, some of whose edges lead elsewhere.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::{Topology, edge};

impl Topology {
    /// A ring in which each node knows the `degree` nearest, half of them on either side; then each
    /// edge keeps its near end and, with the chance `rewire`, gets another far end, drawn from
    /// those that its near end does not know. There are as many edges as before.
    ///
    /// Unlike the model, which may fall apart, an edge stays where it is when taking it away would
    /// leave some node unreachable. An odd degree is taken as the even one below, and one of
    /// `nodes - 1` or more gives [`Topology::full`].
    #[must_use]
    pub fn small_world(nodes: usize, degree: usize, rewire: f64, seed: u64) -> Self {
        if degree + 1 >= nodes {
            return Self::full(nodes);
        }
        let mut graph = Self::empty(nodes);
        let near = |step: usize| (0..nodes).map(move |node| (node, (node + step) % nodes));
        let ring: Vec<_> = (1..=(degree / 2).max(1)).flat_map(near).collect();
        graph.edges.extend(ring.iter().map(|&(a, b)| edge(a, b)));
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for (a, b) in ring {
            if rng.random::<f64>() < rewire {
                graph.rewire(a, b, &mut rng);
            }
        }
        graph
    }

    /// Leads the edge from `a` to `b` to another node instead.
    fn rewire(&mut self, a: usize, b: usize, rng: &mut ChaCha8Rng) {
        let strange = |&node: &usize| node != a && !self.joins(a, node);
        let strangers: Vec<_> = (0..self.nodes).filter(strange).collect();
        if strangers.is_empty() {
            return;
        }
        let to = strangers[rng.random_range(0..strangers.len())];
        self.edges.remove(&edge(a, b));
        self.add(a, to);
        if !self.unreachable().is_empty() {
            self.edges.remove(&edge(a, to));
            self.add(a, b);
        }
    }
}
