//! The pool and the naive pool side by side: each operation is done to both, then all that can be
//! seen of them is compared.

use std::convert::Infallible;
use std::sync::LazyLock;

use hearsay_chain::transaction::Transfer;
use hearsay_chain::{UnverifiedTx, VerifiedTx};
use proptest::prelude::*;

use super::naive::{Asked, Naive};
use super::world::{World, address, ids, signed, transfer};
use crate::{Config, Forecast, Inserted, Now, Origin, Pool, Refusal};

pub(crate) const SENDERS: u8 = 4;
const NONCES: u64 = 7;

/// Few senders and nonces, so that transactions meet; fees that tie per byte and fees that differ
/// by less than a replacement needs; payloads by which either bound is reached first; costs of
/// which an account can pay some and not all.
pub(crate) static UNIVERSE: LazyLock<Vec<VerifiedTx>> = LazyLock::new(|| {
    let mut universe = Vec::new();
    for sender in 0..SENDERS {
        for nonce in 0..NONCES {
            for (at, payload) in [0, 0, 300, 2_000, 6_000].into_iter().enumerate() {
                for rate in [0, 10, 20, 21, 22, 40] {
                    let bare = Transfer {
                        recipient: address((sender + 1) % SENDERS),
                        expiry: (at == 1).then_some(5 + nonce),
                        payload: vec![0; payload],
                        ..transfer(sender, nonce, [0, 10, 90_000, 10, 10][at], 0)
                    };
                    let size = signed(bare.clone()).size() as u64;
                    universe.push(signed(Transfer { fee: rate * size / 10, ..bare }));
                }
            }
        }
    }
    universe
});

/// What can happen. Numbers stand for transactions of the universe.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    /// One comes in, from another node or from a user of this one.
    Insert(usize, bool),
    /// The pool's own template becomes a block.
    Produce(usize),
    /// Another node's block.
    Hear(Vec<usize>),
    /// The last blocks give way to another.
    Reorganise(usize, Vec<usize>),
    /// A block that the pool is never told of.
    Miss(Vec<usize>),
    /// An account changes and the pool is told, or not.
    Pay(u8, u64, bool),
    /// Time and height go on.
    Wait(u64, u64),
    /// The node stops for so long, and takes up what it held.
    Restart(u64),
}

fn pick(block: &[usize]) -> Vec<VerifiedTx> {
    block.iter().map(|at| UNIVERSE[*at].clone()).collect()
}

/// Both pools and what surrounds them.
pub(crate) struct Both {
    pool: Pool,
    naive: Naive,
    world: World,
    /// Each block with the accounts before it.
    blocks: Vec<(Vec<VerifiedTx>, World)>,
    now_us: u64,
}

impl Both {
    pub(crate) fn new(config: Config) -> Self {
        let mut world = World { height: 1, ..World::default() };
        (0..SENDERS).for_each(|sender| world.set(sender, 100_000));
        let pool = Pool::new(config).unwrap();
        Self { pool, naive: Naive::new(config), world, blocks: Vec::new(), now_us: 0 }
    }

    fn now(&self) -> Now {
        Now { us: self.now_us, next_height: self.world.height }
    }

    pub(crate) fn step(&mut self, op: &Op) -> Result<(), TestCaseError> {
        self.now_us += 1;
        match op {
            Op::Insert(at, local) => {
                let origin = if *local { Origin::Local } else { Origin::Remote };
                self.insert(&UNIVERSE[*at], origin, None)?;
            }
            Op::Produce(count) => {
                let template = self.pool.template(12_000, *count);
                self.follow(0, &template)?;
            }
            Op::Hear(block) => self.follow(0, &pick(block))?,
            Op::Reorganise(depth, block) => self.follow(*depth, &pick(block))?,
            Op::Miss(block) => {
                self.world.apply(&pick(block));
            }
            Op::Pay(sender, balance, told) => self.pay(*sender, *balance, *told)?,
            Op::Wait(us, heights) => {
                self.now_us += us;
                self.world.height += heights;
                let mut departed = self.pool.expire(self.now());
                let mut expected = self.naive.expire(self.now());
                departed.sort();
                expected.sort();
                prop_assert_eq!(departed, expected);
            }
            Op::Restart(us) => {
                self.now_us += us;
                self.restart()?;
            }
        }
        self.compare()
    }

    fn insert(
        &mut self,
        tx: &VerifiedTx,
        origin: Origin,
        restored_us: Option<u64>,
    ) -> Result<(), TestCaseError> {
        let (account, now) = (self.world.get(&tx.sender()), self.now());
        let unverified = UnverifiedTx::from(tx.transaction().clone());
        let checked = self.pool.check(&unverified, origin, account, now);
        let inserted = match restored_us {
            Some(us) => self.pool.restore(tx.clone(), origin, us, account, now),
            None => self.pool.insert(tx.clone(), origin, account, now),
        };
        let asked = Asked { tx: tx.clone(), origin, restored_us, account, now };
        prop_assert_eq!(&inserted, &self.naive.insert(&asked));
        if inserted != Err(Refusal::TooOld) {
            prop_assert_eq!(checked, inserted.map(foretold));
        }
        Ok(())
    }

    fn pay(&mut self, sender: u8, balance: u64, told: bool) -> Result<(), TestCaseError> {
        self.world.set(sender, balance);
        if told {
            let address = address(sender);
            let account = self.world.get(&address);
            let departed = self.pool.account_changed(&address, account);
            prop_assert_eq!(departed, self.naive.account_changed(address, account));
        }
        Ok(())
    }

    /// Two new pools take what the old ones held, the oldest first.
    fn restart(&mut self) -> Result<(), TestCaseError> {
        let mut held = self.naive.held.clone();
        held.sort_by_key(|it| it.arrived_us);
        self.pool = Pool::new(self.naive.config).unwrap();
        self.naive = Naive::new(self.naive.config);
        for it in held {
            self.insert(&it.tx, it.origin, Some(it.arrived_us))?;
        }
        Ok(())
    }

    fn follow(&mut self, depth: usize, block: &[VerifiedTx]) -> Result<(), TestCaseError> {
        let mut abandoned = Vec::new();
        for _ in 0..depth.min(self.blocks.len()) {
            let (transactions, before) = self.blocks.pop().unwrap();
            abandoned.splice(0..0, transactions);
            self.world = before;
        }
        let before = self.world.clone();
        let included = self.world.apply(block);
        self.blocks.push((included.clone(), before));
        let (world, now) = (&self.world, self.now());
        let account = |address: &_| world.get(address);
        let mut expected = self.naive.tip_changed(&included, &abandoned, account, now);
        let accounts = |address: &_| Ok::<_, Infallible>(world.get(address));
        let Ok(mut departed) = self.pool.tip_changed(&included, abandoned, accounts, now);
        departed.sort();
        expected.sort();
        prop_assert_eq!(departed, expected);
        Ok(())
    }

    fn compare(&self) -> Result<(), TestCaseError> {
        let (pool, naive) = (&self.pool, &self.naive);
        pool.check_invariants();
        prop_assert_eq!(pool.totals(), naive.totals());
        let mut expected: Vec<_> = naive.held.iter().map(|it| it.tx.id()).collect();
        expected.sort();
        prop_assert_eq!(ids(pool), expected);
        for it in &naive.held {
            let id = it.tx.id();
            prop_assert!(pool.contains(&id));
            prop_assert_eq!(pool.get(&id), Some(&it.tx));
            prop_assert_eq!(pool.state(&id), Some(naive.state(&it.tx)));
            let view = pool.view(&id).unwrap();
            prop_assert_eq!((view.origin, view.arrived_us), (it.origin, it.arrived_us));
        }
        prop_assert_eq!(pool.floor(self.now_us), naive.least(self.now_us));
        let best: Vec<VerifiedTx> = pool.best().cloned().collect();
        prop_assert_eq!(best, naive.template(usize::MAX, usize::MAX));
        for (bytes, count) in [(700, 9), (4_400, 9), (9_000, 3)] {
            prop_assert_eq!(pool.template(bytes, count), naive.template(bytes, count));
        }
        for sender in (0..SENDERS).map(address) {
            let account = self.world.get(&sender);
            let expected = naive.next_nonce(sender, account);
            prop_assert_eq!(pool.next_nonce(&sender, account), expected);
        }
        let mut senders: Vec<_> = pool.senders().collect();
        senders.sort_by_key(|it| it.address);
        prop_assert_eq!(senders, naive.senders());
        Ok(())
    }
}

fn foretold(inserted: Inserted) -> Forecast {
    Forecast { ready: inserted.ready, replaces: inserted.replaced, evicts: inserted.evicted }
}
