//! A process that is killed at any step leaves what was to be kept.

use super::*;
use crate::journal::disk::draft;
use crate::journal::load::load;

/// What would be read of a journal, and a draft beside it, that a process left like this.
fn left(journal: &[u8], next: Option<&[u8]>) -> BTreeSet<TxId> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(FILE_NAME);
    fs::write(&path, journal).unwrap();
    if let Some(next) = next {
        fs::write(draft(&path), next).unwrap();
    }
    let loaded = load(&path, GENESIS).unwrap();
    assert_eq!(names(directory.path()), [FILE_NAME]);
    loaded.live.by_place().into_iter().map(|(_, id)| id).collect()
}

#[test]
fn what_is_kept_is_in_the_file_within_a_second() {
    let directory = tempfile::tempdir().unwrap();
    let mut kept = start(directory.path(), GENESIS);
    kept.restored();
    for number in 0..3 {
        let since = Instant::now();
        kept.journal.keep(add(number, 10));
        while left(&fs::read(directory.path().join(FILE_NAME)).unwrap(), None)
            != ids_of(0..=number, 10)
        {
            assert!(since.elapsed() < Duration::from_secs(1), "{number}");
            thread::park_timeout(Duration::from_millis(5));
        }
    }
    kill(kept);
    assert_eq!(ids(&start(directory.path(), GENESIS).restored()), ids_of(0..3, 10));
}

#[test]
fn a_kill_at_any_step_of_a_compaction_loses_nothing() {
    const PAYLOAD: usize = 16_000;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(FILE_NAME);
    let loaded = load(&path, GENESIS).unwrap();
    let (desk, metrics) = (Arc::default(), Arc::new(Metrics::new()));
    let mut keeper = Keeper::new(&path, GENESIS, Some(loaded), desk, metrics);
    let mut notes: Vec<_> = (0..700).map(|number| Note::Kept(add(number, PAYLOAD))).collect();
    let gone = |number| Note::Kept(Kept::Remove(tx(number, PAYLOAD).id()));
    notes.extend((0..50).map(gone));
    notes.push(Note::Restored);
    keeper.write_all(notes, false);
    let mut expected = ids_of(50..700, PAYLOAD);
    let mut steps = 0_u64;
    loop {
        let before = fs::read(&path).unwrap();
        keeper.compact(Instant::now());
        steps += 1;
        let (after, next) = (fs::read(&path).unwrap(), fs::read(draft(&path)).ok());
        assert_eq!(left(&after, next.as_deref()), expected);
        if keeper.compaction.is_none() {
            assert!(after.len() < before.len());
            // The copy was whole, and had not taken its place yet.
            assert_eq!(left(&before, Some(&after)), expected);
            break;
        }
        // Half of the piece that was written.
        let next = next.unwrap();
        assert_eq!(left(&before, Some(&next[..next.len() / 2])), expected);
        // One that is copied goes and comes again, one that is not goes, one is new, and one is both.
        let (copied, waits) = (50 + steps, 699 - steps);
        keeper.write_all(
            vec![
                gone(copied),
                Note::Kept(add(copied, PAYLOAD)),
                gone(waits),
                Note::Kept(add(1_000 + steps, PAYLOAD)),
                Note::Kept(add(2_000 + steps, PAYLOAD)),
                gone(2_000 + steps),
            ],
            false,
        );
        expected.remove(&tx(waits, PAYLOAD).id());
        expected.insert(tx(1_000 + steps, PAYLOAD).id());
        let (after, next) = (fs::read(&path).unwrap(), fs::read(draft(&path)).unwrap());
        assert_eq!(left(&after, Some(&next)), expected);
    }
    assert!(steps >= 3, "there was nothing to kill in the middle of: {steps}");
    keeper.write_all(vec![gone(699)], false);
    expected.remove(&tx(699, PAYLOAD).id());
    keeper.finish();
    assert_eq!(left(&fs::read(&path).unwrap(), None), expected);
}
