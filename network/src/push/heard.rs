//! What the router has to say to its owner.

use std::sync::Arc;

use super::frame::{Frame, Part};
use super::message::MessageId;
use crate::topic::Topic;

/// What the router has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard<P> {
    /// A copy of a message came, the first one included: then this comes before
    /// [`Heard::Message`].
    Copy {
        /// Who sent it.
        from: P,
        /// What it carries.
        topic: Topic,
        /// It.
        data: Arc<[u8]>,
        /// Its id.
        message: MessageId,
        /// Whether it came as an answer, not as a push: to a question of ours, or so its sender says of a
        /// message that was here before.
        asked: bool,
    },
    /// The first copy of a message came. It is owed exactly one verdict.
    Message {
        /// Who sent it.
        from: P,
        /// What it carries.
        topic: Topic,
        /// It.
        data: Arc<[u8]>,
        /// Its id.
        message: MessageId,
        /// Whether we had asked for it.
        asked: bool,
    },
    /// A message of our own is known to have reached a peer, the first one.
    Taken {
        /// Its id.
        message: MessageId,
        /// What it carries.
        topic: Topic,
        /// The peer.
        by: P,
    },
    /// A message is no longer spread: every peer is known to have it or refused it (`unsure` is 0),
    /// or the budget is spent.
    Settled {
        /// Its id.
        message: MessageId,
        /// What it carries.
        topic: Topic,
        /// Peers that are known to have it.
        known: u32,
        /// Peers that refused it.
        refused: u32,
        /// Peers of which neither is known.
        unsure: u32,
        /// How often it was sent, asked for or not.
        pushed: u32,
        /// How often it was announced or acknowledged.
        announced: u32,
    },
    /// Something was dropped because a bound was reached.
    Dropped {
        /// Which bound.
        place: &'static str,
        /// How many.
        count: u64,
    },
    /// A peer did what no peer that keeps the rules does.
    Offence {
        /// The peer.
        peer: P,
        /// What it did.
        what: &'static str,
    },
}

/// What went over a connection in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Frames.
    pub frames: u64,
    /// Messages pushed.
    pub pushed: u64,
    /// Their bytes, payload only.
    pub pushed_bytes: u64,
    /// Messages given on request.
    pub asked: u64,
    /// Their bytes, payload only.
    pub asked_bytes: u64,
    /// Copies of messages that were there before: only counted of what is received.
    pub duplicates: u64,
    /// Ids announced or acknowledged.
    pub announced: u64,
    /// Ids asked for.
    pub wanted: u64,
    /// Origins of which one side told the other to be lazy or eager.
    pub turns: u64,
    /// Beacons.
    pub beacons: u64,
    /// Encoded bytes other than payloads and beacons, the frames' lengths not counted.
    pub control_bytes: u64,
    /// Encoded bytes of beacons.
    pub beacon_bytes: u64,
}

/// What went over a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerStats {
    /// To the peer.
    pub sent: Traffic,
    /// From it.
    pub received: Traffic,
}

impl PeerStats {
    /// Of both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self { sent: self.sent.plus(&other.sent), received: self.received.plus(&other.received) }
    }
}

impl Traffic {
    /// Of both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            frames: self.frames.saturating_add(other.frames),
            pushed: self.pushed.saturating_add(other.pushed),
            pushed_bytes: self.pushed_bytes.saturating_add(other.pushed_bytes),
            asked: self.asked.saturating_add(other.asked),
            asked_bytes: self.asked_bytes.saturating_add(other.asked_bytes),
            duplicates: self.duplicates.saturating_add(other.duplicates),
            announced: self.announced.saturating_add(other.announced),
            wanted: self.wanted.saturating_add(other.wanted),
            turns: self.turns.saturating_add(other.turns),
            beacons: self.beacons.saturating_add(other.beacons),
            control_bytes: self.control_bytes.saturating_add(other.control_bytes),
            beacon_bytes: self.beacon_bytes.saturating_add(other.beacon_bytes),
        }
    }

    /// Counts a frame.
    pub(super) fn count(&mut self, frame: &Frame) {
        let add = |to: &mut u64, much: usize| *to = to.saturating_add(much as u64);
        add(&mut self.frames, 1);
        for part in &frame.parts {
            let mut payload = 0;
            match part {
                Part::Messages { items, .. } => {
                    payload = items.iter().map(|item| item.data.0.len()).sum();
                    add(&mut self.pushed, items.len());
                    add(&mut self.pushed_bytes, payload);
                }
                Part::Asked { items } => {
                    payload = items.iter().map(|(_, item)| item.data.0.len()).sum();
                    add(&mut self.asked, items.len());
                    add(&mut self.asked_bytes, payload);
                }
                Part::Have(ids) => add(&mut self.announced, ids.len()),
                Part::Want(ids) => add(&mut self.wanted, ids.len()),
                Part::Refused(_) | Part::Gone(_) => {}
                Part::Lazy(origins) | Part::Eager(origins) => {
                    add(&mut self.turns, origins.len());
                }
                Part::Beacon { .. } => {
                    add(&mut self.beacons, 1);
                    add(&mut self.beacon_bytes, part.encoded_bytes());
                    continue;
                }
            }
            let control = part.encoded_bytes().saturating_sub(payload);
            add(&mut self.control_bytes, control);
        }
    }
}
