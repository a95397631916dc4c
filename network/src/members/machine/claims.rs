//! What a member says of others, and of us.

use std::time::Duration;

use foca::Member;

use super::super::codec::{Claim, Standing, Word};
use super::super::envelope::{Held, Sealed, Swim};
use super::super::guard::{Verdict, judge};
use super::super::identity::Id;
use super::super::profile::{Key, SignedProfile};
use super::super::rumour::{Accusation, Leave, Rumour};
use super::Machine;

/// How soon the same member can make us renew again. One that lies about our death costs the
/// network one profile of ours a minute.
const SAME_TELLER: Duration = Duration::from_secs(60);

/// How soon we renew again, whoever says that we are down.
const RENEW_AGAIN: Duration = Duration::from_secs(1);

pub(super) const fn alive(id: Id, incarnation: u16) -> Claim {
    Claim { id, incarnation, standing: Standing::Alive }
}

impl Machine {
    /// A member spoke: it is there.
    pub(super) fn alive(&mut self, now: Duration, sealed: &Sealed) {
        let incarnation = self.proved_incarnation(sealed);
        let known = self.records.get(&sealed.src).is_some_and(|record| {
            let shown = record.shown;
            let same = shown.generation == sealed.generation && !record.fresh;
            same && shown.standing == Standing::Alive && shown.incarnation >= incarnation
        });
        if !known {
            self.apply(now, [alive(sealed.id(), incarnation)]);
        }
    }

    /// A packet for the state machine.
    pub(super) fn swim(&mut self, now: Duration, sealed: &Sealed, swim: &Swim) {
        if swim.to != self.own.profile.generation {
            // It means who we were before.
            self.tell(now, &sealed.src);
            return;
        }
        let mut judged = self.rumours(now, sealed.src, &swim.rumours);
        judged.extend(self.judge_all(now, sealed.src, &swim.claims));
        let mut swim = swim.clone();
        if !self.sound(&swim.word) {
            swim.word = Word::Gossip;
        }
        self.packet(now, sealed, &swim, judged);
        self.mark_doubted();
    }

    /// Whether a packet may name the third member that it names.
    fn sound(&self, word: &Word) -> bool {
        let Some(third) = word.third() else { return true };
        let relays = matches!(word, Word::PingReq { .. } | Word::IndirectAck { .. });
        third.key != self.me() && (!relays || self.records.contains_key(&third.key))
    }

    /// What of these claims the state machine may hear.
    pub(super) fn judge_all(&mut self, now: Duration, teller: Key, claims: &[Claim]) -> Vec<Claim> {
        let mut judged = Vec::new();
        let mut unproved = Vec::new();
        for claim in claims {
            let key = claim.id.key;
            if key == self.me() {
                let Claim { id: Id { generation, .. }, incarnation, standing } = *claim;
                self.held_as(now, teller, Held { generation, incarnation, standing });
                continue;
            }
            let Some(record) = self.records.get(&key) else {
                if claim.standing != Standing::Down {
                    let nonce = self.nonce();
                    if self.candidates.add(key, teller, nonce, now) {
                        unproved.push(key);
                        self.lead(&teller, key);
                    }
                }
                continue;
            };
            match judge(claim, &record.view(now)) {
                Verdict::Believe => judged.push(*claim),
                Verdict::Stale => {}
                Verdict::Doubt => {
                    self.stats.doubted += 1;
                    let incarnation = record.shown.incarnation;
                    let standing = Standing::Suspect;
                    judged.push(Claim { id: record.id(), incarnation, standing });
                    self.doubted.push(key);
                }
                Verdict::Revive if record.left => {}
                Verdict::Revive => self.tell(now, &key),
                Verdict::Unproved => {
                    self.stats.unproved += 1;
                    unproved.push(key);
                }
            }
        }
        self.want(now, teller, &unproved);
        judged
    }

    /// After the state machine has heard it: who is suspected because its death was told.
    pub(super) fn mark_doubted(&mut self) {
        for key in std::mem::take(&mut self.doubted) {
            if let Some(suspicion) = self.suspicions.get_mut(&key) {
                suspicion.told = true;
            }
        }
    }

    /// Signed rumours; what follows from them for the state machine.
    pub(super) fn rumours(&mut self, now: Duration, teller: Key, all: &[Rumour]) -> Vec<Claim> {
        let mut claims = Vec::new();
        for rumour in all {
            claims.extend(self.brought(now, &teller, |it| it.rumour(now, teller, rumour)));
        }
        claims
    }

    fn rumour(&mut self, now: Duration, teller: Key, rumour: &Rumour) -> Option<Claim> {
        match rumour {
            Rumour::Profile(signed) => self.learn(now, signed, true),
            Rumour::Accusation(accusation) => return self.accusation(now, teller, accusation),
            Rumour::Alarm(alarm) => self.alarm(now, alarm),
            Rumour::Leave(leave) => return self.farewell(now, leave),
        }
        None
    }

    fn accusation(&mut self, now: Duration, teller: Key, told: &Accusation) -> Option<Claim> {
        let (id, incarnation) = (told.subject, told.incarnation);
        let claim = Claim { id, incarnation, standing: Standing::Suspect };
        if id.key == self.me() {
            self.judge_all(now, teller, &[claim]);
            return None;
        }
        // An accuser counts if it is a member itself, and there.
        let accuser = self.records.get(&told.accuser).filter(|record| !record.is_down());
        let record = self.records.get(&id.key).filter(|_| accuser.is_some())?;
        let known = self.suspicions.get(&id.key).filter(|s| s.incarnation == incarnation);
        let same = known.is_some() && record.id() == id;
        let news = judge(&claim, &record.view(now)) == Verdict::Believe;
        let counted = known.is_some_and(|s| s.counts(&told.accuser, told.lost_link));
        if !(news || same) || counted {
            return None;
        }
        if !told.verify(&self.genesis) {
            self.stats.forged += 1;
            return None;
        }
        if !same {
            self.apply(now, [claim]);
        }
        self.count_accuser(now, told);
        None
    }

    fn farewell(&mut self, now: Duration, leave: &Leave) -> Option<Claim> {
        let record = self.records.get_mut(&leave.member.key)?;
        if record.left || record.id() != leave.member {
            return None;
        }
        if !leave.verify(&self.genesis) {
            self.stats.forged += 1;
            return None;
        }
        record.left = true;
        let incarnation = record.shown.incarnation;
        self.spread(now, &Rumour::Leave(leave.clone()));
        Some(Claim { id: leave.member, incarnation, standing: Standing::Down })
    }

    /// A member holds us to be something.
    pub(super) fn held_as(&mut self, now: Duration, teller: Key, held: Held) {
        let own = &self.own.profile;
        if held.generation > own.generation {
            // From a clock that was ahead, or invented. Our signature under it would tell.
            let me = self.me();
            self.want(now, teller, &[me]);
            return;
        }
        if held.generation < own.generation || held.standing == Standing::Alive {
            return;
        }
        if u32::from(held.incarnation) > own.number {
            self.stats.unproved += 1;
            return;
        }
        match held.standing {
            Standing::Suspect if held.incarnation >= self.incarnation => {
                self.refute(now, held.incarnation);
            }
            Standing::Down => self.renew_for(now, teller),
            Standing::Suspect | Standing::Alive => {}
        }
    }

    /// We are suspected in this incarnation: take the next one, and say so.
    fn refute(&mut self, now: Duration, suspected: u16) {
        let Some(next) = suspected.checked_add(1).filter(|next| *next < u16::MAX) else {
            self.renew(now, self.own.profile.generation);
            return;
        };
        self.stats.refutations += 1;
        self.health.worse();
        if self.own.profile.number < u32::from(next) {
            self.publish(now, next.into());
        }
        self.incarnation = next;
        let own = Member::new(*self.foca.identity(), suspected, foca::State::Suspect);
        let result = self.foca.apply_many([own].into_iter(), true, &mut self.runtime);
        self.after(now, result);
    }

    fn renew_for(&mut self, now: Duration, teller: Key) {
        if self.renewers.peek(&teller).is_none_or(|at| now >= *at + SAME_TELLER)
            && self.renew(now, self.own.profile.generation)
        {
            self.renewers.put(teller, now);
        }
    }

    /// A profile of our own, from before: if it is of a later generation, ours follows it.
    pub(super) fn learn_own(&mut self, now: Duration, signed: &SignedProfile) {
        let generation = signed.profile.generation;
        if generation > self.own.profile.generation && signed.verify(&self.genesis).is_ok() {
            self.renew(now, generation);
        }
    }

    /// Takes the generation after this one, unless we did so just now.
    fn renew(&mut self, now: Duration, after: u64) -> bool {
        let just_now = self.renewed.is_some_and(|at| now < at + RENEW_AGAIN);
        let Some(generation) = after.checked_add(1).filter(|_| !just_now) else { return false };
        self.renewed = Some(now);
        self.stats.renewals += 1;
        self.begin_generation(now, generation);
        true
    }
}
