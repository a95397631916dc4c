//! Opens a directory as a store, or says why not and leaves it as it was.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use rocksdb::DB;

use super::StoreError;
use super::rocks::look::{BECOMING, Found, OURS, look};
use super::rocks::meta::{Meta, SCHEMA};
use super::rocks::migrate::migrate;
use super::rocks::options::{self, Durability, RocksOptions, all_families};
use super::rocks::refusal::Refusal;
use crate::ids::GenesisId;

/// What stands in the file that marks a directory as ours, for whoever looks into it.
const MARK: &str = "This directory is the chain store of a Hearsay node. Its files belong together: \
                    copy or move all of them, while the node does not run.\n";

/// What RocksDB writes on opening besides the rows of its log: a manifest, its options, a new log.
/// They take well under 100 KiB; the rest is a margin.
const ROOM_TO_OPEN: u64 = 1 << 20;

/// The file that shows whether there is room to open; it is gone again at once.
const ROOM: &str = "HEARSAY.room";

/// Opens the store of a network at `path`. A directory that is not there is made, with those above
/// it, as a node's data directory usually is.
pub(super) fn open(
    path: &Path,
    genesis: GenesisId,
    options: RocksOptions,
) -> Result<DB, StoreError> {
    try_open(path, genesis, options).map_err(|refusal| refusal.at(path))
}

fn try_open(path: &Path, genesis: GenesisId, options: RocksOptions) -> Result<DB, Refusal> {
    // RocksDB tells by the text of a path whether this process has it open, and the system's lock
    // does not keep a process from itself: two spellings must become one before anything else.
    let path = &match fs::canonicalize(path) {
        Ok(path) => path,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return create(path, genesis, options);
        }
        Err(error) => return Err(error.into()),
    };
    match look(path, genesis, options)? {
        Found::Nothing => create(path, genesis, options),
        Found::Store(schema) => {
            refuse_without_room(path)?;
            let mut database = options::database(options);
            database.create_missing_column_families(schema < SCHEMA);
            let db = DB::open_cf_descriptors(&database, path, options::families(all_families()))?;
            migrate(&db, schema)?;
            Ok(db)
        }
    }
}

fn create(path: &Path, genesis: GenesisId, options: RocksOptions) -> Result<DB, Refusal> {
    let was_there = path.exists();
    fs::create_dir_all(path)?;
    let path = fs::canonicalize(path)?;
    let was_claimed = path.join(BECOMING).exists();
    if let Err(refusal) = claim(&path) {
        // Leave no trace of what has not begun. A directory that is no longer empty stays.
        if !was_claimed {
            let _ = fs::remove_file(path.join(BECOMING));
        }
        if !was_there {
            let _ = fs::remove_dir(&path);
        }
        return Err(refusal);
    }
    let mut database = options::database(options);
    database.create_if_missing(true);
    database.create_missing_column_families(true);
    let db = DB::open_cf_descriptors(&database, &path, options::families(all_families()))?;
    match Meta::read(&db)? {
        // Another process made it a store between our look and our lock, or we did and were
        // killed before we could say so.
        Some(meta) => drop(meta.check(genesis)?),
        None => {
            db.write_opt(Meta::first_batch(&db, genesis)?, &options::write(Durability::Synced))?
        }
    }
    mark(&path)?;
    if let Some(above) = path.parent() {
        // Ours to write does not mean that what is above is ours to read.
        let _ = sync_directory(above);
    }
    remove_if_there(&path.join(BECOMING))?;
    Ok(db)
}

/// Marks a directory as a store of ours.
pub(super) fn mark(path: &Path) -> Result<(), Refusal> {
    let mut mark = File::create(path.join(OURS))?;
    mark.write_all(MARK.as_bytes())?;
    mark.sync_all()?;
    sync_directory(path)
}

/// Marks a directory as one that becomes a store, before RocksDB writes to it.
fn claim(path: &Path) -> Result<(), Refusal> {
    File::create(path.join(BECOMING))?;
    refuse_without_room(path)?;
    sync_directory(path)
}

/// A directory's entries reach the disk with it.
fn sync_directory(path: &Path) -> Result<(), Refusal> {
    #[cfg(unix)]
    File::open(path)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Writes as much as opening will, and takes it away again: on a full disk, a read-only one or one
/// that is not ours to write, RocksDB would fail half-way and leave new files behind.
pub(super) fn refuse_without_room(path: &Path) -> Result<(), Refusal> {
    let mut bytes = ROOM_TO_OPEN;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        // The rows of the log become files of their own.
        if entry.path().extension().is_some_and(|extension| extension == "log") {
            bytes = bytes.saturating_add(entry.metadata()?.len());
        }
    }
    let room = path.join(ROOM);
    let written = write_zeros(&room, bytes);
    let removed = remove_if_there(&room);
    written?;
    removed
}

fn write_zeros(path: &Path, mut bytes: u64) -> io::Result<()> {
    let chunk = [0; 64 << 10];
    let mut file = File::create(path)?;
    while bytes > 0 {
        let part = usize::try_from(bytes).unwrap_or(usize::MAX).min(chunk.len());
        file.write_all(&chunk[..part])?;
        bytes -= part as u64;
    }
    Ok(())
}

fn remove_if_there(path: &Path) -> Result<(), Refusal> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
