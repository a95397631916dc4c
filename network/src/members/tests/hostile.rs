//! A member that lies, and neighbours that send rubbish.

use std::collections::BTreeSet;
use std::time::Duration;

use libp2p::identity::Keypair;
use rand::RngExt;

use super::super::codec::{Claim, Standing, Word};
use super::super::envelope::{Body, Frame, Held, MAX_FRAME, Sealed, Swim};
use super::super::identity::Id;
use super::super::load::Load;
use super::super::profile::{Key, Profile, Role, SignedProfile};
use super::super::rumour::{Accusation, Leave, Rumour};
use super::sim::{BORN, GENESIS, Sim, keypair, ms, secs};
use crate::members::{Change, MemberView, State};

/// The incarnation as datagrams carry it: without the generation.
fn refuted(view: &MemberView) -> u16 {
    u16::try_from(view.incarnation & 0xffff).unwrap()
}

/// Node 0 of the network is in the hands of somebody who speaks its protocol and signs with its key.
pub(super) struct Liar {
    pub(super) counter: u64,
}

impl Liar {
    fn sealed(&mut self, sim: &Sim, dst: usize, body: Body) -> Sealed {
        self.counter += 1;
        let own = sim.nodes[0].machine.members(sim.now).swap_remove(0);
        Sealed {
            src: key(0),
            dst: key(dst),
            generation: own.generation,
            incarnation: refuted(&own),
            // Far above what the honest machine under the same key has used.
            counter: 1_000_000 + self.counter,
            load: Load::default(),
            held: None,
            body,
        }
    }

    pub(super) fn send(&mut self, sim: &mut Sim, dst: usize, body: Body) {
        let frame = self.sealed(sim, dst, body).seal(&keypair(0), &GENESIS);
        sim.transmit(0, dst, frame);
    }

    fn claim(&mut self, sim: &mut Sim, dst: usize, claims: Vec<Claim>) {
        let to = sim.nodes[dst].machine.members(sim.now)[0].generation;
        let swim = Swim { to, word: Word::Gossip, claims, rumours: vec![] };
        self.send(sim, dst, Body::Swim(swim));
    }
}

pub(super) fn key(number: usize) -> Key {
    Key::of(&keypair(number).public().to_peer_id()).unwrap()
}

pub(super) fn id(number: usize) -> Id {
    Id { key: key(number), generation: BORN }
}

/// All of ten know each other, and all are linked.
fn network(seed: u64) -> Sim {
    let mut sim = Sim::settled(10, 9, seed);
    (1..10).for_each(|node| sim.link(0, node));
    sim.run(secs(10));
    sim
}

/// The honest hold each other to be there, and nobody else but the liar, and never held one of them
/// to be down. The liar itself may be: what its machine sends comes second to what it forges.
fn unharmed(sim: &Sim) {
    for node in 1..10 {
        let mut there = sim.alive_with(node);
        there.extend([0, node]);
        assert_eq!(there, (0..10).collect(), "node {node}");
        assert_eq!(sim.nodes[node].machine.members(sim.now).len(), 10);
        let liar = sim.nodes[0].peer;
        let news = sim.nodes[node].news.iter().map(|(_, news)| news);
        let downs = news.filter(|news| matches!(news.change, Change::Down(_)));
        assert_eq!(downs.filter(|news| news.member.peer != liar).count(), 0, "node {node}");
    }
}

#[test]
fn forged_incarnations_near_the_limit_move_nothing() {
    let mut sim = network(1);
    let mut liar = Liar { counter: 0 };
    for incarnation in [u16::MAX, u16::MAX - 1, 1_000] {
        for standing in [Standing::Alive, Standing::Suspect, Standing::Down] {
            for dst in 1..10 {
                liar.claim(&mut sim, dst, vec![Claim { id: id(4), incarnation, standing }]);
            }
            sim.run(secs(2));
        }
    }
    sim.run(secs(10));
    unharmed(&sim);
    for node in 1..10 {
        let peer = sim.nodes[4].peer;
        let view = sim.nodes[node].machine.member_view(sim.now, &peer).unwrap();
        assert!(view.incarnation < 16, "{}", view.incarnation);
        assert_eq!(view.generation, BORN);
        if node != 4 {
            assert!(sim.nodes[node].machine.stats().unproved >= 9);
        }
    }
}

#[test]
fn a_lie_about_a_death_is_refuted_again_and_again() {
    lie_about_a_death(10, secs(5));
}

#[test]
fn a_lie_about_a_death_twice_a_second_is_refuted_too() {
    lie_about_a_death(60, ms(500));
}

/// So many lies to all but their subject, so far apart; nobody is harmed.
fn lie_about_a_death(lies: usize, apart: Duration) {
    let mut sim = network(2);
    let mut liar = Liar { counter: 0 };
    for _ in 0..lies {
        let peer = sim.nodes[4].peer;
        for dst in [1, 2, 3, 5, 6, 7, 8, 9] {
            let view = sim.nodes[dst].machine.member_view(sim.now, &peer).unwrap();
            let id = Id { key: key(4), generation: view.generation };
            let incarnation = refuted(&view);
            let claim = Claim { id, incarnation, standing: Standing::Down };
            liar.claim(&mut sim, dst, vec![claim]);
        }
        sim.run(apart);
    }
    sim.run(secs(10));
    unharmed(&sim);
    assert!(sim.nodes[4].machine.stats().refutations >= 5);
}

#[test]
fn a_thousand_invented_members_are_on_no_list_and_cost_little() {
    let mut sim = network(3);
    let mut liar = Liar { counter: 0 };
    let mut invented = vec![];
    for _ in 0..1_000 {
        let key = Key(sim.random.random());
        invented.push(Claim {
            id: Id { key, generation: BORN },
            incarnation: 0,
            standing: Standing::Alive,
        });
    }
    for chunk in invented.chunks(20) {
        for dst in 1..10 {
            liar.claim(&mut sim, dst, chunk.to_vec());
        }
        sim.run(ms(100));
    }
    let candidates = sim.nodes[1].machine.stats().candidates;
    assert!(candidates <= 256, "{candidates}");
    sim.run(secs(120));
    unharmed(&sim);
    let stats = sim.nodes[1].machine.stats();
    assert_eq!(stats.candidates, 0, "all were given up");
    let peers: BTreeSet<_> = sim.nodes.iter().map(|node| node.peer).collect();
    for node in &sim.nodes[1..] {
        assert!(node.news.iter().all(|(_, news)| peers.contains(&news.member.peer)));
    }
}

#[test]
fn nobody_speaks_for_another() {
    let mut sim = network(4);
    let mut liar = Liar { counter: 0 };
    let thief = keypair(0);
    let farewell = Leave::sign(&thief, &GENESIS, id(4));
    let accusations: Vec<_> = (5..9)
        .map(|accuser| {
            let about = (id(4), 0);
            Rumour::Accusation(Accusation::sign(&thief, &GENESIS, key(accuser), about, true))
        })
        .collect();
    let profile = Profile {
        peer: key(4),
        generation: BORN + 1_000_000,
        number: 9,
        role: Role::Authority,
        version: "9".into(),
        name: "stolen".into(),
        addresses: vec![],
        neighbours: vec![],
    };
    let profile = SignedProfile::sign(profile, &GENESIS, &thief);
    for dst in [1, 2, 3] {
        liar.send(&mut sim, dst, Body::Rumours(vec![Rumour::Leave(farewell.clone())]));
        liar.send(&mut sim, dst, Body::Rumours(accusations.clone()));
        liar.send(&mut sim, dst, Body::Rumours(vec![Rumour::Profile(profile.clone())]));
        // A datagram in another's name, with its own signature under it.
        let hello = Body::Hello { nonce: 1, profile: Some(profile.clone()) };
        let mut sealed = liar.sealed(&sim, dst, hello);
        sealed.src = key(4);
        let frame = sealed.seal(&thief, &GENESIS);
        sim.transmit(0, dst, frame);
    }
    sim.run(secs(20));
    unharmed(&sim);
    for node in [1, 2, 3] {
        assert!(sim.nodes[node].machine.stats().forged >= 3);
        let peer = sim.nodes[4].peer;
        let view = sim.nodes[node].machine.member_view(sim.now, &peer).unwrap();
        assert_eq!((view.name.as_str(), view.generation), ("n4", BORN));
    }
}

#[test]
fn forged_profiles_of_a_victim_do_not_keep_its_restart_from_anybody() {
    let mut sim = network(11);
    let mut liar = Liar { counter: 0 };
    let peer = sim.nodes[4].peer;
    let others = [1, 2, 3, 5, 6, 7, 8, 9];
    let mut flood = |sim: &mut Sim, seconds: u64| {
        for round in 0..5 * seconds {
            for dst in others {
                let known = sim.nodes[dst].machine.member_view(sim.now, &peer).unwrap();
                let profile = Profile {
                    peer: key(4),
                    generation: known.generation,
                    number: 1_000_000 + u32::try_from(round).unwrap(),
                    role: Role::Relay,
                    version: "9".into(),
                    name: "forged".into(),
                    addresses: vec![],
                    neighbours: vec![],
                };
                let forged = SignedProfile::sign(profile, &GENESIS, &keypair(0));
                liar.send(sim, dst, Body::Rumours(vec![Rumour::Profile(forged)]));
            }
            sim.run(ms(200));
        }
    };
    flood(&mut sim, 20);
    sim.kill(4);
    flood(&mut sim, 5);
    sim.restart(4);
    flood(&mut sim, 15);
    for node in others {
        let view = sim.nodes[node].machine.member_view(sim.now, &peer).unwrap();
        assert!(view.generation > BORN, "node {node}");
        assert_eq!((view.state, view.name.as_str()), (State::Alive, "n4"), "node {node}");
        // Eight at once and one a second are looked at; 200 came.
        let forged = sim.nodes[node].machine.stats().forged;
        assert!((8..60).contains(&forged), "{forged}");
    }
}

#[test]
fn a_replayed_datagram_does_nothing() {
    let mut sim = network(5);
    let mut liar = Liar { counter: 0 };
    let mut frames = vec![];
    for _ in 0..5 {
        let body = Body::Hello { nonce: sim.random.random(), profile: None };
        frames.push(liar.sealed(&sim, 1, body).seal(&keypair(0), &GENESIS));
    }
    let before = sim.nodes[1].machine.stats();
    for _ in 0..4 {
        for frame in &frames {
            sim.transmit(0, 1, frame.clone());
        }
    }
    sim.run(ms(400));
    let after = sim.nodes[1].machine.stats();
    assert!(after.repeated >= before.repeated + 15);
    unharmed(&sim);
}

#[test]
fn being_told_that_it_is_down_makes_a_node_renew_once_a_minute_for_each_liar() {
    let mut sim = network(6);
    let mut liar = Liar { counter: 0 };
    for _ in 0..50 {
        let own = sim.nodes[4].machine.members(sim.now).swap_remove(0);
        let mut sealed =
            liar.sealed(&sim, 4, Body::Hello { nonce: sim.now.as_millis() as u64, profile: None });
        let (generation, incarnation) = (own.generation, refuted(&own));
        sealed.held = Some(Held { generation, incarnation, standing: Standing::Down });
        let frame = sealed.seal(&keypair(0), &GENESIS);
        sim.transmit(0, 4, frame);
        sim.run(ms(500));
    }
    assert_eq!(sim.nodes[4].machine.stats().renewals, 1);
    sim.run(secs(10));
    unharmed(&sim);
}

#[test]
fn a_member_that_signs_a_profile_after_another_is_not_passed_on() {
    let mut sim = network(10);
    let mut liar = Liar { counter: 0 };
    let sent = |sim: &Sim| -> u64 {
        sim.nodes[1..].iter().map(|node| node.machine.stats().sent.bytes).sum()
    };
    sim.run(secs(10));
    let idle = sent(&sim);
    sim.run(secs(10));
    let idle = sent(&sim) - idle;
    let before = sent(&sim);
    for number in 1_000..1_500 {
        let profile = Profile {
            peer: key(0),
            generation: sim.nodes[0].machine.members(sim.now)[0].generation,
            number,
            role: Role::Relay,
            version: "0".into(),
            name: "n0".into(),
            addresses: vec![],
            neighbours: (1..10).map(|n| key(n).short()).collect(),
        };
        let profile = SignedProfile::sign(profile, &GENESIS, &keypair(0));
        liar.send(&mut sim, 1, Body::Rumours(vec![Rumour::Profile(profile)]));
        sim.run(ms(20));
    }
    let flooded = sent(&sim) - before;
    println!("{idle} bytes idle, {flooded} bytes under 500 profiles");
    // Seven or eight of them go round, each as often as news does.
    assert!(flooded < 5 * idle);
    unharmed(&sim);
}

#[test]
fn loads_out_of_range_are_counted_and_bounded() {
    let mut sim = network(7);
    let absurd = Load { pool_kib: u32::MAX, busy: 255, height: u64::MAX, ..Load::default() };
    sim.transmit(0, 1, Frame::of_load(&absurd));
    sim.run(ms(200));
    let peer = sim.nodes[0].peer;
    let view = sim.nodes[1].machine.member_view(sim.now, &peer).unwrap();
    assert!(view.load.unwrap().0.sane());
    assert_eq!(sim.nodes[1].machine.stats().bad_loads, 1);
    assert_eq!(sim.nodes[1].offences.len(), 1);
}

#[test]
fn a_flood_is_cut_off_and_oversized_frames_are_an_offence() {
    let mut sim = network(8);
    for _ in 0..2_000 {
        sim.transmit(0, 1, vec![0; 40]);
    }
    sim.transmit(0, 2, vec![1; MAX_FRAME + 1]);
    sim.run(secs(1));
    assert!(sim.nodes[1].machine.stats().excess > 1_000);
    assert!(sim.nodes[1].offences.len() > 200, "each one that was looked at");
    assert_eq!(sim.nodes[2].offences[0].1, "oversized member frame");
    sim.run(secs(20));
    unharmed(&sim);
}

#[test]
fn a_greeting_from_a_key_that_answers_nothing_adds_nobody() {
    let mut sim = network(9);
    for number in 100..400 {
        let stranger: Keypair = keypair(number);
        let sealed = Sealed {
            src: key(number),
            dst: key(1),
            generation: BORN,
            incarnation: 0,
            counter: 1,
            load: Load::default(),
            held: None,
            body: Body::Hello { nonce: 1, profile: None },
        };
        let frame = sealed.seal(&stranger, &GENESIS);
        sim.transmit(0, 1, frame);
        sim.run(ms(20));
    }
    sim.run(secs(30));
    unharmed(&sim);
    let joined = sim.nodes[1].news.iter().filter(|(_, news)| news.change == Change::Joined);
    assert_eq!(joined.count(), 9);
    assert!(sim.nodes[1].machine.members(sim.now).iter().all(|m| m.state == State::Alive));
}
