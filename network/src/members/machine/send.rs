//! Ways: sending datagrams of our own, and carrying on those of others.

use std::time::Duration;

use libp2p::PeerId;

use super::super::codec::Standing;
use super::super::envelope::{Body, Frame, Held, Sealed};
use super::super::profile::Key;
use super::record::Record;
use super::{Machine, Output};

/// A load that is older than this is worth checking a signature for, when a datagram of that member
/// passes by on its way to another.
const OVERHEAR_AFTER: Duration = Duration::from_secs(5);

/// How many former neighbours of a member without a route are tried.
const NEAR: usize = 3;

impl Machine {
    /// Sends to a member, over the best way, or over the best few.
    pub(super) fn send(&mut self, now: Duration, dst: Key, body: Body, ways: usize) {
        if dst == self.me() {
            return;
        }
        let hops = self.ways(&dst, None);
        if hops.is_empty() {
            self.stats.unroutable += 1;
            return;
        }
        let held = self.held(&dst);
        if held.is_some()
            && let Some(record) = self.records.get_mut(&dst)
        {
            record.told = Some(now);
        }
        self.counter += 1;
        let sealed = Sealed {
            src: self.me(),
            dst,
            generation: self.own.profile.generation,
            incarnation: self.incarnation,
            counter: self.counter,
            load: self.load,
            held,
            body,
        };
        let frame = sealed.seal(&self.keypair, &self.genesis);
        for hop in hops.into_iter().take(ways.max(1)) {
            self.stats.sent.add(frame.len());
            self.hand(&hop, frame.clone());
        }
    }

    /// Hands a frame to a neighbour.
    pub(super) fn hand(&mut self, hop: &Key, bytes: Vec<u8>) {
        if let Some(neighbour) = self.neighbours.get(hop) {
            self.out.push_back(Output::Send { neighbour: neighbour.peer, bytes });
        }
    }

    /// How we hold a member of whom others would be surprised to hear it.
    fn held(&self, dst: &Key) -> Option<Held> {
        let shown = self.records.get(dst)?.shown;
        (shown.standing != Standing::Alive).then_some(Held {
            generation: shown.generation,
            incarnation: shown.incarnation,
            standing: shown.standing,
        })
    }

    /// The neighbours on the way to a member, the best first.
    fn ways(&mut self, dst: &Key, except: Option<&Key>) -> Vec<Key> {
        let mut hops = self.routes.next_hops(dst);
        hops.retain(|hop| Some(hop) != except && self.neighbours.contains_key(hop));
        if hops.is_empty() {
            hops = self.ways_back(dst);
            hops.retain(|hop| Some(hop) != except && self.neighbours.contains_key(hop));
        }
        hops
    }

    /// Where to try without a route: where something of it came from, and towards those who were
    /// its neighbours when it last said so. No route leads to a member that is down; the other side
    /// of a cut that has healed is found so.
    fn ways_back(&mut self, dst: &Key) -> Vec<Key> {
        let mut hops: Vec<Key> = self.via.peek(dst).copied().into_iter().collect();
        let Some(record) = self.records.get(dst) else { return hops };
        let named = &record.signed.profile.neighbours;
        let near = |record: &&Record| !record.is_down() && named.contains(&record.id().key.short());
        let near: Vec<Key> =
            self.records.values().filter(near).map(|record| record.id().key).take(NEAR).collect();
        for key in near {
            hops.extend(self.routes.next_hops(&key).into_iter().take(1));
        }
        hops.dedup();
        hops
    }

    /// Whether anything can be sent to this member.
    pub(super) fn reachable(&mut self, dst: &Key) -> bool {
        !self.ways(dst, None).is_empty()
    }

    /// Carries on a datagram that is for another member.
    pub(super) fn carry(
        &mut self,
        now: Duration,
        from: &Key,
        (src, dst): (Key, Key),
        frame: &[u8],
    ) {
        self.overhear(now, &src, frame);
        // Never back to its source, and one hop less each time, so that no circle lasts.
        let Some(hop) = self.ways(&dst, Some(from)).into_iter().find(|hop| *hop != src) else {
            self.stats.unroutable += 1;
            return;
        };
        if let Some(frame) = Frame::carried(frame) {
            self.stats.carried.add(frame.len());
            self.hand(&hop, frame);
        }
    }

    /// Takes the load from a datagram that passes by.
    fn overhear(&mut self, now: Duration, src: &Key, frame: &[u8]) {
        let Some(record) = self.records.get(src) else { return };
        if record.load.is_some_and(|(_, at)| now < at + OVERHEAR_AFTER) {
            return;
        }
        let Ok(sealed) = Sealed::open(frame, &self.genesis) else { return };
        if sealed.generation == record.signed.profile.generation
            && sealed.counter > record.load_counter
        {
            self.note_load(now, src, &sealed);
        }
    }

    /// Takes the load from a datagram whose signature holds.
    pub(super) fn note_load(&mut self, now: Duration, src: &Key, sealed: &Sealed) {
        if !sealed.load.sane() {
            self.stats.bad_loads += 1;
        }
        if let Some(record) = self.records.get_mut(src)
            && sealed.counter > record.load_counter
        {
            record.load_counter = sealed.counter;
            record.load = Some((sealed.load.bounded(), now));
        }
    }

    pub(super) fn offend(&mut self, neighbour: PeerId, what: &'static str) {
        self.out.push_back(Output::Offence { neighbour, what });
    }
}
