//! The journal on a disk that is full for a while: a small one, which a child process mounts.

use std::fs::File;
use std::path::PathBuf;
use std::process::Command;

use super::*;

/// Tells a test of this binary that it runs as a child, and where its disk is.
const DISK: &str = "HEARSAY_TEST_JOURNAL_DISK";

fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    for size in [64 << 10, 1 << 10, 1] {
        while file.write(&vec![1; size]).is_ok_and(|written| written > 0) {}
    }
}

/// Runs in a child that has a disk of six mebibytes.
#[test]
#[ignore = "runs in a child process of another test"]
fn meets_a_full_disk() {
    let Some(disk) = std::env::var_os(DISK).map(PathBuf::from) else { return };
    let filling = disk.join("filling");
    let is_complete = |kept: &Node| kept.gauge("hearsay_mempool_journal_complete") == 1;
    let mut kept = start(&disk, GENESIS);
    assert!(kept.restored().is_empty());
    (0..10).for_each(|number| kept.journal.keep(add(number, 10)));
    kept.wait_until("the first ten", |kept| kept.count() == 10);
    let mut told = 0;
    for round in 1..=2_u64 {
        fill(&filling);
        // Some of those that the file holds go, and others come; neither is written.
        kept.journal.keep(Kept::Remove(tx(round, 10).id()));
        (0..100).for_each(|number| kept.journal.keep(add(1_000 * round + number, 1_000)));
        kept.wait_until("the disk to refuse", |kept| !is_complete(kept));
        kept.journal.keep(add(1_000 * round + 500, 10));
        fs::remove_file(&filling).unwrap();
        kept.wait_until("to be asked", |kept| kept.journal.wanted() != told);
        told = kept.journal.wanted();
        // All that the pool would hold; what changes meanwhile is told as ever.
        (1 + round..10).chain([0]).for_each(|number| kept.journal.keep(add(number, 10)));
        kept.journal.keep(add(1_000 * round + 501, 10));
        for round in 1..=round {
            kept.journal.keep(add(1_000 * round + 500, 10));
            kept.journal.keep(add(1_000 * round + 501, 10));
            (0..100).for_each(|number| kept.journal.keep(add(1_000 * round + number, 1_000)));
        }
        kept.journal.complete(told);
        kept.wait_until("it to be complete", is_complete);
        assert_eq!(kept.count(), 10 - round + 102 * round);
    }
    kept.journal.close();
    let mut kept = start(&disk, GENESIS);
    let restored = ids(&kept.restored());
    let small = [0].into_iter().chain(3..10).chain([1_500, 1_501, 2_500, 2_501]);
    let large = (1_000..1_100).chain(2_000..2_100);
    assert_eq!(restored, &ids_of(small, 10) | &ids_of(large, 1_000));
}

#[test]
#[cfg(target_os = "linux")]
fn a_journal_on_a_full_disk_stops_and_is_whole_again_once_there_is_room() {
    let directory = tempfile::tempdir().unwrap();
    let inside = |program: &Path| {
        let mut command = Command::new("unshare");
        command
            .args(["--map-root-user", "--mount", "sh", "-c"])
            .arg("mount -t tmpfs -o size=6m none \"$0\" && exec \"$@\"")
            .arg(directory.path())
            .arg(program);
        command
    };
    if !inside(Path::new("true")).output().is_ok_and(|output| output.status.success()) {
        eprintln!("not tested: this machine lets no user mount a disk of its own");
        return;
    }
    let name = concat!(module_path!(), "::meets_a_full_disk");
    let name = name.split_once("::").map_or(name, |(_, name)| name);
    let output = inside(&std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture", "--include-ignored"])
        .env(DISK, directory.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "the child ran nothing");
}
