//! Why a directory is not opened, in one sentence each: what it is, and what to do.

use std::io;
use std::path::Path;

use rocksdb::ErrorKind;
use thiserror::Error;

use crate::ids::GenesisId;
use crate::store::{OpenErrorKind, StoreError};

/// A directory that cannot be opened as a store.
#[derive(Debug, Error)]
pub(in crate::store) enum Refusal {
    #[error(
        "the store is open already, in this process or another one: stop the other node, or give \
         this one a directory of its own"
    )]
    Locked,
    #[error("it is not a directory: name one, or a path where none is yet")]
    NotADirectory,
    #[error(
        "the directory holds files that are not a Hearsay store (such as {example:?}): name an \
         empty or new directory"
    )]
    Foreign { example: String },
    #[error(
        "the directory holds a RocksDB database that is not a Hearsay store: name an empty or new \
         directory"
    )]
    ForeignDatabase,
    #[error(
        "the store is damaged ({0}): restore it from a copy, or move it away and start with an \
         empty directory, which fills from other nodes"
    )]
    Damaged(String),
    #[error(
        "permission denied ({0}): let this user read and write the directory and all files in it"
    )]
    Permission(String),
    #[error("the disk is full ({0}): free some space and start again")]
    Full(String),
    #[error("the file system is mounted read-only ({0}): mount it for writing")]
    ReadOnly(String),
    #[error(
        "the store has schema {found}, and this program knows schemas up to {known}: use a newer \
         program, or name another directory"
    )]
    Newer { found: u32, known: u32 },
    #[error(
        "the store has schema {found}, and reading needs schema {known}: start a node on it once, \
         which brings it up to date"
    )]
    Older { found: u32, known: u32 },
    #[error("there is no store here: name the directory of one")]
    NoStore,
    #[error(
        "the store is of network {found}, and this node is of network {expected}: start it with \
         that network's genesis, or name another directory"
    )]
    OtherNetwork { found: GenesisId, expected: GenesisId },
    #[error("the disk failed ({0}): see whether it is healthy and start again")]
    Failed(String),
}

impl Refusal {
    /// The error of the store for a path.
    pub(in crate::store) fn at(self, path: &Path) -> StoreError {
        let kind = self.kind();
        StoreError::Open { path: path.display().to_string(), kind, why: self.to_string() }
    }

    fn kind(&self) -> OpenErrorKind {
        match self {
            Self::Locked => OpenErrorKind::Locked,
            Self::NotADirectory | Self::Foreign { .. } | Self::ForeignDatabase => {
                OpenErrorKind::Foreign
            }
            Self::Damaged(_) => OpenErrorKind::Damaged,
            Self::Permission(_) => OpenErrorKind::Permission,
            Self::Full(_) => OpenErrorKind::Full,
            Self::ReadOnly(_) => OpenErrorKind::ReadOnly,
            Self::Newer { .. } => OpenErrorKind::Newer,
            Self::OtherNetwork { .. } => OpenErrorKind::OtherNetwork,
            Self::Failed(_) => OpenErrorKind::Failed,
            Self::Older { .. } => OpenErrorKind::Older,
            Self::NoStore => OpenErrorKind::Missing,
        }
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        let text = error.to_string();
        match error.kind() {
            io::ErrorKind::PermissionDenied => Self::Permission(text),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(text),
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly(text),
            io::ErrorKind::NotADirectory => Self::NotADirectory,
            _ => Self::Failed(text),
        }
    }
}

impl From<rocksdb::Error> for Refusal {
    /// RocksDB gives a text: a kind, what it did, and the system's words for what went wrong
    /// (those of the C locale, as nothing here sets another).
    fn from(error: rocksdb::Error) -> Self {
        let kind = error.kind();
        let text = error.into_string();
        let says = |part: &str| text.contains(part);
        let lock_is_held = says("lock hold by current process")
            || (says("While lock file")
                && (says("Resource temporarily unavailable") || says("Permission denied")));
        if lock_is_held {
            Self::Locked
        } else if says("No space left on device") || says("Disk quota exceeded") {
            Self::Full(text)
        } else if says("Permission denied") || says("Operation not permitted") {
            Self::Permission(text)
        } else if says("Read-only file system") {
            Self::ReadOnly(text)
        } else if kind == ErrorKind::Corruption || says("No such file or directory") {
            Self::Damaged(text)
        } else {
            Self::Failed(text)
        }
    }
}
