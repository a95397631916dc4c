//! What comes in over a connection, and who it is from.

use std::time::Duration;

use libp2p::PeerId;

use super::super::envelope::{Bad, Body, Frame, Sealed};
use super::super::guard::{Allowance, FRAMES};
use super::super::profile::{Key, SignedProfile};
use super::super::routes::MAX_MEMBERS;
use super::super::rumour::Rumour;
use super::learn::own_profiles;
use super::record::Record;
use super::{Machine, Neighbour};

impl Machine {
    /// A connection to a peer stands, and frames can go both ways. Peers whose key is not an Ed25519
    /// key are no members.
    pub fn linked(&mut self, now: Duration, peer: PeerId) {
        let Some(key) = Key::of(&peer).filter(|key| *key != self.me() && !self.gone) else {
            return;
        };
        self.awake(now);
        let allowance = Allowance::new(FRAMES, now);
        self.neighbours.entry(key).or_insert(Neighbour { peer, allowance });
        self.routes.link(key);
        self.publish_soon(now);
        if self.records.contains_key(&key) {
            self.checks.remove(&key);
            let (nonce, profile) = (self.nonce(), Some(self.own.clone()));
            self.send(now, key, Body::Hello { nonce, profile }, 1);
            self.send_digest(now, key);
        } else {
            self.introduce(now, key, key);
            self.greet(now);
        }
        self.settle(now);
        self.promise(now);
    }

    /// A frame from a neighbour.
    pub fn received(&mut self, now: Duration, from: PeerId, bytes: &[u8]) {
        self.stats.received.add(bytes.len());
        let Some(key) = Key::of(&from).filter(|_| !self.gone) else { return };
        self.awake(now);
        let Some(neighbour) = self.neighbours.get_mut(&key) else { return };
        if !neighbour.allowance.take(now) {
            self.stats.excess += 1;
            return;
        }
        match Frame::peek(bytes) {
            // A goodbye, which the stream has noted. It only counts.
            _ if bytes.is_empty() => {}
            Ok(Frame::Load(load)) => {
                if !load.sane() {
                    self.stats.bad_loads += 1;
                    self.offend(from, "load out of range");
                }
                if let Some(record) = self.records.get_mut(&key) {
                    record.load = Some((load.bounded(), now));
                    if record.is_down() {
                        self.tell(now, &key);
                    }
                }
            }
            Ok(Frame::Datagram { src, dst }) => {
                if src == self.me() {
                    self.stats.repeated += 1;
                    return;
                }
                self.via.put(src, key);
                if dst == self.me() {
                    self.open(now, from, (key, src), bytes);
                } else {
                    self.carry(now, &key, (src, dst), bytes);
                }
            }
            Err(bad) => self.blame(from, bad),
        }
        self.settle(now);
        self.promise(now);
    }

    fn open(&mut self, now: Duration, from: PeerId, (neighbour, src): (Key, Key), bytes: &[u8]) {
        match Sealed::open(bytes, &self.genesis) {
            Ok(sealed) => {
                let forged = self.stats.forged;
                self.accept(now, neighbour, &sealed);
                // The honest pass on nothing whose signature they did not check.
                if neighbour == src && self.stats.forged > forged {
                    self.offend(from, "forged member rumour");
                }
            }
            Err(bad) if neighbour == src => self.blame(from, bad),
            // A carrier cannot check a signature cheaply, and need not.
            Err(bad) => self.count_bad(bad),
        }
    }

    fn blame(&mut self, from: PeerId, bad: Bad) {
        self.count_bad(bad);
        self.offend(
            from,
            match bad {
                Bad::Oversized => "oversized member frame",
                Bad::Malformed => "malformed member frame",
                Bad::Signature => "member datagram with a bad signature",
            },
        );
    }

    const fn count_bad(&mut self, bad: Bad) {
        match bad {
            Bad::Oversized | Bad::Malformed => self.stats.malformed += 1,
            Bad::Signature => self.stats.forged += 1,
        }
    }

    /// A datagram for us, signed by its source.
    fn accept(&mut self, now: Duration, neighbour: Key, sealed: &Sealed) {
        let src = sealed.src;
        let news = !matches!(sealed.body, Body::Profiles(_));
        for signed in own_profiles(sealed) {
            self.brought(now, &src, |it| it.learn(now, signed, news));
        }
        let Some(record) = self.records.get_mut(&src) else {
            self.stranger(now, neighbour, sealed);
            return;
        };
        let generation = record.signed.profile.generation;
        if sealed.generation < generation {
            self.stats.outdated += 1;
            self.remind(now, &src);
            return;
        }
        if sealed.generation > generation {
            self.want(now, src, &[src]);
            return;
        }
        if !record.window.accept(sealed.counter) {
            self.stats.repeated += 1;
            return;
        }
        self.note_load(now, &src, sealed);
        if u32::from(self.proved_incarnation(sealed)) < u32::from(sealed.incarnation) {
            self.want(now, src, &[src]);
        }
        self.checks.remove(&src);
        if let Some(held) = sealed.held {
            self.held_as(now, src, held);
        }
        self.member(now, sealed);
    }

    /// The incarnation that a member says it has, as far as its profile bears it out.
    pub(super) fn proved_incarnation(&self, sealed: &Sealed) -> u16 {
        let number = self.records.get(&sealed.src).map_or(0, |r| r.signed.profile.number);
        sealed.incarnation.min(u16::try_from(number).unwrap_or(u16::MAX))
    }

    /// A datagram from a member, for the first time and of its present generation.
    fn member(&mut self, now: Duration, sealed: &Sealed) {
        let src = sealed.src;
        let Some(record) = self.records.get(&src) else { return };
        let down = record.is_down();
        if down && !matches!(sealed.body, Body::Hello { .. }) {
            // It does not know yet. What it says of others is as old as its knowledge.
            self.tell(now, &src);
            return;
        }
        if !down && !matches!(sealed.body, Body::Swim(_)) {
            self.alive(now, sealed);
        }
        match &sealed.body {
            Body::Swim(swim) => self.swim(now, sealed, swim),
            Body::Hello { nonce, profile } => {
                // Who introduces itself does not know us either.
                let profile = profile.as_ref().map(|_| self.own.clone());
                self.send(now, src, Body::HelloAck { nonce: *nonce, ask: None, profile }, 2);
            }
            Body::HelloAck { ask: Some(nonce), .. } => {
                let profile = Some(self.own.clone());
                self.send(now, src, Body::HelloAck { nonce: *nonce, ask: None, profile }, 2);
            }
            Body::HelloAck { .. } => {}
            Body::Digest(theirs) => self.digest(now, src, theirs),
            Body::List { answer, claims } => self.list(now, src, *answer, claims),
            Body::Want(keys) => self.wanted(now, src, keys),
            Body::Profiles(profiles) => {
                for signed in profiles {
                    self.brought(now, &src, |it| it.learn(now, signed, false));
                }
            }
            Body::Rumours(rumours) => {
                let claims = self.rumours(now, src, rumours);
                self.apply(now, claims);
            }
        }
    }

    /// A datagram from a key that is not on the list.
    fn stranger(&mut self, now: Duration, neighbour: Key, sealed: &Sealed) {
        let src = sealed.src;
        let new = self.introduce(now, src, neighbour);
        self.own_return(now, sealed);
        for signed in own_profiles(sealed) {
            self.learn(now, signed, false);
        }
        let answered = self.candidates.get(&src).and_then(|candidate| match sealed.body {
            Body::HelloAck { nonce, .. } if nonce == candidate.nonce => candidate.profile.clone(),
            // The connection proves who it is, and that it is there now.
            Body::Hello { .. } if src == neighbour => candidate.profile.clone(),
            _ => None,
        });
        let present = answered.filter(|p| p.profile.generation == sealed.generation);
        if let Some(signed) = present {
            self.confirm(now, signed, sealed);
        }
        match sealed.body {
            Body::Hello { nonce, .. } => {
                let known = self.records.contains_key(&src);
                let ask = self.candidates.get(&src).map(|c| c.nonce).filter(|_| !known);
                let profile = Some(self.own.clone());
                self.send(now, src, Body::HelloAck { nonce, ask, profile }, 2);
            }
            Body::HelloAck { ask: Some(nonce), .. } if self.records.contains_key(&src) => {
                let profile = Some(self.own.clone());
                self.send(now, src, Body::HelloAck { nonce, ask: None, profile }, 2);
            }
            _ if new => self.candidates.hasten(&src, now),
            _ => {}
        }
    }

    /// Takes in a candidate. One that connected itself pushes out another if need be, as its
    /// connection cost it more than a name costs. Whether it is new.
    fn introduce(&mut self, now: Duration, key: Key, introducer: Key) -> bool {
        if key == introducer
            && let Some(evicted) = self.candidates.make_room(&key)
            && !self.records.contains_key(&evicted)
        {
            self.routes.remove(&evicted);
        }
        let nonce = self.nonce();
        self.candidates.add(key, introducer, nonce, now)
    }

    /// A candidate answered: it is a member.
    fn confirm(&mut self, now: Duration, signed: SignedProfile, sealed: &Sealed) {
        let key = signed.profile.peer;
        if self.records.len() >= MAX_MEMBERS && !self.make_room(now) {
            return;
        }
        self.candidates.remove(&key);
        self.routes.set(key, &signed.profile.neighbours);
        self.spread(now, &Rumour::Profile(signed.clone()));
        let mut record = Record::new(signed, now);
        record.window.accept(sealed.counter);
        self.records.insert(key, record);
        self.note_load(now, &key, sealed);
        self.alive(now, sealed);
        if self.neighbours.contains_key(&key) {
            self.send_digest(now, key);
        }
    }

    pub(super) fn nonce(&mut self) -> u64 {
        use rand::RngExt;
        self.random.random()
    }
}
