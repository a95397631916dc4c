//! Whatever happens, in whatever order, the pool is the naive pool.

use std::convert::Infallible;
use std::sync::LazyLock;

use hearsay_chain::transaction::{MAX_TX_BYTES, Transfer};
use hearsay_chain::{Judged, UnverifiedTx, VerifiedTx};
use proptest::prelude::*;
use proptest::sample::Index;

use super::naive::Naive;
use super::world::{World, address, signed, transfer};
use crate::{Config, Pool};

const SENDERS: u8 = 4;
const NONCES: u64 = 7;

/// Few senders and nonces, so that transactions meet; fees that tie per byte and fees that differ
/// by less than a replacement needs; payloads by which either bound is reached first; costs of
/// which an account can pay some and not all.
static UNIVERSE: LazyLock<Vec<VerifiedTx>> = LazyLock::new(|| {
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

fn pick(indexes: &[Index]) -> Vec<VerifiedTx> {
    indexes.iter().map(|index| index.get(&UNIVERSE).clone()).collect()
}

#[derive(Clone, Debug)]
enum Op {
    Insert(Index),
    /// The pool's own template becomes a block.
    Produce(usize),
    /// Another node's block.
    Hear(Vec<Index>),
    /// The last blocks give way to another.
    Reorganise(usize, Vec<Index>),
    /// A block that the pool is never told of.
    Miss(Vec<Index>),
    /// An account changes and the pool is told, or not.
    Pay(u8, u64, bool),
    Wait(u64, u64),
}

fn op() -> impl Strategy<Value = Op> {
    let indexes = || prop::collection::vec(any::<Index>(), 0..6);
    prop_oneof![
        40 => any::<Index>().prop_map(Op::Insert),
        3 => (0..6usize).prop_map(Op::Produce),
        2 => indexes().prop_map(Op::Hear),
        2 => (1..4usize, indexes()).prop_map(|(depth, indexes)| Op::Reorganise(depth, indexes)),
        1 => indexes().prop_map(Op::Miss),
        3 => (0..SENDERS, 0..200_000u64, any::<bool>()).prop_map(|(a, b, c)| Op::Pay(a, b, c)),
        1 => (0..40u64, 0..3u64).prop_map(|(us, heights)| Op::Wait(us, heights)),
    ]
}

/// Both pools and what surrounds them.
struct Both {
    pool: Pool,
    naive: Naive,
    world: World,
    /// Each block with the accounts before it.
    blocks: Vec<(Vec<VerifiedTx>, World)>,
    now_us: u64,
}

impl Both {
    fn new(config: Config) -> Self {
        let mut world = World { height: 1, ..World::default() };
        (0..SENDERS).for_each(|sender| world.set(sender, 100_000));
        let pool = Pool::new(config).unwrap();
        Self { pool, naive: Naive::new(config), world, blocks: Vec::new(), now_us: 0 }
    }

    fn step(&mut self, op: &Op) -> Result<(), TestCaseError> {
        self.now_us += 1;
        match op {
            Op::Insert(index) => self.insert(index.get(&UNIVERSE))?,
            Op::Produce(count) => {
                let template = self.pool.template(12_000, *count);
                self.follow(0, &template)?;
            }
            Op::Hear(indexes) => self.follow(0, &pick(indexes))?,
            Op::Reorganise(depth, indexes) => self.follow(*depth, &pick(indexes))?,
            Op::Miss(indexes) => {
                self.world.apply(&pick(indexes));
            }
            Op::Pay(sender, balance, told) => {
                self.world.set(*sender, *balance);
                if *told {
                    let address = address(*sender);
                    let account = self.world.get(&address);
                    let departed = self.pool.account_changed(&address, account);
                    prop_assert_eq!(departed, self.naive.account_changed(address, account));
                }
            }
            Op::Wait(us, heights) => {
                self.now_us += us;
                self.world.height += heights;
                let mut departed = self.pool.expire(self.now_us, self.world.height);
                let mut expected = self.naive.expire(self.now_us, self.world.height);
                departed.sort();
                expected.sort();
                prop_assert_eq!(departed, expected);
            }
        }
        self.compare()
    }

    fn insert(&mut self, tx: &VerifiedTx) -> Result<(), TestCaseError> {
        let account = self.world.get(&tx.sender());
        let (now_us, height) = (self.now_us, self.world.height);
        let unverified = UnverifiedTx::from(tx.transaction().clone());
        let checked = self.pool.check(&unverified, account, height);
        let inserted = self.pool.insert(tx.clone(), account, now_us, height);
        prop_assert_eq!(checked.as_ref().err(), inserted.as_ref().err());
        let expected = self.naive.insert(tx, account, now_us, height);
        prop_assert_eq!(inserted.map_err(|refusal| refusal.reason()), expected);
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
        let (world, now_us) = (&self.world, self.now_us);
        let mut expected = self.naive.tip_changed(
            &included,
            &abandoned,
            |address| world.get(address),
            now_us,
            world.height,
        );
        let accounts = |address: &_| Ok::<_, Infallible>(world.get(address));
        let departed = self.pool.tip_changed(&included, abandoned, accounts, now_us, world.height);
        let Ok(mut departed) = departed;
        departed.sort();
        expected.sort();
        prop_assert_eq!(departed, expected);
        Ok(())
    }

    fn compare(&self) -> Result<(), TestCaseError> {
        let (pool, naive) = (&self.pool, &self.naive);
        pool.check_invariants();
        prop_assert_eq!(pool.ids().collect::<Vec<_>>(), naive.ids());
        for (tx, _) in &naive.waiting {
            prop_assert_eq!(pool.get(&tx.id()), Some(tx));
            prop_assert_eq!(pool.state(&tx.id()), Some(naive.state(tx)));
        }
        let best: Vec<VerifiedTx> = pool.best().cloned().collect();
        prop_assert_eq!(pool.totals().ready, best.len());
        prop_assert_eq!(pool.totals().bytes, naive.bytes());
        prop_assert_eq!(best, naive.template(usize::MAX, usize::MAX));
        for (bytes, count) in [(700, 9), (4_400, 9), (9_000, 3)] {
            prop_assert_eq!(pool.template(bytes, count), naive.template(bytes, count));
        }
        for sender in (0..SENDERS).map(address) {
            let account = self.world.get(&sender);
            let expected = naive.next_nonce(sender, account);
            prop_assert_eq!(pool.next_nonce(&sender, account), expected);
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn the_pool_equals_a_naive_pool(
        max_count in 1..16usize,
        max_per_sender in 2..8u64,
        ops in prop::collection::vec(op(), 1..300),
    ) {
        let max_bytes = MAX_TX_BYTES + 2_000;
        let config =
            Config { max_count, max_bytes, max_per_sender, max_age_us: 100, ..Config::default() };
        let mut both = Both::new(config);
        for op in &ops {
            both.step(op)?;
        }
    }
}
