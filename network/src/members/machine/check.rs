//! Asking a member whether it is there: when a connection to it broke, or when it is suspected.

use std::time::Duration;

use libp2p::PeerId;

use super::super::codec::{Claim, Standing};
use super::super::envelope::Body;
use super::super::profile::Key;
use super::{Machine, Output};

/// How often a suspected neighbour is asked before we confirm the suspicion. It may be so busy that
/// it reads what we sent seconds late.
const ASKS: u8 = 4;

/// The ways that a question takes at once: over three other members, as a probe takes.
const WAYS: usize = 3;

/// A question under way. Any datagram from the member answers it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Check {
    /// When it has gone unanswered.
    pub(super) due: Duration,
    /// The connection to it broke.
    lost_link: bool,
    asked: u8,
}

impl Machine {
    /// The connection to a peer is gone. `graceful` says that it was closed with a word, by them or
    /// by us; one that breaks is a first sign that the peer has died.
    pub fn unlinked(&mut self, now: Duration, peer: PeerId, graceful: bool) {
        let Some(key) = Key::of(&peer) else { return };
        if self.neighbours.remove(&key).is_none() {
            return;
        }
        self.awake(now);
        self.routes.unlink(&key);
        if self.candidates.unlinked(&key) && !self.records.contains_key(&key) {
            self.routes.remove(&key);
        }
        self.publish_soon(now);
        self.promise(now);
        let Some(record) = self.records.get(&key) else {
            return;
        };
        // Without any connection the fault is on our side.
        if graceful || record.is_down() || record.left || self.neighbours.is_empty() {
            return;
        }
        let due = now + self.health.probe(self.config.probe_rtt);
        self.checks.insert(key, Check { due, lost_link: true, asked: 1 });
        self.dial(key);
        self.ask(now, &key, WAYS);
        self.settle(now);
        self.promise(now);
    }

    /// Asks a neighbour that is suspected. The question tells it so, and it can refute.
    pub(super) fn check_neighbour(&mut self, now: Duration, key: Key) {
        if self.neighbours.contains_key(&key) && !self.checks.contains_key(&key) {
            let due = now + self.config.probe_period;
            self.checks.insert(key, Check { due, lost_link: false, asked: 1 });
            self.ask(now, &key, 1);
        }
    }

    pub(super) fn ask(&mut self, now: Duration, key: &Key, ways: usize) {
        if self.reachable(key) {
            let nonce = self.nonce();
            self.send(now, *key, Body::Hello { nonce, profile: None }, ways);
        }
    }

    pub(super) fn dial(&mut self, key: Key) {
        if let Some(record) = self.records.get(&key) {
            let addresses = record.signed.profile.addresses.clone();
            self.out.push_back(Output::Dial { peer: key.to_peer_id(), addresses });
        }
    }

    /// Questions that went unanswered.
    pub(super) fn end_checks(&mut self, now: Duration) {
        let due: Vec<_> =
            self.checks.iter().filter(|(_, c)| c.due <= now).map(|(key, c)| (*key, *c)).collect();
        for (key, check) in due {
            let down = self.records.get(&key).is_none_or(super::record::Record::is_down);
            if !down && !check.lost_link && check.asked < ASKS {
                let due = now + self.config.probe_period;
                self.checks.insert(key, Check { due, asked: check.asked + 1, ..check });
                self.ask(now, &key, 1);
                continue;
            }
            self.checks.remove(&key);
            if !down {
                self.suspect(now, &key);
                self.accuse(now, &key, check.lost_link);
            }
        }
    }

    fn suspect(&mut self, now: Duration, key: &Key) {
        let Some(record) = self.records.get(key) else { return };
        if record.shown.standing == Standing::Alive {
            let incarnation = record.shown.incarnation;
            let claim = Claim { id: record.id(), incarnation, standing: Standing::Suspect };
            self.apply(now, [claim]);
        }
    }

    /// Greets candidates, as many as are due.
    pub(super) fn greet(&mut self, now: Duration) {
        let (greet, gone) = self.candidates.due(now);
        for key in gone {
            self.stats.never_answered += 1;
            if !self.records.contains_key(&key) {
                self.routes.remove(&key);
            }
        }
        for (key, nonce) in greet {
            let profile = Some(self.own.clone());
            self.send(now, key, Body::Hello { nonce, profile }, 2);
        }
    }

    /// Looks for one of those who are down: the other side of a cut, or a member that was stopped.
    pub(super) fn revive_one(&mut self, now: Duration) {
        let Some(due) = self.due.revive else { return };
        if now < due {
            return;
        }
        let down: Vec<Key> = self
            .records
            .iter()
            .filter(|(_, r)| r.is_down() && !r.left)
            .map(|(key, _)| *key)
            .collect();
        self.due.revive = (!down.is_empty()).then_some(now + self.config.revive_every);
        use rand::seq::IndexedRandom;
        if let Some(key) = down.choose(&mut self.random).copied() {
            self.dial(key);
            self.ask(now, &key, WAYS);
        }
    }

    /// Somebody is down and may come back.
    pub(super) fn revive_soon(&mut self, now: Duration) {
        self.due.revive.get_or_insert(now + self.config.revive_every);
    }
}
