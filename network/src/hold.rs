//! Keeps a protocol quiet on a connection until it is released: it answers, and does not begin. And
//! lets it wait, where a peer says too much: then what the peer sends waits in its own stream.
//!
//! Nodes that speak [`crate::push`] with each other have no use for gossipsub between them. Gossipsub
//! tells a peer of its topics on a stream that it opens itself; while that stream is held back on
//! both sides, neither is subscribed for the other, so nothing is sent, announced or grafted, and a
//! handful of greetings is all that waits in the queue. It is released when the peer turns out not
//! to speak the other protocol, and also as soon as the peer opens a stream of its own: it wants to
//! hear us, and what gossipsub then sends it must not pile up.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::Either;
use libp2p::swarm::handler::ConnectionEvent;
use libp2p::swarm::{ConnectionHandler, ConnectionHandlerEvent, SubstreamProtocol};
use tokio::time::{Sleep, sleep};

/// The streams that a handler asks for while it is held: gossipsub asks for one and waits for it.
const MAX_HELD: usize = 4;

/// What a handler is told beside what its own behaviour tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// It may open its streams from now on.
    Release,
    /// It neither reads nor writes for so long.
    Wait(Duration),
}

type Request<H> = SubstreamProtocol<
    <H as ConnectionHandler>::OutboundProtocol,
    <H as ConnectionHandler>::OutboundOpenInfo,
>;

/// A handler that may be held.
pub(crate) struct Hold<H: ConnectionHandler> {
    inner: H,
    held: bool,
    requests: VecDeque<Request<H>>,
    waits: Option<Pin<Box<Sleep>>>,
}

impl<H: ConnectionHandler> Hold<H> {
    pub(crate) fn new(inner: H, held: bool) -> Self {
        Self { inner, held, requests: VecDeque::new(), waits: None }
    }
}

impl<H: ConnectionHandler> ConnectionHandler for Hold<H> {
    type FromBehaviour = Either<H::FromBehaviour, Word>;
    type ToBehaviour = H::ToBehaviour;
    type InboundProtocol = H::InboundProtocol;
    type OutboundProtocol = H::OutboundProtocol;
    type InboundOpenInfo = H::InboundOpenInfo;
    type OutboundOpenInfo = H::OutboundOpenInfo;

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol, Self::InboundOpenInfo> {
        self.inner.listen_protocol()
    }

    fn connection_keep_alive(&self) -> bool {
        self.inner.connection_keep_alive()
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<
        ConnectionHandlerEvent<Self::OutboundProtocol, Self::OutboundOpenInfo, Self::ToBehaviour>,
    > {
        if let Some(waits) = &mut self.waits {
            if waits.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.waits = None;
        }
        if !self.held
            && let Some(protocol) = self.requests.pop_front()
        {
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        loop {
            match self.inner.poll(cx) {
                Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol })
                    if self.held =>
                {
                    if self.requests.len() < MAX_HELD {
                        self.requests.push_back(protocol);
                    }
                }
                other => return other,
            }
        }
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Option<Self::ToBehaviour>> {
        self.inner.poll_close(cx)
    }

    fn on_behaviour_event(&mut self, event: Self::FromBehaviour) {
        match event {
            Either::Left(event) => self.inner.on_behaviour_event(event),
            Either::Right(Word::Release) => self.held = false,
            Either::Right(Word::Wait(time)) => self.waits = Some(Box::pin(sleep(time))),
        }
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<
            '_,
            Self::InboundProtocol,
            Self::OutboundProtocol,
            Self::InboundOpenInfo,
            Self::OutboundOpenInfo,
        >,
    ) {
        if matches!(event, ConnectionEvent::FullyNegotiatedInbound(_)) {
            self.held = false;
        }
        self.inner.on_connection_event(event);
    }
}
