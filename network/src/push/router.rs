//! The router: what its owner calls, and what it sends.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::sync::Arc;
use std::time::Duration;

use hearsay_chain::Verdict;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::config::Config;
use super::frame::{Frame, Item, MAX_ITEMS, PART_BYTES, Part, Payload, item_bytes};
use super::heard::{Heard, PeerStats};
use super::message::{Live, MessageId, Origin, ShortId, Slot, State, Store, short_of};
use super::missing::Board;
use super::peer::Peer;
use super::tree::{Trees, Turn};
use crate::sync::allowance::{Allowance, Terms};
use crate::topic::Topic;

/// Gives the id of a message, which covers its topic and its bytes.
pub type Identify = Box<dyn Fn(Topic, &[u8]) -> MessageId + Send>;

/// After a peer has joined, a beacon follows within this time: at random, as many join at once.
const BEACON_AFTER_JOIN: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(500)];

/// The shortest time between two beacons. At first they follow each other by this, then by
/// [`BEACON_GROWTH`] times as much, and so on up to the usual time: connections come one by one, and
/// with them better paths.
const BEACON_SHORTEST: Duration = Duration::from_secs(1);

/// How much longer the time to the next beacon is than the one before: each goes over every connection
/// in both directions, in a frame of its own, which is what a message in three costs while a network
/// starts. A join brings one forward in any case.
pub(super) const BEACON_GROWTH: u32 = 3;

/// The beacons of others that are passed on, and that plant trees of origins that were not known: fewer than peers take of one, so that whoever makes them
/// up does not make us an offender. A thousand nodes that send one a minute bring 17 a second. Five hundred
/// may start together; with more, some paths are learnt by the next beacon or by messages.
const PASSING: Terms = Terms { at_once: 512.0, a_second: 64.0 };

/// A peer that joins hears of so many recent messages at most: four seconds' worth of 1,000 a second.
const MAX_RECENT: usize = 4_096;

/// The most parts of messages in a frame, so that there is room for others.
const MESSAGE_PARTS: usize = 512;

/// Old things are looked for this often.
pub(super) const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// Spreads messages among the peers that speak its protocol.
///
/// Its owner gives it what came ([`Router::received`]) and the time, judges each
/// [`Heard::Message`] once, and calls [`Router::tick`] when [`Router::wake_at`] says so. After each
/// call it sends, to each peer whose stream can take one, what [`Router::next_frame`] gives.
/// Time never runs backwards. Nothing is dropped in silence: [`Heard::Dropped`].
pub struct Router<P> {
    pub(super) config: Config,
    pub(super) origin: Origin,
    pub(super) identify: Identify,
    pub(super) random: StdRng,
    pub(super) names: BTreeMap<P, Slot>,
    pub(super) peers: BTreeMap<Slot, Peer>,
    next_slot: Slot,
    pub(super) store: Store,
    pub(super) board: Board,
    pub(super) trees: Trees,
    pub(super) heard: Vec<Heard<P>>,
    pub(super) beacons: Beacons,
    pub(super) sweep_at: Option<Duration>,
}

/// When beacons are sent.
#[derive(Debug)]
pub(super) struct Beacons {
    pub(super) at: Option<Duration>,
    pub(super) last: Option<Duration>,
    pub(super) number: u64,
    pub(super) gap: Duration,
    /// How many of others may be passed on.
    pub(super) passing: Allowance,
}

impl<P: Ord + Copy + Debug> Router<P> {
    /// A router without peers. `origin` is drawn at random by the caller, and is not
    /// [`Origin::NONE`]. The same seed and the same calls give the same answers.
    #[must_use]
    pub fn new(config: Config, origin: Origin, seed: u64, identify: Identify) -> Self {
        let gap = BEACON_SHORTEST.min(config.beacon_every);
        Self {
            config,
            origin,
            identify,
            random: StdRng::seed_from_u64(seed),
            names: BTreeMap::new(),
            peers: BTreeMap::new(),
            next_slot: 0,
            store: Store::default(),
            board: Board::default(),
            trees: Trees::new(),
            heard: Vec::new(),
            beacons: Beacons {
                at: None,
                last: None,
                number: 0,
                gap,
                passing: Allowance::new(PASSING),
            },
            sweep_at: None,
        }
    }

    /// A peer speaks the protocol, and frames can be sent to it. One that is there already has left
    /// and joined again.
    pub fn joined(&mut self, now: Duration, name: P) {
        self.left(now, &name);
        let slot = self.next_slot;
        self.next_slot = self.next_slot.wrapping_add(1);
        self.names.insert(name, slot);
        self.peers.insert(slot, Peer::new(slot));
        // What others push to us need not be pushed by the newcomer as well. Should it be faster,
        // beacons will tell.
        let parents = self.trees.iter_mut().filter(|(_, tree)| tree.has_parent());
        let mut known = Vec::new();
        for (origin, tree) in parents {
            tree.silence_newcomer(slot, now);
            known.push((origin, Turn::Lazy(slot)));
        }
        self.tell(now, known);
        let recent = now.saturating_sub(self.config.recent);
        let recent: Vec<ShortId> = self.store.recent(recent).take(MAX_RECENT).collect();
        for short in recent.into_iter().rev() {
            self.announce(now, slot, short, now.saturating_add(self.config.announce_every));
        }
        self.wait_for(slot);
        if !self.config.beacon_every.is_zero() && self.config.eager {
            let [from, to] = BEACON_AFTER_JOIN;
            let soon = now.saturating_add(self.random.random_range(from..to));
            let allowed = self.beacons.last.map_or(soon, |at| at.saturating_add(BEACON_SHORTEST));
            let at = soon.max(allowed);
            self.beacons.at = Some(self.beacons.at.map_or(at, |before| before.min(at)));
        }
    }

    /// A peer is gone. What waited for it is forgotten.
    pub fn left(&mut self, now: Duration, name: &P) {
        let Some(slot) = self.names.remove(name) else { return };
        self.peers.remove(&slot);
        self.board.left(slot, now);
        let turns = self.trees.left(slot);
        self.tell(now, turns);
        self.no_longer_wait_for(slot);
        self.store.left(slot);
    }

    /// The round trip to a peer was measured.
    pub fn measured(&mut self, name: &P, round_trip: Duration) {
        if let Some(peer) = self.peer_mut(name) {
            peer.round_trip = Some(round_trip);
        }
    }

    /// Introduces a message. One that is known already is spread anew only if it had been refused.
    ///
    /// `lazily`: others most likely have it. It is only announced, after a while.
    pub fn publish(
        &mut self,
        now: Duration,
        topic: Topic,
        data: impl Into<Arc<[u8]>>,
        lazily: bool,
    ) -> MessageId {
        let data = Payload(data.into());
        let id = (self.identify)(topic, &data.0);
        let short = short_of(&id);
        let origin = if lazily { Origin::NONE } else { self.origin };
        let mut live = Live::new(topic, origin, data, None);
        live.ours = true;
        match self.store.get_mut(short) {
            Some(seen) if seen.state != State::Refused || seen.id != id => return id,
            Some(seen) => seen.live = Some(Box::new(live)),
            None => self.store.insert(now, id, live),
        }
        self.spread(now, short);
        id
    }

    /// The verdict on a message that [`Heard::Message`] told of. Others, and second ones, do nothing.
    pub fn judged(&mut self, now: Duration, message: &MessageId, verdict: Verdict) {
        let short = short_of(message);
        let Some(seen) = self.store.get_mut(short) else { return };
        if seen.state != State::Waiting || seen.id != *message {
            return;
        }
        if let Some(live) = &seen.live {
            let (giver, bytes) = (live.giver, live.data.0.len());
            if let Some(peer) = giver.and_then(|slot| self.peers.get_mut(&slot)) {
                peer.unjudged = peer.unjudged.saturating_sub(1);
                peer.unjudged_bytes = peer.unjudged_bytes.saturating_sub(bytes);
            }
        }
        match verdict {
            Verdict::Accept => self.spread(now, short),
            Verdict::Ignore | Verdict::Reject => {
                seen.state = State::Refused;
                let Some(live) = seen.live.take() else { return };
                for link in live.links().iter().filter(|link| link.known) {
                    self.refuse(now, link.slot, short);
                }
            }
        }
    }

    /// What is to be sent to a peer now, if anything: to be called when its stream can take a frame.
    /// It may change [`Router::wake_at`].
    pub fn next_frame(&mut self, now: Duration, name: &P) -> Option<Frame> {
        let slot = *self.names.get(name)?;
        let peer = self.peers.get(&slot)?;
        if !peer.has_frame(now) {
            return None;
        }
        let mut frame = Frame::default();
        let bytes = self.take_queue(now, slot, &mut frame);
        self.take_answers(slot, bytes, &mut frame);
        let peer = self.peers.get_mut(&slot)?;
        // Nothing of the queue may have been left to send.
        if !frame.parts.is_empty() || peer.says.is_due(now) {
            peer.says.fill(now, &mut frame.parts);
        }
        if frame.parts.is_empty() {
            return None;
        }
        peer.stats.sent.count(&frame);
        Some(frame)
    }

    /// Takes messages that are to be pushed, until a frame is full. Gives their bytes.
    fn take_queue(&mut self, now: Duration, slot: Slot, frame: &mut Frame) -> usize {
        let mut bytes = 0usize;
        while frame.parts.len() < MESSAGE_PARTS {
            let Some(peer) = self.peers.get_mut(&slot) else { break };
            let Some(short) = peer.queue.front().copied() else { break };
            let Some(live) = self.store.accepted(short) else {
                peer.queue.pop_front();
                self.heard.push(Heard::Dropped { place: "push-expired", count: 1 });
                continue;
            };
            let link = live.link(slot);
            if !link.queued {
                // It was refused meanwhile, and introduced again: it has another place.
                peer.queue.pop_front();
                continue;
            }
            if link.known || link.refused {
                link.queued = false;
                peer.queue.pop_front();
                // It is still owed to be told that we have it.
                let by = now.saturating_add(self.config.acknowledge_every);
                self.announce(now, slot, short, by);
                continue;
            }
            let origin = live.origin;
            let cost = item_bytes(&live.data).saturating_add(PART_BYTES);
            if bytes > 0 && bytes.saturating_add(cost) > self.config.frame_bytes {
                break;
            }
            let link = live.link(slot);
            link.queued = false;
            link.told = link.told.saturating_add(1);
            live.pushed = live.pushed.saturating_add(1);
            bytes = bytes.saturating_add(cost);
            let item = Item { topic: live.topic, data: live.data.clone() };
            match frame.parts.last_mut() {
                Some(Part::Messages { origin: same, items })
                    if *same == origin && items.len() < MAX_ITEMS =>
                {
                    items.push(item);
                }
                _ => frame.parts.push(Part::Messages { origin, items: vec![item] }),
            }
            peer.queue.pop_front();
        }
        bytes
    }

    /// Takes messages that were asked for, as many as still fit.
    fn take_answers(&mut self, slot: Slot, mut bytes: usize, frame: &mut Frame) {
        let Some(peer) = self.peers.get_mut(&slot) else { return };
        let mut given = Vec::new();
        while given.len() < MAX_ITEMS
            && let Some(short) = peer.answers.front().copied()
        {
            let Some(live) = self.store.accepted(short) else {
                peer.answers.pop_front();
                peer.says.gone(short);
                continue;
            };
            let cost = item_bytes(&live.data).saturating_add(PART_BYTES);
            if bytes > 0 && bytes.saturating_add(cost) > self.config.frame_bytes {
                break;
            }
            peer.answers.pop_front();
            bytes = bytes.saturating_add(cost);
            live.pushed = live.pushed.saturating_add(1);
            given.push((live.origin, Item { topic: live.topic, data: live.data.clone() }));
        }
        if !given.is_empty() {
            frame.parts.push(Part::Asked { items: given });
        }
    }

    /// Whether there is something to be sent to a peer now.
    #[must_use]
    pub fn has_frame(&self, now: Duration, name: &P) -> bool {
        self.peer(name).is_some_and(|peer| peer.has_frame(now))
    }

    /// The peers to which there is something to be sent now.
    pub fn ready(&self, now: Duration) -> impl Iterator<Item = P> {
        let peer = |slot| self.peers.get(slot);
        let ready = move |slot| peer(slot).is_some_and(|peer| peer.has_frame(now));
        self.names.iter().filter(move |(_, slot)| ready(*slot)).map(|(name, _)| *name)
    }

    /// How many messages of a peer wait for their verdict. Its owner stops reading from a peer that
    /// has too many.
    #[must_use]
    pub fn unjudged(&self, name: &P) -> usize {
        self.peer(name).map_or(0, |peer| peer.unjudged)
    }

    /// The bytes of those messages.
    #[must_use]
    pub fn unjudged_bytes(&self, name: &P) -> usize {
        self.peer(name).map_or(0, |peer| peer.unjudged_bytes)
    }

    /// What went over the connection to a peer since it joined.
    #[must_use]
    pub fn stats(&self, name: &P) -> PeerStats {
        self.peer(name).map_or_else(PeerStats::default, |peer| peer.stats)
    }

    /// The peers, in order.
    pub fn peers(&self) -> impl Iterator<Item = P> {
        self.names.keys().copied()
    }

    /// How much is remembered.
    #[must_use]
    pub fn size(&self) -> Size {
        let (seen, cached_bytes) = self.store.size();
        let queued = |peer: &Peer| peer.queue.len().saturating_add(peer.answers.len());
        Size {
            seen,
            cached_bytes,
            missing: self.board.len(),
            origins: self.trees.len(),
            queued: self.peers.values().map(queued).sum(),
            said: self.peers.values().map(|peer| peer.says.len()).sum(),
        }
    }

    fn peer(&self, name: &P) -> Option<&Peer> {
        self.peers.get(self.names.get(name)?)
    }

    fn peer_mut(&mut self, name: &P) -> Option<&mut Peer> {
        self.peers.get_mut(self.names.get(name)?)
    }
}

/// How much a router remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Messages seen.
    pub seen: usize,
    /// Bytes of accepted messages at hand.
    pub cached_bytes: usize,
    /// Messages that were announced and have not come.
    pub missing: usize,
    /// Origins whose trees are known.
    pub origins: usize,
    /// Messages that wait to be sent to peers.
    pub queued: usize,
    /// Ids, origins and beacons that wait to be said to peers.
    pub said: usize,
}

impl<P: Debug> Debug for Router<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Router").field("origin", &self.origin).field("peers", &self.names).finish()
    }
}
