//! Single rules, frame by frame: who pushes to whom, and who is asked.

use super::rules::{ORIGIN, accept, give, item, push, receive, sent, short, with_peers};
use super::sim::ms;
use crate::push::{Frame, Heard, Origin, Part, Router};

#[test]
fn the_second_copy_tells_its_sender_to_be_lazy_and_the_first_does_not() {
    let mut router = with_peers(3);
    accept(&mut router, 10, 0, 1);
    receive(&mut router, 20, 1, push(&[1]));
    receive(&mut router, 21, 0, push(&[1]));
    assert_eq!(sent(&mut router, 21, 1)[0], Part::Lazy(vec![ORIGIN]));
    assert_eq!(sent(&mut router, 21, 0), []);
    // It is told again, should it go on; not for what was on its way.
    accept(&mut router, 30, 0, 2);
    receive(&mut router, 31, 1, push(&[2]));
    assert!(!sent(&mut router, 31, 1).contains(&Part::Lazy(vec![ORIGIN])));
    accept(&mut router, 2_000, 0, 3);
    receive(&mut router, 2_001, 1, push(&[3]));
    assert!(sent(&mut router, 2_001, 1).contains(&Part::Lazy(vec![ORIGIN])));
}

#[test]
fn a_late_copy_of_an_earlier_message_does_not_turn_the_one_who_gave_the_last_away() {
    let mut router = with_peers(2);
    accept(&mut router, 10, 0, 1);
    accept(&mut router, 11, 1, 2);
    receive(&mut router, 12, 1, push(&[1]));
    assert!(!sent(&mut router, 12, 1).contains(&Part::Lazy(vec![ORIGIN])));
    receive(&mut router, 13, 0, push(&[2]));
    assert!(sent(&mut router, 13, 0).contains(&Part::Lazy(vec![ORIGIN])));
}

#[test]
fn a_copy_under_another_origin_turns_nobody_away() {
    let mut router = with_peers(3);
    let mut out = Vec::new();
    let forged = Part::Messages { origin: Origin(5), items: vec![item(1)] };
    router.received(ms(10), 0, Frame { parts: vec![forged] }, &mut out);
    receive(&mut router, 20, 1, push(&[1]));
    assert_eq!(sent(&mut router, 20, 1), []);
}

#[test]
fn to_a_lazy_peer_messages_are_announced_and_to_an_eager_one_pushed_again() {
    let mut router = with_peers(2);
    accept(&mut router, 10, 0, 1);
    receive(&mut router, 20, 1, Part::Lazy(vec![ORIGIN]));
    sent(&mut router, 20, 1);
    accept(&mut router, 30, 0, 2);
    assert_eq!(sent(&mut router, 30, 1), []);
    assert_eq!(sent(&mut router, 130, 1), [Part::Have(vec![short(2)])]);
    receive(&mut router, 140, 1, Part::Eager(vec![ORIGIN]));
    accept(&mut router, 150, 0, 3);
    assert_eq!(sent(&mut router, 150, 1), [push(&[3])]);
}

#[test]
fn what_was_announced_and_does_not_come_is_asked_for_and_the_giver_is_told_to_be_eager() {
    let mut router = with_peers(2);
    receive(&mut router, 10, 1, Part::Have(vec![short(1)]));
    assert_eq!(sent(&mut router, 159, 1), []);
    assert_eq!(sent(&mut router, 160, 1), [Part::Want(vec![short(1)])]);
    let heard = receive(&mut router, 200, 1, give(1));
    assert!(matches!(heard[1], Heard::Message { from: 1, asked: true, .. }));
    assert_eq!(sent(&mut router, 200, 1), [Part::Eager(vec![ORIGIN])]);
}

#[test]
fn what_nobody_asked_for_counts_as_pushed() {
    let mut router = with_peers(2);
    let heard = receive(&mut router, 10, 1, give(1));
    assert!(matches!(heard[0], Heard::Copy { asked: false, .. }), "it is its sender's claim");
    assert!(matches!(heard[1], Heard::Message { asked: false, .. }));
    assert_eq!(sent(&mut router, 10, 1), []);
}

#[test]
fn the_next_one_is_asked_when_the_first_is_silent_has_it_no_more_or_leaves() {
    for fault in 0..3 {
        let mut router = with_peers(3);
        for peer in 0..3 {
            receive(&mut router, 10 + u64::from(peer), peer, Part::Have(vec![short(1)]));
        }
        assert_eq!(sent(&mut router, 160, 0), [Part::Want(vec![short(1)])]);
        let then = match fault {
            0 => 1_160,
            1 => {
                receive(&mut router, 200, 0, Part::Gone(vec![short(1)]));
                200
            }
            _ => {
                router.left(ms(200), &0);
                200
            }
        };
        assert_eq!(sent(&mut router, then, 1), [Part::Want(vec![short(1)])], "{fault}");
        assert_eq!(sent(&mut router, then, 2), []);
        // Who failed is asked last from now on.
        receive(&mut router, 5_000, 0, Part::Have(vec![short(2)]));
        receive(&mut router, 5_001, 2, Part::Have(vec![short(2)]));
        let asked = |part: &Part| matches!(part, Part::Want(ids) if ids.contains(&short(2)));
        assert!(sent(&mut router, 5_200, 2).iter().any(asked), "{fault}");
    }
}

#[test]
fn with_a_measured_round_trip_the_next_one_is_asked_sooner() {
    let mut router = with_peers(2);
    router.measured(&0, ms(100));
    receive(&mut router, 10, 0, Part::Have(vec![short(1)]));
    receive(&mut router, 11, 1, Part::Have(vec![short(1)]));
    assert_eq!(sent(&mut router, 160, 0), [Part::Want(vec![short(1)])]);
    assert_eq!(sent(&mut router, 459, 1), []);
    assert_eq!(sent(&mut router, 460, 1), [Part::Want(vec![short(1)])]);
}

#[test]
fn a_faster_path_is_taken_after_three_messages_in_a_row() {
    let mut router = with_peers(2);
    accept(&mut router, 10, 0, 1);
    receive(&mut router, 11, 1, push(&[1]));
    sent(&mut router, 20, 1);
    let mut early = |byte: u8, lead: u64| {
        let now = u64::from(byte) * 1_000;
        receive(&mut router, now, 1, Part::Have(vec![short(byte)]));
        accept(&mut router, now + lead, 0, byte);
        sent(&mut router, now + lead, 1).contains(&Part::Eager(vec![ORIGIN]))
    };
    assert!(!early(2, 20) && !early(3, 20));
    assert!(!early(4, 5), "too little, so the count starts anew");
    assert!(!early(5, 20) && !early(6, 20) && early(7, 20));
}

#[test]
fn who_joins_is_told_to_be_lazy_where_another_pushes() {
    let mut router = with_peers(1);
    accept(&mut router, 10, 0, 1);
    router.joined(ms(20), 1);
    let recent = Part::Have(vec![short(1)]);
    assert_eq!(sent(&mut router, 20, 1), [Part::Lazy(vec![ORIGIN]), recent]);
    // And when that one leaves, to push.
    router.left(ms(30), &0);
    assert_eq!(sent(&mut router, 30, 1), [Part::Eager(vec![ORIGIN])]);
}

#[test]
fn an_unknown_origin_is_pushed_to_some_and_announced_to_the_rest() {
    let mut router = with_peers(30);
    accept(&mut router, 10, 0, 1);
    let pushed = |router: &mut Router<u32>, byte| {
        (1..30).filter(|peer| sent(router, 200, *peer).contains(&push(&[byte]))).count()
    };
    assert!((11..=12).contains(&pushed(&mut router, 1)));
    accept(&mut router, 20, 0, 2);
    assert!((11..=12).contains(&pushed(&mut router, 2)), "they stay lazy until they ask");
}

fn beacons(router: &mut Router<u32>, now: u64, peer: u32) -> Vec<u64> {
    let parts = sent(router, now, peer);
    let number = |part: &Part| match part {
        Part::Beacon { origin: ORIGIN, number } => Some(*number),
        _ => None,
    };
    parts.iter().filter_map(number).collect()
}

#[test]
fn beacons_are_passed_on_once_and_only_if_their_numbers_rise() {
    let mut router = with_peers(3);
    let beacon = |number| Part::Beacon { origin: ORIGIN, number };
    receive(&mut router, 10, 0, beacon(5));
    assert_eq!(beacons(&mut router, 10, 1), [5]);
    receive(&mut router, 11, 1, beacon(5));
    receive(&mut router, 12, 2, beacon(4));
    assert_eq!(beacons(&mut router, 12, 0), [5], "its giver hears it too, once");
    assert_eq!(beacons(&mut router, 12, 1), []);
    receive(&mut router, 13, 0, beacon(u64::MAX));
    receive(&mut router, 14, 0, beacon(6));
    assert_eq!(beacons(&mut router, 14, 1), [u64::MAX]);
    // A number that cannot rise any more is forgotten in time.
    receive(&mut router, 130_000, 0, beacon(7));
    assert_eq!(beacons(&mut router, 130_000, 1), [7]);
}

#[test]
fn beacons_turn_away_who_comes_second_but_never_who_gave_a_message() {
    let mut router = with_peers(3);
    let beacon = |number| Part::Beacon { origin: ORIGIN, number };
    let lazy = Part::Lazy(vec![ORIGIN]);
    receive(&mut router, 10, 0, beacon(1));
    receive(&mut router, 15, 1, beacon(1));
    assert!(sent(&mut router, 15, 1).contains(&lazy));
    assert!(!sent(&mut router, 15, 0).contains(&lazy));
    accept(&mut router, 100, 2, 1);
    receive(&mut router, 200, 0, beacon(2));
    receive(&mut router, 205, 2, beacon(2));
    assert!(!sent(&mut router, 205, 2).contains(&lazy));
}

#[test]
fn who_brings_a_beacon_clearly_before_the_one_that_pushes_is_asked_to_push() {
    for (lead, expected) in [(5, false), (20, true)] {
        let mut router = with_peers(2);
        let beacon = |number| Part::Beacon { origin: ORIGIN, number };
        accept(&mut router, 10, 0, 1);
        receive(&mut router, 11, 1, push(&[1]));
        sent(&mut router, 11, 1);
        receive(&mut router, 100, 1, beacon(1));
        receive(&mut router, 100 + lead, 0, beacon(1));
        let told = sent(&mut router, 200, 1).contains(&Part::Eager(vec![ORIGIN]));
        assert_eq!(told, expected);
    }
}
