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
    /// Where the part begins that the last transaction is in: the run, or what is queued behind it.
    part: u32,
    /// The entry of that part that is worth least.
    weakest: u32,
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
}

/// How many entries from `from` on, of which those before cost `cost`, continue a run. Tells the end
/// and the cost.
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
            part: 0,
            weakest: 0,
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

    /// What the last one is worth, unless it is protected: by that it leaves a full pool. Of those in
    /// the run, and of those behind it, each is worth no more than those before it.
    pub(crate) fn tail(&self) -> Option<Key> {
        let last = self.entries().last().filter(|it| !it.slot.is_protected())?;
        debug_assert!(last.nonce >= self.account.nonce);
        let weakest = self.entries()[self.weakest as usize].key();
        Some(if self.part == 0 && self.run_len > 0 { weakest } else { weakest.queued() })
    }

    /// What the last of the first `len` is worth, as [`Sender::tail`] tells it of all.
    pub(crate) fn tail_of(&self, len: usize) -> Option<Key> {
        let entries = &self.entries()[..len];
        entries.last().filter(|it| !it.slot.is_protected())?;
        if len <= self.run_len() {
            weakest_key(entries)
        } else {
            weakest_key(&entries[self.run_len()..]).map(Key::queued)
        }
    }

    /// The first nonce from the account's on for which nothing waits.
    pub(crate) fn next_nonce(&self, account: Account) -> u64 {
        let Outlook { entries, run_len, .. } = self.under(account);
        let start = account.nonce.saturating_add(run_len as u64);
        let behind = entries[run_len..].iter().map(|it| it.nonce);
        (start..)
            .zip(behind)
            .take_while(|(next, it)| next == it)
            .fold(start, |_, (it, _)| it.saturating_add(1))
    }

    /// How its transactions stand if the account is this. At once if it is.
    pub(crate) fn under(&self, account: Account) -> Outlook<'_> {
        if account == self.account {
            let (run_len, run_cost) = (self.run_len(), self.run_cost);
            return Outlook { used: &[], entries: self.entries(), run_len, run_cost };
        }
        let first = position(self.entries(), account.nonce).unwrap_or_else(|at| at);
        let (used, entries) = self.entries().split_at(first);
        let (run_len, run_cost) = extend(account, (0, 0), entries);
        Outlook { used, entries, run_len, run_cost }
    }

    /// Brings the sender in line with its account, and takes one more in. Returns those whose nonces
    /// proved used, and the one that the newcomer replaced.
    pub(crate) fn update(
        &mut self,
        account: Account,
        newcomer: Option<Entry>,
    ) -> (Vec<Entry>, Option<Entry>) {
        let mut weakest = Some(self.weakest as usize);
        let mut used = Vec::new();
        if account != self.account {
            let count = position(self.entries(), account.nonce).unwrap_or_else(|at| at);
            used = self.waiting.remove_first(count);
            (self.run_len, self.run_cost, weakest) = (0, 0, None);
            self.account = account;
        }
        let mut replaced = None;
        let mut place = None;
        if let Some(entry) = newcomer {
            let at = self.waiting.position(entry.nonce);
            match at {
                Ok(at) => {
                    replaced = Some(self.replace(at, entry));
                    weakest = weakest.filter(|it| *it != at);
                }
                Err(at) => {
                    self.waiting.insert(at, entry);
                    weakest = weakest.map(|it| if it < at { it } else { it + 1 });
                }
            }
            place = Some(at.unwrap_or_else(|at| at));
        }
        let run = (self.run_len(), self.run_cost);
        let (len, cost) = extend(account, run, &self.entries()[run.0..]);
        (self.run_len, self.run_cost) = (len as u32, cost);
        self.appraise(weakest, place);
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
        let weakest = Some(self.weakest as usize).filter(|it| *it != at);
        self.appraise(weakest.map(|it| if it < at { it } else { it - 1 }), None);
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

    /// Finds what the last one is worth. `weakest` is where the entry is now that was worth least, if
    /// it is still here, `newcomer` the one entry that was not here then. If the last one is in
    /// another part than it was, all of that part are looked at.
    fn appraise(&mut self, weakest: Option<usize>, newcomer: Option<usize>) {
        let entries = self.waiting.as_slice();
        let part = if entries.len() == self.run_len() { 0 } else { self.run_len() };
        let known =
            weakest.filter(|it| self.part as usize == part && (part..entries.len()).contains(it));
        let least = |places: &mut dyn Iterator<Item = usize>| {
            places.min_by_key(|at| entries[*at].key()).unwrap_or(0)
        };
        let weakest = match known {
            Some(known) => least(&mut [known].into_iter().chain(newcomer.filter(|it| *it >= part))),
            None => least(&mut (part..entries.len())),
        };
        (self.part, self.weakest) = (part as u32, weakest as u32);
    }
}
