//! Keys that somebody spoke of, and that have not yet answered us themselves.
//!
//! Nobody gets on the list by hearsay: a candidate is greeted with a nonce, and is a member once it
//! signed an answer. So a thousand invented members cost a few greetings each and are forgotten.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use lru::LruCache;

use super::profile::{Key, SignedProfile};

/// The most candidates: as many as there may be members.
pub(crate) const MAX_CANDIDATES: usize = 1_024;
/// The most that one member may have brought up: a quarter, so that a liar leaves room for others.
pub(crate) const MAX_FROM_ONE: usize = 256;
/// How often a candidate is greeted.
const TRIES: u8 = 3;
/// How long after one greeting the next one goes out, times the number of greetings: the first may
/// be lost, and the way to a newcomer is not known everywhere for a second or two.
const AGAIN: Duration = Duration::from_millis(1_500);
/// How long a key that did not answer is not greeted again, whoever speaks of it.
const HOPELESS: Duration = Duration::from_secs(30);
/// How many greetings go out: a second, and at once. Twenty members greet each other at once.
const A_SECOND: f64 = 10.0;
const AT_ONCE: f64 = 20.0;

/// Somebody who may be a member.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// What it has to answer with.
    pub(crate) nonce: u64,
    /// The newest that it signed of itself, if we have any.
    pub(crate) profile: Option<SignedProfile>,
    introducer: Key,
    added: Duration,
    tries: u8,
    due: Duration,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Candidates {
    all: BTreeMap<Key, Candidate>,
    hopeless: LruCache<Key, Duration>,
    greetings: f64,
    at: Duration,
}

impl Candidates {
    pub(crate) fn new() -> Self {
        let size = NonZeroUsize::new(MAX_CANDIDATES).expect("not nought");
        let hopeless = LruCache::new(size);
        Self { all: BTreeMap::new(), hopeless, greetings: AT_ONCE, at: Duration::ZERO }
    }

    /// Takes in a key that `introducer` spoke of; `nonce` is random. Whether it is new.
    pub(crate) fn add(&mut self, key: Key, introducer: Key, nonce: u64, now: Duration) -> bool {
        let hopeless = self.hopeless.get(&key).is_some_and(|at| now < *at + HOPELESS);
        // A neighbour speaks for itself: that is not hearsay.
        let hearsay = introducer != key;
        if self.all.contains_key(&key)
            || self.all.len() >= MAX_CANDIDATES
            || (hearsay && (hopeless || self.brought_enough(&introducer)))
        {
            return false;
        }
        let (tries, due) = (0, now);
        let candidate = Candidate { nonce, profile: None, introducer, added: now, tries, due };
        self.all.insert(key, candidate);
        true
    }

    fn brought_enough(&self, introducer: &Key) -> bool {
        self.all.values().filter(|c| c.introducer == *introducer).count() >= MAX_FROM_ONE
    }

    /// Makes room for a key that connected, if there is none: the oldest goes, of those that were
    /// merely named if there are any. Which one went.
    pub(crate) fn make_room(&mut self, key: &Key) -> Option<Key> {
        if self.all.len() < MAX_CANDIDATES || self.all.contains_key(key) {
            return None;
        }
        let age = |(key, it): &(&Key, &Candidate)| (it.introducer == **key, it.added);
        let oldest = self.all.iter().min_by_key(age).map(|(key, _)| *key)?;
        self.all.remove(&oldest);
        Some(oldest)
    }

    /// The connection to it closed: if it spoke for itself, it is forgotten. Whether it was.
    pub(crate) fn unlinked(&mut self, key: &Key) -> bool {
        let alone = self.all.get(key).is_some_and(|candidate| candidate.introducer == *key);
        if alone {
            self.all.remove(key);
        }
        alone
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Candidate> {
        self.all.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &Key) -> Option<&mut Candidate> {
        self.all.get_mut(key)
    }

    pub(crate) fn remove(&mut self, key: &Key) -> Option<Candidate> {
        self.hopeless.pop(key);
        self.all.remove(key)
    }

    /// Greet it at the next chance: something changed.
    pub(crate) fn hasten(&mut self, key: &Key, now: Duration) {
        if let Some(candidate) = self.all.get_mut(key)
            && candidate.tries == 0
        {
            candidate.due = now;
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Whom to greet now, and with what; and those who have been given up.
    pub(crate) fn due(&mut self, now: Duration) -> (Vec<(Key, u64)>, Vec<Key>) {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.greetings = passed.mul_add(A_SECOND, self.greetings).min(AT_ONCE);
        self.at = self.at.max(now);
        let (mut greet, mut gone) = (vec![], vec![]);
        let mut waiting: Vec<_> = self.all.iter_mut().filter(|(_, c)| c.due <= now).collect();
        waiting.sort_by_key(|(_, candidate)| (candidate.tries, candidate.due));
        for (key, candidate) in waiting {
            if candidate.tries >= TRIES {
                gone.push(*key);
            } else if self.greetings >= 1.0 {
                self.greetings -= 1.0;
                candidate.tries += 1;
                candidate.due = now + AGAIN * u32::from(candidate.tries);
                greet.push((*key, candidate.nonce));
            }
        }
        for key in &gone {
            self.all.remove(key);
            self.hopeless.put(*key, now);
        }
        (greet, gone)
    }

    /// When to ask again whom to greet.
    pub(crate) fn wake(&self) -> Option<Duration> {
        let first = self.all.values().map(|candidate| candidate.due).min()?;
        let short = (1.0 - self.greetings).max(0.0) / A_SECOND;
        // A little more than it takes, so that rounding never makes us wake in vain.
        let may = self.at + Duration::from_secs_f64(short) + Duration::from_micros(10);
        Some(if self.greetings >= 1.0 { first } else { first.max(may) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn key(number: u16) -> Key {
        let mut key = [0; 32];
        key[..2].copy_from_slice(&number.to_be_bytes());
        Key(key)
    }

    #[test]
    fn one_member_can_bring_up_a_quarter_of_them_and_all_together_no_more_than_all() {
        let mut candidates = Candidates::new();
        let mut add = |from: std::ops::Range<u16>, by| {
            from.filter(|n| candidates.add(key(*n), key(by), 0, Duration::ZERO)).count()
        };
        assert_eq!(add(1_000..2_000, 1), MAX_FROM_ONE);
        for by in 2..10 {
            add(2_000 + by * 1_000..3_000 + by * 1_000, by);
        }
        assert_eq!(candidates.len(), MAX_CANDIDATES);
    }

    #[test]
    fn keys_that_connect_push_out_the_oldest_and_go_with_their_connection() {
        let mut candidates = Candidates::new();
        let most = u16::try_from(MAX_CANDIDATES).unwrap();
        assert!(candidates.add(key(5_000), key(6_000), 0, secs(1)), "merely named");
        for number in 1..most {
            assert_eq!(candidates.make_room(&key(number)), None);
            assert!(candidates.add(key(number), key(number), 0, Duration::ZERO));
        }
        assert_eq!(candidates.make_room(&key(1)), None, "it is there");
        for (number, oldest) in [(most, 5_000), (most + 1, 1), (most + 2, 2)] {
            assert!(!candidates.add(key(number), key(number), 0, secs(2)), "it is full");
            assert_eq!(candidates.make_room(&key(number)), Some(key(oldest)));
            assert!(candidates.add(key(number), key(number), 0, secs(2)));
            assert_eq!(candidates.len(), MAX_CANDIDATES);
        }
        assert!(candidates.unlinked(&key(3)) && !candidates.unlinked(&key(3)));
        assert!(candidates.add(key(7_000), key(6_000), 0, secs(2)));
        assert!(!candidates.unlinked(&key(7_000)), "others may know a way");
        assert_eq!(candidates.len(), MAX_CANDIDATES);
    }

    #[test]
    fn a_candidate_is_greeted_three_times_and_then_left_alone_for_a_while() {
        let mut candidates = Candidates::new();
        assert!(candidates.add(key(1), key(2), 7, Duration::ZERO));
        let mut greeted = 0;
        let mut now = Duration::ZERO;
        while let Some(wake) = candidates.wake() {
            now = now.max(wake);
            greeted += candidates.due(now).0.len();
        }
        assert_eq!((greeted, candidates.len()), (3, 0));
        assert!(now < Duration::from_secs(15));
        assert!(!candidates.add(key(1), key(2), 7, now));
        assert!(candidates.add(key(1), key(1), 7, now), "it speaks for itself");
        candidates.remove(&key(1));
        assert!(candidates.add(key(1), key(2), 7, now));
    }

    #[test]
    fn greetings_keep_to_a_rate() {
        let mut candidates = Candidates::new();
        for number in 0..200 {
            candidates.add(key(number), key(300), 0, Duration::ZERO);
        }
        let (mut now, mut greeted, mut wakes) = (Duration::ZERO, 0, 0);
        while let Some(wake) = candidates.wake().filter(|wake| *wake <= Duration::from_secs(5)) {
            now = now.max(wake);
            greeted += candidates.due(now).0.len();
            wakes += 1;
        }
        assert!((68..=71).contains(&greeted), "{greeted}");
        assert!(wakes < 80, "{wakes}");
    }
}
