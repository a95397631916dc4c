//! Names that somebody else puts under the header of a block, while it is not known whose are signed.

use super::*;
use crate::engine::{JobId, Work};

/// A compact block comes in; what is to be checked of it is left to the test.
fn arrives(desk: &mut Desk, from: u8, compact: &CompactBlock) -> Vec<Effect> {
    let (data, at) = (BlockMessage::compact(compact), desk.time());
    let input = Input::Gossip { topic: Topic::Block, data, ticket: ticket(peer(from), from), at };
    let mut effects = Vec::new();
    desk.engine.handle(at, input, &mut effects).unwrap();
    effects
}

fn check(effects: &[Effect]) -> Option<(JobId, Work)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Check { job, work } => Some((*job, work.clone())),
        _ => None,
    })
}

fn checked(desk: &mut Desk, (job, work): (JobId, Work)) -> Vec<Effect> {
    let (mut effects, at) = (Vec::new(), desk.time());
    desk.engine.handle(at, Input::Checked { job, done: work.run() }, &mut effects).unwrap();
    effects
}

fn judged(effects: &[Effect]) -> Vec<(PeerId, Verdict)> {
    let of = |effect: &Effect| match effect {
        Effect::Judge { ticket, verdict, .. } => Some((ticket.from, *verdict)),
        _ => None,
    };
    effects.iter().filter_map(of).collect()
}

/// A block that the pool has all of, and the same with names that its proposer did not sign.
fn real_and_forged(desk: &mut Desk) -> (VerifiedBlock, CompactBlock) {
    let txs = transactions(desk, 4);
    pool(desk, &txs);
    let block = block(desk, &txs);
    let mut forged = named(&block);
    forged.names.reverse();
    (block, forged)
}

#[test]
fn forged_names_that_come_first_do_not_stand_in_for_the_signed_ones() {
    let mut desk = desk(3);
    let (block, forged) = real_and_forged(&mut desk);
    let first = check(&arrives(&mut desk, 1, &forged)).unwrap();
    let effects = arrives(&mut desk, 2, &named(&block));
    assert!(effects.is_empty(), "it waits for what comes of the first: {effects:?}");
    let effects = checked(&mut desk, first);
    assert_eq!(judged(&effects), [(peer(1), Verdict::Reject)]);
    let effects = checked(&mut desk, check(&effects).unwrap());
    assert_eq!(judged(&effects), [(peer(2), Verdict::Accept)]);
    checked(&mut desk, check(&effects).unwrap());
    assert_eq!(tip(&desk), block.id());
}

#[test]
fn forged_names_that_come_second_are_looked_at_no_more_once_the_signed_ones_are_known() {
    let mut desk = desk(3);
    let (block, forged) = real_and_forged(&mut desk);
    let first = check(&arrives(&mut desk, 2, &named(&block))).unwrap();
    assert!(arrives(&mut desk, 1, &forged).is_empty());
    let effects = checked(&mut desk, first);
    assert_eq!(judged(&effects), [(peer(1), Verdict::Ignore), (peer(2), Verdict::Accept)]);
}

#[test]
fn one_peer_has_one_place_among_those_that_wait_and_all_have_a_verdict() {
    let mut desk = desk(3);
    let (block, forged) = real_and_forged(&mut desk);
    let first = check(&arrives(&mut desk, 1, &forged)).unwrap();
    for salt in 0..3 {
        let again = CompactBlock { salt, ..forged.clone() };
        let effects = arrives(&mut desk, 1, &again);
        assert_eq!(judged(&effects), [(peer(1), Verdict::Ignore)]);
    }
    assert!(arrives(&mut desk, 3, &CompactBlock { salt: 9, ..forged.clone() }).is_empty());
    assert!(arrives(&mut desk, 2, &named(&block)).is_empty());
    let effects = checked(&mut desk, first);
    let effects = checked(&mut desk, check(&effects).unwrap());
    assert_eq!(judged(&effects), [(peer(3), Verdict::Reject)]);
    let effects = checked(&mut desk, check(&effects).unwrap());
    assert_eq!(judged(&effects), [(peer(2), Verdict::Accept)]);
}
