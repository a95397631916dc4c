//! The tree of each origin, as one node sees it: who pushes to it, and to whom it pushes.

use std::num::NonZeroUsize;
use std::time::Duration;

use lru::LruCache;

use super::config::Config;
use super::message::{Origin, Slot};

/// The most origins whose trees are remembered. A forgotten one floods once, and is learnt again.
pub(super) const MAX_ORIGINS: usize = 4_096;

/// How many other peers are asked to push when the one that did has left. One may have had the
/// messages through us.
const STAND_INS: usize = 2;

/// What a peer is to be told of an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// To push its messages.
    Eager(Slot),
    /// Only to announce them.
    Lazy(Slot),
}

#[derive(Clone, Copy, Debug)]
struct Parent {
    slot: Slot,
    /// Whether it gave a message, not only a beacon: beacons cost nothing to forge, so they never take
    /// its place.
    by_message: bool,
}

#[derive(Clone, Copy, Debug)]
struct Beacon {
    number: u64,
    at: Duration,
    from: Slot,
}

/// The tree of one origin.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    parent: Option<Parent>,
    /// Peers that were told to be lazy, and when.
    silenced: Vec<(Slot, Duration)>,
    /// Peers that told us to be lazy.
    lazy: Vec<Slot>,
    /// Whether anything was spread along it.
    used: bool,
    /// The peer that announced early, and how many times in a row.
    faster: Option<(Slot, u32)>,
    beacon: Option<Beacon>,
}

impl Tree {
    /// Whether messages are pushed to this peer.
    pub(super) fn pushes_to(&self, slot: Slot) -> bool {
        !self.lazy.contains(&slot)
    }

    /// Whether this peer was told to be lazy.
    fn is_silenced(&self, slot: Slot) -> bool {
        self.silenced.iter().any(|(it, _)| *it == slot)
    }

    /// Whether someone is known to push to us.
    pub(super) fn has_parent(&self) -> bool {
        self.parent.is_some()
    }

    /// Whether nothing was spread along it before; from now on something was.
    pub(super) fn first_use(&mut self) -> bool {
        !std::mem::replace(&mut self.used, true)
    }

    fn hear_again(&mut self, slot: Slot) -> Option<Turn> {
        let before = self.silenced.len();
        self.silenced.retain(|(it, _)| *it != slot);
        (self.silenced.len() < before).then_some(Turn::Eager(slot))
    }

    fn silence(&mut self, slot: Slot, now: Duration, config: &Config) -> Option<Turn> {
        match self.silenced.iter_mut().find(|(it, _)| *it == slot) {
            Some((_, told)) if now.saturating_sub(*told) < config.tell_again => return None,
            Some((_, told)) => *told = now,
            None => self.silenced.push((slot, now)),
        }
        Some(Turn::Lazy(slot))
    }

    /// The peer told us to be lazy, or the fanout left it out.
    pub(super) fn be_lazy(&mut self, slot: Slot) {
        if !self.lazy.contains(&slot) {
            self.lazy.push(slot);
        }
    }

    /// The peer told us to be eager.
    pub(super) fn be_eager(&mut self, slot: Slot) {
        self.lazy.retain(|it| *it != slot);
    }

    /// This peer is told to be lazy from the start, as another pushes to us.
    pub(super) fn silence_newcomer(&mut self, slot: Slot, now: Duration) {
        self.silenced.push((slot, now));
    }

    /// The first copy of a message came. `ahead`: who announced it first, and how long before.
    pub(super) fn first_copy(
        &mut self,
        from: Slot,
        asked: bool,
        ahead: Option<(Slot, Duration)>,
        config: &Config,
    ) -> [Option<Turn>; 2] {
        self.parent = Some(Parent { slot: from, by_message: true });
        // Who gave the last message stays eager, whatever it was told before. One that was asked is
        // told in any case: it did not push, whatever we know of it.
        let graft = self.hear_again(from).or(asked.then_some(Turn::Eager(from)));
        let early = ahead.filter(|(slot, lead)| {
            !asked && *slot != from && *lead > config.faster_by && self.is_silenced(*slot)
        });
        self.faster = early.map(|(slot, _)| match self.faster {
            Some((same, times)) if same == slot => (slot, times.saturating_add(1)),
            _ => (slot, 1),
        });
        let swap = match self.faster {
            Some((slot, times)) if times >= config.faster_times => {
                self.faster = None;
                self.hear_again(slot)
            }
            _ => None,
        };
        [graft, swap]
    }

    /// A later copy was pushed by a peer that did not send the first. `ours`: we introduced it.
    pub(super) fn later_copy(
        &mut self,
        from: Slot,
        ours: bool,
        now: Duration,
        config: &Config,
    ) -> Option<Turn> {
        match self.parent {
            Some(parent) if parent.slot == from => None,
            None if !ours => None,
            _ => self.silence(from, now, config),
        }
    }

    /// A beacon came. Whether it is to be passed on, and what peers are to be told.
    pub(super) fn beacon(
        &mut self,
        number: u64,
        from: Slot,
        now: Duration,
        config: &Config,
    ) -> (bool, [Option<Turn>; 2]) {
        // A number that nobody could have reached is forgotten in time.
        let last = self.beacon.filter(|last| now.saturating_sub(last.at) < config.seen_for);
        let first = match last {
            Some(last) if last.number > number => return (false, [None, None]),
            Some(last) if last.number == number => last,
            _ => {
                self.beacon = Some(Beacon { number, at: now, from });
                self.used = true;
                if self.parent.is_some() {
                    return (true, [None, None]);
                }
                self.parent = Some(Parent { slot: from, by_message: false });
                return (true, [self.hear_again(from), None]);
            }
        };
        let Some(parent) = self.parent else { return (false, [None, None]) };
        if from != parent.slot {
            // The faster one of two that both push is found by the next message.
            let prune = (from != first.from && !self.is_silenced(from))
                .then(|| self.silence(from, now, config))
                .flatten();
            return (false, [prune, None]);
        }
        if first.from == from || now.saturating_sub(first.at) <= config.faster_by {
            return (false, [None, None]);
        }
        if !parent.by_message {
            self.parent = Some(Parent { slot: first.from, by_message: false });
        }
        // The old one still pushes until it comes second: nothing is lost while the word travels.
        (false, [self.hear_again(first.from), None])
    }

    /// A peer has left. Who is to be told to push in its place.
    fn left(&mut self, slot: Slot) -> Vec<Turn> {
        self.silenced.retain(|(it, _)| *it != slot);
        self.lazy.retain(|it| *it != slot);
        self.faster = self.faster.filter(|(it, _)| *it != slot);
        if self.parent.is_none_or(|parent| parent.slot != slot) {
            return Vec::new();
        }
        self.parent = None;
        // First those that told us to be lazy: they have the messages from elsewhere.
        let (mut next, rest): (Vec<_>, Vec<_>) =
            self.silenced.iter().map(|(it, _)| *it).partition(|it| self.lazy.contains(it));
        next.extend(rest);
        next.into_iter().take(STAND_INS).filter_map(|it| self.hear_again(it)).collect()
    }
}

/// The trees of all origins known.
#[derive(Debug)]
pub(super) struct Trees {
    known: LruCache<Origin, Tree>,
}

impl Trees {
    pub(super) fn new() -> Self {
        Self { known: LruCache::new(NonZeroUsize::new(MAX_ORIGINS).unwrap_or(NonZeroUsize::MIN)) }
    }

    /// The tree of an origin; a new one if it is not known.
    pub(super) fn of(&mut self, origin: Origin) -> &mut Tree {
        self.known.get_or_insert_mut(origin, Tree::default)
    }

    /// The tree of an origin that is known. It is not used by this.
    pub(super) fn known(&mut self, origin: Origin) -> Option<&mut Tree> {
        self.known.peek_mut(&origin)
    }

    /// How many are known.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// All of them, the last used first.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (Origin, &mut Tree)> {
        self.known.iter_mut().map(|(origin, tree)| (*origin, tree))
    }

    /// A peer has left. What others are to be told.
    pub(super) fn left(&mut self, slot: Slot) -> Vec<(Origin, Turn)> {
        let mut turns = Vec::new();
        for (origin, tree) in self.iter_mut() {
            turns.extend(tree.left(slot).into_iter().map(|turn| (origin, turn)));
        }
        turns
    }
}
