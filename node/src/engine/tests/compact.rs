//! One engine and compact blocks: what it gossips, what it puts together, and whom it blames.

mod arrivals;
mod blame;
mod made;
mod rivals;
mod serving;

use hearsay_chain::block::VerifiedBlock;
use hearsay_chain::{BlockId, Keypair, UnverifiedTx, Verdict, VerifiedTx, codec};
use hearsay_network::compact::{BlockMessage, CompactBlock};
use hearsay_network::wire::{Request, Response};
use hearsay_network::{PeerId, RequestId, Route, Ticket, Topic};

use super::desk::{Desk, asked, peer, penalises, verdict};
use crate::engine::{Done, Effect, Input};
use crate::trace::event::Event;

/// The peer that delivers; others have a number of their own.
const DELIVERER: u8 = 1;

fn key(slot: u64) -> Keypair {
    Keypair::from_seed(&[100 + (slot % 4) as u8; 32])
}

/// A desk with so many peers, from [`DELIVERER`] on.
fn desk(peers: u8) -> Desk {
    let mut desk = Desk::new();
    for number in 0..peers {
        desk.give(Input::Joined(peer(DELIVERER + number)));
    }
    desk
}

fn transactions(desk: &Desk, count: u64) -> Vec<UnverifiedTx> {
    (0..count).map(|nonce| desk.tx(0, nonce, 5)).collect()
}

fn pool(desk: &mut Desk, transactions: &[UnverifiedTx]) {
    for tx in transactions {
        assert_eq!(verdict(&desk.gossip(peer(9), tx)).0, Verdict::Accept);
    }
}

fn on(desk: &Desk, parent: (BlockId, u64), slot: u64, txs: &[UnverifiedTx]) -> VerifiedBlock {
    // Made as its authority makes it, whatever holds of its transactions.
    let txs = txs.iter().cloned().map(VerifiedTx::from_own_store).collect();
    let chain = desk.engine.chain().rules().chain();
    VerifiedBlock::propose(chain, parent, slot, txs, &key(slot))
}

fn block(desk: &Desk, txs: &[UnverifiedTx]) -> VerifiedBlock {
    let tip = desk.engine.chain().tip();
    on(desk, (tip.id, tip.height), tip.height + 1, txs)
}

fn named(block: &VerifiedBlock) -> CompactBlock {
    CompactBlock::of(block, 7, |_| false, &key(block.header().fields.slot))
}

fn ticket(from: PeerId, number: u8) -> Ticket {
    Ticket { message: [number; 20], from, route: Route::Push }
}

fn deliver(desk: &mut Desk, from: u8, compact: &CompactBlock) -> Vec<Effect> {
    let (data, at) = (BlockMessage::compact(compact), desk.time());
    let ticket = ticket(peer(from), 100 + from);
    desk.give(Input::Gossip { topic: Topic::Block, data, ticket, at })
}

fn answer(
    desk: &mut Desk,
    (from, id): (PeerId, RequestId),
    result: Result<Response, String>,
) -> Vec<Effect> {
    desk.give(Input::Response { from, id, result })
}

fn given(block: &VerifiedBlock, places: &[u32]) -> Response {
    let at = |place: &u32| block.transactions()[*place as usize].encode();
    Response::Transactions(places.iter().map(at).collect())
}

/// The one question about a block among what is done: whom, its number, and the places; all of them
/// when it is for the body.
fn question(effects: &[Effect]) -> (PeerId, RequestId, Option<Vec<u32>>) {
    let asked: Vec<_> = asked(effects)
        .into_iter()
        .filter_map(|(peer, id, request)| match request {
            Request::BlockTransactions { places, .. } => Some((peer, id, Some(places))),
            Request::Bodies(_) => Some((peer, id, None)),
            _ => None,
        })
        .collect();
    assert_eq!(asked.len(), 1, "{effects:?}");
    asked.into_iter().next().unwrap()
}

fn tip(desk: &Desk) -> BlockId {
    desk.engine.chain().tip().id
}

/// From the pool, carried, fetched.
fn rebuilt(effects: &[Effect]) -> Option<[u64; 3]> {
    effects.iter().find_map(|effect| match effect {
        Effect::Trace(Event::Rebuilt { from_pool, carried, fetched, .. }) => {
            Some([*from_pool, *carried, *fetched])
        }
        _ => None,
    })
}

fn bad_body(effects: &[Effect]) -> Option<String> {
    effects.iter().find_map(|effect| match effect {
        Effect::Trace(Event::BadBody { reason, .. }) => Some(reason.clone()),
        _ => None,
    })
}

#[test]
fn a_block_of_pooled_transactions_is_relayed_by_its_header_and_checks_none_of_their_signatures() {
    let mut desk = desk(2);
    let txs = transactions(&desk, 20);
    pool(&mut desk, &txs);
    let block = block(&desk, &txs);
    let (data, at) = (BlockMessage::compact(&named(&block)), desk.time());
    let input = Input::Gossip { topic: Topic::Block, data, ticket: ticket(peer(1), 1), at };
    let mut effects = Vec::new();
    desk.engine.handle(at, input, &mut effects).unwrap();
    let [Effect::Check { job, work }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(work.signatures(), 2, "the header's and that of the names");
    let input = Input::Checked { job: *job, done: work.clone().run() };
    let mut effects = Vec::new();
    desk.engine.handle(at, input, &mut effects).unwrap();
    assert_eq!(verdict(&effects), (Verdict::Accept, None));
    assert_eq!(rebuilt(&effects), Some([20, 0, 0]));
    let relayed = effects.iter().position(|it| matches!(it, Effect::Judge { .. }));
    let checked = effects.iter().position(|it| matches!(it, Effect::Check { .. })).unwrap();
    assert!(relayed < Some(checked));
    let Effect::Check { job, work } = &effects[checked] else { unreachable!() };
    assert_eq!(work.signatures(), 0);
    let (job, done) = (*job, work.clone().run());
    assert!(matches!(done, Done::Blocks(..)));
    desk.give(Input::Checked { job, done });
    assert_eq!(tip(&desk), block.id());
}

#[test]
fn what_the_pool_lacks_is_asked_of_the_deliverer_and_another_form_of_the_block_is_known() {
    let mut desk = desk(3);
    let txs = transactions(&desk, 6);
    pool(&mut desk, &txs[..3]);
    let block = block(&desk, &txs);
    let carries = |id: &_| *id == txs[5].id();
    let compact = CompactBlock::of(&block, 7, carries, &key(1));
    let effects = deliver(&mut desk, 2, &compact);
    assert_eq!(verdict(&effects), (Verdict::Accept, None));
    let (whom, id, places) = question(&effects);
    assert_eq!((whom, places), (peer(2), Some(vec![3, 4])));
    let again = CompactBlock::of(&block, 8, |_| true, &key(1));
    let effects = deliver(&mut desk, 3, &again);
    assert_eq!(verdict(&effects), (Verdict::Ignore, Some("known")));
    assert!(asked(&effects).is_empty());
    let effects = answer(&mut desk, (whom, id), Ok(given(&block, &[3, 4])));
    assert_eq!(rebuilt(&effects), Some([3, 1, 2]));
    assert_eq!(tip(&desk), block.id());
    let effects = deliver(&mut desk, 3, &again);
    assert_eq!(verdict(&effects), (Verdict::Ignore, Some("known")));
    let whole = BlockMessage::whole(&codec::encode(&block.to_block()));
    let (ticket, at) = (ticket(peer(1), 3), desk.time());
    let effects = desk.give(Input::Gossip { topic: Topic::Block, data: whole, ticket, at });
    assert_eq!(verdict(&effects), (Verdict::Ignore, Some("known")));
}

#[test]
fn transactions_that_wait_behind_a_gap_are_found_in_the_pool_too() {
    let mut desk = desk(1);
    let txs = transactions(&desk, 5);
    pool(&mut desk, &txs[1..]);
    assert_eq!(desk.engine.pool().totals().ready, 0);
    let block = block(&desk, &txs);
    let effects = deliver(&mut desk, 1, &named(&block));
    assert_eq!(question(&effects).2, Some(vec![0]));
}

#[test]
fn a_silent_deliverer_is_passed_over_and_what_it_gives_late_is_taken() {
    let mut desk = desk(5);
    let txs = transactions(&desk, 3);
    let block = block(&desk, &txs);
    let first = question(&deliver(&mut desk, 1, &named(&block)));
    assert!(asked(&desk.pass(200_000)).is_empty());
    let mut turns = vec![first.clone()];
    for _ in 0..2 {
        let effects = desk.pass(300_000);
        turns.push(question(&effects));
    }
    assert!(turns.iter().all(|(_, _, places)| *places == Some(vec![0, 1, 2])));
    // Then all of it, and no more than three times.
    for _ in 0..3 {
        let (whom, _, places) = question(&desk.pass(2_000_000));
        assert_eq!(places, None);
        turns.push((whom, RequestId(0), places));
    }
    for turn in [&turns[..3], &turns[3..]] {
        let mut peers: Vec<_> = turn.iter().map(|(whom, ..)| *whom).collect();
        assert_eq!(peers[0], peer(1), "whoever delivered it is asked first");
        peers.sort_unstable();
        peers.dedup();
        assert_eq!(peers.len(), 3, "each has one turn");
    }
    assert!(asked(&desk.pass(2_000_000)).is_empty());
    let effects = answer(&mut desk, (first.0, first.1), Ok(given(&block, &[0, 1, 2])));
    assert_eq!(rebuilt(&effects), Some([0, 0, 3]));
    assert!(!penalises(&effects));
    assert_eq!(tip(&desk), block.id());
}

#[test]
fn whoever_sent_the_block_is_asked_before_anybody_else() {
    let mut desk = desk(8);
    let txs = transactions(&desk, 2);
    let block = block(&desk, &txs);
    let (whom, id, _) = question(&deliver(&mut desk, 3, &named(&block)));
    desk.copy_of_block(block.id(), peer(6));
    let effects = answer(&mut desk, (whom, id), Err("no".to_owned()));
    assert_eq!(question(&effects).0, peer(6), "a refusal is not waited over");
}

#[test]
fn an_answer_that_is_full_ends_early_and_its_giver_goes_on() {
    let mut desk = desk(3);
    let txs: Vec<_> = (0..10)
        .map(|nonce| {
            let mut transfer = desk.transfer(0, nonce, 500);
            transfer.payload = vec![1; 900];
            super::desk::signed(transfer, 0)
        })
        .collect();
    let block = block(&desk, &txs);
    let (whom, id, _) = question(&deliver(&mut desk, 1, &named(&block)));
    // A few of them are no reason to let the same peer go on, one by one.
    let (next, id, places) = question(&answer(&mut desk, (whom, id), Ok(given(&block, &[0, 1]))));
    assert_eq!(places, Some((2..10).collect()));
    assert_ne!(next, whom);
    let effects = answer(&mut desk, (next, id), Ok(given(&block, &(2..10).collect::<Vec<_>>())));
    assert_eq!(rebuilt(&effects), Some([0, 0, 10]));
    assert_eq!(tip(&desk), block.id());
}

#[test]
fn a_block_whose_parent_is_not_here_is_ignored_and_is_there_when_the_parent_comes() {
    let mut desk = desk(2);
    let txs = transactions(&desk, 4);
    pool(&mut desk, &txs[2..]);
    let parent = block(&desk, &txs[..2]);
    let child = on(&desk, (parent.id(), 1), 2, &txs[2..]);
    let effects = deliver(&mut desk, 1, &named(&child));
    assert_eq!(verdict(&effects), (Verdict::Ignore, Some("orphan")));
    assert_eq!(rebuilt(&effects), Some([2, 0, 0]));
    assert!(asked(&effects).iter().any(|(_, _, it)| matches!(it, Request::Headers { .. })));
    let (whom, id, _) = question(&deliver(&mut desk, 2, &named(&parent)));
    answer(&mut desk, (whom, id), Ok(given(&parent, &[0, 1])));
    assert_eq!(tip(&desk), child.id());
}

#[test]
fn a_child_is_relayed_while_its_parent_is_put_together() {
    let mut desk = desk(2);
    let txs = transactions(&desk, 4);
    let parent = block(&desk, &txs[..2]);
    let child = on(&desk, (parent.id(), 1), 2, &[]);
    let (whom, id, _) = question(&deliver(&mut desk, 1, &named(&parent)));
    let effects = deliver(&mut desk, 2, &named(&child));
    assert_eq!(verdict(&effects), (Verdict::Accept, None));
    let misplaced = on(&desk, (parent.id(), 2), 3, &[]);
    let effects = deliver(&mut desk, 2, &named(&misplaced));
    assert_eq!(verdict(&effects), (Verdict::Reject, Some("height")));
    answer(&mut desk, (whom, id), Ok(given(&parent, &[0, 1])));
    assert_eq!(tip(&desk), child.id());
}

#[test]
fn a_body_that_nobody_gives_is_given_up_and_the_block_may_still_come_whole() {
    let mut desk = desk(2);
    let txs = transactions(&desk, 2);
    let block = block(&desk, &txs);
    let compact = named(&block);
    deliver(&mut desk, 1, &compact);
    let effects = desk.pass(10_100_000);
    assert_eq!((penalises(&effects), bad_body(&effects)), (false, None));
    assert!(!desk.engine.compact.is_rebuilding(&block.id()));
    let effects = deliver(&mut desk, 2, &compact);
    assert_eq!(verdict(&effects), (Verdict::Ignore, Some("known")));
    let data = BlockMessage::whole(&codec::encode(&block.to_block()));
    let (ticket, at) = (ticket(peer(2), 9), desk.time());
    let effects = desk.give(Input::Gossip { topic: Topic::Block, data, ticket, at });
    assert_eq!(verdict(&effects), (Verdict::Accept, None));
    assert_eq!(tip(&desk), block.id());
}
