//! Snapshots: a second directory with the store as it is at one moment, made while it is in use.
//!
//! RocksDB calls it a checkpoint: files of rows never change, so the snapshot shares them with the
//! store by hard links, and takes room only as the store moves on. On another file system they are
//! copied.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rocksdb::DB;
use rocksdb::checkpoint::Checkpoint;

use super::refusal::Refusal;
use crate::store::rocks_open::mark;
use crate::store::{OpenErrorKind, StoreError};

/// Takes snapshots of one store. Cheap to clone; it does not keep the store open.
///
/// A snapshot under way holds the slot's lock, and so does `point_to`: whoever closes
/// the database to open it again goes through that, and waits for the snapshot to end.
#[derive(Clone, Debug, Default)]
pub struct Snapshots {
    slot: Arc<Mutex<Weak<DB>>>,
}

/// A snapshot that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The sizes of its files, in bytes.
    pub bytes: u64,
    /// How many files it has.
    pub files: u64,
}

impl Snapshots {
    pub(super) fn of(db: &Arc<DB>) -> Self {
        Self { slot: Arc::new(Mutex::new(Arc::downgrade(db))) }
    }

    /// Closes the database and opens it again, by `reopen`, with no snapshot under way.
    pub(super) fn point_to<E>(
        &self,
        reopen: impl FnOnce() -> Result<Arc<DB>, E>,
    ) -> Result<Arc<DB>, E> {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        let db = reopen()?;
        *slot = Arc::downgrade(&db);
        Ok(db)
    }

    /// Takes a snapshot into a new directory, whose parent must exist. It holds what was committed
    /// before, and is a store that can be opened. It blocks until all is on the disk; commits go on
    /// meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Open`] if the directory exists or cannot be written, or the store is closed.
    /// What was begun is removed.
    pub fn take(&self, to: &Path) -> Result<Snapshot, StoreError> {
        let slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        let refuse = |kind, why: &str| StoreError::Open {
            path: to.display().to_string(),
            kind,
            why: why.to_owned(),
        };
        let Some(db) = slot.upgrade() else {
            return Err(refuse(OpenErrorKind::Failed, "the store is closed: start the node again"));
        };
        if to.exists() {
            return Err(refuse(
                OpenErrorKind::Foreign,
                "it exists already: name a directory that does not",
            ));
        }
        take(&db, to).map_err(|refusal| {
            // It did not exist before, so nothing in it is anybody else's.
            let _ = std::fs::remove_dir_all(to);
            refusal.at(to)
        })
    }
}

fn take(db: &DB, to: &Path) -> Result<Snapshot, Refusal> {
    Checkpoint::new(db)?.create_checkpoint(to)?;
    // Last of all: what has no mark is no snapshot yet.
    mark(to)?;
    let mut snapshot = Snapshot { bytes: 0, files: 0 };
    for entry in std::fs::read_dir(to)? {
        snapshot.bytes += entry?.metadata()?.len();
        snapshot.files += 1;
    }
    Ok(snapshot)
}
