//! The few bytes before each frame of a shaped stream that tell the receiver when to hand it on. No
//! real network carries them, so they count neither as bytes on the wire nor in any rate.
//!
//! The receiver believes a frame only within bounds: what one may hold, how far ahead it may arrive.
//! So a peer can make it allocate no more than a frame at a time.

use std::io;
use std::time::Duration;

use super::path::{Arrival, MAX_FRAME};
use super::spec::LONGEST_DELAY;

/// Payload length (4 bytes), when the last segment arrives (8, nanoseconds), how much earlier the
/// first did (8, nanoseconds) and the sender's delay (8, nanoseconds), lowest byte first.
pub(super) const HEADER: usize = 28;

/// No frame arrives later than this after it was sent. The slowest line, shared by a hundred
/// connections, keeps one for minutes; what is said to arrive later comes from another clock.
const FURTHEST: Duration = Duration::from_secs(3_600);

/// What stands before a frame's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) bytes: usize,
    pub(super) arrival: Arrival,
    /// How long bytes travel from the sender: half of the receiver's own round trip.
    pub(super) delay: Duration,
}

impl Frame {
    pub(super) fn encode(&self) -> [u8; HEADER] {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let spread = self.arrival.last.saturating_sub(self.arrival.first);
        let mut header = [0; HEADER];
        let (length, times) = header.split_at_mut(4);
        length.copy_from_slice(&(self.bytes as u32).to_le_bytes());
        let values = [nanos(self.arrival.last), nanos(spread), nanos(self.delay)];
        for (place, value) in times.chunks_exact_mut(8).zip(values) {
            place.copy_from_slice(&value.to_le_bytes());
        }
        header
    }

    /// # Errors
    /// The header does not come from a sender that keeps to the bounds.
    pub(super) fn decode(header: &[u8; HEADER], now: Duration) -> io::Result<Self> {
        let word = |at: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&header[at..at + 8]);
            u64::from_le_bytes(word)
        };
        let bytes = (word(0) & u64::from(u32::MAX)) as usize;
        let last = Duration::from_nanos(word(4));
        let spread = Duration::from_nanos(word(12));
        let delay = Duration::from_nanos(word(20));
        let refused = |why: &str| Err(io::Error::new(io::ErrorKind::InvalidData, why.to_owned()));
        if bytes == 0 || bytes > MAX_FRAME {
            return refused("a frame of a shaped link has an impossible length");
        }
        if last > now + FURTHEST || spread > FURTHEST {
            return refused("a frame of a shaped link arrives impossibly late");
        }
        if delay > LONGEST_DELAY {
            return refused("a peer's link has an impossible delay");
        }
        let arrival = Arrival { first: last.saturating_sub(spread), last };
        Ok(Self { bytes, arrival, delay })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_000_000);

    fn frame() -> Frame {
        let last = NOW + Duration::from_millis(50);
        let arrival = Arrival { first: last - Duration::from_nanos(7), last };
        Frame { bytes: 1_234, arrival, delay: Duration::from_micros(49_999) }
    }

    #[test]
    fn a_header_says_what_was_put_into_it() {
        assert_eq!(Frame::decode(&frame().encode(), NOW).unwrap(), frame());
    }

    #[test]
    fn what_is_out_of_bounds_is_refused() {
        let late = NOW + FURTHEST + Duration::from_nanos(1);
        let wrong = [
            Frame { bytes: 0, ..frame() },
            Frame { bytes: MAX_FRAME + 1, ..frame() },
            Frame { bytes: u32::MAX as usize, ..frame() },
            Frame { arrival: Arrival { first: late, last: late }, ..frame() },
            Frame { arrival: Arrival { first: Duration::ZERO, last: NOW }, ..frame() },
            Frame { delay: LONGEST_DELAY + Duration::from_nanos(1), ..frame() },
        ];
        for frame in wrong {
            let error = Frame::decode(&frame.encode(), NOW).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{frame:?}");
        }
    }
}
