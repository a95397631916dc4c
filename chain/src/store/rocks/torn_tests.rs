//! Torn files: whatever is cut off a store's log or flips in any of its files, the store is refused
//! by name, or opens with a prefix of its commits, or tells of damage when the damaged row is read.
//! It never has a hole.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use super::RocksStore;
use super::testing::{assert_refused, copy_of, files, open};
use crate::block::VerifiedBlock;
use crate::ids::Address;
use crate::ledger::{Account, Accounts};
use crate::store::suite::{block_on, chain_of, growth};
use crate::store::{Changes, OpenErrorKind, Store, StoreError, Table, TxPlace};

/// Commits of each store that is torn.
const COMMITS: u64 = 300;

/// Copies torn by the usual test, and by the one that is run by hand.
const CASES: u64 = 240;
const MANY_CASES: u64 = 6_000;

/// SplitMix64: the same damage in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }
}

fn own_account(height: u64) -> Address {
    Address(crate::hash::tagged("test", &[&height.to_le_bytes()]))
}

/// What one commit writes: as when the tip grows, and a row of the accounts for each height.
fn commit(block: &VerifiedBlock) -> Changes {
    let mut changes = growth(block);
    changes.accounts.insert(own_account(block.height()), holding(block.height()));
    changes
}

fn holding(height: u64) -> Account {
    Account { balance: height, nonce: height + 1 }
}

/// A store of which all is in one log.
fn logged(blocks: &[VerifiedBlock]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let mut store = open(directory.path()).unwrap();
    blocks.iter().for_each(|block| store.commit(commit(block)).unwrap());
    copy_of(directory.path())
}

/// A store with tables, and with families of which one went to a table later than others, so that
/// several logs are needed.
fn filed(blocks: &[VerifiedBlock]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let mut parts = blocks.chunks(blocks.len() / 5);
    let mut grow = |store: &mut RocksStore| {
        let part = parts.next().unwrap();
        part.iter().for_each(|block| store.commit(commit(block)).unwrap());
    };
    let mut store = open(directory.path()).unwrap();
    grow(&mut store);
    drop(store);
    // Opening moves what the log holds to tables.
    let mut store = open(directory.path()).unwrap();
    grow(&mut store);
    for table in [Table::Bodies, Table::Accounts, Table::Headers] {
        store.db().unwrap().flush_cf(store.family(table.name()).unwrap()).unwrap();
        grow(&mut store);
    }
    let copy = copy_of(directory.path());
    assert!(files(copy.path(), ".log").len() >= 3 && files(copy.path(), ".sst").len() >= 8);
    copy
}

/// What became of torn stores.
#[derive(Clone, Copy, Debug, Default)]
struct Outcomes {
    refused: u64,
    shorter: u64,
    told: u64,
    unharmed: u64,
}

/// Cuts a log, or flips a bit of any file with rows. Says what it did.
///
/// A manifest is not cut: one that ends early, at the end of a record or within one, is just what a
/// crash leaves, and nothing in the directory tells the two apart.
fn tear(dice: &mut Dice, path: &Path) -> String {
    let end = [".log", ".log", ".sst", "", ""][dice.below(5) as usize];
    let mut candidates = files(path, end);
    if end.is_empty() {
        let name = ["MANIFEST", "CURRENT"][usize::from(dice.below(8) == 0)];
        candidates.retain(|path| path.file_name().unwrap().to_str().unwrap().starts_with(name));
    }
    candidates.retain(|path| fs::metadata(path).unwrap().len() > 0);
    let Some(at) = (candidates.len() as u64).checked_sub(1) else { return "nothing".to_owned() };
    let file: PathBuf = candidates[dice.below(at + 1) as usize].clone();
    let length = fs::metadata(&file).unwrap().len();
    let name = file.file_name().unwrap().to_str().unwrap().to_owned();
    if end == ".log" && dice.below(2) == 0 {
        let kept = dice.below(length);
        OpenOptions::new().write(true).open(&file).unwrap().set_len(kept).unwrap();
        return format!("{name} cut from {length} to {kept}");
    }
    let mut bytes = fs::read(&file).unwrap();
    let bit = dice.below(length * 8);
    bytes[(bit / 8) as usize] ^= 1 << (bit % 8);
    fs::write(&file, bytes).unwrap();
    format!("bit {bit} of {name} flipped")
}

/// Everything that can be asked about a block, and what it should answer if it is there or not.
fn wrong_about(
    store: &RocksStore,
    block: &VerifiedBlock,
    there: bool,
) -> [Result<bool, StoreError>; 6] {
    let (id, height) = (block.id(), block.height());
    let is = |found: bool, absent: bool| if there { !found } else { !absent };
    [
        store.header(&id).map(|row| is(row.as_ref() == Some(block.header()), row.is_none())),
        store.block(&id).map(|row| is(row.as_ref() == Some(block), row.is_none())),
        store.undo(&id).map(|row| is(row == growth(block).undo[&id], row.is_none())),
        store.block_at(height).map(|row| is(row == Some(id), row.is_none())),
        store
            .account(&own_account(height))
            .map(|row| is(row == holding(height), row == Account::default())),
        block.transactions().iter().enumerate().try_fold(false, |wrong, (index, tx)| {
            let place = Some(TxPlace { height, index: index as u32 });
            store.find_transaction(&tx.id()).map(|row| wrong || is(row == place, row.is_none()))
        }),
    ]
}

/// Opens a torn store and holds every row of it against what was committed.
fn judge(path: &Path, blocks: &[VerifiedBlock], how: &str, outcomes: &mut Outcomes) {
    let store = match open(path) {
        Ok(store) => store,
        Err(StoreError::Open { kind: OpenErrorKind::Damaged, why, .. }) => {
            assert!(why.contains("damaged") && why.contains("restore it"), "{how}: {why}");
            outcomes.refused += 1;
            return;
        }
        Err(other) => panic!("{how}: {other}"),
    };
    let mut told = 0;
    let height = match store.ends() {
        Ok(ends) => ends.map(|ends| ends.height),
        Err(StoreError::Corrupt(_)) => {
            told += 1;
            None
        }
        Err(other) => panic!("{how}: {other}"),
    };
    // Without the ends nothing may be missing: no commit was dropped, a row is damaged.
    let height = height.unwrap_or(if told > 0 { blocks.len() as u64 } else { 0 });
    for block in blocks {
        for answer in wrong_about(&store, block, block.height() <= height) {
            match answer {
                Ok(wrong) => assert!(!wrong, "{how}: a hole at {} of {height}", block.height()),
                Err(StoreError::Corrupt(_)) => told += 1,
                Err(other) => panic!("{how}: {other}"),
            }
        }
    }
    match (told, height == blocks.len() as u64) {
        (0, true) => outcomes.unharmed += 1,
        (0, false) => outcomes.shorter += 1,
        _ => outcomes.told += 1,
    }
}

fn tear_many(cases: u64, seed: u64) -> Outcomes {
    let blocks = chain_of(COMMITS);
    let stores = [logged(&blocks), filed(&blocks)];
    let mut outcomes = Outcomes::default();
    for case in 0..cases {
        let mut dice = Dice(seed + case);
        let copy = copy_of(stores[usize::from(case % 4 > 0)].path());
        let how = tear(&mut dice, copy.path());
        judge(copy.path(), &blocks, &format!("case {case}, {how}"), &mut outcomes);
    }
    outcomes
}

fn assert_varied(outcomes: Outcomes, cases: u64) {
    let Outcomes { refused, shorter, told, unharmed } = outcomes;
    assert_eq!(refused + shorter + told + unharmed, cases);
    assert!(refused > cases / 5, "{outcomes:?}");
    assert!(shorter > cases / 50, "{outcomes:?}");
    assert!(told > cases / 50, "{outcomes:?}");
    assert!(unharmed < cases / 4, "{outcomes:?}");
}

#[test]
fn a_torn_store_is_refused_or_a_prefix_or_tells_but_has_no_hole() {
    assert_varied(tear_many(CASES, 1), CASES);
}

#[test]
#[ignore = "takes minutes: the same with many more cases"]
fn many_more_torn_stores_are_refused_or_prefixes_or_tell_but_have_no_hole() {
    let outcomes = tear_many(MANY_CASES, 1_000_000);
    eprintln!("{outcomes:?}");
    assert_varied(outcomes, MANY_CASES);
}

/// Where in a log or manifest the frame begins that `byte` stands in, for logs of one block.
fn last_frame(bytes: &[u8]) -> usize {
    let (mut at, mut last) = (0, 0);
    while at + 7 <= bytes.len() {
        last = at;
        at += 7 + usize::from(u16::from_le_bytes([bytes[at + 4], bytes[at + 5]]));
    }
    last
}

#[test]
fn a_length_that_flips_takes_no_commit_and_no_table_away_in_silence() {
    let blocks = chain_of(3);
    let directory = tempfile::tempdir().unwrap();
    open(directory.path()).unwrap().commit(growth(&blocks[0])).unwrap();
    let mut store = open(directory.path()).unwrap();
    store.commit(growth(&blocks[1])).unwrap();
    for end in [".log", ""] {
        for frame in ["first", "last"] {
            let copy = copy_of(directory.path());
            let mut candidates = files(copy.path(), end);
            candidates.retain(|path| end == ".log" || path.to_str().unwrap().contains("MANIFEST"));
            let file = candidates.pop().unwrap();
            let mut bytes = fs::read(&file).unwrap();
            let at = if frame == "first" { 0 } else { last_frame(&bytes) };
            // Then it reaches beyond the end of the file, as if it were cut short.
            bytes[at + 5] |= 0x40;
            fs::write(&file, bytes).unwrap();
            assert_refused(copy.path(), &["damaged", file.file_name().unwrap().to_str().unwrap()]);
        }
    }
}

#[test]
fn a_type_that_flips_to_that_of_a_reused_log_is_damage_and_is_not_read_for_ever() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = open(directory.path()).unwrap();
    let mut parent = crate::BlockId([0; 32]);
    for height in 1..=3 {
        let block = block_on(parent, height, 1);
        parent = block.id();
        store.commit(growth(&block)).unwrap();
    }
    for frame in ["first", "last"] {
        let copy = copy_of(directory.path());
        let log = files(copy.path(), ".log").pop().unwrap();
        let mut bytes = fs::read(&log).unwrap();
        let at = if frame == "first" { 0 } else { last_frame(&bytes) };
        bytes[at + 6] ^= 4;
        fs::write(&log, bytes).unwrap();
        assert_refused(copy.path(), &["damaged", "checksum"]);
    }
}
