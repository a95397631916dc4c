//! From the lab's hands into a pool: what whoever hands a transaction in waits for, also while the node that
//! it was handed to is busy, or hands it on to another one.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::json::Report;
use super::manifest::Manifest;
use super::run::Run;
use super::stats::{Pair, Summary};
use super::window::Window;
use super::words::{fixed, pair};
use crate::cluster::SUBMITTED;

/// Transactions that the lab handed in within the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Submitted {
    /// Transactions handed in.
    pub count: u64,
    /// Those among them that some node has had in its pool.
    pub pooled: u64,
    /// From the moment that the lab hands a transaction to a node until the first node, that one or
    /// another, has it in its pool, in milliseconds. One that never comes into a pool is not in here, but
    /// is missing in `pooled`.
    pub pooled_ms: Summary,
}

impl Submitted {
    /// Of the transactions that the manifest knows; `None` without any.
    pub(crate) fn of(run: &Run, manifest: &Manifest, window: &Window) -> Option<Self> {
        let handed_in = manifest.handed_in.iter().filter(|(at, _)| window.contains(*at));
        let (mut count, mut times) = (0, Vec::new());
        for (at, id) in handed_in {
            count += 1;
            let message = run.txs.get(id);
            let first = message.and_then(|tx| tx.at.iter().filter_map(|seen| seen.pooled).min());
            times.extend(first.map(|pooled| (pooled - at).max(0)));
        }
        let pooled = times.len() as u64;
        (count > 0).then(|| Submitted { count, pooled, pooled_ms: Summary::of_us(times) })
    }
}

/// When each transaction was handed in, as the lab wrote it down in `dir`. Lines that are none are passed
/// over: the last one may be half written.
pub(super) fn read(dir: &Path) -> Vec<(i64, Box<str>)> {
    let text = fs::read_to_string(dir.join(SUBMITTED)).unwrap_or_default();
    let line = |line: &str| {
        let (at, id) = line.split_once(' ')?;
        Some((at.parse().ok()?, Box::from(id)))
    };
    text.lines().filter_map(line).collect()
}

impl Report {
    /// How long those who hand in had to wait.
    pub(super) fn handed_in(&self) -> Option<String> {
        let Submitted { count, pooled, pooled_ms } = self.submitted?;
        let ms = pair(Pair { p50: pooled_ms.p50, p99: pooled_ms.p99 });
        let max = fixed(pooled_ms.max, 3);
        Some(format!(
            "submitted  {count}, {pooled} of them pooled; until the first pool has it, p50/p99 ms: {ms}, \
             max {max}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::run::{AtNode, Message};
    use super::*;

    fn pooled(at: [Option<i64>; 2]) -> Message {
        let at = at.map(|pooled| AtNode { pooled, ..AtNode::default() });
        Message { bytes: 1, at: at.into() }
    }

    #[test]
    fn the_time_ends_in_the_first_pool_and_counts_within_the_window() {
        let txs = BTreeMap::from([
            ("a".into(), pooled([Some(9_000), Some(5_000)])),
            ("b".into(), pooled([None, None])),
            ("c".into(), pooled([Some(99_000), None])),
        ]);
        let run = Run { txs, ..Run::default() };
        let handed_in = [(1_000, "a"), (2_000, "b"), (3_000, "unheard of"), (90_000, "c")];
        let handed_in = handed_in.map(|(at, id)| (at, Box::from(id))).into();
        let manifest = Manifest { handed_in, ..Manifest::default() };
        let window = Window { from_us: 0, until_us: 50_000, ..Window::default() };
        let found = Submitted::of(&run, &manifest, &window).unwrap();
        assert_eq!((found.count, found.pooled), (3, 1));
        assert_eq!((found.pooled_ms.p50, found.pooled_ms.p99), (Some(4.0), Some(4.0)));
        assert_eq!(Submitted::of(&run, &Manifest::default(), &window), None);
    }

    #[test]
    fn lines_that_are_none_are_passed_over() {
        let home = tempfile::tempdir().unwrap();
        assert!(read(home.path()).is_empty());
        fs::write(home.path().join(SUBMITTED), "5 ab\nx y\n\n7 cd").unwrap();
        assert_eq!(read(home.path()), [(5, "ab".into()), (7, "cd".into())]);
    }
}
