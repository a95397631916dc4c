//! What happens to a segment by chance: it varies in its delay, and it may be lost. Everything is
//! drawn from a seed.

use std::time::Duration;

use libp2p::PeerId;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// How fast the delay of a path changes. Segments that follow each other meet the same queues; after
/// a few times this long nothing is left of what was. A choice, not a measurement: shorter than a
/// round trip between continents, longer than a burst.
const MEMORY: Duration = Duration::from_millis(20);

/// The delay varies by at most so many standard deviations.
const EXTREME: f64 = 3.0;

/// Retransmissions that are lost in a row before one is taken to arrive in any case.
const MOST_RETRIES: u32 = 6;

/// The lots of one connection in one direction.
#[derive(Debug)]
pub(super) struct Chance {
    random: StdRng,
    /// How far the delay is off now, in standard deviations, and when that was drawn.
    off: f64,
    at: Option<Duration>,
}

impl Chance {
    /// The same seed and the same two peers draw the same lots.
    pub(super) fn new(seed: u64, from: &PeerId, to: &PeerId) -> Self {
        let bytes = [from.to_bytes(), to.to_bytes()].concat();
        let seed = bytes.chunks(8).fold(mix(seed), |seed, chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            mix(seed ^ u64::from_le_bytes(word))
        });
        Self { random: StdRng::seed_from_u64(seed), off: 0.0, at: None }
    }

    /// `delay` as it is at this moment, if its standard deviation is `jitter` times itself.
    pub(super) fn vary(&mut self, now: Duration, delay: Duration, jitter: f64) -> Duration {
        if jitter <= 0.0 || delay.is_zero() {
            return delay;
        }
        // The Ornstein-Uhlenbeck process, exact for any step: it forgets, and stays as wide.
        let kept = match self.at {
            Some(at) => (-(now.saturating_sub(at).as_secs_f64() / MEMORY.as_secs_f64())).exp(),
            None => 0.0,
        };
        self.at = Some(now);
        self.off = self.off * kept + (1.0 - kept * kept).sqrt() * self.normal();
        let off = self.off.clamp(-EXTREME, EXTREME);
        delay.mul_f64((1.0 + jitter * off).max(0.0))
    }

    /// Nearly normal, with a mean of nought and a deviation of one: twelve even lots less six.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.random.random::<f64>()).sum::<f64>() - 6.0
    }

    /// How often a segment is lost before it arrives.
    pub(super) fn losses(&mut self, loss: f64) -> u32 {
        let mut losses = 0;
        while loss > 0.0 && losses < MOST_RETRIES && self.random.random::<f64>() < loss {
            losses += 1;
        }
        losses
    }
}

/// `SplitMix64`'s last step: a word in which each bit hangs on each bit of the other.
fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
