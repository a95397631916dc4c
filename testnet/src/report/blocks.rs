//! The blocks one by one, on a time line.

use serde::{Deserialize, Serialize};

use super::forks::Canonical;
use super::run::{Message, Run};
use super::stats::{Summary, ms};
use super::window::Window;

/// One block.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlockRow {
    /// Its id.
    pub id: String,
    /// Its height, when a log tells.
    pub height: Option<u64>,
    /// Its slot, when a log tells.
    pub slot: Option<u64>,
    /// The block it was built on, when a log tells.
    pub parent: Option<String>,
    /// The authority's key, when a log tells.
    pub proposer: Option<String>,
    /// The node that published it; absent when its log is not here.
    pub node: Option<String>,
    /// When it was published, or first seen where the publication is in no log: microseconds since
    /// the Unix epoch.
    pub at_us: i64,
    /// From then until the first other node had it, in milliseconds.
    pub first_seen_ms: Option<f64>,
    /// From then until it was the tip of a node, over all nodes of which it ever was, in
    /// milliseconds.
    pub tip_ms: Summary,
    /// Nodes of which it ever was the tip.
    pub tips: u64,
    /// Transactions in it, when a log tells.
    pub transactions: Option<u64>,
    /// Its encoded size.
    pub bytes: u64,
    /// Whether it is beside the chain; absent when the logs do not tell.
    pub stale: Option<bool>,
    /// Whether it was published within the window.
    pub counted: bool,
}

/// All blocks that a node had, by time and then by id.
pub(crate) fn time_line(run: &Run, chain: &Canonical, window: &Window) -> Vec<BlockRow> {
    let blocks = run.blocks.iter();
    let mut rows: Vec<_> =
        blocks.filter_map(|(id, message)| row(run, chain, window, id, message)).collect();
    rows.sort_by(|one, other| (one.at_us, &one.id).cmp(&(other.at_us, &other.id)));
    rows
}

fn row(
    run: &Run,
    chain: &Canonical,
    window: &Window,
    id: &str,
    message: &Message,
) -> Option<BlockRow> {
    let word = run.words.find(id);
    let facts = word.and_then(|word| run.facts.get(&word));
    let origin = message.origin();
    let arrivals = message.at.iter().filter_map(|seen| seen.delivered()).map(|first| first.at);
    let first = arrivals.min();
    // A block that was only ever named, as the genesis is, was never on its way.
    let at_us = origin.map(|(_, at)| at).or(first)?;
    let tips: Vec<i64> =
        message.at.iter().filter_map(|seen| seen.tip).map(|at| (at - at_us).max(0)).collect();
    let text = |word| run.words.get(word).to_owned();
    Some(BlockRow {
        id: id.to_owned(),
        height: word.and_then(|word| chain.height(word)),
        slot: facts.map(|facts| facts.slot),
        parent: facts.map(|facts| text(facts.parent)),
        proposer: facts.map(|facts| text(facts.proposer)),
        node: origin.map(|(node, _)| run.nodes[node].name.clone()),
        at_us,
        first_seen_ms: first.map(|first| ms((first - at_us).max(0))),
        tips: tips.len() as u64,
        tip_ms: Summary::of_us(tips),
        transactions: facts.map(|facts| facts.transactions),
        bytes: message.bytes,
        stale: chain.holds(run, id).map(|held| !held),
        counted: origin.is_some_and(|(_, at)| window.contains(at)),
    })
}
