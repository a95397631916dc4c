//! Attacks with prices: many senders, ties, payloads, and replacements without end.

use hearsay_mempool::{Config, Refusal};

use crate::field::{ATTACKERS, ATTACKERS_RATE, Field, bid, per_byte, rich};

#[test]
fn many_senders_with_one_cheap_transaction_each_do_not_keep_a_dearer_one_out() {
    let mut field = Field::of_count();
    let least = field.over(per_byte(ATTACKERS_RATE));
    for sender in 0..30_000 {
        // Prices that creep up, so that as many as can push one another out.
        let rate = per_byte(1 + sender * (ATTACKERS_RATE - 1) / 30_000);
        let _ = field.attack(bid(ATTACKERS + sender, 0, 0, rate), rich());
        if sender % 30 == 0 {
            field.honest(least);
        }
    }
    let (pool, _) = field.end("many senders, each one cheap");
    assert_eq!(pool.len(), 2_000);
}

#[test]
fn what_ties_with_those_here_or_pays_less_than_a_step_more_never_pushes_one_out() {
    let config =
        Config { max_count: 2_000, max_memory: 1 << 30, fee_step_per_kb: 100, ..Config::default() };
    let mut field = Field::new(config);
    let rate = per_byte(ATTACKERS_RATE);
    for _ in 0..2_000 {
        field.honest(rate);
    }
    for sender in 0..10_000 {
        // 0 to 6 % of a unit per byte more; a step is 10 %.
        let fee = 165 * ATTACKERS_RATE + sender % 10;
        let refused = field.attack(crate::field::signed(ATTACKERS + sender, 0, 0, 0, fee), rich());
        assert!(matches!(refused, Err(Refusal::Full { .. } | Refusal::FeeTooLow { .. })));
    }
    let (_, tally) = field.end("ties");
    assert_eq!(tally.taken, 0);
}

#[test]
fn huge_payloads_fill_memory_and_not_more_and_give_way() {
    let config = Config { max_memory: 4 << 20, ..Config::default() };
    let mut field = Field::new(config);
    let least = field.over(per_byte(ATTACKERS_RATE));
    for sender in 0..5_000 {
        let payload = if sender % 3 == 0 { 16_384 } else { 9_000 };
        let _ = field.attack(bid(ATTACKERS + sender, 0, payload, per_byte(ATTACKERS_RATE)), rich());
        if sender % 5 == 0 {
            field.honest(least);
        }
    }
    let (pool, tally) = field.end("huge payloads");
    let max = pool.totals().max_memory;
    assert!(tally.most_memory <= max && tally.most_memory >= max - max / 100);
}

#[test]
fn each_replacement_costs_a_tenth_more_so_churn_ends_with_the_money() {
    let mut field = Field::of_count();
    // A deep run, of which the first nonce is replaced again and again.
    for nonce in 0..1_000 {
        field.attack(bid(ATTACKERS, nonce, 0, per_byte(ATTACKERS_RATE)), rich()).unwrap();
    }
    let (mut fee, mut replaced) = (165 * ATTACKERS_RATE, 0);
    for at in 0..20_000 {
        // Every second one raises by less than it must.
        let raised = if at % 2 == 0 { fee + fee / 20 } else { fee + fee.div_ceil(10) };
        let tx = crate::field::signed(ATTACKERS, 0, 0, 0, raised);
        if field.attack(tx, rich()).is_ok() {
            (fee, replaced) = (raised, replaced + 1);
        }
        if at % 20 == 0 {
            field.honest(field.pool.floor(0));
        }
    }
    let most = (rich().balance as f64 / (165.0 * ATTACKERS_RATE as f64)).log(1.1).ceil() as usize;
    println!("replacement churn: {replaced} of 20,000 replacements, at most {most} can be paid");
    assert!(replaced <= most);
    field.end("replacement churn");
}
