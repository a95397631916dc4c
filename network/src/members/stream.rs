//! The shell of [`crate::members`]: a stream of datagrams in each direction between two nodes.
//!
//! Datagrams may be lost: what a peer does not read in time is dropped, the oldest first, and counted, as the
//! news of a minute ago is worth nothing now. So nothing here holds anybody up.

mod handler;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::task::{Context, Poll, Waker};

use hearsay_chain::GenesisId;
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler, StreamProtocol,
    THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};

use self::handler::{Handler, News, Word};

/// The datagrams that wait to be handed up: what a node takes of all its neighbours in a second. Beyond it they
/// are dropped.
const MAX_WAITING: usize = 1_024;

/// What the behaviour tells the service.
#[derive(Debug)]
pub(crate) enum DatagramEvent {
    /// Datagrams can be sent to this peer from now on.
    Linked(PeerId),
    /// They cannot any more: its last stream, or its last connection, is gone.
    Unlinked {
        /// Whose.
        peer: PeerId,
        /// Whether either side had said goodbye.
        graceful: bool,
    },
    /// One came. An empty one was a goodbye, which has been noted.
    Received(PeerId, Vec<u8>),
    /// What came was none.
    Garbled(PeerId, &'static str),
    /// So many were dropped since this was said last.
    Dropped(u64),
}

/// Sends and receives datagrams.
pub(crate) struct Datagrams {
    protocol: StreamProtocol,
    limit: usize,
    dilation: u32,
    /// The connections of a peer on which our stream stands.
    open: BTreeMap<PeerId, Vec<ConnectionId>>,
    /// Peers whose connections are about to be closed, by them or by us; each has an open stream.
    closing: BTreeSet<PeerId>,
    events: VecDeque<ToSwarm<DatagramEvent, Word>>,
    waiting: usize,
    dropped: u64,
    waker: Option<Waker>,
}

impl Datagrams {
    /// `limit`: the bytes of a datagram at most, in both directions.
    pub(crate) fn new(genesis: GenesisId, limit: usize, dilation: u32) -> Self {
        let protocol = StreamProtocol::try_from_owned(format!("/hearsay/{genesis}/members/1"))
            .expect("it begins with a slash");
        Self {
            protocol,
            limit,
            dilation: dilation.max(1),
            open: BTreeMap::new(),
            closing: BTreeSet::new(),
            events: VecDeque::new(),
            waiting: 0,
            dropped: 0,
            waker: None,
        }
    }

    /// Sends a datagram, if the peer has a stream. Whether it has.
    pub(crate) fn send(&mut self, peer: PeerId, datagram: Vec<u8>) -> bool {
        let Some(connection) = self.open.get(&peer).and_then(|all| all.first()) else {
            return false;
        };
        let (handler, event) = (NotifyHandler::One(*connection), Word(datagram));
        self.events.push_back(ToSwarm::NotifyHandler { peer_id: peer, handler, event });
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
        true
    }

    /// Says to a peer that its connections are about to be closed, for no fault of anybody's.
    pub(crate) fn say_goodbye(&mut self, peer: PeerId) {
        if self.send(peer, Vec::new()) {
            self.closing.insert(peer);
        }
    }

    fn say(&mut self, event: DatagramEvent) {
        self.events.push_back(ToSwarm::GenerateEvent(event));
    }

    fn opened(&mut self, peer: PeerId, connection: ConnectionId) {
        let open = self.open.entry(peer).or_default();
        let first = open.is_empty();
        if !open.contains(&connection) {
            open.push(connection);
        }
        if first {
            self.say(DatagramEvent::Linked(peer));
        }
    }

    fn closed(&mut self, peer: PeerId, connection: ConnectionId) {
        let Some(open) = self.open.get_mut(&peer) else { return };
        open.retain(|it| *it != connection);
        if open.is_empty() {
            self.open.remove(&peer);
            let graceful = self.closing.remove(&peer);
            self.say(DatagramEvent::Unlinked { peer, graceful });
        }
    }

    /// A connection is gone. With the last one a goodbye has done what it was for.
    fn disconnected(&mut self, peer: PeerId, connection: ConnectionId, remaining: usize) {
        self.closed(peer, connection);
        if remaining == 0 {
            self.closing.remove(&peer);
        }
    }

    fn received(&mut self, peer: PeerId, datagram: Vec<u8>) {
        if self.waiting < MAX_WAITING {
            self.waiting += 1;
            self.say(DatagramEvent::Received(peer, datagram));
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    fn handler(&self) -> Handler {
        Handler::new(self.protocol.clone(), self.limit, self.dilation)
    }
}

impl NetworkBehaviour for Datagrams {
    type ConnectionHandler = Handler;
    type ToSwarm = DatagramEvent;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler())
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::ConnectionClosed(it) = event {
            self.disconnected(it.peer_id, it.connection_id, it.remaining_established);
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        news: THandlerOutEvent<Self>,
    ) {
        match news {
            News::Opened => self.opened(peer, connection),
            News::Closed => self.closed(peer, connection),
            News::Received(datagram) => self.received(peer, datagram),
            News::Goodbye => {
                if self.open.contains_key(&peer) {
                    self.closing.insert(peer);
                }
                // It counts against what the peer may send, as any other.
                self.received(peer, Vec::new());
            }
            News::Garbled(what) => self.say(DatagramEvent::Garbled(peer, what)),
            News::Dropped(count) => self.dropped = self.dropped.saturating_add(count),
        }
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        if self.dropped > 0 && self.waiting == 0 {
            let count = std::mem::take(&mut self.dropped);
            self.say(DatagramEvent::Dropped(count));
        }
        let Some(event) = self.events.pop_front() else {
            self.waker = Some(cx.waker().clone());
            return Poll::Pending;
        };
        if let ToSwarm::GenerateEvent(DatagramEvent::Received(..)) = event {
            self.waiting = self.waiting.saturating_sub(1);
        }
        Poll::Ready(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graceful(datagrams: &mut Datagrams) -> Vec<bool> {
        let events = datagrams.events.drain(..);
        let ends = events.filter_map(|event| match event {
            ToSwarm::GenerateEvent(DatagramEvent::Unlinked { graceful, .. }) => Some(graceful),
            _ => None,
        });
        ends.collect()
    }

    #[test]
    fn a_goodbye_counts_while_a_stream_is_open_and_is_forgotten_with_it() {
        let mut datagrams = Datagrams::new(GenesisId([7; 32]), 100, 1);
        let peer = PeerId::random();
        let [first, second] = [1, 2].map(ConnectionId::new_unchecked);
        datagrams.on_connection_handler_event(peer, first, News::Goodbye);
        assert!(datagrams.closing.is_empty(), "no stream is open");
        datagrams.opened(peer, first);
        datagrams.on_connection_handler_event(peer, first, News::Goodbye);
        assert_eq!(datagrams.waiting, 2, "each counts as a datagram");
        datagrams.disconnected(peer, first, 0);
        assert_eq!(graceful(&mut datagrams), [true]);
        datagrams.opened(peer, second);
        datagrams.disconnected(peer, second, 0);
        assert_eq!(graceful(&mut datagrams), [false]);
        assert!(datagrams.closing.is_empty() && datagrams.open.is_empty());
    }

    #[test]
    fn goodbyes_of_many_peers_leave_nothing_behind() {
        let mut datagrams = Datagrams::new(GenesisId([7; 32]), 100, 1);
        for number in 0..2 * MAX_WAITING {
            let connection = ConnectionId::new_unchecked(number);
            datagrams.on_connection_handler_event(PeerId::random(), connection, News::Goodbye);
        }
        assert!(datagrams.closing.is_empty());
        assert_eq!((datagrams.waiting, datagrams.dropped), (MAX_WAITING, MAX_WAITING as u64));
    }
}
