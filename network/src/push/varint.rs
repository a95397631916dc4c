//! Whole numbers in as few bytes as they need: seven bits in each, the lowest first, and the high bit
//! set in all but the last (LEB128, as in Protocol Buffers and multiformats). Each number has one
//! encoding: one that is longer than it need be is refused.

/// The most bytes of a number: 64 bits, seven in each.
pub(super) const MAX_BYTES: usize = 10;

/// Appends a number.
pub(super) fn push(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

/// How many bytes a number takes.
pub(super) fn bytes_of(number: u64) -> usize {
    let bits = 64 - number.leading_zeros() as usize;
    bits.div_ceil(7).max(1)
}

/// What came of one more byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// The number goes on.
    More,
    /// It is whole.
    Whole(u64),
    /// It is none: too long, or longer than it need be.
    Wrong,
}

/// A number of which some bytes have come.
#[derive(Debug, Default)]
pub(super) struct Partial {
    number: u64,
    bytes: usize,
}

impl Partial {
    /// Takes its next byte.
    pub(super) fn take(&mut self, byte: u8) -> Taken {
        let last = self.bytes + 1 == MAX_BYTES;
        // Of the tenth byte one bit is left, and a last byte of nothing could have been left out.
        if self.bytes >= MAX_BYTES || (last && byte > 1) || (byte == 0 && self.bytes > 0) {
            return Taken::Wrong;
        }
        self.number |= u64::from(byte & 0x7f) << (7 * self.bytes);
        self.bytes += 1;
        if byte & 0x80 == 0 { Taken::Whole(self.number) } else { Taken::More }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Taken {
        let mut partial = Partial::default();
        let mut steps = bytes.iter().map(|byte| partial.take(*byte));
        steps.find(|step| *step != Taken::More).unwrap_or(Taken::More)
    }

    #[test]
    fn numbers_take_as_few_bytes_as_they_need() {
        for (number, bytes) in [
            (0, vec![0]),
            (127, vec![0x7f]),
            (128, vec![0x80, 1]),
            (300, vec![0xac, 2]),
            (u64::MAX, [vec![0xff; 9], vec![1]].concat()),
        ] {
            let mut made = Vec::new();
            push(&mut made, number);
            assert_eq!((made.len(), &made), (bytes_of(number), &bytes));
            assert_eq!(read(&made), Taken::Whole(number));
        }
    }

    #[test]
    fn what_could_be_shorter_or_is_too_long_is_refused() {
        assert_eq!(read(&[0x80, 0]), Taken::Wrong);
        assert_eq!(read(&[vec![0xff; 9], vec![2]].concat()), Taken::Wrong);
        assert_eq!(read(&[0x80; 10]), Taken::Wrong);
        assert_eq!(read(&[0x80]), Taken::More);
    }

    proptest! {
        #[test]
        fn every_number_comes_back(number in any::<u64>(), shift in 0u32..64) {
            let number = number >> shift;
            let mut made = Vec::new();
            push(&mut made, number);
            prop_assert_eq!(made.len(), bytes_of(number));
            prop_assert_eq!(read(&made), Taken::Whole(number));
        }
    }
}
