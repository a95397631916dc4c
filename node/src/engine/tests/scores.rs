//! What peers are kept away for, and what they are not.

use hearsay_chain::{UnverifiedTx, codec};
use hearsay_network::PeerId;

use super::desk::{Desk, peer, penalises};
use super::sim::SECOND;
use crate::api::{Answer, Query, ScoreView};
use crate::engine::{Effect, Input};

fn forged(desk: &Desk, nonce: u64) -> UnverifiedTx {
    let mut bytes = codec::encode(desk.tx(0, nonce, 20).transaction());
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    UnverifiedTx::decode(&bytes).unwrap()
}

fn scores(desk: &mut Desk) -> Vec<ScoreView> {
    match desk.ask(Query::Scores) {
        Answer::Scores(scores) => scores,
        other => panic!("{other:?}"),
    }
}

fn lasts(effects: &[Effect], whom: PeerId) -> Option<u64> {
    effects.iter().find_map(|effect| match effect {
        Effect::Ban { peer, us } if *peer == whom => Some(*us / SECOND),
        _ => None,
    })
}

#[test]
fn a_flood_of_invalid_ones_gets_its_sender_kept_away_and_nobody_else() {
    let mut desk = Desk::new();
    let mut bans = Vec::new();
    for nonce in 0..10 {
        let tx = forged(&desk, nonce);
        bans.push(lasts(&desk.gossip(peer(1), &tx), peer(1)));
        let good = desk.tx(1, nonce, 20);
        assert!(!penalises(&desk.gossip(peer(2), &good)));
    }
    assert_eq!(bans.iter().flatten().collect::<Vec<_>>(), [&120]);
    assert!(bans[9].is_some(), "{bans:?}");
    let scores = scores(&mut desk);
    assert_eq!(scores.len(), 1);
    assert_eq!((scores[0].peer.clone(), scores[0].offences), (peer(1).to_string(), 10));
    assert_eq!(scores[0].ban.as_ref().unwrap().reason, "bad-signature");
}

#[test]
fn known_stale_early_and_cheap_ones_cost_nothing_however_many_there_are() {
    let mut desk = Desk::new();
    let known = desk.tx(0, 0, 20);
    desk.gossip(peer(2), &known);
    let used = desk.tx(1, 0, 20);
    desk.block(std::slice::from_ref(&used));
    let mut poor = desk.transfer(2, 0, 20);
    poor.amount = 1 << 50;
    let poor = super::desk::signed(poor, 2);
    let far = desk.tx(3, 5_000, 20);
    for _ in 0..100 {
        for tx in [&known, &used, &poor, &far] {
            assert!(!penalises(&desk.gossip(peer(1), tx)));
        }
    }
    assert_eq!(scores(&mut desk), []);
}

#[test]
fn who_is_banned_by_hand_is_sent_away_and_who_is_let_back_is_forgiven() {
    let mut desk = Desk::new();
    desk.give(Input::Joined(peer(1)));
    assert_eq!(desk.ask(Query::Unban { peer: peer(1) }), Answer::Done(false));
    assert_eq!(desk.ask(Query::Ban { peer: peer(1), seconds: 60 }), Answer::Done(true));
    assert_eq!(scores(&mut desk)[0].ban.as_ref().unwrap().left_s, 60);
    desk.pass(59 * SECOND);
    assert_eq!(scores(&mut desk)[0].ban.as_ref().unwrap().left_s, 1);
    assert_eq!(desk.ask(Query::Unban { peer: peer(1) }), Answer::Done(true));
    assert_eq!(scores(&mut desk), []);
}

#[test]
fn misuse_of_a_protocol_is_charged() {
    let mut desk = Desk::new();
    let mut give = || desk.give(Input::Offence { peer: peer(1), what: "want-flood" });
    let bans: Vec<bool> = (0..4).map(|_| penalises(&give())).collect();
    assert_eq!(bans, [false, false, false, true]);
}
