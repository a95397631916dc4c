//! What travels between two peers: frames of messages, with whatever else there is to say.

mod code;

use std::fmt;
use std::sync::Arc;

use super::message::{Origin, ShortId};
use crate::topic::Topic;

pub(super) use code::{PART_BYTES, item_bytes};

/// The most parts of a frame: a full one of small messages of as many origins, and beacons.
pub const MAX_PARTS: usize = 1_024;

/// The most messages of a part, and of all parts of a frame together. A router fills frames up to
/// 16 KiB, and no message that means something takes less than five bytes.
pub const MAX_ITEMS: usize = 4_096;

/// The most ids or origins in one part: 16 KiB.
pub const MAX_IDS: usize = 2_048;

/// The most ids in a [`Part::Want`]: what answers it is at most so many of the largest messages.
pub const MAX_WANT: usize = 256;

/// The bytes of a message, shared by all who send it.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload(pub Arc<[u8]>);

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it carries.
    pub topic: Topic,
    /// It.
    pub data: Payload,
}

/// One thing that a frame says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Messages of one origin, pushed.
    Messages {
        /// Who introduced them. Not [`Origin::NONE`]: without an origin nothing is pushed.
        origin: Origin,
        /// They, [`MAX_ITEMS`] at most.
        items: Vec<Item>,
    },
    /// Messages that were asked for, with their origins, [`MAX_ITEMS`] at most.
    Asked {
        /// They.
        items: Vec<(Origin, Item)>,
    },
    /// The sender has these, and stands by them: an announcement, or an acknowledgement.
    Have(Vec<ShortId>),
    /// The sender had these and did not take them: they are not to be sent to it again.
    Refused(Vec<ShortId>),
    /// The sender asks for these, [`MAX_WANT`] at most.
    Want(Vec<ShortId>),
    /// The sender was asked for these and cannot give them.
    Gone(Vec<ShortId>),
    /// Messages of these origins are only to be announced to the sender.
    Lazy(Vec<Origin>),
    /// Messages of these origins are to be pushed to the sender.
    Eager(Vec<Origin>),
    /// An empty message, by which paths are learnt.
    Beacon {
        /// Who sent it first.
        origin: Origin,
        /// Which of its beacons: they rise.
        number: u64,
    },
}

/// What is sent at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// What it says, [`MAX_PARTS`] at most.
    pub parts: Vec<Part>,
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: usize = 1 << 16;

    fn item() -> Item {
        Item { topic: Topic::Block, data: Payload(Arc::from([1, 2, 3].as_slice())) }
    }

    #[test]
    fn every_part_comes_back_as_it_was() {
        let parts = vec![
            Part::Messages { origin: Origin(7), items: vec![item(), item()] },
            Part::Asked { items: vec![(Origin::NONE, item())] },
            Part::Have(vec![1, 2]),
            Part::Refused(vec![3]),
            Part::Want(vec![4]),
            Part::Gone(vec![5]),
            Part::Lazy(vec![Origin(6)]),
            Part::Eager(vec![Origin(7)]),
            Part::Beacon { origin: Origin(8), number: 9 },
        ];
        let bytes: usize = parts.iter().map(Part::encoded_bytes).sum();
        let frame = Frame { parts };
        assert_eq!(frame.encode().len(), bytes);
        assert_eq!(Frame::decode(&frame.encode(), LIMIT), Ok(frame));
    }

    #[test]
    fn what_is_too_much_is_refused() {
        let refused = |part: Part| Frame::decode(&Frame { parts: vec![part] }.encode(), LIMIT);
        assert!(refused(Part::Want(vec![0; MAX_WANT])).is_ok());
        assert!(refused(Part::Want(vec![0; MAX_WANT + 1])).is_err());
        assert!(refused(Part::Have(vec![0; MAX_IDS + 1])).is_err());
        assert!(refused(Part::Messages { origin: Origin::NONE, items: vec![item()] }).is_err());
        let parts = vec![Part::Have(Vec::new()); MAX_PARTS + 1];
        assert!(Frame::decode(&Frame { parts }.encode(), LIMIT).is_err());
        let mut bytes = Frame { parts: vec![Part::Have(vec![1])] }.encode();
        assert!(Frame::decode(&bytes, bytes.len()).is_ok());
        assert!(Frame::decode(&bytes, bytes.len() - 1).is_err(), "above the limit");
        assert!(Frame::decode(&bytes[..bytes.len() - 1], LIMIT).is_err(), "cut short");
        bytes.push(0);
        assert!(Frame::decode(&bytes, LIMIT).is_err(), "trailing bytes");
        assert!(Frame::decode(&[9], LIMIT).is_err(), "no such part");
    }

    #[test]
    fn a_frame_is_refused_at_the_first_message_too_many_however_they_are_spread_over_its_parts() {
        let empty = || Item { topic: Topic::Tx, data: Payload(Arc::from([].as_slice())) };
        let pushed = |count| Part::Messages { origin: Origin(7), items: vec![empty(); count] };
        let asked = |count| Part::Asked { items: vec![(Origin(7), empty()); count] };
        let decode =
            |parts: &[Part]| Frame::decode(&Frame { parts: parts.to_vec() }.encode(), 1 << 20);
        assert!(decode(&[pushed(MAX_ITEMS)]).is_ok());
        assert!(decode(&[pushed(MAX_ITEMS - 1), asked(1)]).is_ok());
        assert!(decode(&[pushed(MAX_ITEMS), pushed(0), asked(0)]).is_ok());
        assert!(decode(&[pushed(MAX_ITEMS + 1)]).is_err());
        assert!(decode(&[pushed(MAX_ITEMS), pushed(1)]).is_err());
        assert!(decode(&[asked(MAX_ITEMS), pushed(1)]).is_err());
        assert!(decode(&[pushed(MAX_ITEMS), asked(1)]).is_err());
        // Before any of the list is read: what follows the count does not matter.
        let mut bytes = Frame { parts: vec![pushed(MAX_ITEMS)] }.encode();
        bytes.extend_from_slice(&[1, 1]);
        let error = Frame::decode(&bytes, 1 << 20).unwrap_err();
        assert!(error.to_string().contains("a list beyond its limit"), "{error}");
    }

    proptest! {
        #[test]
        fn bytes_that_decode_are_the_encoding(bytes in prop::collection::vec(0u8..10, 0..200)) {
            if let Ok(frame) = Frame::decode(&bytes, LIMIT) {
                prop_assert_eq!(frame.encode(), bytes);
            }
        }
    }
}
