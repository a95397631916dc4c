//! Blocks taken one by one, and the same blocks as runs.

use super::scenario::{Dice, Story, assert_same, assert_same_rows, rows, story, story_of};
use super::*;
use crate::store::Table;

fn new_chain(rules: &Genesis) -> Chain<MemoryStore> {
    Chain::open(MemoryStore::new(rules.id()), rules.clone()).unwrap()
}

/// Takes one block as a run of one. Unlike [`Chain::import`] this takes third blocks of a turn too,
/// as they come with a branch.
fn take_one(chain: &mut Chain<MemoryStore>, block: &VerifiedBlock) -> Run {
    chain.import_run(vec![block.clone()], FAR_SLOT).unwrap()
}

/// The blocks of a story as runs, each the child of the one before: cut anywhere, in an order in
/// which every run finds its parent.
fn cut(dice: &mut Dice, blocks: &[VerifiedBlock]) -> Vec<Vec<VerifiedBlock>> {
    let mut left: Vec<VerifiedBlock> = blocks.to_vec();
    let mut runs = Vec::new();
    while !left.is_empty() {
        let mut run = vec![left.remove(0)];
        for _ in 0..dice.below(8) {
            let last = run[run.len() - 1].id();
            let child = left.iter().position(|block| block.header().fields.parent == last);
            let Some(child) = child else { break };
            run.push(left.remove(child));
        }
        runs.push(run);
    }
    runs
}

/// Takes a story as runs and block by block, and compares what is kept after each run.
fn compare(story: &Story, seed: u64, keep: Option<u64>, tables: &[Table]) -> Chain<MemoryStore> {
    let runs = cut(&mut Dice(seed), &story.blocks);
    assert!(runs.iter().any(|run| run.len() > 3));
    let (mut whole, mut single) = (new_chain(&story.rules), new_chain(&story.rules));
    whole.keep_bodies(keep);
    single.keep_bodies(keep);
    for (number, run) in runs.into_iter().enumerate() {
        for block in &run {
            take_one(&mut single, block);
        }
        whole.import_run(run, FAR_SLOT).unwrap();
        let when = format!("seed {seed}, run {number}");
        assert_eq!(whole.ends(), single.ends(), "{when}");
        assert_eq!(whole.support, single.support, "{when}");
        assert_eq!(whole.first_body(), single.first_body(), "{when}");
        assert_same_rows(&whole, &single, tables, &when);
    }
    whole
}

#[test]
fn a_run_of_blocks_ends_where_the_same_blocks_end_one_by_one() {
    for seed in 0..20 {
        // Turns and proofs aside: one by one, a branch may be forgotten before the second block of a
        // turn comes, and is not seen to stand against it.
        let tables: Vec<Table> = Table::ALL
            .into_iter()
            .filter(|table| !matches!(table, Table::Turns | Table::Evidence))
            .collect();
        let keep = (seed % 2 == 0).then_some(4);
        let chain = compare(&story(seed, 120), seed, keep, &tables);
        assert!(chain.ends().final_height > 5);
    }
}

#[test]
fn a_run_of_blocks_proves_what_the_same_blocks_prove_one_by_one() {
    for seed in 50..60 {
        let chain = compare(&story_of(seed, 100, 2), seed, None, &Table::ALL);
        assert!(chain.ends().final_height == 0 && !rows(chain.store()).is_empty());
        assert!(chain.store().evidence_from(0, 100).unwrap().len() > 2);
    }
}

/// A branch of `count` blocks with a payment each, of which one does not fit.
fn branch(rules: &Genesis, count: u64, bad: u64) -> Vec<VerifiedBlock> {
    let mut parent = (rules.block().id(), 0);
    let mut after = 0;
    (0..count)
        .map(|number| {
            let nonce = if number == bad { 77 } else { number };
            let tx = pay(rules.chain(), 0, nonce, 1, 1);
            let next = block(rules, parent, after, (number % 4) as u8, vec![tx]);
            (parent, after) = (on(&next), slot(&next));
            next
        })
        .collect()
}

#[test]
fn a_run_with_an_invalid_block_keeps_what_stands_below_it() {
    for bad in 0..6 {
        let rules = genesis(4);
        let blocks = branch(&rules, 6, bad);
        let mut chain = new_chain(&rules);
        let run = chain.import_run(blocks.clone(), FAR_SLOT).unwrap();
        let (culprit, unfit) = run.refused.unwrap();
        assert_eq!(culprit, blocks[bad as usize].id());
        assert!(matches!(unfit, Unfit::Misfit(_)), "{unfit:?}");
        assert_eq!(chain.ends().height, bad);
        let mut expected = new_chain(&rules);
        for block in &blocks[..bad as usize] {
            tip_change(expected.import(block.clone(), FAR_SLOT).unwrap());
        }
        assert_same(&chain, &expected, &format!("bad {bad}"));
        // The same again costs nothing and says the same of it.
        let again = chain.import_run(blocks.clone(), FAR_SLOT).unwrap();
        assert_eq!(again.refused, Some((culprit, Unfit::KnownInvalid)));
        if let Some(child) = blocks.get(bad as usize + 1) {
            let unfit = refusal(chain.import(child.clone(), FAR_SLOT).unwrap());
            assert_eq!(unfit, Unfit::OnInvalid { ancestor: culprit });
        }
        assert_same(&chain, &expected, &format!("bad {bad}, again"));
    }
}

#[test]
fn a_run_ends_before_a_block_from_the_future_or_out_of_place() {
    let rules = genesis(4);
    let blocks = branch(&rules, 6, 99);
    let mut chain = new_chain(&rules);
    let latest = slot(&blocks[2]);
    let run = chain.import_run(blocks.clone(), latest).unwrap();
    let found = slot(&blocks[3]);
    assert_eq!(run.refused, Some((blocks[3].id(), Unfit::Early { found, latest })));
    assert_eq!(chain.ends().tip, blocks[2].id());
    // It was not invalid, only early.
    let run = chain.import_run(blocks.clone(), FAR_SLOT).unwrap();
    assert_eq!((run.refused, chain.ends().tip), (None, blocks[5].id()));
}

#[test]
fn a_run_of_known_blocks_changes_nothing_and_one_without_a_parent_is_an_orphan() {
    let rules = genesis(4);
    let blocks = branch(&rules, 4, 99);
    let mut chain = new_chain(&rules);
    let orphan = chain.import_run(blocks[1..].to_vec(), FAR_SLOT).unwrap();
    assert!(matches!(orphan.import, Import::Orphan { missing } if missing == blocks[0].id()));
    chain.import_run(blocks.clone(), FAR_SLOT).unwrap();
    let before = new_chain(&rules).store().clone();
    assert!(format!("{before:?}") != format!("{:?}", chain.store()));
    let before = format!("{:?}", chain.store());
    assert!(matches!(chain.import_run(blocks, FAR_SLOT).unwrap().import, Import::Known));
    assert_eq!(format!("{:?}", chain.store()), before);
}
