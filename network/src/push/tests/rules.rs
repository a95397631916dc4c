//! Single rules, frame by frame: how messages are spread.

use std::time::Duration;

use hearsay_chain::Verdict;

use super::sim::{identify, ms, router};
use crate::push::message::short_of;
use crate::push::{Config, Frame, Heard, Item, MessageId, Origin, Part, Payload, Router, ShortId};
use crate::topic::Topic;

pub(super) const ORIGIN: Origin = Origin(77);

/// Times that tests name, whatever the defaults are.
pub(super) fn quiet() -> Config {
    Config {
        announce_every: ms(100),
        acknowledge_every: ms(300),
        patience: ms(150),
        beacon_every: Duration::ZERO,
        ..Config::default()
    }
}

/// A router with some peers, and no beacons.
pub(super) fn with_peers(peers: u32) -> Router<u32> {
    let mut router = router(quiet(), 1);
    for peer in 0..peers {
        router.joined(ms(0), peer);
    }
    router
}

pub(super) fn item(byte: u8) -> Item {
    Item { topic: Topic::Tx, data: Payload(vec![byte; 100].into()) }
}

pub(super) fn id(byte: u8) -> MessageId {
    identify(Topic::Tx, &[byte; 100])
}

pub(super) fn short(byte: u8) -> ShortId {
    short_of(&id(byte))
}

pub(super) fn push(bytes: &[u8]) -> Part {
    Part::Messages { origin: ORIGIN, items: bytes.iter().map(|byte| item(*byte)).collect() }
}

pub(super) fn give(byte: u8) -> Part {
    Part::Asked { items: vec![(ORIGIN, item(byte))] }
}

pub(super) fn receive(
    router: &mut Router<u32>,
    now: u64,
    from: u32,
    part: Part,
) -> Vec<Heard<u32>> {
    let mut out = Vec::new();
    router.received(ms(now), from, Frame { parts: vec![part] }, &mut out);
    out
}

/// A message comes and is accepted.
pub(super) fn accept(router: &mut Router<u32>, now: u64, from: u32, byte: u8) {
    receive(router, now, from, push(&[byte]));
    router.judged(ms(now), &id(byte), Verdict::Accept);
}

/// All that is sent to a peer by then, after a tick.
pub(super) fn sent(router: &mut Router<u32>, now: u64, peer: u32) -> Vec<Part> {
    let mut out = Vec::new();
    router.tick(ms(now), &mut out);
    let frames = std::iter::from_fn(|| router.next_frame(ms(now), &peer));
    frames.flat_map(|frame| frame.parts).collect()
}

pub(super) fn tick(router: &mut Router<u32>, now: u64) -> Vec<Heard<u32>> {
    let mut out = Vec::new();
    router.tick(ms(now), &mut out);
    out
}

pub(super) fn settled(heard: &[Heard<u32>]) -> Option<[u32; 3]> {
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
fn what_waited_for_a_peer_that_left_ends_with_its_next_round() {
    let mut router = with_peers(2);
    router.publish(ms(10), Topic::Tx, vec![1; 100], false);
    receive(&mut router, 20, 1, Part::Have(vec![short(1)]));
    router.left(ms(500), &0);
    assert_eq!(settled(&tick(&mut router, 900)), None);
    assert_eq!(settled(&tick(&mut router, 1_010)), Some([1, 0, 0]));
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
    assert_eq!(sent(&mut router, 170, 0), std::slice::from_ref(&given));
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
