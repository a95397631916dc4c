//! Peers that ask for transactions of a block.

use super::*;
use crate::engine::Token;

fn request(block: &VerifiedBlock, places: &[u32]) -> Request {
    Request::BlockTransactions { block: block.id(), places: places.to_vec() }
}

#[test]
fn a_block_that_is_whole_is_served_by_its_places_and_others_are_not() {
    let mut desk = desk(2);
    let txs = transactions(&desk, 5);
    let block = block(&desk, &txs);
    let whole = CompactBlock::of(&block, 1, |_| true, &key(1));
    deliver(&mut desk, 1, &whole);
    assert_eq!(tip(&desk), block.id());
    let (said, _) = desk.request(peer(2), request(&block, &[1, 3]));
    assert_eq!(said, Some(given(&block, &[1, 3])));
    for places in [&[5][..], &[3, 1], &[2, 2], &[], &[0, u32::MAX]] {
        assert_eq!(desk.request(peer(2), request(&block, places)).0, None, "{places:?}");
    }
    let unknown = Request::BlockTransactions { block: BlockId([7; 32]), places: vec![0] };
    assert_eq!(desk.request(peer(2), unknown).0, Some(Response::Transactions(vec![])));
    assert_eq!(desk.request(peer(50), request(&block, &[1])).0, None, "no peer of ours");
}

#[test]
fn a_block_of_long_ago_is_served_from_the_store() {
    let mut desk = desk(2);
    let txs = transactions(&desk, 2);
    let old = block(&desk, &txs);
    deliver(&mut desk, 1, &CompactBlock::of(&old, 1, |_| true, &key(1)));
    for _ in 0..5 {
        desk.block(&[]);
    }
    assert_eq!(desk.request(peer(2), request(&old, &[1])).0, Some(given(&old, &[1])));
}

#[test]
fn whoever_asks_for_what_is_being_put_together_is_answered_when_it_is_here() {
    let mut desk = desk(3);
    let txs = transactions(&desk, 3);
    pool(&mut desk, &txs[..1]);
    let block = block(&desk, &txs);
    let (whom, id, _) = question(&deliver(&mut desk, 1, &named(&block)));
    assert_eq!(desk.request(peer(2), request(&block, &[0])).0, Some(given(&block, &[0])));
    let token = Token(4_000);
    let input = Input::Request { from: peer(3), request: request(&block, &[1, 2]), token };
    let effects = desk.give(input);
    assert!(effects.iter().all(|it| !matches!(it, Effect::Ignore { .. } | Effect::Respond { .. })));
    let effects = answer(&mut desk, (whom, id), Ok(given(&block, &[1, 2])));
    let said = effects.iter().find_map(|effect| match effect {
        Effect::Respond { token: Token(4_000), response } => Some(response.clone()),
        _ => None,
    });
    assert_eq!(said, Some(given(&block, &[1, 2])));
}

#[test]
fn those_that_wait_for_what_never_comes_are_told_so_and_few_may_wait() {
    let mut desk = desk(12);
    let txs = transactions(&desk, 2);
    let block = block(&desk, &txs);
    deliver(&mut desk, 1, &named(&block));
    let mut ignored = 0;
    for number in 0..10 {
        let input = Input::Request {
            from: peer(2 + number),
            request: request(&block, &[0]),
            token: Token(4_000 + u64::from(number)),
        };
        let effects = desk.give(input);
        ignored += effects.iter().filter(|it| matches!(it, Effect::Ignore { .. })).count();
    }
    assert_eq!(ignored, 2);
    let effects = desk.pass(11_000_000);
    ignored += effects.iter().filter(|it| matches!(it, Effect::Ignore { .. })).count();
    assert_eq!(ignored, 10, "each is answered once");
}

#[test]
fn one_peer_waits_once_for_a_block_and_leaves_room_for_others() {
    let mut desk = desk(3);
    let txs = transactions(&desk, 2);
    let block = block(&desk, &txs);
    deliver(&mut desk, 1, &named(&block));
    let ask = |desk: &mut Desk, from, number| {
        let (request, token) = (request(&block, &[0]), Token(4_000 + number));
        let effects = desk.give(Input::Request { from, request, token });
        effects.iter().all(|it| !matches!(it, Effect::Ignore { .. }))
    };
    let waits = (0..20_u64).filter(|number| ask(&mut desk, peer(2), *number)).count();
    assert_eq!(waits, 1);
    assert!(ask(&mut desk, peer(3), 20), "there is room for another");
}

#[test]
fn a_peer_that_asks_for_too_much_is_not_answered_for_a_while() {
    let mut desk = desk(3);
    let txs: Vec<_> = (0..60)
        .map(|nonce| {
            let mut transfer = desk.transfer(0, nonce, 500);
            transfer.payload = vec![1; 1_000];
            super::super::desk::signed(transfer, 0)
        })
        .collect();
    let block = block(&desk, &txs);
    deliver(&mut desk, 1, &CompactBlock::of(&block, 1, |_| true, &key(1)));
    let all: Vec<u32> = (0..60).collect();
    let mut answered = 0;
    while desk.request(peer(2), request(&block, &all)).0.is_some() {
        answered += 1;
        assert!(answered < 1_000);
    }
    assert!((100..130).contains(&answered), "{answered} times 70 kB");
    assert!(desk.request(peer(3), request(&block, &all)).0.is_some(), "others are");
    desk.pass(100_000);
    assert!(desk.request(peer(2), request(&block, &all)).0.is_some());
}
