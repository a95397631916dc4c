//! Comparing lists with one partner at a time, and asking for profiles.

use std::time::Duration;

use libp2p::PeerId;
use rand::RngExt;

use super::super::codec::{Claim, Standing};
use super::super::envelope::Body;
use super::super::exchange::{MAX_WANTED, digest, pack, parts};
use super::super::profile::Key;
use super::Machine;

/// How soon the same profile is asked for again.
const WANT_AGAIN: Duration = Duration::from_secs(1);

/// Members up to which lists are compared at the set pace; beyond, as memberlist does it, one step
/// more rarely for each doubling, as an exchange costs in proportion to the list.
const PACE_MEMBERS: usize = 32;

/// How long a member that is down is named in lists. Whoever has not heard within it keeps the
/// member as alive until a probe of its own fails.
const NAME_DOWN: Duration = Duration::from_secs(300);

impl Machine {
    /// Compares lists with this member at once.
    pub fn force_push_pull(&mut self, now: Duration, peer: PeerId) {
        if let Some(key) = Key::of(&peer) {
            self.send_digest(now, key);
        }
    }

    pub(super) fn send_digest(&mut self, now: Duration, to: Key) {
        self.send(now, to, Body::Digest(digest(self.claims())), 1);
    }

    /// Compares lists with somebody, if it is time.
    pub(super) fn compare(&mut self, now: Duration) {
        let steps = (self.size().div_ceil(PACE_MEMBERS)).max(1).ilog2() + 1;
        let pace = self.config.compare_every * steps;
        let Some(due) = self.due.compare else {
            if self.foca.num_members() > 0 {
                // The first at random, so that not all who start together do it together.
                self.due.compare = Some(now + pace.mul_f64(self.random.random()));
            }
            return;
        };
        if now < due {
            return;
        }
        self.due.compare = (self.foca.num_members() > 0).then_some(now + pace);
        let number = self.random.random_range(0..self.foca.num_members().max(1));
        let partner = self.foca.iter_members().nth(number).map(|member| member.id().key);
        if let Some(partner) = partner {
            self.send_digest(now, partner);
        }
    }

    /// Another's digest: if it differs from ours, it gets our list.
    pub(super) fn digest(&mut self, now: Duration, from: Key, theirs: &[u8; 32]) {
        if digest(self.claims()) != *theirs {
            self.stats.exchanges += 1;
            self.send_list(now, from, true);
        }
    }

    fn send_list(&mut self, now: Duration, to: Key, answer: bool) {
        let claims: Vec<Claim> = self
            .claims()
            .into_iter()
            .filter(|claim| claim.standing != Standing::Down || self.is_named(now, &claim.id.key))
            .collect();
        let parts = parts(&claims);
        let last = parts.len() - 1;
        for (number, claims) in parts.into_iter().enumerate() {
            let answer = answer && number == last;
            self.send(now, to, Body::List { answer, claims }, 1);
        }
    }

    fn is_named(&self, now: Duration, key: &Key) -> bool {
        self.records.get(key).is_some_and(|record| now < record.shown.since + NAME_DOWN)
    }

    /// A part of another's list.
    pub(super) fn list(&mut self, now: Duration, from: Key, answer: bool, claims: &[Claim]) {
        let judged = self.judge_all(now, from, claims);
        self.apply(now, judged);
        self.mark_doubted();
        if answer {
            self.send_list(now, from, false);
        }
    }

    /// Asks for profiles, those that were not asked for just now.
    pub(super) fn want(&mut self, now: Duration, of: Key, keys: &[Key]) {
        let mut due = Vec::new();
        for key in keys.iter().take(MAX_WANTED) {
            if self.wanted.get(key).is_none_or(|at| now >= *at + WANT_AGAIN) {
                self.wanted.put(*key, now);
                due.push(*key);
            }
        }
        if !due.is_empty() {
            self.send(now, of, Body::Want(due), 1);
        }
    }

    /// Somebody wants profiles.
    pub(super) fn wanted(&mut self, now: Duration, from: Key, keys: &[Key]) {
        let found = keys.iter().take(MAX_WANTED).filter_map(|key| {
            if *key == self.me() {
                Some(self.own.clone())
            } else {
                self.records.get(key).map(|record| record.signed.clone())
            }
        });
        for profiles in pack(found.collect()) {
            self.send(now, from, Body::Profiles(profiles), 1);
        }
    }
}
