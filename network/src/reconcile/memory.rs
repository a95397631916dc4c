//! What was handed over or refused lately, so that it is not tried again at once.

use std::collections::{BTreeMap, VecDeque};

use hearsay_chain::TxId;

/// The most ids that are remembered of one peer: as many as are offered to it in a few minutes on
/// end. 300 KiB at most, and as a rule none.
const MOST: usize = 4_096;

/// Ids, each until some moment; the oldest is forgotten first where there are too many.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    until: BTreeMap<TxId, u64>,
    /// In the order in which they were noted.
    order: VecDeque<(u64, TxId)>,
}

impl Memory {
    /// Remembers an id until a moment in microseconds.
    pub fn note(&mut self, id: TxId, until: u64, now: u64) {
        self.until.insert(id, until);
        self.order.push_back((until, id));
        while self.order.len() > MOST || self.order.front().is_some_and(|(until, _)| *until <= now)
        {
            let Some((until, id)) = self.order.pop_front() else { return };
            // It may have been noted again since.
            if self.until.get(&id) == Some(&until) {
                self.until.remove(&id);
            }
        }
    }

    /// Whether an id is remembered.
    #[must_use]
    pub fn has(&self, id: &TxId, now: u64) -> bool {
        self.until.get(id).is_some_and(|until| now < *until)
    }

    /// All that are remembered.
    pub fn ids(&self, now: u64) -> impl Iterator<Item = &TxId> {
        self.until.iter().filter(move |(_, until)| now < **until).map(|(id, _)| id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> TxId {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&number.to_le_bytes());
        TxId(id)
    }

    #[test]
    fn an_id_is_remembered_until_its_time_and_longer_if_noted_again() {
        let mut memory = Memory::default();
        memory.note(id(1), 10, 0);
        memory.note(id(1), 30, 5);
        assert!(memory.has(&id(1), 29));
        assert!(!memory.has(&id(1), 30));
        memory.note(id(2), 50, 20);
        assert!(memory.has(&id(1), 29), "its first time has passed, not its second");
        assert_eq!(memory.ids(40).collect::<Vec<_>>(), [&id(2)]);
    }

    #[test]
    fn the_oldest_go_where_there_are_too_many() {
        let mut memory = Memory::default();
        for number in 0..3 * MOST {
            memory.note(id(number), 100, 0);
        }
        assert_eq!((memory.until.len(), memory.order.len()), (MOST, MOST));
        assert!(!memory.has(&id(0), 1));
        assert!(memory.has(&id(3 * MOST - 1), 1));
    }
}
