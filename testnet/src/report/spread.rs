//! How the messages of one kind spread: coverage, latency, time to reach a share of the nodes, hops
//! and copies. What counts and who is expected is settled in [`window`](super::window).

use serde::{Deserialize, Serialize};

use super::copies::{self, FirstBy, ViaCopies};
use super::journey::Journey;
use super::link_copies::LinkCopies;
use super::regions::RegionPair;
use super::run::{NodeIx, Run};
use super::spent::TimeSpent;
use super::stages::Stages;
use super::stats::{Pair, Summary, ms, percentile, ratio};
use super::tree::Tree;
use super::window::Counted;

/// How the messages of one kind spread, over all messages that count.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Messages published within the window.
    pub published: u64,
    /// Deliveries that were due: over all messages, the nodes expected to have it.
    pub expected: u64,
    /// Deliveries that came: over all messages, the expected nodes that did have it.
    pub delivered: u64,
    /// `delivered / expected`, from 0 to 1; absent when nothing was expected.
    pub coverage: Option<f64>,
    /// Payload copies received at the nodes taking part, by any path and those that came back to
    /// the node that introduced the message included, over `delivered`. The ideal is 1.
    pub copies_per_node: Option<f64>,
    /// The run's [`Wire::ratio`](super::wire::Wire::ratio). A socket does not tell what the bytes
    /// on it are for, so transactions and blocks share one figure.
    pub wire_ratio: Option<f64>,
    /// From publication to receipt, over deliveries, in milliseconds.
    pub latency_ms: Summary,
    /// From the first delivery of a message to each later one, over deliveries but the first of
    /// each message, in milliseconds.
    pub since_first_ms: Summary,
    /// Per message, the time until a share of the expected nodes had it, in milliseconds.
    pub to_share_ms: ToShare,
    /// Latency over the delay of the shortest path. Unshaped links have no known delay, hence no
    /// shortest path: absent.
    pub stretch: Stretch,
    /// Deliveries dated before the publication, taken as no time: the clocks disagree.
    pub before_publication: u64,
    /// Hops of first copies.
    pub hops: Hops,
    /// What the time went to.
    pub stages: Stages,
    /// Copies by the path they came by.
    pub copies: Vec<ViaCopies>,
    /// Who delivered first: first copies by the node that sent them.
    pub first_by: Vec<FirstBy>,
    /// The delivery that took the longest.
    pub slowest: Option<Slowest>,
    /// Latency by pair of regions, in the shape's order; empty when nodes have no region.
    #[serde(default)]
    pub by_region: Vec<RegionPair>,
    /// Copies and bytes by link, at the nodes taking part, by sender and then receiver.
    #[serde(default)]
    pub by_link: Vec<LinkCopies>,
    /// Where the time of a delivery went, on average: over all of them, the slowest tenth and the
    /// slowest hundredth.
    #[serde(default)]
    pub where_time_went: Vec<TimeSpent>,
}

/// Per message, the time from publication until a share of the expected nodes had it, the node that
/// introduced it not counted: of n expected deliveries, the ⌈share · n⌉th.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ToShare {
    /// Half of the nodes.
    #[serde(rename = "50")]
    pub half: Share,
    /// 75 % of the nodes.
    #[serde(rename = "75")]
    pub p75: Share,
    /// 90 % of the nodes.
    #[serde(rename = "90")]
    pub p90: Share,
    /// 95 % of the nodes.
    #[serde(rename = "95")]
    pub p95: Share,
    /// 99 % of the nodes.
    #[serde(rename = "99")]
    pub p99: Share,
    /// All nodes.
    #[serde(rename = "100")]
    pub all: Share,
}

/// The time to reach one share of the nodes, over messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// The median over the messages that reached it, in milliseconds.
    pub p50: Option<f64>,
    /// The 99th percentile over them.
    pub p99: Option<f64>,
    /// Messages that never reached it. They are in neither percentile.
    pub unreached: u64,
}

/// Per delivery, its latency over the delay of the shortest path, which is the least sum of one-way
/// link delays from the node that introduced the message, as they were asked for. Deliveries whose
/// shortest path takes no time, or is not known, are left out. 1 is ideal. The latency is measured,
/// the path modelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stretch {
    /// The shortest path over the connections of the topology.
    pub connections: Pair,
    /// The shortest path if every node were connected to every other.
    pub full: Pair,
}

/// Hops of a delivery: its depth in the tree of first copies, 0 at the node that introduced the
/// message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Hops {
    /// The median.
    pub p50: Option<u32>,
    /// The greatest.
    pub max: Option<u32>,
    /// The mean.
    pub mean: Option<f64>,
    /// Deliveries whose way does not lead back to the node that introduced the message, because a
    /// peer on it has no log here. They are in none of the other figures.
    pub unrooted: u64,
    /// Deliveries by hops: the place in the list is how many hops they took. The rounds in which the
    /// message spread; empty when there are none.
    #[serde(default)]
    pub histogram: Vec<u64>,
}

/// The delivery of one kind that took the longest, over messages that count and nodes expected.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Slowest {
    /// The message's id.
    pub id: String,
    /// The node that introduced it.
    pub origin: String,
    /// The node that had it last.
    pub node: String,
    /// How long after publication, in milliseconds.
    pub ms: f64,
    /// How it came there; absent when the way is not known.
    pub journey: Option<Journey>,
}

const SHARES: [usize; 6] = [50, 75, 90, 95, 99, 100];

/// Works out how the `counted` messages spread. The wire ratio is left to the caller.
pub(crate) fn spread(run: &Run, counted: &[Counted<'_>]) -> Spread {
    let mut spread = Spread { published: counted.len() as u64, ..Spread::default() };
    let mut latencies = Vec::new();
    let mut since_first = Vec::new();
    let mut shares: [Vec<i64>; SHARES.len()] = Default::default();
    let mut unreached = [0; SHARES.len()];
    let mut depths = Vec::new();
    let mut slowest: Option<(i64, usize, NodeIx)> = None;

    for (index, one) in counted.iter().enumerate() {
        let tree = Tree::of(run, one.message);
        let mut arrivals: Vec<(i64, NodeIx)> = Vec::new();
        for (node, receipt) in one.deliveries() {
            arrivals.push((one.since(receipt.at), node));
            spread.before_publication += u64::from(receipt.at < one.published);
            match tree.depth(node) {
                Some(depth) => depths.push(depth),
                None => spread.hops.unrooted += 1,
            }
        }
        arrivals.sort_unstable();
        spread.expected += one.expected.len() as u64;
        spread.delivered += arrivals.len() as u64;
        latencies.extend(arrivals.iter().map(|arrival| arrival.0));
        if let Some((&(first, _), later)) = arrivals.split_first() {
            since_first.extend(later.iter().map(|arrival| arrival.0 - first));
        }
        for (index, percent) in SHARES.into_iter().enumerate() {
            match reach(&arrivals, one.expected.len(), percent) {
                Reach::After(us) => shares[index].push(us),
                Reach::Never => unreached[index] += 1,
                Reach::Moot => {}
            }
        }
        if let Some(&(us, node)) = arrivals.last()
            && slowest.is_none_or(|(most, ..)| us > most)
        {
            slowest = Some((us, index, node));
        }
    }

    let [half, p75, p90, p95, p99, all] = std::array::from_fn(|index| {
        let Pair { p50, p99 } = Pair::of_us(std::mem::take(&mut shares[index]));
        let unreached = unreached[index];
        Share { p50, p99, unreached }
    });
    spread.to_share_ms = ToShare { half, p75, p90, p95, p99, all };
    spread.coverage = ratio(spread.delivered, spread.expected);
    spread.copies_per_node = ratio(copies::total(counted), spread.delivered);
    spread.latency_ms = Summary::of_us(latencies);
    spread.since_first_ms = Summary::of_us(since_first);
    spread.hops = hops(depths, spread.hops.unrooted);
    spread.stages = Stages::of(run, counted);
    spread.copies = copies::by_via(counted);
    spread.first_by = copies::first_by(run, counted);
    spread.slowest = slowest.map(|(us, index, node)| name(run, &counted[index], us, node));
    spread
}

/// When a message reached a share of the nodes.
enum Reach {
    /// So many microseconds after its publication.
    After(i64),
    /// Not by the end of the logs.
    Never,
    /// Nobody was expected to have it.
    Moot,
}

fn reach(arrivals: &[(i64, NodeIx)], expected: usize, percent: usize) -> Reach {
    let due = (expected * percent).div_ceil(100);
    match (due.checked_sub(1), arrivals) {
        (None, _) => Reach::Moot,
        (Some(last), arrivals) => {
            arrivals.get(last).map_or(Reach::Never, |arrival| Reach::After(arrival.0))
        }
    }
}

fn hops(mut depths: Vec<u32>, unrooted: u64) -> Hops {
    depths.sort_unstable();
    let mut histogram = vec![0; depths.last().map_or(0, |&most| most as usize + 1)];
    for &depth in &depths {
        histogram[depth as usize] += 1;
    }
    let sum = depths.iter().copied().map(u64::from).sum();
    Hops {
        p50: percentile(&depths, 50),
        max: depths.last().copied(),
        mean: ratio(sum, depths.len() as u64),
        unrooted,
        histogram,
    }
}

fn name(run: &Run, one: &Counted<'_>, us: i64, node: NodeIx) -> Slowest {
    let tree = Tree::of(run, one.message);
    Slowest {
        id: one.id.to_owned(),
        origin: run.nodes[one.origin].name.clone(),
        node: run.nodes[node].name.clone(),
        ms: ms(us),
        journey: Journey::to(run, one.message, &tree, node),
    }
}
