//! One connection's streams: one for what we send, which we open, and one for what the peer sends,
//! which it opens.
//!
//! Both are pulled. The behaviour gives one frame at a time and is told when it has left; so batches
//! grow when the peer is slow. And it is given one frame at a time, and says when it wants the next;
//! so a peer that sends faster than its messages are judged is slowed down by its own stream.

use std::collections::VecDeque;
use std::io;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use libp2p::core::upgrade::ReadyUpgrade;
use libp2p::swarm::handler::{
    ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
};
use libp2p::swarm::{
    ConnectionHandler, ConnectionHandlerEvent, Stream, StreamProtocol, StreamUpgradeError,
    SubstreamProtocol,
};
use tracing::debug;

use super::frames::{Unread, read_frame, write_frame};
use super::tally::Tally;
use crate::push::Frame;

/// The streams that each side may open of one connection: the first and five more. A peer on which
/// more have failed is not worth another.
const MAX_STREAMS: u32 = 6;

/// How long a stream may take to agree on its protocol, undilated: libp2p's default.
const AGREEMENT: Duration = Duration::from_secs(10);

/// What the behaviour tells a connection.
#[derive(Debug)]
pub(crate) enum Word {
    /// Send this frame. The one before has left.
    Send(Frame),
    /// Read one frame.
    Read,
}

/// What a connection tells the behaviour.
#[derive(Debug)]
pub(crate) enum News {
    /// Our stream stands, and can take a frame.
    Opened,
    /// The frame has left.
    Sent(Tally),
    /// Our stream has failed. Another is tried, or [`News::Unsupported`] follows.
    Lost,
    /// The peer does not speak the protocol, or not so that a stream would last.
    Unsupported,
    /// A frame came.
    Frame {
        /// It.
        frame: Frame,
        /// What is in it.
        tally: Tally,
        /// When it was read.
        at: Instant,
    },
    /// What came was no frame; the stream is closed.
    Garbled(&'static str),
}

type Upgrade = ReadyUpgrade<StreamProtocol>;
type Written = (Stream, io::Result<Tally>);
type Read = (Stream, Result<(Frame, Tally), Unread>);

enum Outbound {
    Closed,
    Idle(Stream),
    Writing(BoxFuture<'static, Written>),
}

enum Inbound {
    Closed,
    Idle(Stream),
    Reading(BoxFuture<'static, Read>),
}

/// The streams of one connection.
pub(crate) struct Handler {
    protocol: StreamProtocol,
    limit: usize,
    patience: Duration,
    /// Whether a stream is to be asked for.
    wanted: bool,
    opened: u32,
    outbound: Outbound,
    accepted: u32,
    inbound: Inbound,
    may_read: bool,
    news: VecDeque<News>,
}

impl Handler {
    /// `limit`: the bytes of a frame at most, in both directions.
    pub(super) fn new(protocol: StreamProtocol, limit: usize, dilation: u32) -> Self {
        Self {
            protocol,
            limit,
            patience: AGREEMENT.saturating_mul(dilation),
            wanted: true,
            opened: 0,
            outbound: Outbound::Closed,
            accepted: 0,
            inbound: Inbound::Closed,
            may_read: false,
            news: VecDeque::new(),
        }
    }

    fn try_again(&mut self) {
        if self.opened < MAX_STREAMS {
            self.wanted = true;
        } else {
            self.news.push_back(News::Unsupported);
        }
    }

    /// Goes on with what is being sent; whether there is news of it.
    fn poll_outbound(&mut self, cx: &mut Context<'_>) -> bool {
        let Outbound::Writing(writing) = &mut self.outbound else { return false };
        let Poll::Ready((stream, written)) = writing.poll_unpin(cx) else { return false };
        match written {
            Ok(tally) => {
                self.outbound = Outbound::Idle(stream);
                self.news.push_back(News::Sent(tally));
            }
            Err(error) => {
                debug!(%error, "a stream of frames failed");
                self.outbound = Outbound::Closed;
                self.news.push_back(News::Lost);
                self.try_again();
            }
        }
        true
    }

    /// Goes on with what is being read; whether there is news of it.
    fn poll_inbound(&mut self, cx: &mut Context<'_>) -> bool {
        if self.may_read {
            self.inbound = match std::mem::replace(&mut self.inbound, Inbound::Closed) {
                Inbound::Idle(stream) => Inbound::Reading(read(stream, self.limit).boxed()),
                other => other,
            };
        }
        let Inbound::Reading(reading) = &mut self.inbound else { return false };
        let Poll::Ready((stream, read)) = reading.poll_unpin(cx) else { return false };
        self.inbound = Inbound::Closed;
        match read {
            Ok((frame, tally)) => {
                self.inbound = Inbound::Idle(stream);
                self.may_read = false;
                self.news.push_back(News::Frame { frame, tally, at: Instant::now() });
            }
            // The peer opens another, or the connection is going.
            Err(Unread::Over(error)) => debug!(%error, "a peer's stream of frames ended"),
            Err(Unread::Garbled(what)) => self.news.push_back(News::Garbled(what)),
        }
        true
    }
}

async fn read(mut stream: Stream, limit: usize) -> Read {
    let read = read_frame(&mut stream, limit).await;
    let read = read.map(|(frame, bytes)| {
        let tally = Tally::of(&frame, bytes);
        (frame, tally)
    });
    (stream, read)
}

async fn write(mut stream: Stream, frame: Frame, limit: usize) -> Written {
    let written = write_frame(&mut stream, &frame, limit).await;
    (stream, written.map(|bytes| Tally::of(&frame, bytes)))
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

    fn on_behaviour_event(&mut self, word: Word) {
        match word {
            Word::Read => self.may_read = true,
            Word::Send(frame) => {
                self.outbound = match std::mem::replace(&mut self.outbound, Outbound::Closed) {
                    Outbound::Idle(stream) => {
                        Outbound::Writing(write(stream, frame, self.limit).boxed())
                    }
                    // It failed meanwhile, and the behaviour is about to learn it.
                    other => other,
                };
            }
        }
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Upgrade, Upgrade>) {
        match event {
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol, ..
            }) => {
                self.outbound = Outbound::Idle(protocol);
                self.news.push_back(News::Opened);
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { error, .. }) => {
                debug!(%error, "no stream for frames");
                match error {
                    StreamUpgradeError::NegotiationFailed => {
                        self.news.push_back(News::Unsupported);
                    }
                    _ => self.try_again(),
                }
            }
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol, ..
            }) => {
                self.accepted = self.accepted.saturating_add(1);
                if self.accepted <= MAX_STREAMS {
                    self.inbound = Inbound::Idle(protocol);
                }
            }
            _ => {}
        }
    }
}
