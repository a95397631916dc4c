//! What was dropped rather than let grow, told in sums: whatever drops one drops many.

use std::collections::BTreeMap;

use crate::event::NetEvent;
use crate::outbox::{Closed, Outbox};

/// What was dropped since it was told last, by the place. Places are words of the program, so they
/// are few.
#[derive(Debug, Default)]
pub(super) struct Drops {
    untold: BTreeMap<&'static str, u64>,
}

impl Drops {
    pub(super) fn add(&mut self, place: &'static str, count: u64) {
        if count > 0 {
            let sum = self.untold.entry(place).or_default();
            *sum = sum.saturating_add(count);
        }
    }

    /// Tells all of it.
    pub(super) fn tell(&mut self, outbox: &mut Outbox) -> Result<(), Closed> {
        for (place, count) in std::mem::take(&mut self.untold) {
            outbox.keep(NetEvent::Dropped { place, count })?;
        }
        Ok(())
    }
}
