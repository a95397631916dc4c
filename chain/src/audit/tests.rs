use proptest::prelude::*;

use super::*;
use crate::block::VerifiedBlock;
use crate::chain::Chain;
use crate::genesis::Genesis;
use crate::store::{Changes, MemoryStore};
use crate::testing::{FAR_SLOT, block, empty, genesis, lived, on, root, run, take};
use crate::transaction::{UnverifiedTx, VerifiedTx};

fn of(store: &MemoryStore) -> Audit {
    audit(store, &Rules::new(genesis(4)), Options::default(), &mut |_| ()).unwrap()
}

fn told(audit: &Audit) -> Vec<String> {
    audit.findings.iter().map(ToString::to_string).collect()
}

#[test]
fn a_sound_chain_has_no_finding_and_is_counted() {
    let chain = lived(None);
    let mut stages = Vec::new();
    let rules = Rules::new(genesis(4));
    let audit = audit(chain.store(), &rules, Options::default(), &mut |progress| {
        stages.push(progress.stage);
    })
    .unwrap();
    assert_eq!(told(&audit), Vec::<String>::new());
    assert_eq!((audit.blocks, audit.transactions, audit.side_blocks), (11, 22, 4));
    // 15 blocks with 2 transactions each, and two headers in each of two proofs.
    assert_eq!(audit.signatures, 15 * 3 + 2 * 2);
    assert_eq!(audit.accounts, 4 + 4);
    assert!(stages.contains(&Stage::Blocks));
}

#[test]
fn a_sound_chain_without_old_bodies_has_no_finding() {
    let chain = lived(Some(1));
    assert_eq!(chain.first_body(), 8);
    let audit = of(chain.store());
    assert_eq!(told(&audit), Vec::<String>::new());
    assert_eq!((audit.blocks, audit.transactions), (11, 8));
}

#[test]
fn a_chain_of_the_genesis_block_alone_has_no_finding() {
    assert_eq!(told(&of(empty(4).store())), Vec::<String>::new());
}

#[test]
fn a_store_without_a_chain_is_a_finding() {
    let audit = of(&MemoryStore::new(genesis(4).id()));
    assert_eq!(told(&audit), ["meta, the ends of the chain: they are missing"]);
}

/// Damages a copy of a sound store in each way and shows what is found.
fn damaged(damage: impl Fn(&mut MemoryStore)) {
    for keep in [None, Some(1)] {
        let mut store = lived(keep).store().clone();
        damage(&mut store);
        assert!(!of(&store).is_clean(), "nothing found; bodies kept: {keep:?}");
    }
}

#[test]
fn each_row_that_is_missing_is_found() {
    for table in Table::ALL {
        for keep in [None, Some(1)] {
            let sound = lived(keep).store().clone();
            assert!(sound.rows(table) > 0, "{table:?}");
            for at in 0..sound.rows(table) {
                let mut store = sound.clone();
                store.remove_row(table, at);
                assert!(!of(&store).is_clean(), "{table:?} without row {at}, keeping {keep:?}");
            }
        }
    }
}

#[test]
fn each_row_that_was_changed_is_found() {
    for table in Table::ALL {
        for keep in [None, Some(1)] {
            let sound = lived(keep).store().clone();
            for at in 0..sound.rows(table) {
                let mut store = sound.clone();
                store.alter_row(table, at);
                assert!(
                    !of(&store).is_clean(),
                    "{table:?} with row {at} changed, keeping {keep:?}"
                );
            }
        }
    }
}

#[test]
fn a_row_too_many_is_found_in_every_table_and_named() {
    for table in Table::ALL {
        for keep in [None, Some(1)] {
            let mut store = lived(keep).store().clone();
            store.add_row(table);
            let found = told(&of(&store));
            assert!(
                found.iter().any(|found| found.starts_with(table.name())),
                "{table:?}, keeping {keep:?}: {found:?}"
            );
        }
    }
}

#[test]
fn ends_that_are_not_the_chains_are_found() {
    let ends = lived(None).ends();
    for wrong in [
        Ends { height: 10, ..ends },
        Ends { height: 12, ..ends },
        Ends { final_height: 6, ..ends },
        Ends { final_height: 8, ..ends },
        Ends { final_height: 11, ..ends },
        Ends { tip: crate::BlockId([1; 32]), ..ends },
    ] {
        damaged(|store| store.set_ends(Some(wrong)));
    }
    damaged(|store| store.set_ends(None));
}

#[test]
fn a_wrong_lowest_body_is_found() {
    for wrong in [0, 5, 9, 100] {
        damaged(|store| store.set_first_body(wrong));
    }
}

#[test]
fn two_equal_mistakes_in_the_accounts_do_not_hide_each_other() {
    damaged(|store| {
        let mut accounts = Vec::new();
        store
            .scan(Table::Accounts, &mut |key, row| {
                accounts.push((crate::Address(key.try_into().unwrap()), row.to_vec()));
                Ok(())
            })
            .unwrap();
        let moved = accounts.iter().take(2).zip([1i64, -1]).map(|((address, row), by)| {
            let account: crate::ledger::Account = crate::codec::decode(row, 100).unwrap();
            let balance = account.balance.checked_add_signed(by).unwrap();
            (*address, crate::ledger::Account { balance, ..account })
        });
        store.commit(Changes { accounts: moved.collect(), ..Changes::default() }).unwrap();
    });
}

/// A chain of one block with a transaction whose signature was cut off before it was signed over.
fn with_a_forged_transaction() -> Chain<MemoryStore> {
    let mut chain = empty(4);
    let genesis = chain.genesis().clone();
    let sound = block(&genesis, root(&genesis), 1, 1);
    let mut forged = sound.transactions()[0].transaction().clone();
    forged.signature.0[1] ^= 1;
    let forged = VerifiedTx::from_own_store(UnverifiedTx::from(forged));
    let parent = (genesis.block().id(), 0);
    let key = crate::testing::authority(1);
    let slot = sound.header().fields.slot;
    let block = VerifiedBlock::propose(genesis.chain(), parent, slot, vec![forged], &key);
    take(&mut chain, &[block]);
    chain
}

#[test]
fn a_forged_transaction_is_found_unless_its_signature_is_not_looked_at() {
    let chain = with_a_forged_transaction();
    let found = told(&of(chain.store()));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("the signature of transaction"), "{found:?}");
    let options = Options { signatures: false };
    let without = audit(chain.store(), chain.rules(), options, &mut |_| ()).unwrap();
    assert_eq!((told(&without), without.signatures), (Vec::new(), 1));
}

#[test]
fn a_body_of_another_block_is_found() {
    let chain = lived(None);
    let (a, b) = (chain.store().block_at(3).unwrap().unwrap(), chain.ends().tip);
    let other = chain.store().block(&b).unwrap().unwrap();
    let mut store = chain.store().clone();
    store.set_body(a, other);
    let found = told(&of(&store));
    assert!(found.iter().any(|found| found.contains("not the body")), "{found:?}");
}

#[test]
fn findings_beyond_the_limit_are_counted_and_not_kept() {
    let mut chain = empty(1);
    let genesis = chain.genesis().clone();
    take(&mut chain, &run(&genesis, root(&genesis), &[0; 60], 1));
    let mut store = chain.store().clone();
    for _ in 0..store.rows(Table::Transactions) {
        store.remove_row(Table::Transactions, 0);
    }
    let audit = audit(&store, chain.rules(), Options::default(), &mut |_| ()).unwrap();
    assert_eq!((audit.findings.len(), audit.findings_total), (MAX_FINDINGS, 120));
}

/// Blocks of a random tree, each with a parent among those before it.
fn tree(genesis: &Genesis, choices: &[(prop::sample::Index, u8)]) -> Vec<VerifiedBlock> {
    let mut blocks: Vec<VerifiedBlock> = Vec::new();
    for (number, (parent, by)) in choices.iter().enumerate() {
        // Mostly near the end, so that branches grow.
        let back = parent.index(5).min(blocks.len());
        let parent = match blocks.len() - back {
            0 => root(genesis),
            above => on(&blocks[above - 1]),
        };
        blocks.push(block(genesis, parent, *by, number as u64 % 7 + 1));
    }
    blocks
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn whatever_blocks_come_the_store_is_sound_and_so_is_one_taken_back(
        choices in prop::collection::vec((any::<prop::sample::Index>(), 0u8..4), 1..40),
        keep in prop::option::of(1u64..6),
        back in any::<prop::sample::Index>(),
    ) {
        let mut chain = empty(4);
        chain.keep_bodies(keep);
        let genesis = chain.genesis().clone();
        let blocks = tree(&genesis, &choices);
        for block in &blocks {
            chain.import(block.clone(), FAR_SLOT).unwrap();
        }
        prop_assert_eq!(told(&of(chain.store())), Vec::<String>::new());
        let ends = chain.ends();
        let span = ends.height.saturating_sub(ends.final_height);
        if span > 1 {
            let to = ends.final_height + 1 + back.index(span as usize - 1) as u64;
            chain.revert_to(to).unwrap().unwrap();
            prop_assert_eq!(told(&of(chain.store())), Vec::<String>::new());
            prop_assert_eq!(chain.ends().height, to);
            for block in &blocks {
                chain.import(block.clone(), FAR_SLOT).unwrap();
            }
            prop_assert_eq!(told(&of(chain.store())), Vec::<String>::new());
            prop_assert!(chain.ends().height >= ends.height.min(to));
        }
    }
}
