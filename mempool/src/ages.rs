//! All transactions in the order in which they came, as a list through the slab: to join at the end
//! and to leave from anywhere takes the same few steps at any size.

use crate::pool::Resident;
use crate::slab::Slab;

/// The ends of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ages {
    pub(crate) oldest: u32,
    pub(crate) newest: u32,
}

impl Default for Ages {
    fn default() -> Self {
        Self { oldest: Self::NONE, newest: Self::NONE }
    }
}

impl Ages {
    /// In place of a number: there is none.
    pub(crate) const NONE: u32 = u32::MAX;

    /// Adds one at the end. It is never older than the one before it: the list is in order, whatever
    /// time it came with.
    pub(crate) fn push(&mut self, number: u32, residents: &mut Slab<Resident>) {
        let before = self.newest;
        if before == Self::NONE {
            self.oldest = number;
        } else {
            residents[before].newer = number;
            let arrived_us = residents[before].arrived_us;
            residents[number].arrived_us = residents[number].arrived_us.max(arrived_us);
        }
        residents[number].older = before;
        self.newest = number;
    }

    pub(crate) fn unlink(&mut self, number: u32, residents: &mut Slab<Resident>) {
        let (older, newer) = (residents[number].older, residents[number].newer);
        match older {
            Self::NONE => self.oldest = newer,
            older => residents[older].newer = newer,
        }
        match newer {
            Self::NONE => self.newest = older,
            newer => residents[newer].older = older,
        }
    }
}
