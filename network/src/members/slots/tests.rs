//! Tests of the plan for one node.

use std::collections::BTreeSet;

use super::*;
use crate::members::profile::Key;

/// What there is around one node; what it decides comes true at once.
struct World {
    slots: Slots,
    known: Vec<Known>,
    connected: Vec<Connected>,
    now: Duration,
    /// Dials and drops so far.
    dialled: Vec<PeerId>,
    dropped: Vec<PeerId>,
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn peer(n: u8) -> PeerId {
    Key([n; 32]).to_peer_id()
}

/// The member number `n`, with a round trip of so many milliseconds.
fn member(n: u8) -> Known {
    let addresses = vec![format!("/ip4/127.0.0.1/tcp/{}", 1_000 + u16::from(n)).parse().unwrap()];
    let rtt = Some(Duration::from_millis(10 * u64::from(n)));
    let load = Load::default();
    Known { peer: peer(n), addresses, alive: true, rtt, load, introducer: None }
}

impl World {
    fn new(members: impl IntoIterator<Item = u8>, seed: u64) -> Self {
        let slots = Slots::new(SlotsConfig::default(), peer(0), seed);
        let known = members.into_iter().map(member).collect();
        let (connected, now) = (Vec::new(), seconds(1));
        Self { slots, known, connected, now, dialled: Vec::new(), dropped: Vec::new() }
    }

    fn connect(&mut self, n: u8, outbound: bool, protected: bool) {
        let rtt = member(n).rtt;
        self.connected.push(Connected { peer: peer(n), outbound, rtt, since: self.now, protected });
    }

    fn decide(&mut self) -> Vec<Decision> {
        self.slots.decide(self.now, &self.known, &self.connected)
    }

    /// One second passes, and what was decided comes true.
    fn step(&mut self) {
        self.now += seconds(1);
        for decision in self.decide() {
            match decision {
                Decision::Dial(peer, _) => {
                    self.dialled.push(peer);
                    let known = self.known.iter().find(|known| known.peer == peer);
                    let rtt = known.and_then(|known| known.rtt);
                    let since = self.now;
                    self.connected.push(Connected {
                        peer,
                        outbound: true,
                        rtt,
                        since,
                        protected: false,
                    });
                }
                Decision::Drop(peer) => {
                    self.dropped.push(peer);
                    self.connected.retain(|c| c.peer != peer);
                }
            }
        }
    }

    fn steps(&mut self, steps: usize) {
        (0..steps).for_each(|_| self.step());
    }

    fn of_kind(&self, kind: Kind) -> BTreeSet<PeerId> {
        let peers = self.connected.iter().map(|c| c.peer);
        peers.filter(|peer| self.slots.kind(peer) == Some(kind)).collect()
    }

    fn lose(&mut self, peer: PeerId) {
        self.connected.retain(|c| c.peer != peer);
        self.known.retain(|known| known.peer != peer);
    }
}

#[test]
fn all_slots_are_filled_a_few_dials_at_a_time() {
    let mut world = World::new(1..=30, 1);
    let first = world.decide();
    assert_eq!(first.len(), 4);
    assert!(world.decide().is_empty(), "as many as may be are on their way");
    let mut world = World::new(1..=30, 1);
    world.steps(3);
    assert_eq!(world.connected.len(), 8);
    assert_eq!([Kind::Near, Kind::Random, Kind::Far].map(|k| world.of_kind(k).len()), [3, 3, 2]);
}

#[test]
fn the_nearest_and_the_far_are_found() {
    let mut world = World::new(1..=30, 2);
    world.steps(60);
    let near = world.of_kind(Kind::Near).union(&world.of_kind(Kind::Random)).copied().collect();
    assert!(BTreeSet::from([1, 2, 3].map(peer)).is_subset(&near), "near, unless drawn at random");
    let far: BTreeSet<PeerId> = (20..=30).map(peer).collect();
    assert!(world.of_kind(Kind::Far).is_subset(&far));
}

#[test]
fn the_dead_are_replaced_at_once() {
    let mut world = World::new(1..=30, 3);
    world.steps(5);
    let dead: Vec<PeerId> = world.connected.iter().take(3).map(|c| c.peer).collect();
    dead.iter().for_each(|peer| world.lose(*peer));
    world.step();
    assert_eq!(world.connected.len(), 8);
    world.step();
    assert!(dead.iter().all(|peer| world.slots.kind(peer).is_none()));
}

#[test]
fn a_member_that_cannot_be_reached_is_tried_ever_less_often() {
    let mut world = World::new([1], 4);
    let mut dials = Vec::new();
    while world.now < seconds(300) {
        if !world.decide().is_empty() {
            dials.push(world.now);
            world.slots.failed(&peer(1), world.now);
        }
        world.now += Duration::from_millis(50);
    }
    let gaps: Vec<Duration> = dials.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(gaps.first(), Some(&Duration::from_millis(250)));
    assert!(gaps.is_sorted() && gaps.last() == Some(&seconds(60)), "{gaps:?}");
}

#[test]
fn a_dial_that_nobody_answers_for_ends() {
    let mut world = World::new([1], 5);
    assert_eq!(world.decide().len(), 1);
    world.now += DIAL_LIMIT;
    assert_eq!(world.decide(), []);
    world.now += seconds(1);
    assert_eq!(world.decide().len(), 1);
}

#[test]
fn members_that_are_much_alike_do_not_take_turns() {
    let mut world = World::new(1..=30, 6);
    // Ten milliseconds apart at first; now all within a fifth of each other, and not still.
    world.slots.config.rotation = seconds(1_000_000);
    for round in 0..300u64 {
        for (n, known) in (0u64..).zip(world.known.iter_mut()) {
            known.rtt = Some(Duration::from_millis(100 + (n * 7 + round * 13) % 20));
        }
        for c in &mut world.connected {
            c.rtt = world.known.iter().find(|known| known.peer == c.peer).and_then(|k| k.rtt);
        }
        world.step();
    }
    assert_eq!((world.dialled.len(), world.dropped.len()), (8, 0));
}

#[test]
fn a_clearly_nearer_member_replaces_the_furthest_of_the_near() {
    let mut world = World::new(10..=40, 7);
    world.slots.config.rotation = seconds(1_000_000);
    world.steps(60);
    let (near, drops) = (world.of_kind(Kind::Near), world.dropped.len());
    world.known.push(member(2));
    for _ in 0..60 {
        world.step();
        assert!(world.connected.len() >= 8);
    }
    assert!(world.of_kind(Kind::Near).contains(&peer(2)));
    assert_eq!(world.of_kind(Kind::Near).difference(&near).count(), 1);
    assert_eq!((world.dropped.len() - drops, world.connected.len()), (1, 8));
}

#[test]
fn one_random_slot_at_a_time_changes_hands() {
    let mut world = World::new(1..=60, 8);
    world.steps(120);
    for _ in 0..10 {
        let before = world.of_kind(Kind::Random);
        // Sixty members are a crowd of three: so many times 180 seconds.
        for _ in 0..540 {
            world.step();
            assert!(world.connected.len() >= 8);
        }
        let kept = world.of_kind(Kind::Random).intersection(&before).count();
        assert!((1..=2).contains(&kept), "one a period, or two at the edge: {kept} of 3 kept");
    }
}

#[test]
fn whoever_connects_often_does_not_surround_a_node() {
    let mut world = World::new(1..=100, 9);
    // All those inbound are as near as can be.
    (1..=16).for_each(|n| world.connect(n, false, false));
    world.steps(60);
    let random = world.of_kind(Kind::Random);
    assert_eq!(random.len(), 3);
    assert!(random.iter().all(|peer| world.dialled.contains(peer)));
    assert!(world.connected.len() <= world.slots.config.most);
}

#[test]
fn those_told_by_one_member_do_not_fill_all_slots() {
    for seed in 0..20 {
        let mut world = World::new(1..=60, seed);
        world.known.iter_mut().take(50).for_each(|known| known.introducer = Some(peer(60)));
        world.steps(5);
        let told = world.connected.iter().filter(|c| {
            world.known.iter().any(|known| known.peer == c.peer && known.introducer.is_some())
        });
        assert!(told.count() <= 4);
    }
}

#[test]
fn one_block_of_addresses_does_not_fill_all_slots() {
    for seed in 0..20 {
        let mut world = World::new(1..=60, seed);
        for (n, known) in (1u16..).zip(world.known.iter_mut()) {
            let block = if n <= 50 { 0 } else { n };
            known.addresses = vec![format!("/ip4/8.{block}.0.{n}/tcp/1").parse().unwrap()];
        }
        world.steps(5);
        let inside = world.connected.iter().filter(|c| (1..=50).map(peer).any(|p| p == c.peer));
        assert!(inside.count() <= 2);
    }
}

#[test]
fn random_slots_are_drawn_from_all_alike() {
    let mut counts = [0usize; 40];
    for seed in 0..1_000 {
        let mut world = World::new(1..=40, seed);
        world.slots.config = SlotsConfig { near: 0, far: 0, ..SlotsConfig::default() };
        // Half are told by one, which the cap does not reach here.
        world.known.iter_mut().skip(20).for_each(|known| known.introducer = Some(peer(1)));
        world.step();
        for (n, count) in (1u8..).zip(counts.iter_mut()) {
            *count += usize::from(world.dialled.contains(&peer(n)));
        }
    }
    // Binomial with 75 expected: the standard deviation is 8.3.
    assert!(counts.iter().all(|count| (40..=110).contains(count)), "{counts:?}");
}

#[test]
fn the_overloaded_and_the_suspected_are_spared() {
    let mut world = World::new(1..=30, 10);
    world.known.iter_mut().take(10).for_each(|known| known.load.busy = 200);
    world.known.iter_mut().skip(10).take(10).for_each(|known| known.alive = false);
    world.steps(5);
    let expected: BTreeSet<PeerId> = (21..=30).map(peer).collect();
    assert!(world.connected.len() == 8 && world.dialled.iter().all(|p| expected.contains(p)));
    // But if there is nobody else, an overloaded one is better than none.
    world.known.truncate(12);
    world.connected.clear();
    world.steps(5);
    assert!(world.connected.iter().all(|c| (1..=10).map(peer).any(|p| p == c.peer)));
    assert_eq!(world.connected.len(), 8);
}

#[test]
fn what_others_made_is_closed_beyond_the_most_the_youngest_first() {
    let mut world = World::new(1..=40, 11);
    world.connect(40, false, true);
    for n in 1..=30 {
        world.connect(n, false, false);
        world.now += Duration::from_millis(10);
    }
    assert!(!world.decide().iter().any(|d| matches!(d, Decision::Drop(_))), "all have some time");
    world.steps(30);
    assert!(world.connected.iter().any(|c| c.peer == peer(40)), "protected");
    assert_eq!(world.connected.len(), world.slots.config.most);
    assert!(world.connected.iter().any(|c| c.peer == peer(1)), "the oldest stays");
    assert!(world.dropped.contains(&peer(30)));
}

#[test]
fn nobody_is_dropped_to_be_dialled_again() {
    let mut world = World::new(1..=12, 12);
    (1..=12).for_each(|n| world.connect(n, n % 2 == 0, false));
    world.steps(600);
    let again = world.dropped.iter().filter(|peer| world.dialled.contains(peer)).count();
    assert!(again <= 4, "{again} within ten minutes");
    assert!(world.connected.len() >= 8);
}

#[test]
fn a_node_never_dials_itself_or_whom_it_has() {
    let mut world = World::new(0..=5, 13);
    world.connect(5, false, false);
    world.steps(10);
    assert_eq!(world.dialled.iter().collect::<BTreeSet<_>>().len(), 4);
    assert_eq!(world.dialled.len(), 4);
    assert!(!world.dialled.contains(&peer(0)) && !world.dialled.contains(&peer(5)));
}

#[test]
fn the_same_seed_decides_alike() {
    let run = |seed| {
        let mut world = World::new(1..=30, seed);
        world.steps(400);
        (world.dialled, world.dropped)
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}
