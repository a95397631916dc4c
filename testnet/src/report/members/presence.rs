//! Who was there, and who could reach whom: what the lists are held against.
//!
//! A node is away while no process of it runs, and while it is held still. Two nodes are together when
//! connections of nodes that were there lead from one to the other: those of the topology and those
//! that nodes logged, without those that were cut. Where neither is known, every node can reach
//! every other. A connection that is cut one way counts as cut.

use std::collections::{BTreeMap, BTreeSet};

use super::super::manifest::Manifest;
use super::super::run::{NodeIx, Run};
use super::Why;

/// Whoever is back for less than this was not back: a process that is killed while it stands still is
/// let go on first, and one that dies at its start has hardly run.
const HARDLY_US: i64 = 1_000_000;

/// A stretch of time during which a node was away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Absence {
    pub(super) node: NodeIx,
    pub(super) from: i64,
    /// Absent when it did not come back before the end.
    pub(super) until: Option<i64>,
    pub(super) why: Why,
    /// Whether it came back as a new process.
    pub(super) restarted: bool,
}

/// Who was there, and who could reach whom, up to the end.
#[derive(Debug)]
pub(super) struct Presence<'a> {
    run: &'a Run,
    /// Where it all ends: the first node has been told to stop.
    pub(super) end: i64,
    /// By time.
    pub(super) absences: Vec<Absence>,
    /// Moments at which it changes who reaches whom, and the part of the network that each node is
    /// in from then on: nodes are together whose parts are the same. `None` for who is away.
    parts: Vec<(i64, Vec<Option<NodeIx>>)>,
}

impl<'a> Presence<'a> {
    pub(super) fn of(run: &'a Run, manifest: &Manifest, until_us: i64) -> Self {
        let end = end(run, manifest, until_us);
        let mut absences: Vec<_> =
            (0..run.nodes.len()).flat_map(|node| absences(run, node, end)).collect();
        absences.sort_by_key(|absence| (absence.from, absence.node));
        let mut presence = Presence { run, end, absences, parts: Vec::new() };
        presence.parts = presence.all_parts(manifest);
        presence
    }

    /// Whether the node was there at `at`.
    pub(super) fn is_there(&self, node: NodeIx, at: i64) -> bool {
        self.was_there(node, at, at)
    }

    /// Whether it was there all the time from `from` to `until`.
    pub(super) fn was_there(&self, node: NodeIx, from: i64, until: i64) -> bool {
        self.run.ran(node, from, until)
    }

    /// The nodes that were there at `at`, without `but`.
    pub(super) fn others(&self, but: NodeIx, at: i64) -> impl Iterator<Item = NodeIx> + use<'_> {
        let nodes = 0..self.run.nodes.len();
        nodes.filter(move |&node| node != but && self.is_there(node, at))
    }

    /// When the node was next away, from `at` on; the end if it was not.
    pub(super) fn stays_until(&self, node: NodeIx, at: i64) -> i64 {
        let next = self.absences.iter().find(|it| it.node == node && it.from >= at);
        next.map_or(self.end, |absence| absence.from)
    }

    /// Whether the two were apart at any moment from `from` to `until`, as long as both were there.
    pub(super) fn were_apart(&self, one: NodeIx, other: NodeIx, from: i64, until: i64) -> bool {
        let first = self.parts.partition_point(|(at, _)| *at <= from).saturating_sub(1);
        let during = self.parts[first.min(self.parts.len())..].iter();
        let mut during = during.take_while(|(at, _)| *at <= until);
        during.any(|(_, part)| match (part[one], part[other]) {
            (Some(one), Some(other)) => one != other,
            _ => false,
        })
    }

    fn all_parts(&self, manifest: &Manifest) -> Vec<(i64, Vec<Option<NodeIx>>)> {
        let links = links(self.run, manifest);
        let cuts = cuts(self.run, manifest);
        let mut moments: BTreeSet<i64> = BTreeSet::from([i64::MIN]);
        for node in &self.run.nodes {
            moments.extend(node.lives.iter().map(|life| life.start));
        }
        moments.extend(self.absences.iter().flat_map(|it| [Some(it.from), it.until]).flatten());
        moments.extend(cuts.iter().flat_map(|cut| [cut.from, cut.until]));
        moments.retain(|at| *at < self.end);
        let at = |at: i64| {
            let cut: BTreeSet<_> =
                cuts.iter().filter(|cut| cut.from <= at && at < cut.until).collect();
            let ways: BTreeSet<_> = cut.iter().flat_map(|cut| &cut.ways).collect();
            // Those that go at this very moment are gone.
            let there: Vec<bool> = (0..self.run.nodes.len())
                .map(|node| self.is_there(node, at) && !self.goes_at(node, at))
                .collect();
            let stands = |&&(one, other): &&(NodeIx, NodeIx)| {
                there[one] && there[other] && !ways.contains(&(one, other))
            };
            let mut parts: Vec<_> = (0..there.len()).collect();
            for &(one, other) in links.iter().filter(stands) {
                let (one, other) = (root(&parts, one), root(&parts, other));
                parts[one.max(other)] = one.min(other);
            }
            let part = |node: NodeIx| there[node].then(|| root(&parts, node));
            (at, (0..there.len()).map(part).collect())
        };
        moments.into_iter().map(at).collect()
    }

    fn goes_at(&self, node: NodeIx, at: i64) -> bool {
        self.absences.iter().any(|absence| absence.node == node && absence.from == at)
    }
}

/// The place that stands for the part of the network in which `node` is.
fn root(parts: &[NodeIx], mut node: NodeIx) -> NodeIx {
    while parts[node] != node {
        node = parts[node];
    }
    node
}

/// When the first node was told to stop for good: after the last thing that was done to the network and
/// the end of the window. The end of the logs if none was.
fn end(run: &Run, manifest: &Manifest, until_us: i64) -> i64 {
    let done = manifest.actions.last().map_or(until_us, |action| action.at_us.max(until_us));
    let last = run.nodes.iter().filter_map(|node| node.lives.last());
    let stops = last.filter(|life| life.stopped).filter_map(|life| life.end);
    let first = stops.filter(|stop| done <= *stop).min();
    first.unwrap_or_else(|| run.latest().unwrap_or_default())
}

fn absences(run: &Run, node: NodeIx, end: i64) -> Vec<Absence> {
    let log = &run.nodes[node];
    let mut all = Vec::new();
    for (place, life) in log.lives.iter().enumerate() {
        if let Some(from) = life.end {
            let until = log.lives.get(place + 1).map(|next| next.start);
            let why = if life.stopped { Why::Left } else { Why::Killed };
            all.push(Absence { node, from, until, why, restarted: true });
        }
    }
    for &(from, until) in &log.pauses {
        let (until, why) = (Some(until), Why::Paused);
        all.push(Absence { node, from, until, why, restarted: false });
    }
    all.retain(|absence| absence.from < end);
    for absence in &mut all {
        absence.until = absence.until.filter(|until| *until < end);
    }
    all.sort_by_key(|absence| absence.from);
    all.dedup_by(|next, before| {
        let Some(until) = before.until else { return true };
        let follows = next.from <= until.saturating_add(HARDLY_US);
        if follows && next.until.is_none_or(|next| next > until) {
            before.until = next.until;
            before.restarted |= next.restarted;
        }
        follows
    });
    all
}

/// Connections that there could be: two nodes each, the smaller one first.
fn links(run: &Run, manifest: &Manifest) -> BTreeSet<(NodeIx, NodeIx)> {
    let ordered = |one: NodeIx, other: NodeIx| (one.min(other), one.max(other));
    let edge =
        |[one, other]: &[String; 2]| Some(ordered(run.node_named(one)?, run.node_named(other)?));
    let mut links: BTreeSet<_> = manifest.edges.iter().filter_map(edge).collect();
    for (node, log) in run.nodes.iter().enumerate() {
        let met = log.met.iter().filter_map(|&peer| run.node_of(peer));
        links.extend(met.filter(|&peer| peer != node).map(|peer| ordered(node, peer)));
    }
    if links.is_empty() {
        let nodes = run.nodes.len();
        links =
            (0..nodes).flat_map(|one| (one + 1..nodes).map(move |other| (one, other))).collect();
    }
    links
}

/// Connections that were cut for a while.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct CutWays {
    from: i64,
    until: i64,
    ways: BTreeSet<(NodeIx, NodeIx)>,
}

fn cuts(run: &Run, manifest: &Manifest) -> Vec<CutWays> {
    let by_name: BTreeMap<&str, NodeIx> =
        run.nodes.iter().enumerate().map(|(node, log)| (&*log.name, node)).collect();
    let nodes = |names: &[String]| -> Vec<NodeIx> {
        names.iter().filter_map(|name| by_name.get(&**name).copied()).collect()
    };
    let cut = |cut: &super::super::shape::Cut| {
        let to = nodes(&cut.to);
        let ways = nodes(&cut.from).into_iter();
        let ways = ways.flat_map(|from| to.iter().map(move |&to| (from.min(to), from.max(to))));
        let until = cut.until_us.unwrap_or(i64::MAX);
        CutWays { from: cut.from_us, until, ways: ways.collect() }
    };
    manifest.cuts.iter().map(cut).collect()
}
