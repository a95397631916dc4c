//! What a keeper does when its disk refuses, one turn after the other.

use std::os::unix::fs::{FileExt, MetadataExt};

use super::*;
use crate::journal::faults::{self, Fault};
use crate::journal::load::load;

/// A keeper whose turns are the test's.
struct ByHand {
    directory: tempfile::TempDir,
    desk: Arc<Desk>,
    keeper: Keeper,
    /// How far the test has let time pass.
    passed: Duration,
}

impl ByHand {
    /// One that holds these.
    fn with(numbers: std::ops::Range<u64>) -> Self {
        let (directory, desk) = (tempfile::tempdir().unwrap(), Arc::<Desk>::default());
        let path = directory.path().join(FILE_NAME);
        let loaded = load(&path, GENESIS).unwrap();
        let metrics = Arc::new(Metrics::new());
        let keeper = Keeper::new(&path, GENESIS, Some(loaded), Arc::clone(&desk), metrics);
        let mut it = Self { directory, desk, keeper, passed: Duration::ZERO };
        it.keeper.write_all(vec![Note::Restored], false);
        it.add(numbers);
        it
    }

    fn add(&mut self, numbers: std::ops::Range<u64>) {
        self.keeper.write_all(numbers.map(|number| Note::Kept(add(number, 10))).collect(), false);
    }

    fn remove(&mut self, number: u64) {
        self.keeper.write_all(vec![Note::Kept(Kept::Remove(tx(number, 10).id()))], false);
    }

    /// All that there is has been told.
    fn complete(&mut self) {
        self.keeper.write_all(vec![Note::Complete(self.desk.wanted())], false);
    }

    /// More time passes than anything is put off for.
    fn pass_time(&mut self) {
        self.passed += Duration::from_secs(60);
        self.keeper.do_what_is_due(Instant::now() + self.passed);
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join(FILE_NAME)
    }

    fn inode(&self) -> u64 {
        fs::metadata(self.path()).unwrap().ino()
    }

    /// What would be read of the file if the process was killed now.
    fn held(&self) -> BTreeSet<TxId> {
        let other = tempfile::tempdir().unwrap();
        let copy = other.path().join(FILE_NAME);
        fs::copy(self.path(), &copy).unwrap();
        load(&copy, GENESIS).unwrap().live.by_place().into_iter().map(|(_, id)| id).collect()
    }
}

#[test]
fn what_a_full_disk_refused_is_asked_for_once_there_is_room() {
    let mut it = ByHand::with(0..10);
    let directory = it.directory.path().to_owned();
    faults::begin(&directory, Fault::Append);
    it.add(10..20);
    assert!(!it.keeper.is_complete);
    it.remove(0);
    it.add(20..21);
    assert_eq!((it.held(), it.desk.wanted()), (ids_of(0..10, 10), 0));
    // Tried again while it refuses, and again when there is room.
    for (wanted, is_full) in [(1, true), (2, false)] {
        if !is_full {
            faults::end(&directory, Fault::Append);
        }
        it.pass_time();
        assert_eq!(it.desk.wanted(), wanted);
        it.add(1..21);
        it.complete();
        assert_eq!(it.keeper.is_complete, !is_full);
    }
    // The one that left meanwhile stands there until the file is made anew.
    assert_eq!(it.held(), ids_of(0..21, 10));
    it.pass_time();
    assert_eq!(it.held(), ids_of(1..21, 10));
}

#[test]
fn a_full_disk_keeps_the_copy_of_a_journal_away_and_harms_nothing() {
    let mut it = ByHand::with(0..10);
    it.remove(0);
    let (directory, before) = (it.directory.path().to_owned(), it.inode());
    faults::begin(&directory, Fault::Append);
    it.pass_time();
    assert_eq!((it.inode(), it.held()), (before, ids_of(1..10, 10)));
    assert!(it.keeper.is_complete);
    faults::end(&directory, Fault::Append);
    it.pass_time();
    assert!(it.inode() != before);
    assert_eq!(it.held(), ids_of(1..10, 10));
}

#[test]
fn what_a_disk_failed_to_sync_is_written_to_another_file_though_nothing_of_it_is_dead() {
    let mut it = ByHand::with(0..10);
    let (directory, before) = (it.directory.path().to_owned(), it.inode());
    faults::begin(&directory, Fault::Sync);
    it.pass_time();
    assert!(!it.keeper.is_complete);
    faults::end(&directory, Fault::Sync);
    it.pass_time();
    assert_eq!((it.desk.wanted(), it.inode()), (1, before));
    it.add(0..10);
    it.complete();
    it.pass_time();
    assert!(it.inode() != before, "what the disk may not have is still all that there is");
    assert_eq!(it.held(), ids_of(0..10, 10));
    // Once is enough.
    let after = it.inode();
    it.pass_time();
    assert_eq!(it.inode(), after);
}

#[test]
fn a_journal_that_is_closed_before_it_was_made_anew_is_made_anew_then() {
    let mut it = ByHand::with(0..10);
    let (directory, before) = (it.directory.path().to_owned(), it.inode());
    faults::begin(&directory, Fault::Sync);
    it.pass_time();
    faults::end(&directory, Fault::Sync);
    it.pass_time();
    it.add(0..10);
    it.complete();
    it.keeper.finish();
    assert!(it.inode() != before);
    assert_eq!(it.held(), ids_of(0..10, 10));
}

#[test]
fn what_was_told_in_full_before_something_was_missed_is_not_all() {
    let mut it = ByHand::with(0..10);
    it.keeper.ask_for_all();
    let mut notes: Vec<_> = (0..5).map(|number| Note::Kept(add(number, 10))).collect();
    notes.push(Note::Complete(1));
    // The other five were told too, and there was no room for them on the desk.
    it.keeper.write_all(notes, true);
    assert!(!it.keeper.is_complete);
    assert_eq!((it.desk.wanted(), it.keeper.live.len()), (2, 10));
    it.pass_time();
    assert_eq!(it.held(), ids_of(0..10, 10));
    it.add(0..10);
    it.complete();
    assert!(it.keeper.is_complete);
    assert_eq!(it.keeper.live.len(), 10);
}

#[test]
fn what_cannot_be_read_any_more_is_asked_for_and_the_rest_stays_until_it_is_there() {
    let mut it = ByHand::with(0..10);
    it.remove(0);
    let (directory, before) = (it.directory.path().to_owned(), it.inode());
    let place = |it: &ByHand, number| it.keeper.live.get(&tx(number, 10).id()).unwrap().at;
    let (bad, wrong) = (place(&it, 3), place(&it, 5));
    faults::begin(&directory, Fault::Read(bad));
    let file = OpenOptions::new().write(true).open(it.path()).unwrap();
    file.write_all_at(b"!!", wrong + 60).unwrap();
    it.pass_time();
    assert_eq!((it.desk.wanted(), it.inode(), it.keeper.live.len()), (1, before, 7));
    assert!(!it.keeper.is_complete && it.keeper.has_warned);
    it.add(1..10);
    it.complete();
    it.pass_time();
    assert!(it.inode() != before && it.keeper.is_complete);
    assert_eq!((it.desk.wanted(), it.held()), (1, ids_of(1..10, 10)));
    faults::end(&directory, Fault::Read(bad));
}
