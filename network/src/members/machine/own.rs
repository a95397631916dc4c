//! What we say of ourselves: profile, load, and goodbye.

use std::time::Duration;

use libp2p::Multiaddr;

use super::super::envelope::{Body, Frame};
use super::super::identity::Id;
use super::super::load::Load;
use super::super::profile::{Key, Profile, Short, SignedProfile};
use super::super::rumour::{Leave, Rumour};
use super::output::{Change, News, Output};
use super::{About, Machine};

/// How long a change of neighbours waits for others, before a new profile goes out.
const GATHER: Duration = Duration::from_secs(1);
/// How far apart new profiles are at least: each costs a few hundred bytes times the retransmissions
/// at each member.
const PUBLISH_EVERY: Duration = Duration::from_secs(3);

/// How often neighbours are told a load that changed, and one that did not.
const LOAD_CHANGED: Duration = Duration::from_secs(1);
const LOAD_SAME: Duration = Duration::from_secs(5);

pub(super) fn profile(
    about: &About,
    peer: Key,
    generation: u64,
    number: u32,
    neighbours: &[Short],
) -> Profile {
    let About { name, role, version, addresses } = about.clone();
    let neighbours = neighbours.to_vec();
    Profile { peer, generation, number, role, version, name, addresses, neighbours }
}

impl Machine {
    /// Our load from now on. Every datagram carries it, and neighbours hear of changes.
    pub fn set_load(&mut self, now: Duration, load: Load) {
        self.load = load.bounded();
        if self.due.load.is_none() && !self.neighbours.is_empty() {
            self.due.load = Some(now);
        } else if let (Some(due), Some((told, at))) = (self.due.load.as_mut(), &self.told_load)
            && changed(told, &self.load)
        {
            *due = (*due).min((*at + LOAD_CHANGED).max(now));
        }
    }

    /// Where we can be reached from now on.
    pub fn set_addresses(&mut self, now: Duration, addresses: Vec<Multiaddr>) {
        if self.about.addresses != addresses {
            self.about.addresses = addresses;
            self.publish_soon(now);
        }
    }

    /// Says goodbye. Take the last outputs, and send them before connections close; the machine
    /// does nothing after this.
    pub fn leave(&mut self, now: Duration) {
        if std::mem::replace(&mut self.gone, true) {
            return;
        }
        let leave = Leave::sign(&self.keypair, &self.genesis, *self.foca.identity());
        let neighbours: Vec<Key> = self.neighbours.keys().copied().collect();
        for key in neighbours {
            self.send(now, key, Body::Rumours(vec![Rumour::Leave(leave.clone())]), 1);
        }
    }

    /// A new profile goes out soon, with what changed meanwhile.
    pub(super) fn publish_soon(&mut self, now: Duration) {
        let at = (now + GATHER).max(self.published + PUBLISH_EVERY);
        self.due.publish.get_or_insert(at);
    }

    pub(super) fn publish_if_due(&mut self, now: Duration) {
        if self.due.publish.is_some_and(|due| due <= now) {
            self.publish(now, 0);
        }
    }

    /// Signs a new profile with a number of at least `number`, and spreads it.
    pub(super) fn publish(&mut self, now: Duration, number: u32) {
        let own = &self.own.profile;
        let number = own.number.saturating_add(1).max(number);
        self.sign_profile(now, own.generation, number);
    }

    fn sign_profile(&mut self, now: Duration, generation: u64, number: u32) {
        self.due.publish = None;
        self.published = now;
        let neighbours: Vec<Short> = self.neighbours.keys().map(Key::short).collect();
        let profile = profile(&self.about, self.me(), generation, number, &neighbours);
        self.own = SignedProfile::sign(profile, &self.genesis, &self.keypair);
        self.spread(now, &Rumour::Profile(self.own.clone()));
    }

    /// We are somebody new with the old key.
    pub(super) fn begin_generation(&mut self, now: Duration, generation: u64) {
        self.sign_profile(now, generation, 0);
        self.incarnation = 0;
        self.counter = 0;
        self.forget_probe();
        let id = Id { key: self.me(), generation };
        let result = self.foca.change_identity(id, &mut self.runtime);
        self.after(now, result);
        // foca is unconnected until it looks at its list again.
        self.apply(now, []);
        let neighbours: Vec<Key> = self.neighbours.keys().copied().collect();
        for key in neighbours {
            let (nonce, profile) = (self.nonce(), Some(self.own.clone()));
            self.send(now, key, Body::Hello { nonce, profile }, 1);
        }
        let member = self.own_view(now);
        let change = Change::Renewed { mistaken: false };
        self.out.push_back(Output::News(News { change, member }));
    }

    /// Tells the neighbours our load, if it is time.
    pub(super) fn tell_load(&mut self, now: Duration) {
        if self.due.load.is_none_or(|due| now < due) {
            return;
        }
        self.due.load = (!self.neighbours.is_empty()).then_some(now + LOAD_SAME);
        self.told_load = Some((self.load, now));
        let frame = Frame::of_load(&self.load);
        let neighbours: Vec<Key> = self.neighbours.keys().copied().collect();
        for key in neighbours {
            self.stats.sent.add(frame.len());
            self.hand(&key, frame.clone());
        }
    }
}

/// Whether two loads differ so much that it matters for whom to choose: by an eighth of the
/// processor, by half of the queue or the pool, or in being overloaded.
fn changed(one: &Load, other: &Load) -> bool {
    let half = |a: u32, b: u32| a.abs_diff(b) > a.max(b) / 2 && a.max(b) > 16;
    one.overloaded() != other.overloaded()
        || one.busy.abs_diff(other.busy) > super::super::load::WHOLLY_BUSY / 8
        || half(one.queue.into(), other.queue.into())
        || half(one.pool_kib, other.pool_kib)
}
