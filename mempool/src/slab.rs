//! Values by number. A number stays the same for as long as its value is here.

use std::ops::{Index, IndexMut};

/// Values in one block. Blocks never move, so growing costs the same at any size and wastes one
/// block at most.
const BLOCK: usize = 1 << 10;

#[derive(Clone, Debug)]
enum Cell<T> {
    Full(T),
    /// The next free cell; itself if it is the last.
    Free(u32),
}

/// Values by number.
#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    blocks: Vec<Vec<Cell<T>>>,
    /// The cell that was freed last, and so is likely to be at hand.
    free: Option<u32>,
    len: usize,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { blocks: Vec::new(), free: None, len: 0 }
    }
}

fn place(at: u32) -> (usize, usize) {
    (at as usize / BLOCK, at as usize % BLOCK)
}

impl<T> Slab<T> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    fn cell(&mut self, at: u32) -> &mut Cell<T> {
        let (block, offset) = place(at);
        &mut self.blocks[block][offset]
    }

    /// For how many more values there is room, beyond those of a first block.
    pub(crate) fn spare(&self) -> usize {
        (self.blocks.len() * BLOCK).saturating_sub(self.len + BLOCK)
    }

    /// The number that the next value gets.
    pub(crate) fn next(&self) -> u32 {
        let end = self.blocks.last().map_or(0, |it| (self.blocks.len() - 1) * BLOCK + it.len());
        self.free.unwrap_or(u32::try_from(end).expect("a pool's bounds keep it below 2^30"))
    }

    pub(crate) fn insert(&mut self, value: T) -> u32 {
        let at = self.next();
        if self.free.is_some() {
            let cell = self.cell(at);
            let Cell::Free(next) = *cell else { unreachable!("it was free") };
            *cell = Cell::Full(value);
            self.free = (next != at).then_some(next);
        } else {
            if self.blocks.last().is_none_or(|block| block.len() == BLOCK) {
                self.blocks.push(Vec::with_capacity(BLOCK));
            }
            self.blocks.last_mut().expect("just made").push(Cell::Full(value));
        }
        self.len += 1;
        at
    }

    /// Takes out a value that is here.
    pub(crate) fn remove(&mut self, at: u32) -> T {
        let next = self.free.unwrap_or(at);
        let Cell::Full(value) = std::mem::replace(self.cell(at), Cell::Free(next)) else {
            unreachable!("{at} was taken out before")
        };
        self.free = Some(at);
        self.len -= 1;
        if self.len == 0 {
            // Nothing bears a number, so the blocks can go: a pool that emptied gives memory back.
            *self = Self::default();
        }
        value
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(self.blocks.iter().flatten()).filter_map(|(at, cell)| match cell {
            Cell::Full(value) => Some((at, value)),
            Cell::Free(_) => None,
        })
    }
}

impl<T> Index<u32> for Slab<T> {
    type Output = T;

    fn index(&self, at: u32) -> &T {
        let (block, offset) = place(at);
        match &self.blocks[block][offset] {
            Cell::Full(value) => value,
            Cell::Free(_) => unreachable!("{at} was taken out"),
        }
    }
}

impl<T> IndexMut<u32> for Slab<T> {
    fn index_mut(&mut self, at: u32) -> &mut T {
        match self.cell(at) {
            Cell::Full(value) => value,
            Cell::Free(_) => unreachable!("{at} was taken out"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_used_again_and_others_stay() {
        let mut slab = Slab::default();
        let numbers: Vec<u32> = (0..3_000).map(|value| slab.insert(value)).collect();
        assert!((0..3_000).all(|value| slab[numbers[value]] == value));
        assert_eq!([slab.remove(7), slab.remove(2_000)], [7, 2_000]);
        assert_eq!(
            [slab.next(), slab.insert(1), slab.insert(2), slab.insert(3)],
            [2_000, 2_000, 7, 3_000]
        );
        assert_eq!((slab.len(), slab[8], slab[7]), (3_001, 8, 2));
        assert!(slab.iter().map(|(at, _)| at).eq(0..3_001));
    }

    #[test]
    fn an_empty_one_keeps_nothing() {
        let mut slab = Slab::default();
        let at = slab.insert('a');
        slab.remove(at);
        assert!(slab.blocks.is_empty() && slab.iter().next().is_none());
        assert_eq!(slab.insert('b'), 0);
    }
}
