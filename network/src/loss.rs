//! Gossip that is thrown away on purpose when it arrives, in a lab.

use rand::RngExt;
use rand::rngs::StdRng;

/// Draws which frames are lost.
#[derive(Debug)]
pub(crate) struct Loss {
    share: f64,
    random: StdRng,
}

impl Loss {
    /// So great a share of all.
    pub(crate) fn new(share: f64) -> Self {
        Self { share, random: rand::make_rng() }
    }

    /// Whether there is any.
    pub(crate) fn is_on(&self) -> bool {
        self.share > 0.0
    }

    /// Whether this one is lost.
    pub(crate) fn takes(&mut self) -> bool {
        self.is_on() && self.random.random::<f64>() < self.share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_lost_as_was_said_and_none_without() {
        let mut loss = Loss::new(0.2);
        let lost = (0..10_000).filter(|_| loss.takes()).count();
        // Binomial: the standard deviation is 40.
        assert!((1_800..=2_200).contains(&lost), "{lost}");
        let mut none = Loss::new(0.0);
        assert!((0..1_000).all(|_| !none.takes()));
    }
}
