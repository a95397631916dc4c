//! The side that is asked for symbols: a snapshot for each peer that compares, and what each may ask
//! for.

use std::collections::BTreeMap;

use hearsay_chain::TxId;
use libp2p::PeerId;

use super::coder::{Coder, Symbol};
use super::part::Part;
use super::snapshot::Snapshot;
use crate::short_id::ShortKey;
use crate::sync::{Allowance, Terms};
use crate::wire::MAX_SYMBOLS;

/// Comparisons that are answered at once. A snapshot of the largest part takes 11 MiB.
const MAX_SESSIONS: usize = 8;

/// How long a snapshot is kept after it was used last, in microseconds. Whoever compares asks as soon
/// as it has an answer, or once what it got is checked.
const LIFE_US: u64 = 10_000_000;

/// Comparisons that a peer may begin: every few seconds as a rule, one more for each part where pools
/// lie far apart.
const BEGUN: Terms = Terms { at_once: 4.0, a_second: 1.0 };

/// Symbols that a peer may ask for: at once what the largest difference takes, and then for 3,000
/// differences a second.
const SYMBOLS: Terms = Terms { at_once: 40_000.0, a_second: 4_096.0 };

/// What each question for symbols counts for beside them: the whole set is looked through.
const A_QUESTION: f64 = 64.0;

/// Bytes of transactions that a peer may ask for by name: 4,000 of 250 bytes a second.
const BYTES: Terms = Terms { at_once: 4e6, a_second: 1e6 };

/// What a name counts for, whether it is found or not, in those bytes.
const A_NAME: f64 = 32.0;

/// Ids that are named for all peers together: at 50 ns each, a twentieth of a core, at any number of
/// peers.
const NAMED: Terms = Terms { at_once: 2e6, a_second: 1e6 };

/// What each comparison counts for beside them.
const LEAST_NAMED: f64 = 1_000.0;

/// A question for symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SketchAsked {
    /// Under which key.
    pub key: ShortKey,
    /// Of which ids.
    pub part: Part,
    /// From which symbol on; 0 begins anew.
    pub from: u32,
    /// How many.
    pub count: u32,
}

#[derive(Clone, Debug)]
struct Session {
    key: ShortKey,
    snapshot: Snapshot,
    coder: Coder,
    used: u64,
}

/// What one peer has left.
#[derive(Clone, Copy, Debug)]
struct Left {
    begun: Allowance,
    symbols: Allowance,
    bytes: Allowance,
}

/// All comparisons that peers began here.
#[derive(Clone, Debug)]
pub struct Answerer {
    sessions: BTreeMap<PeerId, Session>,
    left: BTreeMap<PeerId, Left>,
    named: Allowance,
}

impl Default for Answerer {
    fn default() -> Self {
        Self { sessions: BTreeMap::new(), left: BTreeMap::new(), named: Allowance::new(NAMED) }
    }
}

impl Answerer {
    /// A peer is there: only such are answered.
    pub fn joined(&mut self, peer: PeerId) {
        self.left.entry(peer).or_insert_with(|| Left {
            begun: Allowance::new(BEGUN),
            symbols: Allowance::new(SYMBOLS),
            bytes: Allowance::new(BYTES),
        });
    }

    /// A peer is gone.
    pub fn left(&mut self, peer: &PeerId) {
        self.left.remove(peer);
        self.sessions.remove(peer);
    }

    /// How many comparisons are kept.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// The size of what is compared, and the symbols; the size of all and no symbols if the part is too
    /// large; none if the peer asks for too much, or for what does not follow what it was given.
    /// `pool` is all ids, of which there are `size`.
    pub fn sketch<I: Iterator<Item = TxId>>(
        &mut self,
        now: u64,
        peer: PeerId,
        asked: SketchAsked,
        (size, pool): (usize, impl FnOnce() -> I),
    ) -> Option<(u32, Vec<Symbol>)> {
        let SketchAsked { key, part, from, count } = asked;
        let left = self.left.get_mut(&peer)?;
        let count = count.min(MAX_SYMBOLS);
        if !left.symbols.take(f64::from(count) + A_QUESTION, now) {
            return None;
        }
        if from == 0 {
            let cost = size as f64 + LEAST_NAMED;
            if !left.begun.take(1.0, now) || !self.named.take(cost, now) {
                return None;
            }
            let Some(snapshot) = Snapshot::of(key, part, pool()) else {
                // The size says that a finer part would do.
                return Some((u32::try_from(size).unwrap_or(u32::MAX), Vec::new()));
            };
            let coder = Coder::new(snapshot.names());
            self.keep(now, peer, Session { key, snapshot, coder, used: now });
        }
        let session = self.sessions.get_mut(&peer)?;
        if session.key != key || session.coder.made() != from {
            return None;
        }
        session.used = now;
        let size = u32::try_from(session.snapshot.len()).unwrap_or(u32::MAX);
        Some((size, session.coder.next(count)))
    }

    fn keep(&mut self, now: u64, peer: PeerId, session: Session) {
        self.expire(now);
        self.sessions.insert(peer, session);
        if self.sessions.len() > MAX_SESSIONS {
            let others = self.sessions.iter().filter(|(of, _)| **of != peer);
            let oldest = others.min_by_key(|(_, session)| session.used).map(|(of, _)| *of);
            oldest.map(|peer| self.sessions.remove(&peer));
        }
    }

    /// Lets go of what was not used for long.
    pub fn expire(&mut self, now: u64) {
        self.sessions.retain(|_, session| now < session.used.saturating_add(LIFE_US));
    }

    /// The ids behind names that must ascend, in their order; none if the peer asks too much, or
    /// compares nothing under this key.
    pub fn named(
        &mut self,
        now: u64,
        peer: &PeerId,
        key: ShortKey,
        names: &[u64],
    ) -> Option<Vec<TxId>> {
        let left = self.left.get_mut(peer)?;
        if !left.bytes.take((names.len() as f64 + A_QUESTION) * A_NAME, now) {
            return None;
        }
        let session = self.sessions.get_mut(peer).filter(|session| session.key == key)?;
        if !names.is_sorted() {
            return None;
        }
        session.used = now;
        Some(session.snapshot.find(names))
    }

    /// Whether a peer may have so many bytes of transactions.
    pub fn may_give(&mut self, now: u64, peer: &PeerId, bytes: usize) -> bool {
        self.left.get_mut(peer).is_some_and(|left| left.bytes.take(bytes as f64, now))
    }
}
