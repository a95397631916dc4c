//! Ids, turns and copies without end: who floods is charged, and what it says is not looked at. Whoever keeps
//! the rules never is, whatever happens to it.

use std::time::Duration;

use hearsay_chain::Verdict;

use super::sim::{Act, Sim, identify, ms, router};
use crate::push::queues::MAX_SAID;
use crate::push::{
    Config, Frame, Heard, Item, MAX_IDS, MAX_ITEMS, Origin, Part, Payload, Router, ShortId,
};
use crate::topic::Topic;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What came of a frame with a part: what was thrown away, by name, and the offences.
fn receive(router: &mut Router<u8>, now: Duration, part: Part) -> (u64, u64, u64) {
    let (mut out, mut sums) = (Vec::new(), (0, 0, 0));
    router.received(now, 0, Frame { parts: vec![part] }, &mut out);
    for heard in out {
        match heard {
            Heard::Dropped { place: "push-ids", count } => sums.0 += count,
            Heard::Dropped { place: "push-turns", count } => sums.1 += count,
            Heard::Offence { what: "a flood of ids and turns", .. } => sums.2 += 1,
            _ => {}
        }
    }
    sums
}

fn ids(turn: u64) -> Vec<ShortId> {
    (0..MAX_IDS as u64).map(|number| turn << 32 | number).collect()
}

/// The frames that leave for a peer now, and the beacons in them.
fn leaving(router: &mut Router<u8>, now: Duration, to: u8) -> (u64, u64) {
    router.tick(now, &mut Vec::new());
    let frames: Vec<Frame> = std::iter::from_fn(|| router.next_frame(now, &to)).collect();
    let parts = frames.iter().flat_map(|frame| &frame.parts);
    let beacons = parts.filter(|part| matches!(part, Part::Beacon { .. })).count();
    (frames.len() as u64, beacons as u64)
}

#[test]
fn beacons_of_origins_that_never_were_leave_in_few_frames_and_others_not_later_for_it() {
    let mut router: Router<u8> = router(Config::default(), 1);
    (0..3).for_each(|peer| router.joined(ms(0), peer));
    leaving(&mut router, ms(2_000), 2);
    let (mut frames, mut beacons) = (0, 0);
    // One makes up 800 origins a second for five seconds, another tells of each a little later.
    for turn in 0..4_000u64 {
        let now = seconds(2) + ms(5) * u32::try_from(turn / 4).unwrap();
        for from in [0, 1] {
            let part = Part::Beacon { origin: Origin(5_000 + turn), number: 1 };
            router.received(now, from, Frame { parts: vec![part] }, &mut Vec::new());
        }
        let (left, told) = leaving(&mut router, now, 2);
        (frames, beacons) = (frames + left, beacons + told);
    }
    assert!((512..=512 + 5 * 64 + 1).contains(&beacons), "{beacons}");
    assert!(frames <= 64 + 5 * 20 + 10, "{frames} frames for {beacons} beacons");
    // A message waits for none of it.
    let now = seconds(7) + ms(1);
    router.publish(now, Topic::Tx, vec![7], false);
    let frame = router.next_frame(now, &2).unwrap();
    assert!(matches!(frame.parts[0], Part::Messages { .. }));
}

#[test]
fn a_hundred_who_start_at_once_are_told_of_without_delay() {
    let quiet = Config { beacon_every: Duration::ZERO, ..Config::default() };
    let mut router: Router<u8> = router(quiet, 1);
    (0..2).for_each(|peer| router.joined(ms(0), peer));
    leaving(&mut router, ms(2_000), 1);
    for turn in 0..100u64 {
        let now = seconds(2) + ms(20) * u32::try_from(turn).unwrap();
        let part = Part::Beacon { origin: Origin(5_000 + turn), number: 1 };
        router.received(now, 0, Frame { parts: vec![part] }, &mut Vec::new());
        assert_eq!(leaving(&mut router, now, 1), (1, 1), "the one of turn {turn}");
    }
}

#[test]
fn a_flood_of_ids_and_turns_is_mostly_thrown_away_and_charged() {
    let mut router: Router<u8> = router(Config::default(), 1);
    router.joined(ms(0), 0);
    let (mut said, mut dropped, mut offences) = ([0, 0], [0, 0], 0);
    for turn in 0..40 * 60 {
        let origins = || ids(turn).into_iter().map(Origin).collect();
        let part = match turn % 5 {
            0 => Part::Have(ids(turn)),
            1 => Part::Refused(ids(turn)),
            2 => Part::Gone(ids(turn)),
            3 => Part::Lazy(origins()),
            _ => Part::Eager(origins()),
        };
        said[usize::from(turn % 5 > 2)] += MAX_IDS as u64;
        let now = ms(turn * 25);
        let (of_ids, of_turns, charged) = receive(&mut router, now, part);
        dropped = [dropped[0] + of_ids, dropped[1] + of_turns];
        offences += charged;
        router.tick(now, &mut Vec::new());
    }
    let looked = [said[0] - dropped[0], said[1] - dropped[1]];
    assert!(looked[0] <= 32_768 + 60 * 8_192, "{looked:?} of {said:?}");
    assert!(looked[1] <= 8_192 + 60 * 4_096, "{looked:?} of {said:?}");
    assert!(offences >= 4, "{offences} offences, {dropped:?} of {said:?} thrown away");
}

#[test]
fn a_burst_of_twenty_thousand_is_looked_at_as_often_as_it_may_be_announced() {
    let mut router: Router<u8> = router(Config::default(), 1);
    router.joined(ms(0), 0);
    // At once, and in the rounds after one second and after four.
    for round in [0, 1_000, 4_000] {
        for turn in 0..10 {
            assert_eq!(receive(&mut router, ms(round), Part::Have(ids(turn))), (0, 0, 0));
        }
    }
}

#[test]
fn all_that_waits_for_a_peer_may_come_at_once() {
    let mut router: Router<u8> = router(Config::default(), 1);
    router.joined(ms(0), 0);
    let mut offences = 0;
    for turn in 0..MAX_SAID as u64 / MAX_IDS as u64 {
        for part in [Part::Have(ids(turn)), Part::Refused(ids(turn)), Part::Gone(ids(turn))] {
            offences += receive(&mut router, seconds(60), part).2;
        }
        let origins = || ids(turn).into_iter().map(Origin).collect();
        offences += receive(&mut router, seconds(60), Part::Lazy(origins())).2;
    }
    assert_eq!(offences, 0);
}

/// A message that was pushed and had this verdict.
fn judged(router: &mut Router<u8>, verdict: Verdict) -> Item {
    let item = Item { topic: Topic::Tx, data: Payload([7].as_slice().into()) };
    let part = Part::Messages { origin: Origin(7), items: vec![item.clone()] };
    router.received(ms(0), 0, Frame { parts: vec![part] }, &mut Vec::new());
    router.judged(ms(1), &identify(Topic::Tx, &[7]), verdict);
    item
}

/// What came of copies: events of copies, copies thrown away, and offences.
fn repeat(router: &mut Router<u8>, now: Duration, items: Vec<Item>) -> (u64, u64, u64) {
    let (mut out, mut sums) = (Vec::new(), (0, 0, 0));
    let part = Part::Messages { origin: Origin(7), items };
    router.received(now, 1, Frame { parts: vec![part] }, &mut out);
    for heard in out {
        match heard {
            Heard::Copy { .. } => sums.0 += 1,
            Heard::Dropped { place: "push-copies", count } => sums.1 += count,
            Heard::Offence { what: "a flood of copies", .. } => sums.2 += 1,
            _ => {}
        }
    }
    sums
}

#[test]
fn copies_of_one_message_without_end_are_mostly_thrown_away_and_charged() {
    for verdict in [Verdict::Accept, Verdict::Reject] {
        let mut router: Router<u8> = router(Config::default(), 1);
        (0..2).for_each(|peer| router.joined(ms(0), peer));
        let item = judged(&mut router, verdict);
        let (mut looked, mut dropped, mut offences) = (0, 0, 0);
        for frame in 0..100 {
            let items = vec![item.clone(); MAX_ITEMS];
            let came = repeat(&mut router, ms(100 * (frame + 1)), items);
            (looked, dropped, offences) = (looked + came.0, dropped + came.1, offences + came.2);
        }
        assert_eq!(looked + dropped, 100 * MAX_ITEMS as u64);
        assert!((32_768..=32_768 + 10 * 4_096).contains(&looked), "{looked} looked at");
        assert!(offences >= 4, "{offences} offences");
        assert_eq!(router.stats(&1).received.duplicates, 100 * MAX_ITEMS as u64);
    }
}

#[test]
fn whoever_sends_a_copy_that_is_thrown_away_is_still_known_to_have_the_message() {
    let mut router: Router<u8> = router(Config::default(), 1);
    (0..2).for_each(|peer| router.joined(ms(0), peer));
    let item = judged(&mut router, Verdict::Reject);
    for _ in 0..9 {
        repeat(&mut router, ms(2), vec![item.clone(); MAX_ITEMS]);
    }
    router.publish(ms(2), Topic::Tx, vec![9; 50], false);
    let of_ours = Item { topic: Topic::Tx, data: Payload(vec![9; 50].into()) };
    let mut out = Vec::new();
    let part = Part::Messages { origin: Origin(7), items: vec![of_ours] };
    router.received(ms(2), 1, Frame { parts: vec![part] }, &mut out);
    assert!(matches!(out[0], Heard::Taken { by: 1, .. }), "{out:?}");
    assert!(!out.iter().any(|heard| matches!(heard, Heard::Copy { .. })));
}

#[test]
fn a_burst_of_twenty_thousand_may_come_again_from_a_neighbour_at_once() {
    let mut router: Router<u8> = router(Config::default(), 1);
    (0..2).for_each(|peer| router.joined(ms(0), peer));
    let item = judged(&mut router, Verdict::Accept);
    for _ in 0..5 {
        let came = repeat(&mut router, ms(2), vec![item.clone(); 4_000]);
        assert_eq!(came, (4_000, 0, 0));
    }
}

/// A node that is everybody's neighbour, and a ring of the others.
fn with_hub(others: usize) -> Sim {
    let mut sim = Sim::new(others + 1, 2, &Config::default(), 1);
    for other in 2..others {
        sim.add_line(0, other, ms(40));
        sim.at(ms(500), Act::Join(0, other));
    }
    sim
}

fn nobody_was_charged(sim: &Sim) {
    assert_eq!(sim.offences, []);
    let thrown = sim
        .dropped
        .iter()
        .filter(|(place, _)| ["push-ids", "push-turns", "push-copies"].contains(place));
    assert_eq!(thrown.count(), 0, "{:?}", sim.dropped);
}

#[test]
fn nobody_is_charged_in_a_burst_among_fifty_neighbours() {
    let mut sim = with_hub(50);
    sim.load(2_000, seconds(3), seconds(4));
    sim.run(seconds(20));
    nobody_was_charged(&sim);
}

#[test]
fn nobody_is_charged_when_a_node_was_halted_for_half_a_minute() {
    let mut sim = with_hub(20);
    sim.at(seconds(4), Act::Halt(0));
    sim.at(seconds(34), Act::Resume(0));
    sim.load(100, seconds(3), seconds(36));
    sim.run(seconds(60));
    nobody_was_charged(&sim);
}

#[test]
fn nobody_is_charged_when_halves_that_were_apart_meet() {
    let mut sim = Sim::new(20, 6, &Config::default(), 1);
    let across = sim.lines().into_iter().filter(|(a, b)| (*a < 10) != (*b < 10));
    for (a, b) in across.collect::<Vec<_>>() {
        sim.at(seconds(5), Act::Part(a, b));
        sim.at(seconds(20), Act::Join(a, b));
    }
    sim.load(200, seconds(3), seconds(22));
    sim.run(seconds(40));
    nobody_was_charged(&sim);
}
