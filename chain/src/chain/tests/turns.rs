//! Two blocks of one authority in one slot, and a third.

use super::scenario::assert_same;
use super::*;
use crate::evidence::{Evidence, Turn};

fn new_chain() -> Chain<MemoryStore> {
    chain(4)
}

/// Blocks that one authority made in one slot on one parent, the smallest id first.
fn twins(rules: &Genesis, parent: (BlockId, u64), count: u64) -> Vec<VerifiedBlock> {
    let first = block(rules, parent, parent.1 * 4, 1, vec![]);
    let make = |number| {
        let tx = pay(rules.chain(), 0, 0, 1, number);
        VerifiedBlock::propose(rules.chain(), parent, slot(&first), vec![tx], &authority(1))
    };
    let mut blocks: Vec<VerifiedBlock> = (1..=count).map(make).collect();
    blocks.sort_by_key(VerifiedBlock::id);
    blocks
}

#[test]
fn two_blocks_of_a_turn_give_the_same_proof_and_tip_in_either_order() {
    let rules = genesis(4);
    let root = (rules.block().id(), 0);
    let two = twins(&rules, root, 2);
    let mut chains = [new_chain(), new_chain()];
    for (chain, order) in chains.iter_mut().zip([[0, 1], [1, 0]]) {
        for at in order {
            assert!(!chain.is_surplus(two[at].header()).unwrap());
            let import = chain.import(two[at].clone(), FAR_SLOT).unwrap();
            assert!(matches!(import, Import::Tip(_) | Import::Side), "{import:?}");
        }
        let proof = Evidence::of(two[0].header().clone(), two[1].header().clone()).unwrap();
        assert!(proof.holds());
        assert_eq!(chain.take_evidence(), std::slice::from_ref(&proof));
        assert_eq!(chain.store().evidence(&Turn::of(two[0].header())).unwrap(), Some(proof));
        assert_eq!(chain.take_evidence(), []);
        assert_eq!(chain.tip().id, two[1].id().min(two[0].id()));
    }
    let [one, other] = chains;
    assert_eq!(one.ends(), other.ends());
}

#[test]
fn a_third_block_of_a_turn_is_taken_only_if_it_beats_the_tip() {
    let rules = genesis(4);
    let three = twins(&rules, (rules.block().id(), 0), 3);
    for [first, second, third] in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
    {
        let mut chain = new_chain();
        chain.import(three[first].clone(), FAR_SLOT).unwrap();
        chain.import(three[second].clone(), FAR_SLOT).unwrap();
        let proof = chain.take_evidence();
        assert!(chain.is_surplus(three[third].header()).unwrap());
        let before = chain.store().clone();
        let import = chain.import(three[third].clone(), FAR_SLOT).unwrap();
        let beats = third == 0;
        if beats {
            tip_change(import);
        } else {
            assert_eq!(refusal(import), Unfit::Equivocation { slot: slot(&three[third]) });
            assert_eq!(format!("{:?}", chain.store()), format!("{before:?}"));
        }
        // All nodes end with the same tip, and the first proof is the one that counts.
        assert_eq!(chain.tip().id, three[0].id());
        assert_eq!(chain.take_evidence(), []);
        let turn = Turn::of(three[0].header());
        assert_eq!(chain.store().evidence(&turn).unwrap().as_ref(), proof.first());
        // Built on by others it comes with their branch, whoever refused it before.
        let child = block(&rules, on(&three[2]), slot(&three[2]), 2, vec![]);
        let run = chain.import_run(vec![three[2].clone(), child.clone()], FAR_SLOT).unwrap();
        assert!(matches!(run.import, Import::Tip(_)), "{run:?}");
        assert_eq!(chain.tip().id, child.id());
    }
}

#[test]
fn a_proof_is_found_in_a_block_that_is_refused_and_outlives_the_blocks() {
    let rules = genesis(4);
    let root = (rules.block().id(), 0);
    let good = block(&rules, root, 0, 1, vec![]);
    let broke = pay(rules.chain(), 0, 9, 1, 1);
    let bad =
        VerifiedBlock::propose(rules.chain(), on(&good), slot(&good) + 4, vec![], &authority(1));
    let twin =
        VerifiedBlock::propose(rules.chain(), on(&good), slot(&bad), vec![broke], &authority(1));
    let mut chain = new_chain();
    chain.import(good.clone(), FAR_SLOT).unwrap();
    chain.import(bad.clone(), FAR_SLOT).unwrap();
    let import = chain.import(twin.clone(), FAR_SLOT).unwrap();
    let refused = matches!(import, Import::Refused(Unfit::Misfit(_)));
    // It is applied, and found invalid, only if it beats the other.
    assert_eq!(refused, twin.id() < bad.id(), "{import:?}");
    assert_eq!(chain.take_evidence().len(), 1);
    let mut parent = bad;
    for by in [2, 3, 0, 1, 2, 3] {
        let next = block(&rules, on(&parent), slot(&parent), by, vec![]);
        chain.import(next.clone(), FAR_SLOT).unwrap();
        parent = next;
    }
    assert!(chain.ends().final_height > 2);
    assert!(!chain.contains(&twin.id()).unwrap());
    assert_eq!(chain.store().evidence_from(0, 9).unwrap().len(), 1);
    let opened = Chain::open(chain.store().clone(), rules).unwrap();
    assert_same(&chain, &opened, "opened again");
}

#[test]
fn a_block_that_is_dropped_takes_nobodys_turn() {
    let rules = genesis(4);
    let mut chain = new_chain();
    let kept = block(&rules, root(&chain), 0, 1, vec![]);
    // Of the next authority, on the right parent, but with a height that does not follow.
    let misplaced = block(&rules, (kept.id(), 7), slot(&kept), 2, vec![]);
    let run = chain.import_run(vec![kept.clone(), misplaced.clone()], FAR_SLOT).unwrap();
    assert_eq!(run.refused.map(|(id, _)| id), Some(misplaced.id()));
    assert_eq!(chain.tip().id, kept.id());
    assert_eq!(chain.store().turn(&Turn::of(misplaced.header())).unwrap(), None);
    let honest = block(&rules, on(&kept), slot(&kept), 2, vec![]);
    assert_eq!(Turn::of(honest.header()), Turn::of(misplaced.header()));
    chain.import(honest.clone(), FAR_SLOT).unwrap();
    assert_eq!(chain.store().turn(&Turn::of(honest.header())).unwrap(), Some(honest.id()));
}

#[test]
fn tips_that_give_way_to_ever_smaller_twins_do_not_pile_up() {
    let rules = genesis(4);
    let many = twins(&rules, (rules.block().id(), 0), 40);
    let mut chain = new_chain();
    for block in many.iter().rev() {
        assert!(matches!(chain.import(block.clone(), FAR_SLOT).unwrap(), Import::Tip(_)));
    }
    assert_eq!(chain.tip().id, many[0].id());
    let side = chain.store().side(0, u64::MAX).unwrap();
    assert_eq!(side.len(), 2, "the two that prove it stay, the surplus goes");
}
