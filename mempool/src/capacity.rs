//! Which transactions leave when there is no room.
//!
//! A transaction is worth what the weakest of those is worth that must go into a block before it, its
//! sender's earlier ones: a dear one behind a cheap one holds no room. So of each sender the last is
//! worth least, and leaves first; of all senders' last ones the least. No transaction is ever cut off
//! from one that it needs, and what leaves is always what [`Pool::best`] would come to last.

use std::collections::BTreeMap;

use hearsay_chain::TxId;

use crate::departure::Departure;
use crate::key::{Entry, Key, Slot};
use crate::memory::SENDER_CHARGE;
use crate::pool::Pool;
use crate::rate::FeeRate;
use crate::sender::{all_protected, weakest_key};

/// How much is too much.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Excess {
    pub(crate) count: usize,
    pub(crate) memory: usize,
}

impl Excess {
    fn is_none(&self) -> bool {
        self.count == 0 && self.memory == 0
    }

    fn free(&mut self, memory: usize) {
        self.count = self.count.saturating_sub(1);
        self.memory = self.memory.saturating_sub(memory);
    }
}

/// A transaction that must leave, and what it is worth.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Victim {
    pub(crate) slot: Slot,
    worth: Key,
}

/// A transaction that wants to come in, among its sender's others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Newcomer<'a> {
    pub(crate) sender: Option<u32>,
    pub(crate) before: &'a [Entry],
    pub(crate) entry: Entry,
    pub(crate) after: &'a [Entry],
    /// How many of all these are ready with it.
    pub(crate) run_len: usize,
    /// Whether the account is the one that its sender was last told of.
    pub(crate) is_told: bool,
    /// Whether it may be gone before a block has room for it.
    pub(crate) expires_soon: bool,
}

impl Newcomer<'_> {
    pub(crate) fn is_ready(&self) -> bool {
        self.before.len() < self.run_len
    }

    /// What it is worth.
    fn worth(&self) -> Key {
        let own = self.entry.key();
        let part = if self.is_ready() { 0 } else { self.run_len };
        let before = match self.before[part..].last() {
            // The sender knows already.
            Some(last) if self.is_told => Some(self.before[last.weakest as usize].key()),
            _ => weakest_key(&self.before[part..]),
        };
        let worth = before.map_or(own, |it| it.min(own));
        if self.is_ready() { worth } else { worth.queued() }
    }

    /// What the last of its sender is worth if of those after it so many stay; none if that is the
    /// newcomer itself, or if all are protected.
    fn tail_of(&self, after: usize) -> Option<Key> {
        let after = &self.after[..after];
        let own = std::slice::from_ref(&self.entry);
        if after.is_empty() || [after, own, self.before].into_iter().all(all_protected) {
            return None;
        }
        let len = self.before.len() + 1 + after.len();
        let all = self.before.iter().chain([&self.entry]).chain(after);
        if len <= self.run_len {
            weakest_key(all)
        } else {
            weakest_key(all.skip(self.run_len)).map(Key::queued)
        }
    }
}

/// A sender of which some are victims already: those that are left.
#[derive(Clone, Copy)]
enum Left {
    Of { sender: u32, len: usize },
    AfterNewcomer(usize),
}

impl Pool {
    /// What must leave for a newcomer; none if it is not worth what it would push out, by more than
    /// it costs all nodes to relay it.
    pub(crate) fn victims(
        &self,
        newcomer: &Newcomer<'_>,
        mut excess: Excess,
    ) -> Option<Vec<Victim>> {
        let mut victims = Vec::new();
        if excess.is_none() {
            return Some(victims);
        }
        let worth = newcomer.worth();
        let mut opened: BTreeMap<Key, Left> = BTreeMap::new();
        let own = newcomer.tail_of(newcomer.after.len());
        opened.extend(own.map(|key| (key, Left::AfterNewcomer(newcomer.after.len()))));
        let own_tail = newcomer.sender.and_then(|it| self.senders[it].tail());
        let mut closed = self.tails.iter().filter(|key| Some(**key) != own_tail).peekable();
        loop {
            let first = opened.first_key_value().map(|(key, left)| (*key, *left));
            let (key, left) = match (closed.peek().copied(), first) {
                (Some(closed), first) if first.is_none_or(|(opened, _)| *closed < opened) => {
                    (*closed, self.all_of(*closed))
                }
                (_, Some(first)) => first,
                (_, None) => return None,
            };
            if !self.beats(newcomer, worth, key) {
                return None;
            }
            if opened.remove(&key).is_none() {
                closed.next();
            }
            let (slot, is_last) = self.last_of(newcomer, left);
            let sender = if is_last { SENDER_CHARGE } else { 0 };
            excess.free(self.residents[slot.number()].charge() + sender);
            victims.push(Victim { slot, worth: key });
            if excess.is_none() {
                return Some(victims);
            }
            opened.extend(self.without_last(newcomer, left));
        }
    }

    fn all_of(&self, tail: Key) -> Left {
        let sender = self.residents[tail.slot().number()].owner;
        Left::Of { sender, len: self.senders[sender].entries().len() }
    }

    /// The last one of what is left of a sender, and whether it is the only one.
    fn last_of(&self, newcomer: &Newcomer<'_>, left: Left) -> (Slot, bool) {
        match left {
            Left::Of { sender, len } => (self.senders[sender].entries()[len - 1].slot, len == 1),
            Left::AfterNewcomer(len) => (newcomer.after[len - 1].slot, false),
        }
    }

    /// What is left when that one has left, and what the last is then worth.
    fn without_last(&self, newcomer: &Newcomer<'_>, left: Left) -> Option<(Key, Left)> {
        match left {
            Left::Of { sender, len } => {
                let key = self.senders[sender].tail_of(len - 1)?;
                Some((key, Left::Of { sender, len: len - 1 }))
            }
            Left::AfterNewcomer(len) => {
                Some((newcomer.tail_of(len - 1)?, Left::AfterNewcomer(len - 1)))
            }
        }
    }

    fn beats(&self, newcomer: &Newcomer<'_>, worth: Key, victim: Key) -> bool {
        if newcomer.entry.slot.is_protected() {
            return true;
        }
        let least = victim.rate().plus(self.step());
        match (worth.is_ready(), victim.is_ready()) {
            (true, false) => true,
            (false, true) => false,
            (true, true) => !newcomer.expires_soon && worth.rate() >= least,
            // What waits may wait for ever and never pay; so that its room is not turned over for
            // nothing, it takes as much more as a replacement does.
            (false, false) => {
                worth.rate() >= least.max(victim.rate().raised(self.config.replacement_percent))
            }
        }
    }

    fn step(&self) -> FeeRate {
        FeeRate::from_per_kb(self.config.fee_step_per_kb)
    }

    /// Lets a victim go. What it paid was not enough, and is not for a while.
    pub(crate) fn evict(&mut self, victim: Victim, now_us: u64) -> TxId {
        if victim.worth.is_ready() {
            self.floor.raise(victim.worth.rate().plus(self.step()), now_us);
        }
        self.remove(victim.slot.number())
    }

    /// Makes the pool fit its bounds.
    pub(crate) fn trim(&mut self, now_us: u64) -> Vec<(TxId, Departure)> {
        let mut departed = Vec::new();
        while self.len() > self.config.max_count || self.sums.memory > self.memory_bound() {
            let Some(victim) = self.worst() else { break };
            departed.push((self.evict(victim, now_us), Departure::Evicted));
        }
        departed
    }

    fn worst(&self) -> Option<Victim> {
        let worth = *self.tails.first()?;
        let sender = self.residents[worth.slot().number()].owner;
        let slot = self.senders[sender].entries().last()?.slot;
        Some(Victim { slot, worth })
    }
}
