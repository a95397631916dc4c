//! Dear transactions behind a cheap one: they can only be mined with it, so they are worth no more.

use crate::field::{ATTACKERS, ATTACKERS_RATE, Field, bid, per_byte, rich};

#[test]
fn deep_chains_behind_a_cheap_first_one_are_worth_what_the_first_is() {
    let mut field = Field::of_count();
    let least = field.over(per_byte(ATTACKERS_RATE));
    for sender in 0..20 {
        for nonce in 0..1_000 {
            let rate = if nonce == 0 { ATTACKERS_RATE } else { 1_000_000 };
            let _ = field.attack(bid(ATTACKERS + sender, nonce, 0, per_byte(rate)), rich());
            if nonce % 20 == 0 {
                field.honest(least);
            }
        }
    }
    let honest = field.tally.honest;
    let (pool, _) = field.end("deep chains, the first one cheap");
    let pinned = pool.iter().filter(|it| it.rate > per_byte(1_000)).count();
    assert!(pinned <= 2_000 - honest, "{pinned} dear ones behind cheap ones");
}

#[test]
fn a_chain_dips_again_and_again_and_none_of_it_pins_what_pays_more() {
    let mut field = Field::of_count();
    let least = field.over(per_byte(ATTACKERS_RATE));
    for sender in 0..50 {
        for nonce in 0..200 {
            let rate = if nonce % 10 == 0 { ATTACKERS_RATE } else { 500 };
            let _ = field.attack(bid(ATTACKERS + sender, nonce, 0, per_byte(rate)), rich());
            if nonce % 10 == 0 {
                field.honest(least);
            }
        }
    }
    field.end("chains that dip");
}
