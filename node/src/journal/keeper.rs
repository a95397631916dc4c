//! The thread that writes a journal.
//!
//! It knows which records count and where they stand, so it makes the file smaller by itself. When
//! the disk refuses, it stops writing, says so once, and asks for all that the pool holds once there
//! is room: what it knows of the file stays true, and nothing is kept in memory meanwhile.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hearsay_chain::GenesisId;
use tracing::{info, warn};

use super::compaction::Compaction;
use super::desk::{Desk, Note, Phase, Taken};
use super::disk::Disk;
use super::format::{Record, append};
use super::live::Live;
use super::load::{Loaded, begin};
use crate::engine::Kept;
use crate::metrics::Metrics;

/// How long what was written may lie in the system's memory: a machine that loses its power loses
/// this much, a process that is killed loses only what it has not written.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// Bytes of records written at once.
const WRITE_BYTES: usize = 1 << 20;

/// How soon a disk that refused is tried again; twice as long each time, up to the second.
const TRY_AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(30)];

/// The room that there must be to try again.
const LEAST_ROOM: u64 = 1 << 20;

#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) path: PathBuf,
    pub(super) genesis: GenesisId,
    desk: Arc<Desk>,
    metrics: Arc<Metrics>,
    /// None if none could be made yet.
    pub(super) disk: Option<Disk>,
    pub(super) live: Live,
    pub(super) compaction: Option<Compaction>,
    /// Whether what the file held is still on its way back to the pool.
    pub(super) is_restoring: bool,
    /// Whether what lies dead in the file is to go, however little it is.
    pub(super) wants_rewrite: bool,
    /// Whether the disk may not have what was written to it.
    pub(super) must_rewrite: bool,
    /// Not before this.
    pub(super) rewrite_at: Option<Instant>,
    pub(super) sync_at: Option<Instant>,
    /// When to try again, since the disk refused.
    pub(super) try_at: Option<Instant>,
    pause: Duration,
    /// Whether it was said that something in the file cannot be read.
    pub(super) has_warned: bool,
    /// The number under which all was asked for last.
    asked: u64,
    /// Whether the records are those of the pool, but for what waits on the desk.
    pub(super) is_complete: bool,
    /// Records that are not in the file yet.
    buffer: Vec<u8>,
}

impl Keeper {
    pub(super) fn new(
        path: &Path,
        genesis: GenesisId,
        loaded: Option<Loaded>,
        desk: Arc<Desk>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let (disk, live) = loaded.map(|it| (it.disk, it.live)).unzip();
        Self {
            path: path.to_owned(),
            genesis,
            desk,
            metrics,
            disk,
            live: live.unwrap_or_default(),
            compaction: None,
            is_restoring: true,
            wants_rewrite: false,
            must_rewrite: false,
            rewrite_at: None,
            sync_at: None,
            try_at: None,
            pause: TRY_AGAIN[0],
            has_warned: false,
            asked: 0,
            is_complete: true,
            buffer: Vec::new(),
        }
    }

    /// Writes until the journal is closed or abandoned.
    pub(super) fn run(mut self) {
        loop {
            self.gauge();
            let Taken { notes, lost, phase } = self.desk.take(self.next_due());
            if let Phase::Abandoned | Phase::Ended = phase {
                return;
            }
            self.write_all(notes, lost);
            match phase {
                Phase::Closing => return self.finish(),
                Phase::Settling => {
                    if self.try_at.is_some() {
                        self.try_again();
                    }
                    self.desk.has_settled();
                }
                Phase::Open | Phase::Abandoned | Phase::Ended => {}
            }
            self.do_what_is_due(Instant::now());
        }
    }

    pub(super) fn do_what_is_due(&mut self, now: Instant) {
        if self.sync_at.is_some_and(|at| at <= now) {
            self.sync();
        }
        if self.try_at.is_some_and(|at| at <= now) {
            self.try_again();
        }
        self.compact(now);
    }

    /// Leaves a file that the disk has.
    pub(super) fn finish(&mut self) {
        let is_whole = self.is_complete && self.try_at.is_none();
        self.sync();
        if is_whole && self.must_rewrite {
            self.rewrite();
        }
        self.give_up_compaction();
    }

    fn next_due(&self) -> Option<Instant> {
        if self.compaction.is_some() {
            return Some(Instant::now());
        }
        let rewrite_at = self.rewrite_at.filter(|_| self.wants_compaction());
        [self.sync_at, self.try_at, rewrite_at].into_iter().flatten().min()
    }

    pub(super) fn write_all(&mut self, notes: Vec<Note>, lost: bool) {
        // First of all: what was told in full before these is not all any more.
        if lost && self.try_at.is_none() {
            self.ask_for_all();
        }
        for note in notes {
            match note {
                Note::Restored => {
                    self.is_restoring = false;
                    self.wants_rewrite = true;
                }
                // What comes while the disk refuses is asked for later.
                _ if self.try_at.is_some() => {}
                Note::Kept(kept) => self.take_down(kept),
                Note::Complete(number) if number == self.asked => self.complete(),
                Note::Complete(_) => {}
            }
            if self.buffer.len() >= WRITE_BYTES {
                self.flush();
            }
        }
        self.flush();
    }

    fn take_down(&mut self, kept: Kept) {
        let Some(disk) = &self.disk else { return };
        let offset = self.buffer.len();
        match kept {
            Kept::Add { tx, local, arrived_unix_us } => {
                let id = tx.id();
                if self.live.confirm(&id) {
                    return;
                }
                let tx = tx.encode();
                append(&Record::Add { local, arrived_unix_us, tx }, &mut self.buffer);
                let length = (self.buffer.len() - offset) as u32;
                self.live.insert(id, disk.length + offset as u64, length);
                if let Some(compaction) = &self.compaction {
                    self.live.copied(&id, compaction.draft.length + offset as u64);
                }
            }
            Kept::Remove(id) => {
                if self.live.remove(&id) {
                    append(&Record::Remove { id }, &mut self.buffer);
                }
            }
        }
    }

    fn flush(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        let Some(disk) = &mut self.disk else { return };
        let written = disk.append(&self.buffer);
        // Whatever comes is in both files, so that either is whole at any time.
        let copied = self.compaction.as_mut().map(|it| it.draft.append(&self.buffer));
        self.buffer.clear();
        match written {
            Ok(()) => {
                self.sync_at.get_or_insert_with(|| Instant::now() + SYNC_EVERY);
                if let Some(Err(error)) = copied {
                    self.put_off_compaction(&error);
                }
            }
            Err(error) => self.stop(&error),
        }
    }

    fn sync(&mut self) {
        self.sync_at = None;
        if let Some(Err(error)) = self.disk.as_ref().map(Disk::sync) {
            // The system may take what it could not write for written, and not try it again.
            self.must_rewrite = true;
            self.stop(&error);
        }
    }

    /// The disk has refused. The node goes on.
    pub(super) fn stop(&mut self, error: &io::Error) {
        self.give_up_compaction();
        self.live.cut(self.disk.as_ref().map_or(0, |disk| disk.length));
        if self.is_complete {
            warn!(
                "the journal of waiting transactions {} cannot be written ({error}): until it can, \
                 those that come would not survive a restart",
                self.path.display()
            );
        }
        self.is_complete = false;
        self.sync_at = None;
        self.try_at = Some(Instant::now() + self.pause);
        self.pause = (2 * self.pause).min(TRY_AGAIN[1]);
    }

    fn try_again(&mut self) {
        let directory = self.path.parent().unwrap_or(Path::new("."));
        let has_room = rustix::fs::statvfs(directory)
            .map_or(true, |disk| disk.f_bavail.saturating_mul(disk.f_frsize) >= LEAST_ROOM);
        if !has_room {
            self.try_at = Some(Instant::now() + TRY_AGAIN[0]);
            return;
        }
        if self.disk.is_none() {
            match begin(&self.path, self.genesis) {
                Ok(disk) => self.disk = Some(disk),
                Err(error) => return self.stop(&error),
            }
        }
        self.try_at = None;
        self.ask_for_all();
    }

    /// Not all that has come was written.
    pub(super) fn ask_for_all(&mut self) {
        self.is_complete = false;
        self.live.doubt_all();
        self.asked += 1;
        self.desk.want_all(self.asked);
    }

    fn complete(&mut self) {
        self.flush();
        if self.try_at.is_none() {
            self.live.drop_doubtful();
            (self.is_complete, self.wants_rewrite) = (true, true);
            self.pause = TRY_AGAIN[0];
            let transactions = self.live.len();
            info!(transactions, "the journal of waiting transactions is complete again");
        }
    }

    /// Tells `/metrics` what the file holds.
    fn gauge(&self) {
        let bytes = self.disk.as_ref().map_or(0, |disk| disk.length);
        self.metrics.journal(self.is_complete, self.live.len() as u64, bytes);
    }
}
