//! Joins: how long a node took to know all others, as when it is given one address only.

use super::super::run::{NodeIx, Run};
use super::super::stats::Summary;
use super::Members;
use super::lists::Lists;
use super::presence::Presence;

/// Nodes that start within so long of each other, in microseconds, are to know each other: a network
/// that is started as a whole is up within seconds.
const TOGETHER_US: i64 = 10_000_000;

impl Members {
    pub(super) fn count_joins(&mut self, run: &Run, lists: &Lists<'_>, presence: &Presence<'_>) {
        let mut times = Vec::new();
        for node in 0..run.nodes.len() {
            let starts = run.nodes[node].lives.iter().map(|life| life.start);
            for start in starts.filter(|start| *start < presence.end) {
                match discovers(run, node, start, lists, presence) {
                    Discovery::After(us) => times.push(us),
                    Discovery::Unfinished => self.undiscovered += 1,
                    Discovery::Cut => continue,
                }
                self.joins += 1;
            }
        }
        self.discovered_ms = Summary::of_us(times);
    }
}

/// What came of looking for the others.
enum Discovery {
    /// All were on the list so long after.
    After(i64),
    /// One was never.
    Unfinished,
    /// There was none, or the node went before.
    Cut,
}

fn discovers(
    run: &Run,
    node: NodeIx,
    start: i64,
    lists: &Lists<'_>,
    presence: &Presence<'_>,
) -> Discovery {
    let mut longest = None;
    let mut unfinished = false;
    for other in (0..run.nodes.len()).filter(|&other| other != node) {
        let ran = presence.is_there(other, start).then_some(start);
        let lives = run.nodes[other].lives.iter().map(|life| life.start);
        let together = start..=start.saturating_add(TOGETHER_US).min(presence.end);
        let Some(from) = ran.or_else(|| lives.into_iter().find(|at| together.contains(at))) else {
            continue;
        };
        let until = presence.stays_until(other, from).min(presence.stays_until(node, start));
        match lists.holds_from(node, other, from, until) {
            Some(at) => longest = longest.max(Some(at - from)),
            None => {
                unfinished |=
                    until == presence.end && !presence.were_apart(node, other, from, until);
            }
        }
    }
    match longest {
        _ if unfinished => Discovery::Unfinished,
        Some(us) => Discovery::After(us),
        None => Discovery::Cut,
    }
}
