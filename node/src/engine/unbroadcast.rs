//! Transactions that were handed in here and that no peer is known to have: peers are asked about
//! them, one peer after the other, and are given those that they lack, until a copy comes from one, a
//! block takes them, or two say that they have them: one alone may lie, unless there is no other.
//!
//! Gossip alone does not do that: it tells that a message went to a peer's queue, and not whether the
//! peer took it; and it refuses to send the same message again for a minute.

use std::collections::{BTreeMap, BTreeSet};

use hearsay_chain::{Store, TxId};
use hearsay_network::wire::{MAX_HAVE, MAX_OFFER, MAX_OFFER_BYTES, Request, Response, unpack};
use hearsay_network::{PeerId, RequestId, Topic};

use super::input::Time;
use super::sync::Question;
use super::{Effect, Engine};

/// How long after its publication a transaction is asked about first: gossip takes less to reach a
/// neighbour, which then has it already.
pub(super) const FIRST_US: u64 = 500_000;

/// How long after that it is asked about again, and at most; it doubles each time.
const AGAIN_US: u64 = 1_000_000;
const AT_MOST_US: u64 = 30_000_000;

/// A peer that has not answered after this long is passed over, and then for so long: many silent
/// ones would else keep the questions from those that answer.
const PATIENCE_US: u64 = 5_000_000;
const REST_US: u64 = 60_000_000;

/// How long nobody is asked after a peer refused a question or an offer: it has had enough for now.
const REFUSED_US: u64 = 500_000;

/// Offers sent for one answer: the most transactions of an answer, if they are small. Others wait for
/// the next round, so that they do not keep a slow link from other things.
const OFFERS_AT_ONCE: usize = MAX_HAVE / MAX_OFFER;

/// What a peer takes on end (`hearsay_network::sync`): 1,024 ids and 256 transactions a second. The
/// pauses keep to it, so that little is sent to be thrown away.
const ID_US: u64 = 1_000_000 / 1_024 + 1;
const OFFERED_US: u64 = 1_000_000 / 256 + 1;

/// How one of them waits.
#[derive(Clone, Copy, Debug)]
struct Wait {
    /// When a peer is asked next.
    due: u64,
    /// Its place among those that are due at once: in the order in which they came.
    number: u64,
    /// How often a peer was asked.
    asked: u32,
    /// The peer that says that it has it.
    claimed: Option<PeerId>,
}

/// A question that is out.
#[derive(Clone, Debug)]
struct Asked {
    id: RequestId,
    peer: PeerId,
    since: u64,
    about: Vec<TxId>,
}

/// What no peer is known to have.
#[derive(Debug)]
pub(super) struct Unbroadcast {
    /// How many there may be: as many as the pool holds.
    max: usize,
    by_id: BTreeMap<TxId, Wait>,
    by_due: BTreeSet<(u64, u64, TxId)>,
    next_number: u64,
    asked: Option<Asked>,
    /// The peer asked last: the next one is another, if there is one.
    last: Option<PeerId>,
    /// Nobody is asked before.
    quiet_until: u64,
    /// Peers that did not answer, and until when they are not asked. Those that left are forgotten.
    resting: BTreeMap<PeerId, u64>,
}

impl Unbroadcast {
    /// Of a pool of so many.
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            by_id: BTreeMap::new(),
            by_due: BTreeSet::new(),
            next_number: 0,
            asked: None,
            last: None,
            quiet_until: 0,
            resting: BTreeMap::new(),
        }
    }

    /// A transaction of a user of this node is in the pool, and no peer has it.
    pub(super) fn note(&mut self, id: TxId, now: Time) {
        if self.by_id.len() < self.max && !self.by_id.contains_key(&id) {
            let wait = Wait {
                due: now.mono_us.saturating_add(FIRST_US),
                number: self.next_number,
                asked: 0,
                claimed: None,
            };
            self.next_number = self.next_number.saturating_add(1);
            self.put(id, wait);
        }
    }

    /// A peer has it, or it is no longer in the pool. Says whether it was here.
    pub(super) fn forget(&mut self, id: &TxId) -> bool {
        let wait = self.by_id.remove(id);
        wait.is_some_and(|wait| self.by_due.remove(&(wait.due, wait.number, *id)))
    }

    pub(super) fn contains(&self, id: &TxId) -> bool {
        self.by_id.contains_key(id)
    }

    /// Whether a peer was asked about it, and none says that it has it.
    pub(super) fn is_doubtful(&self, id: &TxId) -> bool {
        self.by_id.get(id).is_some_and(|wait| wait.asked > 0 && wait.claimed.is_none())
    }

    pub(super) fn count(&self) -> usize {
        self.by_id.len()
    }

    /// The first peer is there: gossip has its turn first.
    pub(super) fn give_gossip_a_turn(&mut self, now: Time) {
        self.be_quiet(now.mono_us, FIRST_US);
    }

    fn be_quiet(&mut self, now: u64, us: u64) {
        self.quiet_until = self.quiet_until.max(now.saturating_add(us));
    }

    /// A peer is gone.
    pub(super) fn left(&mut self, peer: &PeerId) {
        self.resting.remove(peer);
    }

    fn rests(&self, peer: &PeerId, now: u64) -> bool {
        self.resting.get(peer).is_some_and(|until| now < *until)
    }

    /// A peer says that it has one. Says whether that is enough.
    fn claim(&mut self, id: &TxId, from: PeerId, now: u64) -> bool {
        let Some(wait) = self.by_id.get_mut(id) else { return true };
        match wait.claimed {
            Some(other) => other != from,
            None => {
                wait.claimed = Some(from);
                // Another is asked at once.
                let asked = wait.asked;
                self.postpone(id, now, asked);
                false
            }
        }
    }

    /// Whoever was asked has not answered: it rests, and the question does not count.
    fn give_up(&mut self, now: u64) {
        let silent = |asked: &mut Asked| asked.since.saturating_add(PATIENCE_US) <= now;
        let Some(Asked { peer, about, .. }) = self.asked.take_if(silent) else { return };
        self.resting.retain(|_, until| now < *until);
        self.resting.insert(peer, now.saturating_add(REST_US));
        for id in about {
            if let Some(asked) = self.by_id.get(&id).map(|wait| wait.asked) {
                self.postpone(&id, now, asked.saturating_sub(1));
            }
        }
    }

    fn put(&mut self, id: TxId, wait: Wait) {
        self.by_due.insert((wait.due, wait.number, id));
        self.by_id.insert(id, wait);
    }

    /// Moves one to another moment.
    fn postpone(&mut self, id: &TxId, due: u64, asked: u32) {
        if let Some(wait) = self.by_id.get(id).copied() {
            self.forget(id);
            self.put(*id, Wait { due, asked, ..wait });
        }
    }

    /// Those to ask about now, the longest due first. Each is asked about again later.
    fn take_due(&mut self, now: u64) -> Vec<TxId> {
        let due = self.by_due.iter().take_while(|(due, ..)| *due <= now).take(MAX_HAVE);
        let due: Vec<TxId> = due.map(|(.., id)| *id).collect();
        for id in &due {
            let asked = self.by_id.get(id).map_or(0, |wait| wait.asked);
            let pause = AGAIN_US.checked_shl(asked).map_or(AT_MOST_US, |us| us.min(AT_MOST_US));
            // Beyond some shifts nothing changes, and more of them would overflow.
            self.postpone(id, now.saturating_add(pause), (asked + 1).min(16));
        }
        due
    }
}

impl<S: Store> Engine<S> {
    /// Asks the next peer about those that are due.
    pub(super) fn drive_unbroadcast(&mut self, now: Time, out: &mut Vec<Effect>) {
        let us = now.mono_us;
        self.unbroadcast.give_up(us);
        if us < self.unbroadcast.quiet_until || self.unbroadcast.asked.is_some() {
            return;
        }
        let Some(peer) = self.next_asked(us) else { return };
        let about = self.unbroadcast.take_due(us);
        if about.is_empty() {
            return;
        }
        let id = self.sync.question(Question::Have);
        self.unbroadcast.last = Some(peer);
        self.unbroadcast.asked = Some(Asked { id, peer, since: us, about: about.clone() });
        self.pace(us, ID_US, about.len());
        out.push(Effect::Ask { peer, id, request: Request::HaveTransactions(about) });
    }

    /// The next peer to ask: one that answers, if there is any.
    fn next_asked(&self, now: u64) -> Option<PeerId> {
        let first = self.sync.peer_after(self.unbroadcast.last);
        let mut next = first;
        for _ in 0..self.sync.peer_count() {
            match next {
                Some(peer) if self.unbroadcast.rests(&peer, now) => {
                    next = self.sync.peer_after(next);
                }
                _ => return next,
            }
        }
        first
    }

    /// Leaves a peer the time that it takes for so much. Each has its turn, so that with more of them
    /// each is left more.
    fn pace(&mut self, now: u64, each_us: u64, count: usize) {
        let resting = self.unbroadcast.resting.values().filter(|until| now < **until).count();
        let peers = self.sync.peer_count().saturating_sub(resting as u64).max(1);
        self.unbroadcast.be_quiet(now, each_us.saturating_mul(count as u64) / peers);
    }

    /// A peer took what it was offered, or did not.
    pub(super) fn on_offered(&mut self, now: Time, result: &Result<Response, String>) {
        // What became of what it took is seen by asking.
        if result.is_err() {
            self.unbroadcast.be_quiet(now.mono_us, REFUSED_US);
        }
    }

    /// A peer said which transactions it has, or did not.
    pub(super) fn on_have(
        &mut self,
        now: Time,
        (from, id): (PeerId, RequestId),
        result: Result<Response, String>,
        out: &mut Vec<Effect>,
    ) {
        let asked = self.unbroadcast.asked.take_if(|asked| asked.id == id);
        // It came too late; another peer has been asked since.
        let Some(Asked { about, .. }) = asked else { return };
        let answers = match &result {
            Ok(Response::HaveTransactions(bits)) => unpack(bits, about.len()),
            Ok(_) => None,
            // It is busy, or gone.
            Err(_) => return self.unbroadcast.be_quiet(now.mono_us, REFUSED_US),
        };
        let Some(answers) = answers else { return self.penalise(now, from, "wrong-answer", out) };
        let alone = self.sync.peer_count() < 2;
        let mut lacks = Vec::new();
        for (id, has) in about.into_iter().zip(answers) {
            if has {
                if alone || self.unbroadcast.claim(&id, from, now.mono_us) {
                    self.has_been_taken(&id);
                }
            } else if self.unbroadcast.contains(&id) {
                lacks.push(id);
            }
        }
        self.offer(now, from, lacks, out);
    }

    /// A peer has a transaction.
    pub(super) fn has_been_taken(&mut self, id: &TxId) {
        if self.unbroadcast.forget(id) {
            self.unpublished.forget(Topic::Tx, id.0);
        }
    }

    /// Hands a peer what it lacks, as much as may be handed over at once.
    fn offer(&mut self, now: Time, peer: PeerId, lacks: Vec<TxId>, out: &mut Vec<Effect>) {
        let mut offers: Vec<Vec<Vec<u8>>> = Vec::new();
        let mut room = 0;
        for id in lacks {
            let Some(tx) = self.pool.get(&id) else {
                self.unbroadcast.forget(&id);
                continue;
            };
            let fits = offers.last().is_some_and(|last| last.len() < MAX_OFFER);
            if !fits || tx.size() > room {
                if offers.len() == OFFERS_AT_ONCE {
                    // Its turn comes at once, with the next peer.
                    self.unbroadcast.postpone(&id, now.mono_us, 0);
                    continue;
                }
                offers.push(Vec::new());
                room = MAX_OFFER_BYTES;
            }
            room = room.saturating_sub(tx.size());
            if let Some(last) = offers.last_mut() {
                last.push(tx.encode());
            }
        }
        self.pace(now.mono_us, OFFERED_US, offers.iter().map(Vec::len).sum());
        for offered in offers {
            let id = self.sync.question(Question::Offer);
            out.push(Effect::Ask { peer, id, request: Request::OfferTransactions(offered) });
        }
    }
}
