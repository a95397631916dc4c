//! Spreading: who is pushed to, who is told, when again, and when it ends.

use std::fmt::Debug;
use std::time::Duration;

use rand::seq::SliceRandom;

use super::heard::Heard;
use super::message::{Link, Live, Origin, ShortId, Slot, State};
use super::peer::MAX_QUEUE;
use super::router::{BEACON_GROWTH, Router, SWEEP_EVERY};
use super::tree::Turn;
use crate::topic::Topic;

/// Messages that wait for a verdict while nothing is amiss are fewer: at 30 µs for a signature these are 8 ms of
/// work.
const BEHIND: usize = 256;

/// While behind, what was announced is waited for so many times as long: 3 s in place of 150 ms.
const WHEN_BEHIND: u32 = 20;

/// A peer is told of a message this many times at most: once, and in each of two rounds.
pub(super) const MAX_TOLD: u8 = 3;

impl<P: Ord + Copy + Debug> Router<P> {
    /// A message was accepted: from now on it is spread.
    pub(super) fn spread(&mut self, now: Duration, short: ShortId) {
        let Some(seen) = self.store.get_mut(short) else { return };
        seen.state = State::Accepted;
        let Some(live) = seen.live.as_deref_mut() else { return };
        let (origin, topic, ours) = (live.origin, live.topic, live.ours);
        let slots = |links: &[Link], which: fn(&Link) -> bool| -> Vec<Slot> {
            links.iter().filter(|link| which(link)).map(|link| link.slot).collect()
        };
        let known = slots(live.links(), |link| link.known);
        let refused = slots(live.links(), |link| link.refused);
        let mut all: Vec<Slot> = self.peers.keys().copied().collect();
        all.retain(|slot| !refused.contains(slot));
        live.waiting = all.iter().filter(|slot| !known.contains(slot)).copied().collect();
        self.store.keep(now, short);
        let first = self.config.rounds[0].max(self.patience().saturating_mul(2));
        self.store.set_timer(short, Some(now.saturating_add(first)));
        self.sweep_at.get_or_insert(now.saturating_add(SWEEP_EVERY));
        let lazily = ours && origin == Origin::NONE;
        if self.config.eager && origin != Origin::NONE {
            self.choose_fanout(origin, &all);
        }
        for slot in all {
            let is_known = known.contains(&slot);
            let by = match is_known {
                true => self.config.acknowledge_every,
                false if lazily => self.config.patience,
                false => self.config.announce_every,
            };
            if is_known || !self.push(slot, short, origin, topic) {
                self.announce(now, slot, short, now.saturating_add(by));
            }
        }
        if !known.is_empty() || !refused.is_empty() {
            self.settle_if_done(short);
        }
        self.trim(now);
    }

    /// The first message of an origin is pushed to some peers only, if there are many.
    fn choose_fanout(&mut self, origin: Origin, all: &[Slot]) {
        let tree = self.trees.of(origin);
        if tree.first_use() && all.len() > self.config.flood_fanout {
            let mut left_out = all.to_vec();
            left_out.retain(|slot| tree.pushes_to(*slot));
            left_out.shuffle(&mut self.random);
            for slot in left_out.into_iter().skip(self.config.flood_fanout) {
                tree.be_lazy(slot);
            }
        }
    }

    /// Queues a message to be pushed to a peer, if it is to be.
    fn push(&mut self, slot: Slot, short: ShortId, origin: Origin, topic: Topic) -> bool {
        if !self.config.eager || origin == Origin::NONE {
            return false;
        }
        let eager = self.trees.known(origin).is_none_or(|tree| tree.pushes_to(slot));
        let Some(peer) = self.peers.get_mut(&slot).filter(|_| eager) else { return false };
        if peer.queue.len() >= MAX_QUEUE {
            self.heard.push(Heard::Dropped { place: "push-queue", count: 1 });
            return false;
        }
        match topic {
            // Blocks are few, and all wait for them.
            Topic::Block => peer.queue.push_front(short),
            Topic::Tx => peer.queue.push_back(short),
        }
        if let Some(live) = self.store.accepted(short) {
            live.link(slot).queued = true;
        }
        true
    }

    /// Tells a peer that we have a message, by then at the latest. Not more often than is sensible.
    pub(super) fn announce(&mut self, now: Duration, slot: Slot, short: ShortId, by: Duration) {
        let Some(peer) = self.peers.get_mut(&slot) else { return };
        let Some(live) = self.store.accepted(short) else { return };
        let link = live.link(slot);
        if link.told >= MAX_TOLD {
            return;
        }
        if !peer.says.have(short, by.max(now)) {
            self.heard.push(Heard::Dropped { place: "push-announce", count: 1 });
            return;
        }
        link.told = link.told.saturating_add(1);
        live.announced = live.announced.saturating_add(1);
    }

    /// Tells a peer that we do not take a message.
    pub(super) fn refuse(&mut self, now: Duration, slot: Slot, short: ShortId) {
        let by = now.saturating_add(self.config.acknowledge_every);
        let Some(peer) = self.peers.get_mut(&slot) else { return };
        if !peer.says.refused(short, by) {
            self.heard.push(Heard::Dropped { place: "push-announce", count: 1 });
        }
    }

    /// A peer is known to have a message, or to have refused it.
    pub(super) fn answered(&mut self, name: P, slot: Slot, short: ShortId, refused: bool) {
        let Some(seen) = self.store.get_mut(short) else { return };
        let (state, message) = (seen.state, seen.id);
        let Some(live) = seen.live.as_deref_mut() else { return };
        let link = live.link(slot);
        link.refused = refused;
        link.known |= !refused;
        if state != State::Accepted {
            return;
        }
        live.waiting.retain(|it| *it != slot);
        if live.ours && !live.taken && !refused {
            live.taken = true;
            self.heard.push(Heard::Taken { message, topic: live.topic, by: name });
        }
        self.settle_if_done(short);
    }

    fn settle_if_done(&mut self, short: ShortId) {
        let done = |live: &mut Live| live.timer.is_some() && live.waiting.is_empty();
        if self.store.accepted(short).is_some_and(done) {
            self.settle(short);
        }
    }

    /// Ends the spreading of a message, and says how it ended.
    fn settle(&mut self, short: ShortId) {
        self.store.set_timer(short, None);
        let Some(message) = self.store.get(short).map(|seen| seen.id) else { return };
        let Some(live) = self.store.accepted(short) else { return };
        let unsure = std::mem::take(&mut live.waiting).len();
        let refused = live.links().iter().filter(|link| link.refused).count();
        let known = live.links().iter().filter(|link| link.known && !link.refused).count();
        live.keep_links(|slot| self.peers.contains_key(&slot));
        let count = |many: usize| u32::try_from(many).unwrap_or(u32::MAX);
        self.heard.push(Heard::Settled {
            message,
            topic: live.topic,
            known: count(known),
            refused: count(refused),
            unsure: count(unsure),
            pushed: live.pushed,
            announced: live.announced,
        });
    }

    /// A peer has joined: what is being spread is to reach it as well.
    pub(super) fn wait_for(&mut self, slot: Slot) {
        for short in self.store.spreading() {
            if let Some(live) = self.store.accepted(short) {
                live.waiting.push(slot);
            }
        }
    }

    /// A peer has left: nothing waits for it. What waited for it alone ends with its next round: of a
    /// peer that never answered that is all of the last ten seconds, which would end at once.
    pub(super) fn no_longer_wait_for(&mut self, slot: Slot) {
        for short in self.store.spreading() {
            if let Some(live) = self.store.accepted(short) {
                live.waiting.retain(|it| *it != slot);
            }
        }
    }

    /// Queues what peers are to be told of trees.
    pub(super) fn tell(&mut self, now: Duration, turns: impl IntoIterator<Item = (Origin, Turn)>) {
        for (origin, turn) in turns {
            let (Turn::Eager(slot) | Turn::Lazy(slot)) = turn;
            if let Some(peer) = self.peers.get_mut(&slot) {
                peer.says.turn(now, origin, turn);
            }
        }
    }

    /// When [`Router::tick`] has something to do next: at once, if that is in the past.
    #[must_use]
    pub fn wake_at(&self) -> Option<Duration> {
        let at_once = (!self.heard.is_empty()).then_some(Duration::ZERO);
        let deadline = self.peers.values().filter_map(|peer| peer.says.deadline()).min();
        let timers = [
            at_once,
            deadline,
            self.board.next_timer(),
            self.store.next_timer(),
            self.beacons.at,
            self.sweep_at,
        ];
        timers.into_iter().flatten().min()
    }

    /// Does what it is time for. Afterwards peers may have frames: [`Router::ready`].
    pub fn tick(&mut self, now: Duration, out: &mut Vec<Heard<P>>) {
        let mut unsaid = 0_u64;
        for peer in self.peers.values_mut() {
            peer.says.look(now);
            unsaid = unsaid.saturating_add(peer.says.take_unsaid());
        }
        if unsaid > 0 {
            self.heard.push(Heard::Dropped { place: "push-words", count: unsaid });
        }
        self.ask_due(now);
        while let Some(short) = self.store.due(now) {
            self.next_round(now, short);
        }
        if self.beacons.at.is_some_and(|at| at <= now) {
            self.send_beacon(now);
        }
        if self.sweep_at.is_some_and(|at| at <= now) {
            self.sweep(now);
        }
        out.append(&mut self.heard);
    }

    /// Whether so much waits for a verdict here that whatever comes late does so for our own sake. Then
    /// nothing is learned of paths from it, and asking for more would not help.
    pub(super) fn is_behind(&self) -> bool {
        self.peers.values().map(|peer| peer.unjudged).sum::<usize>() >= BEHIND
    }

    /// How long what was announced is waited for, as things are.
    pub(super) fn patience(&self) -> Duration {
        match self.is_behind() {
            true => self.config.patience.saturating_mul(WHEN_BEHIND),
            false => self.config.patience,
        }
    }

    /// Announces a message again to those that are not known to have it, or gives up.
    fn next_round(&mut self, now: Duration, short: ShortId) {
        let patience = self.patience();
        let Some(live) = self.store.accepted(short) else { return };
        let somebody_has = live.links().iter().any(|link| link.known || link.refused);
        if live.waiting.is_empty() && somebody_has {
            return self.settle(short);
        }
        live.round = live.round.saturating_add(1);
        let Some(next) = self.config.rounds.get(live.round) else { return self.settle(short) };
        let next = live.accepted.saturating_add(*next).max(now.saturating_add(patience));
        let waiting = live.waiting.clone();
        self.store.set_timer(short, Some(next));
        for slot in waiting {
            let queued = self.store.accepted(short).is_some_and(|live| live.link(slot).queued);
            if !queued {
                self.announce(now, slot, short, now.saturating_add(self.config.announce_every));
            }
        }
    }

    fn send_beacon(&mut self, now: Duration) {
        self.beacons.number = self.beacons.number.saturating_add(1);
        self.beacons.last = Some(now);
        self.beacons.at = Some(now.saturating_add(self.beacons.gap));
        self.beacons.gap =
            self.beacons.gap.saturating_mul(BEACON_GROWTH).min(self.config.beacon_every);
        // From now on peers may say that they have our messages from elsewhere.
        self.trees.of(self.origin).first_use();
        for peer in self.peers.values_mut() {
            peer.says.beacon(now, self.origin, self.beacons.number);
        }
    }

    /// Forgets what is old.
    fn sweep(&mut self, now: Duration) {
        self.trim(now);
        while let Some((giver, bytes)) = self.store.overdue(now, &self.config) {
            self.heard.push(Heard::Dropped { place: "push-verdict", count: 1 });
            if let Some(peer) = giver.and_then(|slot| self.peers.get_mut(&slot)) {
                peer.unjudged = peer.unjudged.saturating_sub(1);
                peer.unjudged_bytes = peer.unjudged_bytes.saturating_sub(bytes);
            }
        }
        let count = self.store.forget(now, &self.config);
        if count > 0 {
            self.heard.push(Heard::Dropped { place: "push-seen", count });
        }
        let next = now.saturating_add(SWEEP_EVERY);
        self.sweep_at = (!self.store.is_empty()).then_some(next);
    }

    /// Lets go of messages that need not be at hand any longer. Those still spread end there.
    fn trim(&mut self, now: Duration) {
        while let Some(short) = self.store.stale(now, &self.config) {
            if self.store.accepted(short).is_some_and(|live| live.timer.is_some()) {
                self.settle(short);
            }
            self.store.let_go();
        }
    }
}
