//! What went over all connections: messages pushed, messages that were asked for, and the rest.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::event::Traffic;
use crate::push::{Frame, Part};

/// What is in one frame, or in all that went in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages that were pushed.
    pub eager: u64,
    /// Their bytes, payload only.
    pub eager_bytes: u64,
    /// Messages that were asked for.
    pub lazy: u64,
    /// Their bytes, payload only.
    pub lazy_bytes: u64,
    /// All other bytes of frames: announcements, requests, beacons, tags and lengths.
    pub control_bytes: u64,
}

impl Tally {
    /// Of a frame that takes so many bytes.
    pub(super) fn of(frame: &Frame, bytes: usize) -> Self {
        let mut tally = Self::default();
        for part in &frame.parts {
            match part {
                Part::Messages { items, .. } => {
                    tally.eager = tally.eager.saturating_add(items.len() as u64);
                    let bytes: usize = items.iter().map(|item| item.data.0.len()).sum();
                    tally.eager_bytes = tally.eager_bytes.saturating_add(bytes as u64);
                }
                Part::Asked { items } => {
                    tally.lazy = tally.lazy.saturating_add(items.len() as u64);
                    let bytes: usize = items.iter().map(|(_, item)| item.data.0.len()).sum();
                    tally.lazy_bytes = tally.lazy_bytes.saturating_add(bytes as u64);
                }
                _ => {}
            }
        }
        let payload = tally.eager_bytes.saturating_add(tally.lazy_bytes);
        tally.control_bytes = (bytes as u64).saturating_sub(payload);
        tally
    }

    /// Messages of both kinds.
    pub(super) fn messages(&self) -> u64 {
        self.eager.saturating_add(self.lazy)
    }
}

#[derive(Debug, Default)]
struct Counters {
    eager: AtomicU64,
    eager_bytes: AtomicU64,
    lazy: AtomicU64,
    lazy_bytes: AtomicU64,
    control_bytes: AtomicU64,
}

impl Counters {
    fn add(&self, tally: &Tally) {
        let pairs = [
            (&self.eager, tally.eager),
            (&self.eager_bytes, tally.eager_bytes),
            (&self.lazy, tally.lazy),
            (&self.lazy_bytes, tally.lazy_bytes),
            (&self.control_bytes, tally.control_bytes),
        ];
        for (counter, more) in pairs {
            counter.fetch_add(more, Ordering::Relaxed);
        }
    }

    fn get(&self) -> Tally {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Tally {
            eager: read(&self.eager),
            eager_bytes: read(&self.eager_bytes),
            lazy: read(&self.lazy),
            lazy_bytes: read(&self.lazy_bytes),
            control_bytes: read(&self.control_bytes),
        }
    }
}

/// What was gossiped since the start, in each direction. Clones share one count.
///
/// Gossipsub tells what it receives, each copy of which counts as pushed, and neither what it sends
/// nor its control messages: so these are of [`crate::push`] alone.
#[derive(Clone, Debug, Default)]
pub struct TrafficCount {
    inner: Arc<[Counters; 2]>,
}

impl TrafficCount {
    /// What was sent.
    #[must_use]
    pub fn sent(&self) -> Tally {
        self.inner[0].get()
    }

    /// What was received.
    #[must_use]
    pub fn received(&self) -> Tally {
        self.inner[1].get()
    }

    pub(crate) fn add_sent(&self, tally: &Tally) {
        self.inner[0].add(tally);
    }

    pub(crate) fn add_received(&self, tally: &Tally) {
        self.inner[1].add(tally);
    }

    /// A copy came by gossipsub.
    pub(crate) fn add_copy(&self, traffic: Traffic, bytes: usize) {
        let bytes = bytes as u64;
        let tally = match traffic {
            Traffic::Eager => Tally { eager: 1, eager_bytes: bytes, ..Tally::default() },
            Traffic::Lazy => Tally { lazy: 1, lazy_bytes: bytes, ..Tally::default() },
        };
        self.add_received(&tally);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::push::{Item, Origin, Payload};
    use crate::topic::Topic;

    #[test]
    fn payload_and_the_rest_are_counted_apart_and_make_up_all_bytes() {
        let item = |bytes: usize| Item { topic: Topic::Tx, data: Payload(vec![0; bytes].into()) };
        let frame = Frame {
            parts: vec![
                Part::Messages { origin: Origin(1), items: vec![item(10), item(20)] },
                Part::Asked { items: vec![(Origin(2), item(5))] },
                Part::Have(vec![1, 2, 3]),
            ],
        };
        let bytes = frame.encode().len() + 4;
        let tally = Tally::of(&frame, bytes);
        assert_eq!((tally.eager, tally.eager_bytes), (2, 30));
        assert_eq!((tally.lazy, tally.lazy_bytes), (1, 5));
        assert_eq!(tally.control_bytes as usize, bytes - 35);
        let count = TrafficCount::default();
        count.add_sent(&tally);
        count.clone().add_sent(&tally);
        assert_eq!(count.sent().eager, 4);
        assert_eq!(count.received(), Tally::default());
    }
}
