//! The messages that a node has seen: which peer has each, and how long each is remembered and kept
//! at hand.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use super::config::Config;
use super::frame::Payload;
use crate::topic::Topic;

/// The id of a message: 20 bytes of a hash of its topic and its bytes.
pub type MessageId = [u8; 20];

/// What stands for a message between two peers: the first eight bytes of its id. Who makes two
/// messages with the same harms only these: the second counts as had.
pub type ShortId = u64;

/// Who introduced a message: a random number that a node draws when it starts. It is a claim that
/// nobody checks, and only tells which tree a message travels on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(pub u64);

impl Origin {
    /// Nobody's: such messages have no tree. They are announced, and given to whoever asks.
    pub const NONE: Origin = Origin(0);
}

/// A peer, from when it joins to when it leaves. No number comes twice.
pub(super) type Slot = u32;

/// The most messages remembered: the rate at which that is what 120 s bring is 2,184 a second. Each
/// takes some 100 bytes once it is no longer at hand.
pub(super) const MAX_SEEN: usize = 262_144;

/// The most bytes of accepted messages kept at hand.
pub(super) const MAX_CACHED_BYTES: usize = 32 << 20;

/// The first eight bytes of an id.
pub(super) fn short_of(id: &MessageId) -> ShortId {
    let mut short = [0; 8];
    short.copy_from_slice(&id[..8]);
    u64::from_le_bytes(short)
}

/// What is known of one peer and one message.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Link {
    pub(super) slot: Slot,
    /// It sent or announced it.
    pub(super) known: bool,
    /// It refused it.
    pub(super) refused: bool,
    /// It waits in the queue of what is pushed.
    pub(super) queued: bool,
    /// How often the peer was told that we have it, the message itself included.
    pub(super) told: u8,
    /// How often it was given on request.
    pub(super) given: u8,
}

/// A message that is at hand.
#[derive(Clone, Debug)]
pub(super) struct Live {
    pub(super) topic: Topic,
    pub(super) origin: Origin,
    pub(super) data: Payload,
    /// Who sent the first copy.
    pub(super) giver: Option<Slot>,
    /// Whether we introduced it.
    pub(super) ours: bool,
    /// Whether a peer is known to have it.
    pub(super) taken: bool,
    links: Vec<Link>,
    /// Peers of which nothing is known yet, while it is spread.
    pub(super) waiting: Vec<Slot>,
    /// When it is looked at next, while it is spread.
    pub(super) timer: Option<Duration>,
    /// How many rounds of announcing it have passed.
    pub(super) round: usize,
    /// When it was accepted.
    pub(super) accepted: Duration,
    pub(super) pushed: u32,
    pub(super) announced: u32,
}

impl Live {
    pub(super) fn new(topic: Topic, origin: Origin, data: Payload, giver: Option<Slot>) -> Self {
        Self {
            topic,
            origin,
            data,
            giver,
            ours: false,
            taken: false,
            links: Vec::new(),
            waiting: Vec::new(),
            timer: None,
            round: 0,
            accepted: Duration::ZERO,
            pushed: 0,
            announced: 0,
        }
    }

    /// What is known of a peer.
    pub(super) fn link(&mut self, slot: Slot) -> &mut Link {
        let at = match self.links.binary_search_by_key(&slot, |link| link.slot) {
            Ok(at) => at,
            Err(at) => {
                self.links.insert(at, Link { slot, ..Link::default() });
                at
            }
        };
        &mut self.links[at]
    }

    /// Forgets all peers but these.
    pub(super) fn keep_links(&mut self, keep: impl Fn(Slot) -> bool) {
        self.links.retain(|link| keep(link.slot));
    }

    pub(super) fn links(&self) -> &[Link] {
        &self.links
    }
}

/// How far a message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It waits for its verdict.
    Waiting,
    /// It was accepted.
    Accepted,
    /// It was not.
    Refused,
}

/// A message that was seen.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) id: MessageId,
    pub(super) at: Duration,
    pub(super) state: State,
    /// It, as long as it is at hand.
    pub(super) live: Option<Box<Live>>,
}

/// All messages that were seen.
#[derive(Debug, Default)]
pub(super) struct Store {
    /// Looked up for every id that is announced, and never walked through.
    seen: HashMap<ShortId, Seen>,
    /// In the order in which they came.
    order: VecDeque<(Duration, ShortId)>,
    /// Those that wait for a verdict, in the order in which they came; and some that do not any more.
    waiting: VecDeque<(Duration, ShortId)>,
    /// Those at hand, in the order in which they were accepted.
    cached: VecDeque<(Duration, ShortId)>,
    cached_bytes: usize,
    /// When those that are spread are looked at.
    timers: BTreeSet<(Duration, ShortId)>,
}

impl Store {
    pub(super) fn get(&self, short: ShortId) -> Option<&Seen> {
        self.seen.get(&short)
    }

    pub(super) fn get_mut(&mut self, short: ShortId) -> Option<&mut Seen> {
        self.seen.get_mut(&short)
    }

    /// The message, if it was accepted and is at hand.
    pub(super) fn accepted(&mut self, short: ShortId) -> Option<&mut Live> {
        let seen = self.seen.get_mut(&short).filter(|seen| seen.state == State::Accepted);
        seen.and_then(|seen| seen.live.as_deref_mut())
    }

    /// A new message, which waits for its verdict.
    pub(super) fn insert(&mut self, now: Duration, id: MessageId, live: Live) {
        let short = short_of(&id);
        let live = Some(Box::new(live));
        self.seen.insert(short, Seen { id, at: now, state: State::Waiting, live });
        self.order.push_back((now, short));
        self.waiting.push_back((now, short));
    }

    /// A message was accepted: from now on it is kept at hand.
    pub(super) fn keep(&mut self, now: Duration, short: ShortId) {
        let Some(live) = self.accepted(short) else { return };
        live.accepted = now;
        let bytes = live.data.0.len();
        self.cached_bytes = self.cached_bytes.saturating_add(bytes);
        self.cached.push_back((now, short));
    }

    /// Sets when a message is looked at next, or that it is not.
    pub(super) fn set_timer(&mut self, short: ShortId, timer: Option<Duration>) {
        let Some(live) = self.accepted(short) else { return };
        let before = std::mem::replace(&mut live.timer, timer);
        if let Some(before) = before {
            self.timers.remove(&(before, short));
        }
        if let Some(timer) = timer {
            self.timers.insert((timer, short));
        }
    }

    /// The next message to be looked at, if it is time.
    pub(super) fn due(&mut self, now: Duration) -> Option<ShortId> {
        self.timers.first().filter(|(at, _)| *at <= now).map(|(_, short)| *short)
    }

    pub(super) fn next_timer(&self) -> Option<Duration> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Messages that are being spread.
    pub(super) fn spreading(&self) -> Vec<ShortId> {
        self.timers.iter().map(|(_, short)| *short).collect()
    }

    /// Messages at hand that were accepted since then, the newest first.
    pub(super) fn recent(&self, since: Duration) -> impl Iterator<Item = ShortId> {
        self.cached.iter().rev().take_while(move |(at, _)| *at >= since).map(|(_, short)| *short)
    }

    /// The next message that need not be kept at hand any longer, for its age or for the bytes or
    /// the number of all.
    pub(super) fn stale(&mut self, now: Duration, config: &Config) -> Option<ShortId> {
        let (at, short) = *self.cached.front()?;
        let old = at.saturating_add(config.cached_for) <= now;
        let many = self.cached_bytes > MAX_CACHED_BYTES || self.order.len() > MAX_SEEN;
        (old || many).then_some(short)
    }

    /// A peer has left. What is still spread remembers it until that ends.
    pub(super) fn left(&mut self, slot: Slot) {
        for (_, short) in &self.cached {
            let live = self.seen.get_mut(short).and_then(|seen| seen.live.as_deref_mut());
            if let Some(live) = live.filter(|live| live.timer.is_none()) {
                live.links.retain(|link| link.slot != slot);
            }
        }
    }

    /// Lets go of the message that [`Store::stale`] gave.
    pub(super) fn let_go(&mut self) {
        let Some((_, short)) = self.cached.pop_front() else { return };
        self.set_timer(short, None);
        let live = self.seen.get_mut(&short).and_then(|seen| seen.live.take());
        let bytes = live.map_or(0, |live| live.data.0.len());
        self.cached_bytes = self.cached_bytes.saturating_sub(bytes);
    }

    /// Forgets a message whose verdict has not come in time, and gives who sent it and its bytes.
    pub(super) fn overdue(
        &mut self,
        now: Duration,
        config: &Config,
    ) -> Option<(Option<Slot>, usize)> {
        while let Some((at, short)) = self.waiting.front().copied() {
            let waits =
                self.get(short).is_some_and(|seen| seen.at == at && seen.state == State::Waiting);
            if waits && at.saturating_add(config.verdict_within) > now {
                return None;
            }
            self.waiting.pop_front();
            if waits {
                let seen = self.seen.remove(&short)?;
                return Some(seen.live.map_or((None, 0), |live| (live.giver, live.data.0.len())));
            }
        }
        None
    }

    /// Forgets what was seen too long ago, and what is too much. It gives how many were too much.
    pub(super) fn forget(&mut self, now: Duration, config: &Config) -> u64 {
        let mut too_many = 0;
        while let Some((at, short)) = self.order.front().copied() {
            let old = at.saturating_add(config.seen_for) <= now;
            if !old && self.order.len() <= MAX_SEEN {
                break;
            }
            let same = self.get(short).filter(|seen| seen.at == at);
            // Those at hand go another way first, those that wait as well.
            if same.is_some_and(|seen| seen.live.is_some()) {
                break;
            }
            if same.is_some() {
                self.seen.remove(&short);
                too_many += u64::from(!old);
            }
            self.order.pop_front();
        }
        too_many
    }

    /// Whether there is no room for another message.
    pub(super) fn is_full(&self) -> bool {
        self.order.len() >= MAX_SEEN + MAX_SEEN / 8
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// How many are remembered, and how many bytes are at hand.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.seen.len(), self.cached_bytes)
    }
}
