//! Local transactions that no peer has yet, and peers that ask and offer.

use hearsay_chain::{TxId, UnverifiedTx, codec};
use hearsay_mempool::Config;
use hearsay_network::wire::{MAX_HAVE, MAX_OFFER, Request, Response, pack, unpack};
use hearsay_network::{PeerId, PublishFailure, Topic};

use super::desk::{Desk, asked, peer, penalises, publishes, signed};
use super::sim::{MS, SECOND, Sim};
use crate::api::TxStatus;
use crate::engine::unbroadcast::Unbroadcast;
use crate::engine::{Effect, Input, Time, Token};

const UNBROADCAST: TxStatus = TxStatus::Unbroadcast { waiting_for: None };

fn have(has: &[bool]) -> Result<Response, String> {
    Ok(Response::HaveTransactions(pack(has)))
}

fn encoded(tx: &UnverifiedTx) -> Vec<u8> {
    codec::encode(tx.transaction())
}

/// Lets time pass until a peer is asked something about transactions.
fn next_question(desk: &mut Desk) -> (PeerId, hearsay_network::RequestId, Request) {
    for _ in 0..400 {
        let effects = desk.pass(100 * MS);
        if let Some(question) = asked(&effects).pop() {
            return question;
        }
    }
    panic!("nobody is asked")
}

#[test]
fn a_transaction_handed_in_without_a_peer_waits_for_one_and_is_offered_to_it() {
    let mut desk = Desk::new();
    let tx = desk.tx(0, 0, 5);
    let id = tx.id();
    desk.submit(tx.clone()).unwrap();
    let failure = Some(PublishFailure::NoPeers);
    desk.give(Input::Published { topic: Topic::Tx, id: id.0, failure });
    let alone = desk.pass(60 * SECOND);
    assert!(asked(&alone).is_empty(), "there is nobody to ask");
    assert_eq!(desk.status(id), UNBROADCAST);
    desk.give(Input::Joined(peer(1)));
    let began = desk.now();
    let (to, question, request) = next_question(&mut desk);
    assert_eq!((to, request), (peer(1), Request::HaveTransactions(vec![id])));
    assert!(desk.now() - began >= 500 * MS, "gossip has its turn first");
    let offered = desk.give(Input::Response { from: to, id: question, result: have(&[false]) });
    let [(to, offer, Request::OfferTransactions(sent))] = &asked(&offered)[..] else {
        panic!("{offered:?}")
    };
    assert_eq!((*to, &sent[..]), (peer(1), &[encoded(&tx)][..]));
    let taken = Ok(Response::Offered);
    assert!(desk.give(Input::Response { from: *to, id: *offer, result: taken }).is_empty());
    assert_eq!(desk.status(id), UNBROADCAST, "nobody knows yet what came of it");
    let (to, question, _) = next_question(&mut desk);
    desk.give(Input::Response { from: to, id: question, result: have(&[true]) });
    assert_eq!(desk.status(id), TxStatus::Ready);
    let after = desk.pass(60 * SECOND);
    assert!(asked(&after).is_empty());
    assert_eq!(publishes(&after), 0, "gossip need not bring it any more");
}

#[test]
fn a_copy_from_a_peer_a_block_and_a_departure_each_end_the_asking() {
    let mut desk = Desk::new();
    desk.give(Input::Joined(peer(1)));
    let [copied, taken, replaced] = [0, 1, 2].map(|from| desk.tx(from, 0, 5));
    for tx in [&copied, &taken, &replaced] {
        desk.submit(tx.clone()).unwrap();
    }
    desk.gossip(peer(1), &copied);
    assert_eq!(desk.status(copied.id()), TxStatus::Ready);
    desk.block(std::slice::from_ref(&taken));
    let dearer = desk.tx(2, 0, 50);
    desk.submit(dearer.clone()).unwrap();
    let (_, _, request) = next_question(&mut desk);
    assert_eq!(request, Request::HaveTransactions(vec![dearer.id()]));
}

#[test]
fn what_nobody_takes_is_asked_about_ever_more_rarely_and_of_one_peer_after_the_other() {
    let mut desk = Desk::new();
    for number in 1..=3 {
        desk.give(Input::Joined(peer(number)));
    }
    let tx = desk.tx(0, 0, 5);
    desk.submit(tx.clone()).unwrap();
    let (mut last, mut pauses, mut peers) = (desk.now(), Vec::new(), Vec::new());
    for round in 0..9 {
        let (from, id, request) = next_question(&mut desk);
        assert_eq!(request, Request::HaveTransactions(vec![tx.id()]));
        pauses.push((desk.now() - last) / (100 * MS));
        last = desk.now();
        peers.push(from);
        // Some answer, some are busy; those that answer do not want it.
        let busy = round % 3 == 2;
        let result = if busy { Err("busy".to_owned()) } else { have(&[false]) };
        let effects = desk.give(Input::Response { from, id, result });
        assert!(!penalises(&effects));
    }
    assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 300, 300, 300], "in tenths of a second");
    for three in peers.windows(3) {
        assert!(three[0] != three[1] && three[1] != three[2] && three[0] != three[2]);
    }
    assert_eq!(desk.status(tx.id()), UNBROADCAST);
}

#[test]
fn a_silent_peer_is_passed_over_and_its_late_answer_changes_nothing() {
    let mut desk = Desk::new();
    for number in 1..=3 {
        desk.give(Input::Joined(peer(number)));
    }
    let tx = desk.tx(0, 0, 5);
    desk.submit(tx.clone()).unwrap();
    let (silent, id, _) = next_question(&mut desk);
    let began = desk.now();
    let (other, second, _) = next_question(&mut desk);
    assert_ne!(silent, other);
    assert_eq!(desk.now() - began, 5 * SECOND);
    desk.give(Input::Response { from: silent, id, result: have(&[true]) });
    assert_eq!(desk.status(tx.id()), UNBROADCAST);
    desk.give(Input::Response { from: other, id: second, result: have(&[false]) });
    // What was not answered has cost nothing: the next question comes as after the first.
    let asked = desk.now();
    let (mut third, mut id, _) = next_question(&mut desk);
    assert_eq!(desk.now() - asked, SECOND);
    while desk.now() < began + 60 * SECOND {
        assert_ne!(third, silent, "it rests for a minute");
        desk.give(Input::Response { from: third, id, result: have(&[false]) });
        (third, id, _) = next_question(&mut desk);
    }
}

#[test]
fn one_peer_of_several_is_not_believed_that_it_has_a_transaction() {
    let mut desk = Desk::new();
    desk.give(Input::Joined(peer(1)));
    desk.give(Input::Joined(peer(2)));
    let tx = desk.tx(0, 0, 5);
    desk.submit(tx.clone()).unwrap();
    let (liar, id, _) = next_question(&mut desk);
    desk.give(Input::Response { from: liar, id, result: have(&[true]) });
    assert_eq!(desk.status(tx.id()), UNBROADCAST);
    let (other, id, _) = next_question(&mut desk);
    assert_ne!(liar, other);
    let effects = desk.give(Input::Response { from: other, id, result: have(&[false]) });
    assert_eq!(asked(&effects).len(), 1, "it is given it");
    let (from, id, _) = next_question(&mut desk);
    desk.give(Input::Response { from, id, result: have(&[true]) });
    assert_eq!((from, desk.status(tx.id())), (liar, UNBROADCAST), "it has said so before");
    let (from, id, _) = next_question(&mut desk);
    desk.give(Input::Response { from, id, result: have(&[true]) });
    assert_eq!((from, desk.status(tx.id())), (other, TxStatus::Ready));
}

#[test]
fn as_many_are_followed_as_the_pool_holds() {
    let mut unbroadcast = Unbroadcast::new(20_000);
    for number in 0..20_001_u64 {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&number.to_le_bytes());
        unbroadcast.note(TxId(id), Time::default());
    }
    assert_eq!(unbroadcast.count(), 20_000);
}

#[test]
fn a_peer_is_not_offered_more_than_it_takes_and_is_left_alone_after_a_refusal() {
    let mut desk = Desk::new();
    desk.give(Input::Joined(peer(1)));
    for from in 0..4 {
        for nonce in 0..200 {
            let tx = desk.tx(from, nonce, 50);
            desk.submit(tx).unwrap();
        }
    }
    desk.pass(0);
    let (began, mut offered) = (desk.now(), 0);
    let mut effects = Vec::new();
    while desk.now() < began + 3 * SECOND {
        for (from, id, request) in asked(&std::mem::take(&mut effects)) {
            let result = match request {
                Request::HaveTransactions(ids) => have(&vec![false; ids.len()]),
                Request::OfferTransactions(sent) => {
                    offered += sent.len() as u64;
                    Ok(Response::Offered)
                }
                other => panic!("{other:?}"),
            };
            effects.extend(desk.give(Input::Response { from, id, result }));
        }
        if asked(&effects).is_empty() {
            effects = desk.pass(100 * MS);
        }
        let taken = 512 + 256 * (desk.now() - began) / SECOND;
        assert!(offered <= taken, "{offered} of {taken}");
    }
    assert!(offered > 512, "{offered}");
    let (from, id, _) = next_question(&mut desk);
    desk.give(Input::Response { from, id, result: Err("busy".to_owned()) });
    assert!(asked(&desk.pass(400 * MS)).is_empty());
}

#[test]
fn a_peer_is_sent_away_once_whatever_else_it_gave() {
    let mut desk = Desk::new();
    desk.give(Input::Joined(peer(1)));
    let forged = [0, 1, 2].map(|from| {
        let mut data = encoded(&desk.tx(from, 0, 5));
        let last = data.len() - 40;
        data[last] ^= 1;
        data
    });
    let (_, effects) = desk.request(peer(1), Request::OfferTransactions(forged.to_vec()));
    let sent_away = |effect: &&Effect| matches!(effect, Effect::Ban { .. });
    assert_eq!(effects.iter().filter(sent_away).count(), 1, "{effects:?}");
}

#[test]
fn an_answer_to_another_question_costs_a_peer_its_connection_and_the_next_is_asked() {
    for result in [
        Ok(Response::Offered),
        Ok(Response::HaveTransactions(vec![])),
        Ok(Response::HaveTransactions(vec![0b10])),
    ] {
        let mut desk = Desk::new();
        desk.give(Input::Joined(peer(1)));
        desk.give(Input::Joined(peer(2)));
        let tx = desk.tx(0, 0, 5);
        desk.submit(tx).unwrap();
        let (from, id, _) = next_question(&mut desk);
        assert!(penalises(&desk.give(Input::Response { from, id, result })));
        assert_ne!(next_question(&mut desk).0, from);
    }
}

#[test]
fn many_are_asked_about_and_offered_in_parts_the_oldest_first() {
    let mut desk = Desk::new();
    desk.give(Input::Joined(peer(1)));
    let mut ids = Vec::new();
    for nonce in 0..200 {
        let mut transfer = desk.transfer(0, nonce, 50);
        // Fifteen of these fill an offer.
        transfer.payload = vec![0; 4_000];
        let tx = signed(transfer, 0);
        ids.push(tx.id());
        desk.submit(tx).unwrap();
    }
    let (from, id, request) = next_question(&mut desk);
    assert_eq!(request, Request::HaveTransactions(ids[..MAX_HAVE].to_vec()));
    let effects = desk.give(Input::Response { from, id, result: have(&[false; MAX_HAVE]) });
    let offers = asked(&effects);
    assert_eq!(offers.len(), MAX_HAVE / MAX_OFFER);
    let mut offered = Vec::new();
    for (_, _, request) in &offers {
        assert_eq!(Request::decode(&request.encode()).as_ref(), Ok(request), "it fits");
        let Request::OfferTransactions(sent) = request else { panic!("{request:?}") };
        offered.extend(sent.iter().map(|data| UnverifiedTx::id_of(data)));
    }
    assert_eq!(offered, ids[..60]);
    // What was not offered has its turn at once, and then what was not asked about.
    let (_, _, request) = next_question(&mut desk);
    let left = ids[..MAX_HAVE].iter().filter(|id| !offered.contains(id));
    let due: Vec<TxId> = left.chain(&ids[MAX_HAVE..]).take(MAX_HAVE).copied().collect();
    assert_eq!(request, Request::HaveTransactions(due));
}

#[test]
fn whoever_asks_is_told_what_is_in_the_pool_and_on_the_chain() {
    let mut desk = Desk::new();
    desk.give(Input::Joined(peer(1)));
    let [pooled, included, unknown] = [0, 1, 2].map(|from| desk.tx(from, 0, 5));
    desk.gossip(peer(2), &pooled);
    desk.block(std::slice::from_ref(&included));
    let ids = vec![unknown.id(), pooled.id(), included.id()];
    let (answer, _) = desk.request(peer(1), Request::HaveTransactions(ids));
    let Some(Response::HaveTransactions(bits)) = answer else { panic!("{answer:?}") };
    assert_eq!(unpack(&bits, 3), Some(vec![false, true, true]));
}

#[test]
fn a_peer_that_floods_with_questions_or_offers_is_left_without_an_answer() {
    let mut desk = Desk::new();
    desk.give(Input::Joined(peer(1)));
    let flood = |desk: &mut Desk, request: &Request| {
        let answered = |desk: &mut Desk| desk.request(peer(1), request.clone()).0.is_some();
        (0..1_000).take_while(|_| answered(desk)).count()
    };
    let ids = Request::HaveTransactions(vec![TxId([7; 32]); MAX_HAVE]);
    assert_eq!(flood(&mut desk, &ids), 32);
    let tx = desk.tx(0, 0, 5);
    let offers = Request::OfferTransactions(vec![encoded(&tx); MAX_OFFER]);
    assert_eq!(flood(&mut desk, &offers), 16);
    desk.pass(SECOND);
    assert_eq!(flood(&mut desk, &ids), 8);
    assert_eq!(flood(&mut desk, &offers), 8);
    // An empty one costs something too, and whoever is not known as a peer is told nothing.
    assert_eq!(flood(&mut desk, &Request::HaveTransactions(vec![])), 0);
    assert_eq!(desk.request(peer(2), ids).0, None);
    assert_eq!(desk.request(peer(2), offers).0, None);
}

#[test]
fn an_offered_transaction_is_checked_pooled_and_published() {
    let mut desk = Desk::new();
    desk.give(Input::Joined(peer(1)));
    let tx = desk.tx(0, 0, 5);
    let offer = Request::OfferTransactions(vec![encoded(&tx)]);
    let (answer, effects) = desk.request(peer(1), offer.clone());
    assert_eq!(answer, Some(Response::Offered));
    let [data] = &effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Publish { topic: Topic::Tx, data, .. } => Some(data.clone()),
            _ => None,
        })
        .collect::<Vec<_>>()[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!(*data, encoded(&tx));
    // It is somebody else's, whose business it is that others have it.
    assert_eq!(desk.status(tx.id()), TxStatus::Ready);
    let (_, again) = desk.request(peer(1), offer);
    assert!(publishes(&again) == 0 && !penalises(&again));
}

#[test]
fn an_offer_that_is_never_valid_costs_a_peer_its_connection() {
    let good = Desk::new().tx(0, 0, 5);
    let mut forged = encoded(&good);
    let last = forged.len() - 40;
    forged[last] ^= 1;
    let mut elsewhere = Desk::new().transfer(0, 0, 5);
    elsewhere.chain.0[0] ^= 1;
    for bad in [vec![1, 2, 3], forged, encoded(&signed(elsewhere, 0))] {
        let mut desk = Desk::new();
        desk.give(Input::Joined(peer(1)));
        let after = desk.tx(1, 0, 5);
        let offer = Request::OfferTransactions(vec![bad.clone(), bad, encoded(&after)]);
        let (answer, effects) = desk.request(peer(1), offer);
        assert_eq!(answer, Some(Response::Offered));
        assert!(penalises(&effects), "{effects:?}");
        assert!(desk.engine.pool().totals().count <= 1);
    }
}

#[test]
fn a_pool_that_takes_nothing_refuses_an_offer_without_blame() {
    let mut desk = Desk::with(Config { min_fee_per_kb: 1_000_000, ..Config::default() });
    desk.give(Input::Joined(peer(1)));
    let tx = desk.tx(0, 0, 5);
    let (answer, effects) = desk.request(peer(1), Request::OfferTransactions(vec![encoded(&tx)]));
    assert_eq!(answer, Some(Response::Offered));
    assert!(!penalises(&effects) && publishes(&effects) == 0, "{effects:?}");
    assert_eq!(desk.status(tx.id()), TxStatus::Unknown);
}

#[test]
fn where_gossip_loses_everything_transactions_reach_a_neighbour_all_the_same() {
    let mut sim = Sim::new(4, 2, 2);
    sim.stop_producing();
    sim.lose_gossip(1.0);
    sim.connect_all();
    sim.load(300, 5 * MS);
    sim.run_until(30 * SECOND);
    for node in [0, 1] {
        assert_eq!(sim.pool_count(node), 300, "node {node}");
        assert_eq!(sim.unbroadcast(node), 0, "node {node}");
    }
    assert!(sim.lost() > 0);
}

#[test]
fn a_transaction_reaches_a_peer_that_comes_long_after_it() {
    let mut sim = Sim::new(4, 2, 2);
    sim.stop_producing();
    let tx = UnverifiedTx::from(sim.transfer(0, 0).sign(&super::sim::sender(0)));
    sim.input(0, Input::Submit { token: Token(u64::MAX), tx, via: None });
    sim.run_until(90 * SECOND);
    assert_eq!((sim.unbroadcast(0), sim.pool_count(1)), (1, 0));
    sim.connect_all();
    sim.run_until(93 * SECOND);
    assert_eq!((sim.unbroadcast(0), sim.pool_count(1)), (0, 1));
}
