//! Opening: a store says what is wrong with a directory and leaves it as it was.

use std::fs::{self, OpenOptions};
use std::path::Path;

use rocksdb::{DB, Options, WriteBatch};

use super::RocksStore;
use super::look::{BECOMING, OURS};
use super::meta::{GENESIS_KEY, SCHEMA_KEY};
use super::options::{self, META, RocksOptions, all_families};
use super::testing::{assert_refused, copy_of, files, open, refusal, store_of};
use crate::ids::GenesisId;
use crate::store::Table;
use crate::store::suite::{NETWORK, assert_grown, assert_tip, chain_of, growth};
use crate::store::{Store, StoreError};

#[test]
fn a_directory_that_is_not_there_is_made_with_those_above_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a").join("b");
    open(&path).unwrap();
    assert!(path.join(OURS).exists());
    assert!(!path.join(BECOMING).exists());
}

#[test]
fn an_empty_directory_becomes_a_store() {
    let directory = tempfile::tempdir().unwrap();
    open(directory.path()).unwrap();
    open(directory.path()).unwrap();
}

#[test]
fn a_store_says_what_it_is_and_rocksdb_keeps_no_diary_in_it() {
    let directory = store_of(&chain_of(1));
    let mark = fs::read_to_string(directory.path().join(OURS)).unwrap();
    assert!(mark.contains("Hearsay"));
    // RocksDB's own log would be written before RocksDB knows whose directory it is.
    assert!(!directory.path().join("LOG").exists());
}

#[test]
fn a_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, "text").unwrap();
    let why = refusal(&path);
    assert!(why.contains("not a directory"), "{why}");
    assert_eq!(fs::read(&path).unwrap(), b"text");
}

#[test]
fn a_path_below_a_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, "text").unwrap();
    let why = refusal(&path.join("store"));
    assert!(why.contains("not a directory"), "{why}");
}

#[test]
fn a_directory_with_other_files_is_refused_with_an_example() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("thesis.tex"), "chapter 1").unwrap();
    fs::create_dir(directory.path().join("figures")).unwrap();
    assert_refused(directory.path(), &["not a Hearsay store", "\"figures\"", "empty or new"]);
}

#[test]
fn files_that_only_sound_like_a_database_are_somebody_elses() {
    for name in ["CURRENT", "LOCK", "LOG", "000012.log", "000012.sst", "IDENTITY"] {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(name), "text").unwrap();
        assert_refused(directory.path(), &["not a Hearsay store", name]);
    }
    let directory = tempfile::tempdir().unwrap();
    for name in ["CURRENT", "MANIFEST-000001"] {
        fs::write(directory.path().join(name), "text").unwrap();
    }
    assert_refused(directory.path(), &["RocksDB database that is not a Hearsay store"]);
}

#[test]
fn a_database_of_another_program_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    DB::open_default(directory.path()).unwrap().put("key", "value").unwrap();
    assert_refused(directory.path(), &["RocksDB database that is not a Hearsay store"]);
}

#[test]
fn a_database_of_another_program_is_refused_while_that_has_it_open() {
    let directory = tempfile::tempdir().unwrap();
    let other = DB::open_default(directory.path()).unwrap();
    other.put("key", "value").unwrap();
    assert_refused(directory.path(), &["RocksDB database that is not a Hearsay store"]);
    other.put("key", "other").unwrap();
}

#[test]
fn a_store_that_this_process_has_open_is_refused_by_whatever_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let mut store = open(&path).unwrap();
    assert_refused(&path, &["open already"]);
    assert_refused(&path.join("..").join("store"), &["open already"]);
    #[cfg(unix)]
    {
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_refused(&link, &["open already"]);
    }
    let block = &chain_of(1)[0];
    store.commit(growth(block)).unwrap();
    drop(store);
    assert_grown(&open(&path).unwrap(), block);
}

#[test]
fn a_store_of_another_network_is_refused_with_both_names() {
    let directory = store_of(&chain_of(2));
    let other = GenesisId([8; 32]);
    let error = RocksStore::open(directory.path(), other, RocksOptions::default()).unwrap_err();
    let StoreError::Open { why, .. } = error else { panic!("{error}") };
    assert!(why.contains(&NETWORK.to_string()), "{why}");
    assert!(why.contains(&other.to_string()), "{why}");
    assert_tip(&open(directory.path()).unwrap(), &chain_of(2)[1]);
}

/// Writes a row of meta behind the store's back, and may add a family as a newer schema might.
fn rewrite_meta(path: &Path, key: &[u8], value: Option<&[u8]>, more: Option<&str>) {
    let mut options = Options::default();
    options.create_missing_column_families(true);
    let names = all_families().into_iter().chain(more);
    let db = DB::open_cf_descriptors(&options, path, options::families(names)).unwrap();
    let mut batch = WriteBatch::default();
    match value {
        Some(value) => batch.put_cf(db.cf_handle(META).unwrap(), key, value),
        None => batch.delete_cf(db.cf_handle(META).unwrap(), key),
    }
    db.write(batch).unwrap();
}

#[test]
fn a_newer_schema_is_refused_with_both_versions() {
    for more in [None, Some("witnesses")] {
        let directory = store_of(&chain_of(2));
        rewrite_meta(directory.path(), SCHEMA_KEY, Some(&[0, 0, 1, 2]), more);
        assert_refused(directory.path(), &["schema 258", "up to 2", "newer program"]);
    }
}

#[test]
fn a_newer_schema_is_told_before_another_network() {
    let directory = store_of(&chain_of(2));
    rewrite_meta(directory.path(), SCHEMA_KEY, Some(&[0, 0, 0, 3]), None);
    rewrite_meta(directory.path(), GENESIS_KEY, Some(b"in another form"), None);
    assert_refused(directory.path(), &["schema 3", "up to 2"]);
}

#[test]
fn a_store_without_a_readable_schema_or_network_is_damaged() {
    let no: Option<&[u8]> = None;
    for (key, value, part) in [
        (SCHEMA_KEY, no, "schema"),
        (SCHEMA_KEY, Some(&b"1"[..]), "schema"),
        (SCHEMA_KEY, Some(&[0; 4][..]), "schema 0"),
        (GENESIS_KEY, no, "genesis id"),
        (GENESIS_KEY, Some(&[7; 31][..]), "genesis id"),
    ] {
        let directory = store_of(&chain_of(2));
        rewrite_meta(directory.path(), key, value, None);
        assert_refused(directory.path(), &["damaged", part, "restore it from a copy"]);
    }
}

#[test]
fn a_store_with_a_family_that_no_schema_knows_is_damaged() {
    let directory = store_of(&chain_of(2));
    rewrite_meta(directory.path(), b"other", Some(b"value"), Some("strange"));
    assert_refused(directory.path(), &["damaged", "\"strange\""]);
}

#[test]
fn a_store_whose_database_was_copied_without_its_mark_is_opened() {
    let directory = store_of(&chain_of(2));
    fs::remove_file(directory.path().join(OURS)).unwrap();
    assert_tip(&open(directory.path()).unwrap(), &chain_of(2)[1]);
}

/// Does something to each file whose name has this part, in a copy of a store.
fn with_damage(path: &Path, part: &str, damage: impl Fn(&Path)) -> tempfile::TempDir {
    let copy = copy_of(path);
    let mut hit = 0;
    for file in files(copy.path(), "") {
        if file.file_name().unwrap().to_str().unwrap().contains(part) {
            damage(&file);
            hit += 1;
        }
    }
    assert!(hit > 0, "no file has {part:?} in its name");
    copy
}

fn remove(path: &Path) {
    fs::remove_file(path).unwrap();
}

/// Keeps this much of a file.
fn cut_to(length: impl Fn(u64) -> u64) -> impl Fn(&Path) {
    move |path| {
        let file = OpenOptions::new().write(true).open(path).unwrap();
        file.set_len(length(file.metadata().unwrap().len())).unwrap();
    }
}

fn flip_the_middle(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// A store of which some blocks are in files and some in the log alone.
fn filed_and_logged() -> tempfile::TempDir {
    let blocks = chain_of(40);
    let directory = store_of(&blocks[..20]);
    // Opening moves what the log holds to files.
    let mut store = open(directory.path()).unwrap();
    for block in &blocks[20..] {
        store.commit(growth(block)).unwrap();
    }
    copy_of(directory.path())
}

#[test]
fn a_damaged_store_is_refused_whatever_file_is_hit() {
    let store = filed_and_logged();
    let half = || cut_to(|length| length / 2);
    type Damage = Box<dyn Fn(&Path)>;
    let cases: [(&str, Damage); 13] = [
        ("CURRENT", Box::new(remove)),
        ("CURRENT", Box::new(cut_to(|_| 0))),
        ("CURRENT", Box::new(half())),
        ("CURRENT", Box::new(|path: &Path| fs::write(path, "MANIFEST-999999\n").unwrap())),
        ("MANIFEST", Box::new(remove)),
        ("MANIFEST", Box::new(cut_to(|_| 0))),
        ("MANIFEST", Box::new(half())),
        ("MANIFEST", Box::new(flip_the_middle)),
        (".sst", Box::new(remove)),
        (".sst", Box::new(cut_to(|_| 0))),
        (".sst", Box::new(cut_to(|length| length - 1))),
        (".log", Box::new(remove)),
        (".log", Box::new(flip_the_middle)),
    ];
    for (part, damage) in cases {
        let damaged = with_damage(store.path(), part, damage);
        assert_refused(damaged.path(), &["the store is damaged", "restore it from a copy"]);
    }
    assert_tip(&open(store.path()).unwrap(), &chain_of(40)[39]);
}

#[test]
fn a_file_cut_short_is_noticed_among_more_files_than_rocksdb_looks_into() {
    let directory = tempfile::tempdir().unwrap();
    // Each time that a store is opened, the log becomes one file for each family.
    for block in chain_of(6) {
        open(directory.path()).unwrap().commit(growth(&block)).unwrap();
    }
    let tables = files(directory.path(), ".sst");
    assert!(tables.len() > 20, "{} files", tables.len());
    for table in tables {
        let name = table.file_name().unwrap().to_str().unwrap();
        let damaged = with_damage(directory.path(), name, cut_to(|length| length - 1));
        assert_refused(damaged.path(), &["damaged", name]);
    }
}

#[test]
fn a_bit_that_flips_in_a_table_is_told_or_does_no_harm_but_gives_no_wrong_answer() {
    let blocks = chain_of(20);
    let directory = store_of(&blocks);
    // Opening moves what the log holds to files.
    drop(open(directory.path()).unwrap());
    let mut told = 0;
    for table in files(directory.path(), ".sst") {
        let name = table.file_name().unwrap().to_str().unwrap();
        let damaged = with_damage(directory.path(), name, flip_the_middle);
        let store = match open(damaged.path()) {
            Ok(store) => store,
            Err(error) => {
                assert!(error.to_string().contains("damaged"), "{error}");
                told += 1;
                continue;
            }
        };
        for block in &blocks {
            let answers = [
                store.block(&block.id()).map(|found| found.as_ref() == Some(block)),
                store.header(&block.id()).map(|found| found.as_ref() == Some(block.header())),
                store.block_at(block.height()).map(|found| found == Some(block.id())),
                store.undo(&block.id()).map(|found| found.is_some()),
            ];
            for answer in answers {
                match answer {
                    Ok(right) => assert!(right, "{name}: a wrong answer"),
                    Err(StoreError::Corrupt(_)) => told += 1,
                    Err(error) => panic!("{name}: {error}"),
                }
            }
        }
    }
    assert!(told > 0);
}

#[test]
fn a_damaged_row_is_told_when_it_is_read_with_the_block_it_belongs_to() {
    let blocks = chain_of(3);
    let block = &blocks[2];
    let directory = store_of(&blocks);
    let damage = |family: &str, row: &[u8]| {
        let copy = copy_of(directory.path());
        let names = options::families(all_families());
        let db = DB::open_cf_descriptors(&Options::default(), copy.path(), names).unwrap();
        db.put_cf(db.cf_handle(family).unwrap(), block.id().0, row).unwrap();
        drop(db);
        let store = open(copy.path()).unwrap();
        let error = store.block(&block.id()).unwrap_err();
        assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
        assert!(error.to_string().contains(&block.id().to_string()), "{error}");
    };
    damage(Table::Headers.name(), b"short");
    damage(Table::Headers.name(), &crate::codec::encode(blocks[0].header()));
    damage(Table::Bodies.name(), b"shorter");
    damage(Table::Bodies.name(), &[0; 4]);
}

#[test]
fn a_store_whose_making_was_cut_short_is_made_to_the_end() {
    let fresh = |make: fn(&Path)| {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(BECOMING), []).unwrap();
        make(directory.path());
        directory
    };
    let stages: [fn(&Path); 4] = [
        |_| {},
        // RocksDB makes its own family first, then ours.
        |path| drop(DB::open_default(path).unwrap_or_else(|_| create(path, &[]))),
        |path| drop(create(path, &all_families()[..4])),
        |path| drop(create(path, &all_families())),
    ];
    for make in stages {
        let directory = fresh(make);
        open(directory.path()).unwrap().commit(growth(&chain_of(1)[0])).unwrap();
        assert!(!directory.path().join(BECOMING).exists());
        assert_tip(&open(directory.path()).unwrap(), &chain_of(1)[0]);
    }
}

fn create(path: &Path, families: &[&str]) -> DB {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    DB::open_cf_descriptors(&options, path, options::families(families.iter().copied())).unwrap()
}

#[test]
fn a_store_cut_short_after_its_first_rows_keeps_its_network() {
    let directory = store_of(&chain_of(2));
    fs::rename(directory.path().join(OURS), directory.path().join(BECOMING)).unwrap();
    let other = GenesisId([8; 32]);
    let error = RocksStore::open(directory.path(), other, RocksOptions::default()).unwrap_err();
    assert!(error.to_string().contains(&NETWORK.to_string()), "{error}");
    assert_tip(&open(directory.path()).unwrap(), &chain_of(2)[1]);
}
