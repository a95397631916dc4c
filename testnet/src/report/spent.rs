//! Where the time of a delivery went, from the publication on along its whole way.
//!
//! Each hop is divided as a [journey](super::journey) divides it: the relay's queue, its checks and
//! the rest of its time until it accepted, then the network up to the next receipt. Summed along the
//! way and averaged over deliveries, the parts add up to the mean latency of the same deliveries.

use serde::{Deserialize, Serialize};

use super::journey::{is_pulled, ready_at};
use super::run::{Message, NodeIx, Run};
use super::stats::ms;
use super::tree::Tree;
use super::window::Counted;

/// The mean time in each stage over some deliveries, in milliseconds. Measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TimeSpent {
    /// Which deliveries: `all`, `slowest_10` and `slowest_1` per cent.
    pub of: String,
    /// How many they are: those whose whole way is in the logs.
    pub deliveries: u64,
    /// From publication to receipt: the sum of the following five.
    pub total_ms: Option<f64>,
    /// On the network, pushed.
    pub network_ms: Option<f64>,
    /// Until nodes had asked for it and had it, or a block brought it.
    pub pull_ms: Option<f64>,
    /// In the queues of the relays.
    pub queue_ms: Option<f64>,
    /// In the checks of the relays.
    pub check_ms: Option<f64>,
    /// At the relays and in neither of the two, and until it was introduced again.
    pub other_ms: Option<f64>,
    /// After the receipt: storing it at the receiver, over the deliveries whose log tells. It is no
    /// part of the total.
    pub store_ms: Option<f64>,
}

/// Microseconds in each stage.
#[derive(Clone, Copy, Debug, Default)]
struct Parts {
    network: i64,
    pull: i64,
    queue: i64,
    check: i64,
    other: i64,
    store: Option<i64>,
}

impl Parts {
    fn total(&self) -> i64 {
        self.network + self.pull + self.queue + self.check + self.other
    }
}

/// All deliveries, the slowest tenth and the slowest hundredth; empty when there are none.
pub(crate) fn where_time_went(run: &Run, counted: &[Counted<'_>]) -> Vec<TimeSpent> {
    let mut all: Vec<Parts> = Vec::new();
    for one in counted {
        let tree = Tree::of(run, one.message);
        let mut known = vec![None; one.message.at.len()];
        let deliveries = one.deliveries().map(|(node, _)| node);
        all.extend(deliveries.filter_map(|node| along(one, &tree, &mut known, node)));
    }
    // A stable sort: of equally slow ones, those of the smaller id are slower.
    all.sort_by_key(|parts| std::cmp::Reverse(parts.total()));
    let slowest = |percent: usize| &all[..(all.len() * percent).div_ceil(100)];
    let groups = [("all", 100), ("slowest_10", 10), ("slowest_1", 1)];
    let rows = groups.map(|(of, percent)| mean(of, slowest(percent)));
    rows.into_iter().filter(|row| row.deliveries > 0).collect()
}

/// The parts of the way to `node`; `known` holds those of nodes that were asked for before.
fn along(
    one: &Counted<'_>,
    tree: &Tree,
    known: &mut [Option<Parts>],
    node: NodeIx,
) -> Option<Parts> {
    let path = tree.path(node)?;
    let mut parts = Parts::default();
    for (step, &at) in path.iter().enumerate() {
        if let Some(found) = known[at] {
            parts = found;
            continue;
        }
        match step.checked_sub(1) {
            None => parts.other += one.since(ready_at(one.message, at)?),
            Some(before) => hop(one.message, path[before], at, &mut parts)?,
        }
        let store = one.message.at[at].store_us;
        parts.store = store.and_then(|us| i64::try_from(us).ok());
        known[at] = Some(parts);
    }
    Some(parts)
}

/// Adds the relay's time and the hop from it; `None` when its log does not tell when it accepted.
fn hop(message: &Message, from: NodeIx, to: NodeIx, parts: &mut Parts) -> Option<()> {
    let (relay, receipt) = (&message.at[from], message.at[to].delivered()?);
    let mut now = ready_at(message, from)?;
    if relay.root_at().is_none() {
        let arrived = relay.delivered()?.at;
        let judged = relay.verdicts.iter().find(|judged| judged.at == now)?;
        let done = now.min(receipt.at).max(arrived);
        let queue = arrived.saturating_add_unsigned(judged.queue_us).min(done);
        let check = queue.saturating_add_unsigned(judged.check_us).min(done);
        parts.queue += queue - arrived;
        parts.check += check - queue;
        parts.other += done - check;
        now = done;
    }
    let hop = (receipt.at - now).max(0);
    if is_pulled(message, receipt.via) {
        parts.pull += hop;
    } else {
        parts.network += hop;
    }
    Some(())
}

fn mean(of: &str, parts: &[Parts]) -> TimeSpent {
    let average = |values: &mut dyn Iterator<Item = i64>| {
        let (sum, count) = values.fold((0_i64, 0_u64), |(sum, n), us| (sum + us, n + 1));
        (count > 0).then(|| ms(sum) / count as f64)
    };
    let over = |part: fn(&Parts) -> i64| average(&mut parts.iter().map(part));
    TimeSpent {
        of: of.to_owned(),
        deliveries: parts.len() as u64,
        total_ms: over(Parts::total),
        network_ms: over(|parts| parts.network),
        pull_ms: over(|parts| parts.pull),
        queue_ms: over(|parts| parts.queue),
        check_ms: over(|parts| parts.check),
        other_ms: over(|parts| parts.other),
        store_ms: average(&mut parts.iter().filter_map(|parts| parts.store)),
    }
}
