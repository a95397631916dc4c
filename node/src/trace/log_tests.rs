use std::time::{Duration, Instant};

use super::*;
use crate::halt::Cause;
use crate::trace::event::{Kind, Record};

fn event(height: u64) -> Event {
    Event::Final { kind: Kind::Block, id: "ab".to_owned(), height }
}

fn read(path: &Path) -> Vec<Record> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| Record::read(line).unwrap()).collect()
}

fn open(path: &Path, writer: &Writer) -> Log {
    Log::open(path, "n0".to_owned(), Arc::default(), writer).unwrap()
}

fn wait_until(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(30), "waited in vain: {what}");
        std::thread::yield_now();
    }
}

#[test]
fn every_event_is_in_its_file_in_order_once_the_log_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let writer = Writer::start().unwrap();
    let paths: Vec<PathBuf> = (0..5).map(|n| dir.path().join(format!("{n}.jsonl"))).collect();
    let mut logs: Vec<Log> = paths.iter().map(|path| open(path, &writer)).collect();
    for height in 0..10_000 {
        let at = Time { unix_us: 1_790_000_000_000_001 + height, mono_us: height };
        for log in &mut logs {
            log.write(at, &event(height)).unwrap();
        }
    }
    for (log, path) in logs.into_iter().zip(&paths) {
        log.close().unwrap();
        let records = read(path);
        assert_eq!(records[0].t, "2026-09-21T14:13:20.000001Z");
        assert!((0..).zip(&records).all(|(height, record)| record.event == event(height)));
        assert_eq!(records.len(), 10_000);
    }
}

#[test]
fn lines_reach_the_file_while_the_log_is_open() {
    let dir = tempfile::tempdir().unwrap();
    let (path, writer) = (dir.path().join("events.jsonl"), Writer::start().unwrap());
    let mut log = open(&path, &writer);
    log.write(Time::default(), &event(1)).unwrap();
    wait_until("the line", || read(&path).len() == 1);
}

#[test]
fn a_line_that_was_cut_by_a_kill_spoils_no_later_line() {
    let dir = tempfile::tempdir().unwrap();
    let (path, writer) = (dir.path().join("events.jsonl"), Writer::start().unwrap());
    std::fs::write(&path, "{\"t\":\"2026-").unwrap();
    let mut log = open(&path, &writer);
    log.write(Time::default(), &event(1)).unwrap();
    log.close().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(Record::read(text.lines().nth(1).unwrap()).unwrap().event, event(1));
}

#[test]
fn a_log_that_is_abandoned_has_whole_lines_and_takes_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let (path, writer) = (dir.path().join("events.jsonl"), Writer::start().unwrap());
    let mut log = open(&path, &writer);
    let (abandon, closed) = log.abandon();
    for height in 0..100 {
        log.write(Time::default(), &event(height)).unwrap();
    }
    abandon.now();
    // It is never sent anything: its other end goes with the file.
    assert!(closed.blocking_recv().is_err());
    let there = std::fs::read_to_string(&path).unwrap();
    assert!(there.is_empty() || there.ends_with('\n'));
    log.write(Time::default(), &event(100)).unwrap();
    log.close().unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), there);
}

#[test]
fn a_full_disk_is_waited_for_and_halts_the_node_and_ends_it_with_what_was_lost() {
    let (halt, writer) = (Arc::new(Halt::default()), Writer::start().unwrap());
    let path = Path::new("/dev/full");
    let mut log = Log::open(path, "n0".to_owned(), Arc::clone(&halt), &writer).unwrap();
    log.write(Time::default(), &event(0)).unwrap();
    wait_until("the node to be told", || halt.is_for(Cause::Log));
    // The log of another node goes on meanwhile.
    let dir = tempfile::tempdir().unwrap();
    let mut other = open(&dir.path().join("events.jsonl"), &writer);
    other.write(Time::default(), &event(0)).unwrap();
    other.close().unwrap();
    let mut lines = 1;
    while !log.is_crowded() {
        log.write(Time::default(), &event(lines)).unwrap();
        lines += 1;
    }
    let error = log.close().unwrap_err().to_string();
    assert!(error.contains("/dev/full") && error.contains("space"), "{error}");
    assert!(error.contains(&format!("{lines} lines are lost")), "{error}");
    assert!(halt.is_on());
}
