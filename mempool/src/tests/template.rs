//! Templates make blocks that hold.

use hearsay_chain::VerifiedTx;
use hearsay_chain::transaction::Transfer;
use proptest::prelude::*;

use super::world::{BARE, START, World, address, fill, paying, pool_of, signed, transfer};
use crate::{FeeRate, Origin};

fn fees(template: &[VerifiedTx]) -> Vec<u64> {
    template.iter().map(|tx| tx.transfer().fee).collect()
}

#[test]
fn the_best_fee_comes_first_but_never_before_its_predecessors() {
    let mut pool = pool_of(9);
    fill(&mut pool, &[paying(1, 0, 10), paying(1, 1, 90), paying(2, 0, 20), paying(2, 1, 5)]);
    assert_eq!(fees(&pool.template(10_000, 9)), [20, 10, 90, 5]);
    assert_eq!(fees(&pool.template(10_000, 2)), [20, 10]);
}

#[test]
fn equal_fees_are_ordered_by_id_whoever_came_first() {
    let transactions: Vec<VerifiedTx> = (0..8).map(|sender| paying(sender, 0, 10)).collect();
    let (mut forth, mut back) = (pool_of(9), pool_of(9));
    fill(&mut forth, &transactions);
    fill(&mut back, transactions.iter().rev());
    let template = forth.template(10_000, 9);
    assert_eq!(template, back.template(10_000, 9));
    assert!(template.is_sorted_by_key(VerifiedTx::id));
}

#[test]
fn what_does_not_fit_is_left_out_with_what_depends_on_it() {
    let mut pool = pool_of(9);
    let large = signed(Transfer { payload: vec![0; 500], ..transfer(1, 1, 0, 90_000) });
    let small = [paying(1, 0, 100), paying(1, 2, 80), paying(2, 0, 70), paying(3, 0, 60)];
    fill(&mut pool, small.iter().chain([&large]));
    let room = usize::try_from(BARE).unwrap() * 3 + 100;
    assert_eq!(fees(&pool.template(room, 9)), [100, 70, 60]);
    assert_eq!(pool.template(164, 9), []);
}

#[test]
fn a_transaction_of_the_smallest_size_fills_the_last_room() {
    let mut pool = pool_of(9);
    fill(&mut pool, &[paying(1, 0, 1), paying(2, 0, 1)]);
    assert_eq!(pool.template(2 * usize::try_from(BARE).unwrap(), 9).len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn a_template_applies_in_order_without_a_misfit(
        balances in prop::collection::vec(0..3_000u64, 5),
        transactions in prop::collection::vec(
            (0..5u8, 0..5u64, 0..800u64, 0..400u64, 0..300usize),
            1..60,
        ),
        bytes in 0..6_000usize,
        count in 0..30usize,
    ) {
        let mut world = World { height: 1, ..World::default() };
        for (sender, balance) in (0..).zip(&balances) {
            world.set(sender, *balance);
        }
        let mut pool = pool_of(20);
        for (sender, nonce, amount, fee, payload) in transactions {
            let tx = signed(Transfer {
                recipient: address((sender + 1) % 5),
                payload: vec![0; payload],
                ..transfer(sender, nonce, amount, fee)
            });
            let account = world.get(&address(sender));
            let _ = pool.insert(tx, Origin::Remote, account, START);
        }
        let template = pool.template(bytes, count);
        prop_assert!(template.len() <= count);
        prop_assert!(template.iter().map(VerifiedTx::size).sum::<usize>() <= bytes);
        prop_assert_eq!(world.apply(&template), template);
    }
}

#[test]
fn the_rate_of_the_next_block_is_that_of_the_last_in_it_by_bytes_or_by_count() {
    let mut pool = pool_of(9);
    fill(&mut pool, &[paying(1, 0, 10), paying(1, 1, 90), paying(2, 0, 20), paying(3, 0, 5)]);
    let of = |fee| Some(FeeRate::of(fee, usize::try_from(BARE).unwrap()));
    let bare = usize::try_from(BARE).unwrap();
    assert_eq!([pool.rate_at(1, 9), pool.rate_at(2 * bare, 9)], [of(20), of(10)]);
    assert_eq!(pool.rate_at(3 * bare, 9), of(10), "behind a cheap one a dear one costs no more");
    assert_eq!([pool.rate_at(4 * bare, 9), pool.rate_at(4 * bare + 1, 9)], [of(5), None]);
    assert_eq!([pool.rate_at(100 * bare, 1), pool.rate_at(100 * bare, 4)], [of(20), of(5)]);
    assert_eq!(pool.rate_at(100 * bare, 5), None);
}
