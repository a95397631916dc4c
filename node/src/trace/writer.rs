//! The thread that takes lines to their files, for one node or for all nodes of a process.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::disk::write_whole_lines;
use super::log::{Desk, Phase};
use crate::halt::Cause;

/// Bytes that are written without waiting for more.
pub(super) const CHUNK: usize = 64 * 1024;

/// Memory that a node's lines keep between two writes. More came in a burst, and is given back.
const KEPT: usize = 4 * CHUNK;

/// The longest that a line waits to be written, so that whoever follows the file sees the present.
const LINGER: Duration = Duration::from_millis(50);

/// How often a full disk is tried again.
const TRY_AGAIN: Duration = Duration::from_millis(200);

/// How long a node that was told to stop waits for a full disk, before it ends without the rest.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// Writes the logs of any number of nodes. Its thread ends with the last clone, once everything that
/// is to be written has been.
#[derive(Clone, Debug)]
pub struct Writer {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Files that the thread does not know yet.
    new: Mutex<Vec<Sheet>>,
    closed: AtomicBool,
}

/// A file with the lines that go to it.
#[derive(Debug)]
struct Sheet {
    /// None once nothing more is to be written.
    file: Option<File>,
    desk: Arc<Desk>,
    /// Lines that were taken from the desk.
    chunk: Vec<u8>,
    /// When to try again, since the disk was full.
    try_at: Option<Instant>,
    give_up_at: Option<Instant>,
    /// Goes with the file.
    _gone: oneshot::Sender<()>,
}

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    /// No thread to be had.
    pub fn start() -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let thread = thread::Builder::new().name("events".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || write_all(&shared)
        })?;
        Ok(Self { inner: Arc::new(Inner { shared, thread: Some(thread) }) })
    }

    /// Writes what comes to a desk to a file. What is returned is done when the file is closed.
    pub(super) fn serve(&self, file: File, desk: Arc<Desk>) -> oneshot::Receiver<()> {
        let (_gone, gone) = oneshot::channel();
        let sheet = Sheet {
            file: Some(file),
            desk,
            chunk: Vec::new(),
            try_at: None,
            give_up_at: None,
            _gone,
        };
        self.inner.shared.new.lock().unwrap_or_else(PoisonError::into_inner).push(sheet);
        gone
    }

    /// Has it look at the desks now.
    pub(super) fn wake(&self) {
        self.inner.wake();
    }
}

impl Inner {
    fn wake(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Release);
        self.wake();
        if let Some(thread) = self.thread.take() {
            // Each log has been told what went wrong with it.
            let _ = thread.join();
        }
    }
}

fn write_all(shared: &Shared) {
    let mut sheets = Vec::new();
    loop {
        let closed = shared.closed.load(Ordering::Acquire);
        sheets.append(&mut *shared.new.lock().unwrap_or_else(PoisonError::into_inner));
        sheets.retain_mut(Sheet::look);
        if closed && sheets.is_empty() {
            return;
        }
        thread::park_timeout(LINGER);
    }
}

impl Sheet {
    /// Writes what is there; says whether there may be more.
    fn look(&mut self) -> bool {
        let mut state = self.desk.lock();
        if self.chunk.is_empty() {
            std::mem::swap(&mut self.chunk, &mut state.lines);
            state.taken = self.chunk.len();
        }
        let closing = match state.phase {
            Phase::Open => false,
            Phase::Closing => true,
            Phase::Abandoned | Phase::Ended(_) => return false,
        };
        drop(state);
        if self.try_at.is_some_and(|at| Instant::now() < at) && !closing {
            return true;
        }
        let done = self.write(closing);
        let mut state = self.desk.lock();
        state.taken = self.chunk.len();
        let is_last = closing && self.chunk.is_empty() && state.lines.is_empty();
        let ended = done.is_err() || is_last;
        if ended {
            // Whoever is told that it is over finds the file closed.
            self.file = None;
        }
        if ended && !matches!(state.phase, Phase::Abandoned) {
            state.phase = Phase::Ended(done.err());
        }
        drop(state);
        self.desk.tell();
        !ended
    }

    /// Writes the lines that were taken. A full disk is no error while it is waited for.
    fn write(&mut self, closing: bool) -> io::Result<()> {
        let Some(file) = self.file.as_mut().filter(|_| !self.chunk.is_empty()) else {
            return Ok(());
        };
        let error = match write_whole_lines(file, &mut self.chunk) {
            Ok(()) => {
                self.desk.halt.set(Cause::Log, false);
                (self.try_at, self.give_up_at) = (None, None);
                if self.chunk.capacity() > KEPT {
                    self.chunk = Vec::new();
                }
                return Ok(());
            }
            Err(error) if is_full(&error) => error,
            Err(error) => return Err(error),
        };
        self.desk.halt.set(Cause::Log, true);
        let now = Instant::now();
        self.try_at = Some(now + TRY_AGAIN);
        if closing && now >= *self.give_up_at.get_or_insert(now + LAST_WAIT) {
            let lines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
            let lost = lines(&self.chunk) + lines(&self.desk.lock().lines);
            let text = format!("{error}; {lost} lines are lost");
            return Err(io::Error::new(error.kind(), text));
        }
        Ok(())
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
