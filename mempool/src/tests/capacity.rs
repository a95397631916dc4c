//! Who leaves a full pool.

use hearsay_chain::ledger::Account;
use hearsay_chain::transaction::Transfer;
use hearsay_chain::{PublicKey, TxId, VerifiedTx};
use proptest::prelude::*;

use super::world::{START, address, fill, paying, pool_of, rich, signed, transfer};
use crate::memory::{SENDER_CHARGE, charge};
use crate::{Config, Origin, Pool, Refusal, State};

fn ids(transactions: &[VerifiedTx]) -> Vec<TxId> {
    transactions.iter().map(VerifiedTx::id).collect()
}

#[test]
fn the_lowest_fee_leaves_and_an_equal_one_does_not_come_in() {
    let mut pool = pool_of(3);
    let old = [paying(1, 0, 30), paying(2, 0, 10), paying(3, 0, 20)];
    fill(&mut pool, &old);
    let equal = pool.insert(paying(4, 0, 10), Origin::Remote, rich(0), START);
    assert_eq!(equal, Err(Refusal::Full { fee: 10, size: 165 }));
    let better = pool.insert(paying(4, 0, 11), Origin::Remote, rich(0), START).unwrap();
    assert_eq!(better.evicted, [old[1].id()]);
    pool.check_invariants();
}

#[test]
fn what_depends_on_the_lowest_fee_leaves_before_it() {
    let mut pool = pool_of(3);
    let old = [paying(1, 0, 10), paying(1, 1, 900), paying(2, 0, 20)];
    fill(&mut pool, &old);
    let first = pool.insert(paying(3, 0, 11), Origin::Remote, rich(0), START).unwrap();
    assert_eq!(first.evicted, [old[1].id()]);
    let second = pool.insert(paying(4, 0, 11), Origin::Remote, rich(0), START).unwrap();
    assert_eq!(second.evicted, [old[0].id()]);
    pool.check_invariants();
}

#[test]
fn nothing_comes_in_behind_what_would_have_to_leave_for_it() {
    let mut pool = pool_of(2);
    fill(&mut pool, &[paying(1, 0, 10), paying(2, 0, 20)]);
    let refused = pool.insert(paying(1, 1, 900), Origin::Remote, rich(0), START);
    assert!(matches!(refused, Err(Refusal::Full { .. })));
}

#[test]
fn queued_ones_leave_before_ready_ones_that_pay_less() {
    let mut pool = pool_of(2);
    let queued = paying(1, 1, 900);
    fill(&mut pool, [&queued, &paying(2, 0, 10)]);
    let inserted = pool.insert(paying(3, 0, 5), Origin::Remote, rich(0), START).unwrap();
    assert_eq!(inserted.evicted, [queued.id()]);
    assert_eq!(pool.totals().ready, 2);
}

#[test]
fn a_queued_one_never_pushes_out_a_ready_one() {
    let mut pool = pool_of(2);
    fill(&mut pool, &[paying(1, 0, 1), paying(2, 0, 1)]);
    let refused = pool.insert(paying(3, 1, 900), Origin::Remote, rich(0), START);
    assert!(matches!(refused, Err(Refusal::Full { .. })));
}

#[test]
fn closing_a_gap_in_a_full_pool_saves_what_waits_behind_it() {
    let mut pool = pool_of(4);
    let behind = paying(1, 1, 50);
    let cheap = paying(2, 0, 1);
    fill(&mut pool, [&behind, &cheap, &paying(3, 0, 50), &paying(4, 0, 50)]);
    let inserted = pool.insert(paying(1, 0, 20), Origin::Remote, rich(0), START).unwrap();
    assert_eq!(inserted.evicted, [cheap.id()]);
    assert_eq!(inserted.promoted, [behind.id()]);
    pool.check_invariants();
}

#[test]
fn a_replacement_of_the_same_size_takes_no_room() {
    let mut pool = pool_of(2);
    fill(&mut pool, &[paying(1, 0, 10), paying(2, 0, 5)]);
    let inserted = pool.insert(paying(1, 0, 11), Origin::Remote, rich(0), START).unwrap();
    assert!(inserted.evicted.is_empty());
}

/// A pool whose memory these fill to the last byte, beside a large one that pays best: sender,
/// nonce, fee per byte, size.
fn tight_pool(transactions: &[(u8, u64, u64, usize)]) -> (Pool, Vec<TxId>) {
    pool_with_room(transactions, 0)
}

/// The same, with so much memory left.
fn pool_with_room(transactions: &[(u8, u64, u64, usize)], room: usize) -> (Pool, Vec<TxId>) {
    let transactions: Vec<VerifiedTx> = transactions
        .iter()
        .map(|(sender, nonce, rate, size)| sized(*sender, *nonce, *rate, *size))
        .collect();
    let large = sized(99, 0, 1_000, 16_500);
    let mut roomy = pool_of(1_000);
    fill(&mut roomy, transactions.iter().chain([&large]));
    let config = Config { max_memory: roomy.totals().memory + room, ..*roomy.config() };
    let mut pool = Pool::new(config).unwrap();
    fill(&mut pool, transactions.iter().chain([&large]));
    (pool, ids(&transactions))
}

fn sized(sender: u8, nonce: u64, rate: u64, size: usize) -> VerifiedTx {
    let payload = vec![0; size - 165];
    signed(Transfer { payload, ..transfer(sender, nonce, 0, rate * size as u64) })
}

#[test]
fn a_larger_replacement_pushes_out_others_and_counts_what_it_replaces_once() {
    let (mut pool, old) = tight_pool(&[(1, 0, 1, 8_000), (2, 0, 2, 8_000)]);
    let inserted = pool.insert(sized(1, 0, 4, 9_000), Origin::Remote, rich(0), START).unwrap();
    assert_eq!((inserted.replaced, inserted.evicted), (Some(old[0]), vec![old[1]]));
    pool.check_invariants();
}

#[test]
fn used_nonces_make_room_before_others_have_to() {
    let (mut pool, old) =
        tight_pool(&[(1, 0, 1, 3_000), (1, 2, 1, 3_000), (2, 0, 2, 5_000), (3, 0, 3, 5_000)]);
    let inserted = pool.insert(sized(1, 3, 4, 7_000), Origin::Remote, rich(3), START).unwrap();
    assert_eq!(inserted.outdated, old[..2]);
    assert_eq!(inserted.evicted, [old[2]]);
    pool.check_invariants();
}

#[test]
fn what_a_cheaper_replacement_makes_payable_is_ready_when_room_is_sought() {
    let sender = address(1);
    let payload = vec![0; 835];
    let dear = signed(Transfer { payload, ..transfer(1, 0, 50_000, 1_000) });
    let (mut pool, old) = pool_with_room(&[(1, 1, 2, 500), (2, 0, 1, 15_000)], charge(&dear));
    let account = Account { balance: 51_500, nonce: 0 };
    pool.insert(dear, Origin::Remote, account, START).unwrap();
    assert_eq!(pool.state(&old[0]), Some(State::Unfunded { nonce: 1 }));
    let inserted = pool.insert(sized(1, 0, 3, 3_000), Origin::Remote, account, START).unwrap();
    assert_eq!((inserted.promoted, inserted.evicted), (vec![old[0]], vec![old[1]]));
    assert_eq!(pool.next_nonce(&sender, account), 2);
    pool.check_invariants();
}

#[test]
fn what_the_account_no_longer_pays_for_leaves_first_when_an_insertion_brings_the_news() {
    let (mut pool, old) = tight_pool(&[(1, 0, 1, 1_000), (1, 1, 9, 500), (2, 0, 2, 15_000)]);
    let poorer = Account { balance: 5_000, nonce: 0 };
    let inserted = pool.insert(sized(1, 0, 3, 1_500), Origin::Remote, poorer, START).unwrap();
    assert_eq!((inserted.replaced, inserted.evicted), (Some(old[0]), vec![old[1]]));
    pool.check_invariants();
}

#[test]
fn a_large_newcomer_pushes_out_as_many_as_it_needs_and_no_more() {
    let small: Vec<(u8, u64, u64, usize)> =
        (0..98).map(|sender| (sender, 0, 1 + u64::from(sender), 165)).collect();
    let (mut pool, old) = tight_pool(&small);
    let large = sized(200, 0, 1_000, 1_165);
    let freed_by_each = charge(&paying(1, 0, 1)) + SENDER_CHARGE;
    let needed = (charge(&large) + SENDER_CHARGE).div_ceil(freed_by_each);
    let inserted = pool.insert(large, Origin::Remote, rich(0), START).unwrap();
    assert!(needed > 2);
    assert_eq!(inserted.evicted, old[..needed]);
    pool.check_invariants();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn what_leaves_is_what_the_best_first_order_comes_to_last(
        fees in prop::collection::vec(prop::collection::vec(0..50u64, 1..8), 1..8),
        newcomers in prop::collection::vec(0..60u64, 1..20),
    ) {
        let mut pool = pool_of(fees.iter().map(Vec::len).sum());
        for (sender, fees) in (1..).zip(&fees) {
            let run = fees.iter().zip(0..).map(|(fee, nonce)| paying(sender, nonce, *fee));
            fill(&mut pool, &run.collect::<Vec<_>>());
        }
        for (sender, fee) in (100..).zip(newcomers) {
            let order: Vec<VerifiedTx> = pool.best().cloned().collect();
            let last = order.last().unwrap();
            let newcomer = paying(sender, 0, fee);
            match pool.insert(newcomer.clone(), Origin::Remote, rich(0), START) {
                Ok(inserted) => prop_assert_eq!(inserted.evicted, [last.id()]),
                Err(_) => prop_assert!(pool.best().eq(&order)),
            }
            pool.check_invariants();
            // Unless it ties, in or out: what the pool keeps is the best there was to choose from.
            if order.iter().all(|tx| tx.transfer().fee != fee) {
                let mut roomy = pool_of(1_000);
                fill(&mut roomy, order.iter().chain([&newcomer]));
                prop_assert!(pool.best().eq(roomy.best().take(order.len())));
            }
        }
    }
}

#[test]
fn what_expires_soon_takes_room_and_pushes_nothing_out_that_can_be_paid() {
    let expiring =
        |sender, expiry| signed(Transfer { expiry: Some(expiry), ..transfer(sender, 0, 0, 1_000) });
    let mut pool = pool_of(3);
    fill(&mut pool, &[paying(1, 0, 10), expiring(2, 1), paying(3, 1, 500)]);
    let over_queued = pool.insert(expiring(4, 1), Origin::Remote, rich(0), START);
    assert_eq!(over_queued.unwrap().evicted.len(), 1);
    let soon = pool.insert(expiring(5, 10), Origin::Remote, rich(0), START);
    assert!(matches!(soon, Err(Refusal::Full { .. })));
    let later = pool.insert(expiring(5, 11), Origin::Remote, rich(0), START).unwrap();
    assert_eq!(later.evicted, [paying(1, 0, 10).id()]);
    pool.check_invariants();
}

#[test]
fn a_floor_does_not_keep_out_what_could_push_out_what_cannot_be_paid() {
    let mut pool = pool_of(2);
    fill(&mut pool, &[paying(1, 0, 500), paying(2, 0, 500), paying(3, 0, 1_000)]);
    let cheap = paying(4, 0, 10);
    let kept_out = pool.insert(cheap.clone(), Origin::Remote, rich(0), START);
    assert!(matches!(kept_out, Err(Refusal::FeeTooLow { .. })));
    let poor = Account { balance: 0, nonce: 0 };
    pool.account_changed(&address(3), poor);
    let inserted = pool.insert(cheap, Origin::Remote, rich(0), START).unwrap();
    assert_eq!(inserted.evicted, [paying(3, 0, 1_000).id()]);
    pool.check_invariants();
}

#[test]
fn what_waits_gives_way_to_what_waits_only_for_as_much_more_as_a_replacement_pays() {
    let mut pool = pool_of(1);
    fill(&mut pool, &[paying(1, 1, 1_000)]);
    let refused = pool.insert(paying(2, 1, 1_099), Origin::Remote, rich(0), START);
    assert!(matches!(refused, Err(Refusal::Full { .. })));
    assert!(pool.insert(paying(2, 1, 1_101), Origin::Remote, rich(0), START).is_ok());
}

#[test]
fn room_that_many_small_ones_left_counts_until_it_is_given_back() {
    let count = 10_000;
    let mut pool = Pool::new(Config { max_count: count, ..Config::default() }).unwrap();
    let mut spent = Vec::new();
    for sender in 0..count as u64 {
        let mut key = [9; 32];
        key[..8].copy_from_slice(&sender.to_le_bytes());
        let tx = signed(Transfer { sender: PublicKey(key), ..transfer(1, 0, 0, 10) });
        spent.push(tx.sender());
        pool.insert(tx, Origin::Remote, rich(0), START).unwrap();
    }
    let full = pool.totals().memory;
    for sender in &spent[..count - 1] {
        pool.account_changed(sender, rich(1));
    }
    let left = pool.totals();
    assert_eq!(left.count, 1);
    assert!(left.memory > full / 4, "{} of {full}", left.memory);
    pool.account_changed(&spent[count - 1], rich(1));
    assert_eq!(pool.totals().memory, 0);
}
