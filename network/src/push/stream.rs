//! The shell of [`crate::push`]: the router behind libp2p's behaviour, and a stream to each peer.
//!
//! The router says what to send, and is asked only when a peer's stream can take a frame. What comes
//! is read a frame at a time, and is not given to the router, nor is more read from that peer, while
//! too much waits for a verdict: so what cannot be checked in time waits at its sender and is not
//! lost. Verdicts always come, or the router gives up waiting for them; so this ends.

mod frames;
mod handler;
mod links;
mod pump;
mod tally;

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use hearsay_chain::{GenesisId, Verdict};
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler, StreamProtocol,
    THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};
use tokio::time::Sleep;

pub use tally::{Tally, TrafficCount};

use self::handler::{Handler, News, Word};
use self::links::{Change, Links};
use crate::push::{Config, Frame, Heard, MessageId, Origin, PeerStats, Router};
use crate::topic::{Topic, Topics, message_id};

/// What the behaviour tells the service.
#[derive(Debug)]
pub(crate) enum PushEvent {
    /// Messages spread to this peer from now on.
    Joined(PeerId),
    /// This connection's peer does not speak the protocol.
    Unsupported(PeerId, ConnectionId),
    /// What the router has to say, of a frame that was read then.
    Heard(Instant, Vec<Heard<PeerId>>),
}

/// A frame that waits for room.
#[derive(Debug)]
struct Arrived {
    peer: PeerId,
    connection: ConnectionId,
    frame: Frame,
    /// Whether it carries messages.
    carries: bool,
    at: Instant,
}

/// The router and its peers' streams.
pub(crate) struct Push {
    protocol: StreamProtocol,
    limit: usize,
    router: Router<PeerId>,
    links: Links,
    /// One of each connection at most, as none is read before the last was taken.
    arrived: VecDeque<Arrived>,
    events: VecDeque<ToSwarm<PushEvent, Word>>,
    /// Whether whoever takes [`PushEvent::Heard`] has room.
    room: bool,
    /// Whether a peer may have a frame that it had not when all were asked last.
    changed: bool,
    started: Instant,
    dilation: u32,
    sleep: Option<(Duration, Pin<Box<Sleep>>)>,
    waker: Option<Waker>,
    traffic: TrafficCount,
    /// The share of frames that are thrown away when they come; 0 outside a lab.
    loss: f64,
    /// What went over streams of connected peers that have ended since. One of each peer that is
    /// connected at most.
    ended: BTreeMap<PeerId, PeerStats>,
}

impl Push {
    /// `limit`: the bytes of a frame at most. `loss`: the share of frames to throw away.
    pub(crate) fn new(
        genesis: GenesisId,
        config: Config,
        limit: usize,
        dilation: u32,
        traffic: TrafficCount,
        loss: f64,
    ) -> Self {
        let topics = Topics::new(genesis);
        let name = |topic: Topic| topics.ident(topic).hash().into_string();
        let (tx, block) = (name(Topic::Tx), name(Topic::Block));
        let identify = move |topic: Topic, data: &[u8]| match topic {
            Topic::Tx => message_id(&tx, data),
            Topic::Block => message_id(&block, data),
        };
        // Zero is nobody's.
        let origin = Origin(rand::random::<u64>().max(1));
        let router = Router::new(config, origin, rand::random(), Box::new(identify));
        Self {
            protocol: protocol(genesis),
            limit,
            router,
            links: Links::default(),
            arrived: VecDeque::new(),
            events: VecDeque::new(),
            room: true,
            changed: false,
            started: Instant::now(),
            dilation: dilation.max(1),
            sleep: None,
            waker: None,
            traffic,
            loss,
            ended: BTreeMap::new(),
        }
    }

    /// The undilated time since the start: what the router counts by.
    fn now(&self) -> Duration {
        self.started.elapsed() / self.dilation
    }

    /// Spreads a message that this node introduces, or has accepted from elsewhere; `lazily` if
    /// others most likely have it.
    pub(crate) fn publish(&mut self, topic: Topic, data: &[u8], lazily: bool) -> MessageId {
        let now = self.now();
        let message = self.router.publish(now, topic, data, lazily);
        // It may be here already, waiting for a verdict. This is the verdict.
        self.router.judged(now, &message, Verdict::Accept);
        self.wake();
        message
    }

    /// The verdict on a message that was told of.
    pub(crate) fn judged(&mut self, message: &MessageId, verdict: Verdict) {
        self.router.judged(self.now(), message, verdict);
        self.wake();
    }

    /// The round trip to a peer, undilated.
    pub(crate) fn measured(&mut self, peer: &PeerId, round_trip: Duration) {
        self.router.measured(peer, round_trip);
    }

    /// Whether there is room for what comes. Without, nothing more is read.
    pub(crate) fn set_room(&mut self, room: bool) {
        if room && !self.room {
            self.wake();
        }
        self.room = room;
    }

    /// Whether something has come that waits for room.
    pub(crate) fn waits_for_room(&self) -> bool {
        !self.room && !self.arrived.is_empty()
    }

    /// Whether messages are spread to this peer here.
    pub(crate) fn has(&self, peer: &PeerId) -> bool {
        self.links.active(peer).is_some()
    }

    /// Whether messages are spread to anybody here.
    pub(crate) fn has_peers(&self) -> bool {
        self.router.peers().next().is_some()
    }

    /// What went over the streams to a peer and from it since it is connected.
    pub(crate) fn stats(&self, peer: &PeerId) -> PeerStats {
        let ended = self.ended.get(peer).copied().unwrap_or_default();
        ended.plus(&self.router.stats(peer))
    }

    fn wake(&mut self) {
        self.changed = true;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn tell(&mut self, peer: PeerId, connection: ConnectionId, event: Word) {
        let handler = NotifyHandler::One(connection);
        self.events.push_back(ToSwarm::NotifyHandler { peer_id: peer, handler, event });
    }

    fn say(&mut self, event: PushEvent) {
        self.events.push_back(ToSwarm::GenerateEvent(event));
    }

    /// Lets a connection read a frame, if it may.
    fn let_read(&mut self, peer: PeerId, connection: ConnectionId) {
        let waits = self.arrived.iter().any(|it| it.connection == connection);
        if !waits && self.has(&peer) && self.links.begin_read(&peer, connection) {
            self.tell(peer, connection, Word::Read);
        }
    }

    /// Follows what became of a peer's streams.
    fn follow(&mut self, peer: PeerId, change: Change) {
        let now = self.now();
        if matches!(change, Change::Left | Change::Moved) {
            self.ended.insert(peer, self.stats(&peer));
            self.router.left(now, &peer);
        }
        // What was on its way over a stream that is gone may be lost; who joins anew hears of it again.
        if matches!(change, Change::Joined | Change::Moved) {
            self.router.joined(now, peer);
            for connection in self.links.connections(&peer) {
                self.let_read(peer, connection);
            }
        }
        if change == Change::Joined {
            self.say(PushEvent::Joined(peer));
        }
        self.wake();
    }
}

/// What a stream of frames is called.
fn protocol(genesis: GenesisId) -> StreamProtocol {
    StreamProtocol::try_from_owned(format!("/hearsay/{genesis}/push/2"))
        .expect("it begins with a slash")
}

impl NetworkBehaviour for Push {
    type ConnectionHandler = Handler;
    type ToSwarm = PushEvent;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::new(self.protocol.clone(), self.limit, self.dilation))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::new(self.protocol.clone(), self.limit, self.dilation))
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(it) => {
                self.links.connected(it.peer_id, it.connection_id);
                self.let_read(it.peer_id, it.connection_id);
            }
            FromSwarm::ConnectionClosed(it) => {
                self.arrived.retain(|frame| frame.connection != it.connection_id);
                let change = self.links.disconnected(&it.peer_id, it.connection_id);
                self.follow(it.peer_id, change);
                if it.remaining_established == 0 {
                    self.ended.remove(&it.peer_id);
                }
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        news: THandlerOutEvent<Self>,
    ) {
        match news {
            News::Opened => {
                let change = self.links.opened(&peer, connection);
                self.follow(peer, change);
            }
            News::Lost => {
                let change = self.links.lost(&peer, connection);
                self.follow(peer, change);
            }
            News::Unsupported => self.say(PushEvent::Unsupported(peer, connection)),
            News::Sent(tally) => {
                self.traffic.add_sent(&tally);
                self.links.end_send(&peer, connection);
                self.changed = true;
            }
            News::Frame { frame, tally, at } => {
                self.traffic.add_received(&tally);
                self.links.end_read(&peer, connection);
                if self.loss > 0.0 && rand::random_bool(self.loss) {
                    return self.let_read(peer, connection);
                }
                let carries = tally.messages() > 0;
                self.arrived.push_back(Arrived { peer, connection, frame, carries, at });
            }
            News::Garbled(what) => {
                let heard = vec![Heard::Offence { peer, what }];
                self.say(PushEvent::Heard(Instant::now(), heard));
            }
        }
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(event);
            }
            if self.take_arrived() {
                continue;
            }
            self.send();
            if !self.events.is_empty() {
                continue;
            }
            if self.poll_sleep(cx) {
                self.tick();
                continue;
            }
            self.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
    }
}
