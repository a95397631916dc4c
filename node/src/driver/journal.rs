//! What the driver does for the journal of the pool: it hands the engine what the journal held, and the
//! journal what the engine wants kept.

use std::fmt::Write;
use std::vec;

use hearsay_chain::{Store, TxId};
use tracing::info;

use super::{Driver, Fatal};
use crate::engine::{Input, Kept, RestoreTally, Restored};
use crate::journal::{Journal, Restoring};

/// Transactions that are told again between two ticks, to a journal that has missed some: a million
/// in less than a minute, and no tick takes more than some milliseconds longer.
const TOLD_AT_ONCE: usize = 2_048;

/// A node's journal, and how far it and the engine are with each other. Without one, all of it is
/// nothing.
#[derive(Debug, Default)]
pub(crate) struct Keeping {
    journal: Option<Journal>,
    restoring: Option<Restoring>,
    /// Whether all that the journal held has come back, or will not.
    has_restored: bool,
    /// What is being told again: under which number, and what is left of it.
    telling: Option<(u64, vec::IntoIter<TxId>)>,
    /// The number that was told in full last.
    told: u64,
}

impl Keeping {
    /// Keeps what changes in a journal, once what that held has come back.
    pub(crate) fn with(journal: Journal, restoring: Restoring) -> Self {
        Self { journal: Some(journal), restoring: Some(restoring), ..Self::default() }
    }

    pub(super) fn keep(&self, kept: Kept) {
        if let Some(journal) = &self.journal {
            journal.keep(kept);
        }
    }

    /// The next that the journal held; none once there is no more. Never done without a journal.
    pub(super) async fn next(&mut self) -> Option<Vec<Restored>> {
        match &mut self.restoring {
            Some(restoring) => restoring.recv().await,
            None => std::future::pending().await,
        }
    }

    /// Whether some of what the journal held may yet come back.
    pub(super) fn is_restoring(&self) -> bool {
        self.journal.is_some() && !self.has_restored
    }

    /// Writes out what is left.
    pub(super) fn close(&mut self) {
        if let Some(journal) = self.journal.take() {
            journal.close();
        }
    }
}

impl<S: Store> Driver<S> {
    pub(super) async fn on_restored(&mut self, batch: Option<Vec<Restored>>) -> Result<(), Fatal> {
        match batch {
            Some(transactions) => self.handle(Input::Restore(transactions)).await,
            None => {
                self.ends.keeping.restoring = None;
                self.handle(Input::RestoreEnd).await
            }
        }
    }

    pub(super) fn on_restore_done(&mut self, tally: &RestoreTally) {
        self.ends.keeping.has_restored = true;
        if let Some(journal) = &self.ends.keeping.journal {
            journal.restored();
        }
        if tally.found > 0 {
            info!("{}", told(tally));
        }
    }

    /// Tells the journal some of what it has missed, if it asks for it.
    pub(super) fn tell_journal(&mut self) {
        let Keeping { journal: Some(journal), has_restored: true, telling, told, .. } =
            &mut self.ends.keeping
        else {
            return;
        };
        let wanted = journal.wanted();
        if wanted != *told && telling.as_ref().is_none_or(|(number, _)| *number != wanted) {
            let ids: Vec<TxId> = self.engine.pool().iter().map(|view| view.tx.id()).collect();
            *telling = Some((wanted, ids.into_iter()));
        }
        let Some((number, left)) = telling else { return };
        if journal.is_busy() {
            return;
        }
        let now = self.ends.clock.now();
        for id in left.by_ref().take(TOLD_AT_ONCE) {
            // Those that have left since have been told of.
            if let Some(kept) = self.engine.kept(now, &id) {
                journal.keep(kept);
            }
        }
        if left.as_slice().is_empty() {
            journal.complete(*number);
            *told = *number;
            *telling = None;
        }
    }
}

/// What became of those that waited, as a sentence.
fn told(tally: &RestoreTally) -> String {
    let RestoreTally { found, taken, known, refused } = tally;
    let mut text = format!("restored {taken} of {found} waiting transactions");
    let mut others: Vec<String> = Vec::new();
    if *known > 0 {
        others.push(format!("{known} came by other ways"));
    }
    others.extend(refused.iter().map(|(reason, count)| format!("{count} {reason}")));
    if !others.is_empty() {
        // A string takes every write.
        let _ = write!(text, " (of the others: {})", others.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_those_that_waited_is_one_sentence() {
        let mut tally = RestoreTally { found: 2, taken: 2, ..RestoreTally::default() };
        assert_eq!(told(&tally), "restored 2 of 2 waiting transactions");
        tally.found = 7;
        tally.known = 1;
        tally.refused = [("expired", 1), ("included", 3)].into();
        assert_eq!(
            told(&tally),
            "restored 2 of 7 waiting transactions (of the others: 1 came by other ways, 1 expired, \
             3 included)"
        );
    }
}
