//! Whatever happens, in whatever order, the pool is the naive pool.

use proptest::prelude::*;

use super::both::{Both, Op, SENDERS, VARIANTS};
use crate::{Config, LEAST_MEMORY};

/// Operations of which `far` times as many as others bring what is far ahead.
fn op(far: u32) -> impl Strategy<Value = Op> {
    // Mostly what comes next and soon, now and then what is used or too far.
    let ahead = move || prop_oneof![1 => Just(0u64), 8 => 1..4u64, 4 => 1..9u64, far => 1..24u64];
    let one = move || (0..SENDERS, ahead(), 0..VARIANTS);
    let some = move || prop::collection::vec(one(), 0..6);
    prop_oneof![
        40 => one().prop_map(|at| Op::Insert(at, false)),
        8 => one().prop_map(|at| Op::Insert(at, true)),
        3 => (0..6usize).prop_map(Op::Produce),
        2 => some().prop_map(Op::Hear),
        2 => (1..4usize, some()).prop_map(|(depth, block)| Op::Reorganise(depth, block)),
        1 => some().prop_map(Op::Miss),
        3 => (0..SENDERS, 0..200_000u64, any::<bool>()).prop_map(|(a, b, c)| Op::Pay(a, b, c)),
        1 => (0..40u64, 0..3u64).prop_map(|(us, heights)| Op::Wait(us, heights)),
        1 => (0..60u64).prop_map(Op::Restart),
    ]
}

/// Bounds that small pools reach: now the one of count, now the one of memory.
fn config() -> impl Strategy<Value = Config> {
    let bounds = (1..16usize, 0..9_000usize);
    let per_sender = (2..8u64, 0..5u64);
    let replacement = prop::sample::select(vec![0, 10, 10, 60]);
    let fees = prop::sample::select(vec![(0, 0), (0, 1), (0, 150), (1_000, 1), (1, 1_100)]);
    let local = prop::sample::select(vec![0, 10, 40, 50]);
    (bounds, per_sender, replacement, fees, local, 1..60u64).prop_map(
        |((max_count, memory), (ready, queued), percent, (min, step), local, half_life)| Config {
            max_count,
            max_memory: LEAST_MEMORY + memory,
            max_ready_per_sender: ready,
            max_queued_per_sender: queued,
            replacement_percent: percent,
            max_age_us: 100,
            min_fee_per_kb: min,
            fee_step_per_kb: step,
            floor_half_life_us: half_life,
            local_percent: local,
            seed: half_life,
        },
    )
}

proptest! {
    // 100,000 operations; `PROPTEST_CASES=4000` makes it a million.
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn the_pool_equals_a_naive_pool(
        config in config(),
        ops in prop::collection::vec(op(1), 250),
    ) {
        let mut both = Both::new(config);
        ops.iter().try_for_each(|op| both.step(op))?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]
    #[test]
    fn it_does_so_with_long_runs_and_long_queues(
        config in config(),
        ops in prop::collection::vec(op(40), 400),
    ) {
        let config = Config {
            max_count: 70,
            max_memory: 4 * LEAST_MEMORY,
            max_ready_per_sender: 24,
            max_queued_per_sender: 20,
            ..config
        };
        let mut both = Both::new(config);
        ops.iter().try_for_each(|op| both.step(op))?;
    }
}
