//! From the symbols of two sets to what one has and the other lacks.

use thiserror::Error;

use super::coder::{Coder, Symbol, Walk};
use super::spread::Spread;

/// Symbols that no set has: they come apart into more elements than they could hold. Whoever sent
/// them made them up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("these symbols are of no set")]
pub struct Nonsense;

/// What one side has and the other lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Elements that only the side that sent the symbols has, ascending.
    pub theirs: Vec<u64>,
    /// Elements that only this side has, ascending.
    pub ours: Vec<u64>,
}

/// Takes the difference of two sets apart.
#[derive(Clone, Debug)]
pub struct Decoder {
    ours: Coder,
    /// Symbols of the difference, less what was found.
    left: Vec<Symbol>,
    /// What was found: it is part of symbols to come.
    found_theirs: Coder,
    found_ours: Coder,
    found: Difference,
    /// How many of the symbols are not empty.
    open: usize,
    spread: Spread,
}

impl Decoder {
    /// A decoder for a side that has these elements, each once.
    #[must_use]
    pub fn new(ours: impl IntoIterator<Item = u64>) -> Self {
        Self {
            ours: Coder::new(ours),
            left: Vec::new(),
            found_theirs: Coder::default(),
            found_ours: Coder::default(),
            found: Difference::default(),
            open: 0,
            spread: Spread::default(),
        }
    }

    /// How many symbols it was given.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.left.len()
    }

    /// About how many elements lie between the sets; the more symbols were taken, the better: within a
    /// third after 20, within a twentieth after 800.
    #[must_use]
    pub fn estimate(&self) -> f64 {
        self.spread.estimate()
    }

    /// What was found so far, before the symbols sufficed for all of it.
    #[must_use]
    pub fn found(&self) -> Difference {
        self.difference()
    }

    /// Takes the next symbols of the other side. Gives the whole difference once they suffice for it.
    ///
    /// # Errors
    /// [`Nonsense`].
    pub fn take(&mut self, symbols: &[Symbol]) -> Result<Option<Difference>, Nonsense> {
        let from = self.left.len();
        let mut fresh = symbols.to_vec();
        let mut own = vec![Symbol::default(); symbols.len()];
        self.ours.add_to(&mut own, 1);
        for (fresh, own) in fresh.iter_mut().zip(own) {
            *fresh = fresh.minus(own);
            self.spread.note(fresh.count);
        }
        self.found_theirs.add_to(&mut fresh, -1);
        self.found_ours.add_to(&mut fresh, 1);
        self.open += fresh.iter().filter(|it| !it.is_empty()).count();
        self.left.append(&mut fresh);
        self.peel((from..self.left.len()).collect())?;
        Ok((self.open == 0 && !self.left.is_empty()).then(|| self.difference()))
    }

    fn difference(&self) -> Difference {
        let mut found = self.found.clone();
        found.theirs.sort_unstable();
        found.ours.sort_unstable();
        found
    }

    /// Finds each element that is alone in a symbol, and takes it from all others; which may leave
    /// others alone.
    fn peel(&mut self, mut look_at: Vec<usize>) -> Result<(), Nonsense> {
        while let Some(at) = look_at.pop() {
            let Some((element, sign)) = self.left[at].single() else { continue };
            // Each found one empties a symbol, in which it then never is again.
            if self.found.theirs.len() + self.found.ours.len() >= self.left.len() {
                return Err(Nonsense);
            }
            let mut walk = Walk::new(element);
            while let Some(symbol) = self.left.get_mut(walk.next as usize) {
                let was_open = !symbol.is_empty();
                symbol.apply(element, -sign);
                self.open = self.open + usize::from(!symbol.is_empty()) - usize::from(was_open);
                look_at.push(walk.next as usize);
                walk.step();
            }
            if sign > 0 {
                self.found.theirs.push(element);
                self.found_theirs.join(walk);
            } else {
                self.found.ours.push(element);
                self.found_ours.join(walk);
            }
        }
        Ok(())
    }
}
