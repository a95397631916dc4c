//! Whatever happens to the file, what is read of it is a state that it had.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::journal::format::{HEADER_BYTES, Record, append, header};
use crate::journal::load::load;

static TRANSACTIONS: LazyLock<Vec<VerifiedTx>> =
    LazyLock::new(|| (0..8).map(|number| tx(number, number as usize * 40)).collect());

#[derive(Clone, Debug)]
enum Step {
    Add(usize),
    Remove(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![(0..8_usize).prop_map(Step::Add), (0..8_usize).prop_map(Step::Remove)];
    prop::collection::vec(step, 0..40)
}

/// A journal with these records, and what it held after each: where that ends, and which.
fn written(steps: &[Step]) -> (Vec<u8>, Vec<(usize, BTreeSet<TxId>)>) {
    let mut bytes = header(GENESIS).to_vec();
    let mut state = BTreeSet::new();
    let mut states = vec![(bytes.len(), state.clone())];
    for step in steps {
        match step {
            Step::Add(number) => {
                let tx = &TRANSACTIONS[*number];
                let record =
                    Record::Add { local: true, arrived_unix_us: *number as u64, tx: tx.encode() };
                append(&record, &mut bytes);
                state.insert(tx.id());
            }
            Step::Remove(number) => {
                let id = TRANSACTIONS[*number].id();
                append(&Record::Remove { id }, &mut bytes);
                state.remove(&id);
            }
        }
        states.push((bytes.len(), state.clone()));
    }
    (bytes, states)
}

/// What is read of a file, and how long what is used of it is.
fn read(bytes: &[u8]) -> (BTreeSet<TxId>, u64) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(FILE_NAME);
    fs::write(&path, bytes).unwrap();
    let loaded = load(&path, GENESIS).unwrap();
    assert_eq!(loaded.live.len(), loaded.places.len());
    let ids = loaded.live.by_place().into_iter().map(|(_, id)| id).collect();
    (ids, loaded.disk.length)
}

proptest! {
    #[test]
    fn a_journal_that_was_cut_anywhere_holds_what_it_held_before(
        steps in steps(),
        cut in any::<prop::sample::Index>(),
    ) {
        let (bytes, states) = written(&steps);
        let cut = HEADER_BYTES + cut.index(bytes.len() - HEADER_BYTES + 1);
        let (end, state) = states.iter().rev().find(|(end, _)| *end <= cut).unwrap();
        prop_assert_eq!(read(&bytes[..cut]), (state.clone(), *end as u64));
        // A file system may leave zeros where the rest should be.
        let mut longer = bytes[..*end].to_vec();
        longer.resize(longer.len() + cut, 0);
        prop_assert_eq!(read(&longer), (state.clone(), *end as u64));
    }

    #[test]
    fn a_journal_with_a_wrong_byte_holds_what_it_held_before_that(
        steps in steps(),
        at in any::<prop::sample::Index>(),
        flip in 1..=255_u8,
    ) {
        let (mut bytes, states) = written(&steps);
        prop_assume!(bytes.len() > HEADER_BYTES);
        let at = HEADER_BYTES + at.index(bytes.len() - HEADER_BYTES);
        bytes[at] ^= flip;
        let (end, state) = states.iter().rev().find(|(end, _)| *end <= at).unwrap();
        prop_assert_eq!(read(&bytes), (state.clone(), *end as u64));
    }

    #[test]
    fn garbage_is_read_without_harm(
        garbage in prop::collection::vec(any::<u8>(), 0..600),
        with_header in any::<bool>(),
    ) {
        let mut bytes = if with_header { header(GENESIS).to_vec() } else { Vec::new() };
        bytes.extend(garbage);
        prop_assert_eq!(read(&bytes), (BTreeSet::new(), HEADER_BYTES as u64));
    }
}
