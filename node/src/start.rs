//! Starting a new node from a snapshot: copied, verified in full, and only then put into place.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use hearsay_chain::audit::{self, Audit, Progress, audit};
use hearsay_chain::store::{RocksStore, StoreError};
use hearsay_chain::{Rules, Store};
use thiserror::Error;

use crate::run::{store_options, store_path};

/// Why a node does not start from a snapshot. Its data directory is as it was.
#[derive(Debug, Error)]
pub enum StartError {
    /// There is a store already.
    #[error(
        "{} holds a chain already, and a snapshot is only for a new node: leave --snapshot out, or \
         name another --data-dir",
        .0.display()
    )]
    NotNew(PathBuf),
    /// The snapshot is damaged or was tampered with.
    #[error(
        "the snapshot {} is not sound: {count} findings, the first is: {first}; take another one",
        .path.display()
    )]
    Unsound {
        /// The snapshot.
        path: PathBuf,
        /// How many findings there are.
        count: u64,
        /// The first of them.
        first: String,
    },
    /// The snapshot cannot be opened.
    #[error("the snapshot cannot be used: {0}")]
    Store(#[from] StoreError),
    /// Files cannot be copied.
    #[error("cannot copy the snapshot to {}: {source}", .path.display())]
    Copy {
        /// Where to.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Copies a snapshot into a new data directory, audits the copy in full, and puts it into place in
/// one step: a crash leaves a whole store or none.
///
/// # Errors
/// A directory that has a store already, a snapshot of another network or with findings, or a disk
/// that does not take it.
pub fn from_snapshot(
    snapshot: &Path,
    data_dir: &Path,
    rules: &Rules,
    progress: &mut dyn FnMut(Progress),
) -> Result<Audit, StartError> {
    let place = store_path(data_dir);
    if fs::read_dir(&place).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(StartError::NotNew(place));
    }
    // What another network's or no snapshot at all is costs no copy.
    drop(RocksStore::open_read_only(snapshot, rules.id(), store_options())?);
    let copy = data_dir.join("chain.from-snapshot");
    let was_there = data_dir.exists();
    let copied = copy_store(snapshot, &copy)
        .map_err(|source| StartError::Copy { path: copy.clone(), source })
        .and_then(|()| check(snapshot, &copy, rules, progress))
        .and_then(|audit| {
            put_into_place(&copy, &place, data_dir)
                .map(|()| audit)
                .map_err(|source| StartError::Copy { path: place, source })
        });
    if copied.is_err() {
        // Ours alone; a next try would clear it as well.
        let _ = fs::remove_dir_all(&copy);
        if !was_there {
            let _ = fs::remove_dir(data_dir);
        }
    }
    copied
}

/// The copy is audited, not the original: so what was checked is what will be used.
fn check(
    snapshot: &Path,
    copy: &Path,
    rules: &Rules,
    progress: &mut dyn FnMut(Progress),
) -> Result<Audit, StartError> {
    let store = RocksStore::open_read_only(copy, rules.id(), store_options())?;
    debug_assert_eq!(store.genesis(), rules.id());
    let audit = audit(&store, rules, audit::Options::default(), progress)?;
    match audit.findings.first() {
        None => Ok(audit),
        Some(first) => Err(StartError::Unsound {
            path: snapshot.to_owned(),
            count: audit.findings_total,
            first: first.to_string(),
        }),
    }
}

fn copy_store(from: &Path, to: &Path) -> io::Result<()> {
    match fs::remove_dir_all(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        // Left behind by a node that was killed while it copied.
        _ => fs::create_dir_all(to)?,
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        // RocksDB's lock belongs to the directory it is in.
        if entry.file_name() == "LOCK" {
            continue;
        }
        let target = to.join(entry.file_name());
        fs::copy(entry.path(), &target)?;
        File::open(&target)?.sync_all()?;
    }
    File::open(to)?.sync_all()
}

fn put_into_place(copy: &Path, place: &Path, data_dir: &Path) -> io::Result<()> {
    // An empty directory gives way, any other does not.
    fs::rename(copy, place)?;
    File::open(data_dir)?.sync_all()
}
