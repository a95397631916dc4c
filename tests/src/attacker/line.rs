//! One connection to a node, and the streams on it.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::{AsyncReadExt, AsyncWriteExt};
use hearsay_network::link::{Links, LinksConfig};
use hearsay_network::{PeerId, transport};
use libp2p::core::Endpoint;
use libp2p::core::Transport;
use libp2p::core::muxing::{StreamMuxerBox, StreamMuxerExt, SubstreamBox};
use libp2p::core::transport::{DialOpts, PortUse};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;

use super::host::Host;
use super::negotiate;
use super::prey::{Prey, Target};

/// How long anything may take that a node answers to.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Streams that may wait to be opened.
const OPENS: usize = 64;

/// The largest answer to a request that is read.
const LARGEST: u64 = 8 << 20;

type Opens = mpsc::Receiver<oneshot::Sender<SubstreamBox>>;

/// A connection; it ends when this is dropped.
pub(super) struct Line {
    opens: mpsc::Sender<oneshot::Sender<SubstreamBox>>,
    closed: watch::Receiver<bool>,
    task: AbortHandle,
}

impl Line {
    /// Connects under an identity; `host` answers what the node opens.
    pub(super) async fn dial(
        prey: &Prey,
        target: &Target,
        identity: [u8; 32],
        host: Arc<Host>,
    ) -> Result<Self> {
        // A node of a lab speaks another multiplexer.
        let links = prey.in_lab().then(|| Links::new(LinksConfig::default()));
        let mut transport = transport(&identity, links.as_ref());
        let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
        let dial = transport.dial(target.address.clone(), options).context("no such address")?;
        let (peer, muxer): (PeerId, StreamMuxerBox) =
            tokio::time::timeout(PATIENCE, dial).await.context("too late")??;
        ensure!(peer == target.peer, "somebody else listens there");
        let (opens, wanted) = mpsc::channel(OPENS);
        let (tell, closed) = watch::channel(false);
        let task = tokio::spawn(async move {
            drive(muxer, wanted, host).await;
            tell.send_replace(true);
        });
        Ok(Self { opens, closed, task: task.abort_handle() })
    }

    /// Opens a stream.
    pub(super) async fn open(&self, protocol: &str) -> io::Result<SubstreamBox> {
        let opening = async {
            let (reply, opened) = oneshot::channel();
            let gone = |()| io::Error::from(io::ErrorKind::NotConnected);
            self.opens.send(reply).await.map_err(|_| gone(()))?;
            let mut stream = opened.await.map_err(|_| gone(()))?;
            negotiate::propose(&mut stream, protocol).await?;
            Ok(stream)
        };
        tokio::time::timeout(PATIENCE, opening).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Sends a request, whatever it is, and reads what comes: nothing is a refusal.
    pub(super) async fn ask(&self, protocol: &str, request: &[u8]) -> io::Result<Vec<u8>> {
        let mut stream = self.open(protocol).await?;
        let asking = async {
            stream.write_all(request).await?;
            stream.close().await?;
            let mut answer = Vec::new();
            stream.take(LARGEST).read_to_end(&mut answer).await?;
            Ok(answer)
        };
        tokio::time::timeout(PATIENCE, asking).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Waits until the connection is gone.
    pub(super) async fn closed(&self) {
        let mut closed = self.closed.clone();
        // Whoever would tell is gone as well.
        let _ = closed.wait_for(|closed| *closed).await;
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Keeps a connection going until it ends: opens what is wanted, and serves what the node opens.
async fn drive(mut muxer: StreamMuxerBox, mut opens: Opens, host: Arc<Host>) {
    let mut wanted: VecDeque<oneshot::Sender<SubstreamBox>> = VecDeque::new();
    let mut serving = tokio::task::JoinSet::new();
    poll_fn(move |cx| {
        loop {
            while let Poll::Ready(Some(_)) = serving.poll_join_next(cx) {}
            if let Poll::Ready(open) = opens.poll_recv(cx) {
                let Some(open) = open else { return Poll::Ready(()) };
                wanted.push_back(open);
                continue;
            }
            if !wanted.is_empty() {
                match muxer.poll_outbound_unpin(cx) {
                    Poll::Ready(Ok(stream)) => {
                        // Whoever wanted it may have given up.
                        let _ = wanted.pop_front().map(|open| open.send(stream));
                        continue;
                    }
                    Poll::Ready(Err(_)) => return Poll::Ready(()),
                    Poll::Pending => {}
                }
            }
            match muxer.poll_inbound_unpin(cx) {
                Poll::Ready(Ok(stream)) => {
                    serving.spawn(Arc::clone(&host).serve(stream));
                    continue;
                }
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => {}
            }
            match muxer.poll_unpin(cx) {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await;
}
