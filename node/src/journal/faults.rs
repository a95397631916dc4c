//! What a test has a disk refuse.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Something that a disk is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// There is no room.
    Append,
    /// What stands at this place cannot be read.
    Read(u64),
    /// What was written is not kept.
    Sync,
}

/// By the directory: a test has one of its own.
static FAULTS: Mutex<BTreeSet<(PathBuf, Fault)>> = Mutex::new(BTreeSet::new());

fn faults() -> MutexGuard<'static, BTreeSet<(PathBuf, Fault)>> {
    FAULTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on the journal in this directory meets a fault.
pub(crate) fn begin(directory: &Path, fault: Fault) {
    faults().insert((directory.to_owned(), fault));
}

/// It meets it no more.
pub(crate) fn end(directory: &Path, fault: Fault) {
    faults().remove(&(directory.to_owned(), fault));
}

/// Fails if a file's directory has this fault.
pub(super) fn meet(path: &Path, fault: Fault) -> io::Result<()> {
    let directory = path.parent().unwrap_or(path);
    if faults().contains(&(directory.to_owned(), fault)) {
        return Err(match fault {
            Fault::Append => io::ErrorKind::StorageFull.into(),
            Fault::Read(_) | Fault::Sync => io::Error::other("as the test wants"),
        });
    }
    Ok(())
}
