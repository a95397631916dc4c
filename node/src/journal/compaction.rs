//! Making a journal smaller: the records that count are copied into a new file, a piece at a time,
//! which then takes the place of the old one.
//!
//! What comes meanwhile is written to both, so a process that is killed at any moment leaves a whole
//! journal, and nothing waits for the copy.

use std::fs;
use std::io;
use std::time::{Duration, Instant};

use hearsay_chain::TxId;
use tracing::{debug, warn};

use super::disk::{Disk, draft, put_into_place};
use super::keeper::Keeper;

/// A file up to this size is left as it is.
const SMALL: u64 = 4 << 20;

/// Bytes copied before somebody else has a turn: some milliseconds for a disk.
const PIECE: usize = 4 << 20;

/// How long a disk that did not take the copy is left in peace.
const PUT_OFF: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Compaction {
    pub(super) draft: Disk,
    /// What is still to be copied: where it stood when this began.
    left: std::vec::IntoIter<(u64, TxId)>,
    /// Those that could not be read, and where they stand.
    unreadable: Vec<(u64, TxId, io::Error)>,
}

impl Keeper {
    /// Whether enough of the file is dead.
    pub(super) fn wants_compaction(&self) -> bool {
        let Some(disk) = &self.disk else { return false };
        let dead = disk.records().saturating_sub(self.live.bytes());
        let is_worth_it = disk.length > SMALL && dead > disk.length / 2;
        let is_settled = !self.is_restoring && self.is_complete && self.try_at.is_none();
        is_settled && (self.must_rewrite || dead > 0 && (is_worth_it || self.wants_rewrite))
    }

    /// Begins a copy if it is time, and does a piece of one that has begun.
    pub(super) fn compact(&mut self, now: Instant) {
        if self.compaction.is_none() {
            if !self.wants_compaction() || self.rewrite_at.is_some_and(|at| at > now) {
                return;
            }
            self.begin_copy();
        }
        if let Err(error) = self.copy_piece() {
            self.put_off_compaction(&error);
        }
    }

    /// Writes the whole file anew, at once.
    pub(super) fn rewrite(&mut self) {
        self.give_up_compaction();
        self.begin_copy();
        while self.compaction.is_some() {
            if let Err(error) = self.copy_piece() {
                self.put_off_compaction(&error);
            }
        }
    }

    fn begin_copy(&mut self) {
        self.rewrite_at = None;
        match Disk::create(&draft(&self.path), self.genesis) {
            Ok(draft) => {
                let left = self.live.by_place().into_iter();
                self.compaction = Some(Compaction { draft, left, unreadable: Vec::new() });
            }
            Err(error) => self.put_off_compaction(&error),
        }
    }

    fn copy_piece(&mut self) -> io::Result<()> {
        let (Some(Compaction { draft, left, unreadable }), Some(disk)) =
            (&mut self.compaction, &self.disk)
        else {
            return Ok(());
        };
        let mut piece = Vec::new();
        for (at, id) in left.by_ref() {
            // Some have left since, and may have come again: then they are in both files.
            let Some(entry) = self.live.get(&id).filter(|it| it.at == at && it.copy.is_none())
            else {
                continue;
            };
            let copy = draft.length + piece.len() as u64;
            if let Err(error) = disk.read(at, entry.length, &mut piece) {
                unreadable.push((at, id, error));
                continue;
            }
            self.live.copied(&id, copy);
            if piece.len() >= PIECE {
                break;
            }
        }
        draft.append(&piece)?;
        // Piece by piece, so that the last one is not waited for longer than the others.
        draft.sync()?;
        if left.as_slice().is_empty() && !unreadable.is_empty() {
            self.miss_unreadable();
        } else if left.as_slice().is_empty() {
            put_into_place(&self.path)?;
            debug!(before = disk.length, after = draft.length, "made the journal smaller");
            self.live.move_over();
            self.disk = self.compaction.take().map(|it| it.draft);
            (self.wants_rewrite, self.must_rewrite) = (false, false);
            self.sync_at = None;
        }
        Ok(())
    }

    /// Some of what counts cannot be read. Until it is told and written again, the file is as good as it
    /// was; then another copy does without those places.
    fn miss_unreadable(&mut self) {
        let unreadable = self.compaction.as_mut().map(|it| std::mem::take(&mut it.unreadable));
        let unreadable = unreadable.unwrap_or_default();
        if let Some((at, _, error)) = unreadable.first() {
            let (count, path) = (unreadable.len(), self.path.display());
            let text = format!(
                "{count} transactions of the journal {path} cannot be read, the first at byte {at} \
                 ({error}): they are written to it again"
            );
            if self.has_warned {
                debug!("{text}")
            } else {
                warn!("{text}")
            }
            self.has_warned = true;
        }
        for (at, id, _) in unreadable {
            // It may have left and come again, and stands elsewhere.
            if self.live.get(&id).is_some_and(|entry| entry.at == at) {
                self.live.remove(&id);
            }
        }
        self.give_up_compaction();
        self.rewrite_at = Some(Instant::now() + PUT_OFF);
        self.ask_for_all();
    }

    /// The disk did not take the copy; the file is as good as it was.
    pub(super) fn put_off_compaction(&mut self, error: &io::Error) {
        debug!(%error, "the journal could not be made smaller");
        self.give_up_compaction();
        self.rewrite_at = Some(Instant::now() + PUT_OFF);
    }

    pub(super) fn give_up_compaction(&mut self) {
        if self.compaction.take().is_some() {
            self.live.stay();
            // The next one begins with it anew.
            let _ = fs::remove_file(draft(&self.path));
        }
    }
}
