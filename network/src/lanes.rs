//! What waits in one queue, of which some goes first: blocks, for which everybody waits, before the
//! transactions that wait with them.

use std::collections::VecDeque;

/// Two queues that are emptied as one. What is urgent goes first, but only every second time where
/// there is both: else a flood of the one would end the other. Each keeps its order. Its owner bounds it.
#[derive(Debug)]
pub struct Lanes<T> {
    urgent: VecDeque<T>,
    rest: VecDeque<T>,
    was_urgent: bool,
}

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        Self { urgent: VecDeque::new(), rest: VecDeque::new(), was_urgent: false }
    }
}

impl<T> Lanes<T> {
    /// Adds something behind its like.
    pub fn put(&mut self, item: T, urgent: bool) {
        let lane = if urgent { &mut self.urgent } else { &mut self.rest };
        lane.push_back(item);
    }

    /// The next of what waits.
    pub fn take(&mut self) -> Option<T> {
        let may_be_urgent = !self.was_urgent || self.rest.is_empty();
        let urgent = may_be_urgent && !self.urgent.is_empty();
        self.was_urgent = urgent;
        if urgent { self.urgent.pop_front() } else { self.rest.pop_front() }
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.urgent.len().saturating_add(self.rest.len())
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.urgent.is_empty() && self.rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(lanes: &mut Lanes<u32>) -> Vec<u32> {
        std::iter::from_fn(|| lanes.take()).collect()
    }

    #[test]
    fn what_is_urgent_overtakes_the_rest_and_does_not_end_it() {
        let mut lanes = Lanes::default();
        (0..5).for_each(|it| lanes.put(it, false));
        (10..13).for_each(|it| lanes.put(it, true));
        assert_eq!(lanes.len(), 8);
        assert_eq!(all(&mut lanes), [10, 0, 11, 1, 12, 2, 3, 4]);
        assert!(lanes.is_empty());
        (0..2).for_each(|it| lanes.put(it, true));
        assert_eq!(all(&mut lanes), [0, 1], "alone, it does not wait");
    }
}
