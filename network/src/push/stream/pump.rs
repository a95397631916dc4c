//! What goes between the router and the streams: frames that have come, frames that can leave, and
//! the router's clock.

use std::task::Context;
use std::time::{Duration, Instant};

use libp2p::PeerId;

use super::handler::Word;
use super::{Arrived, Push, PushEvent};

/// Messages of one peer that may wait for a verdict before no more are read from it: enough to keep
/// the checkers busy for 30 ms.
const MAX_UNJUDGED_OF_ONE: usize = 1_024;

/// The bytes of them: half of what the router takes, so that there is room for the largest frame.
const MAX_UNJUDGED_BYTES_OF_ONE: usize = 16 << 20;

/// Messages of all peers that may wait for a verdict: with those of the last frame, 4,096 at most, it
/// is what the engine takes (8,192 checks).
const MAX_UNJUDGED: usize = 4_096;

/// The router may not be woken more often: a guard against its mistakes.
const SHORTEST_SLEEP: Duration = Duration::from_millis(1);

impl Push {
    /// The first frame that has come and for which there is room.
    fn next_arrived(&mut self) -> Option<Arrived> {
        if self.arrived.is_empty() || !self.room {
            return None;
        }
        let unjudged: usize = self.router.peers().map(|peer| self.router.unjudged(&peer)).sum();
        let may_carry = |peer: &PeerId| {
            unjudged < MAX_UNJUDGED
                && self.router.unjudged(peer) < MAX_UNJUDGED_OF_ONE
                && self.router.unjudged_bytes(peer) < MAX_UNJUDGED_BYTES_OF_ONE
        };
        let fits = |it: &Arrived| self.has(&it.peer) && (!it.carries || may_carry(&it.peer));
        let place = self.arrived.iter().position(fits)?;
        self.arrived.remove(place)
    }

    /// Gives one frame to the router; whether there was one.
    pub(super) fn take_arrived(&mut self) -> bool {
        let Some(Arrived { peer, connection, frame, at, .. }) = self.next_arrived() else {
            return false;
        };
        let mut heard = Vec::new();
        self.router.received(self.now(), peer, frame, &mut heard);
        if !heard.is_empty() {
            self.say(PushEvent::Heard(at, heard));
        }
        self.let_read(peer, connection);
        self.changed = true;
        true
    }

    /// Lets the router do what it is time for.
    pub(super) fn tick(&mut self) {
        let now = self.now();
        if self.router.wake_at().is_none_or(|at| at > now) {
            return;
        }
        let mut heard = Vec::new();
        self.router.tick(now, &mut heard);
        if !heard.is_empty() {
            self.say(PushEvent::Heard(Instant::now(), heard));
        }
        self.changed = true;
    }

    /// Sends what there is to send to peers that can take it.
    pub(super) fn send(&mut self) {
        if !std::mem::take(&mut self.changed) {
            return;
        }
        let now = self.now();
        let ready: Vec<PeerId> = self.router.ready(now).collect();
        for peer in ready {
            let Some(connection) = self.links.idle(&peer) else { continue };
            let Some(frame) = self.router.next_frame(now, &peer) else { continue };
            self.links.begin_send(&peer, connection);
            self.tell(peer, connection, Word::Send(frame));
        }
    }

    /// Whether it is time for the router; if not, this task is woken when it is.
    pub(super) fn poll_sleep(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(wanted) = self.router.wake_at() else {
            self.sleep = None;
            return false;
        };
        let until = wanted.max(self.now().saturating_add(SHORTEST_SLEEP));
        if self.sleep.as_ref().is_none_or(|(at, _)| *at != wanted) {
            let deadline = self.started + until.saturating_mul(self.dilation);
            let sleep = tokio::time::sleep_until(deadline.into());
            self.sleep = Some((wanted, Box::pin(sleep)));
        }
        let Some((_, sleep)) = &mut self.sleep else { return false };
        let over = sleep.as_mut().poll(cx).is_ready();
        if over {
            self.sleep = None;
        }
        over
    }
}
