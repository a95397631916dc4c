//! Reorganisations of any depth, finality, and what is forgotten with it.

use std::collections::{BTreeMap, BTreeSet};

use super::faulty::Faulty;
use super::scenario::{Dice, assert_same, story};
use super::*;
use crate::store::Table;

#[test]
fn reorganisations_of_depth_1_to_200_take_one_commit_each_and_give_the_accounts_of_the_branch() {
    // 64 authorities, of whom two build: nothing becomes final.
    let rules = genesis(64);
    let branches: Vec<Vec<VerifiedBlock>> = (0..2u8)
        .map(|by| {
            let (mut parent, mut after) = ((rules.block().id(), 0), 0);
            (0..203)
                .map(|number| {
                    let tx = pay(rules.chain(), by, number, 2, 1);
                    let next = block(&rules, parent, after, by, vec![tx]);
                    (parent, after) = (on(&next), slot(&next));
                    next
                })
                .collect()
        })
        .collect();
    let mut chain = Chain::open(Faulty::new(rules.id()), rules.clone()).unwrap();
    let mut depths = BTreeSet::new();
    // Each branch in turn grows to one block above the other.
    for number in 0..203 {
        for next in [&branches[number % 2], &branches[1 - number % 2]] {
            let before = chain.store().commits;
            let import = chain.import(next[number].clone(), FAR_SLOT).unwrap();
            assert_eq!(chain.store().commits, before + 1);
            let Import::Tip(change) = import else { continue };
            depths.insert(change.undone.len());
            assert_eq!(
                change.applied.len() as u64 + change.previous.height - change.undone.len() as u64,
                chain.ends().height
            );
            let winner = u8::from(branches[1][number].id() == chain.ends().tip);
            let spent = 2 * (number as u64 + 1);
            let balance = |number| chain.account(&user(number).address()).unwrap().balance;
            assert_eq!(balance(winner), 1_000 - spent);
            assert_eq!(balance(1 - winner), 1_000);
            for (height, block) in (1..).zip(&branches[usize::from(winner)][..=number]) {
                assert_eq!(chain.store().block_at(height).unwrap(), Some(block.id()));
            }
            assert_eq!(chain.store().block_at(chain.ends().height + 1).unwrap(), None);
        }
    }
    assert!(depths.iter().any(|depth| *depth >= 150), "{depths:?}");
    let mut chain = Chain::open(Faulty::new(rules.id()), rules.clone()).unwrap();
    for depth in 1..=200 {
        // The main chain of that depth is made, then a branch that is one longer arrives as a run.
        let (old, new) = (&branches[depth % 2], &branches[1 - depth % 2]);
        chain.import_run(old[..depth].to_vec(), FAR_SLOT).unwrap();
        let before = chain.store().commits;
        let run = chain.import_run(new[..=depth].to_vec(), FAR_SLOT).unwrap();
        let change = tip_change(run.import);
        assert_eq!((chain.store().commits, change.undone.len()), (before + 1, depth));
        assert_eq!(chain.ends().tip, new[depth].id());
    }
}

/// Where a block's branch leaves the main chain.
fn fork_height(chain: &Chain<MemoryStore>, blocks: &BTreeMap<BlockId, Header>, id: BlockId) -> u64 {
    let mut at = id;
    loop {
        let fields = &blocks[&at].fields;
        if chain.is_main(&at, fields.height).unwrap() {
            return fields.height;
        }
        at = fields.parent;
    }
}

#[test]
fn final_blocks_stay_and_only_what_cannot_win_is_forgotten() {
    for seed in 100..130 {
        let story = story(seed, 150);
        let rules = story.rules;
        let mut chain = Chain::open(MemoryStore::new(rules.id()), rules.clone()).unwrap();
        let mut taken = BTreeMap::from([(rules.block().id(), rules.block())]);
        let mut finals = BTreeMap::from([(0, rules.block().id())]);
        let (mut forgotten, mut final_height) = (0, 0);
        for block in &story.blocks {
            let import = chain.import(block.clone(), FAR_SLOT).unwrap();
            if matches!(import, Import::Side | Import::Tip(_)) {
                taken.insert(block.id(), block.header().clone());
            }
            if let Import::Tip(change) = &import {
                finals.extend(change.finalised.iter().copied());
                // A tip that was surplus in its turn is not kept beside the chain.
                if let Some(old) = change.undone.first()
                    && chain.is_surplus(old.header()).unwrap()
                {
                    taken.remove(&old.id());
                }
            }
            let ends = chain.ends();
            assert_eq!(finals.len() as u64, ends.final_height + 1, "each is told once");
            for (height, id) in &finals {
                assert_eq!(chain.store().block_at(*height).unwrap(), Some(*id), "seed {seed}");
            }
            // A branch that wins later may have fewer builders; what is final stays so.
            final_height = final_height.max(naive_final_height(&chain, &rules));
            assert_eq!(ends.final_height, final_height);
            // A branch that leaves the main chain below the final block is gone, every other is kept.
            let expected: BTreeSet<BlockId> = taken
                .keys()
                .copied()
                .filter(|id| {
                    let main = chain.is_main(id, taken[id].fields.height).unwrap();
                    main || fork_height(&chain, &taken, *id) >= ends.final_height
                })
                .collect();
            let mut kept = BTreeSet::new();
            let mut note = |key: &[u8], _: &[u8]| {
                kept.insert(BlockId(key.try_into().unwrap()));
                Ok(())
            };
            chain.store().scan(Table::Headers, &mut note).unwrap();
            assert_eq!(kept, expected, "seed {seed}");
            let side: BTreeSet<BlockId> = expected
                .iter()
                .copied()
                .filter(|id| !chain.is_main(id, taken[id].fields.height).unwrap())
                .collect();
            let rows = chain.store().side(0, u64::MAX).unwrap();
            assert!(rows.iter().all(|(height, id)| taken[id].fields.height == *height));
            assert_eq!(rows.iter().map(|(_, id)| *id).collect::<BTreeSet<_>>(), side);
            forgotten += taken.len() - expected.len();
            taken.retain(|id, _| expected.contains(id));
        }
        assert!(forgotten > 0 && finals.len() > 10, "seed {seed}: {forgotten} {}", finals.len());
    }
}

/// The greatest height with blocks of more than two thirds of the authorities strictly above it.
fn naive_final_height(chain: &Chain<MemoryStore>, rules: &Genesis) -> u64 {
    let mut builders = BTreeSet::new();
    for height in (1..=chain.ends().height).rev() {
        let header = chain.header(&chain.store().block_at(height).unwrap().unwrap()).unwrap();
        builders.insert(header.fields.proposer);
        if 3 * builders.len() > 2 * rules.authorities.len() {
            return height - 1;
        }
    }
    0
}

#[test]
fn a_chain_opened_again_at_any_moment_goes_on_as_one_that_was_not() {
    for seed in 200..215 {
        let story = story(seed, 150);
        let mut dice = Dice(seed);
        let open = |store| {
            let mut chain = Chain::open(store, story.rules.clone()).unwrap();
            chain.keep_bodies(Some(5));
            chain
        };
        let mut kept = open(MemoryStore::new(story.rules.id()));
        let mut opened = open(MemoryStore::new(story.rules.id()));
        for block in &story.blocks {
            if dice.below(4) == 0 {
                opened = open(opened.store().clone());
            }
            let one = kept.import(block.clone(), FAR_SLOT).unwrap();
            let other = opened.import(block.clone(), FAR_SLOT).unwrap();
            assert_eq!(format!("{one:?}"), format!("{other:?}"), "seed {seed}");
            assert_same(&kept, &opened, &format!("seed {seed}"));
        }
    }
}

#[test]
fn bodies_are_kept_of_the_last_blocks_and_of_those_not_final_and_of_no_others() {
    for keep in [1, 3, 8, 1_000] {
        let story = story(31, 200);
        let new = || Chain::open(MemoryStore::new(story.rules.id()), story.rules.clone()).unwrap();
        let (mut pruned, mut whole) = (new(), new());
        pruned.keep_bodies(Some(keep));
        for block in &story.blocks {
            pruned.import(block.clone(), FAR_SLOT).unwrap();
            whole.import(block.clone(), FAR_SLOT).unwrap();
            let ends = pruned.ends();
            assert_eq!(ends, whole.ends());
            // Never less than asked for; what is not final, always.
            let must = ends.height.saturating_sub(keep).min(ends.final_height) + 1;
            assert!(pruned.first_body() <= must);
            for height in 1..=ends.height {
                let id = pruned.store().block_at(height).unwrap().unwrap();
                let body = pruned.store().body(&id).unwrap();
                assert_eq!(body.is_some(), height >= pruned.first_body(), "{keep}: {height}");
                assert_eq!(pruned.store().block(&id).unwrap().is_some(), body.is_some());
                assert!(pruned.store().header(&id).unwrap().is_some());
            }
            for (_, id) in pruned.store().side(0, u64::MAX).unwrap() {
                assert!(pruned.store().body(&id).unwrap().is_some());
            }
        }
        let ends = pruned.ends();
        let must = ends.height.saturating_sub(keep).min(ends.final_height) + 1;
        assert_eq!(pruned.first_body(), must, "keep {keep}");
        for number in 0..4 {
            let address = user(number).address();
            assert_eq!(pruned.account(&address).unwrap(), whole.account(&address).unwrap());
        }
        assert_eq!(whole.first_body(), 1);
    }
}
