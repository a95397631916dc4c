//! The nodes one by one: where they stood, when they ran, and how late they woke up.

use serde::{Deserialize, Serialize};

use super::lag;
use super::manifest::Manifest;
use super::run::{NodeIx, Run};
use super::shape::Access;
use super::window::{Counted, Window};

/// One node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeFigures {
    /// Its name.
    pub name: String,
    /// Its region, when the manifest says.
    pub region: Option<String>,
    /// What it may send and receive as a whole; absent when it is not limited. Modelled.
    pub access: Option<Access>,
    /// The runs of its process, in order.
    pub lives: Vec<LifeSpan>,
    /// Whether it is expected to have everything: it ran without a break from the beginning to the
    /// end of the window.
    pub throughout: bool,
    /// Payload copies that it received of messages that count: first ones …
    pub first_copies: u64,
    /// … and all others.
    pub redundant_copies: u64,
    /// The 99th percentile of its scheduler's lag in the window, in microseconds, or a little more.
    pub lag_p99_us: Option<u64>,
    /// The greatest lag in the window.
    pub lag_max_us: Option<u64>,
    /// Seconds of processor time, when the manifest says.
    pub cpu_s: Option<f64>,
}

/// One run of a node's process, in microseconds since the Unix epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LifeSpan {
    /// Its first line.
    pub from_us: i64,
    /// Its last line, or when it was killed if the manifest says.
    pub until_us: i64,
    /// Whether it ended before the logs do without a stop line.
    pub killed: bool,
}

impl NodeFigures {
    /// Of all nodes, over the messages of both kinds that count.
    pub(crate) fn of(
        run: &Run,
        manifest: &Manifest,
        window: &Window,
        txs: &[Counted<'_>],
        blocks: &[Counted<'_>],
    ) -> Vec<Self> {
        let mut figures: Vec<_> =
            (0..run.nodes.len()).map(|node| figures(run, manifest, window, node)).collect();
        for (node, seen) in txs.iter().chain(blocks).flat_map(Counted::places) {
            let first = u64::from(seen.delivered().is_some());
            figures[node].first_copies += first;
            figures[node].redundant_copies += seen.copies() - first;
        }
        figures
    }
}

fn figures(run: &Run, manifest: &Manifest, window: &Window, node: NodeIx) -> NodeFigures {
    let log = &run.nodes[node];
    let entry = manifest.nodes.iter().find(|entry| entry.name == log.name);
    let entry = entry.cloned().unwrap_or_default();
    let (lag_p99_us, lag_max_us) = lag::of_node(run, window, node);
    let life = |life: &super::run::Life| LifeSpan {
        from_us: life.start,
        until_us: life.end.unwrap_or(life.last),
        killed: life.killed(),
    };
    NodeFigures {
        name: log.name.clone(),
        region: log.region.clone(),
        access: entry.access,
        lives: log.lives.iter().map(life).collect(),
        throughout: run.ran(node, window.from_us, window.until_us),
        lag_p99_us,
        lag_max_us,
        cpu_s: entry.cpu_s,
        ..NodeFigures::default()
    }
}
