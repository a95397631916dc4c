//! The textbook's network: how far transactions came in each round, beside what theory expects of it.

use serde::{Deserialize, Serialize};

use super::json::Report;
use super::manifest::Manifest;
use super::run::Run;
use super::tree::Tree;
use super::window::Counted;
use super::words::fixed;
use crate::push_gossip::PushGossip;

/// Chances below this are no longer told: such a round is expected in one of a thousand runs.
const RARE: f64 = 0.001;

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
