//! What the tests of the store on disk share: fingerprints of a directory, and child processes,
//! which can hold locks, be killed and be another user.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::look::OURS;
use super::{Durability, RocksOptions, RocksStore};
use crate::block::VerifiedBlock;
use crate::store::suite::{NETWORK, growth};
use crate::store::{Store, StoreError};

/// Every file and directory below a path with its content.
///
/// Of RocksDB's lock only the size is read: were this process to open and close it, it would lose
/// the lock that it may hold.
pub(super) fn fingerprint(path: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        let content = if path.is_dir() {
            found.extend(fingerprint(&path));
            None
        } else if path.ends_with("LOCK") {
            Some(fs::metadata(&path).unwrap().len().to_be_bytes().to_vec())
        } else {
            Some(fs::read(&path).unwrap())
        };
        found.insert(path, content);
    }
    found
}

/// Copies a store as a snapshot of the file system would, while it may be open.
pub(super) fn copy_of(path: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(path).unwrap() {
        let entry = entry.unwrap();
        let to = copy.path().join(entry.file_name());
        if entry.file_name() == "LOCK" {
            fs::write(to, []).unwrap();
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
    copy
}

pub(super) fn buffered() -> RocksOptions {
    RocksOptions { durability: Durability::Buffered, ..RocksOptions::default() }
}

pub(super) fn open(path: &Path) -> Result<RocksStore, StoreError> {
    RocksStore::open(path, NETWORK, buffered())
}

/// A directory with a closed store that holds these blocks.
pub(super) fn store_of(blocks: &[VerifiedBlock]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let mut store = open(directory.path()).unwrap();
    for block in blocks {
        store.commit(growth(block)).unwrap();
    }
    assert!(directory.path().join(OURS).exists());
    directory
}

/// Asserts that a directory is refused with a text that has all these parts, and that nothing in
/// it changed. Answers the text.
pub(super) fn assert_refused(path: &Path, parts: &[&str]) -> String {
    let before = fingerprint(path);
    let why = refusal(path);
    let changed: Vec<_> = {
        let after = fingerprint(path);
        before
            .iter()
            .filter(|(path, content)| after.get(*path) != Some(content))
            .chain(after.iter().filter(|(path, _)| !before.contains_key(*path)))
            .map(|(path, _)| path.clone())
            .collect()
    };
    assert_eq!(changed, Vec::<PathBuf>::new(), "changed although refused: {why}");
    for part in parts {
        assert!(why.contains(part), "{part:?} is not in: {why}");
    }
    why
}

/// Why a path is refused.
pub(super) fn refusal(path: &Path) -> String {
    match open(path) {
        Err(StoreError::Open { path: named, why, .. }) => {
            assert_eq!(named, path.display().to_string());
            why
        }
        Err(other) => panic!("not a refusal to open: {other}"),
        Ok(_) => panic!("{} was opened", path.display()),
    }
}

/// The files of a directory whose names end so, in order.
pub(super) fn files(path: &Path, end: &str) -> Vec<PathBuf> {
    let mut found: Vec<_> =
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.to_str().is_some_and(|path| path.ends_with(end)));
    found.sort();
    found
}

/// Tells a test of this binary that it runs as a child, and what it shall work on.
const CHILD: &str = "HEARSAY_TEST_CHILD";

/// What a child shall work on; none in a usual run of the tests.
pub(super) fn work_of_child() -> Option<PathBuf> {
    std::env::var_os(CHILD).map(PathBuf::from)
}

/// The command that runs one test of `program` as a child. It speaks on stderr, as the test
/// harness speaks on stdout.
pub(super) fn child_of(program: &Path, test: &str, work: &Path) -> Command {
    // The harness names tests without the crate.
    let test = test.split_once("::").map_or(test, |(_, test)| test);
    let mut command = Command::new(program);
    command
        .args([test, "--exact", "--nocapture", "--include-ignored"])
        .env(CHILD, work)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// Starts one test of this binary as a child.
pub(super) fn child(test: &str, work: &Path) -> Child {
    child_of(&std::env::current_exe().unwrap(), test, work).spawn().unwrap()
}

/// What a child says, line by line.
pub(super) fn lines(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap)
}
