//! Nodes inside a process: as many as wanted, each with engine, pool, store and real libp2p.
//!
//! They are put together by the same functions as `hearsay run`, without its RPC and its signals;
//! whoever embeds a node asks it through its [`Handle`].

use hearsay_chain::{Genesis, Keypair};

use crate::config::Settings;
use crate::handle::Handle;

/// What many nodes of one process share: the threads that check signatures, the one that writes
/// logs, and the one that measures how late things come to run. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Shared {}

impl Shared {
    /// Starts the threads.
    ///
    /// # Errors
    /// No threads to be had.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self {})
    }
}

/// How a node came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was told to stop, and did.
    Stopped,
    /// It was killed.
    Killed,
    /// It ended by itself: why, as a sentence.
    Failed(String),
}

/// A node that runs in this process.
#[derive(Debug)]
pub struct Embedded {
    handle: Handle,
}

impl Embedded {
    /// Starts a node with the keys given rather than those its settings name. Returns once it listens
    /// everywhere it should and its store is open. No RPC is served, and no signal heeded.
    ///
    /// # Errors
    /// Anything that keeps it from starting: one sentence that says what to do.
    pub async fn start(
        settings: Settings,
        genesis: Genesis,
        node_key: Keypair,
        authority: Option<Keypair>,
        shared: &Shared,
    ) -> anyhow::Result<Self> {
        let _ = (settings, genesis, node_key, authority, shared);
        anyhow::bail!("embedded nodes cannot be started yet")
    }

    /// Asks the node.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Its libp2p peer id.
    #[must_use]
    pub fn peer(&self) -> &str {
        ""
    }

    /// The addresses it listens on, ports resolved.
    #[must_use]
    pub fn listen(&self) -> &[String] {
        &[]
    }

    /// Stops the node in order: its log is whole and ends with a `stop` line.
    ///
    /// # Errors
    /// Why it could not, or had ended before.
    pub async fn stop(self) -> anyhow::Result<()> {
        Ok(())
    }

    /// Ends the node at once, as `kill -9` ends a process: nobody is told, and nothing reaches the
    /// disk but what has. Its files are free again once [`Embedded::ended`] says so.
    pub fn kill(&self) {}

    /// Waits until the node has ended, by itself or not, and says how.
    pub async fn ended(&self) -> Ended {
        Ended::Killed
    }
}
