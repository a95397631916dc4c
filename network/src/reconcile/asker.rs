//! The side that wants to know: it asks for symbols until it can tell the sets apart.

use super::Symbol;
use super::decoder::{Decoder, Difference};
use super::part::{MAX_BITS, Part};
use super::snapshot::Snapshot;
use crate::short_id::ShortKey;
use crate::wire::{MAX_SYMBOLS, Request};

/// Symbols asked for first. Equal sets show in the first one, and a difference of one in these four
/// as a rule.
const FIRST: u32 = 4;

/// Symbols asked for next, if those did not do: enough for a difference of ten, and to tell within a
/// third how large a larger one is.
const SECOND: u32 = 16;

/// Symbols needed for each element that differs, once there are hundreds (the paper says 1.35; a
/// little more is needed as often as less).
const PER_ELEMENT: f64 = 1.37;

/// Symbols needed beyond that.
const BEYOND: f64 = 6.0;

/// The share of what is thought to be needed that is asked for at first: the estimate is off by a
/// third then, and what is too much is lost.
const CAUTION: f64 = 0.8;

/// What is asked for at least where more was needed than thought, over what was taken.
const STEP: f64 = 1.0 / 16.0;

/// Sets larger than this are summed in smaller steps: each id is part of 2·ln(8) symbols while their
/// number grows eightfold, which takes 10 ms for 100,000.
const LARGE: u32 = 1 << 15;

/// By how many times the symbols of a large set grow at most with one question.
const LARGE_STEP: f64 = 7.0;

/// The largest difference that is taken apart at once. It takes half a megabyte of symbols, and as
/// many transactions take minutes to be exchanged; larger ones are, part by part.
pub(super) const MAX_DIFFERENCE: f64 = 20_000.0;

/// Symbols after which a comparison ends with what it has found: what [`MAX_DIFFERENCE`] takes, and a
/// half more. 640 KiB.
const MOST: u32 = 1 << 15;

/// What an answer leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// More symbols are needed.
    Ask(Request),
    /// The whole difference, or what was found of it before the most that are asked for.
    Done(Difference),
    /// The sets lie too far apart to be compared at once: parts of this fineness may be.
    TooFar {
        /// As with [`Part::new`].
        bits: u8,
    },
    /// The other side gives no more.
    Refused,
}

/// An answer that nobody gives by mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault;

/// A comparison that this side began.
#[derive(Clone, Debug)]
pub struct Asker {
    key: ShortKey,
    part: Part,
    own: Snapshot,
    decoder: Decoder,
    /// Symbols asked for and not given yet.
    open: u32,
    /// How many ids the other side says it has.
    size: u32,
    bytes: u64,
}

impl Asker {
    /// Begins under a key that nobody could know before.
    #[must_use]
    pub fn begin(key: ShortKey, part: Part, own: Snapshot) -> (Self, Request) {
        let decoder = Decoder::new(own.names());
        let mut asker = Self { key, part, own, decoder, open: 0, size: 0, bytes: 0 };
        let request = asker.ask(FIRST);
        (asker, request)
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> ShortKey {
        self.key
    }

    /// What it compares.
    #[must_use]
    pub fn part(&self) -> Part {
        self.part
    }

    /// The ids of this side.
    #[must_use]
    pub fn own(&self) -> &Snapshot {
        &self.own
    }

    /// How many ids the other side says it has.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.size
    }

    /// How many symbols were taken.
    #[must_use]
    pub fn taken(&self) -> u32 {
        u32::try_from(self.decoder.taken()).unwrap_or(u32::MAX)
    }

    /// Bytes of what was asked and answered.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    fn ask(&mut self, count: u32) -> Request {
        self.open = count.min(MAX_SYMBOLS);
        self.bytes += SKETCH_REQUEST;
        Request::Sketch { key: self.key, part: self.part, from: self.taken(), count: self.open }
    }

    /// Takes an answer: how many ids the other side has, and symbols.
    ///
    /// # Errors
    /// It is none, whatever sets there are.
    pub fn take(&mut self, size: u32, symbols: &[Symbol]) -> Result<Step, Fault> {
        if symbols.len() > self.open as usize {
            return Err(Fault);
        }
        if symbols.is_empty() {
            // More than is compared at once; or it is a refusal.
            let bits = Part::bits_for(size as usize);
            let too_large = bits > self.part.bits();
            return Ok(if too_large { Step::TooFar { bits } } else { Step::Refused });
        }
        self.size = size;
        self.bytes += SKETCH_ANSWER + SYMBOL * symbols.len() as u64;
        let done = self.decoder.take(symbols).map_err(|_| Fault)?;
        if let Some(difference) = done {
            return Ok(Step::Done(difference));
        }
        let taken = self.taken();
        let apart = self.apart();
        if apart > MAX_DIFFERENCE && self.part.bits() < MAX_BITS {
            // So that a part holds half of what one comparison may.
            let parts =
                (2.0 * apart / MAX_DIFFERENCE).log2().ceil().clamp(1.0, f64::from(MAX_BITS));
            let bits = self.part.bits().saturating_add(parts as u8).min(MAX_BITS);
            return Ok(Step::TooFar { bits });
        }
        // What made-up symbols cost is bounded by what this side has and the other says it has.
        let sets = u64::from(size).saturating_add(self.own.len() as u64);
        if u64::from(taken) >= sets.saturating_mul(3).saturating_add(64).min(u64::from(MOST)) {
            return Ok(Step::Done(self.decoder.found()));
        }
        Ok(Step::Ask(self.ask(self.next_count())))
    }

    /// How far the sets lie apart, as far as can be told.
    fn apart(&self) -> f64 {
        let sizes =
            f64::from(self.size.abs_diff(u32::try_from(self.own.len()).unwrap_or(u32::MAX)));
        if self.taken() < SECOND { sizes } else { self.decoder.estimate().max(sizes) }
    }

    fn next_count(&self) -> u32 {
        let (taken, apart) = (f64::from(self.taken()), self.apart());
        let needed = PER_ELEMENT * apart + BEYOND;
        if self.taken() < SECOND {
            return SECOND.max((CAUTION * needed) as u32);
        }
        let goal = if taken < CAUTION * CAUTION * needed { CAUTION * needed } else { needed };
        let least = (taken * STEP).max(8.0);
        let large = self.size.max(u32::try_from(self.own.len()).unwrap_or(u32::MAX)) > LARGE;
        let most = if large { LARGE_STEP * taken } else { f64::INFINITY };
        (goal - taken).max(least).min(most).min(f64::from(MAX_SYMBOLS)) as u32
    }
}

/// Bytes of a [`Request::Sketch`].
const SKETCH_REQUEST: u64 = 1 + 16 + 3 + 4 + 4;

/// Bytes of its answer, without the symbols.
const SKETCH_ANSWER: u64 = 1 + 4 + 4;

/// Bytes of a symbol.
const SYMBOL: u64 = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Response;

    #[test]
    fn bytes_are_counted_as_they_are_encoded() {
        let (key, part) = (ShortKey([1; 16]), Part::all());
        let (asker, request) = Asker::begin(key, part, Snapshot::default());
        assert_eq!(request.encode().len() as u64, SKETCH_REQUEST);
        assert_eq!(asker.bytes(), SKETCH_REQUEST);
        let answer = Response::Sketch { size: 7, symbols: vec![Symbol::default(); 5] };
        assert_eq!(answer.encode().len() as u64, SKETCH_ANSWER + 5 * SYMBOL);
    }
}
