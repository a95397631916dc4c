//! Messages that were announced and have not come: who has them, and who is asked next.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::message::{ShortId, Slot};

/// The most that one peer may have announced.
pub(super) const MAX_OF_PEER: usize = 8_192;

/// The most that all may have announced: eight busy peers' worth.
pub(super) const MAX_IN_ALL: usize = 65_536;

/// Who announced a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Announcer {
    pub(super) slot: Slot,
    pub(super) at: Duration,
    /// Whether it was asked.
    pub(super) tried: bool,
}

/// A message that was announced and has not come.
#[derive(Clone, Debug)]
pub(super) struct Missing {
    /// Who announced it, in the order in which they did.
    pub(super) announcers: Vec<Announcer>,
    /// Who was asked last.
    asked: Option<Slot>,
    /// When something is to be done.
    timer: Duration,
}

impl Missing {
    /// Whether nobody was asked for it.
    pub(super) fn is_untried(&self) -> bool {
        self.announcers.iter().all(|it| !it.tried)
    }

    /// Whether this peer was asked for it.
    pub(super) fn was_asked(&self, slot: Slot) -> bool {
        self.announcers.iter().any(|it| it.slot == slot && it.tried)
    }
}

/// All such messages.
#[derive(Debug, Default)]
pub(super) struct Board {
    missing: BTreeMap<ShortId, Missing>,
    timers: BTreeSet<(Duration, ShortId)>,
    /// How many each peer has announced.
    of_peer: BTreeMap<Slot, usize>,
}

impl Board {
    /// A peer announced a message; unless another did before, it is asked for at `ask_at`. It may have
    /// announced `most` that have not come. Whether there was room to remember it.
    pub(super) fn announce(
        &mut self,
        short: ShortId,
        (slot, most): (Slot, usize),
        now: Duration,
        ask_at: Duration,
    ) -> bool {
        let full = self.missing.len() >= MAX_IN_ALL;
        let count = self.of_peer.entry(slot).or_default();
        if *count >= most {
            return false;
        }
        let announcer = Announcer { slot, at: now, tried: false };
        match self.missing.get_mut(&short) {
            Some(missing) => {
                if missing.announcers.iter().any(|it| it.slot == slot) {
                    return true;
                }
                missing.announcers.push(announcer);
            }
            None if full => return false,
            None => {
                let missing = Missing { announcers: vec![announcer], asked: None, timer: ask_at };
                self.missing.insert(short, missing);
                self.timers.insert((ask_at, short));
            }
        }
        *count = count.saturating_add(1);
        true
    }

    /// The message came, or nobody has it: forgets it.
    pub(super) fn take(&mut self, short: ShortId) -> Option<Missing> {
        let missing = self.missing.remove(&short)?;
        self.timers.remove(&(missing.timer, short));
        for it in &missing.announcers {
            if let Some(count) = self.of_peer.get_mut(&it.slot) {
                *count = count.saturating_sub(1);
            }
        }
        Some(missing)
    }

    /// The next message for which something is to be done, if it is time.
    pub(super) fn due(&self, now: Duration) -> Option<ShortId> {
        self.timers.first().filter(|(at, _)| *at <= now).map(|(_, short)| *short)
    }

    pub(super) fn next_timer(&self) -> Option<Duration> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// The message, and who was asked for it last and has not answered.
    pub(super) fn get(&self, short: ShortId) -> Option<(&Missing, Option<Slot>)> {
        self.missing.get(&short).map(|missing| (missing, missing.asked))
    }

    /// A peer is asked for it; at `until` the next one is.
    pub(super) fn ask(&mut self, short: ShortId, slot: Slot, until: Duration) {
        let Some(missing) = self.missing.get_mut(&short) else { return };
        for it in missing.announcers.iter_mut().filter(|it| it.slot == slot) {
            it.tried = true;
        }
        missing.asked = Some(slot);
        self.set_timer(short, until);
    }

    /// The peer that was asked cannot give it: the next one is asked at once. Whether it was asked.
    pub(super) fn gone(&mut self, short: ShortId, slot: Slot, now: Duration) -> bool {
        match self.missing.get_mut(&short) {
            Some(missing) if missing.asked == Some(slot) => missing.asked = None,
            _ => return false,
        }
        self.set_timer(short, now);
        true
    }

    /// It is waited for longer.
    pub(super) fn postpone(&mut self, short: ShortId, until: Duration) {
        self.set_timer(short, until);
    }

    fn set_timer(&mut self, short: ShortId, timer: Duration) {
        let Some(missing) = self.missing.get_mut(&short) else { return };
        let before = std::mem::replace(&mut missing.timer, timer);
        self.timers.remove(&(before, short));
        self.timers.insert((timer, short));
    }

    /// A peer has left: whatever was asked of it is asked of others at once.
    pub(super) fn left(&mut self, slot: Slot, now: Duration) {
        self.of_peer.remove(&slot);
        let mut again = Vec::new();
        for (short, missing) in &mut self.missing {
            missing.announcers.retain(|it| it.slot != slot);
            if missing.asked == Some(slot) {
                missing.asked = None;
                again.push(*short);
            }
        }
        for short in again {
            self.set_timer(short, now);
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.missing.len()
    }
}
