//! A node's end of its log.
//!
//! An event becomes a line at once, in memory; a [`Writer`] takes the lines from there to the file,
//! many at a time, so that a reader who follows the file and a process that is killed both see whole
//! lines. The memory is bounded: when the disk cannot keep up, whoever traces waits, and says so. A
//! full disk is waited for, with what was not written kept and the node told to stand still; any
//! other refusal is fatal to the node.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use thiserror::Error;
use tokio::sync::oneshot;
use tracing::warn;

use super::event::Event;
use super::line::Lines;
use super::writer::{CHUNK, Writer};
use crate::engine::Time;
use crate::halt::Halt;

/// Bytes of lines that may wait for the disk: some seconds of a busy node's.
pub(super) const MOST_WAITING: usize = 16 << 20;

/// The log cannot be written.
#[derive(Debug, Error)]
#[error(
    "the propagation log {path} cannot be written ({error}); make room, or choose another place with --events"
)]
pub struct LogError {
    path: String,
    error: io::Error,
}

/// Takes events for the log. Dropping it, or [`Log::close`], writes out what is left.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    lines: Lines,
    desk: Arc<Desk>,
    writer: Writer,
    closed: Option<oneshot::Receiver<()>>,
    stalls: u64,
}

/// Leaves a log as it is, whoever holds it: what has not reached the file is lost.
#[derive(Debug)]
pub struct Abandon {
    desk: Arc<Desk>,
    writer: Writer,
}

/// What lies between a node and the writer.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) halt: Arc<Halt>,
    state: Mutex<State>,
    changed: Condvar,
}

/// The lines on the desk, and what is to become of them.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Whole lines that the writer has not taken yet.
    pub(super) lines: Vec<u8>,
    /// Bytes of lines that it has taken and not yet written.
    pub(super) taken: usize,
    pub(super) phase: Phase,
}

/// Where a log is in its life.
#[derive(Debug, Default)]
pub(super) enum Phase {
    /// Lines come.
    #[default]
    Open,
    /// No more lines come; those that are there are to be written.
    Closing,
    /// Nothing more is to be written.
    Abandoned,
    /// The writer has nothing more to do with it. The error is there until somebody has been told.
    Ended(Option<io::Error>),
}

impl Desk {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whoever waits for room or for the end.
    pub(super) fn tell(&self) {
        self.changed.notify_all();
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn waiting(&self) -> usize {
        self.lines.len() + self.taken
    }
}

impl Log {
    /// Opens the file to append to it. A full disk is told to `halt` for as long as it is full.
    ///
    /// # Errors
    /// The file cannot be opened or written.
    pub fn open(
        path: &Path,
        node: String,
        halt: Arc<Halt>,
        writer: &Writer,
    ) -> Result<Self, LogError> {
        let file = open_at_line_start(path)
            .map_err(|error| LogError { path: path.display().to_string(), error })?;
        let desk = Arc::new(Desk { halt, state: Mutex::default(), changed: Condvar::new() });
        let closed = writer.serve(file, Arc::clone(&desk));
        Ok(Self {
            path: path.to_owned(),
            lines: Lines::of(node),
            desk,
            writer: writer.clone(),
            closed: Some(closed),
            stalls: 0,
        })
    }

    /// Writes an event down, waiting if the disk is behind.
    ///
    /// # Errors
    /// The disk has refused.
    pub fn write(&mut self, at: Time, event: &Event) -> Result<(), LogError> {
        let mut state = self.desk.lock();
        while matches!(state.phase, Phase::Open) && state.waiting() >= MOST_WAITING {
            self.stalls += 1;
            if self.stalls.is_power_of_two() {
                warn!(
                    times = self.stalls,
                    "the propagation log cannot keep up with the disk, so the node slows down"
                );
            }
            state = self.desk.wait(state);
        }
        match state.phase {
            Phase::Open => {}
            Phase::Abandoned => return Ok(()),
            Phase::Closing | Phase::Ended(_) => {
                drop(state);
                return Err(self.ended());
            }
        }
        let before = state.lines.len();
        let appended = self.lines.append(at, event, &mut state.lines);
        let is_chunk = before < CHUNK && state.lines.len() >= CHUNK;
        drop(state);
        if is_chunk {
            self.writer.wake();
        }
        appended.map_err(|error| self.error(error))
    }

    /// Whether half of the room is taken: far more than anything that comes in adds at once, so who
    /// heeds it never waits in [`Log::write`].
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        self.desk.lock().waiting() >= MOST_WAITING / 2
    }

    /// The means to leave the log as it is, and what is done once its file is closed, whichever way
    /// that came about. Whoever asks a second time finds it done already.
    #[must_use]
    pub fn abandon(&mut self) -> (Abandon, oneshot::Receiver<()>) {
        let (desk, writer) = (Arc::clone(&self.desk), self.writer.clone());
        let closed = self.closed.take().unwrap_or_else(|| oneshot::channel().1);
        (Abandon { desk, writer }, closed)
    }

    /// Writes out what is left. A disk that stays full is given up after two seconds.
    ///
    /// # Errors
    /// The disk refused, now or before.
    pub fn close(self) -> Result<(), LogError> {
        self.finish().map_or(Ok(()), |error| Err(self.error(error)))
    }

    /// Waits until the writer is done; gives what went wrong, once.
    fn finish(&self) -> Option<io::Error> {
        let mut state = self.desk.lock();
        if let Phase::Open = state.phase {
            state.phase = Phase::Closing;
            self.writer.wake();
        }
        loop {
            match &mut state.phase {
                Phase::Ended(error) => return error.take(),
                Phase::Abandoned => return None,
                Phase::Open | Phase::Closing => state = self.desk.wait(state),
            }
        }
    }

    /// Why no more lines are taken.
    fn ended(&self) -> LogError {
        self.error(self.finish().unwrap_or_else(|| io::Error::other("it is closed")))
    }

    fn error(&self, error: io::Error) -> LogError {
        LogError { path: self.path.display().to_string(), error }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if let Some(error) = self.finish() {
            warn!(%error, "the propagation log is not complete");
        }
    }
}

impl Abandon {
    /// From now on nothing more is written.
    pub fn now(&self) {
        let mut state = self.desk.lock();
        if let Phase::Open | Phase::Closing = state.phase {
            state.phase = Phase::Abandoned;
            state.lines = Vec::new();
        }
        drop(state);
        self.desk.tell();
        self.writer.wake();
    }
}

/// Opens a file to append to. A last line that an earlier process was killed in is ended, so that
/// it spoils no line of ours.
fn open_at_line_start(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        if last != [b'\n'] {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
