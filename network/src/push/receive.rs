//! What a frame of a peer does.

use std::fmt::Debug;
use std::time::Duration;

use super::frame::{Frame, Item, Part};
use super::heard::Heard;
use super::message::{Live, Origin, ShortId, Slot, State, short_of};
use super::peer::{MAX_ANSWERS, MAX_UNJUDGED, MAX_UNJUDGED_BYTES, micros};
use super::router::{Router, SWEEP_EVERY};
use super::rumour::MAX_TOLD;
use crate::sync::flood::Flood;

/// A message is given to one peer this often at most: streams do not lose any, so once suffices, and
/// again if it came too late.
const MAX_GIVEN: u8 = 3;

/// A peer that failed more often than this is no better than one that failed this often.
const MOST_FAILURES: u32 = 1_000;

impl<P: Ord + Copy + Debug> Router<P> {
    /// A frame came from a peer.
    pub fn received(&mut self, now: Duration, from: P, frame: Frame, out: &mut Vec<Heard<P>>) {
        let Some(slot) = self.names.get(&from).copied() else { return };
        if let Some(peer) = self.peers.get_mut(&slot) {
            peer.stats.received.count(&frame);
        }
        let mut offences = Offences::default();
        for part in frame.parts {
            if self.may_say(now, slot, &part, &mut offences) {
                self.take_part(now, from, slot, part, &mut offences);
            }
        }
        if offences.copies > 0 {
            let count = offences.copies;
            self.heard.push(Heard::Dropped { place: "push-copies", count });
        }
        let found = [
            (offences.copied, "a flood of copies"),
            (offences.flood, "a flood of ids and turns"),
            (offences.wants, "wants too much"),
            (offences.again, "wants the same again and again"),
            (offences.beacons, "sends too many beacons"),
        ];
        for (_, what) in found.into_iter().filter(|(done, _)| *done) {
            self.heard.push(Heard::Offence { peer: from, what });
        }
        self.ask_due(now);
        out.append(&mut self.heard);
    }

    /// Whether a part is looked at, or is more than its sender may say.
    fn may_say(&mut self, now: Duration, slot: Slot, part: &Part, offences: &mut Offences) -> bool {
        let Some(peer) = self.peers.get_mut(&slot) else { return false };
        let (flood, place, count) = peer.may_say(part, now);
        offences.flood |= flood == Flood::Gross;
        if flood != Flood::Within {
            self.heard.push(Heard::Dropped { place, count: count as u64 });
        }
        flood == Flood::Within
    }

    fn take_part(
        &mut self,
        now: Duration,
        from: P,
        slot: Slot,
        part: Part,
        offences: &mut Offences,
    ) {
        match part {
            Part::Messages { origin, items } => {
                for item in items {
                    self.copy(now, (from, slot), (origin, item, false), offences);
                }
            }
            Part::Asked { items } => {
                for (origin, item) in items {
                    self.copy(now, (from, slot), (origin, item, true), offences);
                }
            }
            Part::Have(ids) => {
                let mut dropped = 0;
                for short in ids {
                    dropped += u64::from(!self.announced(now, from, slot, short));
                }
                if dropped > 0 {
                    self.heard.push(Heard::Dropped { place: "push-announced", count: dropped });
                }
            }
            Part::Refused(ids) => {
                for short in ids {
                    self.answered(from, slot, short, true);
                }
            }
            Part::Want(ids) => {
                for short in ids {
                    self.wanted(now, slot, short, offences);
                }
            }
            Part::Gone(ids) => {
                for short in ids {
                    if self.board.gone(short, slot, now) {
                        self.failed(slot);
                    }
                }
            }
            Part::Lazy(origins) => {
                for origin in origins {
                    // An unknown one would only take the place of another.
                    if let Some(tree) = self.trees.known(origin) {
                        tree.be_lazy(slot);
                    }
                }
            }
            Part::Eager(origins) => {
                for origin in origins {
                    if let Some(tree) = self.trees.known(origin) {
                        tree.be_eager(slot);
                    }
                }
            }
            Part::Beacon { origin, number } => self.beacon(now, slot, origin, number, offences),
        }
    }

    /// A copy of a message came. `asked`: as an answer, it says.
    fn copy(
        &mut self,
        now: Duration,
        (from, slot): (P, Slot),
        (origin, item, asked): (Origin, Item, bool),
        offences: &mut Offences,
    ) {
        if offences.copies > 0 {
            // Whether this one is known, too, would cost a hash. Should it not be, it is found by comparing
            // pools.
            offences.copies = offences.copies.saturating_add(1);
            let flood = self.peers.get_mut(&slot).map(|peer| peer.may_repeat(now));
            offences.copied |= flood == Some(Flood::Gross);
            return;
        }
        let Item { topic, data } = item;
        let message = (self.identify)(topic, &data.0);
        let short = short_of(&message);
        if let Some(known) = self.store.get(short).map(|seen| seen.id) {
            let Some(peer) = self.peers.get_mut(&slot) else { return };
            let flood = peer.may_repeat(now);
            offences.copied |= flood == Flood::Gross;
            if flood != Flood::Within {
                offences.copies = offences.copies.saturating_add(1);
                // It has the message all the same, and is not waited for.
                if known == message {
                    self.answered(from, slot, short, false);
                }
                return;
            }
        }
        let bytes = data.0.clone();
        // That it answers a question is its sender's claim.
        let missing = self.board.get(short).map(|(missing, _)| missing.was_asked(slot));
        let answers = asked && missing.unwrap_or_else(|| self.store.get(short).is_some());
        self.heard.push(Heard::Copy { from, topic, data: bytes, message, asked: answers });
        match self.store.get(short) {
            Some(seen) if seen.id != message => {
                self.heard.push(Heard::Dropped { place: "push-collision", count: 1 });
            }
            Some(seen) => {
                let refused = seen.state == State::Refused;
                self.later_copy(now, (from, slot), origin, short, asked);
                if refused {
                    self.refuse(now, slot, short);
                }
            }
            None => {
                let Some(peer) = self.peers.get_mut(&slot) else { return };
                let size = peer.unjudged_bytes.saturating_add(data.0.len());
                let busy = peer.unjudged >= MAX_UNJUDGED || size > MAX_UNJUDGED_BYTES;
                if busy || self.store.is_full() {
                    self.heard.push(Heard::Dropped { place: "push-unjudged", count: 1 });
                    return;
                }
                peer.unjudged = peer.unjudged.saturating_add(1);
                peer.unjudged_bytes = size;
                let (asked, announcers) = self.first_copy(now, slot, origin, short, asked);
                let mut live = Live::new(topic, origin, data.clone(), Some(slot));
                live.link(slot).known = true;
                for announcer in announcers {
                    live.link(announcer).known = true;
                }
                self.store.insert(now, message, live);
                self.sweep_at.get_or_insert(now.saturating_add(SWEEP_EVERY));
                let data = data.0;
                self.heard.push(Heard::Message { from, topic, data, message, asked });
            }
        }
    }

    /// The first copy of a message came: whether it had been asked for, and who had announced it.
    fn first_copy(
        &mut self,
        now: Duration,
        slot: Slot,
        origin: Origin,
        short: ShortId,
        asked: bool,
    ) -> (bool, Vec<Slot>) {
        let missing = self.board.take(short);
        let asked = asked && missing.as_ref().is_some_and(|missing| missing.was_asked(slot));
        let announcers = missing.map(|missing| missing.announcers).unwrap_or_default();
        if asked && let Some(peer) = self.peers.get_mut(&slot) {
            peer.failures /= 2;
        }
        if origin != Origin::NONE && origin != self.origin && self.config.eager {
            let ahead = announcers.first().map(|it| (it.slot, now.saturating_sub(it.at)));
            let behind = self.is_behind();
            if !(behind && asked) {
                let ahead = ahead.filter(|_| !behind);
                let turns = self.trees.of(origin).first_copy(slot, asked, ahead, &self.config);
                self.tell(now, turns.into_iter().flatten().map(|turn| (origin, turn)));
            }
        }
        (asked, announcers.into_iter().map(|it| it.slot).collect())
    }

    /// A later copy of a message came.
    fn later_copy(
        &mut self,
        now: Duration,
        (from, slot): (P, Slot),
        origin: Origin,
        short: ShortId,
        asked: bool,
    ) {
        let live = self.store.get(short).and_then(|seen| seen.live.as_deref());
        // Whoever gives it another origin than the first does not cut others off by it.
        let same = live.is_none_or(|live| live.origin == origin && live.giver != Some(slot));
        if !asked && same && origin != Origin::NONE && self.config.eager {
            let ours = origin == self.origin;
            // Of an origin that is not known there is nothing to say, and it takes no other's place:
            // copies cost nothing.
            let tree = match ours {
                true => Some(self.trees.of(origin)),
                false => self.trees.known(origin),
            };
            let turn = tree.and_then(|tree| tree.later_copy(slot, ours, now, &self.config));
            self.tell(now, turn.map(|turn| (origin, turn)));
        }
        self.answered(from, slot, short, false);
    }

    /// A peer announced a message. Whether there was room to remember it.
    fn announced(&mut self, now: Duration, from: P, slot: Slot, short: ShortId) -> bool {
        let Some(seen) = self.store.get_mut(short) else {
            let Some(peer) = self.peers.get(&slot) else { return false };
            let most = peer.most_announced();
            let ask_at = now.saturating_add(self.patience());
            return self.board.announce(short, (slot, most), now, ask_at);
        };
        match (seen.state, seen.live.as_deref_mut()) {
            (State::Refused, _) => self.refuse(now, slot, short),
            (_, None) => {}
            (state, Some(live)) => {
                let link = live.link(slot);
                let again = link.known && state == State::Accepted && link.told < MAX_TOLD;
                self.answered(from, slot, short, false);
                // It announces again what it had announced: it has not heard that we have it.
                if again {
                    let by = now.saturating_add(self.config.acknowledge_every);
                    self.announce(now, slot, short, by);
                }
            }
        }
        true
    }

    /// A peer asks for a message.
    fn wanted(&mut self, now: Duration, slot: Slot, short: ShortId, offences: &mut Offences) {
        let Some(peer) = self.peers.get_mut(&slot) else { return };
        if !peer.may_want(now) {
            offences.wants = true;
            return;
        }
        let Some(live) = self.store.accepted(short) else {
            peer.says.gone(short);
            return;
        };
        let link = live.link(slot);
        if link.given >= MAX_GIVEN {
            offences.again = true;
            return;
        }
        if peer.answers.len() >= MAX_ANSWERS {
            peer.says.gone(short);
            self.heard.push(Heard::Dropped { place: "push-answers", count: 1 });
            return;
        }
        link.given = link.given.saturating_add(1);
        peer.answers.push_back(short);
    }

    fn beacon(
        &mut self,
        now: Duration,
        slot: Slot,
        origin: Origin,
        number: u64,
        offences: &mut Offences,
    ) {
        let Some(peer) = self.peers.get_mut(&slot) else { return };
        if !peer.may_beacon(now) {
            offences.beacons = true;
            self.heard.push(Heard::Dropped { place: "push-beacons", count: 1 });
            return;
        }
        if origin == self.origin || origin == Origin::NONE || !self.config.eager {
            return;
        }
        // One of an unknown origin is always passed on. If it may not be, it plants no tree either: trees
        // that are used would have to go for it.
        let is_new = self.trees.known(origin).is_none();
        if is_new && !self.beacons.passing.take(1.0, micros(now)) {
            self.heard.push(Heard::Dropped { place: "push-beacons", count: 1 });
            return;
        }
        let (pass_on, turns) = self.trees.of(origin).beacon(number, slot, now, &self.config);
        self.tell(now, turns.into_iter().flatten().map(|turn| (origin, turn)));
        if pass_on && !is_new && !self.beacons.passing.take(1.0, micros(now)) {
            self.heard.push(Heard::Dropped { place: "push-beacons", count: 1 });
        } else if pass_on {
            // To the giver as well: if we are its way to the origin, it learns that it goes in a circle.
            for peer in self.peers.values_mut() {
                peer.says.beacon(now, origin, number);
            }
        }
    }

    /// A peer did not give what it had announced.
    fn failed(&mut self, slot: Slot) {
        if let Some(peer) = self.peers.get_mut(&slot) {
            peer.failures = peer.failures.saturating_add(1).min(MOST_FAILURES);
        }
    }

    /// Asks for the messages that have not come in time: of those that announced each, and were not
    /// asked yet, the one that failed least; and of several, the first.
    pub(super) fn ask_due(&mut self, now: Duration) {
        let patience = self.patience();
        while let Some(short) = self.board.due(now) {
            let Some((missing, silent)) = self.board.get(short) else { break };
            // Things may have slowed down since it was announced.
            let since = missing.announcers.iter().map(|it| it.at).min();
            if let Some(ask_at) = since.map(|at| at.saturating_add(patience))
                && ask_at > now
                && silent.is_none()
                && missing.is_untried()
            {
                self.board.postpone(short, ask_at);
                continue;
            }
            let open = missing.announcers.iter().filter(|it| !it.tried);
            let there = open.filter_map(|it| self.peers.get(&it.slot));
            let next = there.min_by_key(|peer| peer.failures).map(|peer| peer.slot);
            if let Some(silent) = silent {
                self.failed(silent);
            }
            let Some(peer) = next.and_then(|slot| self.peers.get_mut(&slot)) else {
                self.board.take(short);
                continue;
            };
            let until = now.saturating_add(peer.want_timeout(&self.config).max(patience));
            if !peer.says.want(short) {
                self.heard.push(Heard::Dropped { place: "push-wants", count: 1 });
            }
            self.board.ask(short, peer.slot, until);
        }
    }
}

/// What a frame did that it should not have.
#[derive(Default)]
struct Offences {
    flood: bool,
    copied: bool,
    /// Copies of known messages that were thrown away.
    copies: u64,
    wants: bool,
    again: bool,
    beacons: bool,
}
