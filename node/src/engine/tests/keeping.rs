//! What an engine wants kept is, at any moment, what its pool holds.

use hearsay_chain::UnverifiedTx;
use hearsay_chain::transaction::Transfer;
use proptest::prelude::*;

use super::sim::{MS, SECOND, Sim, sender};
use crate::engine::{Input, Token};

#[derive(Clone, Debug)]
enum Step {
    /// A user hands a transaction in.
    Submit { node: usize, from: u8, nonce: u64, fee: u64, amount: u64, expiry: Option<u64> },
    /// Time passes, and with it slots.
    Wait(u64),
    /// The two can speak.
    Connect,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let submit = (
        (0..2_usize, 0..4_u8, 0..8_u64),
        (1..60_u64, prop_oneof![1..10_u64, 200_000..400_000_u64], prop::option::of(1..12_u64)),
    );
    let step = prop_oneof![
        12 => submit.prop_map(|((node, from, nonce), (fee, amount, expiry))| {
            Step::Submit { node, from, nonce, fee, amount, expiry }
        }),
        4 => (1..2_500_u64).prop_map(Step::Wait),
        1 => Just(Step::Connect),
    ];
    prop::collection::vec(step, 1..80)
}

fn run(seed: u64, steps: &[Step]) -> (usize, u64) {
    let mut sim = Sim::new(seed, 2, 2);
    sim.bound_pools(&hearsay_mempool::Config {
        max_count: 6,
        max_age_us: 5 * SECOND,
        max_queued_per_sender: 3,
        ..Default::default()
    });
    let mut most = 0;
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Submit { node, from, nonce, fee, amount, expiry } => {
                let transfer = Transfer {
                    fee: *fee,
                    amount: *amount,
                    expiry: *expiry,
                    ..sim.transfer(*from, *nonce)
                };
                let tx = UnverifiedTx::from(transfer.sign(&sender(*from)));
                sim.input(*node, Input::Submit { token: Token(number as u64), tx, via: None });
                sim.run_until(sim.now() + MS);
            }
            Step::Wait(ms) => sim.run_until(sim.now() + ms * MS),
            Step::Connect => sim.connect_all(),
        }
        most = most.max(sim.assert_kept());
    }
    sim.connect_all();
    for _ in 0..40 {
        sim.run_until(sim.now() + 500 * MS);
        sim.assert_kept();
    }
    (most, sim.deepest_reorg())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn whatever_happens_what_is_to_be_kept_is_what_the_pool_holds(
        seed in any::<u64>(),
        steps in steps(),
    ) {
        run(seed, &steps);
    }
}

#[test]
fn what_an_abandoned_block_gives_back_is_kept_again() {
    let submit =
        |node, from, nonce| Step::Submit { node, from, nonce, fee: 5, amount: 1, expiry: None };
    let steps: Vec<Step> = (0..4)
        .flat_map(|nonce| [submit(0, 0, nonce), submit(1, 1, nonce), Step::Wait(2_100)])
        .collect();
    let (most, reorg) = run(3, &steps);
    assert!(most > 0);
    assert!(reorg > 0, "nothing was abandoned");
}
