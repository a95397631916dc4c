//! Which slots to fill, and when to try somebody else.

use std::time::Duration;

use rand::RngExt;

use super::view::View;
use super::{Decision, Held, Kind, Slots};

/// Among more members than this, slots change hands as much more rarely: each change is news to all of
/// them, and what a node hears of that shall not grow with their number.
const CROWD: usize = 16;

impl Slots {
    /// Fills what is free, and now and then tries somebody better or somebody else.
    pub(super) fn dials(&mut self, now: Duration, view: &View<'_>, decisions: &mut Vec<Decision>) {
        // The random ones first: they alone keep the network in one piece.
        for kind in [Kind::Random, Kind::Near, Kind::Far] {
            let full = kind != Kind::Random && view.connected.len() >= self.config.most;
            while !full && self.free(kind) > 0 && self.dial(kind, now, view, decisions) {}
        }
        while view.outbound + self.dialling.len() < self.config.min_outbound
            && self.dial(Kind::Random, now, view, decisions)
        {}
        if now >= self.next_rotation {
            let due = self.next_rotation != Duration::ZERO && self.free(Kind::Random) == 0;
            if !due || self.dial(Kind::Random, now, view, decisions) {
                // Not in step with everybody else.
                let crowd = (view.known.len() / CROWD).max(1);
                let wait = self.config.rotation.mul_f64(self.random.random_range(0.75..1.25));
                let wait = wait.saturating_mul(u32::try_from(crowd).unwrap_or(u32::MAX));
                self.next_rotation = now.saturating_add(wait);
            }
        }
        if self.near_trials.is_due(now) && self.free(Kind::Near) == 0 {
            self.near_trials.made(now);
            let near = self.held.iter().filter(|(_, held)| held.kind == Kind::Near);
            let worst = near.filter_map(|(peer, _)| view.measured_rtt(peer)).max();
            if worst.is_some_and(|worst| self.better(worst, now, view)) {
                self.dial(Kind::Near, now, view, decisions);
            }
        }
    }

    /// Decides on one dial; says whether there was somebody to dial and room for it.
    fn dial(
        &mut self,
        kind: Kind,
        now: Duration,
        view: &View<'_>,
        decisions: &mut Vec<Decision>,
    ) -> bool {
        if self.dialling.len() >= self.config.max_dials {
            return false;
        }
        let Some(chosen) = self.pick(kind, now, view) else { return false };
        self.dialling.insert(chosen.peer, Held { kind, since: now });
        decisions.push(Decision::Dial(chosen.peer, chosen.addresses.clone()));
        true
    }
}
