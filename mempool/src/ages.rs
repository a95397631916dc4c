//! All transactions in the order in which they came, as a list through the slab: to join and to leave
//! takes the same few steps at any size.

use crate::pool::Resident;
use crate::slab::Slab;

/// The ends of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ages {
    pub(crate) oldest: u32,
    pub(crate) newest: u32,
    /// The last one that was restored. What comes after a restart may come between those that are
    /// restored one by one, and is younger than all of them.
    restored: u32,
}

impl Default for Ages {
    fn default() -> Self {
        Self { oldest: Self::NONE, newest: Self::NONE, restored: Self::NONE }
    }
}

impl Ages {
    /// In place of a number: there is none.
    pub(crate) const NONE: u32 = u32::MAX;

    /// Adds one that came now, at the end.
    pub(crate) fn push(&mut self, number: u32, residents: &mut Slab<Resident>) {
        self.link(number, self.newest, Self::NONE, residents);
    }

    /// Adds one that came before a restart, behind the others of these.
    pub(crate) fn restore(&mut self, number: u32, residents: &mut Slab<Resident>) {
        let newer = match self.restored {
            Self::NONE => self.oldest,
            last => residents[last].newer,
        };
        self.link(number, self.restored, newer, residents);
        self.restored = number;
    }

    /// Puts one between two others. It is no older than the one before it and no younger than the one
    /// after it: the list is in order, whatever time it came with.
    fn link(&mut self, number: u32, older: u32, newer: u32, residents: &mut Slab<Resident>) {
        let mut arrived_us = residents[number].arrived_us;
        if newer == Self::NONE {
            self.newest = number;
        } else {
            residents[newer].older = number;
            arrived_us = arrived_us.min(residents[newer].arrived_us);
        }
        if older == Self::NONE {
            self.oldest = number;
        } else {
            residents[older].newer = number;
            arrived_us = arrived_us.max(residents[older].arrived_us);
        }
        let own = &mut residents[number];
        (own.older, own.newer, own.arrived_us) = (older, newer, arrived_us);
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
        if self.restored == number {
            self.restored = older;
        }
    }
}
