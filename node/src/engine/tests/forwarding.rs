//! Transactions that are handed in here and handed on to neighbours.

use std::collections::BTreeMap;
use std::time::Duration;

use hearsay_chain::{UnverifiedTx, codec};
use hearsay_network::PeerId;
use hearsay_network::choice::Strategy;
use hearsay_network::members::Load;
use hearsay_network::wire::{Request, Response, pack};

use super::desk::{Desk, asked, peer, penalises, publishes};
use super::sim::{MS, SECOND, Sim};
use crate::api::{Refused, Submitted, Taker, TxStatus};
use crate::engine::{Effect, Input, Neighbour, Surroundings, Token};
use crate::trace::event::Event;

fn own() -> PeerId {
    hearsay_network::peer_id(&[199; 32])
}

fn member(peer: PeerId, name: &str, busy: f64) -> Neighbour {
    let load = Load { busy: Load::busy_of(busy), ..Load::default() };
    let rtt = Some(Duration::from_millis(10));
    Neighbour { peer, name: name.to_owned(), load, rtt, alive: true }
}

/// A node with neighbours `n1`, `n2` and so on that are busy to these shares.
fn desk(strategy: Option<Strategy>, busy: &[f64]) -> Desk {
    let mut desk = Desk::forwarding(strategy);
    let neighbours = (1..).zip(busy).map(|(number, busy)| {
        desk.give(Input::Joined(peer(number)));
        member(peer(number), &format!("n{number}"), *busy)
    });
    let neighbours = neighbours.collect();
    let own = Neighbour { rtt: Some(Duration::ZERO), ..member(own(), "me", 0.0) };
    desk.give(Input::Surroundings(Surroundings { own, neighbours }));
    desk
}

fn submit(desk: &mut Desk, tx: &UnverifiedTx, via: Option<Taker>) -> Vec<Effect> {
    desk.give(Input::Submit { token: Token(u64::MAX), tx: tx.clone(), via })
}

fn to(name: &str) -> Option<Taker> {
    Some(Taker::Member(name.to_owned()))
}

fn answers(effects: &[Effect]) -> Vec<Result<Submitted, Refused>> {
    let answers = effects.iter().filter_map(|effect| match effect {
        Effect::Submitted { result, .. } => Some(result.clone()),
        _ => None,
    });
    answers.collect()
}

fn taken_by(effects: &[Effect]) -> Option<String> {
    let answers = answers(effects);
    let [Ok(submitted)] = &answers[..] else { panic!("{answers:?}") };
    submitted.taken_by.clone()
}

fn introduced(effects: &[Effect]) -> usize {
    let is = |effect: &&Effect| matches!(effect, Effect::Trace(Event::Published { .. }));
    effects.iter().filter(is).count()
}

fn have(has: bool) -> Result<Response, String> {
    Ok(Response::HaveTransactions(pack(&[has])))
}

#[test]
fn what_is_meant_for_a_neighbour_is_offered_to_it_and_answered_when_it_has_it() {
    let mut desk = desk(None, &[0.0, 0.0]);
    let tx = desk.tx(0, 0, 5);
    let handed = submit(&mut desk, &tx, to("n2"));
    assert_eq!((introduced(&handed), publishes(&handed)), (1, 0));
    assert!(answers(&handed).is_empty(), "nobody has it yet");
    assert_eq!(desk.status(tx.id()), TxStatus::Unknown);
    let [(from, id, Request::TakeTransaction(given))] = &asked(&handed)[..] else {
        panic!("{handed:?}")
    };
    assert_eq!((*from, given), (peer(2), &codec::encode(tx.transaction())));
    let result = Ok(Response::Offered);
    let taken = desk.give(Input::Response { from: *from, id: *id, result });
    let [(from, id, Request::HaveTransactions(about))] = &asked(&taken)[..] else {
        panic!("{taken:?}")
    };
    assert_eq!((*from, &about[..]), (peer(2), &[tx.id()][..]));
    let there = desk.give(Input::Response { from: *from, id: *id, result: have(true) });
    assert_eq!(taken_by(&there).as_deref(), Some("n2"));
    assert!(asked(&desk.pass(10 * SECOND)).is_empty(), "that is all");
}

#[test]
fn a_neighbour_that_still_checks_it_is_asked_again_and_a_copy_ends_the_asking() {
    let mut desk = desk(None, &[0.0]);
    let tx = desk.tx(0, 0, 5);
    let handed = submit(&mut desk, &tx, to(&peer(1).to_string()));
    let (from, id, _) = asked(&handed).remove(0);
    let taken = desk.give(Input::Response { from, id, result: Ok(Response::Offered) });
    let (from, id, _) = asked(&taken).remove(0);
    let not_yet = desk.give(Input::Response { from, id, result: have(false) });
    assert!(asked(&not_yet).is_empty() && answers(&not_yet).is_empty());
    let (_, late, request) = asked(&desk.pass(100 * MS)).remove(0);
    assert_eq!(request, Request::HaveTransactions(vec![tx.id()]));
    let copy = desk.gossip(peer(1), &tx);
    assert_eq!(taken_by(&copy).as_deref(), Some("n1"));
    assert_eq!(desk.status(tx.id()), TxStatus::Ready, "and it is here by gossip");
    let after = desk.give(Input::Response { from, id: late, result: have(true) });
    assert!(answers(&after).is_empty(), "one answer");
}

#[test]
fn what_no_neighbour_takes_in_time_is_taken_here_and_introduced_once() {
    for fails in [true, false] {
        let mut desk = desk(None, &[0.0]);
        let tx = desk.tx(0, 0, 5);
        let handed = submit(&mut desk, &tx, to("n1"));
        let (from, id, _) = asked(&handed).remove(0);
        let result = Err("gone".to_owned());
        let after = match fails {
            true => desk.give(Input::Response { from, id, result }),
            false => desk.pass(2 * SECOND),
        };
        assert_eq!(taken_by(&after), None);
        assert_eq!((introduced(&after), publishes(&after)), (0, 1), "it was introduced before");
        assert_eq!(desk.status(tx.id()), TxStatus::Unbroadcast { waiting_for: None });
        let late = desk.give(Input::Response { from, id, result: Ok(Response::Offered) });
        assert!(asked(&late).is_empty() && answers(&late).is_empty());
    }
}

#[test]
fn what_is_never_valid_or_refused_here_is_not_handed_on() {
    let mut desk = desk(None, &[0.0]);
    let good = desk.tx(0, 0, 5);
    let mut bytes = codec::encode(good.transaction());
    *bytes.last_mut().unwrap() ^= 1;
    let forged = UnverifiedTx::decode(&bytes).unwrap();
    let mut poor = desk.transfer(0, 0, 5);
    poor.amount = u64::MAX / 2;
    for tx in [forged, super::desk::signed(poor, 0)] {
        let effects = submit(&mut desk, &tx, to("n1"));
        assert!(asked(&effects).is_empty() && introduced(&effects) == 0);
        assert!(answers(&effects)[0].is_err());
    }
}

#[test]
fn a_neighbour_that_answers_nonsense_is_sent_away() {
    let mut desk = desk(None, &[0.0]);
    let tx = desk.tx(0, 0, 5);
    let (from, id, _) = asked(&submit(&mut desk, &tx, to("n1"))).remove(0);
    let nonsense = Ok(Response::Headers(Vec::new()));
    let effects = desk.give(Input::Response { from, id, result: nonsense });
    assert!(penalises(&effects));
    assert_eq!(taken_by(&effects), None);
}

#[test]
fn a_name_is_a_neighbours_this_nodes_or_refused() {
    let mut desk = desk(None, &[0.0]);
    let [one, two] = [0, 1].map(|from| desk.tx(from, 0, 5));
    let refused = answers(&submit(&mut desk, &one, to("n7"))).remove(0).unwrap_err();
    assert_eq!((refused.reason.as_str(), refused.invalid), ("no-such-member", false));
    desk.give(Input::Left(peer(1)));
    let gone = answers(&submit(&mut desk, &one, to("n1"))).remove(0).unwrap_err();
    assert_eq!(gone.reason, "no-such-member");
    assert_eq!(taken_by(&submit(&mut desk, &one, to("me"))), None);
    assert_eq!(taken_by(&submit(&mut desk, &two, Some(Taker::Here))), None);
    assert_eq!(desk.status(one.id()), TxStatus::Unbroadcast { waiting_for: None });
}

/// Who takes each of `count` transactions; whoever is offered one has it at once.
fn takers(desk: &mut Desk, count: u64, via: Option<&Taker>) -> BTreeMap<String, u64> {
    let mut takers = BTreeMap::new();
    for number in 0..count {
        let tx = desk.tx((number % 4) as u8, number / 4, 5);
        let mut effects = submit(desk, &tx, via.cloned());
        if let Some((from, id, _)) = asked(&effects).pop() {
            let taken = desk.give(Input::Response { from, id, result: Ok(Response::Offered) });
            let (from, id, _) = asked(&taken).remove(0);
            effects = desk.give(Input::Response { from, id, result: have(true) });
        }
        *takers.entry(taken_by(&effects).unwrap_or_else(|| "me".to_owned())).or_default() += 1;
    }
    takers
}

#[test]
fn auto_prefers_whoever_is_idle_and_spares_the_overloaded() {
    let mut desk = desk(None, &[0.0, 0.8, 1.0]);
    let takers = takers(&mut desk, 600, Some(&Taker::Auto));
    // This node is nearer by 10 ms than the first: 3 to 2; the second has a fifth of the first's room.
    let (me, idle, busy) = (takers["me"], takers["n1"], takers["n2"]);
    assert!(me > idle && idle > 2 * busy && busy > 0, "{takers:?}");
    assert!(!takers.contains_key("n3"), "{takers:?}");
}

#[test]
fn a_setting_hands_everything_on_whatever_the_loads_if_the_strategy_does_not_look() {
    let mut in_turn = desk(Some(Strategy::RoundRobin), &[0.0, 1.0]);
    let takers_of = takers(&mut in_turn, 300, None);
    assert_eq!(takers_of, BTreeMap::from(["me", "n1", "n2"].map(|name| (name.to_owned(), 100))));
    let mut off = desk(None, &[0.0, 0.0]);
    assert_eq!(takers(&mut off, 40, None), BTreeMap::from([("me".to_owned(), 40)]));
}

#[test]
fn a_member_that_is_doubted_is_given_nothing() {
    let mut desk = desk(Some(Strategy::Random), &[]);
    desk.give(Input::Joined(peer(1)));
    let doubted = Neighbour { alive: false, ..member(peer(1), "n1", 0.0) };
    let around = Surroundings { own: member(own(), "me", 0.0), neighbours: vec![doubted] };
    desk.give(Input::Surroundings(around));
    assert_eq!(takers(&mut desk, 40, None), BTreeMap::from([("me".to_owned(), 40)]));
}

#[test]
fn a_transaction_that_was_handed_on_reaches_every_pool() {
    let mut sim = Sim::new(3, 4, 0);
    sim.connect_all();
    sim.run_until(SECOND);
    let peers: Vec<PeerId> = (1..=4).map(|n| hearsay_network::peer_id(&[n; 32])).collect();
    let neighbours = (1..4).map(|n| member(peers[n], &format!("n{n}"), 0.0)).collect();
    let own = member(peers[0], "n0", 0.0);
    sim.input(0, Input::Surroundings(Surroundings { own, neighbours }));
    let tx = UnverifiedTx::from(sim.transfer(0, 0).sign(&super::sim::sender(0)));
    sim.input(0, Input::Submit { token: Token(u64::MAX), tx, via: to("n2") });
    sim.run_until(4 * SECOND);
    assert!((0..4).all(|node| sim.pool_count(node) == 1));
}

#[test]
fn what_was_handed_on_is_pushed_by_whoever_takes_it_and_what_was_offered_is_announced() {
    let mut desk = desk(None, &[0.0]);
    let [one, two] = [0, 1].map(|from| desk.tx(from, 0, 5));
    let data = |tx: &UnverifiedTx| codec::encode(tx.transaction());
    let (_, given) = desk.request(peer(1), Request::TakeTransaction(data(&one)));
    let (_, offered) = desk.request(peer(1), Request::OfferTransactions(vec![data(&two)]));
    let known = |effects: &[Effect]| {
        effects.iter().find_map(|effect| match effect {
            Effect::Publish { known, .. } => Some(*known),
            _ => None,
        })
    };
    assert_eq!((known(&given), known(&offered)), (Some(false), Some(true)));
    assert_eq!((introduced(&given), introduced(&offered)), (0, 0), "others did that");
}
