//! When each transaction was handed in, in a file beside the nodes' logs: what no node can tell, as a node
//! knows of a transaction only when it gets round to it.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use hearsay_chain::TxId;

use crate::lab::Clock;

/// The file. A line is a moment in microseconds since the Unix epoch, as the nodes' clocks tell it, and the
/// id of the transaction. What is in its buffer is lost if this process is killed; then the run has no
/// report either.
#[derive(Debug)]
pub struct Journal {
    clock: Clock,
    /// Held for one line, which goes into memory but for one in a hundred.
    file: Mutex<BufWriter<File>>,
}

impl Journal {
    /// Begins the file at `path`, or goes on with it.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(path: &Path, clock: Clock) -> io::Result<Self> {
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Self { clock, file: Mutex::new(BufWriter::new(file)) })
    }

    /// Writes down that a transaction is being handed in now.
    pub(super) fn note(&self, id: &TxId) {
        let now_us = self.clock.now_us();
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // A full disk fails the nodes' own logs too, which is told.
        let _ = writeln!(file, "{now_us} {id}");
    }

    /// Writes out what is in memory.
    ///
    /// # Errors
    /// The disk refuses it.
    pub fn flush(&self) -> io::Result<()> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_transaction_is_a_line_and_a_second_life_goes_on_with_the_file() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("submitted.txt");
        for id in [TxId([1; 32]), TxId([2; 32])] {
            let journal = Journal::open(&path, Clock::new(0, 1)).unwrap();
            journal.note(&id);
            journal.flush().unwrap();
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let ids: Vec<_> = text.lines().filter_map(|line| line.split_once(' ')).collect();
        assert_eq!(
            ids.iter().map(|(_, id)| *id).collect::<Vec<_>>(),
            ["01".repeat(32), "02".repeat(32)]
        );
        assert!(ids.iter().all(|(at, _)| at.parse::<i64>().is_ok()));
    }
}
