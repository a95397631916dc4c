//! The suite's part about what stands beside the main chain: branches, turns, proofs, and what was
//! forgotten.

use super::{account, block_on, chain_of, growth};
use crate::block::VerifiedBlock;
use crate::codec;
use crate::evidence::{Evidence, Turn};
use crate::ids::{Address, BlockId};
use crate::store::{Changes, Store, StoreError, Table, split_key};

/// Proofs that the authority of the suite's blocks made two blocks in each of some slots.
pub(in crate::store) fn proofs(slots: &[u64]) -> Vec<Evidence> {
    let block = |slot, count| block_on(BlockId([0; 32]), slot, count).header().clone();
    slots.iter().map(|slot| Evidence::of(block(*slot, 0), block(*slot, 1)).unwrap()).collect()
}

fn turn_of(block: &VerifiedBlock) -> Turn {
    Turn::of(block.header())
}

pub(super) fn blocks_beside_the_chain_are_listed_by_height<S: Store>(mut store: S) {
    assert_eq!(store.side(0, u64::MAX).unwrap(), []);
    let rows = [(3, [9; 32]), (3, [1; 32]), (256, [0; 32]), (7, [255; 32]), (u64::MAX, [2; 32])];
    let rows = rows.map(|(height, id)| (height, BlockId(id)));
    let side = rows.iter().map(|row| (*row, true)).collect();
    store.commit(Changes { side, ..Changes::default() }).unwrap();
    let mut sorted = rows.to_vec();
    sorted.sort_unstable();
    assert_eq!(store.side(0, u64::MAX).unwrap(), sorted);
    assert_eq!(store.side(3, 3).unwrap(), sorted[..2]);
    assert_eq!(store.side(4, 256).unwrap(), sorted[2..4]);
    assert_eq!(store.side(257, u64::MAX - 1).unwrap(), []);
    assert_eq!(store.side(8, 7).unwrap(), []);
    let side = [((7, BlockId([255; 32])), false), ((5, BlockId([5; 32])), false)].into();
    store.commit(Changes { side, ..Changes::default() }).unwrap();
    assert_eq!(store.side(4, 300).unwrap(), [(256, BlockId([0; 32]))]);
}

pub(super) fn the_block_of_a_turn_is_kept_until_it_is_forgotten<S: Store>(mut store: S) {
    let blocks = chain_of(3);
    let (one, two) = (turn_of(&blocks[0]), turn_of(&blocks[1]));
    assert_eq!(store.turn(&one).unwrap(), None);
    let set = |turn, id| Changes { turns: [(turn, id)].into(), ..Changes::default() };
    store.commit(set(one, Some(blocks[0].id()))).unwrap();
    store.commit(set(two, Some(blocks[1].id()))).unwrap();
    store.commit(set(one, Some(blocks[2].id()))).unwrap();
    assert_eq!(store.turn(&one).unwrap(), Some(blocks[2].id()));
    store.commit(set(one, None)).unwrap();
    assert_eq!(store.turn(&one).unwrap(), None);
    assert_eq!(store.turn(&two).unwrap(), Some(blocks[1].id()));
}

pub(super) fn proofs_are_listed_from_a_slot_on<S: Store>(mut store: S) {
    let proofs = proofs(&[2, 3, 255, 256]);
    let backwards = proofs.iter().rev().cloned().collect();
    store.commit(Changes { evidence: backwards, ..Changes::default() }).unwrap();
    assert_eq!(store.evidence(&proofs[1].turn()).unwrap().as_ref(), Some(&proofs[1]));
    let other = Turn { slot: 4, ..proofs[1].turn() };
    assert_eq!(store.evidence(&other).unwrap(), None);
    assert_eq!(store.evidence_from(0, 9).unwrap(), proofs);
    assert_eq!(store.evidence_from(3, 2).unwrap(), proofs[1..3]);
    assert_eq!(store.evidence_from(4, 9).unwrap(), proofs[2..]);
    assert_eq!(store.evidence_from(257, 9).unwrap(), []);
    assert_eq!(store.evidence_from(0, 0).unwrap(), []);
}

pub(super) fn a_forgotten_block_is_gone_and_a_pruned_one_keeps_its_header<S: Store>(mut store: S) {
    let blocks = chain_of(3);
    blocks.iter().for_each(|block| store.commit(growth(block)).unwrap());
    let ids: Vec<BlockId> = blocks.iter().map(VerifiedBlock::id).collect();
    assert_eq!(store.body(&ids[2]).unwrap(), Some(blocks[2].encode_body()));
    store
        .commit(Changes { forgotten: vec![ids[0]], pruned: vec![ids[1]], ..Changes::default() })
        .unwrap();
    for (at, header) in [(0, None), (1, Some(blocks[1].header().clone()))] {
        assert_eq!(store.header(&ids[at]).unwrap(), header);
        assert_eq!(store.body(&ids[at]).unwrap(), None);
        assert_eq!(store.block(&ids[at]).unwrap(), None);
        // The rest is the caller's to take away.
        assert_eq!(store.block_at(at as u64 + 1).unwrap(), Some(ids[at]));
    }
    assert_eq!(store.block(&ids[2]).unwrap().as_ref(), Some(&blocks[2]));
    // What is kept and pruned, or kept and forgotten, with one commit is pruned or forgotten.
    let again = vec![blocks[0].clone(), blocks[1].clone()];
    let (forgotten, pruned) = (vec![ids[0]], vec![ids[1]]);
    store.commit(Changes { blocks: again, forgotten, pruned, ..Changes::default() }).unwrap();
    assert_eq!(store.header(&ids[0]).unwrap(), None);
    assert_eq!(store.body(&ids[1]).unwrap(), None);
    assert!(store.header(&ids[1]).unwrap().is_some());
}

pub(super) fn the_first_body_is_1_until_it_moves<S: Store>(mut store: S) {
    assert_eq!(store.first_body().unwrap(), 1);
    for height in [256, 7] {
        store.commit(Changes { first_body: Some(height), ..Changes::default() }).unwrap();
        assert_eq!(store.first_body().unwrap(), height);
    }
    store.commit(Changes::default()).unwrap();
    assert_eq!(store.first_body().unwrap(), 7);
}

/// The keys of a table's rows.
fn keys(store: &impl Store, table: Table) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    let mut visit = |key: &[u8], _: &[u8]| {
        keys.push(key.to_vec());
        Ok(())
    };
    store.scan(table, &mut visit).unwrap();
    keys
}

pub(super) fn a_scan_shows_every_row_in_order_and_ends_when_told<S: Store>(mut store: S) {
    for table in Table::ALL {
        assert_eq!(keys(&store, table), Vec::<Vec<u8>>::new());
    }
    let blocks = chain_of(300);
    for block in &blocks {
        let mut changes = growth(block);
        changes.side.insert((block.height(), block.id()), true);
        changes.turns.insert(turn_of(block), Some(block.id()));
        changes.evidence = proofs(&[block.height()]);
        changes.accounts.insert(Address(block.id().0), account(block.height()));
        store.commit(changes).unwrap();
    }
    for table in Table::ALL {
        let keys = keys(&store, table);
        assert!(keys.is_sorted(), "{table:?}");
        let transactions = blocks.iter().map(|block| block.transactions().len()).sum();
        let expected = match table {
            Table::Transactions => transactions,
            Table::Accounts => 301,
            _ => 300,
        };
        assert_eq!(keys.len(), expected, "{table:?}");
        let mut shown = 0;
        let mut visit = |_: &[u8], _: &[u8]| {
            shown += 1;
            match shown {
                3 => Err(StoreError::Corrupt("enough".to_owned())),
                _ => Ok(()),
            }
        };
        let error = store.scan(table, &mut visit).unwrap_err();
        assert_eq!((shown, error.to_string().contains("enough")), (3, true), "{table:?}");
    }
    let mut slots = Vec::new();
    let mut visit = |key: &[u8], row: &[u8]| {
        let proof: Evidence = codec::decode(row, usize::MAX).unwrap();
        let (slot, proposer) = split_key(key).unwrap();
        assert_eq!((slot, proposer), (proof.turn().slot, proof.turn().proposer.0));
        slots.push(slot);
        Ok(())
    };
    store.scan(Table::Evidence, &mut visit).unwrap();
    assert_eq!(slots, (1..=300).collect::<Vec<_>>());
}

pub(super) fn recovering_a_sound_store_changes_nothing<S: Store>(mut store: S) {
    let blocks = chain_of(2);
    store.commit(growth(&blocks[0])).unwrap();
    store.recover().unwrap();
    super::assert_grown(&store, &blocks[0]);
    super::assert_tip(&store, &blocks[0]);
    store.commit(growth(&blocks[1])).unwrap();
    store.recover().unwrap();
    super::assert_grown(&store, &blocks[1]);
    super::assert_tip(&store, &blocks[1]);
}
