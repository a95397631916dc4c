//! Going on after a full disk.
//!
//! RocksDB takes no commit once a write has failed, and what the failed one left at the end of its
//! log may be a part of it, all of it or nothing. Opening again settles that: a commit that is whole
//! in the log has happened, one that is not is dropped. So the database is closed and opened, as by
//! a restart of the node; what it reads back is bounded by the size of the log.

use std::sync::Arc;

use super::RocksStore;
use crate::store::rocks_open::{open, refuse_without_room};
use crate::store::{OpenErrorKind, StoreError};

impl RocksStore {
    /// Opens the database again if there is room to.
    ///
    /// While there is none it stays open, so that it can be read.
    pub(super) fn open_again(&mut self) -> Result<(), StoreError> {
        refuse_without_room(&self.path).map_err(|refusal| full(refusal.at(&self.path)))?;
        let (path, genesis, options) = (self.path.clone(), self.genesis, self.options);
        let old = &mut self.db;
        let db = self.snapshots.clone().point_to(|| {
            if let Some(db) = old.take() {
                // Closing is what releases the lock, and happens with the last owner.
                Arc::try_unwrap(db).map(drop).map_err(|db| {
                    *old = Some(db);
                    StoreError::Full("the store is being read; it is tried again".to_owned())
                })?;
            }
            open(&path, genesis, options).map(Arc::new).map_err(full)
        })?;
        self.db = Some(db);
        Ok(())
    }
}

/// A disk that is still full is to be waited for; whatever else is wrong is not.
fn full(error: StoreError) -> StoreError {
    match error {
        StoreError::Open { kind: OpenErrorKind::Full, why, .. } => StoreError::Full(why),
        other => other,
    }
}
