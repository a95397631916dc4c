//! What an attack costs an honest transaction in time: admission under attack against admission in
//! peace, in one run, batch by batch in turn. Asked of a quiet machine alone.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "it measures time")]

use std::time::Instant;

use hearsay_chain::VerifiedTx;
use hearsay_mempool::{Config, Now, Origin, Pool};

use crate::field::{ATTACKERS, bid, per_byte, rich, signed};

const ROUNDS: u64 = 15;
const BATCH: u64 = 400;
/// How many times as long admission under attack may take.
const MOST: f64 = 3.0;

fn config() -> Config {
    Config { max_count: 20_000, max_memory: 1 << 30, ..Config::default() }
}

/// A full pool, whose worst pays 1 unit for each byte.
fn peace() -> Pool {
    let mut pool = Pool::new(config()).unwrap();
    for number in 0..20_000_u64 {
        insert(&mut pool, bid(number % 4_000, number / 4_000, 0, per_byte(1 + number % 50)));
    }
    pool
}

fn insert(pool: &mut Pool, tx: VerifiedTx) -> bool {
    pool.insert(tx, Origin::Remote, rich(), Now { us: 0, next_height: 1 }).is_ok()
}

fn honest(round: u64, number: u64) -> VerifiedTx {
    bid(10_000 + round * BATCH + number, 0, 0, per_byte(60 + round * 3))
}

/// Nanoseconds for each of a batch of honest ones.
fn timed(pool: &mut Pool, batch: Vec<VerifiedTx>) -> f64 {
    let count = batch.len() as f64;
    let start = Instant::now();
    for tx in batch {
        assert!(insert(pool, tx));
    }
    start.elapsed().as_nanos() as f64 / count
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The attackers' own transactions are part of the price: what they cost the node in each round is
/// told beside.
fn compare(name: &str, mut attack: impl FnMut(&mut Pool, u64)) {
    let (mut calm, mut stormy) = (peace(), peace());
    let (mut in_peace, mut under_attack) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        attack(&mut stormy, round);
        let batch = |_: &Pool| (0..BATCH).map(|number| honest(round, number)).collect::<Vec<_>>();
        let (first, second) = (batch(&calm), batch(&stormy));
        in_peace.push(timed(&mut calm, first));
        under_attack.push(timed(&mut stormy, second));
    }
    let (calm, stormy) = (median(in_peace), median(under_attack));
    let ratio = stormy / calm;
    println!("{name}: {stormy:.0} ns under attack, {calm:.0} ns in peace, {ratio:.2} times");
    assert!(ratio <= MOST, "{name}: {ratio:.2} times");
}

#[test]
#[ignore = "measures time; for a quiet machine"]
fn admission_under_attack_takes_at_most_three_times_as_long_as_in_peace() {
    compare("nonce-gap flood", |pool, round| {
        for number in 0..4_000 {
            let (sender, nonce) = (ATTACKERS + round * 10 + number / 400, 1 + number % 400);
            insert(pool, bid(sender, nonce, 0, per_byte(1_000)));
        }
    });
    compare("deep runs, the first one replaced", |pool, round| {
        for nonce in 0..1_000 {
            insert(pool, bid(ATTACKERS + round, nonce, 0, per_byte(1_000)));
        }
        for at in 0..40 {
            let raised = (165_000.0 * 1.11_f64.powi(at + 1)) as u64;
            insert(pool, signed(ATTACKERS + round, 0, 0, 0, raised));
        }
    });
    compare("many senders, each one cheap", |pool, round| {
        for number in 0..4_000 {
            let sender = ATTACKERS + round * 4_000 + number;
            insert(pool, bid(sender, 0, 0, per_byte(55 + round * 3)));
        }
    });
    compare("deep chains, the first one cheap", |pool, round| {
        for number in 0..4_000 {
            let (sender, nonce) = (ATTACKERS + round * 4 + number / 1_000, number % 1_000);
            let rate = if nonce == 0 { 55 + round * 3 } else { 10_000 };
            insert(pool, bid(sender, nonce, 0, per_byte(rate)));
        }
    });
    compare("huge payloads", |pool, round| {
        for number in 0..1_000 {
            let sender = ATTACKERS + round * 1_000 + number;
            insert(pool, bid(sender, 0, 16_384, per_byte(55 + round * 3)));
        }
    });
}
