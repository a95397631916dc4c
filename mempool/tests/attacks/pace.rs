//! What an attack costs in time: honest transactions under attack, and the attackers' own, against
//! honest ones in peace, in one run, batch by batch in turn. Asked of a quiet machine alone.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "it measures time")]

use std::time::Instant;

use hearsay_chain::VerifiedTx;
use hearsay_mempool::{Config, Now, Origin, Pool};

use crate::field::{ATTACKERS, bid, per_byte, rich, signed};

const ROUNDS: u64 = 15;
const BATCH: u64 = 400;
/// How many times as long admission under attack may take.
const MOST: f64 = 3.0;

/// A pool whose worst pays 1 unit for each byte: full, or with room for all that comes.
fn peace(room: bool) -> Pool {
    let max_count = if room { 100_000 } else { 20_000 };
    let config = Config { max_count, max_memory: 1 << 30, ..Config::default() };
    let mut pool = Pool::new(config).unwrap();
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

/// Nanoseconds for each of a batch. To free the memory of what was refused is not a part of it.
fn timed(pool: &mut Pool, batch: Vec<VerifiedTx>) -> f64 {
    let count = batch.len() as f64;
    let _kept = batch.clone();
    let start = Instant::now();
    for tx in batch {
        insert(pool, tx);
    }
    start.elapsed().as_nanos() as f64 / count
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Measures one attack, of which each round has a part that prepares it and a part that is timed.
fn compare(name: &str, room: bool, attack: impl Fn(u64) -> (Vec<VerifiedTx>, Vec<VerifiedTx>)) {
    let (mut calm, mut stormy) = (peace(room), peace(room));
    let (mut in_peace, mut under_attack, mut attackers) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let (before, attack) = attack(round);
        timed(&mut stormy, before);
        attackers.push(timed(&mut stormy, attack));
        let batch = || (0..BATCH).map(|number| honest(round, number)).collect::<Vec<_>>();
        let (first, second) = (batch(), batch());
        let ids: Vec<_> = second.iter().map(VerifiedTx::id).collect();
        in_peace.push(timed(&mut calm, first));
        under_attack.push(timed(&mut stormy, second));
        assert!(ids.iter().all(|id| stormy.contains(id)), "{name}: an honest one was lost");
    }
    let [calm, stormy, attackers] = [in_peace, under_attack, attackers].map(median);
    let (honest, own) = (stormy / calm, attackers / calm);
    println!(
        "{name}: in peace {calm:.0} ns, under attack {stormy:.0} ns ({honest:.2} times), the \
         attackers' own {attackers:.0} ns ({own:.2} times)"
    );
    assert!(honest <= MOST && own <= MOST, "{name}");
}

fn attackers_bid(sender: u64, nonce: u64, payload: usize, units: u64) -> VerifiedTx {
    bid(ATTACKERS + sender, nonce, payload, per_byte(units))
}

/// A run of a thousand.
fn run(round: u64) -> Vec<VerifiedTx> {
    (0..1_000).map(|nonce| attackers_bid(round, nonce, 0, 1_000)).collect()
}

#[test]
#[ignore = "measures time; for a quiet machine"]
fn admission_under_attack_takes_at_most_three_times_as_long_as_in_peace() {
    compare("nonce-gap flood", false, |round| {
        let flood =
            |number: u64| attackers_bid(round * 10 + number / 400, 1 + number % 400, 0, 1_000);
        (Vec::new(), (0..4_000).map(flood).collect())
    });
    compare("deep runs, the first one replaced", false, |round| {
        let raised =
            |at| signed(ATTACKERS + round, 0, 0, 0, (165_000.0 * 1.11_f64.powi(at)) as u64);
        (run(round), (1..200).map(raised).collect())
    });
    compare("deep runs, each one replaced", false, |round| {
        (run(round), (0..1_000).map(|nonce| attackers_bid(round, nonce, 0, 1_200)).collect())
    });
    compare("deep runs backwards", true, |round| {
        let queued = |at: u64| attackers_bid(round, 500 - at, 0, 1_000);
        (Vec::new(), (0..=500).map(queued).collect())
    });
    compare("many senders, each one cheap", false, |round| {
        let cheap = |number: u64| attackers_bid(round * 4_000 + number, 0, 0, 55 + round * 3);
        (Vec::new(), (0..4_000).map(cheap).collect())
    });
    compare("deep chains, the first one cheap", false, |round| {
        let chained = |number: u64| {
            let (sender, nonce) = (round * 4 + number / 1_000, number % 1_000);
            attackers_bid(sender, nonce, 0, if nonce == 0 { 55 + round * 3 } else { 10_000 })
        };
        (Vec::new(), (0..4_000).map(chained).collect())
    });
    compare("huge payloads", false, |round| {
        let huge = |number: u64| attackers_bid(round * 1_000 + number, 0, 16_384, 55 + round * 3);
        (Vec::new(), (0..1_000).map(huge).collect())
    });
}
