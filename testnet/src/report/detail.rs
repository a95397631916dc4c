//! What the page shows beyond the figures: arrival curves, and the ways of some messages.
//!
//! It is no part of `report.json`, as it would be of no bounded size there. It is plain data: times
//! are microseconds, nodes are places in the report's list of nodes.

use std::cmp::Reverse;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::index;
use serde::Serialize;

use super::journey::{is_pulled, ready_at};
use super::manifest::Manifest;
use super::run::{NodeIx, Run};
use super::window::{Counted, Window};

/// Points of an arrival curve: more than the page is wide would not be seen.
const CURVE_POINTS: usize = 240;

/// Messages of each kind whose way is kept because they were the slowest.
const SLOWEST: usize = 20;

/// Messages of each kind whose way is kept because they were drawn.
const DRAWN: usize = 100;

/// Copies of each kind that are kept: about 25 bytes each on the page, so that a page stays below
/// some three megabytes. Of large networks fewer messages are kept.
const COPIES: usize = 50_000;

/// Connections that are drawn; a picture of more is a black disc.
const EDGES: usize = 4_000;

/// Reorganisations that are marked.
const REORGS: usize = 500;

/// Curves and ways, bounded however long the run was.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Detail {
    /// The transactions.
    pub tx: KindDetail,
    /// The blocks.
    pub block: KindDetail,
    /// The connections of the topology.
    pub edges: Vec<(NodeIx, NodeIx)>,
    /// Changes of a tip that undid blocks: when (since the Unix epoch), at which node, how many.
    pub reorgs: Vec<(i64, NodeIx, u64)>,
}

/// The messages of one kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct KindDetail {
    /// The arrival curve: so long after publication, such a share of the expected deliveries had
    /// come.
    pub curve: Vec<(i64, f64)>,
    /// The ways of the slowest messages, the slowest first, and then of those that were drawn, by
    /// time.
    pub ways: Vec<Way>,
    /// How many of them are the slowest.
    pub slowest: usize,
}

/// The way of one message.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Way {
    /// Its id.
    pub id: String,
    /// When it was published: since the Unix epoch.
    pub at_us: i64,
    /// Its encoded size.
    pub bytes: u64,
    /// First copies and introductions, by time.
    pub first: Vec<Arrival>,
    /// All other copies, by time: when, from where (absent for a stranger), to where.
    pub again: Vec<(i64, Option<NodeIx>, NodeIx)>,
    /// Nodes that were expected to have it and never had it.
    pub missed: Vec<NodeIx>,
}

/// How a node came to have a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Arrival {
    /// The node.
    pub n: NodeIx,
    /// When it had it, after the publication.
    pub t: i64,
    /// Where from; absent when it introduced the message, or had it from a stranger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub f: Option<NodeIx>,
    /// When it was able to send it on, after the publication.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r: Option<i64>,
    /// Whether it had to ask for it.
    #[serde(skip_serializing_if = "is_false")]
    pub p: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Detail {
    /// Of the messages that count.
    pub(crate) fn of(
        run: &Run,
        manifest: &Manifest,
        window: &Window,
        txs: &[Counted<'_>],
        blocks: &[Counted<'_>],
    ) -> Self {
        let edge =
            |edge: &[String; 2]| Some((run.node_named(&edge[0])?, run.node_named(&edge[1])?));
        let tips = run.nodes.iter().enumerate();
        let tips = tips.flat_map(|(node, log)| log.tips.iter().map(move |tip| (tip, node)));
        let undone = tips.filter(|(tip, _)| tip.depth > 0 && window.from_us <= tip.at);
        let mut reorgs: Vec<_> = undone.map(|(tip, node)| (tip.at, node, tip.depth)).collect();
        reorgs.sort_unstable();
        reorgs.truncate(REORGS);
        let mut draw = ChaCha8Rng::seed_from_u64(manifest.seed.unwrap_or_default());
        Detail {
            tx: KindDetail::of(run, txs, &mut draw),
            block: KindDetail::of(run, blocks, &mut draw),
            edges: manifest.edges.iter().filter_map(edge).take(EDGES).collect(),
            reorgs,
        }
    }
}

impl KindDetail {
    fn of(run: &Run, counted: &[Counted<'_>], draw: &mut ChaCha8Rng) -> Self {
        let mut slow: Vec<usize> = (0..counted.len()).collect();
        slow.sort_by_key(|&one| Reverse(last_arrival(&counted[one])));
        slow.truncate(SLOWEST);
        let mut drawn = index::sample(draw, counted.len(), DRAWN.min(counted.len())).into_vec();
        drawn.retain(|one| !slow.contains(one));

        let mut copies = 0;
        let mut afford = |one: &usize| {
            copies += counted[*one].places().map(|(_, seen)| seen.copies() as usize).sum::<usize>();
            copies <= COPIES
        };
        // The slowest one is always worth its bytes.
        let kept = slow.iter().skip(1).take_while(|one| afford(one)).count() + 1;
        slow.truncate(kept);
        let kept = drawn.iter().take_while(|one| afford(one)).count();
        drawn.truncate(kept);
        drawn.sort_by_key(|&one| (counted[one].published, one));
        KindDetail {
            curve: curve(counted),
            slowest: slow.len(),
            ways: slow.iter().chain(&drawn).map(|&one| way(run, &counted[one])).collect(),
        }
    }
}

/// When the last of the expected nodes had it.
fn last_arrival(one: &Counted<'_>) -> Option<i64> {
    one.deliveries().map(|(_, receipt)| one.since(receipt.at)).max()
}

fn curve(counted: &[Counted<'_>]) -> Vec<(i64, f64)> {
    let expected: usize = counted.iter().map(|one| one.expected.len()).sum();
    let times = counted.iter().flat_map(|one| {
        one.deliveries().map(|(_, receipt)| one.since(receipt.at)).collect::<Vec<_>>()
    });
    let mut times: Vec<i64> = times.collect();
    times.sort_unstable();
    let points = times.len().min(CURVE_POINTS);
    let ranks = (1..=points).map(|point| (point * times.len()).div_ceil(points));
    ranks.map(|rank| (times[rank - 1], rank as f64 / expected as f64)).collect()
}

fn way(run: &Run, one: &Counted<'_>) -> Way {
    let mut first = Vec::new();
    let mut again = Vec::new();
    for (node, seen) in one.places() {
        let receipt = seen.delivered();
        let had = seen.root_at().or(receipt.map(|receipt| receipt.at));
        first.extend(had.map(|at| Arrival {
            n: node,
            t: one.since(at),
            f: receipt.and_then(|receipt| run.node_of(receipt.from)),
            r: ready_at(one.message, node).map(|at| one.since(at)),
            p: receipt.is_some_and(|receipt| is_pulled(one.message, receipt.via)),
        }));
        // At a node that introduced it, the first copy from another is one too many as well.
        let back = seen.first.filter(|_| receipt.is_none());
        again.extend(back.map(|copy| (one.since(copy.at), run.node_of(copy.from), node)));
        let copies = seen.again.iter();
        again.extend(copies.map(|copy| (one.since(copy.at), run.node_of(copy.from), node)));
    }
    first.sort_unstable_by_key(|arrival| (arrival.t, arrival.n));
    again.sort_unstable();
    let missed = one.expected.iter().copied();
    Way {
        id: one.id.to_owned(),
        at_us: one.published,
        bytes: one.message.bytes,
        first,
        again,
        missed: missed.filter(|&node| one.message.at[node].delivered().is_none()).collect(),
    }
}
