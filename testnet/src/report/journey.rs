//! One message's way to one node, and what each part of the way took.
//!
//! The message is in turn on the network and at a relay, and the parts add up to the time
//! from publication to arrival. A relay's time, from its own first copy to the moment it sends the
//! message on, is divided by what its verdict says: waiting in the queue, then checking, then the
//! rest. It sends on when it accepts. Should the next receipt be dated earlier than that, the
//! relay was done by then, whatever its log says: the network took nothing, and
//! [`Journey::clamped`] is set.

use hearsay_node::trace::event::Via;
use serde::{Deserialize, Serialize};

use super::run::{Message, NodeIx, Run};
use super::stats::ms;
use super::tree::Tree;

/// What a part of the way was spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Before a second node introduced the same message, from which this way begins.
    Reintroduced,
    /// From a node that could send it to the receipt at the next one.
    Network,
    /// The same, when the next node had to ask for it: by id, by reconciliation or by catching up.
    Pull,
    /// The same of a transaction that a block brought: the time until there was one is part of it.
    Carried,
    /// At a relay: from arrival to the moment its engine took it up.
    Queue,
    /// At a relay: from there to the verdict.
    Check,
    /// At a relay: between receipt and verdict, in neither of the two.
    Handling,
}

/// One part of the way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What it was spent on.
    pub stage: Stage,
    /// The node at which it was spent, or from which the message was sent.
    pub node: String,
    /// The node to which it was sent, on the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// How long it took, in milliseconds.
    pub ms: f64,
    /// Its share of the whole way, from 0 to 1; absent when the whole took no time.
    pub share: Option<f64>,
}

/// The way of a message to one node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Journey {
    /// The nodes on the way, from the one that introduced the message.
    pub path: Vec<String>,
    /// From the publication to the arrival, in milliseconds.
    pub total_ms: f64,
    /// What the time went to, in order.
    pub steps: Vec<Step>,
    /// Whether a node received the message before its relay's log says that it was accepted.
    pub clamped: bool,
    /// What most of the time went to, in words: the largest part and its share.
    pub reason: String,
}

/// When `node` was able to send the message on: when it introduced it, or else accepted it.
pub(crate) fn ready_at(message: &Message, node: NodeIx) -> Option<i64> {
    let at = &message.at[node];
    at.root_at().or_else(|| at.accepted_at())
}

/// What the time of a hop by this path was spent on.
fn stage_of(message: &Message, via: Via) -> Stage {
    match via {
        Via::Compact if !message.is_block() => Stage::Carried,
        Via::Gossip | Via::Lazy | Via::Compact => Stage::Network,
        Via::Fetch | Via::Reconcile | Via::Sync => Stage::Pull,
    }
}

/// Whether the message had to wait on this path until a node asked for it, or a block brought it, so
/// that the time of it is not the network's alone.
pub(crate) fn is_pulled(message: &Message, via: Via) -> bool {
    stage_of(message, via) != Stage::Network
}

impl Journey {
    /// The way of `message` to `node`; `None` where no way is known.
    pub(crate) fn to(run: &Run, message: &Message, tree: &Tree, node: NodeIx) -> Option<Self> {
        let (_, published) = message.origin()?;
        let path = tree.path(node)?;
        let mut way = Way::new(run, message);
        let mut now = published;
        way.spend(Stage::Reintroduced, path[0], None, &mut now, ready_at(message, path[0])?);
        for pair in path.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            let receipt = message.at[to].delivered()?;
            if message.at[from].root_at().is_none() {
                way.relay(from, &mut now, receipt.at);
            }
            way.clamped |= receipt.at < now;
            let stage = stage_of(message, receipt.via);
            way.spend(stage, from, Some(to), &mut now, receipt.at);
        }
        let arrival = message.at[node].delivered().map(|receipt| receipt.at);
        let total = arrival.map_or(now - published, |at| (at - published).max(0));
        Some(way.finish(&path, total))
    }
}

/// A journey in the making; times in microseconds.
struct Way<'a> {
    run: &'a Run,
    message: &'a Message,
    parts: Vec<(Stage, NodeIx, Option<NodeIx>, i64)>,
    clamped: bool,
}

impl<'a> Way<'a> {
    fn new(run: &'a Run, message: &'a Message) -> Self {
        Way { run, message, parts: Vec::new(), clamped: false }
    }

    /// Notes the time from `now` to `until`, if any, and moves `now` there.
    fn spend(&mut self, stage: Stage, node: NodeIx, to: Option<NodeIx>, now: &mut i64, until: i64) {
        let us = (until - *now).max(0);
        let always = matches!(stage, Stage::Network | Stage::Pull | Stage::Carried);
        if us > 0 || always {
            self.parts.push((stage, node, to, us));
        }
        *now += us;
    }

    /// Divides the time at a relay, which ends no later than the `next` receipt.
    fn relay(&mut self, node: NodeIx, now: &mut i64, next: i64) {
        let verdicts = self.message.at[node].verdicts.iter();
        let accept = self.message.at[node].accepted_at();
        let Some(judged) = verdicts.into_iter().find(|judged| Some(judged.at) == accept) else {
            return;
        };
        self.clamped |= next < judged.at;
        let done = judged.at.min(next);
        let queue = now.saturating_add_unsigned(judged.queue_us).min(done);
        let check = queue.saturating_add_unsigned(judged.check_us).min(done);
        self.spend(Stage::Queue, node, None, now, queue);
        self.spend(Stage::Check, node, None, now, check);
        self.spend(Stage::Handling, node, None, now, done);
    }

    fn finish(self, path: &[NodeIx], total: i64) -> Journey {
        let name = |node: NodeIx| self.run.nodes[node].name.clone();
        let share = |us: i64| (total > 0).then(|| us as f64 / total as f64);
        let step = |&(stage, node, to, us): &(Stage, NodeIx, Option<NodeIx>, i64)| Step {
            stage,
            node: name(node),
            to: to.map(name),
            ms: ms(us),
            share: share(us),
        };
        let steps: Vec<_> = self.parts.iter().map(step).collect();
        Journey {
            path: path.iter().map(|&node| name(node)).collect(),
            total_ms: ms(total),
            clamped: self.clamped,
            reason: reason(&steps),
            steps,
        }
    }
}

/// The largest part and its share. Where no part is half of the whole, what all parts of the most
/// costly stage make up comes first.
fn reason(steps: &[Step]) -> String {
    let share = |step: &Step| step.share.unwrap_or(0.0);
    // Of equal ones the first: `max_by` would keep the last.
    let largest = steps.iter().rev().max_by(|one, other| share(one).total_cmp(&share(other)));
    let Some(largest) = largest.filter(|step| share(step) > 0.0) else {
        return "it took no measurable time".to_owned();
    };
    let percent = share(largest) * 100.0;
    let of_stage = |stage| steps.iter().filter(move |step| step.stage == stage);
    let sum = |stage: &Stage| of_stage(*stage).map(share).sum::<f64>();
    let stages = steps.iter().rev().map(|step| step.stage);
    let most = stages.max_by(|one, other| sum(one).total_cmp(&sum(other)));
    let most = most.unwrap_or(largest.stage);
    let parts = of_stage(most).count();
    if percent >= 50.0 || parts == 1 {
        return format!("{percent:.0} % of it was {}", largest.words());
    }
    let all = most.words(parts);
    format!(
        "{:.0} % of it was {all}; the largest single part, {percent:.0} %, was {}",
        sum(&most) * 100.0,
        largest.words(),
    )
}

impl Stage {
    /// What all parts of this stage are together, in words.
    fn words(self, parts: usize) -> String {
        match self {
            Stage::Reintroduced => "time until it was introduced again".to_owned(),
            Stage::Network => format!("network time over {parts} hops"),
            Stage::Pull => format!("time until {parts} nodes asked for it and had it"),
            Stage::Carried => format!("time until blocks brought it to {parts} nodes"),
            Stage::Queue => format!("waiting in {parts} queues"),
            Stage::Check => format!("checking at {parts} nodes"),
            Stage::Handling => format!("time at {parts} nodes outside of queue and checks"),
        }
    }
}

impl Step {
    /// What the time was, in words.
    pub(crate) fn words(&self) -> String {
        let node = &self.node;
        let to = self.to.as_deref().unwrap_or_default();
        match self.stage {
            Stage::Reintroduced => format!("time until {node} introduced it as well"),
            Stage::Network => format!("network time on {node} → {to}"),
            Stage::Pull => format!("time until {to} asked {node} for it and had it"),
            Stage::Carried => format!("time until a block from {node} brought it to {to}"),
            Stage::Queue => format!("waiting in {node}'s queue"),
            Stage::Check => format!("checking at {node}"),
            Stage::Handling => format!("time at {node} outside of its queue and its checks"),
        }
    }
}
