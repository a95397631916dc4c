//! Snapshots of the store of a running node: who may ask for one, and where it goes.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use hearsay_chain::StoreError;
use hearsay_chain::store::Snapshots;
use thiserror::Error;
use tokio::sync::Semaphore;

use crate::api::SnapshotView;

/// The longest name of a snapshot: below what every file system takes.
const MAX_NAME: usize = 100;

/// Why no snapshot was taken.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// The name could lead elsewhere, or cannot be typed.
    #[error(
        "{0:?} is no name for a snapshot: use 1 to {MAX_NAME} letters, digits, `-`, `_` and `.`, and \
         no `.` at the beginning"
    )]
    Name(String),
    /// The node is still starting.
    #[error("the store is not open yet; ask again in a moment")]
    NotOpen,
    /// There is no store on disk.
    #[error("this node keeps its chain in memory, so there is nothing to take a snapshot of")]
    InMemory,
    /// Another one is being taken.
    #[error("another snapshot is being taken; ask again when it is done")]
    Busy,
    /// The directory of snapshots cannot be made.
    #[error("{}: {source}; let the node write there", .path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The store could not.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The thread that took it ended.
    #[error("the snapshot was cut short; ask again")]
    CutShort,
}

impl SnapshotError {
    /// Why, as a stable word.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            SnapshotError::Name(_) => "bad-name",
            SnapshotError::NotOpen => "not-open",
            SnapshotError::InMemory => "in-memory",
            SnapshotError::Busy => "snapshot-busy",
            SnapshotError::Directory { .. } | SnapshotError::Store(_) | SnapshotError::CutShort => {
                "snapshot-failed"
            }
        }
    }
}

/// Takes snapshots of a node's store, one at a time, below its data directory. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SnapshotDesk {
    /// None for a store in memory.
    open: Arc<OnceLock<Option<(Snapshots, PathBuf)>>>,
    one_at_a_time: Arc<Semaphore>,
}

impl Default for SnapshotDesk {
    /// Closed until the store is open.
    fn default() -> Self {
        Self { open: Arc::default(), one_at_a_time: Arc::new(Semaphore::new(1)) }
    }
}

impl SnapshotDesk {
    /// From now on snapshots of a store can be asked for.
    pub fn open(&self, snapshots: Snapshots, data_dir: &Path) {
        // A node has one store; a second call would be the same.
        let _ = self.open.set(Some((snapshots, data_dir.to_owned())));
    }

    /// There never will be a store on disk.
    pub fn close(&self) {
        let _ = self.open.set(None);
    }

    /// Takes a snapshot, on a thread of its own: the engine goes on meanwhile. It goes on as well
    /// when nobody waits for it any more.
    ///
    /// # Errors
    /// A name that is none, one that is taken, or a disk that does not take it.
    pub async fn take(&self, name: String) -> Result<SnapshotView, SnapshotError> {
        if !is_name(&name) {
            return Err(SnapshotError::Name(name.chars().take(MAX_NAME).collect()));
        }
        let open = self.open.get().ok_or(SnapshotError::NotOpen)?;
        let (snapshots, data_dir) = open.clone().ok_or(SnapshotError::InMemory)?;
        let permit = Arc::clone(&self.one_at_a_time);
        let permit = permit.try_acquire_owned().map_err(|_| SnapshotError::Busy)?;
        let taken = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            take_into(&snapshots, &directory(&data_dir), &name)
        });
        taken.await.map_err(|_| SnapshotError::CutShort)?
    }
}

/// Where the snapshots of a node are.
#[must_use]
pub fn directory(data_dir: &Path) -> PathBuf {
    data_dir.join("snapshots")
}

/// Takes a snapshot into a new directory below `directory`, which is made if it is missing.
///
/// # Errors
/// As [`SnapshotDesk::take`].
pub fn take_into(
    snapshots: &Snapshots,
    directory: &Path,
    name: &str,
) -> Result<SnapshotView, SnapshotError> {
    let fault = |source| SnapshotError::Directory { path: directory.to_owned(), source };
    std::fs::create_dir_all(directory).map_err(fault)?;
    let path = std::fs::canonicalize(directory).map_err(fault)?.join(name);
    let taken = snapshots.take(&path)?;
    let path = path.display().to_string();
    Ok(SnapshotView { path, bytes: taken.bytes, files: taken.files })
}

/// Whether a word can name a snapshot: it leads nowhere else, and needs no quotes.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let known = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    (1..=MAX_NAME).contains(&name.len()) && !name.starts_with('.') && name.chars().all(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_else() {
        for name in ["a", "2026-11-23", "before_upgrade.2", &"x".repeat(MAX_NAME)] {
            assert!(is_name(name), "{name}");
        }
        let long = "x".repeat(MAX_NAME + 1);
        for name in ["", ".", "..", ".a", "a/b", "../a", "/a", "a b", "ä", "a\0", "a\\b", &long] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[tokio::test]
    async fn a_node_whose_store_is_not_open_says_so() {
        let desk = SnapshotDesk::default();
        let error = desk.take("a".to_owned()).await.unwrap_err();
        assert_eq!((error.reason(), desk.one_at_a_time.available_permits()), ("not-open", 1));
        assert_eq!(desk.take("../a".to_owned()).await.unwrap_err().reason(), "bad-name");
        desk.close();
        assert_eq!(desk.take("a".to_owned()).await.unwrap_err().reason(), "in-memory");
    }
}
