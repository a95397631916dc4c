//! Looking at the state machine's list after each step: what changed is told, and followed.

use std::collections::BTreeMap;
use std::time::Duration;

use foca::Timer;

use super::super::codec::{Claim, Standing};
use super::super::identity;
use super::super::profile::Key;
use super::super::suspicion::Suspicion;
use super::Machine;
use super::output::{Cause, Change, News, Output};
use super::record::{Record, Shown};

impl Machine {
    /// Compares the list with what was shown of it.
    pub(super) fn settle(&mut self, now: Duration) {
        if !std::mem::take(&mut self.dirty) {
            return;
        }
        let list: BTreeMap<Key, Claim> =
            self.foca.iter_membership_state().map(|m| (m.id().key, Claim::from(m))).collect();
        let keys: Vec<Key> = self.records.keys().copied().collect();
        for key in keys {
            match list.get(&key) {
                Some(claim) => self.show(now, key, claim),
                None => self.forget(now, key),
            }
        }
        self.pace();
    }

    fn show(&mut self, now: Duration, key: Key, claim: &Claim) {
        let Some(record) = self.records.get_mut(&key) else { return };
        let before = record.shown;
        let fresh = std::mem::replace(&mut record.fresh, false);
        let cause = if record.left {
            Cause::Left
        } else if self.suspicions.get(&key).is_some_and(Suspicion::link_lost) {
            Cause::Link
        } else {
            Cause::Probe
        };
        let moved =
            fresh || before.standing != claim.standing || before.generation != claim.id.generation;
        let after = Shown {
            generation: claim.id.generation,
            incarnation: claim.incarnation,
            standing: claim.standing,
            cause: if moved { cause } else { before.cause },
            since: if moved { now } else { before.since },
        };
        if !fresh && before == after {
            return;
        }
        record.shown = after;
        let left = record.left;
        let renewed = !fresh && before.generation != after.generation;
        if fresh {
            self.news(now, key, Change::Joined);
        } else if renewed {
            let restarted = !identity::same_start(before.generation, after.generation);
            let was_down = before.standing == Standing::Down && before.cause != Cause::Left;
            let mistaken = was_down && !restarted;
            self.stats.false_positives += u64::from(mistaken);
            self.news(now, key, Change::Renewed { mistaken });
        }
        if renewed && after.standing != Standing::Down && self.neighbours.contains_key(&key) {
            self.routes.link(key);
        }
        self.suspicion_of(now, key, (!fresh && !renewed).then_some(before), after);
        if after.standing == Standing::Down
            && (fresh || renewed || before.standing != Standing::Down)
        {
            // Its connection may stand and carry nothing: no way leads over it until it is back.
            self.routes.remove(&key);
            self.routes.unlink(&key);
            self.checks.remove(&key);
            self.revive_soon(now);
            self.stats.downs += u64::from(!left);
            self.news(now, key, Change::Down(cause));
        }
    }

    /// Begins and ends suspicions. `before` is of the same generation, if there was one.
    fn suspicion_of(&mut self, now: Duration, key: Key, before: Option<Shown>, after: Shown) {
        let suspected = before.is_some_and(|before| before.standing == Standing::Suspect);
        let same = before.is_some_and(|before| before.incarnation == after.incarnation);
        match after.standing {
            Standing::Suspect if !(suspected && same) => {
                let suspicion = Suspicion::new(after.incarnation, now);
                self.suspicions.insert(key, suspicion);
                self.stats.suspicions += 1;
                self.news(now, key, Change::Suspected);
                self.check_neighbour(now, key);
            }
            Standing::Suspect => {}
            Standing::Alive => {
                if self.suspicions.remove(&key).is_some() && before.is_some() {
                    self.stats.refuted += 1;
                    self.checks.remove(&key);
                    self.news(now, key, Change::Refuted);
                }
            }
            Standing::Down => {
                self.suspicions.remove(&key);
            }
        }
    }

    /// Forgets the member that has been down the longest. Whether there was one.
    pub(super) fn make_room(&mut self, now: Duration) -> bool {
        let down = self.records.values().filter(|record| record.is_down());
        let Some(id) = down.min_by_key(|record| record.shown.since).map(Record::id) else {
            return false;
        };
        let result = self.foca.handle_timer(Timer::RemoveDown(id), &mut self.runtime);
        self.after(now, result);
        !self.records.contains_key(&id.key)
    }

    fn forget(&mut self, now: Duration, key: Key) {
        if self.records.get(&key).is_some_and(|record| record.fresh) {
            return;
        }
        self.news(now, key, Change::Forgotten);
        self.records.remove(&key);
        self.suspicions.remove(&key);
        self.checks.remove(&key);
        self.routes.remove(&key);
    }

    pub(super) fn news(&mut self, now: Duration, key: Key, change: Change) {
        if let Some(member) = self.view_of(now, &key) {
            self.out.push_back(Output::News(News { change, member }));
        }
    }

    pub(super) fn tell_updated(&mut self, now: Duration, key: &Key) {
        if self.records.get(key).is_some_and(|record| !record.fresh) {
            self.news(now, *key, Change::Updated);
        }
    }
}
