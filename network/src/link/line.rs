//! The receiver's delay line: frames that have been read from the socket and have not arrived yet.
//! Pure: time is given. Bounded: when it is full nothing is read, the socket fills, and the sender
//! has to wait.

use std::collections::VecDeque;
use std::time::Duration;

use super::path::Arrival;

/// What may lie in one connection's line, in bytes: more than TCP's widest window, so that it is the
/// window that limits a connection, where there is one.
pub(super) const CAPACITY: usize = 4 * 1024 * 1024;

/// What a frame takes beside its payload, roughly: many small ones must not take more than few
/// large ones.
const FRAME_COST: usize = 96;

/// A frame under way.
#[derive(Debug)]
struct Held {
    arrival: Arrival,
    /// When it is through the node's downlink; known once it has come to it.
    due: Option<Duration>,
    bytes: Vec<u8>,
    taken: usize,
}

/// What the reader can have now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// Bytes.
    Here,
    /// Nothing before this moment.
    At(Duration),
    /// Nothing is under way.
    Empty,
}

/// One connection's delay line.
#[derive(Debug, Default)]
pub(super) struct Line {
    frames: VecDeque<Held>,
    weight: usize,
}

impl Line {
    pub(super) fn push(&mut self, arrival: Arrival, bytes: Vec<u8>) {
        self.weight += bytes.len() + FRAME_COST;
        self.frames.push_back(Held { arrival, due: None, bytes, taken: 0 });
    }

    pub(super) fn is_full(&self) -> bool {
        self.weight >= CAPACITY
    }

    /// What can be had at `now`. A frame comes to the downlink when it arrives, no sooner, so that
    /// frames of several connections pass it in the order of their arrival; `downlink` says when
    /// one of so many bytes is through.
    pub(super) fn head(
        &mut self,
        now: Duration,
        downlink: impl FnOnce(Arrival, usize) -> Duration,
    ) -> Head {
        let Some(frame) = self.frames.front_mut() else { return Head::Empty };
        if now < frame.arrival.last {
            return Head::At(frame.arrival.last);
        }
        let due = *frame.due.get_or_insert_with(|| downlink(frame.arrival, frame.bytes.len()));
        if now < due { Head::At(due) } else { Head::Here }
    }

    /// Moves bytes of the first frame into `buffer`. To be called when [`Line::head`] has said that
    /// they are here.
    pub(super) fn take(&mut self, buffer: &mut [u8]) -> usize {
        let Some(frame) = self.frames.front_mut() else { return 0 };
        let rest = &frame.bytes[frame.taken..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        frame.taken += count;
        if frame.taken == frame.bytes.len() {
            self.weight -= frame.bytes.len() + FRAME_COST;
            self.frames.pop_front();
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn at(moment: Duration) -> Arrival {
        Arrival { first: moment, last: moment }
    }

    #[test]
    fn a_frame_is_had_when_it_has_arrived_and_passed_the_downlink() {
        let mut line = Line::default();
        line.push(at(ms(10)), vec![1; 100]);
        assert_eq!(line.head(ms(9), |_, _| panic!("it is not there yet")), Head::At(ms(10)));
        let downlink = |arrival: Arrival, bytes: usize| {
            assert_eq!((arrival, bytes), (at(ms(10)), 100));
            ms(12)
        };
        assert_eq!(line.head(ms(11), downlink), Head::At(ms(12)));
        assert_eq!(line.head(ms(12), |_, _| panic!("it is in the downlink already")), Head::Here);
        let mut buffer = [0; 60];
        assert_eq!(line.take(&mut buffer), 60);
        assert_eq!(line.head(ms(12), |_, _| unreachable!()), Head::Here);
        assert_eq!(line.take(&mut buffer), 40);
        assert_eq!(line.head(ms(12), |_, _| unreachable!()), Head::Empty);
    }

    #[test]
    fn small_frames_fill_the_line_too() {
        let mut line = Line::default();
        let mut frames = 0;
        while !line.is_full() {
            line.push(at(ms(1)), vec![0]);
            frames += 1;
        }
        assert!(frames < 50_000, "{frames}");
        line.take(&mut [0]);
        assert!(!line.is_full());
    }
}
