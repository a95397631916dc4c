//! Who is blamed for what: relayers for nothing but false signatures, those who answer for false
//! answers, and authorities for what they sign.

use super::*;

#[test]
fn names_that_a_relayer_made_up_are_refused_as_a_false_signature() {
    let mut desk = desk(2);
    let txs = transactions(&desk, 3);
    pool(&mut desk, &txs);
    let block = block(&desk, &txs);
    let mut forged = named(&block);
    forged.names[1].0[0] ^= 1;
    let effects = deliver(&mut desk, 1, &forged);
    assert_eq!(verdict(&effects), (Verdict::Reject, Some("bad-signature")));
    assert!(asked(&effects).is_empty());
    assert_eq!(verdict(&deliver(&mut desk, 2, &named(&block))), (Verdict::Accept, None));
    assert_eq!(tip(&desk), block.id());
}

#[test]
fn whoever_gives_another_transaction_pays_once_it_is_sure_and_nobody_else_does() {
    let mut desk = desk(4);
    let txs = transactions(&desk, 2);
    let block = block(&desk, &txs);
    let (liar, id, _) = question(&deliver(&mut desk, 1, &named(&block)));
    let other = codec::encode(desk.tx(1, 0, 9).transaction());
    let lie = Response::Transactions(vec![codec::encode(txs[0].transaction()), other]);
    let effects = answer(&mut desk, (liar, id), Ok(lie));
    assert!(!penalises(&effects), "the names may be false as well");
    let (honest, id, places) = question(&effects);
    assert_eq!(places, Some(vec![1]), "what fits is kept");
    let effects = answer(&mut desk, (honest, id), Ok(given(&block, &[1])));
    let blamed: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Ban { peer, .. } => Some(*peer),
            _ => None,
        })
        .collect();
    assert_eq!(blamed, [liar]);
    assert_eq!(tip(&desk), block.id());
}

#[test]
fn what_no_honest_peer_answers_is_penalised_at_once() {
    let lies: [fn(&VerifiedBlock) -> Response; 4] = [
        |_| Response::Transactions(vec![vec![1, 2, 3]]),
        |block| given(block, &[0, 1, 0]),
        |_| Response::Offered,
        |_| Response::Bodies(vec![]),
    ];
    for lie in lies {
        let mut desk = desk(3);
        let txs = transactions(&desk, 2);
        let block = block(&desk, &txs);
        let (liar, id, _) = question(&deliver(&mut desk, 1, &named(&block)));
        let effects = answer(&mut desk, (liar, id), Ok(lie(&block)));
        assert!(penalises(&effects), "{effects:?}");
        let (next, id, places) = question(&effects);
        assert_ne!(next, liar);
        answer(&mut desk, (next, id), Ok(given(&block, &places.unwrap())));
        assert_eq!(tip(&desk), block.id());
    }
}

#[test]
fn a_name_that_another_one_of_the_pool_has_is_nobodys_fault() {
    let mut desk = desk(3);
    let txs = transactions(&desk, 3);
    let other = desk.tx(1, 0, 9);
    pool(&mut desk, &txs);
    pool(&mut desk, std::slice::from_ref(&other));
    let block = block(&desk, &txs);
    // As if the names of two were the same, and this node had the other one alone.
    let mut compact = named(&block);
    compact.names[1] = compact.key().of(&other.id());
    let effects = deliver(&mut desk, 1, &compact.sign(&key(1)));
    assert_eq!(verdict(&effects), (Verdict::Accept, None));
    let (first, id, places) = question(&effects);
    assert_eq!(places, Some(vec![0, 1, 2]));
    // Here the right one cannot have that name, so that three peers give it in vain, and one all.
    let mut turn = (first, id);
    for places in [&[0, 1, 2][..], &[1, 2]] {
        let effects = answer(&mut desk, turn, Ok(given(&block, places)));
        let (whom, id, places) = question(&effects);
        assert_eq!((penalises(&effects), places), (false, Some(vec![1, 2])));
        turn = (whom, id);
    }
    let effects = answer(&mut desk, turn, Ok(given(&block, &[1, 2])));
    let (whom, id, places) = question(&effects);
    assert_eq!(places, None);
    let effects = answer(&mut desk, (whom, id), Ok(Response::Bodies(vec![block.encode_body()])));
    assert_eq!((penalises(&effects), bad_body(&effects)), (false, None));
    assert_eq!(tip(&desk), block.id());
}

#[test]
fn a_transaction_whose_signature_never_holds_costs_the_authority_and_not_those_who_gave_it() {
    let mut desk = desk(3);
    let mut txs = transactions(&desk, 3);
    txs[1] = super::super::desk::signed(desk.transfer(0, 1, 5), 1);
    let block = block(&desk, &txs);
    let effects = deliver(&mut desk, 1, &named(&block));
    assert_eq!(verdict(&effects), (Verdict::Accept, None));
    let (whom, id, places) = question(&effects);
    let effects = answer(&mut desk, (whom, id), Ok(given(&block, &places.unwrap())));
    assert_eq!(bad_body(&effects).as_deref(), Some("bad-transaction"));
    assert!(!penalises(&effects) && asked(&effects).is_empty());
    let effects = deliver(&mut desk, 2, &named(&block));
    assert_eq!(verdict(&effects), (Verdict::Ignore, Some("known")));
    // What stands on it is refused, and its relayer is not to blame either.
    let child = on(&desk, (block.id(), 1), 2, &[]);
    let effects = deliver(&mut desk, 2, &named(&child));
    assert_eq!(verdict(&effects), (Verdict::Ignore, Some("on-invalid")));
}

#[test]
fn a_body_that_does_not_fit_its_branch_costs_the_authority_alone() {
    let mut desk = desk(2);
    let txs = [desk.tx(0, 5, 5)];
    let block = block(&desk, &txs);
    let compact = CompactBlock::of(&block, 1, |_| true, &key(1));
    let effects = deliver(&mut desk, 1, &compact);
    assert_eq!(verdict(&effects), (Verdict::Accept, None));
    assert_eq!(bad_body(&effects).as_deref(), Some("nonce-gap"));
    assert!(!penalises(&effects));
    assert_eq!(desk.engine.chain().tip().height, 0);
}

#[test]
fn names_for_what_is_not_in_the_block_end_the_asking_and_the_block_may_still_come_whole() {
    let mut desk = desk(2);
    let txs = transactions(&desk, 2);
    let block = block(&desk, &txs);
    // The authority carries what is not in the block.
    let mut compact = CompactBlock::of(&block, 1, |_| true, &key(1));
    compact.carried[1].bytes = codec::encode(desk.tx(1, 0, 5).transaction());
    let effects = deliver(&mut desk, 1, &compact.sign(&key(1)));
    assert_eq!(verdict(&effects), (Verdict::Accept, None));
    assert_eq!(bad_body(&effects).as_deref(), Some("wrong-root"));
    assert!(!penalises(&effects) && asked(&effects).is_empty());
    let data = BlockMessage::whole(&codec::encode(&block.to_block()));
    let (ticket, at) = (ticket(peer(2), 9), desk.time());
    let effects = desk.give(Input::Gossip { topic: Topic::Block, data, ticket, at });
    assert_eq!(verdict(&effects), (Verdict::Accept, None));
    assert_eq!(tip(&desk), block.id());
}

#[test]
fn a_false_body_costs_whoever_gave_it_and_another_is_asked() {
    let mut desk = desk(4);
    let txs = transactions(&desk, 1);
    let block = block(&desk, &txs);
    let mut turn = question(&deliver(&mut desk, 1, &named(&block)));
    for _ in 0..3 {
        let effects = answer(&mut desk, (turn.0, turn.1), Err("no".to_owned()));
        turn = question(&effects);
    }
    assert_eq!(turn.2, None);
    let mut false_body = block.encode_body();
    *false_body.last_mut().unwrap() ^= 1;
    let lie = Response::Bodies(vec![false_body]);
    let effects = answer(&mut desk, (turn.0, turn.1), Ok(lie));
    assert!(penalises(&effects));
    let next = question(&effects);
    assert_ne!(next.0, turn.0);
    let body = Response::Bodies(vec![block.encode_body()]);
    let effects = answer(&mut desk, (next.0, next.1), Ok(body));
    assert_eq!(rebuilt(&effects), Some([0, 0, 1]));
    assert_eq!(tip(&desk), block.id());
}

#[test]
fn an_authority_that_withholds_its_bodies_takes_no_room_from_the_others() {
    let mut desk = desk(2);
    let txs = transactions(&desk, 2);
    let tip_before = desk.engine.chain().tip();
    let parent = (tip_before.id, 0);
    let withheld: Vec<_> = (0..8).map(|turn| on(&desk, parent, 1 + 4 * turn, &txs[..1])).collect();
    let honest = on(&desk, parent, 2, &txs);
    for (number, block) in (0..).zip(&withheld) {
        if number == 1 {
            deliver(&mut desk, 1, &named(&honest));
        }
        deliver(&mut desk, 1, &named(block));
    }
    let is_there = |block: &VerifiedBlock| desk.engine.compact.is_rebuilding(&block.id());
    // Slots beyond the present one are early.
    assert!(withheld.iter().filter(|it| is_there(it)).count() <= 4);
    assert!(is_there(&honest));
}
