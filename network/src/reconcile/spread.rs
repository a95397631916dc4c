//! How far two sets lie apart, told from the counts of the symbols of their difference.

/// The counts of the symbols of a difference.
///
/// Symbol 0 has every element, so its count is what the sizes differ by. Symbol `i` has each with
/// probability p = 1/(1 + i/2), so its count spreads around p times that with variance d·p·(1 − p),
/// `d` being the number of elements: the mean of the squares over p·(1 − p) is an estimate of `d`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spread {
    taken: u32,
    sizes: f64,
    squares: f64,
}

impl Spread {
    /// The count of the next symbol.
    pub(super) fn note(&mut self, count: i32) {
        let count = f64::from(count);
        if self.taken == 0 {
            self.sizes = count;
        } else {
            let p = 1.0 / (1.0 + f64::from(self.taken) / 2.0);
            let off = count - p * self.sizes;
            self.squares += off * off / (p * (1.0 - p));
        }
        self.taken = self.taken.saturating_add(1);
    }

    /// About how many elements there are; never fewer than the sizes say.
    pub(super) fn estimate(&self) -> f64 {
        let samples = f64::from(self.taken.saturating_sub(1).max(1));
        (self.squares / samples).max(self.sizes.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::elements;
    use super::super::{Coder, Decoder};

    #[test]
    fn the_estimate_is_within_a_third_after_twenty_symbols_and_a_tenth_after_a_thousand() {
        for (symbols, within) in [(20, 0.33), (1_000, 0.1)] {
            // The mean over some sets, so that what is tested is that it is not off to one side.
            let mut sum = 0.0;
            for seed in 0..20 {
                let all: Vec<u64> = elements(6_000, seed).collect();
                let mut coder = Coder::new(all[1_000..].iter().copied());
                let mut decoder = Decoder::new(all[..5_000].iter().copied());
                decoder.take(&coder.next(symbols)).unwrap();
                sum += decoder.estimate() / 20.0;
            }
            assert!((sum / 2_000.0 - 1.0).abs() < within, "{symbols}: {sum}");
        }
    }

    #[test]
    fn where_one_side_has_all_of_the_other_the_sizes_say_it() {
        let all: Vec<u64> = elements(5_000, 3).collect();
        let mut coder = Coder::new(all.iter().copied());
        let mut decoder = Decoder::new(all[..1_000].iter().copied());
        decoder.take(&coder.next(1)).unwrap();
        assert!((decoder.estimate() - 4_000.0).abs() < 1e-6);
    }
}
