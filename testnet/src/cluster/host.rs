//! What a node runs in: a process of its own, or this one. Either is started, told to stop, killed and
//! watched in the same way.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hearsay_node::embed::{Embedded, Ended};
use hearsay_node::handle::Handle;
use rustix::process::Signal;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::process::Process;

/// How long a node that was told to stop may take before it is killed: the node itself waits two
/// seconds for its connections to close, and writes its log out.
const STOPPING: Duration = Duration::from_secs(8);

/// Orders that may wait for an embedded node: one to stop and one to be killed.
const ORDERS: usize = 2;

/// How a node came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Its process ended.
    Process(ExitStatus),
    /// The node in this process ended.
    Embedded(Ended),
}

impl End {
    /// Whether a node that was told to stop ended as it should. A process that had not come so far as
    /// to listen for signals yet is ended by the signal itself, and had nothing to put in order.
    #[must_use]
    pub fn in_order(&self) -> bool {
        match self {
            End::Process(status) => {
                status.success() || status.signal() == Some(Signal::TERM.as_raw())
            }
            End::Embedded(ended) => *ended == Ended::Stopped,
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Process(status) => status.fmt(f),
            End::Embedded(Ended::Stopped) => f.write_str("it stopped"),
            End::Embedded(Ended::Killed) => f.write_str("it was killed"),
            End::Embedded(Ended::Failed(why)) => f.write_str(why),
        }
    }
}

/// The end of a node that nobody had asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// The number of the node.
    pub node: usize,
    /// Which of its lives, from 1.
    pub life: u64,
    /// How it ended.
    pub end: End,
}

/// A node that runs, or has run.
#[derive(Debug)]
pub(super) struct Host {
    kind: Kind,
    /// Whether its end was asked for, so that it is no news.
    asked: Arc<AtomicBool>,
}

#[derive(Debug)]
enum Kind {
    /// In a process of its own.
    Process(Process),
    /// In this process.
    Embedded(Inside),
}

/// A node in this process, with the task that watches it.
#[derive(Debug)]
struct Inside {
    orders: mpsc::Sender<Order>,
    ended: watch::Receiver<Option<Ended>>,
}

/// What the task is told.
#[derive(Clone, Copy, Debug)]
enum Order {
    Stop,
    Kill,
}

impl Host {
    /// Starts a process; an end that nobody asked for is told to `exits`.
    ///
    /// # Errors
    /// It cannot be started.
    pub(super) fn process(
        command: Command,
        (node, life): (usize, u64),
        exits: mpsc::UnboundedSender<Exit>,
    ) -> std::io::Result<Self> {
        let asked = Arc::<AtomicBool>::default();
        let news = Arc::clone(&asked);
        let process = Process::start(command, move |status| {
            if !news.load(Ordering::SeqCst) {
                // Nobody listens any more once the nodes are being stopped.
                let _ = exits.send(Exit { node, life, end: End::Process(status) });
            }
        })?;
        Ok(Self { kind: Kind::Process(process), asked })
    }

    /// Watches a node that was started in this process. Its handle is in `handle` while it runs.
    pub(super) fn embedded(
        embedded: Embedded,
        (node, life): (usize, u64),
        handle: watch::Sender<Option<Handle>>,
        exits: mpsc::UnboundedSender<Exit>,
    ) -> Self {
        let (orders, queue) = mpsc::channel(ORDERS);
        let (end, ended) = watch::channel(None);
        let asked = Arc::<AtomicBool>::default();
        let news = Arc::clone(&asked);
        handle.send_replace(Some(embedded.handle().clone()));
        tokio::spawn(async move {
            let how = watch_inside(embedded, queue).await;
            handle.send_replace(None);
            end.send_replace(Some(how.clone()));
            if !news.load(Ordering::SeqCst) {
                let _ = exits.send(Exit { node, life, end: End::Embedded(how) });
            }
        });
        Self { kind: Kind::Embedded(Inside { orders, ended }), asked }
    }

    /// The process, if it has one of its own.
    pub(super) fn own_process(&self) -> Option<&Process> {
        match &self.kind {
            Kind::Process(process) => Some(process),
            Kind::Embedded(_) => None,
        }
    }

    /// Tells it to stop, and kills it if it has not within some seconds. Returns how it ended; none if
    /// it had to be killed.
    pub(super) async fn stop(&self) -> Option<End> {
        self.tell(Order::Stop);
        match timeout(STOPPING, self.ended()).await {
            Ok(end) => end,
            Err(_) => {
                self.kill().await;
                None
            }
        }
    }

    /// Kills it, and waits for its end.
    pub(super) async fn kill(&self) {
        self.tell(Order::Kill);
        self.ended().await;
    }

    fn tell(&self, order: Order) {
        self.asked.store(true, Ordering::SeqCst);
        match (&self.kind, order) {
            (Kind::Process(process), Order::Stop) => process.stop(),
            (Kind::Process(process), Order::Kill) => process.kill(),
            // Full: it was told before. Closed: it has ended.
            (Kind::Embedded(inside), order) => drop(inside.orders.try_send(order)),
        }
    }

    /// Waits for its end.
    pub(super) async fn ended(&self) -> Option<End> {
        match &self.kind {
            Kind::Process(process) => process.ended().await.map(End::Process),
            Kind::Embedded(inside) => {
                let mut ended = inside.ended.clone();
                // The task gone without an end is an end as well.
                let ended = ended.wait_for(Option::is_some).await.ok()?.clone();
                ended.map(End::Embedded)
            }
        }
    }
}

async fn watch_inside(node: Embedded, mut orders: mpsc::Receiver<Order>) -> Ended {
    let killer = node.killer();
    loop {
        let order = tokio::select! {
            ended = node.ended() => return ended,
            Some(order) = orders.recv() => order,
        };
        match order {
            Order::Stop => {
                let stop = node.stop();
                tokio::pin!(stop);
                let stopped = tokio::select! {
                    stopped = &mut stop => stopped,
                    Some(_) = orders.recv() => {
                        killer.kill();
                        stop.await
                    }
                };
                return match stopped {
                    Ok(()) => Ended::Stopped,
                    Err(error) => Ended::Failed(format!("{error:#}")),
                };
            }
            Order::Kill => node.kill(),
        }
    }
}
