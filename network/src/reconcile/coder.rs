//! From a set to symbols.

use borsh::{BorshDeserialize, BorshSerialize};

/// The sum of some elements of a set: 20 bytes when encoded.
///
/// Elements are eight bytes, summed by exclusive or. The check tells a sum of one from others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Symbol {
    /// The elements.
    pub sum: u64,
    /// A hash of each.
    pub check: u64,
    /// How many; in a difference, those of the other side less those of this one.
    pub count: i32,
}

impl Symbol {
    /// Adds an element, or takes it away.
    pub(super) fn apply(&mut self, element: u64, sign: i32) {
        self.sum ^= element;
        self.check ^= check(element);
        self.count = self.count.wrapping_add(sign);
    }

    /// What is left when another sum is taken away.
    pub(super) fn minus(self, other: Symbol) -> Symbol {
        Symbol {
            sum: self.sum ^ other.sum,
            check: self.check ^ other.check,
            count: self.count.wrapping_sub(other.count),
        }
    }

    /// The one element that it is the sum of, with its sign, if it is.
    pub(super) fn single(&self) -> Option<(u64, i32)> {
        let single = self.count.unsigned_abs() == 1 && self.check == check(self.sum);
        single.then_some((self.sum, self.count))
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Mixes an element, which is a keyed hash already and so needs no key here (the finaliser of
/// `SplitMix64`, a bijection; it is not its inverse that keeps sums apart but that it is not linear
/// over exclusive or).
fn check(element: u64) -> u64 {
    let mixed = (element ^ (element >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The symbols that an element is part of: the first, and then ever fewer.
///
/// Symbol `i` has each element with probability 1/(1 + i/2). So from symbol `i` on, none up to `j` has
/// it with probability (i+1)(i+2) / ((j+1)(j+2)): the next one follows from one uniform number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    pub(super) element: u64,
    /// The next symbol that has it.
    pub(super) next: u32,
    state: u64,
}

impl Walk {
    pub(super) fn new(element: u64) -> Self {
        Self { element, next: 0, state: element }
    }

    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "IEEE arithmetic, the same everywhere; the cast saturates"
    )]
    pub(super) fn step(&mut self) {
        // Each state gives the next one and, mixed, a number.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        // In (0, 1], in steps of about 2⁻³²; the divisor is one less, and what is above 1 is cut.
        let uniform = ((check(self.state) >> 32) + 1) as f64 / f64::from(u32::MAX);
        let at = f64::from(self.next);
        let product = (at + 1.0) * (at + 2.0) / uniform.min(1.0);
        // The least j with (j+1)(j+2) at or above it.
        let next = ((product + 0.25).sqrt() - 1.5).ceil();
        self.next = (next as u32).max(self.next.saturating_add(1));
    }
}

/// The symbols of a set, from the first on, as many as are asked for.
#[derive(Clone, Debug, Default)]
pub struct Coder {
    walks: Vec<Walk>,
    made: u32,
}

impl Coder {
    /// The symbols of these elements, of which each must be there once.
    #[must_use]
    pub fn new(elements: impl IntoIterator<Item = u64>) -> Self {
        Self { walks: elements.into_iter().map(Walk::new).collect(), made: 0 }
    }

    /// How many elements it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.walks.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.walks.is_empty()
    }

    /// How many symbols it has given.
    #[must_use]
    pub fn made(&self) -> u32 {
        self.made
    }

    /// The next `count` symbols. Takes time in proportion to the set.
    pub fn next(&mut self, count: u32) -> Vec<Symbol> {
        let mut symbols = vec![Symbol::default(); count as usize];
        self.add_to(&mut symbols, 1);
        symbols
    }

    /// Adds the next symbols to others, or takes them away.
    pub(super) fn add_to(&mut self, symbols: &mut [Symbol], sign: i32) {
        let from = self.made;
        let end = from.saturating_add(u32::try_from(symbols.len()).unwrap_or(u32::MAX));
        for walk in &mut self.walks {
            while walk.next < end {
                symbols[(walk.next - from) as usize].apply(walk.element, sign);
                walk.step();
            }
        }
        self.made = end;
    }

    /// Adds an element that is part of what is yet to be given alone.
    pub(super) fn join(&mut self, walk: Walk) {
        self.walks.push(walk);
    }
}
