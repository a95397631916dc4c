//! A pool of some size to measure on, and the inputs for each operation, made beforehand.
//!
//! The pool keeps its size and shape: what one operation adds another takes away.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::hint::black_box;

use hearsay_chain::keys::Signature;
use hearsay_chain::ledger::Account;
use hearsay_chain::transaction::Transfer;
use hearsay_chain::{Address, ChainId, PublicKey, Transaction, TxId, VerifiedTx};
use hearsay_mempool::{Config, Now, Origin, Pool};

use crate::operation::{Operation, Work};
use crate::random::Random;

/// The fees that a pool is filled with. Newcomers to a full pool pay more than any of these.
const FEES: std::ops::Range<u64> = 20_000..2_000_000;

/// One sender of the pool.
#[derive(Debug)]
struct Line {
    first: u64,
    /// Fee and id of each that waits.
    waiting: VecDeque<(u64, TxId)>,
}

/// A pool and what is known of it.
pub(crate) struct Stand {
    pub(crate) pool: Pool,
    lines: Vec<Line>,
    /// Senders that got one more than they had.
    grown: Vec<usize>,
    /// Senders of which a block took one.
    shrunk: Vec<usize>,
    /// The next sender that the pool does not know.
    next_new: u64,
    next_height: u64,
    random: Random,
}

fn key(sender: u64) -> PublicKey {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&sender.to_le_bytes());
    PublicKey(bytes)
}

fn made(sender: u64, nonce: u64, fee: u64, expiry: Option<u64>) -> VerifiedTx {
    let transfer = Transfer {
        chain: ChainId([0; 8]),
        sender: key(sender),
        nonce,
        // A sender of its own, which no pool knows.
        recipient: key(u64::MAX - sender).address(),
        amount: 0,
        fee,
        expiry,
        payload: Vec::new(),
    };
    // The pool never looks at signatures.
    VerifiedTx::from_own_store(Transaction { transfer, signature: Signature([0; 64]) }.into())
}

fn account(nonce: u64) -> Account {
    Account { balance: 1 << 62, nonce }
}

impl Stand {
    /// Fills a pool. With `room` it can take more, else it is full.
    pub(crate) fn new(size: usize, per_sender: usize, room: bool) -> Self {
        let max_count = if room { size * 2 + 100_000 } else { size };
        let config = Config { max_count, max_memory: 1 << 40, seed: 1, ..Config::default() };
        let mut pool = Pool::new(config).expect("bounds to work with");
        let mut random = Random(size as u64);
        let senders = size.div_ceil(per_sender);
        let mut order: Vec<usize> = (0..senders).collect();
        let mut lines: Vec<Line> =
            order.iter().map(|_| Line { first: 0, waiting: VecDeque::new() }).collect();
        for nonce in 0..per_sender as u64 {
            random.shuffle(&mut order);
            for sender in &order {
                if pool.len() == size {
                    break;
                }
                let fee = FEES.start + random.next() % (FEES.end - FEES.start);
                let tx = made(*sender as u64, nonce, fee, None);
                lines[*sender].waiting.push_back((fee, tx.id()));
                let now = Now { us: 0, next_height: 1 };
                pool.insert(tx, Origin::Remote, account(0), now).expect("there is room");
            }
        }
        let next_new = senders as u64;
        Self {
            pool,
            lines,
            grown: Vec::new(),
            shrunk: Vec::new(),
            next_new,
            next_height: 1,
            random,
        }
    }

    fn new_sender(&mut self) -> u64 {
        self.next_new += 1;
        self.next_new
    }

    /// A sender that has something waiting.
    fn line(&mut self) -> usize {
        loop {
            let at = self.random.below(self.lines.len());
            if !self.lines[at].waiting.is_empty() {
                return at;
            }
        }
    }

    /// Makes the inputs for so many operations.
    pub(crate) fn prepare(&mut self, operation: Operation, count: usize) -> Work {
        match operation {
            Operation::Insert => {
                let next = |stand: &mut Self| {
                    let at = stand.line();
                    stand.grown.push(at);
                    stand.follower(at)
                };
                Work::Insert((0..count).map(|_| next(self)).collect())
            }
            Operation::InsertNew => {
                let new = |stand: &mut Self| {
                    let fee = FEES.start + stand.random.next() % (FEES.end - FEES.start);
                    (made(stand.new_sender(), 0, fee, None), account(0))
                };
                Work::Insert((0..count).map(|_| new(self)).collect())
            }
            Operation::Evict => {
                let dear = |stand: &mut Self| {
                    let sender = stand.new_sender();
                    (made(sender, 0, FEES.end * 2 + sender, None), account(0))
                };
                Work::Insert((0..count).map(|_| dear(self)).collect())
            }
            Operation::Replace => Work::Insert((0..count).map(|_| self.replacement()).collect()),
            Operation::Hit => {
                let id = |stand: &mut Self| {
                    let line = stand.line();
                    let waiting = &stand.lines[line].waiting;
                    waiting[stand.random.below(waiting.len())].1
                };
                Work::Contains((0..count).map(|_| id(self)).collect(), true)
            }
            Operation::Miss => {
                let id = |stand: &mut Self| {
                    let words: [u64; 4] = std::array::from_fn(|_| stand.random.next());
                    TxId(std::array::from_fn(|at| words[at / 8].to_le_bytes()[at % 8]))
                };
                Work::Contains((0..count).map(|_| id(self)).collect(), false)
            }
            Operation::Block => self.block(count),
            Operation::Best => Work::Best(count),
            Operation::Template => Work::Template(count),
            Operation::Expire => {
                for _ in 0..count {
                    let tx = made(self.new_sender(), 0, FEES.end, Some(self.next_height));
                    self.insert(tx, account(0));
                }
                self.next_height += 1;
                Work::Expire(self.now())
            }
        }
    }

    fn now(&self) -> Now {
        Now { us: 0, next_height: self.next_height }
    }

    fn insert(&mut self, tx: VerifiedTx, account: Account) {
        self.pool.insert(tx, Origin::Remote, account, self.now()).expect("made to be taken");
    }

    /// The next of a sender that is here.
    fn follower(&mut self, at: usize) -> (VerifiedTx, Account) {
        let fee = FEES.start + self.random.next() % (FEES.end - FEES.start);
        let line = &mut self.lines[at];
        let tx = made(at as u64, line.first + line.waiting.len() as u64, fee, None);
        line.waiting.push_back((fee, tx.id()));
        (tx, account(line.first))
    }

    /// Another for a nonce that is here, a quarter dearer.
    fn replacement(&mut self) -> (VerifiedTx, Account) {
        let at = self.line();
        let line = &mut self.lines[at];
        let place = self.random.below(line.waiting.len());
        let fee = line.waiting[place].0 * 5 / 4;
        let tx = made(at as u64, line.first + place as u64, fee, None);
        line.waiting[place] = (fee, tx.id());
        (tx, account(line.first))
    }

    /// A block of the first ones of senders, of those first that grew.
    fn block(&mut self, count: usize) -> Work {
        let mut included = Vec::new();
        let mut accounts = BTreeMap::new();
        while included.len() < count {
            let at = self.grown.pop().unwrap_or_else(|| self.line());
            let line = &mut self.lines[at];
            let Some((_, id)) = line.waiting.pop_front() else { continue };
            line.first += 1;
            self.shrunk.push(at);
            included.push(id);
            accounts.insert(key(at as u64).address(), account(line.first));
        }
        let get = |id: &TxId| self.pool.get(id).cloned().expect("it waits");
        Work::Block { included: included.iter().map(get).collect(), accounts }
    }

    /// Does it, and nothing else.
    pub(crate) fn perform(&mut self, work: Work) {
        let now = self.now();
        match work {
            Work::Insert(inputs) => {
                for (tx, account) in inputs {
                    let inserted = self.pool.insert(tx, Origin::Remote, account, now);
                    assert!(black_box(inserted).is_ok(), "made to be taken");
                }
            }
            Work::Contains(ids, here) => {
                let found = ids.iter().filter(|id| self.pool.contains(id)).count();
                assert_eq!(found, if here { ids.len() } else { 0 });
            }
            Work::Block { included, accounts } => {
                let get = |address: &Address| {
                    Ok::<_, Infallible>(accounts.get(address).copied().unwrap_or_default())
                };
                let Ok(left) = self.pool.tip_changed(&included, Vec::new(), get, now);
                assert_eq!(left.len(), included.len());
            }
            Work::Best(count) => {
                let fees = self.pool.best().take(count).map(VerifiedTx::size);
                black_box(fees.sum::<usize>());
            }
            Work::Template(count) => {
                black_box(self.pool.template(usize::MAX, count));
            }
            Work::Expire(now) => {
                black_box(self.pool.expire(now));
            }
        }
    }

    /// Takes away what an operation added.
    pub(crate) fn undo(&mut self, operation: Operation, count: usize) {
        match operation {
            Operation::Insert => {
                let block = self.block(count);
                self.shrunk.clear();
                self.perform(block);
            }
            Operation::InsertNew => {
                for sender in (0..count as u64).map(|back| self.next_new - back) {
                    self.pool.account_changed(&key(sender).address(), account(1));
                }
            }
            Operation::Block => {
                let shrunk = std::mem::take(&mut self.shrunk);
                let followers = shrunk.into_iter().map(|at| self.follower(at)).collect();
                self.perform(Work::Insert(followers));
            }
            _ => {}
        }
    }
}
