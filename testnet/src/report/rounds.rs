//! The textbook's network: how far transactions came in each round, beside what theory expects of it.

use serde::{Deserialize, Serialize};

use super::json::Report;
use super::manifest::Manifest;
use super::run::Run;
use super::tree::Tree;
use super::window::Counted;
use super::words::fixed;
use crate::push_gossip::PushGossip;

/// Rounds in which fewer than this are expected to hear are not told: with two digits they are 0.
const RARE: f64 = 0.005;

/// Rounds, in a network where everyone may be chosen by everyone. Round 1 is the first in which anybody
/// hears of a transaction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rounds {
    /// Nodes.
    pub nodes: u64,
    /// To how many others each node pushes.
    pub fanout: u64,
    /// Per round, how many nodes heard of a transaction in it, on average over transactions: the hops of
    /// its first copy. Measured.
    pub measured: Vec<f64>,
    /// The same of push gossip as the textbook has it, where each node that knows tells `fanout` others,
    /// chosen anew at random in each round. By theory.
    pub expected: Vec<f64>,
    /// Rounds until all know, on average over transactions that reached all. Measured.
    pub until_all: Option<f64>,
    /// The same by theory.
    pub until_all_expected: Option<f64>,
}

impl Rounds {
    /// Of the transactions in `counted`; `None` when the network is not the textbook's, or there is none.
    pub(crate) fn of(run: &Run, manifest: &Manifest, counted: &[Counted<'_>]) -> Option<Self> {
        let (nodes, fanout) = (manifest.nodes.len(), manifest.fanout?);
        let theory = PushGossip::new(nodes, usize::try_from(fanout).ok()?)?;
        let mut heard: Vec<u64> = Vec::new();
        let mut lasts = Vec::new();
        for one in counted {
            let tree = Tree::of(run, one.message);
            let hops = one.deliveries().filter_map(|(node, _)| tree.depth(node));
            let hops: Vec<usize> =
                hops.filter(|hops| *hops > 0).map(|hops| hops as usize).collect();
            for &hop in &hops {
                if heard.len() < hop {
                    heard.resize(hop, 0);
                }
                heard[hop - 1] += 1;
            }
            if hops.len() + 1 == nodes {
                lasts.extend(hops.iter().max().map(|last| *last as f64));
            }
        }
        let mean = |sum: f64, of: usize| sum / of as f64;
        let measured = heard.iter().map(|count| mean(*count as f64, counted.len())).collect();
        let until_all = (!lasts.is_empty()).then(|| mean(lasts.iter().sum(), lasts.len()));
        (!counted.is_empty()).then(|| Rounds {
            nodes: nodes as u64,
            fanout,
            measured,
            expected: theory.heard_by_round(RARE),
            until_all,
            until_all_expected: Some(theory.rounds_until_all()),
        })
    }
}

impl Report {
    /// Rounds, measured beside expected.
    pub(super) fn push_rounds(&self) -> Vec<String> {
        let Some(rounds) = &self.rounds else { return Vec::new() };
        let told = |heard: &[f64]| {
            let rounds = heard.iter().zip(1..).map(|(heard, round)| format!("{round}: {heard:.2}"));
            rounds.collect::<Vec<_>>().join(", ")
        };
        let Rounds { nodes, fanout, measured, expected, until_all, until_all_expected } = rounds;
        vec![
            format!("rounds measured  {}; all know after {}", told(measured), fixed(*until_all, 2)),
            format!(
                "rounds expected  {}; all know after {} (each of {nodes} that knows tells {fanout} at \
                 random, in each round anew; a node here tells its mesh, once)",
                told(expected),
                fixed(*until_all_expected, 2)
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use hearsay_node::trace::event::Kind::Tx;
    use serde_json::json;

    use super::super::testing::Lab;

    /// Of four nodes n0 tells n1 and n2, and n2 tells n3.
    fn told() -> Lab {
        let mut lab = Lab::new(4);
        lab.publish("n0", 2_000_000, Tx, 0xaa);
        for (node, from, at) in [("n1", "n0", 10), ("n2", "n0", 10), ("n3", "n2", 20)] {
            lab.receive(node, 2_000_000 + at * 1_000, Tx, 0xaa, from);
        }
        lab
    }

    #[test]
    fn the_rounds_are_the_hops_of_first_copies_and_lie_beside_the_expected_ones() {
        let mut lab = told();
        let nodes: Vec<_> = (0..4).map(|node| json!({"name": format!("n{node}")})).collect();
        lab.manifest(&json!({"fanout": 2, "nodes": nodes}).to_string());
        let report = lab.report();
        let rounds = report.rounds.clone().unwrap();
        assert_eq!((rounds.nodes, rounds.fanout, rounds.until_all), (4, 2, Some(2.0)));
        assert_eq!(rounds.measured, [2.0, 1.0]);
        // The last one is missed by all three with 1/27.
        let expected = [2.0, 26.0 / 27.0, 26.0 / 729.0];
        assert!(rounds.expected.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9));
        let text = report.to_text();
        assert!(text.contains("rounds measured  1: 2.00, 2: 1.00; all know after 2.00"), "{text}");
        assert!(text.contains("rounds expected  1: 2.00, 2: 0.96, 3: 0.04; all know after 2.04"));
    }

    #[test]
    fn another_network_has_none() {
        assert_eq!(told().report().rounds, None);
    }
}
