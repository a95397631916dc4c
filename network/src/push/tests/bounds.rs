//! Whatever peers send: nothing panics, and nothing grows beyond its bounds.

use hearsay_chain::Verdict;
use proptest::prelude::*;

use super::sim::{identify, ms, router};
use crate::push::message::{MAX_CACHED_BYTES, MAX_SEEN, short_of};
use crate::push::missing::{MAX_IN_ALL, MAX_OF_PEER};
use crate::push::peer::MAX_UNJUDGED;
use crate::push::queues::{MAX_BEACONS, MAX_SAID};
use crate::push::tree::MAX_ORIGINS;
use crate::push::{
    Config, Frame, Heard, Item, MAX_IDS, MessageId, Origin, Part, Payload, Router, ShortId,
};
use crate::topic::Topic;

/// Few, so that they meet.
fn origin() -> impl Strategy<Value = Origin> {
    (0u64..6).prop_map(Origin)
}

fn item() -> impl Strategy<Value = Item> {
    (0u8..12, prop::bool::ANY).prop_map(|(byte, block)| Item {
        topic: if block { Topic::Block } else { Topic::Tx },
        data: Payload(vec![byte; 40].into()),
    })
}

fn short() -> impl Strategy<Value = ShortId> {
    let known = item().prop_map(|item| short_of(&identify(item.topic, &item.data.0)));
    prop_oneof![4 => known, 1 => 0u64..20]
}

fn part() -> impl Strategy<Value = Part> {
    let ids = || prop::collection::vec(short(), 0..6);
    let origins = || prop::collection::vec(origin(), 0..4);
    let given = (origin(), item());
    prop_oneof![
        (origin(), prop::collection::vec(item(), 0..4))
            .prop_map(|(origin, items)| Part::Messages { origin, items }),
        prop::collection::vec(given, 0..4).prop_map(|items| Part::Asked { items }),
        ids().prop_map(Part::Have),
        ids().prop_map(Part::Refused),
        ids().prop_map(Part::Want),
        ids().prop_map(Part::Gone),
        origins().prop_map(Part::Lazy),
        origins().prop_map(Part::Eager),
        (origin(), 0u64..5).prop_map(|(origin, number)| Part::Beacon { origin, number }),
    ]
}

#[derive(Clone, Debug)]
enum Step {
    Frame(u8, Vec<Part>),
    Judge(usize, u8),
    Publish(u8, bool),
    Join(u8),
    Leave(u8),
    Wait(u64),
    Send(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0u8..4, prop::collection::vec(part(), 0..5)).prop_map(|(p, it)| Step::Frame(p, it)),
        4 => (0usize..8, 0u8..3).prop_map(|(which, verdict)| Step::Judge(which, verdict)),
        1 => (0u8..12, prop::bool::ANY).prop_map(|(byte, lazily)| Step::Publish(byte, lazily)),
        1 => (0u8..4).prop_map(Step::Join),
        1 => (0u8..4).prop_map(Step::Leave),
        4 => prop_oneof![0u64..300, 0u64..40_000].prop_map(Step::Wait),
        4 => (0u8..4).prop_map(Step::Send),
    ]
}

fn check(router: &Router<u8>) {
    let size = router.size();
    assert!(size.seen <= MAX_SEEN + MAX_SEEN / 8 + 1);
    assert!(size.cached_bytes <= MAX_CACHED_BYTES);
    assert!(size.missing <= MAX_IN_ALL && size.origins <= MAX_ORIGINS);
    let peers = router.peers().count();
    assert!(size.said <= peers * (5 * MAX_SAID + MAX_BEACONS));
    assert!(router.peers().all(|peer| router.unjudged(&peer) <= MAX_UNJUDGED));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_sequence_of_frames_breaks_a_router(
        steps in prop::collection::vec(step(), 0..150),
        eager in prop::bool::ANY,
    ) {
        let config = if eager { Config::default() } else { Config::announce() };
        let mut router: Router<u8> = router(config, 1);
        let (mut now, mut out) = (ms(0), Vec::new());
        let mut owed: Vec<MessageId> = Vec::new();
        router.joined(now, 0);
        router.joined(now, 1);
        for step in steps {
            match step {
                Step::Frame(peer, parts) => router.received(now, peer, Frame { parts }, &mut out),
                Step::Judge(which, verdict) if !owed.is_empty() => {
                    let message = owed.swap_remove(which % owed.len());
                    let verdicts = [Verdict::Accept, Verdict::Ignore, Verdict::Reject];
                    router.judged(now, &message, verdicts[usize::from(verdict)]);
                }
                Step::Judge(..) => {}
                Step::Publish(byte, lazily) => {
                    router.publish(now, Topic::Tx, vec![byte; 40], lazily);
                }
                Step::Join(peer) => router.joined(now, peer),
                Step::Leave(peer) => router.left(now, &peer),
                Step::Wait(time) => {
                    now += ms(time);
                    router.tick(now, &mut out);
                }
                Step::Send(peer) => {
                    while let Some(frame) = router.next_frame(now, &peer) {
                        prop_assert_eq!(Frame::decode(&frame.encode(), 1 << 20), Ok(frame));
                    }
                }
            }
            for heard in out.drain(..) {
                if let Heard::Message { message, .. } = heard {
                    owed.push(message);
                }
            }
            check(&router);
        }
        // Left alone it comes to rest, and forgets.
        for peer in 0..4 {
            router.left(now, &peer);
        }
        let mut rounds = 0;
        while let Some(at) = router.wake_at() {
            if router.beacons.at == Some(at) && router.size().seen == 0 {
                break;
            }
            now = now.max(at);
            router.tick(now, &mut out);
            rounds += 1;
            prop_assert!(rounds < 3_000, "it wakes without end");
        }
        prop_assert_eq!((router.size().seen, router.size().missing), (0, 0));
    }
}

fn receive(router: &mut Router<u8>, from: u8, part: Part) -> Vec<Heard<u8>> {
    let mut out = Vec::new();
    router.received(ms(1), from, Frame { parts: vec![part] }, &mut out);
    out
}

fn dropped(heard: &[Heard<u8>]) -> u64 {
    let count = |heard: &Heard<u8>| match heard {
        Heard::Dropped { count, .. } => *count,
        _ => 0,
    };
    heard.iter().map(count).sum()
}

#[test]
fn what_peers_announce_without_end_is_dropped_and_counted() {
    let mut router: Router<u8> = router(Config::default(), 1);
    let mut lost = 0;
    for peer in 0..12 {
        router.joined(ms(0), peer);
        for round in 0..10u64 {
            let first = (u64::from(peer) * 10 + round) * MAX_IDS as u64;
            let ids = (first..first + MAX_IDS as u64).collect();
            lost += dropped(&receive(&mut router, peer, Part::Have(ids)));
        }
    }
    assert_eq!(router.size().missing, MAX_IN_ALL);
    assert_eq!(lost as usize, 12 * 10 * MAX_IDS - MAX_IN_ALL);
    const { assert!(MAX_OF_PEER * 12 > MAX_IN_ALL) };
    check(&router);
}

#[test]
fn origins_made_up_without_end_take_each_others_place() {
    let mut router: Router<u8> = router(Config::default(), 1);
    router.joined(ms(0), 0);
    router.joined(ms(0), 1);
    for number in 0..10_000 {
        receive(&mut router, 0, Part::Beacon { origin: Origin(number + 5_000), number });
        let lazy = (0..50).map(|it| Origin(1_000_000 + number * 50 + it)).collect();
        receive(&mut router, 0, Part::Lazy(lazy));
    }
    assert!(router.size().origins <= MAX_ORIGINS);
    assert!(router.size().said <= 2 * (MAX_SAID + MAX_BEACONS));
}

/// Honest origins of which each has a tree.
const HONEST: u64 = 50;

/// A router with a tree of each honest origin: peer 0 pushes, peer 1 was told to be lazy.
fn with_trees() -> Router<u8> {
    let mut router: Router<u8> = router(Config::default(), 1);
    (0..3).for_each(|peer| router.joined(ms(0), peer));
    for number in 0..HONEST {
        let data = Payload(number.to_le_bytes().as_slice().into());
        let id = identify(Topic::Tx, &data.0);
        let items = vec![Item { topic: Topic::Tx, data }];
        let part = Part::Messages { origin: Origin(2_000 + number), items };
        receive(&mut router, 0, part.clone());
        receive(&mut router, 1, part);
        router.judged(ms(1), &id, Verdict::Accept);
    }
    router
}

/// Whether each honest origin still has its tree, with the peer that pushes in it.
fn has_its_trees(router: &mut Router<u8>) -> bool {
    let mut has =
        |number| router.trees.known(Origin(2_000 + number)).is_some_and(|it| it.has_parent());
    (0..HONEST).all(&mut has)
}

/// How many of a new message of each honest origin are pushed to peer 2, which told us to be lazy: one
/// for each tree that was lost.
fn pushed_again(router: &mut Router<u8>) -> usize {
    while router.next_frame(ms(10), &2).is_some() {}
    for number in 0..HONEST {
        let data = Payload((1_000 + number).to_le_bytes().as_slice().into());
        let id = identify(Topic::Tx, &data.0);
        let items = vec![Item { topic: Topic::Tx, data }];
        receive(router, 0, Part::Messages { origin: Origin(2_000 + number), items });
        router.judged(ms(10), &id, Verdict::Accept);
    }
    let frames = std::iter::from_fn(|| router.next_frame(ms(10), &2));
    let parts = frames.flat_map(|frame| frame.parts);
    let items = parts.map(|part| match part {
        Part::Messages { items, .. } => items.len(),
        _ => 0,
    });
    items.sum()
}

#[test]
fn copies_of_a_refused_message_under_made_up_origins_wipe_no_tree() {
    let mut router = with_trees();
    receive(&mut router, 2, Part::Lazy((0..HONEST).map(|it| Origin(2_000 + it)).collect()));
    let refused = Item { topic: Topic::Tx, data: Payload([7].as_slice().into()) };
    let copy = |origin| Part::Messages { origin: Origin(origin), items: vec![refused.clone()] };
    receive(&mut router, 1, copy(2_000));
    router.judged(ms(1), &identify(Topic::Tx, &[7]), Verdict::Reject);
    let before = router.size().origins;
    for number in 0..2 * MAX_ORIGINS as u64 {
        receive(&mut router, 1, copy(1_000_000 + number));
    }
    assert!(has_its_trees(&mut router));
    assert_eq!(router.size().origins, before);
    assert_eq!(pushed_again(&mut router), 0, "who was lazy is pushed nothing");
}

#[test]
fn beacons_of_made_up_origins_wipe_no_tree() {
    let mut router = with_trees();
    receive(&mut router, 2, Part::Lazy((0..HONEST).map(|it| Origin(2_000 + it)).collect()));
    let before = router.size().origins;
    for number in 0..2 * MAX_ORIGINS as u64 {
        let from = if number % 2 == 0 { 1 } else { 2 };
        receive(&mut router, from, Part::Beacon { origin: Origin(1_000_000 + number), number: 1 });
    }
    assert!(has_its_trees(&mut router));
    // As many as are passed on at once.
    assert_eq!(router.size().origins, before + 512);
    assert_eq!(pushed_again(&mut router), 0, "who was lazy is pushed nothing");
    // Known ones go on as before.
    let known = Part::Beacon { origin: Origin(2_000), number: 1 };
    receive(&mut router, 0, known);
    assert!(has_its_trees(&mut router));
}

#[test]
fn messages_without_a_verdict_are_bounded_for_each_peer() {
    let mut router: Router<u8> = router(Config::default(), 1);
    router.joined(ms(0), 0);
    let mut lost = 0;
    for number in 0..MAX_UNJUDGED as u64 + 100 {
        let data = Payload(number.to_le_bytes().as_slice().into());
        let items = vec![Item { topic: Topic::Tx, data }];
        lost += dropped(&receive(&mut router, 0, Part::Messages { origin: Origin(7), items }));
    }
    assert_eq!((router.unjudged(&0), lost), (MAX_UNJUDGED, 100));
}

#[test]
fn messages_at_hand_are_bounded_by_their_bytes() {
    let mut router: Router<u8> = router(Config::default(), 1);
    for number in 0..40u64 {
        let mut data = vec![0; 1 << 20];
        data[..8].copy_from_slice(&number.to_le_bytes());
        router.publish(ms(number), Topic::Block, data, false);
        check(&router);
    }
    assert_eq!(router.size().cached_bytes, MAX_CACHED_BYTES);
}
