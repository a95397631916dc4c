//! Hands the load in: one submitter for each node, each transaction at its time.

use std::sync::Arc;
use std::time::Duration;

use hearsay_chain::{ChainId, Keypair};
use hearsay_node::api::Taker;
use hearsay_node::rpc::{CallError, RpcError};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::{Counts, Journal, Signed, Spec, Transactions};
use crate::cluster::Client;

/// Transactions signed ahead for each node: seconds of a fast load, and little memory. If a node
/// does not answer for so long that its queue is full, the others wait as well, which shows as lag.
const AHEAD: usize = 1_024;

/// Calls that a node may owe an answer. Beyond this the load waits for the node, which shows as
/// lag; far below the connections that a node's RPC takes.
const OUTSTANDING: usize = 32;

/// A load that is being signed and waits for its start.
#[derive(Debug)]
pub struct Load {
    duration: Duration,
    entries: Vec<(Client, mpsc::Receiver<Signed>)>,
    counts: watch::Sender<Counts>,
    via: Option<Taker>,
    journal: Arc<Journal>,
}

impl Load {
    /// Begins to sign the load of `senders` in the network `chain`. Sender s hands in at entry s,
    /// modulo their number, and when is written into `journal`. Must be called within a tokio runtime.
    #[must_use]
    pub fn prepare(
        spec: &Spec,
        chain: ChainId,
        senders: &[Keypair],
        entries: Vec<Client>,
        journal: Arc<Journal>,
    ) -> Self {
        let count = spec.schedule.count();
        let (queues, waiting): (Vec<_>, Vec<_>) =
            entries.iter().map(|_| mpsc::channel(AHEAD)).unzip();
        let load = Transactions::new(chain, senders, spec);
        tokio::task::spawn_blocking(move || {
            for signed in load {
                let queue = &queues[signed.sender % queues.len()];
                // The load was given up.
                let Ok(()) = queue.blocking_send(signed) else { return };
            }
        });
        let (counts, _) = watch::channel(Counts { planned: count, ..Counts::default() });
        let entries = entries.into_iter().zip(waiting).collect();
        let (duration, via) = (spec.schedule.duration, spec.via.clone());
        Self { duration, entries, counts, via, journal }
    }

    /// What comes of it.
    #[must_use]
    pub fn counts(&self) -> watch::Receiver<Counts> {
        self.counts.subscribe()
    }

    /// Hands everything in, beginning now. Returns when the load's duration is over and each
    /// transaction was answered or is known not to be.
    pub async fn run(self) {
        self.run_from(Instant::now(), 1).await;
    }

    /// The same for a load that begins at `start`, in a network that runs `dilation` times slower
    /// than its clocks say.
    pub async fn run_from(self, start: Instant, dilation: u32) {
        let pace = Pace { start, dilation: dilation.max(1) };
        let counts = Arc::new(self.counts);
        let mut submitters = JoinSet::new();
        for (client, queue) in self.entries {
            let counts = Arc::clone(&counts);
            let how = How { client, via: self.via.clone(), journal: Arc::clone(&self.journal) };
            submitters.spawn(submit_all(how, queue, pace, counts));
        }
        while submitters.join_next().await.is_some() {}
        sleep_until(pace.at(self.duration)).await;
    }
}

/// When a moment of the load comes.
#[derive(Clone, Copy, Debug)]
struct Pace {
    start: Instant,
    dilation: u32,
}

impl Pace {
    fn at(self, due: Duration) -> Instant {
        self.start + due * self.dilation
    }

    /// How long ago a moment was, by the network's clocks.
    fn lag(self, due: Duration) -> Duration {
        Instant::now().saturating_duration_since(self.at(due)) / self.dilation
    }
}

/// How transactions are handed in at one node.
#[derive(Clone, Debug)]
struct How {
    client: Client,
    via: Option<Taker>,
    journal: Arc<Journal>,
}

async fn submit_all(
    how: How,
    mut queue: mpsc::Receiver<Signed>,
    pace: Pace,
    counts: Arc<watch::Sender<Counts>>,
) {
    let slots = Arc::new(Semaphore::new(OUTSTANDING));
    let mut calls = JoinSet::new();
    while let Some(signed) = queue.recv().await {
        sleep_until(pace.at(signed.due)).await;
        // Never closed.
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        counts.send_modify(|counts| counts.submit(pace.lag(signed.due)));
        how.journal.note(&signed.tx.id());
        let (how, counts) = (how.clone(), Arc::clone(&counts));
        calls.spawn(async move {
            let _slot = slot;
            let answer = how.client.submit(&signed.tx, how.via.as_ref()).await;
            counts.send_modify(|counts| match answer {
                Ok(submitted) => counts.take(submitted.queued),
                Err(CallError::Node(
                    RpcError::Rejected { reason, .. } | RpcError::Refused { reason, .. },
                )) => counts.refuse(reason),
                Err(error) => counts.fail(word(&error)),
            });
        });
        while calls.try_join_next().is_some() {}
    }
    while calls.join_next().await.is_some() {}
}

/// A few words for a call without a result; the details differ from call to call and would not
/// add up.
fn word(error: &CallError) -> String {
    match error {
        CallError::Node(error) => error.kind().to_owned(),
        CallError::Unreachable(_) => "unreachable".to_owned(),
        CallError::TimedOut => "no answer in time".to_owned(),
        CallError::Protocol(what) => what.clone(),
    }
}
