//! What a store has after a crash, and what it costs when idle.

use std::fs::{self, OpenOptions};
use std::process::Child;

use super::RocksStore;
use super::options::RocksOptions;
use super::testing::{assert_refused, child, copy_of, files, lines, open, refusal, work_of_child};
use crate::store::suite::{NETWORK, assert_grown, assert_tip, chain_of, growth};
use crate::store::{Ends, Store};

/// More than any test here kills its child before.
const FAR: u64 = 100_000;

/// Runs in a child: grows a chain by block after block, and says each height once it is committed.
#[test]
#[ignore = "runs in a child process of another test"]
fn grows_until_it_is_killed() {
    let Some(path) = work_of_child() else { return };
    let mut store = RocksStore::open(path, NETWORK, RocksOptions::default()).unwrap();
    let from = store.ends().unwrap().map_or(0, |ends| ends.height);
    let mut parent = store.ends().unwrap().map_or(crate::BlockId([0; 32]), |ends| ends.tip);
    for height in from + 1..FAR {
        let block = crate::store::suite::block_on(parent, height, (height % 4) as u8);
        store.commit(growth(&block)).unwrap();
        parent = block.id();
        eprintln!("height {height}");
    }
}

fn height_in(line: &str) -> Option<u64> {
    line.strip_prefix("height ")?.parse().ok()
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn what_was_committed_before_a_kill_is_there_after_it_and_fits_together() {
    let directory = tempfile::tempdir().unwrap();
    let mut height = 0;
    for round in 1..=4 {
        let mut child =
            child(concat!(module_path!(), "::grows_until_it_is_killed"), directory.path());
        let said = lines(&mut child).filter_map(|line| height_in(&line)).nth(10 * round).unwrap();
        kill(child);
        assert!(said > height);
        let store = open(directory.path()).unwrap();
        let Ends { height: found, .. } = store.ends().unwrap().unwrap();
        assert!(found >= said, "height {said} was committed, {found} is there");
        height = found;
    }
    let store = open(directory.path()).unwrap();
    let blocks = chain_of(height + 1);
    for block in &blocks[..height as usize] {
        assert_grown(&store, block);
    }
    assert_tip(&store, &blocks[height as usize - 1]);
    assert_eq!(store.block(&blocks[height as usize].id()).unwrap(), None);
}

#[test]
fn a_copy_made_while_the_store_is_open_has_everything_committed() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = RocksStore::open(directory.path(), NETWORK, RocksOptions::default()).unwrap();
    for (count, block) in chain_of(30).iter().enumerate() {
        store.commit(growth(block)).unwrap();
        if count % 10 == 9 {
            let copy = copy_of(directory.path());
            let copied = open(copy.path()).unwrap();
            assert_grown(&copied, block);
            assert_tip(&copied, block);
        }
    }
}

/// The log of a store with 20 blocks that was never closed, so that all of them are in it.
fn unclosed() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let mut store = open(directory.path()).unwrap();
    for block in chain_of(20) {
        store.commit(growth(&block)).unwrap();
    }
    copy_of(directory.path())
}

#[test]
fn a_log_cut_short_loses_the_commit_at_its_end_and_no_other() {
    let directory = unclosed();
    let log = files(directory.path(), ".log").pop().unwrap();
    let length = fs::metadata(&log).unwrap().len();
    OpenOptions::new().write(true).open(&log).unwrap().set_len(length - 3).unwrap();
    let store = open(directory.path()).unwrap();
    let blocks = chain_of(20);
    assert_tip(&store, &blocks[18]);
    for block in &blocks[..19] {
        assert_grown(&store, block);
    }
    assert_eq!(store.block(&blocks[19].id()).unwrap(), None);
}

#[test]
fn a_log_damaged_in_the_middle_is_refused() {
    let directory = unclosed();
    let log = files(directory.path(), ".log").pop().unwrap();
    let mut bytes = fs::read(&log).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&log, bytes).unwrap();
    assert_refused(directory.path(), &["damaged", "checksum"]);
}

/// Runs in a child: an idle store with some thousand blocks, and what the process then takes.
#[test]
#[ignore = "runs in a child process of another test"]
fn is_idle_and_tells_its_size() {
    let Some(path) = work_of_child() else { return };
    let mut store = open(&path).unwrap();
    let blocks = chain_of(3_000);
    for block in &blocks {
        store.commit(growth(block)).unwrap();
    }
    for block in &blocks {
        assert_grown(&store, block);
    }
    drop(blocks);
    let status = fs::read_to_string("/proc/self/status").unwrap();
    for line in status.lines().filter(|line| line.starts_with("VmRSS:")) {
        eprintln!("{line}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn an_idle_store_leaves_the_node_most_of_its_100_mib() {
    let directory = tempfile::tempdir().unwrap();
    let mut child =
        child(concat!(module_path!(), "::is_idle_and_tells_its_size"), directory.path());
    let resident = lines(&mut child).find_map(|line| {
        line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()
    });
    assert!(child.wait().unwrap().success());
    let resident = resident.unwrap();
    assert!(resident < 64 << 10, "{resident} KiB resident");
}

/// Runs in a child: holds a store open until its input ends.
#[test]
#[ignore = "runs in a child process of another test"]
fn holds_a_store_open() {
    let Some(path) = work_of_child() else { return };
    let _store = open(&path).unwrap();
    eprintln!("open");
    std::io::stdin().lines().for_each(drop);
}

#[test]
fn a_store_that_another_process_has_open_is_refused_until_it_is_closed() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = child(concat!(module_path!(), "::holds_a_store_open"), directory.path());
    assert!(lines(&mut child).any(|line| line == "open"));
    assert_refused(directory.path(), &["open already", "directory of its own"]);
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    open(directory.path()).unwrap();
}

#[test]
fn a_store_that_changes_while_it_is_looked_at_is_open_and_not_damaged() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = child(concat!(module_path!(), "::grows_until_it_is_killed"), directory.path());
    let mut heights = lines(&mut child).filter_map(|line| height_in(&line));
    for _ in 0..20 {
        heights.next().unwrap();
        let why = refusal(directory.path());
        assert!(why.contains("open already"), "{why}");
    }
    kill(child);
    // What would be damage in a closed store may be a moment's state in one that is open.
    let store = open(directory.path()).unwrap();
    for log in files(directory.path(), ".log") {
        fs::remove_file(log).unwrap();
    }
    assert_refused(directory.path(), &["open already"]);
    drop(store);
}
