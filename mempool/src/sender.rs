//! One sender's transactions, and how many of them could go into a block now.

use std::ops::Range;

use hearsay_chain::Address;
use hearsay_chain::ledger::Account;

use crate::key::{Entry, Key};
use crate::waiting::{Waiting, position};

/// One sender's transactions.
///
/// Between two operations of the pool the run (the nonces that are ready: without a gap from the
/// account's on, and payable together) is as long as it can be, and nothing waits below it.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    pub(crate) address: Address,
    account: Account,
    /// What all of the run costs.
    run_cost: u64,
    waiting: Waiting,
    run_len: u32,
}

/// A sender's transactions under an account that may be newer than the one it was last told of.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outlook<'a> {
    /// Those whose nonces were used.
    pub(crate) used: &'a [Entry],
    /// The others.
    pub(crate) entries: &'a [Entry],
    /// How many of these are ready.
    pub(crate) run_len: usize,
    /// What the ready ones cost.
    pub(crate) run_cost: u64,
    /// Whether this is the account that it was last told of.
    pub(crate) is_told: bool,
}

/// How far a run of so many entries, at so much cost, goes on with the next ones. Tells how many it
/// then has, and what they cost.
pub(crate) fn extend<'a>(
    account: Account,
    (mut len, mut cost): (usize, u64),
    next: impl IntoIterator<Item = &'a Entry>,
) -> (usize, u64) {
    for entry in next {
        let follows = account.nonce.checked_add(len as u64) == Some(entry.nonce);
        match cost.checked_add(entry.cost).filter(|it| follows && *it <= account.balance) {
            Some(together) => (len, cost) = (len + 1, together),
            None => break,
        }
    }
    (len, cost)
}

/// Whether each of these is protected, the last one first: mostly that is not.
pub(crate) fn all_protected(entries: &[Entry]) -> bool {
    entries.iter().rev().all(|it| it.slot.is_protected())
}

/// The least key, which is what all together are worth: none goes into a block without those before.
pub(crate) fn weakest_key<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Option<Key> {
    entries.into_iter().map(Entry::key).min()
}

#[allow(clippy::cast_possible_truncation, reason = "a pool's bounds keep numbers below 2^30")]
impl Sender {
    pub(crate) fn new(address: Address) -> Self {
        Self {
            address,
            account: Account::default(),
            run_cost: 0,
            waiting: Waiting::default(),
            run_len: 0,
        }
    }

    /// The account as the pool last heard of it.
    pub(crate) fn account(&self) -> Account {
        self.account
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        self.waiting.as_slice()
    }

    pub(crate) fn run_len(&self) -> usize {
        self.run_len as usize
    }

    /// The nonces that are ready.
    pub(crate) fn run(&self) -> Range<u64> {
        let start = self.account.nonce;
        start..start.saturating_add(u64::from(self.run_len))
    }

    /// Those that are ready, by nonce.
    pub(crate) fn ready(&self) -> &[Entry] {
        &self.entries()[..self.run_len()]
    }

    /// Those that are ready and not in another run: before it and after it.
    pub(crate) fn ready_beside(&self, other: &Range<u64>) -> [&[Entry]; 2] {
        let ready = self.ready();
        let until = |nonce: u64| {
            let ahead = usize::try_from(nonce.saturating_sub(self.account.nonce));
            ahead.unwrap_or(usize::MAX).min(ready.len())
        };
        let (before, after) = (until(other.start), until(other.end));
        [&ready[..before], &ready[after..]]
    }

    /// The key of the first ready one.
    pub(crate) fn head(&self) -> Option<Key> {
        self.ready().first().map(Entry::key)
    }

    /// What the last one is worth: by that it leaves a full pool. Of those in the run, and of those
    /// behind it, each is worth no more than those before it. None if all are protected: what stands
    /// behind one that is not must be able to leave with it, else it would protect that too.
    pub(crate) fn tail(&self) -> Option<Key> {
        self.tail_of(self.entries().len())
    }

    /// The same if only the first `len` were here.
    pub(crate) fn tail_of(&self, len: usize) -> Option<Key> {
        let last =
            self.entries()[..len].last().filter(|_| !all_protected(&self.entries()[..len]))?;
        let weakest = self.entries()[last.weakest as usize].key();
        Some(if len <= self.run_len() { weakest } else { weakest.queued() })
    }

    /// The first nonce from the account's on for which nothing waits.
    pub(crate) fn next_nonce(&self, account: Account) -> u64 {
        let Outlook { entries, run_len, .. } = self.under(account);
        let start = account.nonce.saturating_add(run_len as u64);
        let behind = entries[run_len..].iter().map(|it| it.nonce);
        behind.fold(start, |next, it| if it == next { next.saturating_add(1) } else { next })
    }

    /// How its transactions stand if the account is this. At once if it is.
    pub(crate) fn under(&self, account: Account) -> Outlook<'_> {
        if account == self.account {
            let (run_len, run_cost) = (self.run_len(), self.run_cost);
            let entries = self.entries();
            return Outlook { used: &[], entries, run_len, run_cost, is_told: true };
        }
        let first = position(self.entries(), account.nonce).unwrap_or_else(|at| at);
        let (used, entries) = self.entries().split_at(first);
        let (run_len, run_cost) = extend(account, (0, 0), entries);
        Outlook { used, entries, run_len, run_cost, is_told: false }
    }

    /// Brings the sender in line with its account, and takes one more in. Returns those whose nonces
    /// proved used, and the one that the newcomer replaced.
    pub(crate) fn update(
        &mut self,
        account: Account,
        newcomer: Option<Entry>,
    ) -> (Vec<Entry>, Option<Entry>) {
        let before = self.run_len();
        let mut changed = Changed { from: self.entries().len(), stable_from: 0 };
        let mut used = Vec::new();
        if account != self.account {
            let count = position(self.entries(), account.nonce).unwrap_or_else(|at| at);
            used = self.waiting.remove_first(count);
            (self.run_len, self.run_cost, self.account) = (0, 0, account);
            changed = Changed { from: 0, stable_from: usize::MAX };
        }
        let mut replaced = None;
        if let Some(entry) = newcomer {
            match self.waiting.position(entry.nonce) {
                Ok(at) => {
                    replaced = Some(self.replace(at, entry));
                    changed.at(at, changed.stable_from.max(at + 1));
                }
                Err(at) => {
                    self.waiting.insert(at, entry);
                    // Those behind it have moved.
                    changed.at(at, usize::MAX);
                }
            }
        }
        let run = (self.run_len(), self.run_cost);
        let (len, cost) = extend(account, run, &self.entries()[run.0..]);
        (self.run_len, self.run_cost) = (len as u32, cost);
        if len != before {
            changed.at(len.min(before), changed.stable_from.max(len).max(before));
        }
        self.appraise(changed);
        (used, replaced)
    }

    /// Puts another of the same nonce in a place. The run ends before it if it can no longer be paid.
    fn replace(&mut self, at: usize, entry: Entry) -> Entry {
        let old = self.entries()[at];
        if at < self.run_len() {
            let cost = (self.run_cost - old.cost).checked_add(entry.cost);
            match cost.filter(|it| *it <= self.account.balance) {
                Some(cost) => self.run_cost = cost,
                None => self.cut(at),
            }
        }
        self.waiting.replace(at, entry)
    }

    /// Takes one out. What follows it is then queued.
    pub(crate) fn take(&mut self, nonce: u64) -> Option<Entry> {
        let at = self.waiting.position(nonce).ok()?;
        self.cut(at);
        let entry = self.waiting.remove(at);
        self.appraise(Changed { from: at, stable_from: usize::MAX });
        Some(entry)
    }

    /// Ends the run before an entry, if it reaches that far.
    fn cut(&mut self, at: usize) {
        if at < self.run_len() {
            let cost: u64 = self.ready()[at..].iter().map(|it| it.cost).sum();
            self.run_cost -= cost;
            self.run_len = at as u32;
        }
    }

    /// Finds anew which is the weakest up to each entry, from the first that changed on.
    fn appraise(&mut self, changed: Changed) {
        let run_len = self.run_len();
        let entries = self.waiting.as_mut_slice();
        let before = changed.from.checked_sub(1).map(|at| entries[at].weakest as usize);
        let mut least = before.map(|at| (at, entries[at].key()));
        let mut at = changed.from;
        while let Some(entry) = entries.get_mut(at) {
            let key = entry.key();
            let (weakest, weakest_key) =
                least.filter(|(_, least)| *least < key && at != run_len).unwrap_or((at, key));
            let same = entry.weakest == weakest as u32 && weakest != changed.from;
            if same && at >= changed.stable_from {
                return;
            }
            entry.weakest = weakest as u32;
            least = Some((weakest, weakest_key));
            at += 1;
            // Who replaces the first of a thousand again and again changes nothing for most of them:
            // those are passed over at the pace of memory.
            let part = if at < run_len { &entries[at..run_len] } else { &entries[at..] };
            let stays = |it: &&Entry| it.weakest as usize == weakest && it.is_above(weakest_key);
            at += if at == run_len { 0 } else { part.iter().take_while(stays).count() };
        }
    }
}

/// Which entries may have another weakest than before.
#[derive(Clone, Copy)]
struct Changed {
    /// The first that may.
    from: usize,
    /// From here on, if one has the same as before then so have those behind it.
    stable_from: usize,
}

impl Changed {
    fn at(&mut self, from: usize, stable_from: usize) {
        *self = Self { from: self.from.min(from), stable_from };
    }
}
