//! A store as an older program left it is brought up to our schema with all that it had.

use std::path::Path;

use rocksdb::{DB, Options, WriteBatch};

use super::RocksStore;
use super::meta::{SCHEMA, SCHEMA_KEY};
use super::migrate::schema_of;
use super::options::{self, META, all_families};
use super::testing::{assert_refused, copy_of, open, store_of};
use crate::block::VerifiedBlock;
use crate::evidence::{Evidence, Turn};
use crate::ids::BlockId;
use crate::store::suite::{assert_grown, assert_tip, block_on, chain_of, growth};
use crate::store::{Changes, Store, Table};

fn raw(path: &Path, families: &[String]) -> DB {
    let names = options::families(families.iter().map(String::as_str));
    let mut options = Options::default();
    options.create_missing_column_families(true);
    DB::open_cf_descriptors(&options, path, names).unwrap()
}

fn families_of(path: &Path) -> Vec<String> {
    DB::list_cf(&Options::default(), path).unwrap()
}

/// Blocks beside a chain of nine: two that stand on each other, and one on the root.
fn side_blocks(main: &[VerifiedBlock]) -> Vec<VerifiedBlock> {
    let first = block_on(main[4].id(), 6, 3);
    let second = block_on(first.id(), 7, 0);
    vec![first, second, block_on(BlockId([0; 32]), 1, 3)]
}

/// A store as version 1 left it: its rows, without the families that came with version 2.
fn version_1() -> (tempfile::TempDir, Vec<VerifiedBlock>, Vec<VerifiedBlock>) {
    let main = chain_of(9);
    let side = side_blocks(&main);
    let directory = store_of(&main);
    let blocks = Changes { blocks: side.clone(), ..Changes::default() };
    open(directory.path()).unwrap().commit(blocks).unwrap();
    let mut db = raw(directory.path(), &families_of(directory.path()));
    for family in all_families().into_iter().filter(|family| schema_of(family) == 2) {
        db.drop_cf(family).unwrap();
    }
    db.put_cf(db.cf_handle(META).unwrap(), SCHEMA_KEY, 1u32.to_be_bytes()).unwrap();
    drop(db);
    let families = families_of(directory.path());
    assert_eq!(families.len(), all_families().len() - 3, "{families:?}");
    (directory, main, side)
}

fn assert_migrated(store: &RocksStore, main: &[VerifiedBlock], side: &[VerifiedBlock]) {
    for block in main {
        assert_grown(store, block);
    }
    assert_tip(store, &main[8]);
    let mut expected: Vec<_> = side.iter().map(|block| (block.height(), block.id())).collect();
    expected.sort_unstable();
    assert_eq!(store.side(0, u64::MAX).unwrap(), expected);
    for block in side {
        assert_eq!(store.block(&block.id()).unwrap().as_ref(), Some(block));
    }
    for block in main.iter().chain(side) {
        // Blocks of one height were made in one slot by one authority: either may have the turn.
        let found = store.turn(&Turn::of(block.header())).unwrap().unwrap();
        let same = |other: &&VerifiedBlock| other.height() == block.height();
        assert!(main.iter().chain(side).filter(same).any(|other| other.id() == found));
    }
    // Each side block stands at a height, and so in a slot, that the main chain has a block for.
    let proofs = store.evidence_from(0, 9).unwrap();
    let heights: Vec<u64> = proofs.iter().map(|proof| proof.first.fields.height).collect();
    assert_eq!(heights, expected.iter().map(|(height, _)| *height).collect::<Vec<_>>());
    assert!(proofs.iter().all(Evidence::holds));
    assert_eq!(store.first_body().unwrap(), 1);
}

fn schema(path: &Path) -> Vec<u8> {
    let db = raw(path, &families_of(path));
    db.get_cf(db.cf_handle(META).unwrap(), SCHEMA_KEY).unwrap().unwrap()
}

#[test]
fn a_store_of_version_1_keeps_everything_and_has_its_branches_and_turns_indexed() {
    let (directory, main, side) = version_1();
    assert_migrated(&open(directory.path()).unwrap(), &main, &side);
    assert_eq!(schema(directory.path()), SCHEMA.to_be_bytes());
    // And once more, without a migration.
    let mut store = open(directory.path()).unwrap();
    assert_migrated(&store, &main, &side);
    let next = block_on(main[8].id(), 10, 2);
    store.commit(growth(&next)).unwrap();
    drop(store);
    assert_grown(&open(directory.path()).unwrap(), &next);
}

#[test]
fn a_migration_that_was_cut_short_is_done_again() {
    let (directory, main, side) = version_1();
    let new: Vec<&str> = all_families().into_iter().filter(|name| schema_of(name) == 2).collect();
    for made in 0..=new.len() {
        let copy = copy_of(directory.path());
        let mut families = families_of(copy.path());
        families.extend(new[..made].iter().map(|name| (*name).to_owned()));
        let db = raw(copy.path(), &families);
        if made == new.len() {
            // A part of the rows was there already.
            let mut batch = WriteBatch::default();
            let key = crate::store::side_key(side[0].height(), &side[0].id());
            batch.put_cf(db.cf_handle(Table::Side.name()).unwrap(), key, []);
            db.write(batch).unwrap();
        }
        drop(db);
        assert_migrated(&open(copy.path()).unwrap(), &main, &side);
    }
}

#[test]
fn a_store_of_version_1_that_lacks_a_family_of_its_own_is_damaged() {
    let (directory, ..) = version_1();
    raw(directory.path(), &families_of(directory.path())).drop_cf("undo").unwrap();
    assert_refused(directory.path(), &["damaged", "\"undo\""]);
}

#[test]
fn a_header_of_version_1_that_cannot_be_read_is_damage_and_the_schema_stays() {
    let (directory, main, _) = version_1();
    let damage = |key: &[u8], row: &[u8]| {
        let copy = copy_of(directory.path());
        let db = raw(copy.path(), &families_of(copy.path()));
        db.put_cf(db.cf_handle("headers").unwrap(), key, row).unwrap();
        drop(db);
        let error = open(copy.path()).unwrap_err().to_string();
        assert!(error.contains("damaged") && error.contains("restore it from a copy"), "{error}");
        assert_eq!(schema(copy.path()), 1u32.to_be_bytes());
    };
    damage(&main[3].id().0, b"short");
    damage(b"a key of another length", &crate::codec::encode(main[3].header()));
}
