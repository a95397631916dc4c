//! Reorganisations and restarts, one upon the other, lose nothing that is still valid.

use std::collections::BTreeMap;
use std::convert::Infallible;

use hearsay_chain::ledger::{Account, Accounts, Overlay, apply_transaction};
use hearsay_chain::{Address, StoreError, VerifiedTx};
use hearsay_mempool::{Config, Now, Origin, Pool};
use proptest::prelude::*;

use crate::field::{key, signed};
use crate::restart::restarted;

const SENDERS: u64 = 6;

/// Accounts at a tip.
#[derive(Clone, Debug, Default)]
struct Ledger {
    accounts: BTreeMap<Address, Account>,
    next_height: u64,
}

impl Accounts for Ledger {
    fn account(&self, address: &Address) -> Result<Account, StoreError> {
        Ok(self.get(address))
    }
}

impl Ledger {
    fn get(&self, address: &Address) -> Account {
        self.accounts.get(address).copied().unwrap_or_default()
    }

    /// Applies those of the transactions that fit, in order, as one block; returns them.
    fn apply(&mut self, transactions: &[VerifiedTx]) -> Vec<VerifiedTx> {
        let mut overlay = Overlay::new(&*self);
        let fits = |tx: &&VerifiedTx| {
            apply_transaction(&mut overlay, tx, self.next_height).unwrap().is_ok()
        };
        let block: Vec<VerifiedTx> = transactions.iter().filter(fits).cloned().collect();
        self.accounts.extend(overlay.into_changes());
        self.next_height += 1;
        block
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// A transaction: sender, nonce ahead of the account, fee.
    Send(u64, u64, u64),
    /// A block of so many from the template.
    Block(usize),
    /// So many blocks give way to blocks of these sizes, of what the pool and they hold.
    Reorganise(usize, Vec<usize>),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (0..SENDERS, 0..6u64, 1..2_000u64).prop_map(|(a, b, c)| Step::Send(a, b, c)),
        3 => (0..8usize).prop_map(Step::Block),
        2 => (1..5usize, prop::collection::vec(0..6usize, 1..5))
            .prop_map(|(depth, sizes)| Step::Reorganise(depth, sizes)),
        1 => Just(Step::Restart),
    ]
}

/// A pool, its chain, and all that the pool ever took.
struct Storm {
    pool: Pool,
    ledger: Ledger,
    blocks: Vec<(Vec<VerifiedTx>, Ledger)>,
    taken: Vec<VerifiedTx>,
    us: u64,
}

impl Storm {
    fn new() -> Self {
        let account = |sender| (key(sender).address(), Account { balance: 1 << 40, nonce: 0 });
        let accounts = (0..=SENDERS).map(account).collect();
        let ledger = Ledger { accounts, next_height: 1 };
        let pool = Pool::new(Config::default()).unwrap();
        Self { pool, ledger, blocks: Vec::new(), taken: Vec::new(), us: 0 }
    }

    fn now(&self) -> Now {
        Now { us: self.us, next_height: self.ledger.next_height }
    }

    fn step(&mut self, step: &Step) {
        self.us += 1;
        match step {
            Step::Send(sender, ahead, fee) => {
                let account = self.ledger.get(&key(*sender).address());
                let tx = signed(*sender, account.nonce + ahead, 0, 1_000, *fee);
                if self.pool.insert(tx.clone(), Origin::Remote, account, self.now()).is_ok() {
                    self.taken.push(tx);
                }
            }
            Step::Block(size) => {
                let template = self.pool.template(usize::MAX, *size);
                self.follow(0, &[template]);
            }
            Step::Reorganise(depth, sizes) => {
                let depth = (*depth).min(self.blocks.len());
                let abandoned = self.blocks[self.blocks.len() - depth..].iter();
                let mut all: Vec<VerifiedTx> = abandoned.flat_map(|it| it.0.clone()).collect();
                all.extend(self.pool.template(usize::MAX, 9));
                let mut blocks = Vec::new();
                for size in sizes {
                    blocks.push(all.drain(..(*size).min(all.len())).collect());
                }
                self.follow(depth, &blocks);
            }
            Step::Restart => {
                let ledger = &self.ledger;
                self.pool = restarted(&self.pool, |address| ledger.get(address), self.now());
            }
        }
        self.pool.check_invariants();
    }

    fn follow(&mut self, depth: usize, branch: &[Vec<VerifiedTx>]) {
        let mut abandoned = Vec::new();
        for _ in 0..depth {
            let (block, before) = self.blocks.pop().unwrap();
            abandoned.splice(0..0, block);
            self.ledger = before;
        }
        let mut included = Vec::new();
        for block in branch {
            let before = self.ledger.clone();
            let block = self.ledger.apply(block);
            included.extend(block.clone());
            self.blocks.push((block, before));
        }
        let ledger = &self.ledger;
        let accounts = |address: &_| Ok::<_, Infallible>(ledger.get(address));
        let now = self.now();
        let Ok(_) = self.pool.tip_changed(&included, abandoned, accounts, now);
    }

    /// All that the pool took and that could still stand in a block, but for what others of the same
    /// nonce replaced.
    fn lost(&self) -> Vec<VerifiedTx> {
        let held: Vec<(Address, u64)> =
            self.pool.iter().map(|it| (it.tx.sender(), it.tx.transfer().nonce)).collect();
        let is_lost = |tx: &&VerifiedTx| {
            let (sender, nonce) = (tx.sender(), tx.transfer().nonce);
            nonce >= self.ledger.get(&sender).nonce && !held.contains(&(sender, nonce))
        };
        self.taken.iter().filter(is_lost).cloned().collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn storms_of_reorganisations_and_restarts_lose_nothing_that_is_still_valid(
        steps in prop::collection::vec(step(), 1..200),
    ) {
        let mut storm = Storm::new();
        for step in &steps {
            storm.step(step);
            prop_assert_eq!(storm.lost(), Vec::new());
        }
    }
}
