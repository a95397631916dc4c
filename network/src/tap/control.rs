//! How much each peer may say in gossipsub's control messages.
//!
//! Gossipsub bounds an RPC, what it asks for, and how many IHAVE it looks at between two heartbeats.
//! It does not bound IWANT and IDONTWANT, each id of which it looks up; and none of it is charged. So
//! it is done before gossipsub sees them, of which only their hash is public: what is hashed is
//! counted.
//!
//! Reading an RPC costs more than throwing away what is in it; so who says too much is read slowly.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::time::{Duration, Instant};

use libp2p::PeerId;

use crate::sync::allowance::Terms;
use crate::sync::flood::{Flood, FloodLimit};

/// The ids that a peer may say. An implementation announces 5,000 at most in each of two topics with a
/// heartbeat. At 2,184 messages a second, which is what is remembered here, it announces each with
/// three heartbeats, asks for each and declines each: 10,920 a second. At once come three heartbeats
/// of the largest announcements.
const IDS: Terms = Terms { at_once: 32_768.0, a_second: 12_288.0 };

/// What an id counts for, in bytes: 20 of its own, and 8 of its length. Grafts and prunes count for
/// their topics, some four ids each.
const ID_BYTES: usize = 28;

/// What became of floods.
#[derive(Debug, Default)]
pub(crate) struct Floods {
    /// Ids that were thrown away.
    pub(crate) dropped: u64,
    /// Who is to be charged, once for each time.
    pub(crate) offenders: Vec<PeerId>,
}

/// Counts bytes in place of hashing them.
#[derive(Default)]
struct Bytes(usize);

impl Hasher for Bytes {
    fn finish(&self) -> u64 {
        self.0 as u64
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = self.0.saturating_add(bytes.len());
    }
}

/// What each connected peer may still say.
#[derive(Debug)]
pub(super) struct Control {
    /// Of those that have said anything.
    limits: BTreeMap<PeerId, FloodLimit>,
    floods: Floods,
    started: Instant,
    dilation: u32,
}

impl Control {
    pub(super) fn new(dilation: u32) -> Self {
        let (limits, floods) = (BTreeMap::new(), Floods::default());
        Self { limits, floods, started: Instant::now(), dilation: dilation.max(1) }
    }

    /// Whether what a peer says is too much to be passed on to gossipsub: then how long nothing more is
    /// read from it. That is half of the time in which as much is allowed again, so that it is read
    /// at three times the rate at most: one that goes on like that is still found out.
    pub(super) fn too_much(&mut self, peer: PeerId, said: &[impl Hash]) -> Option<Duration> {
        if said.is_empty() {
            return None;
        }
        let now = (self.started.elapsed() / self.dilation).as_micros();
        let wait = self.too_much_at(peer, said, u64::try_from(now).unwrap_or(u64::MAX))?;
        Some(wait.saturating_mul(self.dilation))
    }

    fn too_much_at(&mut self, peer: PeerId, said: &[impl Hash], now_us: u64) -> Option<Duration> {
        let mut bytes = Bytes::default();
        said.hash(&mut bytes);
        let ids = bytes.0.div_ceil(ID_BYTES);
        let limit = self.limits.entry(peer).or_insert_with(|| FloodLimit::new(IDS));
        let flood = limit.take(ids, now_us);
        if flood == Flood::Gross {
            self.floods.offenders.push(peer);
        }
        if flood == Flood::Within {
            return None;
        }
        self.floods.dropped = self.floods.dropped.saturating_add(ids as u64);
        // An RPC is bounded, and so is this.
        Some(Duration::from_secs_f64(ids as f64 / IDS.a_second / 2.0))
    }

    /// A peer is gone.
    pub(super) fn left(&mut self, peer: &PeerId) {
        self.limits.remove(peer);
    }

    /// What became of floods since the last call.
    pub(super) fn take(&mut self) -> Floods {
        std::mem::take(&mut self.floods)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    /// Ids as gossipsub hashes them.
    fn ids(count: usize) -> Vec<Vec<u8>> {
        vec![vec![7; 20]; count]
    }

    #[test]
    fn a_client_in_the_busiest_network_is_heard_and_one_that_was_not_read_is_not_charged() {
        let (peer, mut control) = (PeerId::random(), Control::new(1));
        for beat in 0..60 {
            // Three heartbeats' messages announced, and one's asked for and declined.
            for count in [3 * 2_184, 2_184, 2_184] {
                assert_eq!(control.too_much_at(peer, &ids(count), beat * SECOND), None);
            }
        }
        // Forty seconds of it, all at once, after another minute.
        for _ in 0..40 {
            control.too_much_at(peer, &ids(5 * 2_184), 120 * SECOND);
        }
        assert!(control.take().offenders.is_empty());
    }

    #[test]
    fn of_a_flood_little_is_heard_and_its_sender_is_read_slowly_and_charged() {
        let (peer, mut control) = (PeerId::random(), Control::new(1));
        let (mut heard, mut dropped, mut offences, mut now) = (0, 0, 0, 0);
        // It says 5,000 ids as often as it is read.
        while now < 60 * SECOND {
            let wait = control.too_much_at(peer, &ids(5_000), now);
            heard += if wait.is_none() { 5_000 } else { 0 };
            now += wait.map_or(1_000, |wait| wait.as_micros() as u64);
            let floods = control.take();
            dropped += floods.dropped;
            offences += floods.offenders.len();
        }
        assert!(heard <= 32_768 + 60 * 12_288, "{heard}");
        assert!(heard + dropped <= 32_768 + 3 * 61 * 12_288, "{heard} and {dropped}");
        assert!(offences >= 4, "{offences}");
        control.left(&peer);
        assert!(control.limits.is_empty());
    }
}
