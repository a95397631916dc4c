//! A thread that follows the propagation logs of all nodes and keeps a running tally.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;

use crate::follow::Follower;
use crate::report::live::{Live, LiveTally};

/// The time between two looks at the logs.
const LOOK: Duration = Duration::from_millis(100);

/// Bytes that are read of one log at each look: some 100,000 events a second of all five nodes,
/// beyond which the tally falls behind rather than take the processor from the nodes.
const MOST: usize = 512 * 1024;

/// Events that a tally has no use for, and that are most of every log. Finding out costs a hundredth
/// of reading the line.
const UNUSED: [&str; 6] = ["duplicate", "verdict", "pooled", "included", "final", "peer"];

/// A running tally over the logs. The thread ends when this is dropped.
#[derive(Debug)]
pub struct Tail {
    live: watch::Receiver<Live>,
    gone: Sender<String>,
}

impl Tail {
    /// Follows these logs, each with its node's name. They need not exist yet.
    pub fn start(logs: Vec<(String, PathBuf)>) -> Self {
        let (gone, ends) = channel();
        let (sender, live) = watch::channel(Live::default());
        thread::spawn(move || follow(&logs, &ends, &sender));
        Self { live, gone }
    }

    /// The tally as it grows.
    #[must_use]
    pub fn live(&self) -> watch::Receiver<Live> {
        self.live.clone()
    }

    /// Says that a node's process has ended without saying so in its log.
    pub fn gone(&self, node: &str) {
        // The thread lives as long as this does.
        let _ = self.gone.send(node.to_owned());
    }
}

fn follow(logs: &[(String, PathBuf)], ends: &Receiver<String>, live: &watch::Sender<Live>) {
    let mut followers: Vec<_> =
        logs.iter().map(|(name, path)| (name, Follower::new(path))).collect();
    let mut tally = LiveTally::new();
    loop {
        for (name, follower) in &mut followers {
            let feed = |line: &str| {
                if is_used(line) {
                    tally.feed(name, line);
                }
            };
            // The report reads the logs anew and says what cannot be read.
            let _ = follower.lines(MOST, feed);
        }
        let snapshot = tally.snapshot();
        live.send_if_modified(|live| std::mem::replace(live, snapshot) != snapshot);
        match ends.recv_timeout(LOOK) {
            Ok(node) => tally.gone(&node),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn is_used(line: &str) -> bool {
    let event = line.split_once("\"event\":\"").and_then(|(_, rest)| rest.split_once('"'));
    event.is_none_or(|(event, _)| !UNUSED.contains(&event))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn lines_that_change_no_figure_are_passed_over() {
        assert!(is_used(r#"{"t":"…","node":"n0","event":"published","kind":"tx"}"#));
        assert!(!is_used(r#"{"t":"…","node":"n0","event":"verdict","kind":"tx"}"#));
        assert!(is_used("no event at all"));
    }

    #[tokio::test]
    async fn the_tally_grows_with_the_logs() {
        let home = tempfile::tempdir().unwrap();
        let log = home.path().join("events.jsonl");
        let tail = Tail::start(vec![("n0".to_owned(), log.clone())]);
        let record = |mono_us, rest: &str| {
            format!(
                r#"{{"t":"2026-03-01T12:30:05.000000Z","mono_us":{mono_us},"node":"n0",{rest}}}"#
            )
        };
        let start = r#""event":"start","schema":1,"peer":"p","genesis":"g","version":"0""#;
        let publish = r#""event":"published","kind":"tx","id":"aa","bytes":9,"origin":"rpc""#;
        fs::write(&log, [record(1, start), record(2, publish)].join("\n") + "\n").unwrap();
        let mut live = tail.live();
        let seen = live.wait_for(|live| live.published_tx == 1).await.unwrap();
        assert_eq!(seen.nodes, 1);
    }
}
