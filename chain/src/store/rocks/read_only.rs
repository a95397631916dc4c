//! Opening a store to look into it alone: no byte of its directory changes.

use std::fs;
use std::io;
use std::path::Path;

use super::RocksStore;
use super::look::{Found, LOCK, look, read_only, refuse_locked};
use super::meta::SCHEMA;
use super::options::{self, RocksOptions, all_families};
use super::refusal::Refusal;
use crate::ids::GenesisId;
use crate::store::StoreError;

impl RocksStore {
    /// Opens a store to read from it. Committing to it fails. What its log holds is read into
    /// memory, which takes as much as the log.
    ///
    /// No lock is held afterwards: a node that starts on the directory meanwhile may take files away
    /// from under the reader, which then fails.
    ///
    /// # Errors
    /// As [`RocksStore::open`]; and a directory without a store, or of an older schema.
    pub fn open_read_only(
        path: impl AsRef<Path>,
        genesis: GenesisId,
        options: RocksOptions,
    ) -> Result<Self, StoreError> {
        let path = path.as_ref();
        try_open(path, genesis, options).map_err(|refusal| refusal.at(path))
    }

    /// Whether a node, or another program, has the store at `path` open.
    #[must_use]
    pub fn is_open_elsewhere(path: impl AsRef<Path>) -> bool {
        let path = path.as_ref();
        path.join(LOCK).exists() && matches!(refuse_locked(path), Err(Refusal::Locked))
    }
}

fn try_open(path: &Path, genesis: GenesisId, options: RocksOptions) -> Result<RocksStore, Refusal> {
    // One spelling of a path, as where a store is opened for writing.
    let path = fs::canonicalize(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Refusal::NoStore,
        _ => error.into(),
    })?;
    match look(&path, genesis, options)? {
        Found::Nothing => Err(Refusal::NoStore),
        Found::Store(SCHEMA) => {
            let db = read_only(&path, all_families(), &options::database(options))?;
            Ok(RocksStore::with(db, &path, genesis, options))
        }
        Found::Store(found) => Err(Refusal::Older { found, known: SCHEMA }),
    }
}
