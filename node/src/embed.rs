//! Nodes inside a process: as many as wanted, each with engine, pool, store and real libp2p.
//!
//! They are put together by the same functions as `hearsay run`, without its RPC and its signals;
//! whoever embeds a node asks it through its [`Handle`]. What a process needs once, however many
//! nodes it has, is [`Shared`] among them.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::anyhow;
use hearsay_chain::{Genesis, Keypair};
use tokio::runtime::Runtime;
use tokio::sync::{oneshot, watch};
use tokio::task::{AbortHandle, JoinError};

use crate::assembly::{self, Abandon, Listening, Means, Ready};
use crate::checkers::CheckerThreads;
use crate::config::Settings;
use crate::driver::{Fatal, Identity};
use crate::handle::Handle;
use crate::lag::{LagReader, Sampler};
use crate::trace::writer::Writer;

/// How often an embedded node looks whether its disks have room. Nobody asks for its `/health`, and
/// what does not fit is waited for in any case; so seldom, as there may be hundreds.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What many nodes of one process share: the threads that check signatures, the one that writes
/// logs, and the one that measures how late things come to run. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Shared(Arc<Threads>);

#[derive(Debug)]
struct Threads {
    checkers: CheckerThreads,
    writer: Writer,
    /// Starts with the first node that is in the lab.
    sampler: Mutex<Option<Sampler>>,
}

impl Shared {
    /// Starts the threads. They end with the last clone and the last node that uses them.
    ///
    /// # Errors
    /// No threads to be had.
    pub fn new() -> io::Result<Self> {
        let (checkers, writer) = (CheckerThreads::start()?, Writer::start()?);
        Ok(Self(Arc::new(Threads { checkers, writer, sampler: Mutex::default() })))
    }

    /// Reads how late things come to run on the runtime that the nodes share, from now on.
    ///
    /// # Errors
    /// No thread to be had.
    pub fn lag(&self) -> io::Result<LagReader> {
        let mut sampler = self.0.sampler.lock().unwrap_or_else(PoisonError::into_inner);
        match &*sampler {
            Some(sampler) => Ok(sampler.reader()),
            None => Ok(sampler.insert(Sampler::start()?).reader()),
        }
    }

    /// What one more node works with. The lag is that of the runtime of the first node in the lab.
    pub(crate) fn means(&self, in_lab: bool, look_every: Duration) -> io::Result<Means> {
        let Threads { checkers, writer, .. } = &*self.0;
        let lag = in_lab.then(|| self.lag()).transpose()?;
        Ok(Means {
            checkers: checkers.clone(),
            writer: writer.clone(),
            lag,
            look_every,
            alone: false,
        })
    }
}

/// A runtime that suits many nodes: a thread for each processor, and more for what waits for disks.
///
/// # Errors
/// No threads to be had.
pub fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().thread_name("nodes").enable_all().build()
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

/// A node that runs in this process. Dropping it stops it in order, but nobody waits for that.
#[derive(Debug)]
pub struct Embedded {
    handle: Handle,
    identity: Identity,
    stop: oneshot::Sender<String>,
    ended: watch::Receiver<Option<Ended>>,
    abandon: Arc<Abandon>,
    tasks: [AbortHandle; 2],
}

impl Embedded {
    /// Starts a node with the keys given rather than those its settings name. Returns once it listens
    /// everywhere it should and its store is open. No RPC is served, and no signal heeded.
    ///
    /// The runtime should have several threads: on one thread, a store on disk holds up every other
    /// node whenever it commits.
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
        settings.check()?;
        let means = shared.means(settings.lab.is_some(), LOOK_EVERY)?;
        let listening = Listening::start(settings, genesis, &node_key, authority).await?;
        let handle = listening.handle().clone();
        let opened = tokio::task::spawn_blocking(move || listening.open_store()).await??;
        let identity = opened.identity().clone();
        let Ready { driver, network, abandon, closed } = opened.begin(means)?;
        let (stop, stopped) = oneshot::channel();
        let network_task = network.abort_handle();
        let run = tokio::spawn(async move {
            let stopped = async { stopped.await.unwrap_or_else(|_| "nobody holds it".to_owned()) };
            let ended = driver.run(stopped).await;
            assembly::close(network).await;
            ended
        });
        let tasks = [run.abort_handle(), network_task.clone()];
        let (tell, ended) = watch::channel(None);
        tokio::spawn(async move {
            let how = how_it_ended(run.await);
            network_task.abort();
            while !network_task.is_finished() {
                // Its port is free only then.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            closed.wait().await;
            // There may be nobody who wants to know.
            let _ = tell.send(Some(how));
        });
        Ok(Self { handle, identity, stop, ended, abandon: Arc::new(abandon), tasks })
    }

    /// Asks the node.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Its name in logs.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.identity.name
    }

    /// Its libp2p peer id.
    #[must_use]
    pub fn peer(&self) -> &str {
        &self.identity.peer
    }

    /// The addresses it listens on, ports resolved.
    #[must_use]
    pub fn listen(&self) -> &[String] {
        &self.identity.listen
    }

    /// Stops the node in order: its log is whole and ends with a `stop` line.
    ///
    /// # Errors
    /// Why it could not, or had ended before.
    pub async fn stop(self) -> anyhow::Result<()> {
        // If it has ended, it is not there to be told; what came of it is told below.
        let _ = self.stop.send("told to".to_owned());
        match wait(self.ended).await {
            Ended::Stopped => Ok(()),
            Ended::Killed => Err(anyhow!("the node was killed")),
            Ended::Failed(why) => Err(anyhow!(why)),
        }
    }

    /// Ends the node at once, as `kill -9` ends a process: nobody is told, and nothing reaches the
    /// disk but what has. Its files are free again once [`Embedded::ended`] says so.
    pub fn kill(&self) {
        self.killer().kill();
    }

    /// Kills the node whoever holds it by then, and be it one that is being stopped.
    #[must_use]
    pub fn killer(&self) -> Killer {
        Killer { abandon: Arc::clone(&self.abandon), tasks: self.tasks.clone() }
    }

    /// Waits until the node has ended, by itself or not, and says how. Its store and its log are closed
    /// then.
    pub async fn ended(&self) -> Ended {
        wait(self.ended.clone()).await
    }
}

/// Ends a node at once.
#[derive(Clone, Debug)]
pub struct Killer {
    abandon: Arc<Abandon>,
    tasks: [AbortHandle; 2],
}

impl Killer {
    /// Ends it as [`Embedded::kill`] does.
    pub fn kill(&self) {
        self.abandon.now();
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

async fn wait(mut ended: watch::Receiver<Option<Ended>>) -> Ended {
    let told = ended.wait_for(Option::is_some).await.ok().and_then(|ended| ended.clone());
    // Nobody tells any more when the runtime itself has gone.
    told.unwrap_or(Ended::Killed)
}

fn how_it_ended(run: Result<Result<String, Fatal>, JoinError>) -> Ended {
    match run {
        Ok(Ok(_)) => Ended::Stopped,
        Ok(Err(fatal)) => Ended::Failed(fatal.to_string()),
        Err(error) if error.is_cancelled() => Ended::Killed,
        Err(error) => Ended::Failed(format!("it panicked: {error}")),
    }
}

#[cfg(test)]
#[path = "embed_tests.rs"]
mod tests;
