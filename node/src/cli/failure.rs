//! Why a command did not do what it was asked, and its exit code.

use std::fmt;
use std::io;

use hearsay_chain::StoreError;
use hearsay_chain::store::OpenErrorKind;
use thiserror::Error;

use crate::config::ConfigError;
use crate::genesis_file::GenesisFileError;
use crate::keyfile::KeyFileError;
use crate::rpc::{CallError, NodeUrl, RpcError};

/// Why a command failed. Each kind has its exit code.
#[derive(Debug, Error)]
pub enum Failure {
    /// Exit code 0: whoever read the output has seen enough.
    #[error("nobody reads the output any more")]
    NobodyReads,
    /// Exit code 1.
    #[error("{0}")]
    Failed(String),
    /// Exit code 2: the command cannot mean what it says.
    #[error("{0}")]
    Usage(String),
    /// Exit code 3.
    #[error("cannot reach a node at {url}: {cause}; is it running? --node names another one")]
    Unreachable {
        /// Where it was looked for.
        url: NodeUrl,
        /// What went wrong on the way.
        cause: String,
    },
    /// Exit code 4: the node does not take the transaction, or has it no longer.
    #[error("{0}")]
    Refused(String),
    /// Exit code 5.
    #[error("{0}")]
    TimedOut(String),
    /// Exit codes from 10 on: a node does not start on its data directory, and has changed nothing
    /// in it.
    #[error("{says}")]
    Data {
        /// Why not; each kind has its code.
        kind: OpenErrorKind,
        /// A sentence.
        says: String,
    },
}

impl Failure {
    /// The code that the process ends with.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Failure::NobodyReads => 0,
            Failure::Failed(_) => 1,
            Failure::Usage(_) => 2,
            Failure::Unreachable { .. } => 3,
            Failure::Refused(_) => 4,
            Failure::TimedOut(_) => 5,
            Failure::Data { kind, .. } => match kind {
                OpenErrorKind::Locked => 10,
                OpenErrorKind::Foreign => 11,
                OpenErrorKind::Damaged => 12,
                OpenErrorKind::Newer => 13,
                OpenErrorKind::OtherNetwork => 14,
                OpenErrorKind::Permission => 15,
                OpenErrorKind::ReadOnly => 16,
                OpenErrorKind::Full => 17,
                OpenErrorKind::Failed => 18,
                OpenErrorKind::Older => 19,
                OpenErrorKind::Missing => 20,
            },
        }
    }

    /// What ended a node, or kept it from starting.
    pub(super) fn of_run(error: &anyhow::Error) -> Self {
        let says = format!("{error:#}");
        match error.chain().find_map(kind_of) {
            Some(kind) => Failure::Data { kind, says },
            None => Failure::Failed(says),
        }
    }

    /// The failure as a line for stderr, empty if there is nothing to tell.
    pub(super) fn told(&self) -> impl fmt::Display + '_ {
        fmt::from_fn(move |f| match self {
            Failure::NobodyReads => Ok(()),
            told => write!(f, "error: {told}"),
        })
    }

    /// What a failed call to the node at `url` means for the command.
    pub(super) fn of_call(url: &NodeUrl, error: CallError) -> Self {
        match error {
            CallError::Node(RpcError::Rejected { reason, message }) => {
                Failure::Refused(format!("rejected ({reason}): {message}"))
            }
            CallError::Node(RpcError::Refused { reason, message }) => {
                Failure::Refused(format!("refused ({reason}): {message}"))
            }
            CallError::Node(
                error @ (RpcError::NotFound(_) | RpcError::Stopping | RpcError::Busy),
            ) => Failure::Failed(error.to_string()),
            CallError::Unreachable(cause) => Failure::Unreachable { url: url.clone(), cause },
            CallError::TimedOut => Failure::TimedOut(format!("{url}: {error}")),
            CallError::Protocol(says) => Failure::Failed(format!("{url}: {says}")),
        }
    }
}

/// What an error says of the data directory: of the chain's store in it, or of the node's key.
fn kind_of(error: &(dyn std::error::Error + 'static)) -> Option<OpenErrorKind> {
    if let Some(StoreError::Open { kind, .. }) = error.downcast_ref() {
        return Some(*kind);
    }
    let Some(KeyFileError::Io { source, .. }) = error.downcast_ref() else { return None };
    match source.kind() {
        io::ErrorKind::PermissionDenied => Some(OpenErrorKind::Permission),
        io::ErrorKind::ReadOnlyFilesystem => Some(OpenErrorKind::ReadOnly),
        io::ErrorKind::StorageFull => Some(OpenErrorKind::Full),
        _ => None,
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::NobodyReads,
            _ => Failure::Failed(format!("cannot write the output: {error}")),
        }
    }
}

impl From<KeyFileError> for Failure {
    fn from(error: KeyFileError) -> Self {
        match error {
            KeyFileError::Name(_) => Failure::Usage(error.to_string()),
            error => Failure::Failed(error.to_string()),
        }
    }
}

impl From<GenesisFileError> for Failure {
    fn from(error: GenesisFileError) -> Self {
        Failure::Failed(error.to_string())
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Failure::Usage(error.to_string())
    }
}
