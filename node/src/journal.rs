//! The journal of the pool: what waits for a block survives a restart, in order or by `kill -9`.
//!
//! A file in the node's data directory to which each change of the pool is appended. A thread of its
//! own writes it: each change within a fifth of a second, and about a second later it asks the disk
//! to keep it. Nobody waits for that thread. What it holds is checked again like any transaction
//! when a node starts.

mod aside;
mod compaction;
mod crc;
mod desk;
mod disk;
#[cfg(test)]
pub(crate) mod faults;
mod feed;
mod format;
mod keeper;
mod live;
mod load;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use hearsay_chain::GenesisId;
use tokio::sync::{mpsc, oneshot};
use tracing::warn;

use crate::engine::{Kept, Restored};
use crate::metrics::Metrics;
use desk::{Desk, Note};
use keeper::Keeper;
use load::Unusable;

/// The journal's name in a data directory.
pub const FILE_NAME: &str = "mempool.journal";

/// Batches of restored transactions that may wait for the engine.
const FEED_QUEUE: usize = 2;

/// A node's end of its journal. Dropping it, or [`Journal::close`], writes out what is left.
#[derive(Debug)]
pub struct Journal {
    desk: Arc<Desk>,
    closed: Option<oneshot::Receiver<()>>,
}

/// Leaves a journal as it is, whoever holds it: what has not reached the file is lost.
#[derive(Clone, Debug)]
pub struct Abandon(Arc<Desk>);

/// What a journal held, in batches, those that came first before the others.
pub type Restoring = mpsc::Receiver<Vec<Restored>>;

impl Journal {
    /// Opens the journal in a data directory, or makes one, and begins to read what it holds. What is
    /// wrong with it is said in the node's log; the node then goes without.
    ///
    /// # Errors
    /// No thread to be had.
    pub fn start(
        data_dir: &Path,
        genesis: GenesisId,
        metrics: Arc<Metrics>,
    ) -> io::Result<(Self, Restoring)> {
        let (desk, path) = (Arc::<Desk>::default(), data_dir.join(FILE_NAME));
        let (feed, restoring) = mpsc::channel(FEED_QUEUE);
        let (gone, closed) = oneshot::channel::<()>();
        let end = End { desk: Arc::clone(&desk), _gone: gone };
        thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || keep(path, genesis, &end, feed, metrics))?;
        Ok((Self { desk, closed: Some(closed) }, restoring))
    }

    /// Keeps a change of the pool. Never waits for a disk.
    pub fn keep(&self, kept: Kept) {
        self.desk.put(Note::Kept(kept));
    }

    /// All that it held has come back, or will not: what did not may go.
    pub fn restored(&self) {
        self.desk.put(Note::Restored);
    }

    /// The number under which it asks for all that the pool holds, as it has missed something; 0 if it
    /// never did. It is told by [`Journal::keep`] and then [`Journal::complete`].
    #[must_use]
    pub fn wanted(&self) -> u64 {
        self.desk.wanted()
    }

    /// Whether what is not urgent had better wait.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.desk.is_busy()
    }

    /// All that the pool holds has been told since it was asked for.
    pub fn complete(&self, number: u64) {
        self.desk.put(Note::Complete(number));
    }

    /// The means to leave it as it is, and what is done once its file is closed. Whoever asks a second
    /// time finds that done already.
    #[must_use]
    pub fn abandon(&mut self) -> (Abandon, oneshot::Receiver<()>) {
        let closed = self.closed.take().unwrap_or_else(|| oneshot::channel().1);
        (Abandon(Arc::clone(&self.desk)), closed)
    }

    /// Waits until all that was kept so far is written, or was refused by a disk that was tried anew;
    /// then [`Journal::wanted`] says whether something is missing.
    pub fn settle(&self) {
        self.desk.settle();
    }

    /// Waits until not much waits to be written.
    pub fn wait_until_calm(&self) {
        self.desk.wait_until_calm();
    }

    /// Writes out what is left, and waits until the disk has it.
    pub fn close(self) {
        self.desk.close();
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.desk.close();
    }
}

impl Abandon {
    /// From now on nothing more is written.
    pub fn now(&self) {
        self.0.abandon();
    }
}

/// However the thread ends, those who wait for it are told.
struct End {
    desk: Arc<Desk>,
    _gone: oneshot::Sender<()>,
}

impl Drop for End {
    fn drop(&mut self) {
        self.desk.end();
    }
}

fn keep(
    path: PathBuf,
    genesis: GenesisId,
    end: &End,
    feed: mpsc::Sender<Vec<Restored>>,
    metrics: Arc<Metrics>,
) {
    let is_full = |error: &io::Error| {
        matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    };
    let (mut loaded, mut refused) = (None, None);
    match load::load(&path, genesis) {
        Ok(found) => loaded = Some(found),
        Err(Unusable::Io(error)) if is_full(&error) => refused = Some(error),
        Err(unusable) => {
            warn!(
                "the journal of waiting transactions {} cannot be used ({unusable}): the node goes \
                 without, and what waits does not survive a restart",
                path.display()
            );
            return;
        }
    }
    let fed = loaded.as_mut().map_or(Ok(()), |loaded| {
        feed::start(Arc::clone(&loaded.disk.file), std::mem::take(&mut loaded.places), feed)
    });
    if let Err(error) = fed {
        warn!(%error, "what waited before the restart stays in its journal: no thread to be had");
        return;
    }
    let mut keeper = Keeper::new(&path, genesis, loaded, Arc::clone(&end.desk), metrics);
    if let Some(error) = refused {
        keeper.stop(&error);
    }
    keeper.run();
}

#[cfg(test)]
mod tests;
