//! Profiles: taking them in, and showing members what they should know.

use std::time::Duration;

use super::super::envelope::{Body, Sealed};
use super::super::profile::{Key, Profile, SignedProfile};
use super::super::rumour::{Alarm, Rumour};
use super::Machine;
use super::record::Record;

/// How often a member is told how we hold it, at most: it answers within a few seconds if it can.
const TELL_EVERY: Duration = Duration::from_secs(2);

/// How far ahead of our own clock a generation may be. Clocks are wrong by hours, hardly by more.
const AHEAD: Duration = Duration::from_secs(86_400);

impl Machine {
    /// Looks at something signed that `teller` brought, unless too many signatures that it brought
    /// did not hold: the checks cost us time, and are charged to whoever causes them.
    pub(super) fn brought<T: Default>(
        &mut self,
        now: Duration,
        teller: &Key,
        look: impl FnOnce(&mut Self) -> T,
    ) -> T {
        if self.records.get_mut(teller).is_some_and(|record| !record.forgeries.may(now)) {
            self.stats.excess += 1;
            return T::default();
        }
        let forged = self.stats.forged;
        let seen = look(self);
        if self.stats.forged > forged
            && let Some(record) = self.records.get_mut(teller)
        {
            record.forgeries.take(now);
        }
        seen
    }

    /// Takes in a profile, if it is newer than what we have and its signature holds. `spread` says
    /// that it came as a rumour, which goes on if it is news.
    pub(super) fn learn(&mut self, now: Duration, signed: &SignedProfile, spread: bool) {
        let key = signed.profile.peer;
        if key == self.me() {
            self.learn_own(now, signed);
            return;
        }
        let known = match (self.records.get(&key), self.candidates.get(&key)) {
            (Some(record), _) => Some(record.signed.profile.age()),
            (None, Some(candidate)) => candidate.profile.as_ref().map(|p| p.profile.age()),
            (None, None) => return,
        };
        let age = signed.profile.age();
        if known.is_some_and(|known| age <= known) || age.0 > self.latest_generation(now) {
            return;
        }
        // The signature first: what others forge must not use up what the member itself may say.
        if signed.verify(&self.genesis).is_err() {
            self.stats.forged += 1;
            return;
        }
        if !self.may_say(now, signed) {
            self.stats.excess += 1;
            return;
        }
        // No way leads over a member that is down, until it comes back.
        let back = known.is_none_or(|known| known.0 < age.0);
        if back || !self.records.get(&key).is_some_and(Record::is_down) {
            self.routes.set(key, &signed.profile.neighbours);
        }
        let Some(record) = self.records.get_mut(&key) else {
            if let Some(candidate) = self.candidates.get_mut(&key) {
                candidate.profile = Some(signed.clone());
                self.candidates.hasten(&key, now);
            }
            return;
        };
        let renewed = record.replace(signed.clone());
        if renewed {
            let claim = super::claims::alive(record.id(), 0);
            self.apply(now, [claim]);
        } else {
            self.tell_updated(now, &key);
        }
        if spread {
            self.spread(now, &Rumour::Profile(signed.clone()));
        }
    }

    /// Whether a member may have one more profile taken in. Who lies about it makes it sign many, so
    /// its return and its answer to a suspicion count apart: without them it would be held down.
    fn may_say(&mut self, now: Duration, signed: &SignedProfile) -> bool {
        let Profile { peer, generation, number, .. } = &signed.profile;
        let Some(record) = self.records.get_mut(peer) else { return true };
        if record.profiles.take(now) {
            return true;
        }
        if *generation > record.signed.profile.generation {
            return record.renewals.take(now);
        }
        self.suspicions.get_mut(peer).is_some_and(|suspicion| suspicion.answer(*number))
    }

    /// A member has too much to do, or no longer: noted, and passed on if it is news.
    pub(super) fn alarm(&mut self, now: Duration, alarm: &Alarm) {
        let Some(record) = self.records.get_mut(&alarm.member.key) else { return };
        if record.id() != alarm.member || alarm.counter <= record.alarm_counter {
            return;
        }
        if !alarm.verify(&self.genesis) {
            self.stats.forged += 1;
            return;
        }
        if !record.alarms.take(now) {
            return;
        }
        self.stats.bad_loads += u64::from(!alarm.load.sane());
        record.alarm_counter = alarm.counter;
        // The datagram that brought it may have told a later load.
        if alarm.counter > record.load_counter {
            record.load_counter = alarm.counter;
            record.load = Some((alarm.load.bounded(), now));
        }
        self.spread(now, &Rumour::Alarm(alarm.clone()));
    }

    fn latest_generation(&self, now: Duration) -> u64 {
        let ahead = u64::try_from((now + AHEAD).as_millis()).unwrap_or(u64::MAX);
        self.born.saturating_add(ahead)
    }

    /// Tells a member how we hold it, and shows it our profile, now and then.
    pub(super) fn tell(&mut self, now: Duration, key: &Key) {
        let due = |told: Option<Duration>| told.is_none_or(|at| now >= at + TELL_EVERY);
        if self.records.get(key).is_some_and(|record| due(record.told)) {
            if let Some(record) = self.records.get_mut(key) {
                record.told = Some(now);
            }
            let (nonce, profile) = (self.nonce(), Some(self.own.clone()));
            self.send(now, *key, Body::Hello { nonce, profile }, 2);
        }
    }

    /// Shows a member that its generation is behind what it signed before, as after a restart with a
    /// clock that went back.
    pub(super) fn remind(&mut self, now: Duration, key: &Key) {
        let Some(record) = self.records.get_mut(key) else { return };
        if record.told.is_none_or(|at| now >= at + TELL_EVERY) {
            record.told = Some(now);
            let signed = record.signed.clone();
            self.send(now, *key, Body::Profiles(vec![signed]), 2);
        }
    }

    /// Our own profile from before, whoever shows it: our signature is proof enough.
    pub(super) fn own_return(&mut self, now: Duration, sealed: &Sealed) {
        if let Body::Profiles(profiles) = &sealed.body {
            let me = self.me();
            for signed in profiles.iter().filter(|signed| signed.profile.peer == me) {
                self.learn_own(now, signed);
            }
        }
    }
}

/// The profiles of its own source that a datagram carries.
pub(super) fn own_profiles(sealed: &Sealed) -> impl Iterator<Item = &SignedProfile> {
    let (one, many, rumours): (_, &[SignedProfile], &[Rumour]) = match &sealed.body {
        Body::Hello { profile, .. } | Body::HelloAck { profile, .. } => {
            (profile.as_ref(), &[], &[])
        }
        Body::Profiles(profiles) => (None, profiles, &[]),
        Body::Rumours(rumours) => (None, &[], rumours),
        Body::Swim(swim) => (None, &[], &swim.rumours),
        Body::Digest(_) | Body::List { .. } | Body::Want(_) => (None, &[], &[]),
    };
    let told = rumours.iter().filter_map(|rumour| match rumour {
        Rumour::Profile(signed) => Some(signed),
        Rumour::Accusation(_) | Rumour::Leave(_) | Rumour::Alarm(_) => None,
    });
    one.into_iter().chain(many).chain(told).filter(|signed| signed.profile.peer == sealed.src)
}
