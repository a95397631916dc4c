//! The log on a disk that is full for a while: a small one, which a child process mounts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::*;
use crate::engine::Time;
use crate::halt::{Cause, Halt};
use crate::trace::event::{Event, Kind, Record};
use crate::trace::log::Log;
use crate::trace::writer::Writer;

/// Tells a test of this binary that it runs as a child, and where its disk is.
const DISK: &str = "HEARSAY_TEST_DISK";

/// Events that take several times the disk's last free page.
const EVENTS: u64 = 20_000;

fn event(height: u64) -> Event {
    Event::Final { kind: Kind::Block, id: "ab".repeat(32), height }
}

fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    for size in [64 << 10, 1 << 10, 1] {
        while file.write(&vec![1; size]).is_ok_and(|written| written > 0) {}
    }
}

fn wait_until(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(30), "waited in vain: {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

fn is_whole(path: &Path) -> bool {
    let text = fs::read(path).unwrap();
    text.is_empty() || text.ends_with(b"\n")
}

/// The heights in a log of which every line is whole. While somebody writes to it, the end of the
/// last one may be on its way.
fn heights(path: &Path) -> Vec<u64> {
    wait_until("whole lines", || is_whole(path));
    let text = fs::read_to_string(path).unwrap();
    let text = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
    text.lines()
        .map(|line| match serde_json::from_str::<Record>(line).unwrap().event {
            Event::Final { height, .. } => height,
            other => panic!("{other:?}"),
        })
        .collect()
}

/// Runs in a child that has a disk of two mebibytes.
#[test]
#[ignore = "runs in a child process of another test"]
fn meets_a_full_disk() {
    let Some(disk) = std::env::var_os(DISK).map(PathBuf::from) else { return };
    let (path, filling) = (disk.join("events.jsonl"), disk.join("filling"));
    let halt = Arc::new(Halt::default());
    let writer = Writer::start().unwrap();
    let open = || Log::open(&path, "n0".to_owned(), Arc::clone(&halt), &writer).unwrap();
    let mut log = open();
    let mut next = 0;
    for _ in 0..2 {
        fill(&filling);
        for _ in 0..EVENTS / 4 {
            log.write(Time::default(), &event(next)).unwrap();
            next += 1;
        }
        wait_until("the node to be told", || halt.is_for(Cause::Log));
        let there = heights(&path);
        assert_eq!(there, (0..there.len() as u64).collect::<Vec<_>>());
        assert!((there.len() as u64) < next);
        fs::remove_file(&filling).unwrap();
        wait_until("the log to go on", || !halt.is_on());
        wait_until("all lines", || heights(&path).len() as u64 == next);
        fs::remove_file(&path).unwrap();
        log = open();
        next = 0;
    }
    // A node that ends while the disk is full loses lines, says how many, and tears none.
    fill(&filling);
    for height in 0..EVENTS / 4 {
        log.write(Time::default(), &event(height)).unwrap();
    }
    let error = log.close().unwrap_err().to_string();
    assert!(is_whole(&path), "the last line is torn");
    let there = heights(&path).len() as u64;
    assert!(error.contains(&format!("{} lines are lost", EVENTS / 4 - there)), "{error}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_log_on_a_full_disk_tears_no_line_and_has_them_all_once_there_is_room() {
    let directory = tempfile::tempdir().unwrap();
    let inside = |program: &Path| {
        let mut command = Command::new("unshare");
        command
            .args(["--map-root-user", "--mount", "sh", "-c"])
            .arg("mount -t tmpfs -o size=2m none \"$0\" && exec \"$@\"")
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
