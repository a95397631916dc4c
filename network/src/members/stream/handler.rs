//! One connection's streams of datagrams: one that we open and write, one that the peer opens and writes.
//! A datagram is its length in two bytes, big-endian, and its bytes.

use std::collections::VecDeque;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{AsyncRead, AsyncReadExt, AsyncWriteExt, FutureExt};
use libp2p::core::upgrade::ReadyUpgrade;
use libp2p::swarm::handler::{ConnectionEvent, FullyNegotiatedInbound, FullyNegotiatedOutbound};
use libp2p::swarm::{
    ConnectionHandler, ConnectionHandlerEvent, Stream, StreamProtocol, SubstreamProtocol,
};
use tracing::debug;

/// The bytes of a datagram's length.
const LENGTH_BYTES: usize = 2;

/// The datagrams that wait for a slow peer: those of a few seconds. Older ones make room.
const MAX_QUEUE: usize = 64;

/// The streams that each side may open of one connection: the first and two more.
const MAX_STREAMS: u32 = 3;

/// How long a stream may take to agree on its protocol, undilated: libp2p's default.
const AGREEMENT: Duration = Duration::from_secs(10);

/// What the behaviour tells a connection: to send this datagram.
#[derive(Debug)]
pub(crate) struct Word(pub(super) Vec<u8>);

/// What a connection tells the behaviour.
#[derive(Debug)]
pub(crate) enum News {
    /// Our stream stands.
    Opened,
    /// It does not any more.
    Closed,
    /// A datagram came.
    Received(Vec<u8>),
    /// What came was no datagram; the stream is closed.
    Garbled(&'static str),
    /// So many were dropped for newer ones.
    Dropped(u64),
}

type Upgrade = ReadyUpgrade<StreamProtocol>;

enum Outbound {
    Closed,
    Idle(Stream),
    Writing(BoxFuture<'static, (Stream, io::Result<()>)>),
}

enum Inbound {
    Closed,
    Reading(BoxFuture<'static, (Stream, Result<Vec<u8>, Unread>)>),
}

/// Why nothing could be read.
#[derive(Debug)]
enum Unread {
    Over(io::Error),
    Garbled(&'static str),
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Unread::Over(error)
    }
}

/// The streams of one connection.
pub(crate) struct Handler {
    protocol: StreamProtocol,
    limit: usize,
    patience: Duration,
    /// Whether a stream is to be asked for.
    wanted: bool,
    opened: u32,
    accepted: u32,
    outbound: Outbound,
    inbound: Inbound,
    queue: VecDeque<Vec<u8>>,
    dropped: u64,
    news: VecDeque<News>,
}

impl Handler {
    /// `limit`: the bytes of a datagram at most, in both directions.
    pub(super) fn new(protocol: StreamProtocol, limit: usize, dilation: u32) -> Self {
        Self {
            protocol,
            limit: limit.min(usize::from(u16::MAX)),
            patience: AGREEMENT.saturating_mul(dilation),
            wanted: true,
            opened: 0,
            accepted: 0,
            outbound: Outbound::Closed,
            inbound: Inbound::Closed,
            queue: VecDeque::new(),
            dropped: 0,
            news: VecDeque::new(),
        }
    }

    /// Goes on with what is being sent; whether anything has changed.
    fn poll_outbound(&mut self, cx: &mut Context<'_>) -> bool {
        match std::mem::replace(&mut self.outbound, Outbound::Closed) {
            Outbound::Closed => false,
            Outbound::Idle(stream) => {
                // All that waits leaves as one write.
                let mut bytes = Vec::new();
                for datagram in self.queue.drain(..) {
                    let length = u16::try_from(datagram.len()).unwrap_or(u16::MAX);
                    bytes.extend_from_slice(&length.to_be_bytes());
                    bytes.extend_from_slice(&datagram);
                }
                let idle = bytes.is_empty();
                self.outbound = match idle {
                    true => Outbound::Idle(stream),
                    false => Outbound::Writing(write(stream, bytes).boxed()),
                };
                !idle
            }
            Outbound::Writing(mut writing) => match writing.poll_unpin(cx) {
                Poll::Pending => {
                    self.outbound = Outbound::Writing(writing);
                    false
                }
                Poll::Ready((stream, Ok(()))) => {
                    self.outbound = Outbound::Idle(stream);
                    true
                }
                Poll::Ready((_, Err(error))) => {
                    debug!(%error, "a stream of datagrams failed");
                    self.queue.clear();
                    self.news.push_back(News::Closed);
                    self.wanted = self.opened < MAX_STREAMS;
                    true
                }
            },
        }
    }

    /// Goes on with what is being read; whether anything has changed.
    fn poll_inbound(&mut self, cx: &mut Context<'_>) -> bool {
        let Inbound::Reading(reading) = &mut self.inbound else { return false };
        let Poll::Ready((stream, read)) = reading.poll_unpin(cx) else { return false };
        self.inbound = Inbound::Closed;
        match read {
            Ok(datagram) => {
                self.inbound = Inbound::Reading(read_one(stream, self.limit).boxed());
                self.news.push_back(News::Received(datagram));
            }
            // The peer opens another, or the connection is going.
            Err(Unread::Over(error)) => debug!(%error, "a peer's stream of datagrams ended"),
            Err(Unread::Garbled(what)) => self.news.push_back(News::Garbled(what)),
        }
        true
    }
}

async fn write(mut stream: Stream, bytes: Vec<u8>) -> (Stream, io::Result<()>) {
    let written = async {
        stream.write_all(&bytes).await?;
        stream.flush().await
    };
    let written = written.await;
    (stream, written)
}

async fn read_one(mut stream: Stream, limit: usize) -> (Stream, Result<Vec<u8>, Unread>) {
    let read = read_datagram(&mut stream, limit).await;
    (stream, read)
}

/// Reads a datagram of 1 to `limit` bytes; nothing is allocated for a longer one.
async fn read_datagram<R: AsyncRead + Unpin>(
    from: &mut R,
    limit: usize,
) -> Result<Vec<u8>, Unread> {
    let mut length = [0; LENGTH_BYTES];
    from.read_exact(&mut length).await?;
    let length = usize::from(u16::from_be_bytes(length));
    if length == 0 || length > limit {
        return Err(Unread::Garbled("a datagram of a length that none has"));
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes).await?;
    Ok(bytes)
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Word;
    type ToBehaviour = News;
    type InboundProtocol = Upgrade;
    type OutboundProtocol = Upgrade;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Upgrade> {
        let upgrade = ReadyUpgrade::new(self.protocol.clone());
        SubstreamProtocol::new(upgrade, ()).with_timeout(self.patience)
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Upgrade, (), Self::ToBehaviour>> {
        loop {
            if let Some(news) = self.news.pop_front() {
                return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(news));
            }
            if self.dropped > 0 {
                let news = News::Dropped(std::mem::take(&mut self.dropped));
                return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(news));
            }
            if std::mem::take(&mut self.wanted) {
                self.opened = self.opened.saturating_add(1);
                let protocol = self.listen_protocol();
                return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
            }
            if !self.poll_outbound(cx) && !self.poll_inbound(cx) {
                return Poll::Pending;
            }
        }
    }

    fn on_behaviour_event(&mut self, Word(datagram): Word) {
        if datagram.is_empty() || datagram.len() > self.limit {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        if self.queue.len() >= MAX_QUEUE {
            self.queue.pop_front();
            self.dropped = self.dropped.saturating_add(1);
        }
        self.queue.push_back(datagram);
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Upgrade, Upgrade>) {
        match event {
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol, ..
            }) => {
                self.outbound = Outbound::Idle(protocol);
                self.news.push_back(News::Opened);
            }
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol, ..
            }) => {
                self.accepted = self.accepted.saturating_add(1);
                if self.accepted <= MAX_STREAMS {
                    self.inbound = Inbound::Reading(read_one(protocol, self.limit).boxed());
                }
            }
            // A peer that does not speak the protocol is no member.
            ConnectionEvent::DialUpgradeError(failed) => {
                debug!(error = %failed.error, "no stream for datagrams");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use futures::io::Cursor;

    use super::*;

    #[test]
    fn datagrams_come_back_one_by_one_and_a_cut_one_is_an_end() {
        let bytes = [0, 2, 7, 8, 0, 1, 9, 0, 3, 1];
        let mut from = Cursor::new(bytes);
        assert_eq!(block_on(read_datagram(&mut from, 8)).unwrap(), [7, 8]);
        assert_eq!(block_on(read_datagram(&mut from, 8)).unwrap(), [9]);
        assert!(matches!(block_on(read_datagram(&mut from, 8)), Err(Unread::Over(_))));
    }

    #[test]
    fn a_length_of_nothing_or_beyond_the_limit_is_refused() {
        for length in [0u16, 9, u16::MAX] {
            let mut from = Cursor::new(length.to_be_bytes());
            assert!(matches!(block_on(read_datagram(&mut from, 8)), Err(Unread::Garbled(_))));
        }
    }

    #[test]
    fn a_slow_peer_misses_the_oldest_and_it_is_counted() {
        let protocol = StreamProtocol::new("/members/test");
        let mut handler = Handler::new(protocol, 8, 1);
        for number in 0..=MAX_QUEUE as u8 {
            handler.on_behaviour_event(Word(vec![number]));
        }
        handler.on_behaviour_event(Word(vec![0; 9]));
        assert_eq!((handler.queue.len(), handler.dropped), (MAX_QUEUE, 2));
        assert_eq!(handler.queue.front(), Some(&vec![1]));
    }
}
