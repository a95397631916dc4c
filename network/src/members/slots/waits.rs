//! How long to leave a peer alone after a failure.

use std::collections::BTreeMap;
use std::time::Duration;

use libp2p::PeerId;

use crate::members::routes::MAX_MEMBERS;

/// The wait after the first failed dial; doubled after each further one.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// The longest wait: a node that was away for long is tried again within this.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A connection that lasted for so long was no failure, whatever came before.
const SOUND: Duration = Duration::from_secs(60);

/// A peer that closed a connection early, or whose connection was not needed, rests for so long
/// while there are others: it is full, and would only close the next one as well.
const REST: Duration = Duration::from_secs(300);

#[derive(Clone, Copy, Debug, Default)]
struct Wait {
    /// Not dialled before.
    due: Duration,
    /// The wait after the next failure.
    next: Duration,
    /// Not preferred before.
    rested: Duration,
}

/// The waits of all peers that have any.
#[derive(Debug, Default)]
pub(super) struct Waits {
    by_peer: BTreeMap<PeerId, Wait>,
}

impl Waits {
    /// A dial failed.
    pub(super) fn failed(&mut self, peer: PeerId, now: Duration) {
        self.prolong(peer, now);
    }

    /// A connection that filled a slot ended after `lasted`, though the peer is not down.
    pub(super) fn closed(&mut self, peer: PeerId, lasted: Duration, now: Duration) {
        if lasted >= SOUND {
            self.by_peer.remove(&peer);
        }
        let wait = self.prolong(peer, now);
        if lasted < SOUND {
            wait.rested = now.saturating_add(REST);
        }
    }

    /// Its connection was not needed.
    pub(super) fn rest(&mut self, peer: PeerId, now: Duration) {
        self.entry(peer, now).rested = now.saturating_add(REST);
    }

    /// Whether it may be dialled.
    pub(super) fn due(&self, peer: &PeerId, now: Duration) -> bool {
        self.by_peer.get(peer).is_none_or(|wait| wait.due <= now)
    }

    /// Whether others come first.
    pub(super) fn rests(&self, peer: &PeerId, now: Duration) -> bool {
        self.by_peer.get(peer).is_some_and(|wait| wait.rested > now)
    }

    fn prolong(&mut self, peer: PeerId, now: Duration) -> &mut Wait {
        let wait = self.entry(peer, now);
        let this = wait.next.clamp(FIRST_WAIT, LONGEST_WAIT);
        wait.due = now.saturating_add(this);
        wait.next = this.saturating_mul(2).min(LONGEST_WAIT);
        wait
    }

    fn entry(&mut self, peer: PeerId, now: Duration) -> &mut Wait {
        if self.by_peer.len() >= MAX_MEMBERS && !self.by_peer.contains_key(&peer) {
            // What no longer binds goes first, else what binds for the shortest time.
            let end = |wait: &Wait| wait.due.saturating_add(LONGEST_WAIT).max(wait.rested);
            self.by_peer.retain(|_, wait| end(wait) > now);
            while self.by_peer.len() >= MAX_MEMBERS {
                let first = self.by_peer.iter().min_by_key(|(_, wait)| end(wait));
                let Some(first) = first.map(|(peer, _)| *peer) else { break };
                self.by_peer.remove(&first);
            }
        }
        self.by_peer.entry(peer).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(n: u16) -> PeerId {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&n.to_be_bytes());
        crate::members::profile::Key(bytes).to_peer_id()
    }

    #[test]
    fn waits_double_up_to_a_minute_and_start_again_after_a_sound_connection() {
        let (mut waits, mut now, mut gaps) = (Waits::default(), Duration::ZERO, Vec::new());
        for _ in 0..12 {
            waits.failed(peer(1), now);
            let from = now;
            while !waits.due(&peer(1), now) {
                now += FIRST_WAIT;
            }
            gaps.push(now - from);
        }
        assert_eq!(gaps[..3], [250, 500, 1_000].map(Duration::from_millis));
        assert_eq!(gaps[11], LONGEST_WAIT);
        waits.closed(peer(1), SOUND, now);
        assert!(waits.due(&peer(1), now + FIRST_WAIT) && !waits.rests(&peer(1), now));
    }

    #[test]
    fn a_peer_that_closes_early_rests() {
        let mut waits = Waits::default();
        waits.closed(peer(1), Duration::from_secs(1), Duration::ZERO);
        assert!(waits.rests(&peer(1), REST / 2) && !waits.rests(&peer(1), REST));
        assert!(waits.due(&peer(1), FIRST_WAIT), "it may be dialled if there is nobody else");
    }

    #[test]
    fn waits_are_bounded() {
        let mut waits = Waits::default();
        (0..3_000).for_each(|n| waits.failed(peer(n), Duration::ZERO));
        assert_eq!(waits.by_peer.len(), MAX_MEMBERS);
    }
}
