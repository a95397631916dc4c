//! Frames as bytes. Counts and lengths take as few as they need ([`varint`]), and the parts go on to
//! the end of the frame: at twenty small messages a second more bytes would go into saying how long
//! things are than into announcing them.

use hearsay_chain::codec::DecodeError;

use super::super::message::Origin;
use super::super::varint::{self, Partial, Taken};
use super::{Frame, Item, MAX_IDS, MAX_ITEMS, MAX_PARTS, MAX_WANT, Part, Payload};
use crate::topic::Topic;

/// An id or an origin.
const WORD_BYTES: usize = 8;

/// A part's kind.
const KIND_BYTES: usize = 1;

/// What an item adds to a frame, in bytes: its topic and length, and itself.
pub(in crate::push) fn item_bytes(data: &Payload) -> usize {
    varint::bytes_of(head_of(Topic::Tx, data.0.len())).saturating_add(data.0.len())
}

/// What a part adds to a frame beside its messages, at most: its kind, an origin and a count.
pub(in crate::push) const PART_BYTES: usize =
    KIND_BYTES + WORD_BYTES + MAX_ITEMS.ilog2() as usize / 7 + 1;

/// Topic and length of a message in one number.
fn head_of(topic: Topic, length: usize) -> u64 {
    let topic = match topic {
        Topic::Tx => 0,
        Topic::Block => 1,
    };
    (length as u64).saturating_mul(2) | topic
}

impl Part {
    fn kind(&self) -> u8 {
        match self {
            Part::Messages { .. } => 0,
            Part::Asked { .. } => 1,
            Part::Have(_) => 2,
            Part::Refused(_) => 3,
            Part::Want(_) => 4,
            Part::Gone(_) => 5,
            Part::Lazy(_) => 6,
            Part::Eager(_) => 7,
            Part::Beacon { .. } => 8,
        }
    }

    /// The bytes of its encoding.
    #[must_use]
    pub fn encoded_bytes(&self) -> usize {
        let list = |count: usize, each: usize| {
            varint::bytes_of(count as u64).saturating_add(count.saturating_mul(each))
        };
        let of_items = |bytes: usize, item: &Item| bytes.saturating_add(item_bytes(&item.data));
        let rest = match self {
            Part::Messages { items, .. } => {
                items.iter().fold(WORD_BYTES.saturating_add(list(items.len(), 0)), of_items)
            }
            Part::Asked { items } => {
                let words = list(items.len(), WORD_BYTES);
                items.iter().map(|(_, item)| item).fold(words, of_items)
            }
            Part::Have(ids) | Part::Refused(ids) | Part::Want(ids) | Part::Gone(ids) => {
                list(ids.len(), WORD_BYTES)
            }
            Part::Lazy(origins) | Part::Eager(origins) => list(origins.len(), WORD_BYTES),
            Part::Beacon { number, .. } => WORD_BYTES.saturating_add(varint::bytes_of(*number)),
        };
        rest.saturating_add(KIND_BYTES)
    }

    fn append(&self, to: &mut Vec<u8>) {
        to.push(self.kind());
        match self {
            Part::Messages { origin, items } => {
                word(to, origin.0);
                varint::push(to, items.len() as u64);
                items.iter().for_each(|it| item(to, it));
            }
            Part::Asked { items } => {
                varint::push(to, items.len() as u64);
                for (origin, it) in items {
                    word(to, origin.0);
                    item(to, it);
                }
            }
            Part::Have(ids) | Part::Refused(ids) | Part::Want(ids) | Part::Gone(ids) => {
                varint::push(to, ids.len() as u64);
                ids.iter().for_each(|id| word(to, *id));
            }
            Part::Lazy(origins) | Part::Eager(origins) => {
                varint::push(to, origins.len() as u64);
                origins.iter().for_each(|origin| word(to, origin.0));
            }
            Part::Beacon { origin, number } => {
                word(to, origin.0);
                varint::push(to, *number);
            }
        }
    }
}

fn word(to: &mut Vec<u8>, word: u64) {
    to.extend_from_slice(&word.to_le_bytes());
}

fn item(to: &mut Vec<u8>, item: &Item) {
    varint::push(to, head_of(item.topic, item.data.0.len()));
    to.extend_from_slice(&item.data.0);
}

impl Frame {
    /// Its encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.append(&mut bytes);
        bytes
    }

    /// Appends its encoding.
    pub(in crate::push) fn append(&self, to: &mut Vec<u8>) {
        let bytes: usize = self.parts.iter().map(Part::encoded_bytes).sum();
        to.reserve(bytes);
        self.parts.iter().for_each(|part| part.append(to));
    }

    /// Decodes a frame from all of `bytes`.
    ///
    /// # Errors
    /// More than `limit` bytes, malformed, cut short, more of anything than is allowed, or messages
    /// without an origin that were not asked for.
    pub fn decode(bytes: &[u8], limit: usize) -> Result<Self, DecodeError> {
        if bytes.len() > limit {
            return Err(DecodeError::TooLarge { found: bytes.len(), limit });
        }
        let mut from = Reader { bytes, items: MAX_ITEMS };
        let mut parts = Vec::new();
        while !from.bytes.is_empty() {
            if parts.len() >= MAX_PARTS {
                return Err(malformed("too many parts"));
            }
            parts.push(from.part()?);
        }
        Ok(Self { parts })
    }
}

fn malformed(what: &str) -> DecodeError {
    DecodeError::Malformed(what.to_owned())
}

/// What is left to read.
struct Reader<'a> {
    bytes: &'a [u8],
    /// How many messages may follow. One takes a byte of a frame, and 50 of memory: so they are counted
    /// as they are read.
    items: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let taken = self.bytes.split_at_checked(count);
        let (taken, rest) = taken.ok_or_else(|| malformed("cut short"))?;
        self.bytes = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        let (first, rest) = self.bytes.split_first().ok_or_else(|| malformed("cut short"))?;
        self.bytes = rest;
        Ok(*first)
    }

    fn word(&mut self) -> Result<u64, DecodeError> {
        let mut word = [0; WORD_BYTES];
        word.copy_from_slice(self.take(WORD_BYTES)?);
        Ok(u64::from_le_bytes(word))
    }

    fn number(&mut self) -> Result<u64, DecodeError> {
        let mut partial = Partial::default();
        loop {
            match partial.take(self.byte()?) {
                Taken::More => {}
                Taken::Whole(number) => return Ok(number),
                Taken::Wrong => return Err(malformed("a number that could be shorter")),
            }
        }
    }

    /// Reads a list, and refuses a long one before it reads any of it. It grows with what is there, as
    /// more may be claimed than was sent.
    fn list<T>(
        &mut self,
        most: usize,
        mut one: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let count = self.number()?;
        if count > most as u64 {
            return Err(malformed("a list beyond its limit"));
        }
        let mut list = Vec::new();
        for _ in 0..count {
            list.push(one(self)?);
        }
        Ok(list)
    }

    fn words(&mut self, most: usize) -> Result<Vec<u64>, DecodeError> {
        self.list(most, Self::word)
    }

    fn origins(&mut self) -> Result<Vec<Origin>, DecodeError> {
        self.list(MAX_IDS, |from| from.word().map(Origin))
    }

    fn item(&mut self) -> Result<Item, DecodeError> {
        let head = self.number()?;
        let topic = if head & 1 == 0 { Topic::Tx } else { Topic::Block };
        let length = usize::try_from(head >> 1).map_err(|_| malformed("cut short"))?;
        Ok(Item { topic, data: Payload(self.take(length)?.into()) })
    }

    /// Reads a list of messages, of which a frame has so many in all its parts.
    fn items<T>(
        &mut self,
        one: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let items = self.list(self.items, one)?;
        self.items = self.items.saturating_sub(items.len());
        Ok(items)
    }

    fn part(&mut self) -> Result<Part, DecodeError> {
        Ok(match self.byte()? {
            0 => {
                let origin = Origin(self.word()?);
                if origin == Origin::NONE {
                    return Err(malformed("pushed without an origin"));
                }
                Part::Messages { origin, items: self.items(Self::item)? }
            }
            1 => {
                let one = |from: &mut Self| Ok((Origin(from.word()?), from.item()?));
                Part::Asked { items: self.items(one)? }
            }
            2 => Part::Have(self.words(MAX_IDS)?),
            3 => Part::Refused(self.words(MAX_IDS)?),
            4 => Part::Want(self.words(MAX_WANT)?),
            5 => Part::Gone(self.words(MAX_IDS)?),
            6 => Part::Lazy(self.origins()?),
            7 => Part::Eager(self.origins()?),
            8 => Part::Beacon { origin: Origin(self.word()?), number: self.number()? },
            _ => return Err(malformed("an unknown part")),
        })
    }
}
