//! Which messages count, and who is expected to have them.
//!
//! A message counts when it was first published within the window. The window is the manifest's
//! `measure`; without one it is taken from the logs: it begins when the last node to join had
//! started for the first time, and ends [`SETTLE_US`] before the first of the nodes that were alive
//! at the end fell silent, so that what was published at its very end had time to spread.
//!
//! Expected to have a message are the nodes whose process ran without a break from its publication
//! to the end of the window, but for those that introduced it themselves. Whoever started later,
//! restarted, was killed or was held still at any moment in between is left out on every side:
//! neither its deliveries nor its copies count. A node that was cut off ran all the same: it stays
//! expected, and what it misses until the end of the logs costs coverage. A delivery counts whenever
//! it comes, up to the end of the logs.

use std::time::Duration;

use hearsay_node::trace::event::Kind;
use serde::{Deserialize, Serialize};

use super::manifest::Manifest;
use super::run::{AtNode, Message, NodeIx, Receipt, Run};

/// How long the network is given to settle after the window, unless the manifest says.
pub(crate) const SETTLE_US: i64 = 1_000_000;

/// The measured stretch of time, in microseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Messages count that were published at this time or later …
    pub from_us: i64,
    /// … and before this time.
    pub until_us: i64,
    /// The state of the chain is looked at this much later.
    pub settle_us: i64,
    /// Whether the window was derived from the logs, for want of a manifest that names it.
    pub derived: bool,
}

impl Window {
    /// The manifest's window, or else the one that the logs suggest.
    pub(crate) fn choose(run: &Run, manifest: &Manifest) -> Self {
        let derived = manifest.measure.is_none();
        let (from_us, until_us) = manifest.measure.unwrap_or_else(|| derive(run));
        Window {
            from_us,
            until_us: until_us.max(from_us),
            settle_us: manifest.settle_us.unwrap_or(SETTLE_US),
            derived,
        }
    }

    /// Whether something at `at` lies within.
    pub(crate) fn contains(&self, at: i64) -> bool {
        self.from_us <= at && at < self.until_us
    }

    /// Whether a sample at `at` belongs to the measured stretch: it was taken within the window or
    /// while the network settled.
    pub(crate) fn samples(&self, at: i64) -> bool {
        self.from_us <= at && at <= self.until_us.saturating_add(self.settle_us)
    }

    /// Its length in microseconds.
    pub fn length_us(&self) -> i64 {
        self.until_us - self.from_us
    }

    /// The nodes that ran at the end of the window.
    pub(crate) fn nodes_at_end(&self, run: &Run) -> Vec<NodeIx> {
        running(run, self.until_us, self.until_us)
    }

    /// The moment at which the state of the chain is looked at: after settling, but as long as all
    /// nodes that ran at the end of the window still ran, since they stop one after the other.
    pub(crate) fn close_us(&self, run: &Run) -> i64 {
        let nodes = self.nodes_at_end(run).into_iter();
        let lives = nodes.flat_map(|node| &run.nodes[node].lives);
        lives
            .filter(|life| life.covers(self.until_us, self.until_us))
            .filter_map(|life| life.end)
            .min()
            .unwrap_or(i64::MAX)
            .min(self.until_us.saturating_add(self.settle_us))
    }
}

/// A part of the measured stretch, by the times since it began. The default is all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Where it begins.
    pub from: Option<Duration>,
    /// Where it ends.
    pub until: Option<Duration>,
}

impl Part {
    /// Its begin and end in microseconds since the Unix epoch; it does not reach beyond the whole.
    pub(crate) fn of(&self, whole: &Window) -> (i64, i64) {
        let at = |since: Duration| {
            let us = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
            whole.from_us.saturating_add(us).min(whole.until_us)
        };
        let from = self.from.map_or(whole.from_us, at);
        (from, self.until.map_or(whole.until_us, at).max(from))
    }
}

fn derive(run: &Run) -> (i64, i64) {
    let firsts = run.nodes.iter().filter_map(|node| node.lives.first());
    let lasts = run.nodes.iter().filter_map(|node| node.lives.last());
    let from = firsts.map(|life| life.start).max();
    let alive = lasts.filter(|life| run.reaches_the_end(life) && !life.killed());
    let until = alive.map(|life| life.last).min();
    (from.unwrap_or_default(), until.unwrap_or_default() - SETTLE_US)
}

/// The nodes with one process that ran from `from` to `until`.
fn running(run: &Run, from: i64, until: i64) -> Vec<NodeIx> {
    (0..run.nodes.len()).filter(|&node| run.ran(node, from, until)).collect()
}

/// A message that counts.
#[derive(Debug)]
pub(crate) struct Counted<'a> {
    /// Its id.
    pub(crate) id: &'a str,
    /// What became of it.
    pub(crate) message: &'a Message,
    /// The node that introduced it first.
    pub(crate) origin: NodeIx,
    /// When it did.
    pub(crate) published: i64,
    /// The nodes that are expected to have it from another node.
    pub(crate) expected: Vec<NodeIx>,
}

impl<'a> Counted<'a> {
    /// The deliveries that count, by node.
    pub(crate) fn deliveries(&self) -> impl Iterator<Item = (NodeIx, Receipt)> + use<'_, 'a> {
        self.expected.iter().filter_map(|&node| Some((node, self.message.at[node].delivered()?)))
    }

    /// What the nodes saw that are part of the picture: the expected ones, and those that
    /// introduced the message.
    pub(crate) fn taking_part(&self) -> impl Iterator<Item = &'a AtNode> + use<'_, 'a> {
        self.places().map(|(_, at)| at)
    }

    /// The same, with the nodes.
    pub(crate) fn places(&self) -> impl Iterator<Item = (NodeIx, &'a AtNode)> + use<'_, 'a> {
        let expected = |node: &NodeIx| self.expected.binary_search(node).is_ok();
        let nodes = self.message.at.iter().enumerate();
        nodes.filter(move |(node, at)| expected(node) || at.root_at().is_some())
    }

    /// From the publication to `at`, in microseconds. A receipt can carry an earlier time than the
    /// publication only when the logs' clocks disagree, which is counted elsewhere; it is taken as
    /// no time at all.
    pub(crate) fn since(&self, at: i64) -> i64 {
        (at - self.published).max(0)
    }
}

/// The messages of one kind that count, by id.
pub(crate) fn counted<'a>(run: &'a Run, kind: Kind, window: &Window) -> Vec<Counted<'a>> {
    let messages = run.messages(kind).iter();
    messages
        .filter_map(|(id, message)| {
            let (origin, published) = message.origin()?;
            window.contains(published).then(|| Counted {
                id,
                message,
                origin,
                published,
                expected: expected(run, message, published, window),
            })
        })
        .collect()
}

fn expected(run: &Run, message: &Message, published: i64, window: &Window) -> Vec<NodeIx> {
    let mut nodes = running(run, published, window.until_us);
    nodes.retain(|&node| message.at[node].root_at().is_none());
    nodes
}
