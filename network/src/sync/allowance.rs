//! What a peer may ask for: so much at once, and so much more a second.

/// How much there is of one thing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// How much may be asked for at once.
    pub(crate) at_once: f64,
    /// How much more a second.
    pub(crate) a_second: f64,
}

/// What one peer has left of one thing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    terms: Terms,
    left: f64,
    at: u64,
}

impl Allowance {
    /// All of it.
    pub(crate) fn new(terms: Terms) -> Self {
        Self { terms, left: terms.at_once, at: 0 }
    }

    /// Takes so much, if as much is left at `now`, in microseconds; takes nothing else.
    pub(crate) fn take(&mut self, cost: f64, now: u64) -> bool {
        let passed = now.saturating_sub(self.at) as f64 / 1e6;
        self.left = (self.left + passed * self.terms.a_second).min(self.terms.at_once);
        self.at = now;
        let may = self.left >= cost;
        if may {
            self.left -= cost;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_up_comes_back_with_time_and_never_more_than_at_once() {
        let mut allowance = Allowance::new(Terms { at_once: 10.0, a_second: 2.0 });
        assert!(allowance.take(10.0, 0));
        assert!(!allowance.take(1.0, 0));
        assert!(!allowance.take(4.0, 1_000_000), "two have come back");
        assert!(allowance.take(2.0, 1_000_000), "what was refused cost nothing");
        assert!(allowance.take(10.0, 1_000_000_000));
        assert!(!allowance.take(1.0, 1_000_000_000));
    }
}
