//! How far the chain came, and whether the nodes agree on it.
//!
//! Looked at when the window closes ([`Window::close_us`]), over the nodes that ran at its end.
//!
//! **Same tip.** A block takes time to spread, so that at any given instant the nodes may differ by
//! the block that is just under way. The nodes have the same tip when there was an instant within
//! the last [`AGREEMENT_US`] before the close at which all of them had it: at the latest that is
//! the instant before the block was published. Nodes on two branches of a fork agree at no instant.

use serde::{Deserialize, Serialize};

use super::run::{NodeIx, Run, Word};
use super::window::Window;

/// How far back an instant of agreement is looked for.
const AGREEMENT_US: i64 = 1_000_000;

/// The chain when the window closes. All fields are absent when no node logged a tip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// The height that every node reached.
    pub height: Option<u64>,
    /// The height that the foremost node reached.
    pub height_max: Option<u64>,
    /// The height up to which the chain is final at every node.
    #[serde(rename = "final")]
    pub final_height: Option<u64>,
    /// The same at the foremost node.
    pub final_max: Option<u64>,
    /// Whether all nodes had the same tip.
    pub same_tip: Option<bool>,
}

impl Chain {
    /// Of the nodes that ran at the end of `window`.
    pub(crate) fn of(run: &Run, window: &Window) -> Self {
        let nodes = window.nodes_at_end(run);
        let close = window.close_us(run);
        if nodes.iter().all(|&node| run.nodes[node].tips.is_empty()) {
            return Chain::default();
        }
        let tips = || nodes.iter().map(|&node| height_at(run, node, close));
        let finals = || nodes.iter().map(|&node| final_at(run, node, close));
        Chain {
            height: tips().min(),
            height_max: tips().max(),
            final_height: finals().min(),
            final_max: finals().max(),
            same_tip: Some(agreed(run, &nodes, close)),
        }
    }
}

/// The height of the node's tip at an instant; 0, the genesis, before its first tip.
fn height_at(run: &Run, node: NodeIx, instant: i64) -> u64 {
    let tips = run.nodes[node].tips.iter();
    let past = tips.take_while(|tip| tip.at <= instant);
    past.last().map_or(0, |tip| tip.height)
}

/// The greatest height that was final at the node at an instant.
fn final_at(run: &Run, node: NodeIx, instant: i64) -> u64 {
    let finals = run.nodes[node].finals.iter();
    let past = finals.filter(|block| block.at <= instant);
    past.map(|block| block.height).max().unwrap_or(0)
}

/// Whether all of `nodes` had one tip at some instant of the last [`AGREEMENT_US`] before `close`.
fn agreed(run: &Run, nodes: &[NodeIx], close: i64) -> bool {
    let begin = close - AGREEMENT_US;
    let mut tips: Vec<Option<Word>> = vec![None; nodes.len()];
    let mut changes: Vec<(i64, usize, Word)> = Vec::new();
    for (place, &node) in nodes.iter().enumerate() {
        for change in &run.nodes[node].tips {
            if change.at <= begin {
                tips[place] = Some(change.block);
            } else if change.at <= close {
                changes.push((change.at, place, change.block));
            }
        }
    }
    let same = |tips: &[Option<Word>]| tips.iter().all(|tip| *tip == tips[0]);
    // A stable sort: a node's own changes of one instant stay in their order.
    changes.sort_by_key(|change| change.0);
    if same(&tips) {
        return true;
    }
    for instant in changes.chunk_by(|one, next| one.0 == next.0) {
        for &(_, place, block) in instant {
            tips[place] = Some(block);
        }
        if same(&tips) {
            return true;
        }
    }
    false
}
