//! What an engine says to bundles: one verdict for all that is in one.

use hearsay_chain::{UnverifiedTx, Verdict, codec};
use proptest::prelude::*;

use super::desk::{Desk, peer, publishes, verdict};
use crate::engine::Effect;

fn bytes(tx: &UnverifiedTx) -> Vec<u8> {
    codec::encode(tx.transaction())
}

fn forged(desk: &Desk, from: u8) -> Vec<u8> {
    let mut bytes = bytes(&desk.tx(from, 0, 20));
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    bytes
}

#[test]
fn a_bundle_of_good_ones_is_relayed_and_all_of_them_are_pooled() {
    let mut desk = Desk::new();
    let good: Vec<UnverifiedTx> = (0..4).map(|nonce| desk.tx(0, nonce, 20)).collect();
    let parts: Vec<_> = good.iter().map(bytes).collect();
    let effects = desk.bundle(peer(1), &parts);
    assert_eq!(verdict(&effects), (Verdict::Accept, None));
    assert_eq!(publishes(&effects), 0, "gossip relays it");
    assert!(good.iter().all(|tx| desk.engine.pool().contains(&tx.id())));
}

#[test]
fn good_ones_carry_no_bad_one_and_are_introduced_without_it() {
    let mut desk = Desk::new();
    let good = desk.tx(0, 0, 20);
    let parts = [bytes(&good), forged(&desk, 1)];
    let effects = desk.bundle(peer(1), &parts);
    assert_eq!(verdict(&effects), (Verdict::Reject, Some("bad-signature")));
    assert!(desk.engine.pool().contains(&good.id()));
    assert_eq!(publishes(&effects), 1);
}

#[test]
fn what_is_known_or_stale_rides_along_up_to_half_and_no_further() {
    let mut desk = Desk::new();
    let old: Vec<Vec<u8>> = (0..3).map(|nonce| bytes(&desk.tx(0, nonce, 20))).collect();
    desk.bundle(peer(1), &old);
    let new = bytes(&desk.tx(1, 0, 20));
    let effects = desk.bundle(peer(2), &[vec![old[0].clone()], vec![new]].concat());
    assert_eq!(verdict(&effects), (Verdict::Accept, None));
    let newer = desk.tx(1, 1, 20);
    let effects = desk.bundle(peer(2), &[old.clone(), vec![bytes(&newer)]].concat());
    assert_eq!(verdict(&effects), (Verdict::Ignore, Some("known")));
    assert!(desk.engine.pool().contains(&newer.id()));
    assert_eq!(publishes(&effects), 1, "this node introduces what was new in it");
    assert_eq!(verdict(&desk.bundle(peer(2), &old)), (Verdict::Ignore, Some("known")));
}

#[test]
fn an_empty_bundle_one_with_a_transaction_twice_and_garbage_are_malformed() {
    let mut desk = Desk::new();
    let one = bytes(&desk.tx(0, 0, 20));
    for parts in [vec![], vec![one.clone(), one], vec![vec![1, 2, 3]]] {
        let (verdict, reason) = verdict(&desk.bundle(peer(1), &parts));
        assert_eq!((verdict, reason), (Verdict::Reject, Some("malformed")), "{parts:?}");
    }
}

/// What a part of a bundle is.
#[derive(Clone, Copy, Debug)]
enum Part {
    New,
    Known,
    Poor,
    Bad,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn each_bundle_gets_one_verdict_by_the_rule_and_nothing_good_is_lost(
        parts in prop::collection::vec(
            prop_oneof![Just(Part::New), Just(Part::Known), Just(Part::Poor), Just(Part::Bad)], 1..12)
    ) {
        let mut desk = Desk::new();
        let (mut new, mut poor, mut bad) = (0, 0, 0);
        let known: Vec<Vec<u8>> = (0..12).map(|nonce| bytes(&desk.tx(0, nonce, 20))).collect();
        desk.bundle(peer(1), &known);
        let (mut encoded, mut good) = (Vec::new(), Vec::new());
        for (at, part) in parts.iter().enumerate() {
            encoded.push(match part {
                Part::New => {
                    let tx = desk.tx(1, new, 20);
                    new += 1;
                    good.push(tx.id());
                    bytes(&tx)
                }
                Part::Known => known[at].clone(),
                Part::Poor => {
                    poor += 1;
                    let mut transfer = desk.transfer(2, poor, 20);
                    transfer.amount = 1 << 50;
                    bytes(&super::desk::signed(transfer, 2))
                }
                Part::Bad => {
                    bad += 1;
                    let mut tx = bytes(&desk.tx(3, bad, 20));
                    let last = tx.len() - 1;
                    tx[last] ^= 1;
                    tx
                }
            });
        }
        let effects = desk.bundle(peer(2), &encoded);
        let all: usize = encoded.iter().map(Vec::len).sum();
        let taken: usize = encoded.iter().zip(&parts)
            .filter(|(_, part)| matches!(part, Part::New)).map(|(part, _)| part.len()).sum();
        let expected = if bad > 0 {
            Verdict::Reject
        } else if new > 0 && 2 * taken >= all {
            Verdict::Accept
        } else {
            Verdict::Ignore
        };
        prop_assert_eq!(verdict(&effects).0, expected);
        for id in &good {
            prop_assert!(desk.engine.pool().contains(id));
        }
        let introduced = if expected == Verdict::Accept { 0 } else { good.len() };
        prop_assert_eq!(publishes(&effects), introduced);
        let told = effects.iter().filter(|effect| {
            matches!(effect, Effect::Trace(crate::trace::event::Event::Verdict { .. }))
        });
        prop_assert_eq!(told.count(), parts.len(), "each is told of in the log");
    }
}
