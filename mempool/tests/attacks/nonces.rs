//! Attacks with nonces that can never stand in a block: gaps, and money that is not there.

use hearsay_chain::ledger::Account;

use crate::field::{ATTACKERS, Field, bid, key, per_byte, rich, signed};

/// What no honest one pays here.
const DEAR: u64 = 1_000;

#[test]
fn a_flood_behind_gaps_takes_no_room_from_what_can_be_paid() {
    let mut field = Field::of_count();
    for sender in 0..40 {
        for nonce in 1..=600 {
            let _ = field.attack(bid(ATTACKERS + sender, nonce, 0, per_byte(DEAR)), rich());
            if nonce % 40 == 0 {
                // The least there is: one unit for 1,000 bytes.
                field.honest(field.pool.floor(0));
            }
        }
    }
    let (pool, tally) = field.end("nonce-gap flood");
    let limit = pool.config().max_queued_per_sender;
    assert!(pool.senders().all(|it| it.queued as u64 <= limit));
    assert!(tally.taken >= 1_400, "the flood had the room that nobody else wanted");
}

#[test]
fn what_cannot_be_paid_leaves_before_what_can() {
    let mut field = Field::of_count();
    let balance = 165 * DEAR * 10;
    // They can pay, and fill the pool.
    for sender in 0..200 {
        for nonce in 0..10 {
            let tx = bid(ATTACKERS + sender, nonce, 0, per_byte(DEAR));
            field.attack(tx, Account { balance, nonce: 0 }).unwrap();
        }
    }
    // Then the money is gone.
    for sender in 0..200 {
        let poor = Account { balance: 0, nonce: 0 };
        field.pool.account_changed(&key(ATTACKERS + sender).address(), poor);
    }
    assert_eq!(field.pool.totals().ready, 0);
    for _ in 0..1_000 {
        field.honest(field.pool.floor(u64::MAX));
    }
    let (pool, _) = field.end("payable against unpayable");
    assert_eq!((pool.totals().ready, pool.totals().queued), (1_000, 1_000));
}

#[test]
fn a_balance_holds_room_for_twice_what_it_pays_at_most() {
    let mut field = Field::of_count();
    let cost = 1_000_000;
    let account = Account { balance: cost * 3, nonce: 0 };
    for sender in 0..100 {
        // In order and, from every second one, backwards.
        for at in 0..200 {
            let nonce = if sender % 2 == 0 { at } else { 199 - at };
            let fee = 165 * DEAR;
            let tx = signed(ATTACKERS + sender, nonce, 0, cost - fee, fee);
            let _ = field.attack(tx, account);
        }
        field.honest(field.pool.floor(0));
        field.honest(field.pool.floor(0));
    }
    let (pool, tally) = field.end("overdraft across a run");
    // In order three are taken. Backwards three wait, and the first joins them in its own right:
    // what waits never keeps out what is ready, so no balance holds more than twice what it pays.
    assert_eq!(tally.taken, 50 * 3 + 50 * 4);
    for it in pool.senders() {
        let balance = u128::from(it.account.balance);
        assert!(it.cost <= 2 * balance);
    }
}
