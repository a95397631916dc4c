//! Suspicions: who shares them, and when they end.

use std::time::Duration;

use super::super::codec::{Claim, Standing};
use super::super::profile::Key;
use super::super::rumour::{Accusation, Rumour};
use super::super::suspicion::Suspicion;
use super::Machine;

/// How many of those who suspect a member ask it themselves before the time is over: enough that
/// one question arrives, few enough that it drowns nobody who is busy.
const ASKERS: usize = 24;

/// How many tell a member that it is held to be down, in case it is not.
const TELLERS: usize = 8;

impl Machine {
    /// When this suspicion has to be looked at: half-way, to ask, and at its end.
    pub(super) fn suspicion_due(&self, suspicion: &Suspicion) -> Duration {
        let lasts = self.lasts(suspicion);
        suspicion.since + if suspicion.asked { lasts } else { lasts / 2 }
    }

    fn lasts(&self, suspicion: &Suspicion) -> Duration {
        self.health.suspicion(suspicion.lasts(self.size(), self.config.probe_period))
    }

    /// We suspect this member ourselves: say so, signed.
    pub(super) fn accuse(&mut self, now: Duration, key: &Key, lost_link: bool) {
        let Some(record) = self.records.get(key) else { return };
        let Some(suspicion) = self.suspicions.get(key) else { return };
        let about = (record.id(), suspicion.incarnation);
        if !suspicion.counts(&self.me(), lost_link) {
            let me = self.me();
            let accusation = Accusation::sign(&self.keypair, &self.genesis, me, about, lost_link);
            self.count_accuser(now, &accusation);
        }
    }

    /// Counts an accuser, and passes on what it said if it is news.
    pub(super) fn count_accuser(&mut self, now: Duration, told: &Accusation) {
        let Some(suspicion) = self.suspicions.get_mut(&told.subject.key) else { return };
        if suspicion.incarnation == told.incarnation
            && suspicion.accuse(told.accuser, told.lost_link)
        {
            self.spread(now, &Rumour::Accusation(told.clone()));
        }
    }

    /// Suspicions whose time is over, and those that are half over.
    pub(super) fn end_suspicions(&mut self, now: Duration) {
        let due: Vec<Key> = self
            .suspicions
            .iter()
            .filter(|(_, suspicion)| self.suspicion_due(suspicion) <= now)
            .map(|(key, _)| *key)
            .collect();
        for key in due {
            let Some(suspicion) = self.suspicions.get(&key) else { continue };
            let over = suspicion.since + self.lasts(suspicion) <= now;
            if !over {
                if let Some(suspicion) = self.suspicions.get_mut(&key) {
                    suspicion.asked = true;
                }
                if self.one_of(ASKERS, self.size()) {
                    self.ask(now, &key, 2);
                }
                continue;
            }
            let Some(record) = self.records.get(&key) else { continue };
            let claim = Claim {
                id: record.id(),
                incarnation: record.shown.incarnation,
                standing: Standing::Down,
            };
            self.apply(now, [claim]);
            if self.one_of(TELLERS, self.size()) {
                self.ask(now, &key, 1);
            }
        }
    }
}
