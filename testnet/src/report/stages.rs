//! What the time went to: waiting, checking, the network; and what validation said.

use std::collections::BTreeMap;

use hearsay_node::trace::event::{Kind, VerdictName};
use serde::{Deserialize, Serialize};

use super::journey::{is_pulled, ready_at};
use super::run::Run;
use super::stats::Pair;
use super::window::{Counted, Window};

/// Time in each stage, in milliseconds, over the messages that count and the nodes taking part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stages {
    /// Waiting between arrival and engine, over the first verdict of each node on each message.
    pub queue_ms: Pair,
    /// From there to the verdict, signature checks included, over the same verdicts.
    pub check_ms: Pair,
    /// One hop on the network, over first copies that were pushed (`gossip`, `lazy`, and blocks as
    /// `compact`): from the moment that the sender accepted the message, or introduced it, to the receipt. The sender's
    /// way to its socket is part of it.
    pub network_ms: Pair,
    /// The same over first copies that had to be asked for (`fetch`, `reconcile`, `sync`), and over
    /// transactions that a block brought (`compact`): the time until the asking, or until the block, is
    /// part of it.
    pub pull_ms: Pair,
    /// Storing a block, over nodes taking part whose log tells.
    #[serde(default)]
    pub store_ms: Pair,
    /// Hops whose receipt is dated before the sender's acceptance, taken as no time.
    pub clamped: u64,
    /// Hops in neither figure: from a stranger, or from a node with no acceptance in its log.
    pub unmeasured: u64,
}

impl Stages {
    /// Of the messages in `counted`.
    pub(crate) fn of(run: &Run, counted: &[Counted<'_>]) -> Self {
        let mut stages = Stages::default();
        let first = |seen: &super::run::AtNode| seen.verdicts.first().copied();
        let verdicts = || counted.iter().flat_map(Counted::taking_part).filter_map(first);
        let us = |us: u64| i64::try_from(us).unwrap_or(i64::MAX);
        stages.queue_ms = Pair::of_us(verdicts().map(|judged| us(judged.queue_us)).collect());
        stages.check_ms = Pair::of_us(verdicts().map(|judged| us(judged.check_us)).collect());
        let seen = counted.iter().flat_map(Counted::taking_part);
        stages.store_ms = Pair::of_us(seen.filter_map(|seen| seen.store_us).map(us).collect());

        let (mut network, mut pull) = (Vec::new(), Vec::new());
        for one in counted {
            for (_, receipt) in one.deliveries() {
                let sender = run.node_of(receipt.from);
                let Some(sent) = sender.and_then(|node| ready_at(one.message, node)) else {
                    stages.unmeasured += 1;
                    continue;
                };
                stages.clamped += u64::from(receipt.at < sent);
                let hop = (receipt.at - sent).max(0);
                if is_pulled(one.message, receipt.via) {
                    pull.push(hop);
                } else {
                    network.push(hop);
                }
            }
        }
        stages.network_ms = Pair::of_us(network);
        stages.pull_ms = Pair::of_us(pull);
        stages
    }
}

/// How often validation gave one answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictCount {
    /// The answer.
    pub verdict: VerdictName,
    /// Why, for anything but accept.
    pub reason: Option<String>,
    /// How many of them.
    pub count: u64,
}

/// The verdicts that any node gave between the beginning and the close of the window on messages of
/// one kind, whoever published them, by answer and then by reason. Up to the close, as the last
/// messages are judged after the window has ended.
pub(crate) fn verdicts(run: &Run, kind: Kind, window: &Window) -> Vec<VerdictCount> {
    let mut counts: BTreeMap<(u8, Option<&str>), (VerdictName, u64)> = BTreeMap::new();
    let measured = window.from_us..=window.close_us(run);
    let messages = run.messages(kind).values();
    for judged in messages.flat_map(|message| message.at.iter().flat_map(|at| &at.verdicts)) {
        if !measured.contains(&judged.at) {
            continue;
        }
        let order = match judged.verdict {
            VerdictName::Accept => 0,
            VerdictName::Ignore => 1,
            VerdictName::Reject => 2,
        };
        let reason = judged.reason.map(|reason| run.words.get(reason));
        let fresh = (judged.verdict, 0);
        counts.entry((order, reason)).or_insert(fresh).1 += 1;
    }
    let row = |((_, reason), (verdict, count)): ((u8, Option<&str>), _)| VerdictCount {
        verdict,
        reason: reason.map(str::to_owned),
        count,
    };
    counts.into_iter().map(row).collect()
}
