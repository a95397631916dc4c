//! Push gossip as the textbook has it, worked out exactly. Pure.
//!
//! One of n nodes knows something. In each round every node that knows tells k others, chosen anew at random
//! from all others, each choice with the same chance and none twice. How many know after a round depends on
//! how many knew before and on nothing else, so this is a Markov chain, and its distribution follows round
//! by round without any approximation. The asymptotic result for k = 1 is log2 n + ln n rounds until all
//! know (B. Pittel, "On Spreading a Rumor", SIAM Journal on Applied Mathematics 47 (1987), 213–223).
//!
//! A gossip protocol on a network differs from it in this: a node tells what it heard once, in the round after
//! it heard it, and not in each round; it tells its mesh, which is drawn once and by both ends, so that two
//! nodes tell each other and a mesh of "three" has from two to six; and it does not tell whoever told it. So
//! fewer hear of it in late rounds, and if the mesh were not connected some never would: the mesh is mended,
//! and announcements reach the rest.

/// More nodes than these take longer to work out than anybody waits: the chain has a row for each.
const MOST_NODES: usize = 500;

/// Rounds at most: with one target and 500 nodes the chance that all do not know by then is below anything
/// that a float can tell from 0.
const MOST_ROUNDS: usize = 1_000;

/// The chain for n nodes and k targets.
#[derive(Clone, Debug)]
pub struct PushGossip {
    nodes: usize,
    /// `rows[m][h]`: the chance that h more know after a round if m knew before, for m from 1.
    rows: Vec<Vec<f64>>,
}

impl PushGossip {
    /// For `nodes` that tell `targets` others each; none of fewer than two nodes, of more than 500, and
    /// without a target. Whoever has fewer others than targets tells all of them.
    #[must_use]
    pub fn new(nodes: usize, targets: usize) -> Option<Self> {
        if !(2..=MOST_NODES).contains(&nodes) || targets == 0 {
            return None;
        }
        let hits = hits(nodes - 1, targets.min(nodes - 1));
        let rows = (0..=nodes).map(|knew| row(knew, nodes - knew, &hits)).collect();
        Some(Self { nodes, rows })
    }

    /// The distribution of how many know, round by round from 0, until all do but for a float's last digits.
    fn states(&self) -> impl Iterator<Item = Vec<f64>> + '_ {
        let mut first = vec![0.0; self.nodes + 1];
        first[1] = 1.0;
        let next =
            |state: &Vec<f64>| (1.0 - state[self.nodes] > f64::EPSILON).then(|| self.step(state));
        std::iter::successors(Some(first), next).take(MOST_ROUNDS)
    }

    fn step(&self, state: &[f64]) -> Vec<f64> {
        let mut next = vec![0.0; state.len()];
        for (knew, chance) in state.iter().enumerate().filter(|(_, chance)| **chance > 0.0) {
            for (more, moves) in self.rows[knew].iter().enumerate() {
                next[knew + more] += chance * moves;
            }
        }
        next
    }

    /// How many hear of it in each round, on average, from round 1 on, as long as more than `rare` do.
    #[must_use]
    pub fn heard_by_round(&self, rare: f64) -> Vec<f64> {
        let know = |state: Vec<f64>| -> f64 {
            state.iter().zip(0_u32..).map(|(chance, know)| chance * f64::from(know)).sum()
        };
        let known: Vec<f64> = self.states().map(know).collect();
        let heard = known.windows(2).map(|pair| pair[1] - pair[0]);
        heard.take_while(|heard| *heard > rare).collect()
    }

    /// Rounds until all know, on average: the sum of the chances that not all know yet.
    #[must_use]
    pub fn rounds_until_all(&self) -> f64 {
        self.states().map(|state| 1.0 - state[self.nodes]).sum()
    }
}

/// `hits[u][h]`: the chance that of `targets` drawn from `others` without repetition h are among u given
/// ones (the hypergeometric distribution), drawn one after the other.
fn hits(others: usize, targets: usize) -> Vec<Vec<f64>> {
    let of = |given: usize| {
        let mut chances = vec![1.0];
        for drawn in 0..targets {
            let left = (others - drawn) as f64;
            let mut next = vec![0.0; chances.len() + 1];
            for (hit, chance) in chances.iter().enumerate() {
                // Of those left to draw from, so many are among the given ones.
                let among = given.saturating_sub(hit) as f64 / left;
                next[hit] += chance * (1.0 - among).max(0.0);
                next[hit + 1] += chance * among.min(1.0);
            }
            chances = next;
        }
        chances.truncate(given.min(targets) + 1);
        chances
    };
    (0..=others).map(of).collect()
}

/// How many of `ignorant` hear of it in a round in which `knew` tell it: each in its turn may hit those whom
/// nobody before it has told in this round.
fn row(knew: usize, ignorant: usize, hits: &[Vec<f64>]) -> Vec<f64> {
    let mut told = vec![0.0; ignorant + 1];
    told[0] = 1.0;
    for _ in 0..knew {
        let mut next = vec![0.0; ignorant + 1];
        for (already, chance) in told.iter().enumerate().filter(|(_, chance)| **chance > 0.0) {
            let Some(hits) = hits.get(ignorant - already) else { continue };
            for (more, hit) in hits.iter().enumerate() {
                next[already + more] += chance * hit;
            }
        }
        told = next;
    }
    told
}

#[cfg(test)]
mod tests {
    use rand::rngs::ChaCha8Rng;
    use rand::seq::index;
    use rand::{RngExt, SeedableRng};

    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn the_chances_of_each_row_add_up_to_one() {
        for (nodes, targets) in [(2, 1), (4, 3), (10, 3), (10, 20), (60, 1), (60, 7)] {
            let chain = PushGossip::new(nodes, targets).unwrap();
            for (knew, row) in chain.rows.iter().enumerate() {
                assert!(near(row.iter().sum(), 1.0), "{nodes} {targets} {knew}: {row:?}");
                assert_eq!(row.len(), nodes - knew + 1);
            }
        }
    }

    #[test]
    fn small_cases_by_hand() {
        for (nodes, targets) in [(2, 1), (4, 3), (9, 100)] {
            let chain = PushGossip::new(nodes, targets).unwrap();
            assert!(near(chain.rounds_until_all(), 1.0));
            assert_eq!(chain.heard_by_round(0.001), [(nodes - 1) as f64]);
        }
        // Three nodes and one target: the first tells one. Then each of the two tells the third with a
        // chance of a half, so that it hears with 3/4 a round: 1 + 4/3 rounds in all.
        let chain = PushGossip::new(3, 1).unwrap();
        assert!(near(chain.rounds_until_all(), 7.0 / 3.0));
        let heard = chain.heard_by_round(0.05);
        assert!(near(heard[0], 1.0) && near(heard[1], 0.75) && near(heard[2], 0.1875));
        assert_eq!(heard.len(), 3);
        // Four and two: the first tells two of three. The last hears unless all three pass it by, each with
        // a chance of a third: 1 + 1 / (1 - 1/27).
        let chain = PushGossip::new(4, 2).unwrap();
        assert!(near(chain.rounds_until_all(), 1.0 + 27.0 / 26.0));
        assert!(PushGossip::new(1, 1).is_none() && PushGossip::new(5, 0).is_none());
        assert!(PushGossip::new(MOST_NODES + 1, 1).is_none());
    }

    #[test]
    fn everyone_hears_of_it_once() {
        let chain = PushGossip::new(10, 3).unwrap();
        assert!((chain.heard_by_round(1e-12).iter().sum::<f64>() - 9.0).abs() < 1e-6);
        assert!(near(chain.heard_by_round(0.001)[0], 3.0));
    }

    #[test]
    fn with_one_target_it_is_as_long_as_pittel_says() {
        let nodes = 300_usize;
        let chain = PushGossip::new(nodes, 1).unwrap();
        let says = (nodes as f64).log2() + (nodes as f64).ln();
        // His result is up to a constant.
        assert!((chain.rounds_until_all() - says).abs() < 1.5, "{}", chain.rounds_until_all());
    }

    #[test]
    fn a_simulation_agrees() {
        let (nodes, targets, runs) = (10, 3, 4_000);
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut rounds = 0_u32;
        for _ in 0..runs {
            let mut knows = vec![false; nodes];
            knows[rng.random_range(0..nodes)] = true;
            while knows.contains(&false) {
                rounds += 1;
                for teller in (0..nodes).filter(|node| knows.clone()[*node]).collect::<Vec<_>>() {
                    for other in index::sample(&mut rng, nodes - 1, targets) {
                        knows[if other < teller { other } else { other + 1 }] = true;
                    }
                }
            }
        }
        let chain = PushGossip::new(nodes, targets).unwrap();
        let mean = f64::from(rounds) / f64::from(runs);
        assert!((mean - chain.rounds_until_all()).abs() < 0.05, "{mean}");
    }
}
