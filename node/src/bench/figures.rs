//! Medians and spreads, as text.

/// Measurements of one thing.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures(Vec<f64>);

impl Figures {
    pub(super) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// Quotients of measurements that were taken in the same round.
    pub(super) fn over(&self, other: &Figures) -> Figures {
        Figures(self.0.iter().zip(&other.0).map(|(a, b)| a / b).collect())
    }

    /// The smaller of two in each round.
    pub(super) fn least(&self, other: &Figures) -> Figures {
        Figures(self.0.iter().zip(&other.0).map(|(a, b)| a.min(*b)).collect())
    }

    pub(super) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match (sorted.get(middle.wrapping_sub(1)), sorted.get(middle)) {
            (Some(a), Some(b)) if sorted.len().is_multiple_of(2) => f64::midpoint(*a, *b),
            (_, Some(b)) => *b,
            _ => f64::NAN,
        }
    }

    /// The median, and the least and the greatest beside it.
    pub(super) fn text(&self, decimals: usize) -> String {
        let least = self.0.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let median = self.median();
        format!("{median:.decimals$} ({least:.decimals$} to {most:.decimals$})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_and_the_spread_beside_it() {
        let figures = Figures(vec![3.0, 1.0, 2.0]);
        assert_eq!(figures.text(1), "2.0 (1.0 to 3.0)");
        assert_eq!(Figures(vec![4.0, 1.0, 2.0, 3.0]).median(), 2.5);
        assert_eq!(figures.over(&Figures(vec![1.0, 2.0, 4.0])).0, [3.0, 0.5, 0.5]);
        assert!(Figures::default().median().is_nan());
    }
}
