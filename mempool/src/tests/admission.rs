//! What is refused, why, and with which verdict.

use std::collections::BTreeSet;

use hearsay_chain::ledger::Account;
use hearsay_chain::transaction::Transfer;
use hearsay_chain::{Judged, Verdict, VerifiedTx};

use super::world::{BARE, START, fill, ids, paying, pool_of, rich, signed, transfer, unverified};
use crate::{Config, FeeRate, Inserted, Now, Origin, Pool, Refusal, State};

/// A full pool: sender 1 with nonces 0, 1 and 3, sender 2 with nonce 0.
fn full_pool() -> Pool {
    let mut pool = pool_of(4);
    let fees = [(1, 0, 1_000), (1, 1, 2_000), (1, 3, 2_000), (2, 0, 3_000)];
    fill(&mut pool, &fees.map(|(sender, nonce, fee)| paying(sender, nonce, fee)));
    pool
}

#[test]
fn every_refusal_is_answered_with_ignore_and_its_own_word() {
    let expiring = |expiry| Transfer { expiry: Some(expiry), ..transfer(1, 2, 0, 9_000) };
    let poor = Account { balance: 5_000, nonce: 0 };
    let cases: Vec<(VerifiedTx, Account, Refusal)> = vec![
        (paying(1, 0, 1_000), rich(0), Refusal::Known),
        (paying(1, 4, 9_000), rich(5), Refusal::NonceUsed { found: 4, next: 5 }),
        (signed(expiring(6)), rich(0), Refusal::Expired { expiry: 6 }),
        (
            paying(1, 1_000, 9_000),
            rich(0),
            Refusal::NonceTooFar { found: 1_000, next: 0, limit: 1_000 },
        ),
        (paying(1, 1, 2_199), rich(0), Refusal::Underpriced { fee: 2_199, least: 2_200 }),
        (paying(1, 2, 2_001), poor, Refusal::CannotPay { cost: 5_001, balance: 5_000 }),
        // What would wait must be payable with all that waits.
        (paying(1, 7, 2_001), poor, Refusal::CannotPay { cost: 7_001, balance: 5_000 }),
        (paying(1, 1, 4_001), poor, Refusal::CannotPay { cost: 5_001, balance: 5_000 }),
        (paying(3, 1, 2_000), rich(0), Refusal::Full { fee: 2_000, size: 165 }),
    ];
    let mut words = BTreeSet::new();
    for (tx, account, refusal) in cases {
        let mut pool = full_pool();
        let unverified = unverified(tx.transfer().clone());
        let now = Now { us: 0, next_height: 7 };
        assert_eq!(pool.check(&unverified, Origin::Remote, account, now), Err(refusal.clone()));
        assert_eq!(pool.insert(tx, Origin::Remote, account, now), Err(refusal.clone()));
        pool.check_invariants();
        assert_eq!(ids(&pool), ids(&full_pool()));
        assert_eq!(refusal.verdict(), Verdict::Ignore);
        words.insert(refusal.reason());
    }
    let all = ["balance", "expired", "known", "nonce-too-far", "nonce-used", "pool-full"];
    assert_eq!(words, all.into_iter().chain(["underpriced"]).collect());
}

#[test]
fn what_is_cheap_early_or_old_is_refused_with_its_own_word_and_nobody_is_blamed() {
    let config = Config { min_fee_per_kb: 1_000, max_queued_per_sender: 1, ..Config::default() };
    let mut pool = Pool::new(config).unwrap();
    pool.insert(paying(1, 1, 165), Origin::Remote, rich(0), START).unwrap();
    let late = Now { us: config.max_age_us, ..START };
    let refused = [
        pool.insert(paying(1, 0, 164), Origin::Remote, rich(0), START),
        pool.insert(paying(1, 2, 165), Origin::Remote, rich(0), START),
        pool.restore(paying(1, 0, 165), Origin::Remote, 0, rich(0), late),
    ];
    let expected = [
        (Refusal::FeeTooLow { fee: 164, least: 165 }, "fee-too-low"),
        (Refusal::TooManyQueued { next: 0, limit: 1 }, "queued-limit"),
        (Refusal::TooOld, "too-old"),
    ];
    for (refused, (refusal, word)) in refused.into_iter().zip(expected) {
        assert_eq!((refusal.verdict(), refusal.reason()), (Verdict::Ignore, word));
        assert_eq!(refused, Err(refusal));
    }
    assert_eq!(pool.len(), 1);
}

#[test]
fn its_last_height_is_a_height_at_which_it_may_stand() {
    let tx = signed(Transfer { expiry: Some(7), ..transfer(1, 0, 0, 1) });
    let at = |next_height| Now { us: 0, next_height };
    assert!(pool_of(9).insert(tx.clone(), Origin::Remote, rich(0), at(7)).is_ok());
    assert!(pool_of(9).insert(tx, Origin::Remote, rich(0), at(8)).is_err());
}

#[test]
fn the_nonce_after_a_gap_waits_until_the_gap_closes() {
    let mut pool = pool_of(9);
    let [zero, one, two] = [0, 1, 2].map(|nonce| paying(1, nonce, 10));
    assert!(!pool.insert(two.clone(), Origin::Remote, rich(0), START).unwrap().ready);
    assert!(!pool.insert(one.clone(), Origin::Remote, rich(0), START).unwrap().ready);
    assert_eq!(pool.state(&two.id()), Some(State::Queued { waiting_for: 0 }));
    assert_eq!(pool.best().count(), 0);
    assert_eq!(
        pool.insert(zero.clone(), Origin::Remote, rich(0), START),
        Ok(Inserted { ready: true, promoted: vec![one.id(), two.id()], ..Inserted::default() })
    );
    assert!(pool.best().eq([&zero, &one, &two]));
    pool.check_invariants();
}

#[test]
fn a_replacement_of_another_size_is_compared_by_fee_per_byte() {
    let old = paying(1, 0, BARE * 10);
    let larger =
        |fee| signed(Transfer { payload: vec![0; BARE as usize], ..transfer(1, 0, 0, fee) });
    let mut pool = pool_of(9);
    fill(&mut pool, [&old]);
    let refused = pool.insert(larger(BARE * 22 - 1), Origin::Remote, rich(0), START);
    assert_eq!(
        refused,
        Err(Refusal::Underpriced { fee: BARE * 22 - 1, least: u128::from(BARE * 22) })
    );
    let inserted = pool.insert(larger(BARE * 22), Origin::Remote, rich(0), START).unwrap();
    assert_eq!(inserted.replaced, Some(old.id()));
    assert_eq!(pool.len(), 1);
}

#[test]
fn what_pays_nothing_is_not_replaced_by_what_pays_nothing() {
    let mut pool = pool_of(9);
    fill(&mut pool, [&paying(1, 0, 0)]);
    let other = signed(transfer(1, 0, 5, 0));
    assert_eq!(
        pool.insert(other, Origin::Remote, rich(0), START),
        Err(Refusal::Underpriced { fee: 0, least: 1 })
    );
    assert!(pool.insert(paying(1, 0, 1), Origin::Remote, rich(0), START).is_ok());
}

#[test]
fn the_largest_fees_are_compared_without_overflow() {
    let mut pool = pool_of(9);
    let most = Account { balance: u64::MAX, nonce: 0 };
    let dear =
        |payload| signed(Transfer { payload: vec![0; payload], ..transfer(1, 0, 0, u64::MAX) });
    assert!(pool.insert(dear(16_000), Origin::Remote, most, START).unwrap().ready);
    let least = u128::from(u64::MAX) + 1;
    assert_eq!(
        pool.insert(dear(0), Origin::Remote, most, START),
        Err(Refusal::Underpriced { fee: u64::MAX, least })
    );
    assert_eq!(pool.rate_at(1, 1), Some(FeeRate::of(u64::MAX, 16_165)));
}

#[test]
fn an_amount_and_fee_over_every_balance_cannot_be_paid() {
    let most = Account { balance: u64::MAX, nonce: 0 };
    let tx = signed(transfer(1, 0, u64::MAX, u64::MAX));
    assert!(matches!(
        pool_of(9).insert(tx, Origin::Remote, most, START),
        Err(Refusal::CannotPay { .. })
    ));
}

#[test]
fn the_last_nonce_of_all_is_too_far() {
    let tx = paying(1, u64::MAX, 1);
    let refused = pool_of(9).insert(tx, Origin::Remote, rich(u64::MAX - 1), START);
    assert!(matches!(refused, Err(Refusal::NonceTooFar { .. })));
    assert!(
        pool_of(9)
            .insert(paying(1, u64::MAX - 1, 1), Origin::Remote, rich(u64::MAX - 1), START)
            .is_ok()
    );
}

#[test]
fn behind_a_closed_gap_only_what_can_be_paid_is_promoted() {
    let mut pool = pool_of(9);
    let account = Account { balance: 100, nonce: 0 };
    let [zero, one, two] = [(0, 40), (1, 40), (2, 60)].map(|(nonce, fee)| paying(1, nonce, fee));
    pool.insert(two.clone(), Origin::Remote, account, START).unwrap();
    pool.insert(one.clone(), Origin::Remote, account, START).unwrap();
    let inserted = pool.insert(zero, Origin::Remote, account, START).unwrap();
    assert_eq!(inserted.promoted, [one.id()]);
    assert_eq!(pool.state(&two.id()), Some(State::Unfunded { nonce: 2 }));
    assert_eq!(pool.next_nonce(&two.sender(), account), 3);

    let richer = Account { balance: 140, nonce: 0 };
    assert!(pool.account_changed(&two.sender(), richer).is_empty());
    assert_eq!(pool.state(&two.id()), Some(State::Ready));
    pool.check_invariants();
}

#[test]
fn an_insertion_that_comes_with_news_of_the_account_drops_used_nonces() {
    let mut pool = pool_of(9);
    let run = [0, 1, 3].map(|nonce| paying(1, nonce, 10));
    fill(&mut pool, &run);
    let inserted = pool.insert(paying(1, 2, 10), Origin::Remote, rich(2), START).unwrap();
    assert_eq!(inserted.outdated, [run[0].id(), run[1].id()]);
    assert_eq!(inserted.promoted, [run[2].id()]);
    assert_eq!(pool.len(), 2);
    pool.check_invariants();
}

#[test]
fn a_smaller_replacement_pays_more_in_all_too() {
    let mut pool = pool_of(9);
    let large = Transfer { payload: vec![0; 1_000], ..transfer(1, 0, 0, 5_000) };
    fill(&mut pool, [&signed(large)]);
    let cheaper = pool.insert(paying(1, 0, 5_000), Origin::Remote, rich(0), START);
    assert_eq!(cheaper, Err(Refusal::Underpriced { fee: 5_000, least: 5_001 }));
    assert!(pool.insert(paying(1, 0, 5_001), Origin::Remote, rich(0), START).is_ok());
}
