//! Anti-entropy: now and then, and soon after a peer joined or something was lost, this node compares
//! its pool and its tip with one peer's, and each is given what it lacks.
//!
//! What needs neither pool nor chain is in `hearsay_network::reconcile`. Here is where it meets them:
//! [`round`] is a comparison that this node began, [`exchange`] what follows it, [`answering`] what
//! peers are told that began one.

mod answering;
mod exchange;
mod round;

use hearsay_chain::hash::tagged;
use hearsay_chain::{Store, TxId};
use hearsay_network::PeerId;
use hearsay_network::choice::Strategy;
use hearsay_network::members::Load;
use hearsay_network::reconcile::{Answerer, Partners, Rounds};
use hearsay_network::short_id::ShortKey;

use super::input::Time;
use super::{Effect, Engine};
use round::Round;

/// How long gossip is given to bring a transaction, in microseconds, before one that a peer lacks is
/// handed over, or given to one that asks: nine in ten deliveries take less across the world.
const YOUNG_US: u64 = 1_000_000;

/// How long a peer is not offered again what it was handed, in microseconds. It may have refused it;
/// it is not told why, and what changes its mind takes blocks.
const HANDED_US: u64 = 300_000_000;

/// How pools are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    /// How the peer is chosen.
    pub peers: Strategy,
    /// Microseconds between two comparisons, before jitter; none are made if 0.
    pub every_us: u64,
}

impl Default for Reconciliation {
    fn default() -> Self {
        Self { peers: Strategy::default(), every_us: 5_000_000 }
    }
}

impl Reconciliation {
    /// None at all.
    #[must_use]
    pub fn none() -> Self {
        Self { every_us: 0, ..Self::default() }
    }
}

/// The state of it.
#[derive(Debug)]
pub(super) struct Reconcile {
    strategy: Strategy,
    seed: u64,
    keys_drawn: u64,
    /// Counts comparisons of parts, so that each part of a large pool has its turn.
    parts: u64,
    partners: Partners,
    rounds: Rounds,
    answerer: Answerer,
    /// The comparison that this node began, if one is under way: one at a time, so that what comes of
    /// one is known before the next.
    round: Option<Round>,
}

impl Reconcile {
    pub(super) fn new(config: Reconciliation, seed: u64) -> Self {
        Self {
            strategy: config.peers,
            seed,
            keys_drawn: 0,
            parts: 0,
            partners: Partners::new(config.peers, seed),
            rounds: Rounds::new(config.every_us, seed),
            answerer: Answerer::default(),
            round: None,
        }
    }

    /// A key that nobody can know before it is used.
    fn draw_key(&mut self) -> ShortKey {
        self.keys_drawn = self.keys_drawn.wrapping_add(1);
        let parts: [&[u8]; 2] = [&self.seed.to_le_bytes(), &self.keys_drawn.to_le_bytes()];
        let hash = tagged("hearsay/reconcile/key/1", &parts);
        let mut key = [0; 16];
        key.copy_from_slice(&hash[..16]);
        ShortKey(key)
    }

    pub(super) fn joined(&mut self, now: Time, peer: PeerId) {
        self.partners.joined(peer);
        self.answerer.joined(peer);
        self.rounds.joined(now.mono_us, peer);
    }

    pub(super) fn left(&mut self, peer: &PeerId) {
        self.partners.left(peer);
        self.answerer.left(peer);
        self.rounds.forget(peer);
        self.round.take_if(|round| round.is_with(peer));
    }

    /// A round trip was measured.
    pub(super) fn measured(&mut self, peer: &PeerId, rtt_us: u64) {
        self.partners.measured(peer, rtt_us);
    }

    /// A peer says how busy it is.
    pub(super) fn loaded(&mut self, peer: &PeerId, load: Load) {
        self.partners.loaded(peer, load);
    }

    /// Messages were lost on their way in or out.
    pub(super) fn lost(&mut self, now: Time) {
        self.rounds.lost(now.mono_us);
    }

    /// A transaction has come into the pool, by whatever way.
    pub(super) fn arrived(&mut self, id: &TxId) {
        if let Some(round) = &mut self.round {
            round.arrived(id);
        }
    }

    #[cfg(test)]
    pub(super) fn answerer_sessions(&self) -> usize {
        self.answerer.sessions()
    }

    /// A transaction that a peer gave when asked was taken, or was not, for a reason.
    pub(super) fn judged(&mut self, now: Time, from: &PeerId, id: TxId, refusal: Option<&str>) {
        let now = now.mono_us;
        match refusal {
            None => self.partners.credit(from),
            Some(reason) => {
                if let Some(us) = not_again_for(reason) {
                    self.partners.note_refused(from, id, now.saturating_add(us), now);
                }
            }
        }
    }
}

/// How long a transaction that was refused for a reason is not asked for again, in microseconds.
fn not_again_for(reason: &str) -> Option<u64> {
    match reason {
        // There was too much to check just then.
        "busy" => None,
        // Nothing but a reorganisation changes that, if anything does.
        "nonce-used" | "expired" | "too-old" | "known" | "underpriced" => Some(300_000_000),
        // The next blocks may change that: a gap closes, fees fall, money comes in.
        _ => Some(30_000_000),
    }
}

impl<S: Store> Engine<S> {
    /// Goes on with what is under way, or begins what is due.
    pub(super) fn drive_reconcile(&mut self, now: Time, out: &mut Vec<Effect>) {
        self.reconcile.answerer.expire(now.mono_us);
        if self.reconcile.round.is_some() {
            self.keep_up_round(now, out);
        } else if let Some(start) = self.reconcile.rounds.next(now.mono_us) {
            self.begin_round(now, start, out);
        }
    }

    /// Whether gossip may still be bringing a transaction to everybody, or it is gone.
    fn is_young_or_gone(&self, now: Time, id: &TxId) -> bool {
        let moment = self.pool_now(now).us;
        self.pool.view(id).is_none_or(|view| view.arrived_us.saturating_add(YOUNG_US) > moment)
    }
}
