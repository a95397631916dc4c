//! Single rules, frame by frame.

use std::time::Duration;

use hearsay_chain::Verdict;

use super::sim::{identify, ms, router};
use crate::push::message::short_of;
use crate::push::{Config, Frame, Heard, Item, MessageId, Origin, Part, Payload, Router, ShortId};
use crate::topic::Topic;

const ORIGIN: Origin = Origin(77);

fn quiet() -> Config {
    Config { beacon_every: Duration::ZERO, ..Config::default() }
}

/// A router with some peers, and no beacons.
fn with_peers(peers: u32) -> Router<u32> {
    let mut router = router(quiet(), 1);
    for peer in 0..peers {
        router.joined(ms(0), peer);
    }
    router
}

fn item(byte: u8) -> Item {
    Item { topic: Topic::Tx, data: Payload(vec![byte; 100].into()) }
}

fn id(byte: u8) -> MessageId {
    identify(Topic::Tx, &[byte; 100])
}

fn short(byte: u8) -> ShortId {
    short_of(&id(byte))
}

fn push(bytes: &[u8]) -> Part {
    Part::Messages { origin: ORIGIN, items: bytes.iter().map(|byte| item(*byte)).collect() }
}

fn give(byte: u8) -> Part {
    Part::Asked { items: vec![(ORIGIN, item(byte))] }
}

fn receive(router: &mut Router<u32>, now: u64, from: u32, part: Part) -> Vec<Heard<u32>> {
    let mut out = Vec::new();
    router.received(ms(now), from, Frame { parts: vec![part] }, &mut out);
    out
}

/// A message comes and is accepted.
fn accept(router: &mut Router<u32>, now: u64, from: u32, byte: u8) {
    receive(router, now, from, push(&[byte]));
    router.judged(ms(now), &id(byte), Verdict::Accept);
}

/// All that is sent to a peer by then, after a tick.
fn sent(router: &mut Router<u32>, now: u64, peer: u32) -> Vec<Part> {
    let mut out = Vec::new();
    router.tick(ms(now), &mut out);
    let frames = std::iter::from_fn(|| router.next_frame(ms(now), &peer));
    frames.flat_map(|frame| frame.parts).collect()
}

fn tick(router: &mut Router<u32>, now: u64) -> Vec<Heard<u32>> {
    let mut out = Vec::new();
    router.tick(ms(now), &mut out);
    out
}

fn settled(heard: &[Heard<u32>]) -> Option<[u32; 3]> {
    heard.iter().find_map(|heard| match heard {
        Heard::Settled { known, refused, unsure, .. } => Some([*known, *refused, *unsure]),
        _ => None,
    })
}

#[test]
fn a_message_is_pushed_once_accepted_and_its_giver_hears_that_we_have_it() {
    let mut router = with_peers(3);
    let heard = receive(&mut router, 10, 0, push(&[1]));
    assert!(matches!(heard[0], Heard::Copy { from: 0, asked: false, .. }));
    assert!(matches!(heard[1], Heard::Message { from: 0, asked: false, .. }));
    assert_eq!(router.unjudged(&0), 1);
    assert_eq!(sent(&mut router, 10, 1), []);
    router.judged(ms(11), &id(1), Verdict::Accept);
    assert_eq!(router.unjudged(&0), 0);
    assert_eq!(sent(&mut router, 11, 1), [push(&[1])]);
    assert_eq!(sent(&mut router, 11, 0), []);
    assert_eq!(sent(&mut router, 311, 0), [Part::Have(vec![short(1)])]);
}

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
fn what_is_refused_is_not_spread_and_those_who_sent_it_hear_of_it() {
    for verdict in [Verdict::Ignore, Verdict::Reject] {
        let mut router = with_peers(3);
        receive(&mut router, 10, 0, push(&[1]));
        receive(&mut router, 11, 1, Part::Have(vec![short(1)]));
        router.judged(ms(12), &id(1), verdict);
        for peer in 0..2 {
            assert_eq!(sent(&mut router, 312, peer), [Part::Refused(vec![short(1)])]);
        }
        assert_eq!(sent(&mut router, 312, 2), []);
        receive(&mut router, 400, 2, Part::Have(vec![short(1)]));
        assert_eq!(sent(&mut router, 700, 2), [Part::Refused(vec![short(1)])], "nor asked for");
        // Its owner may still introduce it later.
        router.publish(ms(800), Topic::Tx, vec![1; 100], false);
        assert_eq!(sent(&mut router, 800, 2).len(), 1);
    }
}

#[test]
fn who_refused_a_message_counts_as_reached() {
    let mut router = with_peers(2);
    router.publish(ms(10), Topic::Tx, vec![1; 100], false);
    let heard = receive(&mut router, 20, 0, Part::Refused(vec![short(1)]));
    assert_eq!(heard, []);
    let heard = receive(&mut router, 30, 1, Part::Have(vec![short(1)]));
    assert!(matches!(heard[0], Heard::Taken { by: 1, .. }));
    assert_eq!(settled(&heard), Some([1, 1, 0]));
}

#[test]
fn who_refused_a_message_before_we_took_it_is_not_sent_it() {
    let mut router = with_peers(2);
    receive(&mut router, 10, 0, push(&[1]));
    receive(&mut router, 11, 1, Part::Refused(vec![short(1)]));
    router.judged(ms(12), &id(1), Verdict::Accept);
    assert_eq!(settled(&tick(&mut router, 12)), Some([1, 1, 0]));
    assert_eq!(sent(&mut router, 10_000, 1), []);
}

#[test]
fn who_says_nothing_is_told_three_times_and_then_counts_as_unsure() {
    let mut router = with_peers(2);
    router.publish(ms(10), Topic::Tx, vec![1; 100], false);
    assert_eq!(sent(&mut router, 10, 0).len(), 1);
    receive(&mut router, 20, 1, Part::Have(vec![short(1)]));
    assert_eq!(sent(&mut router, 1_110, 0), [] as [Part; 0]);
    assert_eq!(sent(&mut router, 1_210, 0), [Part::Have(vec![short(1)])]);
    assert_eq!(sent(&mut router, 4_010, 0), []);
    assert_eq!(sent(&mut router, 4_110, 0), [Part::Have(vec![short(1)])]);
    assert_eq!(settled(&tick(&mut router, 10_010)), Some([1, 0, 1]));
    assert_eq!(sent(&mut router, 20_000, 0), []);
}

#[test]
fn without_peers_a_message_waits_for_one_to_join() {
    let mut router = with_peers(0);
    router.publish(ms(10), Topic::Tx, vec![1; 100], false);
    assert_eq!(tick(&mut router, 2_000), []);
    router.joined(ms(3_000), 4);
    assert_eq!(sent(&mut router, 3_100, 4), [Part::Have(vec![short(1)])]);
    receive(&mut router, 3_200, 4, Part::Want(vec![short(1)]));
    assert!(matches!(&sent(&mut router, 3_200, 4)[..], [Part::Asked { .. }]));
    let heard = receive(&mut router, 3_300, 4, Part::Have(vec![short(1)]));
    assert_eq!(settled(&heard), Some([1, 0, 0]));
}

#[test]
fn a_message_whose_verdict_never_comes_is_forgotten_and_may_come_again() {
    let mut router = with_peers(1);
    receive(&mut router, 10, 0, push(&[1]));
    tick(&mut router, 29_000);
    assert_eq!(router.unjudged(&0), 1);
    let heard = tick(&mut router, 31_000);
    assert!(matches!(heard[0], Heard::Dropped { place: "push-verdict", count: 1 }));
    assert_eq!((router.unjudged(&0), router.size().seen), (0, 0));
    router.judged(ms(31_001), &id(1), Verdict::Accept);
    let heard = receive(&mut router, 32_000, 0, push(&[1]));
    assert!(matches!(heard[1], Heard::Message { .. }));
}

#[test]
fn messages_are_kept_at_hand_for_a_while_and_remembered_for_longer() {
    let mut router = with_peers(1);
    accept(&mut router, 10, 0, 1);
    tick(&mut router, 59_000);
    assert_eq!(router.size().cached_bytes, 100);
    tick(&mut router, 61_000);
    assert_eq!((router.size().cached_bytes, router.size().seen), (0, 1));
    receive(&mut router, 62_000, 0, Part::Want(vec![short(1)]));
    assert!(sent(&mut router, 62_000, 0).contains(&Part::Gone(vec![short(1)])));
    tick(&mut router, 121_000);
    assert_eq!(router.size().seen, 0);
    assert_eq!(router.wake_at(), None);
}

#[test]
fn what_is_introduced_lazily_is_only_announced() {
    let mut router = with_peers(2);
    router.publish(ms(10), Topic::Tx, vec![1; 100], true);
    assert_eq!(sent(&mut router, 159, 0), []);
    assert_eq!(sent(&mut router, 160, 0), [Part::Have(vec![short(1)])]);
    receive(&mut router, 170, 0, Part::Want(vec![short(1)]));
    let given = Part::Asked { items: vec![(Origin::NONE, item(1))] };
    assert_eq!(sent(&mut router, 170, 0), [given.clone()]);
    // Who gets it so announces it in turn, and plants no tree.
    let mut other = with_peers(2);
    receive(&mut other, 0, 0, Part::Have(vec![short(1)]));
    sent(&mut other, 150, 0);
    receive(&mut other, 200, 0, given);
    other.judged(ms(200), &id(1), Verdict::Accept);
    assert_eq!(sent(&mut other, 300, 1), [Part::Have(vec![short(1)])]);
    assert_eq!(other.size().origins, 0);
}

#[test]
fn who_is_known_to_have_a_message_by_the_time_it_could_be_sent_gets_its_id_only() {
    let mut router = with_peers(2);
    router.publish(ms(10), Topic::Tx, vec![1; 100], false);
    receive(&mut router, 11, 0, Part::Have(vec![short(1)]));
    assert_eq!(sent(&mut router, 11, 0), []);
    assert_eq!(sent(&mut router, 311, 0), [Part::Have(vec![short(1)])]);
}

#[test]
fn messages_share_frames_up_to_a_size_and_blocks_go_first() {
    let mut router = with_peers(1);
    for byte in 0..5 {
        router.publish(ms(10), Topic::Tx, vec![byte; 6_000], false);
    }
    router.publish(ms(10), Topic::Block, vec![9; 40_000], false);
    let mut counts = Vec::new();
    while let Some(frame) = router.next_frame(ms(10), &0) {
        let Part::Messages { items, .. } = &frame.parts[0] else { panic!("{frame:?}") };
        counts.push((items.len(), items[0].topic));
    }
    let tx = |count| (count, Topic::Tx);
    assert_eq!(counts, [(1, Topic::Block), tx(2), tx(2), tx(1)]);
}

#[test]
fn announcements_ride_along() {
    let mut router = with_peers(2);
    accept(&mut router, 10, 0, 1);
    router.publish(ms(11), Topic::Tx, vec![2; 100], false);
    let parts = sent(&mut router, 11, 0);
    assert!(matches!(&parts[..], [Part::Messages { .. }, Part::Have(ids)] if *ids == [short(1)]));
    assert_eq!(sent(&mut router, 1_000, 0), []);
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

#[test]
fn asking_for_the_same_again_and_again_is_an_offence() {
    let mut router = with_peers(1);
    accept(&mut router, 10, 0, 1);
    tick(&mut router, 10);
    for _ in 0..3 {
        assert_eq!(receive(&mut router, 20, 0, Part::Want(vec![short(1)])), []);
    }
    let heard = receive(&mut router, 20, 0, Part::Want(vec![short(1)]));
    assert!(matches!(heard[..], [Heard::Offence { peer: 0, .. }]));
}

#[test]
fn more_beacons_or_wants_than_any_node_has_reason_to_send_are_an_offence() {
    let mut router = with_peers(1);
    let mut offended = false;
    for number in 0..10_000 {
        let heard =
            receive(&mut router, 20, 0, Part::Beacon { origin: Origin(number + 2), number });
        offended |= heard.iter().any(|heard| matches!(heard, Heard::Offence { .. }));
    }
    assert!(offended);
    let ids: Vec<ShortId> = (0..256).collect();
    let wants = (0..200).map(|_| receive(&mut router, 20, 0, Part::Want(ids.clone())));
    assert!(wants.flatten().any(|heard| matches!(heard, Heard::Offence { .. })));
}

#[test]
fn a_message_published_twice_is_spread_once() {
    let mut router = with_peers(1);
    let first = router.publish(ms(10), Topic::Tx, vec![1; 100], false);
    assert_eq!(first, router.publish(ms(11), Topic::Tx, vec![1; 100], false));
    assert_eq!(sent(&mut router, 12, 0).len(), 1);
}
