//! Two sets and what lies between them.

use proptest::prelude::*;

use super::{Coder, Decoder, Difference, Nonsense, Symbol};

/// Numbers that look like hashes, each once.
pub(super) fn elements(count: u64, seed: u64) -> impl Iterator<Item = u64> + Clone {
    (0..count).map(move |n| {
        let mixed = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ seed.rotate_left(17);
        let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        mixed ^ (mixed >> 32)
    })
}

/// Reconciles in rounds of `step` symbols; the difference and how many symbols it took.
fn reconcile(theirs: &[u64], ours: &[u64], step: u32) -> (Difference, usize) {
    let (mut coder, mut decoder) =
        (Coder::new(theirs.iter().copied()), Decoder::new(ours.iter().copied()));
    for _ in 0..10_000 {
        if let Some(difference) = decoder.take(&coder.next(step)).unwrap() {
            return (difference, decoder.taken());
        }
    }
    panic!("10,000 rounds were not enough");
}

#[test]
fn equal_sets_need_one_symbol() {
    let set: Vec<u64> = elements(1_000, 1).collect();
    assert_eq!(reconcile(&set, &set, 1), (Difference::default(), 1));
    assert_eq!(reconcile(&[], &[], 1), (Difference::default(), 1));
}

#[test]
fn symbols_follow_the_difference_and_not_the_sets() {
    for (common, apart, most) in
        [(0, 1, 8), (50_000, 1, 8), (50_000, 100, 220), (50_000, 2_000, 3_000)]
    {
        let all: Vec<u64> = elements(common + 2 * apart, 7).collect();
        let (theirs, ours) = (&all[apart as usize..], &all[..(common + apart) as usize]);
        let (difference, symbols) = reconcile(theirs, ours, 1);
        assert_eq!(difference.theirs.len() as u64 + difference.ours.len() as u64, 2 * apart);
        assert!(symbols as u64 <= 2 * most, "{symbols} symbols for {} apart", 2 * apart);
    }
}

#[test]
fn made_up_symbols_end_in_an_error_or_in_no_answer() {
    let mut nonsense = Vec::new();
    for sum in elements(400, 3) {
        let mut symbol = Symbol::default();
        symbol.apply(sum, 1);
        nonsense.push(symbol);
    }
    let mut decoder = Decoder::new(elements(10, 4));
    let mut ended = false;
    for chunk in nonsense.chunks(50) {
        match decoder.take(chunk) {
            Ok(None) => {}
            Ok(Some(difference)) => panic!("{difference:?}"),
            Err(Nonsense) => {
                ended = true;
                break;
            }
        }
    }
    assert!(ended || decoder.taken() == 400);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn the_difference_is_that_of_the_sets(
        common in 0..300_u64,
        theirs in 0..60_u64,
        ours in 0..60_u64,
        step in 1..40_u32,
        seed in any::<u64>(),
    ) {
        let all: Vec<u64> = elements(common + theirs + ours, seed).collect();
        let (shared, apart) = all.split_at(common as usize);
        let (a, b) = apart.split_at(theirs as usize);
        let side = |own: &[u64]| [shared, own].concat();
        let (difference, _) = reconcile(&side(a), &side(b), step);
        let sorted = |set: &[u64]| {
            let mut set = set.to_vec();
            set.sort_unstable();
            set
        };
        prop_assert_eq!(difference, Difference { theirs: sorted(a), ours: sorted(b) });
    }

    #[test]
    fn any_symbols_whatever_end(
        symbols in prop::collection::vec((0..4_u64, any::<bool>(), -2..3_i32), 1..200),
    ) {
        let symbols: Vec<Symbol> = symbols
            .into_iter()
            .map(|(sum, right, count)| {
                let mut symbol = Symbol::default();
                symbol.apply(sum, 1);
                Symbol { count, check: if right { symbol.check } else { 0 }, ..symbol }
            })
            .collect();
        let _ = Decoder::new(0..3).take(&symbols);
    }
}
