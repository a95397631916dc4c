//! What the driver does for the journal of the pool: it hands the engine what the journal held, and the
//! journal what the engine wants kept.

use std::fmt::Write;
use std::vec;

use hearsay_chain::{Store, TxId};
use tracing::info;

use super::{Driver, Fatal};
use crate::engine::{Engine, Input, Kept, RestoreTally, Restored, Time};
use crate::journal::{Journal, Restoring};

/// Transactions that are told again between two ticks, to a journal that has missed some: a million
/// in less than a minute, and no tick takes more than some milliseconds longer.
const TOLD_AT_ONCE: usize = 2_048;

/// What others may do between two batches of what comes back: a batch of dead ones is refused in two
/// milliseconds and makes no checking thread busy, so nothing else would hold them back.
const OTHERS_FIRST: u8 = 16;

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
    /// Turns that others have before the next batch.
    turns: u8,
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
    /// Between two that there are, others that wait have some turns.
    pub(super) async fn next(&mut self) -> Option<Vec<Restored>> {
        let Some(restoring) = &mut self.restoring else { return std::future::pending().await };
        // One turn each time that this is asked: if another is taken, this is asked anew.
        while self.turns > 0 {
            self.turns -= 1;
            tokio::task::yield_now().await;
        }
        let batch = restoring.recv().await;
        self.turns = OTHERS_FIRST;
        batch
    }

    /// Tells the journal some of what it has missed, if it asks for it.
    fn tell<S: Store>(&mut self, engine: &Engine<S>, now: Time) {
        let Self { journal: Some(journal), has_restored: true, telling, told, .. } = self else {
            return;
        };
        let wanted = journal.wanted();
        if wanted != *told && telling.as_ref().is_none_or(|(number, _)| *number != wanted) {
            let ids: Vec<TxId> = engine.pool().iter().map(|view| view.tx.id()).collect();
            *telling = Some((wanted, ids.into_iter()));
        }
        let Some((number, left)) = telling else { return };
        for _ in 0..TOLD_AT_ONCE {
            // Asked each time: some large ones more, and it would miss them as it did before.
            if journal.is_busy() {
                return;
            }
            let Some(id) = left.next() else { break };
            // Those that have left since have been told of.
            if let Some(kept) = engine.kept(now, &id) {
                journal.keep(kept);
            }
        }
        if left.as_slice().is_empty() {
            journal.complete(*number);
            *told = *number;
            *telling = None;
        }
    }

    /// Whether some of what the journal held may yet come back.
    pub(super) fn is_restoring(&self) -> bool {
        self.journal.is_some() && !self.has_restored
    }

    /// Writes out what is left, and all that the journal has missed. Nothing changes any more, so this
    /// takes as long as the disk needs for it.
    pub(super) fn close<S: Store>(&mut self, engine: &Engine<S>, now: Time) {
        let Some(journal) = self.journal.take() else { return };
        journal.settle();
        let wanted = journal.wanted();
        if wanted != self.told {
            for view in engine.pool().iter() {
                journal.wait_until_calm();
                if let Some(kept) = engine.kept(now, &view.tx.id()) {
                    journal.keep(kept);
                }
            }
            // What has not come back yet is not in the pool, and stays where it is.
            if self.has_restored {
                journal.complete(wanted);
            }
        }
        journal.close();
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
        let now = self.ends.clock.now();
        self.ends.keeping.tell(&self.engine, now);
    }

    /// Writes out what is to be kept over a restart.
    pub(super) fn close_journal(&mut self) {
        let now = self.ends.clock.now();
        self.ends.keeping.close(&self.engine, now);
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
mod tests;
