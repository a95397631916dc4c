//! Which slots to free, and which connections to close.

use std::cmp::Reverse;
use std::time::Duration;

use libp2p::PeerId;

use super::view::View;
use super::{Connected, Decision, Kind, Slots, TRIAL_EVERY};

/// A connection that nothing asks for is left alone for so long: both ends need the time to exchange
/// their lists and to see what the connection is good for.
const GRACE: Duration = Duration::from_secs(15);

impl Slots {
    /// Frees what a trial or a rotation has replaced, and far slots that turned out to be near.
    pub(super) fn release(&mut self, now: Duration, view: &View<'_>) {
        if self.count(Kind::Near) > self.config.near {
            let of_kind = self.held.iter().filter(|(_, held)| held.kind == Kind::Near);
            // One that was never measured is worth nothing as a near one, once it had the time.
            let worst = of_kind
                .filter_map(|(peer, held)| match view.measured_rtt(peer) {
                    None if now.saturating_sub(held.since) < TRIAL_EVERY => None,
                    rtt => Some((rtt.unwrap_or(Duration::MAX), *peer)),
                })
                .max();
            self.held.retain(|peer, _| Some(*peer) != worst.map(|(_, peer)| peer));
        }
        if self.count(Kind::Random) > self.config.random {
            let of_kind = self.held.iter().filter(|(_, held)| held.kind == Kind::Random);
            let oldest = of_kind.min_by_key(|(_, held)| held.since).map(|(peer, _)| *peer);
            self.held.retain(|peer, _| Some(*peer) != oldest);
        }
        if self.far_trials.is_due(now) {
            let nearer =
                |peer: &PeerId| view.measured_rtt(peer).is_some_and(|rtt| rtt < view.mid_bar);
            let of_kind = self.held.iter().filter(|(_, held)| held.kind == Kind::Far);
            let wrong = of_kind.map(|(peer, _)| *peer).find(nearer);
            if wrong.is_some() && view.has_far_candidate {
                self.held.retain(|peer, _| Some(*peer) != wrong);
                self.far_trials.made(now);
            }
        }
    }

    /// Connections that nothing needs: those of this node's own while all slots are filled, and those
    /// of others beyond the most there may be, the youngest first, as age is what cannot be faked.
    pub(super) fn drops(&mut self, now: Duration, view: &View<'_>) -> Vec<Decision> {
        let mut idle: Vec<&Connected> = view.connected.values().copied().collect();
        idle.retain(|c| !c.protected && !self.held.contains_key(&c.peer));
        idle.retain(|c| now.saturating_sub(c.since) >= GRACE);
        idle.sort_by_key(|c| (Reverse(c.since), c.peer));
        let (mut all, mut outbound) = (view.connected.len(), view.outbound);
        // What a free slot might yet need is not closed, or it would be dialled again.
        let full = [Kind::Near, Kind::Random, Kind::Far].iter().all(|kind| self.free(*kind) == 0);
        let mut decisions = Vec::new();
        for c in idle {
            let surplus = if c.outbound {
                full && all > self.config.slots() && outbound > self.config.min_outbound
            } else {
                all > self.config.most.max(self.config.slots())
            };
            if surplus {
                all -= 1;
                outbound -= usize::from(c.outbound);
                self.waits.rest(c.peer, now);
                decisions.push(Decision::Drop(c.peer));
            }
        }
        decisions
    }
}
