//! How the RPC reaches the node: questions go in by a bounded queue, each with its way back.

mod questions;

use std::sync::Arc;

use hearsay_chain::UnverifiedTx;
use hearsay_network::{PeerId, Probed};
use thiserror::Error;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::api::{
    Answer, MemberInfo, MemberNews, MemberStats, PeerInfo, Query, Refused, ScoreView, Submitted,
    Taker, TestResult, TestVerdict,
};
use crate::halt::{self, Halt};
use crate::lab::{self, LabChange, LabDesk, LabError, ProbeRequest, ProbeResult};
use crate::snapshots::SnapshotDesk;

/// Requests that may wait for the engine. One is answered in microseconds, so a full queue means
/// that the engine is busy for long; callers then wait, and the RPC's own limits hold them back.
pub const REQUEST_QUEUE: usize = 256;

/// News of members that wait for whoever follows them: a minute of what a network of a hundred can
/// tell at its worst. Who is further behind misses some, and is told so.
pub const NEWS_QUEUE: usize = 1_024;

/// The node is stopping, or has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the node is stopping")]
pub struct Stopping;

/// One request to the node.
#[derive(Debug)]
pub enum Request {
    /// Take a transaction, as its encoded bytes.
    Submit {
        /// The decoded transaction; its form is checked by the engine.
        tx: UnverifiedTx,
        /// Which member is to take it; none: as this node's settings say.
        via: Option<Taker>,
        /// Answered when the pool has taken or refused it.
        reply: oneshot::Sender<Result<Submitted, Refused>>,
    },
    /// Answer a question about the chain or the pool.
    Ask {
        /// The question.
        query: Query,
        /// Answered at once.
        reply: oneshot::Sender<Answer>,
    },
    /// Measure the way to a peer.
    Probe {
        /// Whom.
        peer: PeerId,
        /// How many round trips to time.
        rounds: u32,
        /// How many bytes to send for the rate; 0: none.
        bytes: u64,
        /// Answered by the network side when it is done.
        reply: oneshot::Sender<Result<Probed, String>>,
    },
    /// List the peers.
    Peers {
        /// Answered by the network side.
        reply: oneshot::Sender<Vec<PeerInfo>>,
    },
    /// List the members.
    Members {
        /// Answered by the network side.
        reply: oneshot::Sender<(Vec<MemberInfo>, MemberStats)>,
    },
}

/// Asks the node. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle {
    requests: mpsc::Sender<Request>,
    snapshots: SnapshotDesk,
    halt: Arc<Halt>,
    lab: Option<LabDesk>,
    news: broadcast::Sender<Arc<MemberNews>>,
}

impl Handle {
    /// A handle, and the queue that the node takes requests from.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<Request>) {
        Self::in_lab(None)
    }

    /// The same for a node that may be in the lab.
    pub(crate) fn in_lab(lab: Option<LabDesk>) -> (Self, mpsc::Receiver<Request>) {
        let (requests, queue) = mpsc::channel(REQUEST_QUEUE);
        let (snapshots, halt) = (SnapshotDesk::default(), Arc::default());
        let (news, _) = broadcast::channel(NEWS_QUEUE);
        (Self { requests, snapshots, halt, lab, news }, queue)
    }

    /// Whether the node is in the lab, and lab requests make sense.
    #[must_use]
    pub fn is_in_lab(&self) -> bool {
        self.lab.is_some()
    }

    /// Where snapshots of the store are asked for.
    #[must_use]
    pub fn snapshots(&self) -> &SnapshotDesk {
        &self.snapshots
    }

    /// Whether the node stands still, and why; for whoever sees the causes as well.
    #[must_use]
    pub fn halt(&self) -> &Arc<Halt> {
        &self.halt
    }

    async fn call<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<T>) -> Request,
    ) -> Result<T, Stopping> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(request(reply)).await.map_err(|_| Stopping)?;
        answer.await.map_err(|_| Stopping)
    }

    async fn ask(&self, query: Query) -> Result<Answer, Stopping> {
        self.call(|reply| Request::Ask { query, reply }).await
    }

    /// Hands in a transaction, and waits until the pool has taken or refused it. A node that stands
    /// still refuses it at once.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn submit(&self, tx: UnverifiedTx) -> Result<Result<Submitted, Refused>, Stopping> {
        self.submit_via(tx, None).await
    }

    /// The same, and says which member is to take it; none: as the node's settings say.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn submit_via(
        &self,
        tx: UnverifiedTx,
        via: Option<Taker>,
    ) -> Result<Result<Submitted, Refused>, Stopping> {
        match refused_by(&self.halt) {
            Some(refused) => Ok(Err(refused)),
            None => self.call(|reply| Request::Submit { tx, via, reply }).await,
        }
    }

    /// Says what would come of handing in a transaction; nothing does.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn test(&self, tx: UnverifiedTx) -> Result<TestResult, Stopping> {
        if let Some(Refused { reason, message, .. }) = refused_by(&self.halt) {
            return Ok(TestResult {
                id: tx.id(),
                accepted: false,
                ready: false,
                replaces: None,
                evicts: Vec::new(),
                verdict: TestVerdict::Ignore,
                reason: Some(reason),
                message: Some(message),
                least_fee: None,
            });
        }
        match self.ask(Query::Test(tx)).await? {
            Answer::Test(result) => Ok(result),
            _ => Err(Stopping),
        }
    }

    /// The connected peers.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn peers(&self) -> Result<Vec<PeerInfo>, Stopping> {
        self.call(|reply| Request::Peers { reply }).await
    }

    /// The members of the network, this node first and the others by name; nobody if this node takes
    /// no part.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn members(&self) -> Result<Vec<MemberInfo>, Stopping> {
        self.call(|reply| Request::Members { reply }).await.map(|(members, _)| members)
    }

    /// What happened with the membership so far.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn member_stats(&self) -> Result<MemberStats, Stopping> {
        self.call(|reply| Request::Members { reply }).await.map(|(_, stats)| stats)
    }

    /// What changes about members from now on. Who falls behind by more than [`NEWS_QUEUE`] misses some,
    /// and is told so.
    #[must_use]
    pub fn member_news(&self) -> broadcast::Receiver<Arc<MemberNews>> {
        self.news.subscribe()
    }

    /// Where the driver tells what changes about members.
    pub(crate) fn news_desk(&self) -> &broadcast::Sender<Arc<MemberNews>> {
        &self.news
    }

    /// What is known against peers.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn scores(&self) -> Result<Vec<ScoreView>, Stopping> {
        match self.ask(Query::Scores).await? {
            Answer::Scores(scores) => Ok(scores),
            _ => Err(Stopping),
        }
    }

    /// Keeps a peer away for some seconds, a year at most.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn ban(&self, peer: PeerId, seconds: u64) -> Result<(), Stopping> {
        self.ask(Query::Ban { peer, seconds }).await.map(drop)
    }

    /// Lets a peer come back, and forgets what it did. Says whether there was anything.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn unban(&self, peer: PeerId) -> Result<bool, Stopping> {
        match self.ask(Query::Unban { peer }).await? {
            Answer::Done(done) => Ok(done),
            _ => Err(Stopping),
        }
    }

    /// Changes what the lab does to the node; it acts at once, on live connections too.
    ///
    /// # Errors
    /// A node outside the lab, or a value out of range; then nothing has changed.
    pub fn lab_set(&self, change: &LabChange) -> Result<(), LabError> {
        self.lab.as_ref().ok_or(LabError::NoLab)?.change(change)
    }

    /// Measures the link to a peer.
    ///
    /// # Errors
    /// The node is stopping; or, inside: a node outside the lab, a peer that is not connected, or no
    /// answer.
    pub async fn lab_probe(
        &self,
        request: ProbeRequest,
    ) -> Result<Result<ProbeResult, LabError>, Stopping> {
        if !self.is_in_lab() {
            return Ok(Err(LabError::NoLab));
        }
        let peer = match lab::peer(&request.peer) {
            Ok(peer) => peer,
            Err(error) => return Ok(Err(error)),
        };
        let ProbeRequest { rounds, bytes, .. } = request;
        let probed = self.call(|reply| Request::Probe { peer, rounds, bytes, reply }).await?;
        Ok(probed.map_err(LabError::Probe).map(|probed| {
            let Probed { rtt_us, bytes_per_s } = probed;
            ProbeResult { rtt_us, bytes_per_s }
        }))
    }
}

/// What a submission is answered with while the node stands still.
pub(crate) fn refused_by(halt: &Halt) -> Option<Refused> {
    let message = halt.why()?;
    Some(Refused { invalid: false, reason: halt::REASON.to_owned(), message })
}
