//! The pool follows the chain, forwards and back.

use std::collections::BTreeMap;
use std::convert::Infallible;

use hearsay_chain::ledger::Account;
use hearsay_chain::transaction::Transfer;
use hearsay_chain::{TxId, VerifiedTx};
use proptest::prelude::*;

use super::world::{START, World, address, fill, ids, paying, pool_of, rich, signed, transfer};
use crate::{Config, Departure, Now, Origin, Pool, State};

/// Tells the pool of a change from one world to the next.
fn follow(
    pool: &mut Pool,
    included: &[VerifiedTx],
    abandoned: &[VerifiedTx],
    world: &World,
) -> Vec<(TxId, Departure)> {
    let accounts = |address: &_| Ok::<_, Infallible>(world.get(address));
    let now = Now { us: 0, next_height: world.height };
    let Ok(mut departed) = pool.tip_changed(included, abandoned.to_vec(), accounts, now);
    departed.sort();
    pool.check_invariants();
    departed
}

fn sorted<const N: usize>(mut departed: [(TxId, Departure); N]) -> [(TxId, Departure); N] {
    departed.sort();
    departed
}

fn states(pool: &Pool) -> BTreeMap<TxId, Option<State>> {
    ids(pool).into_iter().map(|id| (id, pool.state(&id))).collect()
}

/// Senders 1 and 2 have 1,000 each.
fn two_senders() -> World {
    let mut world = World { height: 1, ..World::default() };
    world.set(1, 1_000);
    world.set(2, 1_000);
    world
}

#[test]
fn what_a_block_includes_leaves_and_so_does_what_it_outran() {
    let mut world = two_senders();
    let mut pool = pool_of(9);
    let mine = [paying(1, 0, 10), paying(1, 1, 10), paying(1, 2, 10)];
    fill(&mut pool, &mine);
    let rival = paying(1, 1, 9);
    let block = world.apply(&[mine[0].clone(), rival]);
    let left = [(mine[0].id(), Departure::Included), (mine[1].id(), Departure::NonceUsed)];
    assert_eq!(follow(&mut pool, &block, &[], &world), sorted(left));
    assert_eq!(pool.state(&mine[2].id()), Some(State::Ready));
}

#[test]
fn a_payment_in_a_block_promotes_what_waited_for_it() {
    let mut world = two_senders();
    let mut pool = pool_of(9);
    let spending = signed(transfer(2, 0, 1_400, 100));
    // It was payable once, so that it is in the pool, and no longer is.
    pool.insert(spending.clone(), Origin::Remote, rich(0), START).unwrap();
    assert!(pool.account_changed(&address(2), world.get(&address(2))).is_empty());
    assert_eq!(pool.state(&spending.id()), Some(State::Unfunded { nonce: 0 }));
    let block = world.apply(&[signed(transfer(1, 0, 500, 1))]);
    assert!(follow(&mut pool, &block, &[], &world).is_empty());
    assert_eq!(pool.state(&spending.id()), Some(State::Ready));
}

#[test]
fn a_chain_of_payments_survives_the_loss_of_its_block() {
    let before = two_senders();
    let mut world = before.clone();
    let mut pool = pool_of(9);
    let paid = signed(transfer(1, 0, 900, 10));
    let spent = signed(transfer(2, 0, 1_800, 10));
    let block = world.apply(&[paid.clone(), spent.clone()]);
    assert_eq!(block.len(), 2);
    assert!(follow(&mut pool, &block, &[], &world).is_empty());

    let mut other = before;
    other.apply(&[]);
    assert!(follow(&mut pool, &[], &block, &other).is_empty());
    assert_eq!(pool.state(&paid.id()), Some(State::Ready));
    assert_eq!(pool.state(&spent.id()), Some(State::Unfunded { nonce: 0 }));

    let again = other.apply(&pool.template(10_000, 9));
    assert_eq!(again, block[..1]);
    assert_eq!(follow(&mut pool, &again, &[], &other), [(paid.id(), Departure::Included)]);
    assert_eq!(pool.state(&spent.id()), Some(State::Ready));
}

#[test]
fn what_both_branches_include_does_not_return() {
    let mut world = two_senders();
    let mut pool = pool_of(9);
    let tx = paying(1, 0, 10);
    world.apply(std::slice::from_ref(&tx));
    let block = [tx];
    assert!(follow(&mut pool, &block, &block, &world).is_empty());
    assert!(pool.is_empty());
}

#[test]
fn an_abandoned_one_whose_nonce_the_new_branch_used_is_told_of() {
    let mut world = two_senders();
    let mut pool = pool_of(9);
    let (old, new) = (paying(1, 0, 10), paying(1, 0, 20));
    let block = world.apply(&[new]);
    let departed = follow(&mut pool, &block, std::slice::from_ref(&old), &world);
    assert_eq!(departed, [(old.id(), Departure::NonceUsed)]);
    assert!(pool.is_empty());
}

#[test]
fn of_an_abandoned_one_and_one_of_the_same_nonce_here_the_better_stays() {
    let [cheap, dear] = [paying(1, 0, 10), paying(1, 0, 20)];
    for [here, returning] in [[&cheap, &dear], [&dear, &cheap]] {
        let mut pool = pool_of(9);
        fill(&mut pool, [here]);
        let abandoned = std::slice::from_ref(returning);
        let departed = follow(&mut pool, &[], abandoned, &two_senders());
        assert_eq!(departed, [(cheap.id(), Departure::Replaced)]);
        assert_eq!(pool.state(&dear.id()), Some(State::Ready));
    }
}

#[test]
fn an_abandoned_one_past_its_last_height_does_not_return() {
    let mut pool = pool_of(9);
    let tx = signed(Transfer { expiry: Some(5), ..transfer(1, 0, 0, 10) });
    let world = World { height: 6, ..two_senders() };
    let departed = follow(&mut pool, &[], std::slice::from_ref(&tx), &world);
    assert_eq!(departed, [(tx.id(), Departure::Expired)]);
}

#[test]
fn abandoned_ones_return_to_a_full_pool_only_if_they_pay_enough() {
    let mut world = two_senders();
    let mut pool = pool_of(2);
    fill(&mut pool, &[paying(3, 0, 10), paying(4, 0, 30)]);
    let abandoned = [paying(1, 0, 20), paying(1, 1, 5)];
    world.apply(&[]);
    let departed = follow(&mut pool, &[], &abandoned, &world);
    let left = [abandoned[1].id(), paying(3, 0, 10).id()].map(|id| (id, Departure::Evicted));
    assert_eq!(departed, sorted(left));
}

#[test]
fn past_its_last_height_one_leaves_and_what_follows_it_is_queued() {
    let mut pool = pool_of(9);
    let expiring = signed(Transfer { expiry: Some(5), ..transfer(1, 0, 0, 10) });
    let follower = paying(1, 1, 10);
    fill(&mut pool, [&expiring, &follower]);
    assert!(pool.expire(Now { us: 0, next_height: 5 }).is_empty());
    assert_eq!(pool.expire(Now { us: 0, next_height: 6 }), [(expiring.id(), Departure::Expired)]);
    assert_eq!(pool.state(&follower.id()), Some(State::Queued { waiting_for: 0 }));
    pool.check_invariants();
}

#[test]
fn what_waited_for_the_greatest_age_leaves() {
    let config = Config { max_age_us: 100, ..Config::default() };
    let mut pool = Pool::new(config).unwrap();
    let (old, young) = (paying(1, 0, 10), paying(2, 0, 10));
    let at = |us| Now { us, next_height: 1 };
    pool.insert(old.clone(), Origin::Remote, rich(0), at(7)).unwrap();
    pool.insert(young.clone(), Origin::Remote, rich(0), at(8)).unwrap();
    assert!(pool.expire(at(106)).is_empty());
    assert_eq!(pool.expire(at(107)), [(old.id(), Departure::TooOld)]);
    assert!(pool.contains(&young.id()));
    pool.check_invariants();
}

#[test]
fn an_account_that_cannot_be_read_leaves_the_pool_as_it_was() {
    let mut pool = pool_of(9);
    let tx = paying(1, 0, 10);
    fill(&mut pool, [&tx]);
    let failing = |_: &_| Err::<Account, _>("the disk is gone");
    let result = pool.tip_changed(std::slice::from_ref(&tx), Vec::new(), failing, START);
    assert_eq!(result, Err("the disk is gone"));
    assert_eq!(pool.state(&tx.id()), Some(State::Ready));
    pool.check_invariants();
}

#[test]
fn accounts_that_matter_to_nobody_here_are_not_read() {
    let mut pool = pool_of(9);
    fill(&mut pool, [&paying(1, 0, 10)]);
    let failing = |_: &_| Err::<Account, _>("not to be asked");
    let foreign = [paying(5, 0, 10)];
    assert_eq!(pool.tip_changed(&foreign, Vec::new(), failing, START), Ok(Vec::new()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn a_block_that_comes_and_goes_leaves_the_pool_as_it_was(
        balances in prop::collection::vec(0..5_000u64, 5),
        transactions in prop::collection::vec((0..5u8, 0..6u64, 0..400u64, 0..400u64), 1..60),
        sizes in prop::collection::vec(0..12usize, 1..4),
    ) {
        let mut before = World { height: 1, ..World::default() };
        for (sender, balance) in (0..).zip(&balances) {
            before.set(sender, *balance);
        }
        let mut pool = pool_of(100);
        for (sender, nonce, amount, fee) in transactions {
            let recipient = address((sender + 1) % 5);
            let tx = signed(Transfer { recipient, ..transfer(sender, nonce, amount, fee) });
            let account = before.get(&address(sender));
            let _ = pool.insert(tx, Origin::Remote, account, START);
        }
        let (states_before, best_before) =
            (states(&pool), pool.best().cloned().collect::<Vec<_>>());

        let mut world = before.clone();
        let mut abandoned = Vec::new();
        for size in sizes {
            let block = world.apply(&pool.template(100_000, size));
            let departed = follow(&mut pool, &block, &[], &world);
            prop_assert_eq!(departed.len(), block.len());
            abandoned.extend(block);
        }
        prop_assert!(follow(&mut pool, &[], &abandoned, &before).is_empty());
        prop_assert_eq!(states(&pool), states_before);
        prop_assert!(pool.best().eq(&best_before));
    }
}
