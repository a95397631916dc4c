//! The side of the verbs.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use super::protocol::{Ask, Reply};
use super::{LONGEST, socket_in};

/// Why a question has no answer.
#[derive(Debug, Error)]
pub enum ControlError {
    /// Nobody is there.
    #[error("no testnet runs in {}; start one with `hearsay-testnet up --out DIR`", .0.display())]
    NotUp(PathBuf),
    /// It ended meanwhile.
    #[error("the testnet in {} ended before it answered: {source}", .dir.display())]
    Lost {
        /// Its folder.
        dir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It said no.
    #[error("{0}")]
    Refused(String),
}

/// Asks the testnet in `dir`, and waits for its answer however long what was asked takes.
///
/// # Errors
/// No testnet runs there, it ended, or it refused.
pub async fn ask(dir: &Path, ask: &Ask) -> Result<Reply, ControlError> {
    let Some(stream) = connect(dir).await else { return Err(ControlError::NotUp(dir.to_owned())) };
    let lost = |source| ControlError::Lost { dir: dir.to_owned(), source };
    match exchange(stream, ask).await.map_err(lost)? {
        Reply::Refused { why } => Err(ControlError::Refused(why)),
        reply => Ok(reply),
    }
}

/// Whether a testnet runs in `dir`.
pub async fn is_up(dir: &Path) -> bool {
    connect(dir).await.is_some()
}

async fn connect(dir: &Path) -> Option<UnixStream> {
    let (_handle, path) = socket_in(dir).ok()?;
    UnixStream::connect(path).await.ok()
}

async fn exchange(stream: UnixStream, ask: &Ask) -> io::Result<Reply> {
    let mut stream = BufReader::new(stream);
    let mut line = serde_json::to_string(ask)?;
    line.push('\n');
    stream.write_all(line.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(LONGEST).read_line(&mut answer).await?;
    if answer.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_str(&answer)?)
}
