//! Driving the state machine: its packets, its timers and its pace.

use std::time::Duration;

use foca::{AccumulatingRuntime, Member, OwnedNotification, Timer};

use super::super::codec::{Claim, FocaPacket, Standing, Word};
use super::super::envelope::{Body, Sealed, Swim};
use super::super::identity::Id;
use super::super::rumour::Rumour;
use super::{Machine, Probe, foca_config, transmissions};

impl Machine {
    /// Gives foca claims that have been judged, and does what follows from them.
    pub(super) fn apply(&mut self, now: Duration, claims: impl IntoIterator<Item = Claim>) {
        let claims: Vec<Member<Id>> = claims.into_iter().map(Into::into).collect();
        let result = self.foca.apply_many(claims.into_iter(), true, &mut self.runtime);
        self.after(now, result);
    }

    /// Gives foca a packet whose claims have been judged.
    pub(super) fn packet(
        &mut self,
        now: Duration,
        sealed: &Sealed,
        swim: &Swim,
        judged: Vec<Claim>,
    ) {
        let incarnation = self.proved_incarnation(sealed);
        let dst = Id { key: self.me(), generation: self.own.profile.generation };
        let packet = FocaPacket {
            src: sealed.id(),
            incarnation,
            dst,
            word: swim.word,
            claims: judged,
            rumours: vec![],
        };
        self.note_answer(now, sealed.id(), swim.word);
        let result = self.foca.handle_data(&packet.to_foca(), &mut self.runtime);
        self.after(now, result);
    }

    /// Takes over what foca wants done: packets, timers, and a look at the list.
    pub(super) fn after(&mut self, now: Duration, result: Result<(), foca::Error>) {
        if result.is_err() {
            self.stats.faults += 1;
        }
        while let Some(notification) = self.runtime.to_notify() {
            if matches!(notification, OwnedNotification::Idle) {
                self.forget_probe();
            }
        }
        while let Some((after, timer)) = self.runtime.to_schedule() {
            self.schedule(now, after, timer);
        }
        let sends: Vec<_> = std::iter::from_fn(|| self.runtime.to_send()).collect();
        self.settle(now);
        for (to, data) in sends {
            self.send_packet(now, to, &data);
        }
        self.push_soon(now);
    }

    fn schedule(&mut self, now: Duration, after: Duration, timer: Timer<Id>) {
        let after = match timer {
            Timer::ProbeRandomMember(_) | Timer::SendIndirectProbe { .. } => {
                self.health.probe(after)
            }
            Timer::RemoveDown(_) => after,
            // Suspicions are ours to time; the rest is switched off.
            _ => return,
        };
        self.timer_number += 1;
        self.timers.insert((now + after, self.timer_number), timer);
    }

    /// foca began anew: its probe, and the timers of it, mean nothing any more.
    pub(super) fn forget_probe(&mut self) {
        self.probe = None;
        self.timers.retain(|_, timer| matches!(timer, Timer::RemoveDown(_)));
    }

    pub(super) fn run_timers(&mut self, now: Duration) {
        while let Some(entry) = self.timers.first_entry()
            && entry.key().0 <= now
        {
            let timer = entry.remove();
            let failed = match timer {
                Timer::ProbeRandomMember(_) => self.probe.take().filter(|probe| !probe.answered),
                _ => None,
            };
            let result = self.foca.handle_timer(timer, &mut self.runtime);
            self.after(now, result);
            if let Some(probe) = failed {
                self.stats.probes_failed += 1;
                self.health.worse();
                self.accuse(now, &probe.target.key, false);
            }
        }
    }

    fn send_packet(&mut self, now: Duration, to: Id, data: &[u8]) {
        let Some(packet) = FocaPacket::from_foca(data) else {
            self.stats.faults += 1;
            return;
        };
        self.incarnation = packet.incarnation;
        if let Word::Ping(number) = packet.word {
            self.stats.probes += 1;
            self.probe = Some(Probe { target: to, number, at: now, answered: false });
        }
        let rumours = packet.rumours.iter().filter_map(|bytes| borsh::from_slice(bytes).ok());
        let swim = Swim {
            to: to.generation,
            word: packet.word,
            claims: packet.claims,
            rumours: rumours.collect(),
        };
        self.send(now, to.key, Body::Swim(swim), 1);
    }

    /// An answer to the probe under way: our own health, and how far away the member is.
    fn note_answer(&mut self, now: Duration, from: Id, word: Word) {
        let Some(probe) = self.probe.as_mut() else { return };
        let direct = match word {
            Word::Ack(number) if from == probe.target && number == probe.number => true,
            Word::ForwardedAck { origin, number }
                if origin == probe.target && number == probe.number =>
            {
                false
            }
            _ => return,
        };
        if std::mem::replace(&mut probe.answered, true) {
            return;
        }
        let rtt = now.saturating_sub(probe.at);
        self.health.better();
        if direct && let Some(record) = self.records.get_mut(&from.key) {
            record.rtt = Some(rtt);
        }
    }

    /// A rumour to spread beside foca's updates.
    pub(super) fn spread(&mut self, now: Duration, rumour: &Rumour) {
        if self.foca.add_broadcast(&rumour.to_bytes()).is_err() {
            self.stats.faults += 1;
        }
        self.push_soon(now);
    }

    fn news_waits(&self) -> bool {
        self.foca.updates_backlog() > 0 || self.foca.custom_broadcast_backlog() > 0
    }

    fn push_soon(&mut self, now: Duration) {
        if self.due.gossip.is_none() && self.news_waits() && self.foca.num_members() > 0 {
            let next = self.gossiped.map_or(now, |last| last + self.config.gossip_every);
            self.due.gossip = Some(next.max(now));
        }
    }

    pub(super) fn gossip(&mut self, now: Duration) {
        if self.due.gossip.is_none_or(|due| now < due) {
            return;
        }
        self.due.gossip = None;
        if self.news_waits() {
            self.gossiped = Some(now);
            let result = self.foca.gossip(&mut self.runtime);
            self.after(now, result);
        }
    }

    /// News goes out the more often the more members there are.
    pub(super) fn pace(&mut self) {
        let wanted = transmissions(self.size());
        if wanted != self.transmissions {
            self.transmissions = wanted;
            if self.foca.set_config(foca_config(&self.config, wanted)).is_err() {
                self.stats.faults += 1;
            }
        }
    }

    /// We were stopped for a while: what we waited for meanwhile proves nothing.
    pub(super) fn resume(&mut self, now: Duration, late: Duration) {
        self.stats.pauses += 1;
        self.health.worse();
        self.checks.clear();
        for suspicion in self.suspicions.values_mut() {
            suspicion.since = (suspicion.since + late).min(now);
        }
        if let Some(probe) = self.probe.take() {
            // foca keeps the probe to itself; an answer makes it forget.
            let incarnation =
                self.records.get(&probe.target.key).map_or(0, |record| record.shown.incarnation);
            let packet = FocaPacket {
                src: probe.target,
                incarnation,
                dst: Id { key: self.me(), generation: self.own.profile.generation },
                word: Word::Ack(probe.number),
                claims: vec![],
                rumours: vec![],
            };
            // What else an answer would do is not wanted: nobody heard from the member.
            let mut nothing = AccumulatingRuntime::new();
            if self.claims_alive(&probe.target) {
                let _ = self.foca.handle_data(&packet.to_foca(), &mut nothing);
            }
        }
    }

    fn claims_alive(&self, id: &Id) -> bool {
        self.foca.iter_members().any(|member| member.id() == id)
    }

    /// The list as claims, ourselves included.
    pub(super) fn claims(&self) -> Vec<Claim> {
        let own = Claim {
            id: *self.foca.identity(),
            incarnation: self.incarnation,
            standing: Standing::Alive,
        };
        self.foca.iter_membership_state().map(Claim::from).chain([own]).collect()
    }
}
