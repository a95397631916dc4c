//! Links that behave like wide-area ones, inside the node's own transport: no root, no container,
//! no kernel module.
//!
//! A shaped stream sits between noise and yamux, so one connection is one ordered stream of bytes,
//! as over TCP, and yamux's own frames are delayed with all the rest. The **sender** computes for
//! each frame when it arrives, by arithmetic alone (`link/path.rs`), and writes that moment before
//! it; the **receiver** reads at once and holds the frame until then. Both read the machine's
//! monotonic clock, so both ends must run on one machine. A node outside a lab has no such stream.
//!
//! # The model
//!
//! A frame of some bytes, written at some moment,
//! 1. waits in the node's *uplink*, one queue for all its connections, first come, first served;
//! 2. passes the *link*, at the link's rate. Each segment of 1,460 bytes takes 40 more for its
//!    headers, in both;
//! 3. leaves only when TCP's *start-up window* lets it, if that is modelled: ten segments at first
//!    (RFC 6928), one more for each acknowledged, and ten again after a silence of a retransmission
//!    timeout (RFC 5681);
//! 4. travels for the *delay*, which varies by *jitter*: normally distributed up to three standard
//!    deviations, similar for what follows closely;
//! 5. may be *lost*, segment by segment. A stream loses nothing: it stands still for one round trip
//!    if segments behind the lost one tell of it, otherwise for a retransmission timeout (a round
//!    trip and 200 ms, doubled each time; one second before the first round trip);
//! 6. arrives not before the frame ahead of it, and passes the receiver's *downlink*, again one
//!    queue for all.
//!
//! A *cut* holds back what has not left. What is under way arrives. When the link is mended, what
//! was held leaves at the moment at which TCP would next have sent it again: it has backed off, so
//! after a cut of ten seconds some more seconds may pass. A cut in one direction holds nothing of
//! the other, whose acknowledgements are taken for granted.
//!
//! Before yamux starts, the round trips of TCP's, noise's and the negotiation's handshakes are
//! played over the shaped stream, so a new connection takes as long as it would.
//!
//! # What is left out
//!
//! Queues in the middle of the network, and losses by their overflow; congestion control after slow
//! start; delayed acknowledgements; the way of acknowledgements through queues; reordering; a
//! socket's send buffer (what it would keep waits in yamux). A killed node's peers notice after a
//! delay even across a cut, which its last packet could not have passed; a connection that is closed
//! in order across a cut ends when that is mended. Where neither window nor rate limits a connection,
//! at most 4 MiB are under way on it.
//!
//! # Bounds
//!
//! A writer waits while its connection has 5 ms of its own before the uplink or the link, or while
//! the window is shut; it holds one frame of 16 KiB meanwhile. A reader holds at most 4 MiB and
//! then lets the socket fill. A frame out of bounds closes the connection.

mod alarm;
mod chance;
pub(crate) mod clock;
mod frame;
mod line;
mod path;
mod queue;
mod shaped;
mod spec;
#[cfg(test)]
mod tests;
mod upgrade;
mod window;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Waker;
use std::time::Duration;

use futures::task::AtomicWaker;
use libp2p::PeerId;

use chance::Chance;
use clock::Clock;
use frame::Frame;
use path::{Arrival, Gate, Path};
use queue::Queue;

pub use spec::{Access, LONGEST_DELAY, LOWEST_RATE, LinkSpec, LinksConfig, MOST_LOSS};
pub(crate) use upgrade::ShapedYamux;

/// The links of one node, shared by all its connections. A change acts at once, on connections that
/// stand as on later ones.
#[derive(Clone, Debug)]
pub struct Links(Arc<Node>);

#[derive(Debug)]
struct Node {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    config: LinksConfig,
    uplink: Queue,
    downlink: Queue,
    /// The writers of the connections that stand, to be woken by a change.
    writers: Vec<Weak<AtomicWaker>>,
}

impl State {
    fn spec(&self, peer: &PeerId) -> LinkSpec {
        self.config.peers.get(peer).copied().unwrap_or(self.config.default)
    }
}

impl Links {
    /// Links as asked, each value bounded to what can be played ([`LinkSpec::bounded`]).
    #[must_use]
    pub fn new(config: LinksConfig) -> Self {
        let clock = Clock::new(config.dilation);
        let config = LinksConfig {
            default: config.default.bounded(),
            peers: config.peers.into_iter().map(|(peer, spec)| (peer, spec.bounded())).collect(),
            access: config.access.bounded(),
            dilation: clock.dilation(),
            ..config
        };
        let state = State {
            config,
            uplink: Queue::default(),
            downlink: Queue::default(),
            writers: Vec::new(),
        };
        Self(Arc::new(Node { clock, state: Mutex::new(state) }))
    }

    /// Changes the way to one peer.
    pub fn set(&self, peer: PeerId, spec: LinkSpec) {
        self.change(|config| {
            config.peers.insert(peer, spec.bounded());
        });
    }

    /// Changes the way to every peer that has none of its own.
    pub fn set_default(&self, spec: LinkSpec) {
        self.change(|config| config.default = spec.bounded());
    }

    /// Changes the node's access.
    pub fn set_access(&self, access: Access) {
        self.change(|config| config.access = access.bounded());
    }

    /// The way to a peer as it is now.
    #[must_use]
    pub fn spec(&self, peer: &PeerId) -> LinkSpec {
        self.lock().spec(peer)
    }

    fn change(&self, change: impl FnOnce(&mut LinksConfig)) {
        let mut state = self.lock();
        change(&mut state.config);
        let writers: Vec<_> = state.writers.iter().filter_map(Weak::upgrade).collect();
        drop(state);
        for writer in writers {
            writer.wake();
        }
    }

    pub(crate) fn clock(&self) -> Clock {
        self.0.clock
    }

    /// One end of a new connection.
    fn connect(&self, own: &PeerId, peer: PeerId) -> Connection {
        let writer = Arc::new(AtomicWaker::new());
        let mut state = self.lock();
        state.writers.retain(|writer| writer.strong_count() > 0);
        state.writers.push(Arc::downgrade(&writer));
        let chance = Chance::new(state.config.seed, own, &peer);
        let path = Path::new(chance, state.config.window);
        drop(state);
        Connection { links: self.clone(), peer, writer, path }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics while it holds the lock; if it did, the state would still be sound.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One end of a connection: its path, and what it shares with the node's others.
#[derive(Debug)]
struct Connection {
    links: Links,
    peer: PeerId,
    writer: Arc<AtomicWaker>,
    path: Path,
}

/// What becomes of bytes that want to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Departure {
    /// A frame of some of them leaves.
    Leaves(Frame),
    /// They wait until then, or until a change wakes the writer.
    Waits(Duration),
    /// They wait until a change wakes the writer.
    Held,
}

impl Connection {
    fn clock(&self) -> Clock {
        self.links.clock()
    }

    /// Lets a frame leave, if one may.
    fn depart(&mut self, wanted: usize, waker: &Waker) -> Departure {
        // Before the look at the state: a change after it must wake.
        self.writer.register(waker);
        let now = self.clock().now();
        let mut state = self.links.lock();
        let (spec, up) = (state.spec(&self.peer), state.config.access.up);
        match self.path.gate(now, &spec, up, wanted) {
            Gate::Open(bytes) => {
                let arrival = self.path.send(now, &spec, &mut state.uplink, up, bytes);
                Departure::Leaves(Frame { bytes, arrival, delay: spec.delay })
            }
            Gate::Shut(until) => Departure::Waits(until),
            Gate::Cut => Departure::Held,
        }
    }

    /// A frame has come to the node's downlink: when is it through?
    fn deliver(&self, arrival: Arrival, bytes: usize) -> Duration {
        let mut state = self.links.lock();
        let down = state.config.access.down;
        if down.is_none() {
            return arrival.last;
        }
        let bytes = path::on_the_line(bytes);
        state.downlink.pass_along(arrival.first, arrival.last, bytes, down)
    }
}

/// The share of a busy line that is not headers.
pub(crate) fn payload_share() -> f64 {
    path::SEGMENT as f64 / (path::SEGMENT + path::HEADERS) as f64
}
