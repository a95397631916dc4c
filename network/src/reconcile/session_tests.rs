//! Whole comparisons between two sides, with nothing between them.

use hearsay_chain::TxId;
use proptest::prelude::*;

use super::part::MAX_BITS;
use super::tests::elements;
use super::{Answerer, Asker, Exchange, Fault, Part, SketchAsked, Snapshot, Step, Symbol};
use crate::short_id::ShortKey;
use crate::wire::{MAX_NAMES, MAX_SYMBOLS, Request, Response};

const KEY: ShortKey = ShortKey([5; 16]);

fn peer() -> libp2p::PeerId {
    crate::peer_id(&[1; 32])
}

fn ids(count: u64, seed: u64) -> Vec<TxId> {
    let id = |number: u64| {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&number.to_be_bytes());
        TxId(id)
    };
    elements(count, seed).map(id).collect()
}

fn answerer() -> Answerer {
    let mut answerer = Answerer::default();
    answerer.joined(peer());
    answerer
}

fn sketch_asked(request: &Request) -> SketchAsked {
    let Request::Sketch { key, part, from, count } = *request else { panic!("{request:?}") };
    SketchAsked { key, part, from, count }
}

/// Asks until it is over; how it ends, how many questions it took, and the asker.
fn compare(part: Part, theirs: &[TxId], ours: &[TxId]) -> (Step, usize, Asker) {
    let mut answerer = answerer();
    let own = Snapshot::of(KEY, part, ours.iter().copied()).unwrap();
    let (mut asker, mut request) = Asker::begin(KEY, part, own);
    for questions in 1..1_000 {
        let asked = sketch_asked(&request);
        let pool = (theirs.len(), || theirs.iter().copied());
        let (size, symbols) = answerer.sketch(1, peer(), asked, pool).unwrap();
        match asker.take(size, &symbols).unwrap() {
            Step::Ask(next) => request = next,
            step => return (step, questions, asker),
        }
    }
    panic!("it does not end");
}

/// The two pools after a comparison and the exchange that follows.
fn merge(theirs: &[TxId], ours: &[TxId]) -> (Vec<TxId>, Vec<TxId>) {
    let mut answerer = answerer();
    let own = Snapshot::of(KEY, Part::all(), ours.iter().copied()).unwrap();
    let (mut asker, mut request) = Asker::begin(KEY, Part::all(), own);
    let difference = loop {
        let asked = sketch_asked(&request);
        let pool = (theirs.len(), || theirs.iter().copied());
        let (size, symbols) = answerer.sketch(1, peer(), asked, pool).unwrap();
        match asker.take(size, &symbols).unwrap() {
            Step::Ask(next) => request = next,
            Step::Done(difference) => break difference,
            step => panic!("{step:?}"),
        }
    };
    let (mut one, mut other) = (ours.to_vec(), theirs.to_vec());
    let mut exchange = Exchange::new(KEY, difference.theirs, asker.own().find(&difference.ours));
    while let Some(Request::Named { key, names }) = exchange.next_names() {
        let mut given = answerer.named(1, &peer(), key, &names).unwrap();
        // An answer is full at some point.
        given.truncate(300);
        exchange.take(&given).unwrap();
        one.extend(given);
    }
    while let Some((ids, _)) = exchange.next_offer(|id| Some(id.0.to_vec())) {
        other.extend(ids);
    }
    one.sort_unstable();
    other.sort_unstable();
    (one, other)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn whatever_the_two_sets_both_end_with_the_union(
        common in 0..400_u64,
        theirs in 0..500_u64,
        ours in 0..500_u64,
        seed in any::<u64>(),
    ) {
        let all = ids(common + theirs + ours, seed);
        let (shared, apart) = all.split_at(common as usize);
        let (a, b) = apart.split_at(theirs as usize);
        let (one, other) = merge(&[shared, a].concat(), &[shared, b].concat());
        let mut union = all.clone();
        union.sort_unstable();
        prop_assert_eq!(one, union.clone(), "each came once");
        prop_assert_eq!(other, union);
    }

    #[test]
    fn made_up_answers_end_soon_and_cost_a_bounded_number_of_symbols(
        own in 0..300_u64,
        size in any::<u32>(),
        numbers in prop::collection::vec((any::<u64>(), any::<u64>(), any::<i32>()), 1..60),
        count in 1..30_usize,
    ) {
        let own = Snapshot::of(KEY, Part::all(), ids(own, 1)).unwrap();
        let (mut asker, mut request) = Asker::begin(KEY, Part::all(), own);
        let mut endless = numbers.iter().cycle();
        let mut questions = 0;
        loop {
            questions += 1;
            let open = sketch_asked(&request).count as usize;
            let symbols: Vec<Symbol> = endless
                .by_ref()
                .take(open.min(count * 50))
                .map(|(sum, check, count)| Symbol { sum: *sum, check: *check, count: *count })
                .collect();
            match asker.take(size, &symbols) {
                Ok(Step::Ask(next)) => request = next,
                Ok(_) | Err(Fault) => break,
            }
            prop_assert!(questions < 10_000);
        }
        prop_assert!(asker.taken() <= (1 << 15) + MAX_SYMBOLS);
    }
}

#[test]
fn bytes_follow_the_difference_and_stay_below_one_and_a_half_ids_for_each() {
    for (apart, bytes_each) in [(0, 0.0), (1, 0.0), (10, 60.0), (100, 48.0), (1_000, 48.0)] {
        let common = 20_000;
        let all = ids(common + apart, 9);
        let half = (apart / 2) as usize;
        let (shared, rest) = all.split_at(common as usize);
        let (theirs, ours) = ([shared, &rest[half..]].concat(), [shared, &rest[..half]].concat());
        let (step, questions, asker) = compare(Part::all(), &theirs, &ours);
        let Step::Done(difference) = step else { panic!("{step:?}") };
        assert_eq!(difference.theirs.len() + difference.ours.len(), apart as usize);
        let bytes = asker.bytes() + 8 * difference.theirs.len() as u64;
        assert!(questions <= 12, "{questions} questions for {apart}");
        assert!(bytes as f64 <= 700.0 + bytes_each * apart as f64, "{bytes} bytes for {apart}");
    }
}

#[test]
fn equal_pools_cost_less_than_two_hundred_bytes() {
    let pool = ids(5_000, 2);
    let (step, questions, asker) = compare(Part::all(), &pool, &pool);
    assert_eq!((step, questions), (Step::Done(super::Difference::default()), 1));
    assert!(asker.bytes() <= 200, "{}", asker.bytes());
}

#[test]
fn pools_that_lie_too_far_apart_are_compared_in_parts() {
    let (theirs, ours) = (ids(50_000, 1), ids(100, 2));
    let (step, questions, asker) = compare(Part::all(), &theirs, &ours);
    let Step::TooFar { bits } = step else { panic!("{step:?}") };
    assert!((2..=4).contains(&bits) && questions <= 2, "{bits} {questions}");
    assert!(asker.bytes() < 1_000);
    let (step, ..) = compare(Part::new(bits, 3), &theirs, &ours);
    let Step::Done(difference) = step else { panic!("{step:?}") };
    assert!((50_000 >> bits) / 2 < difference.theirs.len());
    let (step, ..) = compare(Part::new(MAX_BITS, 3), &theirs, &ours);
    assert!(matches!(step, Step::Done(_)));
}

#[test]
fn a_pool_that_is_too_large_to_be_compared_at_once_is_compared_in_parts() {
    let pool = ids(super::MAX_SET as u64 + 1, 1);
    let mut answerer = answerer();
    let (mut asker, request) = Asker::begin(KEY, Part::all(), Snapshot::default());
    let all = (pool.len(), || pool.iter().copied());
    let (size, symbols) = answerer.sketch(1, peer(), sketch_asked(&request), all.clone()).unwrap();
    assert!(symbols.is_empty() && answerer.sessions() == 0);
    let Ok(Step::TooFar { bits }) = asker.take(size, &symbols) else { panic!("{size}") };
    let (_, request) = Asker::begin(KEY, Part::new(bits, 0), Snapshot::default());
    let (_, symbols) = answerer.sketch(1, peer(), sketch_asked(&request), all).unwrap();
    assert_eq!(symbols.len(), 4);
}

#[test]
fn an_answer_with_more_than_was_asked_for_is_a_fault_and_an_empty_one_a_refusal() {
    let (mut asker, request) = Asker::begin(KEY, Part::all(), Snapshot::default());
    let count = sketch_asked(&request).count as usize;
    assert_eq!(asker.take(1, &[]), Ok(Step::Refused));
    assert_eq!(asker.take(1, &vec![Symbol::default(); count + 1]), Err(Fault));
}

#[test]
fn symbols_are_given_in_order_under_one_key_and_up_to_a_bound() {
    let pool = ids(1_000, 4);
    let mut answerer = answerer();
    let mut ask = |key: u8, from: u32, count: u32, now: u64| {
        let asked = SketchAsked { key: ShortKey([key; 16]), part: Part::all(), from, count };
        answerer.sketch(now, peer(), asked, (pool.len(), || pool.iter().copied()))
    };
    assert!(ask(1, 4, 4, 1).is_none(), "nothing was begun");
    assert_eq!(ask(1, 0, 4, 1).unwrap().1.len(), 4);
    assert!(ask(1, 8, 4, 1).is_none(), "a gap");
    assert!(ask(2, 4, 4, 1).is_none(), "another key");
    assert_eq!(ask(1, 4, u32::MAX, 1).unwrap().1.len(), MAX_SYMBOLS as usize);
    let mut given = 2;
    let mut from = 4 + MAX_SYMBOLS;
    while ask(1, from, MAX_SYMBOLS, 1).is_some() {
        from += MAX_SYMBOLS;
        given += 1;
        assert!(given < 12, "it is endless");
    }
    assert!(ask(1, from, 64, 1_000_000).is_some(), "some more each second");
    for number in 0..3 {
        assert!(ask(10 + number, 0, 4, 1_000_000).is_some());
    }
    assert!(ask(20, 0, 4, 1_000_000).is_none(), "too many begun");
    assert!(ask(20, 0, 4, 3_000_000).is_some());
}

#[test]
fn few_comparisons_are_kept_and_not_for_long() {
    let pool = ids(10, 4);
    let mut answerer = Answerer::default();
    for number in 1..=20 {
        let peer = crate::peer_id(&[number; 32]);
        let asked = SketchAsked { key: KEY, part: Part::all(), from: 0, count: 4 };
        let pool = (pool.len(), || pool.iter().copied());
        assert!(answerer.sketch(number.into(), peer, asked, pool.clone()).is_none(), "a stranger");
        answerer.joined(peer);
        assert!(answerer.sketch(number.into(), peer, asked, pool).is_some());
        assert!(answerer.sessions() <= 8);
    }
    let last = crate::peer_id(&[20; 32]);
    assert!(answerer.named(30, &last, KEY, &[]).is_some());
    assert!(answerer.named(30, &crate::peer_id(&[12; 32]), KEY, &[]).is_none(), "it had to go");
    answerer.expire(10_000_030);
    assert_eq!(answerer.sessions(), 0);
}

#[test]
fn transactions_are_found_by_name_in_order_and_within_an_allowance() {
    let pool = ids(5_000, 4);
    let mut answerer = answerer();
    let asked = SketchAsked { key: KEY, part: Part::all(), from: 0, count: 4 };
    answerer.sketch(1, peer(), asked, (pool.len(), || pool.iter().copied())).unwrap();
    let mut names: Vec<u64> = pool[..MAX_NAMES - 1].iter().map(|id| KEY.of(id)).collect();
    names.push(77);
    names.sort_unstable();
    let found = answerer.named(1, &peer(), KEY, &names).unwrap();
    assert_eq!(found.len(), MAX_NAMES - 1);
    assert!(found.iter().map(|id| KEY.of(id)).is_sorted());
    names.reverse();
    assert!(answerer.named(1, &peer(), KEY, &names).is_none(), "not ascending");
    assert!(answerer.named(1, &peer(), ShortKey([8; 16]), &[]).is_none());
    let mut bytes = 0;
    while answerer.may_give(1, &peer(), 1 << 20) {
        bytes += 1 << 20;
        assert!(bytes < 10 << 20);
    }
    assert!(!answerer.may_give(1, &crate::peer_id(&[2; 32]), 1));
}

#[test]
fn requests_and_answers_stay_within_what_the_wire_takes() {
    let (asker, request) = Asker::begin(KEY, Part::new(3, 1), Snapshot::default());
    assert_eq!(Request::decode(&request.encode()), Ok(request));
    assert_eq!((asker.key(), asker.part(), asker.taken()), (KEY, Part::new(3, 1), 0));
    let most = vec![Symbol::default(); MAX_SYMBOLS as usize];
    assert!(Response::decode(&Response::Sketch { size: 1, symbols: most }.encode()).is_ok());
    // Bits that no part has.
    let mut bytes = Request::Sketch { key: KEY, part: Part::all(), from: 0, count: 1 }.encode();
    bytes[17] = MAX_BITS + 1;
    assert!(Request::decode(&bytes).is_err());
}
