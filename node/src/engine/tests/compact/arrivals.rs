//! Transactions that come by a block alone, and blocks that come whole while they are put together.

use super::*;
use crate::trace::event::Via;

/// What was received for the first time: each transaction, its way, and from whom.
fn received(effects: &[Effect]) -> Vec<(String, Via, String)> {
    let received = effects.iter().filter_map(|effect| match effect {
        Effect::Trace(Event::Received { id, via, from, .. }) => {
            Some((id.clone(), *via, from.clone()))
        }
        _ => None,
    });
    received.collect()
}

fn whole(desk: &mut Desk, from: u8, block: &VerifiedBlock) -> Vec<Effect> {
    let data = BlockMessage::whole(&codec::encode(&block.to_block()));
    let (ticket, at) = (ticket(peer(from), 50 + from), desk.time());
    desk.give(Input::Gossip { topic: Topic::Block, data, ticket, at })
}

#[test]
fn what_comes_with_a_compact_block_alone_is_received_once_and_a_later_copy_is_a_duplicate() {
    let mut desk = desk(3);
    let txs = transactions(&desk, 6);
    pool(&mut desk, &txs[..3]);
    let block = block(&desk, &txs);
    let compact = CompactBlock::of(&block, 7, |id| *id == txs[5].id(), &key(1));
    let effects = deliver(&mut desk, 2, &compact);
    assert_eq!(received(&effects), [], "nothing before the block is whole");
    let (whom, id, _) = question(&effects);
    let effects = answer(&mut desk, (whom, id), Ok(given(&block, &[3, 4])));
    let giver = peer(2).to_string();
    let came = |at: usize, via| (txs[at].id().to_string(), via, giver.clone());
    let expected = [came(3, Via::Fetch), came(4, Via::Fetch), came(5, Via::Compact)];
    assert_eq!(received(&effects), expected);
    let effects = desk.gossip(peer(1), &txs[3]);
    assert_eq!(verdict(&effects).0, Verdict::Ignore);
    assert_eq!(received(&effects), []);
}

#[test]
fn a_copy_of_what_a_block_brought_is_the_second_one() {
    let mut desk = desk(2);
    let txs = transactions(&desk, 2);
    let block = block(&desk, &txs);
    assert_eq!(received(&whole(&mut desk, 1, &block)).len(), 2);
    let (data, at) = (codec::encode(txs[0].transaction()), desk.time());
    let effects = desk.give(Input::Copy(crate::engine::Copy {
        topic: Topic::Tx,
        id: txs[0].id().0,
        from: peer(2),
        bytes: data.len() as u64,
        traffic: hearsay_network::Traffic::Eager,
        compact: false,
        message: [3; 20],
        at,
    }));
    let copies = effects.iter().filter_map(|effect| match effect {
        Effect::TraceAt(_, Event::Duplicate { id, copy, .. }) => Some((id.clone(), *copy)),
        _ => None,
    });
    assert_eq!(copies.collect::<Vec<_>>(), [(txs[0].id().to_string(), 2)]);
}

#[test]
fn of_a_whole_block_what_was_not_heard_of_before_is_received_by_the_way_of_the_block() {
    let mut desk = desk(2);
    let txs = transactions(&desk, 3);
    pool(&mut desk, &txs[..1]);
    let block = block(&desk, &txs);
    let effects = whole(&mut desk, 1, &block);
    assert_eq!(verdict(&effects), (Verdict::Accept, None));
    let from = peer(1).to_string();
    let came = |at: usize| (txs[at].id().to_string(), Via::Gossip, from.clone());
    assert_eq!(received(&effects), [came(1), came(2)]);
    assert_eq!(received(&whole(&mut desk, 2, &block)), [], "once");
}

#[test]
fn of_a_whole_block_without_a_parent_too() {
    let mut desk = desk(2);
    let txs = transactions(&desk, 4);
    let parent = block(&desk, &txs[..2]);
    let child = on(&desk, (parent.id(), 1), 2, &txs[2..]);
    let effects = whole(&mut desk, 1, &child);
    assert_eq!(verdict(&effects), (Verdict::Ignore, Some("orphan")));
    assert_eq!(received(&effects).len(), 2);
    let effects = whole(&mut desk, 1, &parent);
    assert_eq!(received(&effects).len(), 2, "those of the parent alone");
    assert_eq!(tip(&desk), child.id());
}

#[test]
fn a_block_of_a_slot_long_over_says_nothing_of_its_transactions() {
    let mut desk = desk(2);
    let txs = transactions(&desk, 2);
    let block = block(&desk, &txs);
    desk.pass(120_000_000);
    assert_eq!(received(&whole(&mut desk, 1, &block)), []);
    assert_eq!(tip(&desk), block.id());
}

#[test]
fn a_whole_block_that_comes_while_it_is_put_together_completes_it_at_once() {
    let mut desk = desk(3);
    let txs = transactions(&desk, 4);
    pool(&mut desk, &txs[..2]);
    let block = block(&desk, &txs);
    let (whom, id, _) = question(&deliver(&mut desk, 1, &named(&block)));
    let effects = whole(&mut desk, 2, &block);
    assert_eq!(verdict(&effects), (Verdict::Ignore, Some("known")), "its header was relayed");
    assert_eq!(rebuilt(&effects), Some([0, 0, 4]));
    let from = peer(2).to_string();
    let came = |at: usize| (txs[at].id().to_string(), Via::Fetch, from.clone());
    assert_eq!(received(&effects), [came(2), came(3)]);
    assert_eq!(tip(&desk), block.id());
    let effects = answer(&mut desk, (whom, id), Ok(given(&block, &[2, 3])));
    assert!(!penalises(&effects), "the answer is late, which is no offence");
}

#[test]
fn a_whole_block_with_another_body_is_its_senders_fault_and_changes_nothing() {
    let mut desk = desk(3);
    let txs = transactions(&desk, 4);
    let block = block(&desk, &txs);
    let (whom, id, _) = question(&deliver(&mut desk, 1, &named(&block)));
    let mut other = block.to_block();
    other.transactions.pop();
    let data = BlockMessage::whole(&codec::encode(&other));
    let (ticket, at) = (ticket(peer(2), 9), desk.time());
    let effects = desk.give(Input::Gossip { topic: Topic::Block, data, ticket, at });
    assert_eq!(verdict(&effects).0, Verdict::Reject);
    assert_eq!(received(&effects), []);
    let effects = answer(&mut desk, (whom, id), Ok(given(&block, &[0, 1, 2, 3])));
    assert_eq!(rebuilt(&effects), Some([0, 0, 4]));
    assert_eq!(tip(&desk), block.id());
}

#[test]
fn a_block_that_is_given_up_is_written_down_with_what_it_lacks() {
    let mut desk = desk(2);
    let txs = transactions(&desk, 3);
    pool(&mut desk, &txs[..1]);
    let block = block(&desk, &txs);
    deliver(&mut desk, 1, &named(&block));
    let given_up: Vec<_> = desk
        .pass(10_100_000)
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Trace(Event::GivenUp { id, reason, transactions, missing, .. }) => {
                Some((id, reason, transactions, missing))
            }
            _ => None,
        })
        .collect();
    assert_eq!(given_up, [(block.id().to_string(), "late".to_owned(), 3, 2)]);
}
