//! Heals: how long after the last cut is mended all lists are whole again.

use super::super::manifest::Manifest;
use super::super::run::{NodeIx, Run};
use super::super::stats::ms;
use super::Members;
use super::lists::Lists;
use super::presence::Presence;

impl Members {
    pub(super) fn count_heals(
        &mut self,
        run: &Run,
        manifest: &Manifest,
        lists: &Lists<'_>,
        presence: &Presence<'_>,
    ) {
        let heals = heals(manifest, presence.end);
        self.heals = heals.len() as u64;
        let times = heals.into_iter().map(|(at, until)| whole(run, lists, presence, at, until));
        let longest: Option<Vec<i64>> = times.collect();
        self.heal_ms = longest.and_then(|times| times.into_iter().max()).map(ms);
    }
}

/// The moments before `end` from which on nothing was cut, and when something was again, or the end.
fn heals(manifest: &Manifest, end: i64) -> Vec<(i64, i64)> {
    let closed = |at: Option<i64>| at.filter(|at| *at < end);
    let open = |at: i64| {
        manifest
            .cuts
            .iter()
            .any(|cut| cut.from_us <= at && closed(cut.until_us).is_none_or(|until| at < until))
    };
    let mut moments: Vec<_> = manifest.cuts.iter().filter_map(|cut| closed(cut.until_us)).collect();
    moments.sort_unstable();
    moments.dedup();
    let next = |at: i64| {
        let begins =
            manifest.cuts.iter().map(|cut| cut.from_us).filter(|from| at < *from && *from < end);
        begins.min().unwrap_or(end)
    };
    moments.into_iter().filter(|at| !open(*at)).map(|at| (at, next(at))).collect()
}

/// How long after `at` all nodes that are there from then to `until` hold each other to be there.
fn whole(
    run: &Run,
    lists: &Lists<'_>,
    presence: &Presence<'_>,
    at: i64,
    until: i64,
) -> Option<i64> {
    let nodes: Vec<NodeIx> =
        (0..run.nodes.len()).filter(|&node| presence.was_there(node, at, until)).collect();
    let pairs = nodes.iter().flat_map(|&one| nodes.iter().map(move |&other| (one, other)));
    let pairs = pairs.filter(|(one, other)| one != other);
    // What each pair changes to, and how many pairs are wrong until then.
    let mut wrong = 0_usize;
    let mut changes: Vec<(i64, bool)> = Vec::new();
    for (holder, subject) in pairs {
        let mut held = lists.holds(holder, subject, at);
        wrong += usize::from(!held);
        for said in lists.between(holder, subject, at, until) {
            let holds = lists.means_there(subject, said, said.at);
            if holds != held {
                changes.push((said.at, holds));
                held = holds;
            }
        }
    }
    if wrong == 0 {
        return Some(0);
    }
    // Of changes in one microsecond, those for the worse come first.
    changes.sort_unstable();
    for (when, holds) in changes {
        wrong = if holds { wrong.saturating_sub(1) } else { wrong + 1 };
        if wrong == 0 {
            return Some(when - at);
        }
    }
    None
}
