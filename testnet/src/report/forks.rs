//! What became of the blocks: on the chain or beside it, and how long until they were the tip.
//!
//! **The chain.** At the end of the logs the nodes that ran at the window's end have tips; the
//! best one, by the protocol's own rule (greatest height, then smallest id), is the head. The
//! chain is what lies behind it. A `tip` event names the tip before it, which is the parent when
//! nothing was undone and the height grew by one. Every block is announced that way at least by its
//! producer, who built it on its own tip; and a `block` event names the parent outright. Blocks that
//! became final belong to the chain as well.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::run::{Run, Word};
use super::stats::{Pair, Summary, ratio};
use super::window::{Counted, Window};

/// The blocks that count, and the chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Forks {
    /// Blocks published within the window that are not on the chain; absent when the logs do not
    /// tell for one of them.
    pub stale: Option<u64>,
    /// `stale` over the blocks published, from 0 to 1.
    pub stale_rate: Option<f64>,
    /// Changes of a tip, at any node and up to the close of the window, that undid blocks.
    pub reorgs: u64,
    /// The most blocks that one of them undid; 0 when there was none.
    pub max_reorg: u64,
    /// From a block's publication to the moment when it became the tip of a node, over blocks that
    /// count and expected nodes, in milliseconds.
    pub to_tip_ms: Summary,
    /// Between the publications of one block on the chain and the next, both within the window, in
    /// milliseconds.
    pub interval_ms: Pair,
}

impl Forks {
    /// Of the blocks in `counted`.
    pub(crate) fn of(
        chain: &Canonical,
        run: &Run,
        window: &Window,
        counted: &[Counted<'_>],
    ) -> Self {
        let fates: Option<Vec<bool>> = counted.iter().map(|one| chain.holds(run, one.id)).collect();
        let stale = fates.map(|fates| fates.iter().filter(|held| !**held).count() as u64);
        let close = window.close_us(run);
        let changes = run.nodes.iter().flat_map(|node| &node.tips);
        let depths: Vec<u64> = changes
            .filter(|tip| window.from_us <= tip.at && tip.at <= close && tip.depth > 0)
            .map(|tip| tip.depth)
            .collect();
        Forks {
            stale,
            stale_rate: stale.and_then(|stale| ratio(stale, counted.len() as u64)),
            reorgs: depths.len() as u64,
            max_reorg: depths.into_iter().max().unwrap_or(0),
            to_tip_ms: Summary::of_us(to_tip(counted)),
            interval_ms: Pair::of_us(chain.intervals(run, counted)),
        }
    }
}

fn to_tip(counted: &[Counted<'_>]) -> Vec<i64> {
    let mut times = Vec::new();
    for one in counted {
        let tips = one.expected.iter().map(|&node| one.message.at[node].tip);
        times.extend(tips.flatten().map(|at| one.since(at)));
    }
    times
}

/// The chain, as far as the logs tell.
#[derive(Debug)]
pub(crate) struct Canonical {
    /// The block at each height.
    blocks: HashMap<u64, Word>,
    /// The heights of all blocks that were ever a tip, final or stored.
    heights: HashMap<Word, u64>,
    /// The head's height; `None` when no node logged a tip.
    head: Option<u64>,
}

impl Canonical {
    /// What the nodes that ran at the end of `window` came to agree on.
    pub(crate) fn of(run: &Run, window: &Window) -> Self {
        let mut heights: HashMap<Word, u64> =
            run.facts.iter().map(|(&block, facts)| (block, facts.height)).collect();
        for node in &run.nodes {
            heights.extend(node.tips.iter().map(|tip| (tip.block, tip.height)));
            heights.extend(node.finals.iter().map(|block| (block.block, block.height)));
        }
        let mut parents = HashMap::new();
        for tip in run.nodes.iter().flat_map(|node| &node.tips) {
            let before = heights.get(&tip.previous).copied().unwrap_or(0);
            // Looked up, though the event has it: logs that contradict each other make no circle.
            if tip.depth == 0 && heights.get(&tip.block) == Some(&(before + 1)) {
                parents.insert(tip.block, tip.previous);
            }
        }
        for (&block, facts) in &run.facts {
            let before = heights.get(&facts.parent).copied().unwrap_or(0);
            if before + 1 == facts.height {
                parents.insert(block, facts.parent);
            }
        }
        let nodes = window.nodes_at_end(run).into_iter();
        let last = nodes.filter_map(|node| run.nodes[node].tips.last());
        let head = last.max_by(|one, other| {
            let id = |tip: Word| run.words.get(tip);
            let by_height = one.height.cmp(&other.height);
            by_height.then_with(|| id(other.block).cmp(id(one.block)))
        });
        let mut blocks = HashMap::new();
        for block in run.nodes.iter().flat_map(|node| &node.finals) {
            blocks.insert(block.height, block.block);
        }
        let way =
            std::iter::successors(head.map(|tip| tip.block), |block| parents.get(block).copied());
        for block in way {
            if let Some(&height) = heights.get(&block) {
                blocks.insert(height, block);
            }
        }
        Canonical { blocks, heights, head: head.map(|tip| tip.height) }
    }

    /// The height of a block that was ever a tip, final or stored.
    pub(crate) fn height(&self, block: Word) -> Option<u64> {
        self.heights.get(&block).copied()
    }

    /// Whether the block is on the chain; `None` when the logs do not tell.
    pub(crate) fn holds(&self, run: &Run, id: &str) -> Option<bool> {
        let head = self.head?;
        let height = run.words.find(id).and_then(|block| Some((block, *self.heights.get(&block)?)));
        match height {
            Some((block, height)) if height <= head => {
                self.blocks.get(&height).map(|held| *held == block)
            }
            Some(_) => Some(false),
            // Never a tip anywhere: beside the chain, if the chain is known without a gap.
            None => (1..=head).all(|height| self.blocks.contains_key(&height)).then_some(false),
        }
    }

    /// The times between consecutive blocks of the chain, in microseconds.
    fn intervals(&self, run: &Run, counted: &[Counted<'_>]) -> Vec<i64> {
        let mut published: HashMap<Word, i64> = HashMap::new();
        for one in counted {
            if let Some(block) = run.words.find(one.id) {
                published.insert(block, one.published);
            }
        }
        let at = |height| published.get(self.blocks.get(&height)?).copied();
        let heights = 1..=self.head.unwrap_or(0);
        heights.filter_map(|height| Some(at(height)? - at(height - 1)?)).collect()
    }
}
