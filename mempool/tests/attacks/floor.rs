//! The floor rises by what is pushed out, not by what never could be paid, and it falls again.

use hearsay_mempool::{FeeRate, Now};

use crate::field::{ATTACKERS, ATTACKERS_RATE, Field, bid, per_byte, rich};

#[test]
fn what_never_pays_does_not_raise_the_floor() {
    let mut field = Field::of_count();
    let always = field.pool.floor(0);
    // Behind gaps, each dearer than the last: they push one another out.
    for sender in 0..10_000 {
        let _ = field.attack(bid(ATTACKERS + sender, 1, 0, per_byte(100 + sender)), rich());
    }
    for _ in 0..1_500 {
        field.honest(always);
    }
    assert_eq!(field.pool.floor(0), always);
    field.end("floor, raised by what never pays");
}

#[test]
fn the_floor_is_never_above_what_beats_the_worst_and_falls_when_the_attack_ends() {
    let mut field = Field::of_count();
    let least = field.over(per_byte(ATTACKERS_RATE));
    for sender in 0..20_000 {
        let rate = per_byte(1 + sender * (ATTACKERS_RATE - 1) / 20_000);
        let _ = field.attack(bid(ATTACKERS + sender, 0, 0, rate), rich());
        if sender % 20 == 0 {
            field.honest(least);
        }
        assert!(field.pool.floor(0) <= least);
    }
    let (mut pool, _) = field.end("floor, raised by what is pushed out");
    let (start, half_life) = (2_200_000, pool.config().floor_half_life_us);
    let raised = pool.floor(start);
    assert!(raised > per_byte(1));
    let after = |half_lives: u64| pool.floor(start + half_lives * half_life).per_kb();
    println!("floor: {} per kB, then {} and {}", raised.per_kb(), after(1), after(14));
    assert!(after(1) <= raised.per_kb() / 1.9);
    assert_eq!(pool.floor(start + 20 * half_life), FeeRate::from_per_kb(1));
    // Emptied, it falls four times as fast.
    let now = Now { us: start + half_life, next_height: 1 };
    let before = pool.floor(now.us);
    let all = pool.template(usize::MAX, usize::MAX);
    let used = |address: &_| {
        let last = all.iter().filter(|tx| tx.sender() == *address).count();
        Ok::<_, std::convert::Infallible>(hearsay_chain::ledger::Account {
            nonce: last as u64,
            ..rich()
        })
    };
    let Ok(left) = pool.tip_changed(&all, Vec::new(), used, now);
    assert_eq!(left.len(), all.len());
    assert!(pool.floor(now.us + half_life / 4).per_kb() <= before.per_kb() / 1.9);
}
