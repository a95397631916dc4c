//! Bounds, figures and words.

use super::world::{AMPLE, address, fill, paying, pool_of, rich};
use crate::memory::{SENDER_CHARGE, charge};
use crate::{Config, Departure, Inserted, LEAST_MEMORY, Now, Origin, Pool, Totals};

#[test]
fn the_default_bounds_are_bounds_to_work_with() {
    assert_eq!(Config::default().check(), Ok(()));
}

#[test]
fn bounds_that_no_pool_can_work_with_are_refused_by_name() {
    let good = Config::default();
    let cases = [
        (Config { max_count: 0, ..good }, "max_count"),
        (Config { max_memory: LEAST_MEMORY - 1, ..good }, "max_memory"),
        (Config { max_ready_per_sender: 0, ..good }, "max_ready_per_sender"),
        (Config { replacement_percent: 1_001, ..good }, "replacement_percent"),
        (Config { max_age_us: 0, ..good }, "max_age_us"),
        (Config { floor_half_life_us: 0, ..good }, "floor_half_life_us"),
        (Config { local_percent: 51, ..good }, "local_percent"),
    ];
    for (config, name) in cases {
        assert_eq!(Pool::new(config).unwrap_err().name, name);
    }
}

#[test]
fn totals_count_what_is_there() {
    let mut pool = pool_of(9);
    let all = [paying(1, 0, 10), paying(1, 2, 10), paying(2, 0, 10)];
    fill(&mut pool, &all);
    let expected = Totals {
        count: 3,
        ready: 2,
        queued: 1,
        bytes: 495,
        memory: all.iter().map(charge).sum::<usize>() + 2 * SENDER_CHARGE,
        local: 0,
        senders: 2,
        max_count: 9,
        max_memory: AMPLE,
    };
    assert_eq!(pool.totals(), expected);
}

#[test]
fn the_next_nonce_is_the_first_that_is_not_taken() {
    let mut pool = pool_of(9);
    assert_eq!(pool.next_nonce(&address(1), rich(7)), 7);
    fill(&mut pool, &[paying(1, 0, 10), paying(1, 1, 10), paying(1, 3, 10)]);
    assert_eq!(pool.next_nonce(&address(1), rich(0)), 2);
    assert_eq!(pool.next_nonce(&address(1), rich(3)), 4);
}

#[test]
fn an_insertion_tells_of_each_that_left_and_why() {
    let [a, b, c] = [0, 1, 2].map(|nonce| paying(1, nonce, 1).id());
    let inserted =
        Inserted { outdated: vec![a], replaced: Some(b), evicted: vec![c], ..Inserted::default() };
    let expected = [(a, Departure::NonceUsed), (b, Departure::Replaced), (c, Departure::Evicted)];
    assert!(inserted.departed().eq(expected));
}

#[test]
fn the_words_for_departures_are_stable() {
    use Departure::{Evicted, Expired, Included, NonceUsed, Replaced, TooOld};
    let words = [Included, NonceUsed, Replaced, Evicted, Expired, TooOld].map(Departure::reason);
    let expected = ["included", "nonce-used", "replaced", "evicted", "expired", "too-old"];
    assert_eq!(words, expected);
}

#[test]
fn tens_of_thousands_come_in_and_go_and_every_index_still_agrees() {
    let mut pool = pool_of(10_000);
    // A full period of a generator modulo 2^16: each number once, in no order.
    let numbers = std::iter::successors(Some(1u64), |n| Some((n * 25_173 + 13_849) % 65_536));
    for n in numbers.take(40_000) {
        let tx = paying((n % 200) as u8, n / 200, n * 7 % 1_000);
        let _ = pool.insert(tx, Origin::Remote, rich(0), Now { us: n, next_height: 1 });
    }
    assert_eq!(pool.len(), 10_000);
    pool.check_invariants();
    let template = pool.template(1 << 20, 5_000);
    pool.expire(Now { us: u64::MAX, next_height: 1 });
    assert!(pool.is_empty() && !template.is_empty());
    pool.check_invariants();
}
