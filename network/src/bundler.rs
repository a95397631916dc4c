//! Collects transactions into bundles ([`crate::bundle`]) on their way to gossipsub. Pure: time is
//! given.
//!
//! The first after a quiet time leaves at once and alone, so that a lone transaction waits for
//! nothing. What comes within the window after it leaves together when the window ends, or earlier
//! when the bundle is full; and as that is no quiet time either, another window begins.

use std::time::Duration;

use crate::bundle::{BUNDLE_BYTES, MAX_BUNDLE, grows_by};

/// One transaction on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its id.
    pub(crate) id: [u8; 32],
    /// Its encoding.
    pub(crate) data: Vec<u8>,
    /// Whether somebody is to be told what became of it.
    pub(crate) told: bool,
}

/// Transactions that leave together.
pub(crate) type Bundle = Vec<Entry>;

/// The bundle that is being filled: one at most, and never more of it than [`BUNDLE_BYTES`].
#[derive(Debug)]
pub(crate) struct Bundler {
    /// How long is collected. Zero: nothing is.
    window: Duration,
    /// When the window ends, if one is open.
    until: Option<Duration>,
    held: Bundle,
    bytes: usize,
}

/// What an empty bundle takes: its count.
const EMPTY_BYTES: usize = 4;

impl Bundler {
    pub(crate) fn new(window: Duration) -> Self {
        Self { window, until: None, held: Vec::new(), bytes: EMPTY_BYTES }
    }

    /// Takes a transaction; gives what leaves now. One that is held already is not held twice: a
    /// bundle that names a transaction twice is malformed.
    #[must_use]
    pub(crate) fn add(&mut self, now: Duration, entry: Entry) -> Option<Bundle> {
        if let Some(same) = self.held.iter_mut().find(|held| held.id == entry.id) {
            same.told |= entry.told;
            return None;
        }
        let due = self.due(now);
        if self.until.is_none() {
            // Whatever was due has opened a window; here it has been quiet.
            if !self.window.is_zero() {
                self.until = Some(now.saturating_add(self.window));
            }
            return Some(vec![entry]);
        }
        let grown = self.bytes.saturating_add(grows_by(entry.data.len()));
        let full = grown > BUNDLE_BYTES || self.held.len() >= MAX_BUNDLE;
        // When something was due, nothing is held any more, so that one bundle leaves at most.
        let left = due.or_else(|| if full { self.take() } else { None });
        self.bytes = self.bytes.saturating_add(grows_by(entry.data.len()));
        self.held.push(entry);
        left
    }

    /// What leaves now because its window has ended.
    #[must_use]
    pub(crate) fn due(&mut self, now: Duration) -> Option<Bundle> {
        let until = self.until.filter(|until| *until <= now)?;
        self.until = None;
        let left = self.take()?;
        // Counted from when it should have ended, unless that is long ago.
        let next = until.saturating_add(self.window);
        self.until = Some(if next > now { next } else { now.saturating_add(self.window) });
        Some(left)
    }

    /// When [`Bundler::due`] has something to give.
    pub(crate) fn wake_at(&self) -> Option<Duration> {
        self.until.filter(|_| !self.held.is_empty())
    }

    fn take(&mut self) -> Option<Bundle> {
        self.bytes = EMPTY_BYTES;
        let held = std::mem::take(&mut self.held);
        (!held.is_empty()).then_some(held)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bundle;

    const WINDOW: Duration = Duration::from_millis(5);

    fn entry(number: u32, bytes: usize) -> Entry {
        let mut id = [0; 32];
        id[..4].copy_from_slice(&number.to_le_bytes());
        Entry { id, data: vec![7; bytes], told: true }
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_lone_transaction_leaves_at_once() {
        let mut bundler = Bundler::new(WINDOW);
        for at in [0, 5, 50] {
            assert_eq!(bundler.add(ms(at), entry(1, 200)), Some(vec![entry(1, 200)]));
            assert_eq!(bundler.wake_at(), None);
        }
    }

    #[test]
    fn what_comes_within_the_window_leaves_together_at_its_end() {
        let mut bundler = Bundler::new(WINDOW);
        assert!(bundler.add(ms(0), entry(0, 200)).is_some());
        assert_eq!(bundler.add(ms(1), entry(1, 200)), None);
        assert_eq!(bundler.add(ms(4), entry(2, 200)), None);
        assert_eq!(bundler.wake_at(), Some(ms(5)));
        assert_eq!(bundler.due(ms(4)), None);
        assert_eq!(bundler.due(ms(5)), Some(vec![entry(1, 200), entry(2, 200)]));
        assert_eq!(bundler.add(ms(6), entry(3, 200)), None, "it is not quiet yet");
        assert_eq!(bundler.due(ms(10)), Some(vec![entry(3, 200)]));
        assert_eq!(bundler.due(ms(15)), None);
        assert!(bundler.add(ms(16), entry(4, 200)).is_some(), "now it was quiet");
    }

    #[test]
    fn a_full_bundle_does_not_wait() {
        let mut bundler = Bundler::new(WINDOW);
        assert!(bundler.add(ms(0), entry(0, 6_000)).is_some());
        assert_eq!(bundler.add(ms(0), entry(1, 6_000)), None);
        assert_eq!(bundler.add(ms(0), entry(2, 6_000)), None);
        let left = bundler.add(ms(0), entry(3, 6_000)).unwrap();
        assert_eq!(left, [entry(1, 6_000), entry(2, 6_000)]);
        assert_eq!(bundler.due(ms(5)), Some(vec![entry(3, 6_000)]));
    }

    #[test]
    fn the_same_transaction_is_not_held_twice() {
        let mut bundler = Bundler::new(WINDOW);
        assert!(bundler.add(ms(0), entry(0, 200)).is_some());
        let quiet = Entry { told: false, ..entry(1, 200) };
        assert_eq!(bundler.add(ms(1), quiet), None);
        assert_eq!(bundler.add(ms(2), entry(1, 200)), None);
        assert_eq!(bundler.due(ms(5)), Some(vec![entry(1, 200)]));
    }

    #[test]
    fn without_a_window_each_leaves_alone() {
        let mut bundler = Bundler::new(Duration::ZERO);
        for number in 0..3 {
            assert_eq!(bundler.add(ms(0), entry(number, 10)).unwrap().len(), 1);
        }
    }

    proptest! {
        #[test]
        fn all_leave_once_within_a_window_and_in_bundles_that_decode(
            steps in prop::collection::vec((0u64..4, 1usize..9_000), 1..200),
        ) {
            let mut bundler = Bundler::new(WINDOW);
            let (mut now, mut seen, mut came) = (Duration::ZERO, Vec::new(), Vec::new());
            let mut check = |bundle: Option<Bundle>, now: Duration, came: &[Duration]| {
                let Some(bundle) = bundle else { return };
                let data: Vec<_> = bundle.iter().map(|entry| entry.data.clone()).collect();
                assert!(bundle::decode_parts(&bundle::of(&data)).is_ok());
                for entry in bundle {
                    let number = u32::from_le_bytes(entry.id[..4].try_into().unwrap()) as usize;
                    assert!(now <= came[number] + WINDOW);
                    seen.push(number);
                }
            };
            for (number, (wait, bytes)) in steps.iter().enumerate() {
                let next = now + ms(*wait);
                while let Some(at) = bundler.wake_at().filter(|at| *at <= next) {
                    let due = bundler.due(at);
                    check(due, at, &came);
                }
                now = next;
                came.push(now);
                let left = bundler.add(now, entry(number as u32, *bytes));
                check(left, now, &came);
            }
            if let Some(at) = bundler.wake_at() {
                let last = bundler.due(at);
                check(last, at, &came);
            }
            prop_assert_eq!(bundler.wake_at(), None);
            prop_assert_eq!(seen, (0..steps.len()).collect::<Vec<_>>());
        }
    }
}
