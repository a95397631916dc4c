//! What the engine knows of how busy this node is.

use super::Engine;

impl<S> Engine<S> {
    /// Transactions that were judged since this process started, whatever the verdict.
    #[must_use]
    pub fn judged(&self) -> u64 {
        self.judged
    }

    /// Checks of signatures that are under way or wait for their turn.
    #[must_use]
    pub fn checks(&self) -> usize {
        self.jobs.count()
    }
}
