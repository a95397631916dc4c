//! The journal on real files.

mod figures;
mod full_disk;
mod laws;
mod refusing;
mod steps;

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::time::{Duration, Instant};

use hearsay_chain::transaction::Transfer;
use hearsay_chain::{Address, ChainId, Keypair, TxId, UnverifiedTx, VerifiedTx};

use super::*;

const GENESIS: GenesisId = GenesisId([3; 32]);

/// A transaction that is as large as its payload, for the journal alone.
fn tx(number: u64, payload: usize) -> VerifiedTx {
    let key = Keypair::from_seed(&[1; 32]);
    let transfer = Transfer {
        chain: ChainId([1; 8]),
        sender: key.public(),
        nonce: number,
        recipient: Address([1; 32]),
        amount: 1,
        fee: 1,
        expiry: None,
        payload: vec![7; payload],
    };
    VerifiedTx::from_own_store(UnverifiedTx::from(transfer.sign(&key)))
}

fn add(number: u64, payload: usize) -> Kept {
    let local = number.is_multiple_of(2);
    Kept::Add { tx: tx(number, payload), local, arrived_unix_us: 1_000 - number % 1_000 }
}

/// A journal in a directory, with the metrics that tell of it.
struct Node {
    journal: Journal,
    restoring: Restoring,
    metrics: Arc<Metrics>,
}

fn start(directory: &Path, genesis: GenesisId) -> Node {
    let metrics = Arc::new(Metrics::new());
    let (journal, restoring) = Journal::start(directory, genesis, Arc::clone(&metrics)).unwrap();
    Node { journal, restoring, metrics }
}

impl Node {
    /// All that the journal held.
    fn restored(&mut self) -> Vec<Restored> {
        let mut all = Vec::new();
        while let Some(batch) = self.restoring.blocking_recv() {
            assert!(batch.len() <= crate::engine::RESTORE_BATCH);
            all.extend(batch);
        }
        self.journal.restored();
        all
    }

    fn gauge(&self, name: &str) -> u64 {
        let text = self.metrics.encode();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
    }

    fn count(&self) -> u64 {
        self.gauge("hearsay_mempool_journal_count")
    }

    fn wait_until(&self, what: &str, done: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !done(self) {
            assert!(start.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
            thread::park_timeout(Duration::from_millis(5));
        }
    }
}

fn kill(mut kept: Node) {
    let (abandon, closed) = kept.journal.abandon();
    abandon.now();
    assert!(closed.blocking_recv().is_err(), "it is sent nothing");
}

fn ids(restored: &[Restored]) -> BTreeSet<TxId> {
    restored.iter().map(|it| it.tx.id()).collect()
}

fn ids_of(numbers: impl IntoIterator<Item = u64>, payload: usize) -> BTreeSet<TxId> {
    numbers.into_iter().map(|number| tx(number, payload).id()).collect()
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_was_kept_comes_back_by_age_with_all_that_was_said_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let mut kept = start(directory.path(), GENESIS);
    assert!(kept.restored().is_empty());
    for number in 0..600 {
        kept.journal.keep(add(number, 10));
    }
    kept.journal.keep(Kept::Remove(tx(5, 10).id()));
    // It is there already, so this changes nothing; and that one was never there.
    kept.journal.keep(Kept::Add { tx: tx(6, 10), local: false, arrived_unix_us: 1 });
    kept.journal.keep(Kept::Remove(tx(900, 10).id()));
    kept.journal.close();

    let mut kept = start(directory.path(), GENESIS);
    let restored = kept.restored();
    assert_eq!(ids(&restored), ids_of((0..600).filter(|number| *number != 5), 10));
    assert!(restored.is_sorted_by_key(|it| it.arrived_unix_us));
    for it in &restored {
        let number = it.tx.transfer().nonce;
        assert_eq!((it.local, it.arrived_unix_us), (number % 2 == 0, 1_000 - number));
    }
    drop(kept);
    assert_eq!(names(directory.path()), [FILE_NAME]);
}

#[test]
fn what_reached_the_file_is_there_after_a_kill_at_any_moment_of_its_return() {
    let directory = tempfile::tempdir().unwrap();
    let mut kept = start(directory.path(), GENESIS);
    kept.restored();
    (0..1_000).for_each(|number| kept.journal.keep(add(number, 10)));
    kept.wait_until("all to be written", |kept| kept.count() == 1_000);
    kill(kept);
    // Killed again while it comes back, with one more and one less.
    let mut kept = start(directory.path(), GENESIS);
    assert_eq!(kept.restoring.blocking_recv().unwrap().len(), crate::engine::RESTORE_BATCH);
    kept.journal.keep(add(1_000, 10));
    kept.journal.keep(Kept::Remove(tx(0, 10).id()));
    kept.journal.keep(Kept::Remove(tx(1, 10).id()));
    kept.wait_until("the changes to be written", |kept| kept.count() == 999);
    kill(kept);
    let mut kept = start(directory.path(), GENESIS);
    assert_eq!(ids(&kept.restored()), ids_of(2..=1_000, 10));
}

#[test]
fn a_file_that_is_mostly_dead_is_made_small_and_loses_nothing_that_comes_meanwhile() {
    const PAYLOAD: usize = 16_000;
    let directory = tempfile::tempdir().unwrap();
    let mut kept = start(directory.path(), GENESIS);
    kept.restored();
    (0..1_500).for_each(|number| kept.journal.keep(add(number, PAYLOAD)));
    kept.wait_until("all to be written", |kept| kept.count() == 1_500);
    let size = |kept: &Node| kept.gauge("hearsay_mempool_journal_bytes");
    let large = size(&kept);
    assert!(large > 1_500 * PAYLOAD as u64);
    // Some go after they were copied, some before; some are new, and some of these go again.
    for number in 0..1_300 {
        kept.journal.keep(Kept::Remove(tx(number, PAYLOAD).id()));
        kept.journal.keep(add(2_000 + number, 10));
        if number % 3 > 0 {
            kept.journal.keep(Kept::Remove(tx(2_000 + number, 10).id()));
        }
    }
    let new = || (0..1_300).filter(|number| number % 3 == 0).map(|number| 2_000 + number);
    let left = 200 + new().count() as u64;
    // At rest no more than half of it is dead.
    kept.wait_until("the file to be small", |kept| {
        kept.count() == left && size(kept) < 450 * PAYLOAD as u64
    });
    assert_eq!(fs::metadata(directory.path().join(FILE_NAME)).unwrap().len(), size(&kept));
    kept.journal.keep(Kept::Remove(tx(1_499, PAYLOAD).id()));
    kept.journal.close();

    let mut kept = start(directory.path(), GENESIS);
    let expected = &ids_of(1_300..1_499, PAYLOAD) | &ids_of(new(), 10);
    assert_eq!(ids(&kept.restored()), expected);
    // After its return what is dead goes in any case.
    let live: u64 = 199 * (PAYLOAD as u64 + 200) + 500 * 300;
    kept.wait_until("the file to be rewritten", |kept| size(kept) < live);
    drop(kept);
    assert_eq!(names(directory.path()), [FILE_NAME]);
}

#[test]
fn a_draft_that_was_left_behind_is_no_journal() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("mempool.journal.new"), b"half of it").unwrap();
    let mut kept = start(directory.path(), GENESIS);
    assert!(kept.restored().is_empty());
    drop(kept);
    assert_eq!(names(directory.path()), [FILE_NAME]);
}

#[test]
fn a_journal_of_another_network_or_schema_is_kept_aside_and_none_is_written_over() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(FILE_NAME);
    let mut newer = format::header(GENESIS).to_vec();
    newer[8] = 7;
    let foreign: [(Vec<u8>, &str); 4] = [
        (format::header(GenesisId([0xab; 32])).to_vec(), "other-abababab"),
        (newer, "schema-7"),
        (b"hs-pool\n".to_vec(), "unknown"),
        (b"dear diary, it is long since I wrote to you, and so on".to_vec(), "unknown-2"),
    ];
    for (content, name) in &foreign {
        fs::write(&path, content).unwrap();
        let mut kept = start(directory.path(), GENESIS);
        assert!(kept.restored().is_empty(), "{name}");
        kept.journal.keep(add(1, 10));
        drop(kept);
        let aside = directory.path().join(format!("{FILE_NAME}.{name}"));
        assert_eq!(fs::read(&aside).unwrap(), *content, "{name}");
        let mut kept = start(directory.path(), GENESIS);
        assert_eq!(ids(&kept.restored()), ids_of([1], 10), "{name}");
    }
    // Enough of a kind are kept: the next stays where it is, and the node goes without.
    for _ in 0..2 {
        fs::write(&path, b"?").unwrap();
        drop(start(directory.path(), GENESIS));
    }
    let before = names(directory.path());
    fs::write(&path, b"the fifth").unwrap();
    let mut kept = start(directory.path(), GENESIS);
    assert!(kept.restored().is_empty());
    kept.journal.keep(add(1, 10));
    kept.journal.close();
    assert_eq!(fs::read(&path).unwrap(), b"the fifth");
    assert_eq!(names(directory.path()), before);
}

#[test]
fn a_directory_in_its_place_is_left_alone_and_the_node_goes_without() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join(FILE_NAME)).unwrap();
    let mut kept = start(directory.path(), GENESIS);
    assert!(kept.restored().is_empty());
    kept.journal.keep(add(1, 10));
    kept.journal.close();
    assert_eq!(kept.metrics.encode().matches("hearsay_mempool_journal_complete 0").count(), 1);
    assert!(directory.path().join(FILE_NAME).is_dir());
}

#[test]
fn what_stands_before_a_damaged_record_is_used_and_the_file_is_whole_afterwards() {
    let directory = tempfile::tempdir().unwrap();
    let mut kept = start(directory.path(), GENESIS);
    kept.restored();
    (0..100).for_each(|number| kept.journal.keep(add(number, 10)));
    kept.journal.close();
    let path = directory.path().join(FILE_NAME);
    let length = fs::metadata(&path).unwrap().len();
    let record = (length - format::HEADER_BYTES as u64) / 100;
    let mut file = OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(format::HEADER_BYTES as u64 + 60 * record + 30)).unwrap();
    file.write_all(b"!!").unwrap();
    drop(file);
    let damaged = fs::read(&path).unwrap();
    let mut kept = start(directory.path(), GENESIS);
    assert_eq!(ids(&kept.restored()), ids_of(0..60, 10));
    kept.journal.keep(add(200, 10));
    kept.journal.close();
    let mut kept = start(directory.path(), GENESIS);
    assert_eq!(ids(&kept.restored()), &ids_of(0..60, 10) | &ids_of([200], 10));
    drop(kept);
    let aside = directory.path().join("mempool.journal.damaged");
    assert_eq!(fs::read(&aside).unwrap(), damaged);
    // A few are kept, and none is written over.
    for _ in 0..5 {
        fs::write(&path, &damaged).unwrap();
        drop(start(directory.path(), GENESIS));
    }
    let kept = names(directory.path());
    assert_eq!(kept.iter().filter(|name| name.contains(".damaged")).count(), 4);
}
