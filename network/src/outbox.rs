//! Events on their way out of the swarm, which never waits for whoever reads them.
//!
//! Gossip, copies and offences can be dropped, counted, when the reader is slow: gossip is repaired,
//! and who goes on with an offence commits the next one. What a reader's own state hangs on is kept
//! back in order instead. Of that, what was answered and published is bounded by what the reader itself
//! has asked for and handed over. Who joined, who left, who is foreign and what is new of the members is
//! bounded by nothing but the pace at which peers can connect, identify themselves and send datagrams: it
//! is a few bytes each, and a reader that stands for long has it all to read.

use std::collections::VecDeque;

use tokio::sync::mpsc::{Sender, error::TrySendError};

use crate::event::NetEvent;
use crate::service::EVENT_QUEUE;

/// The room that is left for what cannot be held back at its sender: gossipsub's messages, requests,
/// and all that one frame of [`crate::push`] can bring.
pub(crate) const ROOM: usize = EVENT_QUEUE / 2;

/// The reader is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closed;

/// Whether a droppable event went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offered {
    /// It is in the queue.
    Taken,
    /// The queue was full; it is gone.
    Dropped,
}

/// The queue to the reader and what is kept back while that is full.
#[derive(Debug)]
pub(crate) struct Outbox {
    queue: Sender<NetEvent>,
    kept: VecDeque<NetEvent>,
    dropped: u64,
}

impl Outbox {
    pub(crate) fn new(queue: Sender<NetEvent>) -> Self {
        Self { queue, kept: VecDeque::new(), dropped: 0 }
    }

    /// Sends an event that may be dropped.
    pub(crate) fn offer(&mut self, event: NetEvent) -> Result<Offered, Closed> {
        self.flush()?;
        if !self.kept.is_empty() {
            self.dropped += 1;
            return Ok(Offered::Dropped);
        }
        match self.queue.try_send(event) {
            Ok(()) => Ok(Offered::Taken),
            Err(TrySendError::Full(_)) => {
                self.dropped += 1;
                Ok(Offered::Dropped)
            }
            Err(TrySendError::Closed(_)) => Err(Closed),
        }
    }

    /// Sends an event that must arrive, now or later, in order.
    pub(crate) fn keep(&mut self, event: NetEvent) -> Result<(), Closed> {
        self.kept.push_back(event);
        self.flush()
    }

    /// Sends what was kept back, as far as there is room, and then what is to be said of drops.
    pub(crate) fn flush(&mut self) -> Result<(), Closed> {
        while let Some(event) = self.kept.pop_front() {
            match self.queue.try_send(event) {
                Ok(()) => {}
                Err(TrySendError::Full(event)) => {
                    self.kept.push_front(event);
                    return Ok(());
                }
                Err(TrySendError::Closed(_)) => return Err(Closed),
            }
        }
        if self.dropped > 0 {
            let count = std::mem::take(&mut self.dropped);
            let event = NetEvent::Dropped { place: "engine-queue", count };
            if self.queue.try_send(event).is_err() {
                self.dropped = count;
            }
        }
        Ok(())
    }

    /// Whether [`Outbox::flush`] has something to do once there is room.
    pub(crate) fn is_behind(&self) -> bool {
        !self.kept.is_empty() || self.dropped > 0
    }

    /// Whether there is so much room that what can be held back need not be.
    pub(crate) fn has_room(&self) -> bool {
        !self.is_behind() && self.queue.capacity() >= ROOM.min(self.queue.max_capacity())
    }

    /// A handle to wait for room with.
    pub(crate) fn queue(&self) -> Sender<NetEvent> {
        self.queue.clone()
    }
}

#[cfg(test)]
mod tests {
    use libp2p::PeerId;
    use tokio::sync::mpsc;

    use super::*;

    #[test]
    fn what_must_arrive_arrives_in_order_and_what_may_be_dropped_is_counted() {
        let (sender, mut reader) = mpsc::channel(2);
        let mut outbox = Outbox::new(sender);
        let peers: Vec<PeerId> = (0..4).map(|_| PeerId::random()).collect();
        for peer in &peers {
            outbox.keep(NetEvent::Joined(*peer)).unwrap();
        }
        let offered = outbox.offer(NetEvent::Listening(peers[0])).unwrap();
        assert_eq!(offered, Offered::Dropped);
        let mut seen = Vec::new();
        let mut dropped = 0;
        for _ in 0..3 {
            while let Ok(event) = reader.try_recv() {
                match event {
                    NetEvent::Joined(peer) => seen.push(peer),
                    NetEvent::Dropped { count, .. } => dropped += count,
                    other => panic!("{other:?}"),
                }
            }
            outbox.flush().unwrap();
        }
        assert_eq!(seen, peers);
        assert_eq!(dropped, 1);
        assert!(!outbox.is_behind());
    }

    #[test]
    fn offences_that_find_the_queue_full_are_dropped_and_counted() {
        let (sender, mut reader) = mpsc::channel(2);
        let mut outbox = Outbox::new(sender);
        let peer = PeerId::random();
        for _ in 0..1_000 {
            outbox.offer(NetEvent::Offence { peer, what: "a flood" }).unwrap();
        }
        assert!(outbox.kept.is_empty());
        let mut offences = 0;
        while let Ok(event) = reader.try_recv() {
            offences += u64::from(matches!(event, NetEvent::Offence { .. }));
        }
        outbox.flush().unwrap();
        let event = reader.try_recv().unwrap();
        assert!(matches!(event, NetEvent::Dropped { count, .. } if count + offences == 1_000));
    }

    #[test]
    fn a_reader_that_is_gone_is_noticed() {
        let (sender, reader) = mpsc::channel(1);
        drop(reader);
        assert_eq!(Outbox::new(sender).keep(NetEvent::Left(PeerId::random())), Err(Closed));
    }
}
