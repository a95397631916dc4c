//! What lies between a node and the thread that writes its journal.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::Kept;

/// The longest that a change waits to be written. The disk is asked to keep it about a second later.
const LINGER: Duration = Duration::from_millis(100);

/// Bytes of transactions that are written without waiting for more.
const CHUNK: usize = 256 * 1024;

/// Bytes of transactions that may wait for the disk: some seconds of a busy node's. What comes beyond
/// is left out, and asked for once the disk goes on.
const MOST_WAITING: usize = 16 << 20;

/// Bytes of transactions from which on what is not urgent waits.
const CROWDED: usize = MOST_WAITING / 4;

/// What a change without its transaction counts for.
const NOTE_BYTES: usize = 64;

/// What the thread is told.
#[derive(Debug)]
pub(super) enum Note {
    /// The pool has changed.
    Kept(Kept),
    /// All that the journal held has come back, or will not.
    Restored,
    /// What was asked for under this number has been told in full.
    Complete(u64),
}

/// Where a journal is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// Changes come.
    #[default]
    Open,
    /// No more come for now; those that are there are to be written, and what is missing asked for.
    Settling,
    /// No more come; those that are there are to be written.
    Closing,
    /// Nothing more is to be written.
    Abandoned,
    /// The thread has nothing more to do with it.
    Ended,
}

#[derive(Debug, Default)]
struct State {
    notes: Vec<Note>,
    bytes: usize,
    /// When the first of them came.
    since: Option<Instant>,
    /// Whether some were left out since the thread last looked.
    lost: bool,
    phase: Phase,
}

/// What the thread takes at once.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) notes: Vec<Note>,
    pub(super) lost: bool,
    pub(super) phase: Phase,
}

#[derive(Debug, Default)]
pub(super) struct Desk {
    state: Mutex<State>,
    changed: Condvar,
    wanted: AtomicU64,
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a note for the thread. Never waits for a disk.
    pub(super) fn put(&self, note: Note) {
        let size = match &note {
            Note::Kept(Kept::Add { tx, .. }) => NOTE_BYTES + tx.size(),
            _ => NOTE_BYTES,
        };
        let mut state = self.lock();
        if !matches!(state.phase, Phase::Open | Phase::Settling) {
            return;
        }
        if state.bytes >= MOST_WAITING && matches!(note, Note::Kept(_)) {
            state.lost = true;
            return;
        }
        let is_first = state.notes.is_empty();
        let before = state.bytes;
        state.bytes = before.saturating_add(size);
        let is_chunk = before < CHUNK && state.bytes >= CHUNK;
        state.notes.push(note);
        if is_first {
            state.since = Some(Instant::now());
        }
        drop(state);
        if is_first || is_chunk {
            self.changed.notify_all();
        }
    }

    /// Waits until there is something to write, the journal is to end, or it is `until`.
    pub(super) fn take(&self, until: Option<Instant>) -> Taken {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let due = [state.since.map(|since| since + LINGER), until];
            let due = due.into_iter().flatten().min();
            let is_due = state.lost || state.bytes >= CHUNK || due.is_some_and(|due| due <= now);
            if is_due || state.phase != Phase::Open {
                if state.bytes >= CROWDED {
                    self.changed.notify_all();
                }
                state.bytes = 0;
                state.since = None;
                return Taken {
                    notes: std::mem::take(&mut state.notes),
                    lost: std::mem::take(&mut state.lost),
                    phase: state.phase,
                };
            }
            state = match due {
                Some(due) => {
                    let (state, _) = self
                        .changed
                        .wait_timeout(state, due - now)
                        .unwrap_or_else(PoisonError::into_inner);
                    state
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Asks for all that the pool holds, under a number.
    pub(super) fn want_all(&self, number: u64) {
        self.wanted.store(number, Ordering::Release);
    }

    /// The number under which everything was asked for last; 0 if it never was.
    pub(super) fn wanted(&self) -> u64 {
        self.wanted.load(Ordering::Acquire)
    }

    /// Whether much waits already, and what is not urgent had better wait.
    pub(super) fn is_busy(&self) -> bool {
        self.lock().bytes >= CROWDED
    }

    /// Waits until not much waits, or nothing is written any more.
    pub(super) fn wait_until_calm(&self) {
        let mut state = self.lock();
        while state.phase == Phase::Open && state.bytes >= CROWDED {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Has what is there written, and waits until it is or the disk has refused it.
    pub(super) fn settle(&self) {
        let mut state = self.lock();
        if state.phase == Phase::Open {
            state.phase = Phase::Settling;
            self.changed.notify_all();
        }
        while state.phase == Phase::Settling {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// All that was there has been written or refused.
    pub(super) fn has_settled(&self) {
        let mut state = self.lock();
        if state.phase == Phase::Settling {
            state.phase = Phase::Open;
        }
        drop(state);
        self.changed.notify_all();
    }

    /// From now on nothing more is written.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        if state.phase != Phase::Ended {
            state.phase = Phase::Abandoned;
        }
        state.notes = Vec::new();
        drop(state);
        self.changed.notify_all();
    }

    /// The thread is done.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.phase = Phase::Ended;
        state.notes = Vec::new();
        drop(state);
        self.changed.notify_all();
    }

    /// Has the rest written, and waits until it is.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        if state.phase == Phase::Open {
            state.phase = Phase::Closing;
            self.changed.notify_all();
        }
        while state.phase == Phase::Closing {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
