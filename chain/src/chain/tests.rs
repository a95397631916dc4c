mod faulty;
mod reorgs;
mod runs;
mod scenario;
mod turns;

use proptest::prelude::*;

use super::*;
use crate::genesis::{Limits, Schedule};
use crate::ids::ChainId;
use crate::keys::Keypair;
use crate::ledger::Misfit;
use crate::store::MemoryStore;
use crate::transaction::{Transfer, UnverifiedTx, VerifiedTx};
use crate::verdict::{Judged, Verdict};

const FAR_SLOT: u64 = 1_000_000;

fn authority(number: u8) -> Keypair {
    Keypair::from_seed(&[100 + number; 32])
}

fn user(number: u8) -> Keypair {
    Keypair::from_seed(&[number; 32])
}

fn genesis(authorities: u8) -> Genesis {
    Genesis {
        name: "test".to_owned(),
        time_ms: 0,
        slot_ms: 1_000,
        schedule: Schedule::RoundRobin,
        authorities: (0..authorities).map(|number| authority(number).public()).collect(),
        limits: Limits::default(),
        allocations: (0..4).map(|number| (user(number).address(), 1_000)).collect(),
    }
}

fn chain(authorities: u8) -> Chain<MemoryStore> {
    let genesis = genesis(authorities);
    Chain::open(MemoryStore::new(genesis.id()), genesis).unwrap()
}

fn pay(chain: ChainId, from: u8, nonce: u64, to: u8, amount: u64) -> VerifiedTx {
    let transfer = Transfer {
        chain,
        sender: user(from).public(),
        nonce,
        recipient: user(to).address(),
        amount,
        fee: 1,
        expiry: None,
        payload: Vec::new(),
    };
    VerifiedTx::verify(UnverifiedTx::from(transfer.sign(&user(from)))).unwrap()
}

/// A block in the first slot after `after` that belongs to an authority.
fn block(
    genesis: &Genesis,
    parent: (BlockId, u64),
    after: u64,
    by: u8,
    transactions: Vec<VerifiedTx>,
) -> VerifiedBlock {
    let key = authority(by);
    let slot = (after + 1..)
        .find(|slot| Rules::new(genesis.clone()).may_propose(*slot, &key.public()))
        .unwrap();
    VerifiedBlock::propose(genesis.chain(), parent, slot, transactions, &key)
}

fn on(parent: &VerifiedBlock) -> (BlockId, u64) {
    (parent.id(), parent.height())
}

fn slot(block: &VerifiedBlock) -> u64 {
    block.header().fields.slot
}

fn root(chain: &Chain<MemoryStore>) -> (BlockId, u64) {
    (chain.genesis().block().id(), 0)
}

fn tip_change(import: Import) -> TipChange {
    match import {
        Import::Tip(change) => change,
        other => panic!("expected a new tip, got {other:?}"),
    }
}

fn refusal(import: Import) -> Unfit {
    match import {
        Import::Refused(unfit) => unfit,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn a_block_on_the_tip_becomes_the_tip_and_moves_money() {
    let mut chain = chain(4);
    let rules = chain.genesis().clone();
    let tx = pay(rules.chain(), 0, 0, 1, 10);
    let first = block(&rules, root(&chain), 0, 1, vec![tx.clone()]);
    let change = tip_change(chain.import(first.clone(), FAR_SLOT).unwrap());
    assert!(change.undone.is_empty());
    assert_eq!(chain.tip().id, first.id());
    assert_eq!(chain.account(&user(0).address()).unwrap(), Account { balance: 989, nonce: 1 });
    assert_eq!(chain.account(&user(1).address()).unwrap().balance, 1_010);
    assert_eq!(chain.account(&authority(1).address()).unwrap().balance, 1);
    assert_eq!(chain.find_transaction(&tx.id()).unwrap(), Some(TxPlace { height: 1, index: 0 }));
    assert!(matches!(chain.import(first, FAR_SLOT).unwrap(), Import::Known));
}

#[test]
fn a_longer_branch_takes_over_and_the_old_transactions_come_back_out() {
    let mut chain = chain(4);
    let rules = chain.genesis().clone();
    let tx = pay(rules.chain(), 0, 0, 1, 10);
    let old = block(&rules, root(&chain), 0, 1, vec![tx.clone()]);
    let new_1 = block(&rules, root(&chain), 0, 2, vec![]);
    let new_2 = block(&rules, on(&new_1), slot(&new_1), 3, vec![]);
    chain.import(old.clone(), FAR_SLOT).unwrap();
    chain.import(new_1.clone(), FAR_SLOT).unwrap();
    let change = chain.import(new_2.clone(), FAR_SLOT).unwrap();
    assert_eq!(chain.tip().id, new_2.id());
    if let Import::Tip(change) = change {
        // Both first blocks stand at height 1, so which was the tip between is up to their ids.
        assert!(change.undone.is_empty() || change.undone == [old]);
    }
    assert_eq!(chain.find_transaction(&tx.id()).unwrap(), None);
    assert_eq!(chain.account(&user(0).address()).unwrap(), Account { balance: 1_000, nonce: 0 });
}

#[test]
fn a_block_whose_parent_is_unknown_is_an_orphan() {
    let mut chain = chain(4);
    let rules = chain.genesis().clone();
    let first = block(&rules, root(&chain), 0, 1, vec![]);
    let second = block(&rules, on(&first), slot(&first), 2, vec![]);
    match chain.import(second, FAR_SLOT).unwrap() {
        Import::Orphan { missing } => assert_eq!(missing, first.id()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_block_with_a_transaction_that_does_not_fit_is_refused_and_changes_nothing() {
    let mut chain = chain(4);
    let rules = chain.genesis().clone();
    let tx = pay(rules.chain(), 0, 5, 1, 10);
    let bad = block(&rules, root(&chain), 0, 1, vec![tx.clone()]);
    let unfit = refusal(chain.import(bad.clone(), FAR_SLOT).unwrap());
    let misfit = Misfit::NonceGap { found: 5, next: 0 };
    assert_eq!(unfit, Unfit::Misfit(crate::ledger::BlockMisfit { id: tx.id(), misfit }));
    assert_eq!(unfit.verdict(), Verdict::Reject);
    assert_eq!(chain.tip().height, 0);
    assert_eq!(refusal(chain.import(bad.clone(), FAR_SLOT).unwrap()), Unfit::KnownInvalid);
    let child = block(&rules, on(&bad), slot(&bad), 2, vec![]);
    let unfit = refusal(chain.import(child, FAR_SLOT).unwrap());
    assert_eq!(unfit, Unfit::OnInvalid { ancestor: bad.id() });
    assert_eq!(unfit.verdict(), Verdict::Ignore);
}

#[test]
fn height_slot_and_clock_of_a_block_are_held_against_its_parent_and_the_present() {
    let mut chain = chain(1);
    let rules = chain.genesis().clone();
    let first = block(&rules, root(&chain), 4, 0, vec![]);
    assert_eq!(
        refusal(chain.import(first.clone(), 4).unwrap()),
        Unfit::Early { found: 5, latest: 4 }
    );
    chain.import(first.clone(), 5).unwrap();
    let key = authority(0);
    let same_slot = VerifiedBlock::propose(rules.chain(), on(&first), 5, vec![], &key);
    assert_eq!(
        refusal(chain.import(same_slot, FAR_SLOT).unwrap()),
        Unfit::Slot { found: 5, parent: 5 }
    );
    let high = VerifiedBlock::propose(rules.chain(), (first.id(), 7), 9, vec![], &key);
    assert_eq!(
        refusal(chain.import(high, FAR_SLOT).unwrap()),
        Unfit::Height { found: 8, parent: 1 }
    );
}

#[test]
fn a_branch_from_below_the_final_block_is_ignored_however_long() {
    let mut chain = chain(1);
    let rules = chain.genesis().clone();
    let root = root(&chain);
    let mut parent = root;
    for number in 1..=3 {
        let next = block(&rules, parent, number, 0, vec![]);
        chain.import(next.clone(), FAR_SLOT).unwrap();
        parent = on(&next);
    }
    assert_eq!(chain.ends().final_height, 2);
    let rival = block(&rules, root, 50, 0, vec![]);
    let unfit = refusal(chain.import(rival, FAR_SLOT).unwrap());
    assert_eq!(unfit, Unfit::BelowFinal { final_height: 2 });
    assert_eq!(unfit.verdict(), Verdict::Ignore);
}

#[test]
fn a_chain_opened_again_stands_where_it_stood() {
    let mut before = chain(4);
    let rules = before.genesis().clone();
    let mut parent = root(&before);
    for number in 1..=9u8 {
        let next = block(&rules, parent, u64::from(number) - 1, number % 4, vec![]);
        before.import(next.clone(), FAR_SLOT).unwrap();
        parent = on(&next);
    }
    let mut after = Chain::open(before.store().clone(), rules.clone()).unwrap();
    assert_eq!(after.ends(), before.ends());
    let next = block(&rules, parent, 9, 2, vec![]);
    before.import(next.clone(), FAR_SLOT).unwrap();
    after.import(next, FAR_SLOT).unwrap();
    assert_eq!(after.ends(), before.ends());
    assert_eq!(after.ends().final_height, 7);
}

#[test]
fn a_peer_finds_where_the_chains_part_and_gets_what_follows() {
    let (mut long, mut short) = (chain(1), chain(1));
    let rules = long.genesis().clone();
    let mut parent = root(&long);
    for number in 1..=40 {
        let next = block(&rules, parent, number, 0, vec![]);
        long.import(next.clone(), FAR_SLOT).unwrap();
        if number <= 25 {
            short.import(next.clone(), FAR_SLOT).unwrap();
        }
        parent = on(&next);
    }
    let locator = short.locator().unwrap();
    assert!(locator.len() < 16, "{}", locator.len());
    assert_eq!(locator.last(), Some(&rules.block().id()));
    let blocks = long.blocks_after(&locator, 10, usize::MAX).unwrap();
    let heights: Vec<u64> = blocks.iter().map(VerifiedBlock::height).collect();
    assert_eq!(heights, (26..=35).collect::<Vec<_>>());
    assert_eq!(long.blocks_after(&locator, 10, 1).unwrap().len(), 1);
    assert_eq!(short.blocks_after(&long.locator().unwrap(), 10, usize::MAX).unwrap(), vec![]);
}

/// A tree of blocks: each picks a parent among those before it and an authority.
fn tree() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    prop::collection::vec((any::<prop::sample::Index>(), 0u8..4), 1..24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_tip_and_the_balances_do_not_depend_on_the_order_of_arrival(
        tree in tree(),
        order in any::<prop::sample::Index>(),
        seed: u64,
    ) {
        // 64 authorities, of whom four build: nothing becomes final, so every order is fair.
        let rules = genesis(64);
        let mut blocks: Vec<VerifiedBlock> = Vec::new();
        for (number, (parent, by)) in tree.iter().enumerate() {
            let choice = parent.index(blocks.len() + 1);
            let (on, after) = match blocks.get(choice) {
                Some(parent) => ((parent.id(), parent.height()), slot(parent)),
                None => ((rules.block().id(), 0), 0),
            };
            let nonce = on.1;
            let tx = pay(rules.chain(), 0, nonce, 1 + by % 3, number as u64 + 1);
            blocks.push(block(&rules, on, after, *by, vec![tx]));
        }
        let one = arrive(&rules, &blocks);
        let mut shuffled = blocks.clone();
        shuffled.rotate_left(order.index(blocks.len()));
        let mut state = seed;
        for at in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(at, (state >> 33) as usize % (at + 1));
        }
        let other = arrive(&rules, &shuffled);
        prop_assert_eq!(one.ends(), other.ends());
        for number in 0..4 {
            let address = user(number).address();
            prop_assert_eq!(one.account(&address).unwrap(), other.account(&address).unwrap());
        }
    }
}

/// Imports blocks in the order given, trying orphans again until all are in. An orphan on a block
/// that was refused as surplus comes with its branch, as a peer would give it.
fn arrive(rules: &Genesis, blocks: &[VerifiedBlock]) -> Chain<MemoryStore> {
    let mut chain = Chain::open(MemoryStore::new(rules.id()), rules.clone()).unwrap();
    let mut waiting: Vec<VerifiedBlock> = blocks.to_vec();
    while !waiting.is_empty() {
        let before = waiting.len();
        waiting.retain(|block| {
            matches!(chain.import(block.clone(), FAR_SLOT).unwrap(), Import::Orphan { .. })
        });
        if waiting.len() == before {
            let branch = branch_to(&chain, blocks, &waiting[0]);
            let run = chain.import_run(branch, FAR_SLOT).unwrap();
            assert!(matches!(run.import, Import::Side | Import::Tip(_)), "{run:?}");
        }
    }
    chain
}

/// The blocks that a chain lacks below one of a tree and that one, lowest first.
fn branch_to(
    chain: &Chain<MemoryStore>,
    tree: &[VerifiedBlock],
    end: &VerifiedBlock,
) -> Vec<VerifiedBlock> {
    let mut branch = vec![end.clone()];
    loop {
        let parent = branch.last().unwrap().header().fields.parent;
        if chain.contains(&parent).unwrap() {
            branch.reverse();
            return branch;
        }
        branch.push(tree.iter().find(|block| block.id() == parent).unwrap().clone());
    }
}
