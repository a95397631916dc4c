//! What a user of this node handed in stays, as far as its share goes.

use hearsay_chain::VerifiedTx;

use super::world::{AMPLE, START, fill, paying, rich};
use crate::{Config, FeeRate, Now, Origin, Pool, Refusal};

/// Ten transactions, of which so many percent may be protected.
fn pool(local_percent: u32) -> Pool {
    let config = Config { max_count: 10, max_memory: AMPLE, local_percent, ..Config::default() };
    Pool::new(config).unwrap()
}

fn hand_in(pool: &mut Pool, tx: &VerifiedTx) -> bool {
    pool.insert(tx.clone(), Origin::Local, rich(0), START).unwrap();
    pool.check_invariants();
    pool.view(&tx.id()).unwrap().origin == Origin::Local
}

fn fill_up(pool: &mut Pool, fee: u64) {
    let free = 10 - pool.len();
    let others: Vec<VerifiedTx> = (100..).take(free).map(|sender| paying(sender, 0, fee)).collect();
    fill(pool, &others);
}

#[test]
fn a_local_one_stays_however_little_it_pays() {
    let mut pool = pool(10);
    let own = paying(1, 0, 1);
    assert!(hand_in(&mut pool, &own));
    fill_up(&mut pool, 50);
    for sender in 0..9 {
        pool.insert(paying(sender + 10, 0, 100), Origin::Remote, rich(0), START).unwrap();
    }
    assert!(pool.contains(&own.id()));
    let refused = pool.insert(paying(30, 0, 100), Origin::Remote, rich(0), START);
    assert_eq!(refused, Err(Refusal::Full { fee: 100, size: 165 }));
}

#[test]
fn a_local_one_comes_into_a_full_pool_over_dearer_ones_and_below_the_floor() {
    let mut pool = pool(10);
    fill_up(&mut pool, 50);
    pool.insert(paying(1, 0, 100), Origin::Remote, rich(0), START).unwrap();
    assert!(pool.floor(0) > FeeRate::of(50, 165));
    assert!(hand_in(&mut pool, &paying(2, 0, 1)));
    // Even if it has to wait.
    let mut pool = self::pool(10);
    fill_up(&mut pool, 50);
    assert!(hand_in(&mut pool, &paying(2, 1, 1)));
    assert_eq!((pool.len(), pool.totals().queued), (10, 1));
}

#[test]
fn beyond_its_share_a_local_one_is_like_any_other() {
    let mut pool = pool(20);
    let own = [1, 2, 3].map(|sender| paying(sender, 0, 1));
    let protected: Vec<bool> = own.iter().map(|tx| hand_in(&mut pool, tx)).collect();
    assert_eq!(protected, [true, true, false]);
    assert_eq!(pool.totals().local, 2);
    fill_up(&mut pool, 50);
    let inserted = pool.insert(paying(30, 0, 100), Origin::Remote, rich(0), START).unwrap();
    assert_eq!(inserted.evicted, [own[2].id()]);
    // It need not reach the floor, but it must beat what leaves.
    let refused = pool.insert(paying(31, 0, 40), Origin::Local, rich(0), START);
    assert_eq!(refused, Err(Refusal::Full { fee: 40, size: 165 }));
}

#[test]
fn a_local_replacement_takes_the_place_of_the_protected_one() {
    let mut pool = pool(10);
    assert!(hand_in(&mut pool, &paying(1, 0, 10)));
    assert!(hand_in(&mut pool, &paying(1, 0, 20)));
    assert_eq!(pool.totals().local, 1);
}

#[test]
fn a_local_one_takes_the_place_of_protected_ones_whose_nonces_were_used() {
    let mut pool = pool(20);
    assert!(hand_in(&mut pool, &paying(1, 0, 10)) && hand_in(&mut pool, &paying(1, 1, 10)));
    let next = paying(1, 2, 10);
    pool.insert(next.clone(), Origin::Local, rich(2), START).unwrap();
    assert_eq!(pool.view(&next.id()).unwrap().origin, Origin::Local);
}

#[test]
fn a_replacement_from_elsewhere_is_not_protected_by_what_it_replaced() {
    let mut pool = pool(10);
    assert!(hand_in(&mut pool, &paying(1, 0, 10)));
    let other = paying(1, 0, 20);
    pool.insert(other.clone(), Origin::Remote, rich(0), START).unwrap();
    assert_eq!(pool.view(&other.id()).unwrap().origin, Origin::Remote);
    assert_eq!(pool.totals().local, 0);
}

#[test]
fn what_was_kept_over_a_restart_is_as_protected_as_it_was() {
    let mut pool = pool(10);
    let own = paying(1, 0, 10);
    let later = Now { us: 50, next_height: 1 };
    pool.restore(own.clone(), Origin::Local, 20, rich(0), later).unwrap();
    let view = pool.view(&own.id()).unwrap();
    assert_eq!((view.origin, view.arrived_us), (Origin::Local, 20));
    let old = pool.restore(
        paying(2, 0, 10),
        Origin::Local,
        0,
        rich(0),
        Now { us: Config::default().max_age_us, next_height: 1 },
    );
    assert_eq!(old, Err(Refusal::TooOld));
}

#[test]
fn what_is_restored_keeps_its_age_though_others_come_in_between() {
    let mut pool = pool(10);
    let max_age_us = Config::default().max_age_us;
    let now = Now { us: max_age_us, next_height: 1 };
    let restored = [paying(1, 0, 10), paying(2, 0, 10), paying(3, 0, 10)];
    let live = paying(4, 0, 10);
    for (tx, arrived_us) in restored.iter().zip([10, 20, 30]) {
        pool.restore(tx.clone(), Origin::Remote, arrived_us, rich(0), now).unwrap();
        if arrived_us == 10 {
            pool.insert(live.clone(), Origin::Remote, rich(0), now).unwrap();
        }
        pool.check_invariants();
    }
    let came = |tx: &VerifiedTx| pool.view(&tx.id()).unwrap().arrived_us;
    assert_eq!(restored.each_ref().map(came), [10, 20, 30]);
    assert_eq!(came(&live), max_age_us);
    let later = Now { us: max_age_us + 20, ..now };
    let gone = pool.expire(later).into_iter().map(|(id, _)| id);
    assert!(gone.eq([restored[0].id(), restored[1].id()]));
    pool.check_invariants();
}

#[test]
fn a_protected_one_does_not_protect_those_before_it() {
    let mut pool = pool(10);
    fill(&mut pool, &(0..9).map(|nonce| paying(1, nonce, 10)).collect::<Vec<_>>());
    let last = paying(1, 9, 10);
    assert!(hand_in(&mut pool, &last));
    let dear = paying(2, 0, 1_000);
    let inserted = pool.insert(dear, Origin::Remote, rich(0), START).unwrap();
    assert_eq!(inserted.evicted, [last.id()]);
    pool.check_invariants();
}
